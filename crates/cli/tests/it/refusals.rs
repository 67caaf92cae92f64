//! What is refused, with its exit code and what to type next.

use super::{QUICK, good_table, gradsweep, refused, sandbox, succeeds, text};

#[test]
fn a_diverged_run_is_exit_1_and_names_its_rate() {
    let dir = sandbox(
        &good_table(),
        "[train]\nepochs = 5\nsolver = \"sgd\"\n[sweep.parameters]\ntrain.learning_rate = [0.1, 1e6]\n",
    );
    let output = gradsweep(dir.path(), &["run", "sweep.toml"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let screen = text(&output.stdout);
    assert!(
        screen.contains("5 runs diverged") && screen.contains("largest that survived is 0.1"),
        "{screen}"
    );
}

#[test]
fn bad_data_is_exit_3_with_one_screen() {
    let rows = |line: &str, n: usize| line.repeat(n);
    let inf = format!("{}1,-inf,yes\n", good_table());
    let cases: &[(&str, &str, &[&str])] = &[
        ("", "", &["data.csv", "empty"]),
        ("x,late\n", "", &["data.csv", "no rows"]),
        (
            &good_table().replace("late", "lat"),
            "",
            &["late", "did you mean", "lat"],
        ),
        (
            &format!("x,late\n{}", rows("1,yes\n2,yes\n", 20)),
            "",
            &["late", "one class", "yes"],
        ),
        (
            &format!("x,late\n{}", rows("1,yes\n2,no\n3,maybe\n", 20)),
            "",
            &["late", "maybe", "positive"],
        ),
        (&inf, "", &["u", "inf", "121", "data.csv"]),
        (
            &format!("x,late\n{}1,\n", rows("1,yes\n2,no\n", 20)),
            "",
            &["late", "null", "null_target"],
        ),
        (
            &format!("x,x,late\n{}", rows("1,2,yes\n2,1,no\n", 20)),
            "",
            &["data.csv", "same name", "\"x\""],
        ),
        (&good_table(), "exclude = [\"*\"]\n", &["feature"]),
        (&good_table(), "positive = \"si\"\n", &["si", "yes", "no"]),
    ];
    for (data, extra, words) in cases {
        let dir = sandbox(data, &format!("{extra}{QUICK}"));
        refused(dir.path(), &["run", "sweep.toml"], 3, words);
        assert!(
            !dir.path().join("sweeps").exists(),
            "something was written for {words:?}"
        );
    }
    let dir = sandbox("", QUICK);
    std::fs::remove_file(dir.path().join("data.csv")).expect("removed");
    refused(dir.path(), &["run", "sweep.toml"], 3, &["data.csv"]);
}

#[test]
fn bad_configs_are_exit_2_with_line_and_suggestion() {
    let cases: &[(&str, &[&str])] = &[
        (
            "[train]\nlearning_rte = 0.1\nepochs = \"ten\"\n",
            &[
                "sweep.toml:6:1",
                "learning_rate",
                "sweep.toml:7:",
                "epochs",
                "2 problems",
            ],
        ),
        ("[train]\nlr = 0.1\n", &["train.learning_rate"]),
        (
            "[sweep.parameters]\nmodel.C = { min = 1e-4, max = 1e4, log = true }\n",
            &["num"],
        ),
        ("[model]\nkind = \"softmax\"\n", &["not built yet"]),
        ("[train]\nsolver = \"adma\"\n", &["adam"]),
        ("[train\n", &["sweep.toml:5"]),
    ];
    for (config, words) in cases {
        let dir = sandbox(&good_table(), config);
        refused(dir.path(), &["run", "sweep.toml"], 2, words);
        refused(dir.path(), &["check", "sweep.toml"], 2, words);
        assert!(!dir.path().join("sweeps").exists());
    }
    let dir = sandbox(&good_table(), QUICK);
    refused(
        dir.path(),
        &["run", "sweep.toml", "--set", "model.C=2"],
        2,
        &["sweep.parameters"],
    );
    refused(dir.path(), &["run", "missing.toml"], 2, &["missing.toml"]);
    refused(dir.path(), &["prune", "sweeps/sweep"], 2, &["holds no sweep"]);
    refused(dir.path(), &["compre", "sweeps/sweep"], 2, &["compre"]);
}

#[test]
fn the_same_directory_with_other_settings_is_exit_2() {
    let dir = sandbox(&good_table(), QUICK);
    succeeds(dir.path(), &["run", "sweep.toml"]);
    refused(
        dir.path(),
        &["run", "sweep.toml", "--set", "train.epochs=2"],
        2,
        &["train.epochs", "output.dir", "output.if_exists=replace"],
    );
    succeeds(
        dir.path(),
        &[
            "run",
            "sweep.toml",
            "--set",
            "train.epochs=2",
            "--set",
            "output.if_exists=replace",
        ],
    );
}

#[test]
fn an_output_directory_that_cannot_be_is_refused() {
    let dir = sandbox(&good_table(), QUICK);
    std::fs::write(dir.path().join("sweeps"), "a file").expect("written");
    let output = gradsweep(dir.path(), &["run", "sweep.toml"]);
    let said = text(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(2 | 4)) && said.contains("sweeps"),
        "{said}"
    );
}
