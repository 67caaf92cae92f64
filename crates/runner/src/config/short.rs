//! `--sweep PATH=VALUES`: a parameter in a few letters.

use super::tree;
use super::value::quoted;

/// The functions that stand for a range: name, arguments, and what is written for them.
const RANGES: [(&str, &[&str], &str); 4] = [
    ("linspace", &["min", "max", "num"], ""),
    ("logspace", &["min", "max", "num"], ", log = true"),
    ("uniform", &["min", "max"], ""),
    ("loguniform", &["min", "max"], ", log = true"),
];

/// What `--sweep` says, as the `--set` that it is short for: `model.C=logspace(1e-4,1e4,9)` becomes
/// `sweep.parameters.model.C={ min = 1e-4, max = 1e4, num = 9, log = true }`, and `train.solver=adam,sgd` becomes
/// `sweep.parameters.train.solver=["adam", "sgd"]`. A list or a table in TOML stays what it is.
///
/// # Errors
/// What is wrong with the argument, and how it is written.
pub fn short_sweep(argument: &str) -> Result<String, String> {
    let (path, values) = argument
        .split_once('=')
        .map(|(path, values)| (path.trim(), values.trim()))
        .filter(|(path, _)| !path.is_empty())
        .ok_or("write it as --sweep 'model.C=0.1,1,10'")?;
    if values.is_empty() {
        return Err(format!("{path} has no values: write --sweep '{path}=0.1,1,10'"));
    }
    let domain = match function(values) {
        _ if values.starts_with(['[', '{']) => values.to_owned(),
        Some((name, arguments)) => range(name, &arguments)?,
        None => {
            let items: Vec<String> = split(values).into_iter().map(item).collect();
            if items.iter().any(String::is_empty) {
                return Err(format!("{values:?} has an empty value between two commas"));
            }
            format!("[{}]", items.join(", "))
        }
    };
    Ok(format!("sweep.parameters.{path}={domain}"))
}

/// `name(arguments)`.
fn function(text: &str) -> Option<(&str, Vec<&str>)> {
    let (name, rest) = text.split_once('(')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let inside = rest.strip_suffix(')')?;
    is_name.then(|| (name, split(inside)))
}

fn range(name: &str, arguments: &[&str]) -> Result<String, String> {
    let known = RANGES.iter().find(|(known, _, _)| *known == name);
    let Some((_, names, more)) = known else {
        return Err(format!(
            "{name}(…) is not known: write linspace(MIN,MAX,NUM), logspace(MIN,MAX,NUM), uniform(MIN,MAX), \
             loguniform(MIN,MAX) or a list"
        ));
    };
    if names.len() != arguments.len() {
        let wanted: Vec<String> = names.iter().map(|name| name.to_uppercase()).collect();
        return Err(format!("{name} takes {name}({})", wanted.join(",")));
    }
    let parts: Vec<String> = names
        .iter()
        .zip(arguments)
        .map(|(name, argument)| format!("{name} = {}", item(argument)))
        .collect();
    Ok(format!("{{ {}{more} }}", parts.join(", ")))
}

/// The pieces between commas outside of quotes and brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_i32, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '[' | '{' | '(') => depth += 1,
            (None, ']' | '}' | ')') => depth -= 1,
            (None, ',') if depth == 0 => {
                pieces.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(text[start..].trim());
    pieces
}

/// A value as TOML: what is not TOML is text without quotes.
fn item(text: &str) -> String {
    let (tree, errors) = tree::parse(&format!("v = {text}"), 0);
    if text.is_empty() || (errors.is_empty() && tree.entries().len() == 1) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn short_forms_are_parameters() {
        let cases = [
            (
                "model.C=logspace(1e-4,1e4,9)",
                "model.C={ min = 1e-4, max = 1e4, num = 9, log = true }",
            ),
            ("model.C = linspace(1, 2, 3)", "model.C={ min = 1, max = 2, num = 3 }"),
            (
                "model.C=loguniform(1e-4,1)",
                "model.C={ min = 1e-4, max = 1, log = true }",
            ),
            ("train.solver=adam,sgd", "train.solver=[\"adam\", \"sgd\"]"),
            ("model.C=1", "model.C=[1]"),
            ("model.C=0.1, inf", "model.C=[0.1, inf]"),
            ("train.batch_rows=256,full", "train.batch_rows=[256, \"full\"]"),
            ("model.fit_intercept=true,false", "model.fit_intercept=[true, false]"),
            ("model.C=[1, 2]", "model.C=[1, 2]"),
            (
                "model.C={ min = 1, max = 2, num = 3 }",
                "model.C={ min = 1, max = 2, num = 3 }",
            ),
        ];
        for (argument, set) in cases {
            assert_eq!(short_sweep(argument), Ok(format!("sweep.parameters.{set}")));
        }
        for (wrong, said) in [
            ("model.C", "write it as"),
            ("=1", "write it as"),
            ("model.C=", "no values"),
            ("model.C=1,,2", "empty value"),
            ("model.C=logspace(1,2)", "logspace(MIN,MAX,NUM)"),
            ("model.C=normal(0,1)", "normal(…) is not known"),
        ] {
            let error = short_sweep(wrong).expect_err(wrong);
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_short_form_takes_the_place_of_a_parameter() {
        let text = "[data]\ntrain = \"a\"\ntarget = \"y\"\n[sweep.parameters]\nmodel.C = [1]\n";
        let set = short_sweep("model.C=logspace(1e-4,1e4,9)").expect("a set");
        let config = parse(text, "a.toml", "a", &[set]).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(config.sweep.parameters[0].values().len(), 9);
        let exponents = short_sweep("model.C=logspace(-4,4,9)").expect("a set");
        let problems = parse(text, "a.toml", "a", &[exponents]).expect_err("a log range below 0");
        assert!(problems.to_string().contains("a number above 0"), "{problems}");
    }
}
