//! Configs that the program writes, and sweeps that draw their trials.

use super::{good_table, gradsweep, refused, root, sandbox, succeeds, text};

const RANDOM: &str = "[train]\nepochs = 3\nsolver = \"adam\"\n[sweep]\nmethod = \"random\"\ntrials = 6\n[sweep.parameters]\n\
    model.C = { min = 1e-3, max = 1e3, log = true }\ntrain.solver = [\"adam\", \"sgd\"]\n\
    train.momentum = { min = 0.0, max = 0.9, when = { train.solver = \"sgd\" } }\n[[sweep.points]]\nmodel.C = 1.0\n";

/// The parameters of every trial, by its number.
fn settings(dir: &std::path::Path) -> Vec<(u64, serde_json::Value)> {
    let rows = succeeds(dir, &["compare", "sweeps/sweep", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&rows).expect("JSON");
    let of_row = |row: &serde_json::Value| {
        let cells = row.as_object().expect("an object").iter();
        let params = cells.filter_map(|(name, value)| Some((name.strip_prefix("param.")?.to_owned(), value.clone())));
        (row["trial"].as_u64().expect("a number"), params.collect())
    };
    let rows = rows["rows"].as_array().expect("rows");
    let mut settings: Vec<(u64, serde_json::Value)> = rows.iter().map(of_row).collect();
    settings.sort_by_key(|(trial, _)| *trial);
    settings
}

#[test]
fn a_random_search_is_extended_by_more_trials() {
    let dir = sandbox(&good_table(), RANDOM);
    let answer = succeeds(dir.path(), &["run", "sweep.toml", "--format", "json", "--quiet"]);
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(
        (answer["trials"].as_u64(), answer["runs"].as_u64()),
        (Some(6), Some(30))
    );
    let before = settings(dir.path());
    assert!(succeeds(dir.path(), &["run", "sweep.toml"]).contains("nothing to do"));
    let more = [
        "run",
        "sweep.toml",
        "--set",
        "sweep.trials=9",
        "--format",
        "json",
        "--quiet",
    ];
    let answer: serde_json::Value = serde_json::from_str(&succeeds(dir.path(), &more)).expect("JSON");
    assert_eq!(
        (answer["trials"].as_u64(), answer["epochs_trained"].as_u64()),
        (Some(9), Some(3 * 5 * 3))
    );
    let after = settings(dir.path());
    assert_eq!(before[..], after[..6]);
    assert_eq!(before[0].1["model.C"], 1.0, "{before:?}");
    let solvers: Vec<bool> = after
        .iter()
        .map(|(_, params)| {
            let is_sgd = params["train.solver"] == "sgd";
            assert_eq!(params["train.momentum"].is_null(), !is_sgd, "{params}");
            is_sgd
        })
        .collect();
    assert!(solvers.contains(&true) && solvers.contains(&false));
    refused(
        dir.path(),
        &["run", "sweep.toml", "--set", "sweep.trials=4"],
        2,
        &["sweep.trials"],
    );
    succeeds(dir.path(), &["resume", "sweeps/sweep"]);
}

#[test]
fn a_search_by_scores_says_what_it_knows_before() {
    let dir = sandbox(
        &good_table(),
        &RANDOM.replace("random", "tpe").replace("trials = 6", "trials = 40"),
    );
    let checked = succeeds(dir.path(), &["check", "sweep.toml"]);
    assert!(
        checked.contains("40 trials") && checked.contains("the first 17 trials need no scores"),
        "{checked}"
    );
    let plan = succeeds(dir.path(), &["plan", "sweep.toml"]);
    assert!(
        plan.contains("17 trials x 5 folds = 85 runs, the first of at most 40 trials = 200 runs"),
        "{plan}"
    );
    let plan = succeeds(dir.path(), &["plan", "sweep.toml", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    assert_eq!((&plan["trials"], &plan["at_most"]["runs"]), (&17.into(), &200.into()));
    let answer = succeeds(
        dir.path(),
        &["run", "sweep.toml", "--format", "json", "--log", "events", "--quiet"],
    );
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(
        (&answer["trials"], &answer["epochs_trained"]),
        (&40.into(), &600.into())
    );
    let events = std::fs::read_to_string(dir.path().join("events")).expect("a log");
    assert_eq!(events.lines().filter(|line| line.contains("\"planned\"")).count(), 3);
    assert!(succeeds(dir.path(), &["run", "sweep.toml"]).contains("nothing to do"));
    let before = settings(dir.path());
    succeeds(
        dir.path(),
        &["run", "sweep.toml", "--set", "sweep.trials=45", "--quiet"],
    );
    assert_eq!(before[..], settings(dir.path())[..40]);
    let said = refused(
        dir.path(),
        &["check", "sweep.toml", "--set", "sweep.halving={}"],
        2,
        &["sweep.halving", "\"tpe\""],
    );
    assert!(said.contains("sobol"), "{said}");
    refused(
        dir.path(),
        &["run", "sweep.toml", "--set", "train.epochs=9"],
        2,
        &["other trials after more epochs"],
    );
}

#[test]
fn a_key_is_swept_from_the_command_line() {
    let dir = sandbox(&good_table(), "[train]\nepochs = 2\n");
    let sweeps = [
        "--sweep",
        "model.C=logspace(1e-2,1e2,3)",
        "--sweep",
        "train.solver=adam,sgd",
    ];
    let planned = succeeds(dir.path(), &[&["plan", "sweep.toml"], &sweeps[..]].concat());
    assert!(planned.contains("6 trials x 5 folds = 30 runs"), "{planned}");
    succeeds(dir.path(), &[&["run", "sweep.toml", "--quiet"], &sweeps[..]].concat());
    assert_eq!(settings(dir.path()).len(), 6);
    refused(
        dir.path(),
        &["check", "sweep.toml", "--sweep", "model.C"],
        2,
        &["--sweep model.C", "write it as"],
    );
    refused(
        dir.path(),
        &["check", "sweep.toml", "--sweep", "lr=0.1,1"],
        2,
        &["train.learning_rate"],
    );
}

#[test]
fn init_writes_a_config_that_runs() {
    let dir = sandbox(&good_table(), "");
    refused(dir.path(), &["init", "data.csv"], 2, &["--target COLUMN", "x, u, late"]);
    refused(
        dir.path(),
        &["init", "data.csv", "--target", "lat"],
        3,
        &["did you mean \"late\"?"],
    );
    succeeds(dir.path(), &["init", "data.csv", "--target", "late"]);
    let written = std::fs::read_to_string(dir.path().join("data.toml")).expect("written");
    assert!(
        written.contains("120 rows, 2 feature columns") && written.contains("positive = \"yes\""),
        "{written}"
    );
    let screen = succeeds(dir.path(), &["run", "data.toml"]);
    assert!(screen.contains("85 of 85 finished"), "{screen}");
    std::fs::write(dir.path().join("data.toml"), "mine").expect("written");
    refused(
        dir.path(),
        &["init", "data.csv", "--target", "late"],
        2,
        &["exists", "--out"],
    );
    let all = succeeds(dir.path(), &["init", "--full"]);
    assert!(
        all.contains("memory_limit = \"75%\"") && all.contains("Not built yet."),
        "{all}"
    );
}

#[test]
fn the_config_with_every_key_is_up_to_date() {
    let all = [
        "init",
        "data/breast-cancer.csv",
        "--target",
        "diagnosis",
        "--full",
        "--out",
        "-",
    ];
    let shipped = std::fs::read_to_string(root().join("configs/full.toml")).expect("configs/full.toml");
    let command = all.join(" ");
    assert!(
        succeeds(&root(), &all) == shipped,
        "configs/full.toml is old: gradsweep {command} > configs/full.toml"
    );
}

#[test]
fn the_schema_and_the_page_are_printed() {
    let schema: serde_json::Value = serde_json::from_str(&succeeds(&root(), &["schema"])).expect("JSON");
    assert_eq!(schema["properties"]["model"]["properties"]["C"]["default"], 1.0);
    let page = std::fs::read_to_string(root().join("docs/config.md")).expect("docs/config.md");
    assert!(succeeds(&root(), &["schema", "--markdown"]) == page);
}

#[test]
fn sweeps_of_other_programs_are_translated() {
    let dir = sandbox(&good_table(), "");
    let yaml = "method: random\nrun_cap: 5\nparameters:\n  lr: {distribution: log_uniform_values, min: 1.0e-3, max: 1.0}\n  dropout: {values: [0.1]}\n";
    std::fs::write(dir.path().join("sweep.yaml"), yaml).expect("written");
    let wandb = [
        "import",
        "wandb",
        "sweep.yaml",
        "--data",
        "data.csv",
        "--target",
        "late",
    ];
    let output = gradsweep(dir.path(), &wandb);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output.stderr).contains("note: dropout is left out"),
        "{}",
        text(&output.stderr)
    );
    std::fs::write(dir.path().join("w.toml"), &output.stdout).expect("written");
    refused(dir.path(), &["import", "wandb", "data.csv"], 2, &["data.csv"]);
    refused(dir.path(), &["import", "hydra", "sweep.yaml"], 2, &["wandb", "optuna"]);
    // The file names no solver, and a learning rate needs one that takes it.
    let config = text(&output.stdout);
    assert!(
        config.contains("solver = \"adam\"") && config.contains("train.learning_rate = {"),
        "{config}"
    );
    succeeds(dir.path(), &["run", "w.toml", "--set", "train.epochs=2"]);
}
