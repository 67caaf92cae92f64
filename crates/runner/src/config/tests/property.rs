//! Configs made at random: what is resolved resolves to itself, and no text at all breaks the parser.

use proptest::prelude::*;

use super::{read, read_with};
use crate::config::Solver;
use crate::search::trials;

/// A number as it may be written: whole, with a point, or with an exponent.
fn number(range: std::ops::Range<f64>) -> impl Strategy<Value = String> {
    (range, 0..3).prop_map(|(value, form)| match form {
        0 => format!("{}", value.ceil()),
        1 => format!("{value:?}"),
        _ => format!("{value:e}"),
    })
}

fn solver() -> impl Strategy<Value = Solver> {
    // Those to which learning rates matter.
    let steppers = Solver::ALL
        .iter()
        .copied()
        .filter(|solver| !matches!(solver, Solver::Auto | Solver::Lbfgs | Solver::Newton));
    prop::sample::select(steppers.collect::<Vec<_>>())
}

prop_compose! {
    /// `[data]`, with names and labels of any characters.
    fn data()(target in "\\PC{1,8}", id in "[^\r\n]{1,8}", level in any::<String>(), missing in any::<Vec<String>>()) -> String {
        let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let list = toml::Value::Array(missing.iter().map(|m| toml::Value::String(m.clone())).collect());
        let positive = if level.is_empty() { "1".to_owned() } else { text(&level) };
        let id = if id == target { String::new() } else { format!("id = {}\n", text(&id)) };
        format!("[data]\ntrain = [\"a.csv\", {0}]\ntarget = {0}\n{id}positive = {positive}\nmissing = {list}\n", text(&target))
    }
}

prop_compose! {
    /// `[model]`, `[train]` and `[sweep]` with keys that go together.
    fn rest()(
        solver in solver(),
        c in prop_oneof![number(1e-9..1e9), Just("inf".to_owned())],
        rate in number(1e-6..1e3),
        momentum in number(0.0..0.9),
        epochs in 1_u32..1000,
        values in prop::collection::vec(number(1e-6..1e6), 1..5),
        (min, ratio, num, log) in (1e-9..1e3, 1.0..1e6, 2_u32..9, any::<bool>()),
        rows in (1_u32..100, 100_u32..10_000),
        point in number(1e-3..1e3),
        std in number(1e-3..1e1),
    ) -> String {
        let max = min * ratio;
        let momentum = if solver == Solver::Sgd && !momentum.starts_with('1') { format!("momentum = {momentum}\n") } else { String::new() };
        let rows = match solver {
            Solver::Gd => "batch_rows = \"full\"\n".to_owned(),
            _ => format!("batch_rows = {}\n", rows.0 + rows.1),
        };
        format!(
            "[model]\nC = {c}\n[train]\nsolver = \"{solver}\"\nlearning_rate = {rate}\nepochs = {epochs}\n{momentum}{rows}restarts = 2\n\
             init = {{ kind = \"normal\", std = {std} }}\n[sweep.parameters]\nmodel.C = [{}]\n\
             train.learning_rate = {{ min = {min:e}, max = {max:e}, num = {num}, log = {log} }}\n\
             train.init = {{ values = [{{ kind = \"glorot\" }}, {{ kind = \"normal\", std = {std} }}] }}\n\
             train.epochs = {{ min = 1, max = {epochs}, num = {num} }}\n[[sweep.points]]\nmodel.C = {point}\n\
             [[sweep.exclude]]\nmodel.C = {point}\ntrain.epochs = {epochs}\n",
            values.join(", "),
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn resolved_configs_resolve_to_themselves(data in data(), rest in rest()) {
        let text = format!("{data}{rest}");
        let config = read(&text).unwrap_or_else(|problems| panic!("{text}\n{problems}"));
        let resolved = config.resolved_toml();
        let again = read(&resolved).unwrap_or_else(|problems| panic!("{resolved}\n{problems}"));
        prop_assert_eq!(&config, &again, "{}", resolved);
        prop_assert_eq!(config.sweep.parameters.len(), 4);
        prop_assert_eq!((config.sweep.points.len(), config.sweep.exclude.len()), (1, 1));
        prop_assert_eq!(trials(&config), trials(&again));
    }

    /// Whatever the text is, there is a config or there are problems, each inside the text.
    #[test]
    fn no_text_breaks_the_parser(text in "(\\[?\\[?[a-z_.]{0,12}\\]?\\]?|[a-zC._]{1,12} ?=? ?(\\{ ?[a-z]{1,6} ?= ?|\\[|\"|-)?([0-9e.]{1,5}|inf|nan|true|[a-z]{1,6})?[\\]}\",]?|#|\\PC{0,5}|\n|\r\n){0,20}", set in "\\PC{0,20}") {
        for result in [read(&text), read_with(&text, &[&set])] {
            if let Err(problems) = result {
                prop_assert!(!problems.problems.is_empty());
                for problem in &problems.problems {
                    let inside = problem.span.as_ref().is_none_or(|span| text.get(span.clone()).is_some());
                    prop_assert!(inside, "{:?} of {:?}", problem, text);
                }
            }
        }
    }

    /// Real keys with values of any type.
    #[test]
    fn no_value_breaks_the_checks(
        key in prop::sample::select(crate::config::reference().iter().flat_map(|table| {
            table.keys.iter().map(|key| if table.path.is_empty() { key.name.to_owned() } else { format!("{}.{}", table.path, key.name) })
        }).collect::<Vec<_>>()),
        value in prop::sample::select(vec![
            "1", "-1", "0", "0.5", "1e400", "-0.0", "nan", "-inf", "9223372036854775807", "0xff", "true", "\"\"", "\"a\"", "\"auto\"", "[]", "[1]", "[[]]",
            "[\"a\"]", "{}", "{ kind = 1 }", "{ kind = \"normal\" }", "{ values = [] }", "{ min = 1, max = 2, num = 4000000000 }", "{ model.C = [1] }",
            "[{ model.C = 1 }]", "[{ model = { C = { x = 1 } } }]", "1979-05-27", "{ train = { init = { values = [{}] } } }",
        ]),
        in_sweep in any::<bool>(),
    ) {
        let path = if in_sweep { format!("sweep.parameters.{key}") } else { key };
        if let Ok(config) = read(&format!("{path} = {value}\n")).or_else(|_| read_with("data = { train = \"a\", target = \"y\" }", &[&format!("{path}={value}")])) {
            let resolved = config.resolved_toml();
            let again = read(&resolved).map_err(|problems| problems.to_string());
            prop_assert_eq!(again, Ok(config), "{}", resolved);
        }
    }
}
