//! Columns stored as codes against the same columns stored as numbers.

use std::fmt::Write;
use std::path::Path;

use gradsweep_data::{Dataset, load};
use gradsweep_runner::event::Silent;
use gradsweep_runner::plan::Plan;
use gradsweep_runner::train::{self, Outcome, View};
use gradsweep_runner::{config, dataset, search};

use super::noise;

/// A number with gaps, two columns of levels of which some are rare, a weight, and a label that depends on all of them.
fn table(rows: u64, levels: usize) -> String {
    let mut text = "age,shop,city,weight,late\n".to_owned();
    for i in 0..rows {
        let draw = |column: u64| noise(i * 16 + column);
        let shop = (draw(0) * draw(1) * levels as f64) as u64;
        let city = (draw(2) * 7.0) as u64;
        let age = 20.0 + 50.0 * draw(3);
        let z = (age - 45.0) / 15.0 + 2.0 * noise(shop + 1_000_000) - 1.0 + noise(city + 2_000_000);
        let late = draw(4) < 1.0 / (1.0 + (-z).exp());
        let cell = |is_missing: bool, value: String| if is_missing { String::new() } else { value };
        let age = cell(draw(5) < 0.1, format!("{age}"));
        let city = cell(draw(6) < 0.05, format!("c{city}"));
        let weight = 1 + i % 3;
        writeln!(
            text,
            "{age},s{shop:06},{city},{weight},{}",
            if late { "yes" } else { "no" }
        )
        .expect("a text");
    }
    text
}

/// The outcomes of a config's runs, in the order of the plan; columns with more levels than `sparse_above` are codes.
fn outcomes(dir: &Path, body: &str, sparse_above: usize) -> (Vec<Outcome>, Dataset<f64>) {
    let text = format!(
        "[data]\ntrain = {:?}\ntarget = \"late\"\n{body}",
        dir.join("table.csv").display().to_string()
    );
    let config = config::parse(&text, "test.toml", "test", &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let mut spec = dataset::load_spec(&config, None);
    spec.encode.one_hot.sparse_above = sparse_above;
    let data: Dataset<f64> = load(&spec).expect("a table");
    let trials = search::trials(&config).expect("trials");
    let plan = Plan::new(&config, trials, dataset::shape_of(&data), &data.summary.fingerprint);
    let view = View::new(&data, &config);
    let mut outcomes: Vec<Outcome> = (0..plan.cohorts.len())
        .flat_map(|cohort| train::cohort(&plan, cohort, &view, &Silent))
        .collect();
    outcomes.sort_by_key(|outcome| outcome.run);
    (outcomes, data)
}

/// The largest difference of a parameter or score, relative where it is large; epochs must be the same if `same_epochs`.
fn difference(a: &[Outcome], b: &[Outcome], same_epochs: bool) -> f64 {
    assert_eq!(a.len(), b.len());
    let mut largest = 0.0_f64;
    for (a, b) in a.iter().zip(b) {
        assert_eq!((a.run, a.state, a.converged), (b.run, b.state, b.converged));
        assert!(!same_epochs || a.epochs == b.epochs);
        let scores = a.val.iter().chain(&a.train).map(|(_, score)| *score);
        let others = b.val.iter().chain(&b.train).map(|(_, score)| *score);
        let pairs = a.parameters.iter().copied().zip(b.parameters.iter().copied());
        for (a, b) in pairs.chain(scores.zip(others)) {
            largest = largest.max((a - b).abs() / b.abs().max(1.0));
        }
    }
    largest
}

const SWEEP: &str = "[validation]\nfolds = 3\n[metrics]\nreport = [\"log_loss\", \"roc_auc\"]\n[run]\nprecision = \"f64\"\n\
                     [sweep.parameters]\nmodel.C = [0.1, 1.0, 10.0]\nmodel.l1_ratio = [0.0, 0.7]\n";

#[test]
fn every_solver_and_every_rule_comes_to_the_same_numbers() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("table.csv"), table(1500, 80)).expect("written");
    let rules = [
        "",
        "weight = \"weight\"\n[preprocess]\none_hot = { min_frequency = 12, drop = \"first\" }\n",
        "exclude = [\"weight\"]\n[preprocess]\nindicator = true\none_hot = { min_frequency = 9, other = \"ignore\" }\n",
        "[preprocess]\nimpute = \"median\"\none_hot = { max_categories = 11 }\n",
    ];
    let solvers = [
        ("solver = \"gd\"\nepochs = 30\nlearning_rate = 0.5", true),
        (
            "solver = \"sgd\"\nepochs = 3\nbatch_rows = 16\nlearning_rate = 0.05\nmomentum = 0.9",
            true,
        ),
        (
            "solver = \"sgd\"\nepochs = 3\nbatch_rows = 16\nschedule = { kind = \"cosine\" }",
            true,
        ),
        (
            "solver = \"adam\"\nepochs = 3\nbatch_rows = 64\nlearning_rate = 0.02",
            true,
        ),
        (
            "solver = \"adagrad\"\nepochs = 2\nbatch_rows = 64\nlearning_rate = 0.1",
            true,
        ),
        ("solver = \"lbfgs\"\ntol = 1e-11\nepochs = 1000", false),
        ("solver = \"newton\"\ntol = 1e-11\nepochs = 200", false),
    ];
    for rule in rules {
        for (solver, same_epochs) in solvers {
            let body = format!("{rule}[train]\n{solver}\n{SWEEP}");
            let (dense, plain) = outcomes(dir.path(), &body, usize::MAX);
            let (sparse, coded) = outcomes(dir.path(), &body, 0);
            assert_eq!(plain.encoding.codes.len(), 0);
            assert_eq!(coded.encoding.codes.len(), 2);
            assert_eq!(plain.encoding.features, coded.encoding.features);
            assert!(coded.x.ncols() < 10 && plain.x.ncols() > coded.x.ncols());
            let largest = difference(&sparse, &dense, same_epochs);
            assert!(largest <= 1e-10, "{rule}{solver}: {largest}");
        }
    }
}

/// More features than a matrix of their second moments is worth: quasi-Newton steps start from a diagonal.
#[test]
fn thousands_of_levels_converge() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("table.csv"), table(3000, 60_000)).expect("written");
    let body = format!(
        "[preprocess]\none_hot = {{ min_frequency = 1, max_categories = 100000 }}\n[train]\ntol = 1e-8\nepochs = 1000\n{SWEEP}"
    );
    let body = body
        .replace("[0.1, 1.0, 10.0]", "[0.1, 1.0]")
        .replace("[0.0, 0.7]", "[0.0]");
    let (dense, plain) = outcomes(dir.path(), &body, usize::MAX);
    let (sparse, coded) = outcomes(dir.path(), &body, 64);
    assert!(plain.encoding.features.len() > 2000 && coded.encoding.codes.len() == 1);
    assert!(sparse.iter().all(|outcome| outcome.converged));
    let largest = difference(&sparse, &dense, false);
    assert!(largest <= 1e-4, "{largest}");
}
