//! Texts that people write: configs, overrides, names.

use gradsweep_report::{Format, Query, compare, html, open, show};
use gradsweep_runner::config::{self, Config, Problems};
use gradsweep_store::{
    CoefficientRow, HistoryRow, Manifest, MetricInfo, ParamValue, Part, PlanTable, PlannedRun, PlannedTrial, RunId,
    RunRecord, RunState, Split, StoreWriter,
};
use serde_json::json;

use super::driver::Hunt;
use super::mutate::Draw;
use crate::root;

/// The words of configs.
const WORDS: [&str; 40] = [
    "[data]\n",
    "[sweep.parameters]\n",
    "[[sweep.points]]\n",
    "[sweep.halving]\n",
    "[train.early_stopping]\n",
    "model.C",
    "train.solver",
    "train.learning_rate",
    "train.batch_rows",
    "validation.folds",
    "run.memory_limit",
    "\"lbfgs\"",
    "\"newton\"",
    "\"auto\"",
    "\"full\"",
    "inf",
    "-inf",
    "nan",
    "true",
    "false",
    " = ",
    "=",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "\"",
    "'''",
    "\\u0000",
    "\\n",
    "\n",
    "#",
    "min = ",
    "max = ",
    "num = ",
    "log = true",
    "values = ",
    "when = ",
    "1e999",
];

/// What is wrong with an answer to a config.
fn judge(outcome: Result<Config, Problems>) -> Result<(), String> {
    match outcome {
        Ok(config) => {
            let resolved = config.resolved_toml();
            match config::parse(&resolved, "resolved.toml", &config.name, &[]) {
                Ok(again) if again.resolved_toml() == resolved => Ok(()),
                Ok(_) => Err(format!("another config comes out of its resolved form:\n{resolved}")),
                Err(problems) => Err(format!("its resolved form is refused: {problems}\n{resolved}")),
            }
        }
        Err(problems) if problems.problems.is_empty() => Err("refused without a reason".to_owned()),
        Err(problems) => {
            for problem in &problems.problems {
                let is_in_text = |span: &std::ops::Range<usize>| problems.text.get(span.clone()).is_some();
                if problem.span.as_ref().is_some_and(|span| !is_in_text(span)) {
                    return Err(format!("{problem:?} points out of the text"));
                }
            }
            Ok(())
        }
    }
}

pub(super) fn config(hunt: &Hunt) {
    let folder = root().join("configs");
    let entries = std::fs::read_dir(folder)
        .expect("there")
        .map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = entries.collect();
    paths.sort();
    let corpus: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).expect("readable"))
        .collect();
    hunt.run(&corpus, &WORDS, |input, _| {
        let text = String::from_utf8_lossy(input);
        judge(config::parse(&text, "sweep.toml", "sweep", &[]))
    });
}

pub(super) fn overrides(hunt: &Hunt) {
    const BASE: &str =
        "version = 1\n[data]\ntrain = \"a.csv\"\ntarget = \"late\"\n[sweep.parameters]\nmodel.C = [0.1, 1.0]\n";
    let corpus = [
        "model.C=0.5",
        "train.solver=\"adam\"",
        "sweep.parameters.train.learning_rate={min=0.01,max=1.0,num=3,log=true}",
        "sweep.parameters.model.C=[0.1, 1, inf]",
        "data.types={ a = \"categorical\" }",
        "train.early_stopping.patience=3",
        "run.seed=7",
        "sweep.trials=10",
        "validation.strategy=time",
        "output.dir=a/{hash}",
        "train.batch_rows=1,full",
        "model.C=0.01..100:7",
    ];
    let corpus = corpus.map(|text| text.as_bytes().to_vec());
    hunt.run(&corpus, &WORDS, |input, draw| {
        let text = String::from_utf8_lossy(input).into_owned();
        let other: &Vec<u8> = draw.choice(&corpus);
        let other = String::from_utf8_lossy(other).into_owned();
        let sets = if draw.is_heads() {
            vec![text.clone()]
        } else {
            vec![other, text.clone()]
        };
        judge(config::parse(BASE, "sweep.toml", "sweep", &sets))?;
        if let Ok(set) = config::short_sweep(&text) {
            judge(config::parse(BASE, "sweep.toml", "sweep", &[set]))?;
        }
        Ok(())
    });
}

/// Names that try something.
const NAMES: [&str; 16] = [
    "hour",
    "\u{1b}[31mred",
    "\u{1b}]0;title\u{7}",
    "a\rb",
    "a\tb\nc",
    "\u{202e}abc",
    "\u{9b}31m",
    "=1+1",
    "@SUM(A1)",
    "-2+3",
    "<script>alert(1)</script>",
    "</script><b id=zq>",
    "\"'`${x}",
    "\u{0}",
    "{{ 7 * 7 }}",
    "x\u{301}\u{fe0f}\u{200d}",
];

/// A store in which every name is one of these.
fn store_of(dir: &std::path::Path, names: &[String], draw: &mut Draw) {
    let mut name = || draw.choice(names).clone();
    let metric = |name: &str, higher_is_better| MetricInfo {
        name: name.to_owned(),
        higher_is_better,
    };
    let manifest = Manifest {
        name: name(),
        version: name(),
        plan_hash: "plan".to_owned(),
        select: "log_loss".to_owned(),
        metrics: vec![metric("log_loss", false)],
        data: json!({
            "rows": 90, "columns": 2, "features": 2,
            "files": [name()],
            "target": {"name": name(), "positive": name(), "negative": name(), "positives": 30, "rows": 90},
            "profile": [{"name": name(), "kind": "categorical", "nulls": 1, "width": 2, "levels": [name(), name()]}],
            "skipped": [{"name": name(), "reason": name()}],
            "warnings": [name()],
        }),
        keys: [(name(), json!(name())), ("train.solver".to_owned(), json!(name()))].into(),
        ..Manifest::default()
    };
    let params = vec![format!("model.{}", name()), "train.solver".to_owned()];
    let trials: Vec<PlannedTrial> = (0..3)
        .map(|trial| PlannedTrial {
            trial,
            params: vec![ParamValue::Float(f64::from(trial)), ParamValue::Text(name())],
        })
        .collect();
    let runs = (0..6_u32).map(|run| PlannedRun {
        run: RunId(u64::from(run) + 1),
        trial: run / 2,
        fold: run % 2,
        fold_label: name(),
        ..PlannedRun::default()
    });
    let plan = PlanTable {
        params,
        trials,
        runs: runs.collect(),
    };
    let mut part = Part::default();
    let features = [name(), format!("{}={}", name(), name()), "(intercept)".to_owned()];
    for planned in &plan.runs {
        let loss = 0.3 + 0.01 * f64::from(planned.trial) + 0.001 * f64::from(planned.fold);
        part.runs.push(RunRecord {
            run: planned.run,
            state: RunState::Complete,
            epochs: 2,
            val: vec![("log_loss".into(), loss)],
            ..RunRecord::default()
        });
        part.history.push(HistoryRow {
            run: planned.run,
            epoch: 1,
            split: Split::Val,
            metric: "log_loss".into(),
            value: loss,
        });
        part.coefficients.extend(features.iter().map(|feature| CoefficientRow {
            run: planned.run,
            feature: feature.as_str().into(),
            coefficient: loss,
            coefficient_standardized: -loss,
        }));
    }
    let mut writer = StoreWriter::create(dir, &manifest, &name(), &name(), &plan).expect("a new directory");
    writer.append(&part).expect("appended");
    writer.finish().expect("finished");
}

/// Whether a terminal could obey it.
fn is_control(character: char) -> bool {
    let is_format = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (character.is_control() && character != '\n') || is_format
}

fn rendered(text: &str, format: Format) -> Result<(), String> {
    if format == Format::Json {
        return serde_json::from_str::<serde_json::Value>(text).map_or_else(|error| Err(error.to_string()), |_| Ok(()));
    }
    match text.chars().find(|character| is_control(*character)) {
        Some(character) if format == Format::Table || format == Format::Md => Err(format!("{character:?} in {text:?}")),
        _ => Ok(()),
    }
}

pub(super) fn report_strings(hunt: &Hunt) {
    let corpus = NAMES.map(|name| name.as_bytes().to_vec());
    hunt.run(&corpus, &NAMES, |input, draw| {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let dir = scratch.path().join("store");
        let mut names: Vec<String> = (0..3).map(|_| (*draw.choice(&NAMES)).to_owned()).collect();
        names.push(String::from_utf8_lossy(input).into_owned());
        store_of(&dir, &names, draw);
        let sweeps = open(std::slice::from_ref(&dir)).map_err(|error| error.to_string())?;
        let store = &sweeps[0].store;
        for format in [Format::Table, Format::Md, Format::Json, Format::Csv] {
            let compared = compare(&sweeps, &Query::default()).map_err(|error| error.to_string())?;
            rendered(&compared.render(format), format)?;
            for what in [None, Some("best"), Some("1"), Some(names[3].as_str())] {
                // What is not found is said by the terminal, which takes the escapes out of everything.
                if let Ok(page) = show(store, what) {
                    rendered(&page.render(format), format)?;
                }
            }
        }
        let page = html(&sweeps, None).map_err(|error| error.to_string())?;
        for tag in ["<b id=zq>", "<script>alert"] {
            if page.contains(tag) {
                return Err(format!("{tag} in the page"));
            }
        }
        Ok(())
    });
}
