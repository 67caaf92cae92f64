//! What a user sees on the way from a data file to a ranking.

use std::process::{Command, Stdio};

use super::{QUICK, good_table, gradsweep, refused, root, sandbox, succeeds, text};

#[test]
fn every_shipped_config_runs() {
    for entry in std::fs::read_dir(root().join("configs")).expect("configs/ is there") {
        let config = entry.expect("readable").path();
        let out = tempfile::tempdir().expect("a temporary directory");
        let dir = format!("output.dir={}", out.path().join("store").display());
        let output = gradsweep(
            &root(),
            &[
                "run",
                &config.display().to_string(),
                "--set",
                &dir,
                "--format",
                "json",
                "--quiet",
            ],
        );
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}\n{}",
            config.display(),
            text(&output.stderr)
        );
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        let number = |key: &str| answer[key].as_f64().unwrap_or(f64::NAN);
        assert_eq!(number("failed"), 0.0);
        assert!(number("runs") >= number("trials"));
        let best = &answer["best"];
        let (score, guess) = (
            best["mean_val"].as_f64().expect("validated"),
            answer["null_model"].as_f64().expect("a rate"),
        );
        assert!(
            if answer["metric"] == "log_loss" {
                score < guess
            } else {
                score > guess
            },
            "{answer}"
        );
        for key in [
            "store",
            "rows",
            "features",
            "unconverged",
            "epochs_trained",
            "peak_memory_bytes",
            "threads",
            "precision",
            "blas_core",
        ] {
            assert!(!answer[key].is_null(), "{key} is missing");
        }
        for key in ["load", "train", "refit", "write", "total"] {
            assert!(answer["seconds"][key].is_number(), "seconds.{key} is missing");
        }
        for key in ["trial", "params", "mean_val"] {
            assert!(!best[key].is_null(), "best.{key} is missing");
        }
        // One held-out part has no spread.
        let is_holdout = std::fs::read_to_string(&config)
            .expect("readable")
            .contains("strategy = \"holdout\"");
        assert_eq!(best["se_val"].is_null(), is_holdout, "{answer}");
    }
}

/// Every `gradsweep` line in the README's console blocks, in order, from the repository's root.
#[test]
fn every_command_of_the_readme_works() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md is there");
    let dir = tempfile::tempdir().expect("a temporary directory");
    for name in ["data", "configs"] {
        std::os::unix::fs::symlink(root().join(name), dir.path().join(name)).expect("linked");
    }
    let mut commands = 0;
    for line in readme.lines().filter_map(|line| line.strip_prefix("$ gradsweep ")) {
        let line = line.split('#').next().unwrap_or(line).trim();
        let (line, file) = line
            .split_once(" > ")
            .map_or((line, None), |(line, file)| (line, Some(file)));
        // What stands between single quotes is one word, as in a shell.
        let pieces = line.split('\'').enumerate();
        let words: Vec<&str> = pieces
            .flat_map(|(index, piece)| match index % 2 {
                0 => piece.split_whitespace().collect(),
                _ => vec![piece],
            })
            .collect();
        let answer = succeeds(dir.path(), &words);
        if let Some(file) = file {
            std::fs::write(dir.path().join(file), answer).expect("written");
        }
        commands += 1;
    }
    assert!(commands >= 6, "the README shows {commands} commands");
}

#[test]
fn the_way_from_run_to_compare() {
    let dir = sandbox(&good_table(), QUICK);
    let output = gradsweep(dir.path(), &["run", "sweep.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let (screen, talk) = (text(&output.stdout), text(&output.stderr));
    for word in [
        "best    trial",
        "log_loss",
        "guessing the rate",
        "store   sweeps/sweep",
        "gradsweep compare sweeps/sweep",
    ] {
        assert!(screen.contains(word), "no {word:?} in\n{screen}");
    }
    for word in ["120 rows", "\"yes\" counts as 1", "2 trials x 5 folds = 10 runs"] {
        assert!(talk.contains(word), "no {word:?} in\n{talk}");
    }
    assert!(
        !screen.contains('\u{1b}') && !talk.contains('\u{1b}'),
        "colors where there is no terminal"
    );
    assert!(succeeds(dir.path(), &["run", "sweep.toml"]).contains("nothing to do"));

    for format in ["table", "json", "csv", "md"] {
        for arguments in [
            &["compare", "sweeps/sweep", "--format", format][..],
            &["show", "sweeps/sweep", "--format", format],
            &["show", "sweeps/sweep", "best", "--format", format],
            &["show", "sweeps/sweep", "0", "--format", format],
            &["list", "--format", format],
        ] {
            let answer = succeeds(dir.path(), arguments);
            assert!(!answer.trim().is_empty());
            if format == "json" {
                serde_json::from_str::<serde_json::Value>(&answer)
                    .unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{answer}"));
            }
        }
    }
    refused(dir.path(), &["show", "sweeps/sweep", "7"], 2, &["7"]);
    refused(
        dir.path(),
        &["compare", "sweeps/sweep", "--by", "roc_acu"],
        2,
        &["roc_auc"],
    );
    refused(dir.path(), &["compare", "sweeps/nothing"], 2, &["nothing"]);

    assert!(succeeds(dir.path(), &["explain", "sweeps/sweep", "--row", "3"]).contains("dz = a − y"));
    assert!(succeeds(dir.path(), &["explain", "sweep.toml", "--row", "3", "--dot"]).starts_with("digraph"));
    assert!(succeeds(dir.path(), &["gradcheck", "sweep.toml"]).contains("derivatives agree"));
    assert!(succeeds(dir.path(), &["check", "sweep.toml"]).contains("no problems"));
    assert!(succeeds(dir.path(), &["check", "sweep.toml", "--data"]).contains("numeric"));
    let plan = succeeds(dir.path(), &["plan", "sweep.toml"]);
    assert!(
        plan.contains("2 trials x 5 folds = 10 runs") && plan.contains("all runs share one pass"),
        "{plan}"
    );
    assert!(plan.contains("solver auto = newton"), "auto says what it chose: {plan}");
    assert!(succeeds(dir.path(), &["doctor"]).contains("OpenBLAS"));
    assert!(succeeds(dir.path(), &["completions", "bash"]).contains("gradsweep"));
}

#[test]
fn a_plan_names_the_reason_of_every_cohort() {
    let parameters = "[train]\nsolver = \"sgd\"\n[sweep.parameters]\ntrain.batch_rows = [16, 64, \"full\"]\ntrain.learning_rate = [0.1, 0.2]\n";
    let dir = sandbox(&good_table(), parameters);
    let plan = succeeds(dir.path(), &["plan", "sweep.toml"]);
    for word in [
        "batch_rows = 16",
        "batch_rows = 64",
        "from all rows",
        "6 trials x 5 folds = 30 runs",
    ] {
        assert!(plan.contains(word), "no {word:?} in\n{plan}");
    }
    let answer = succeeds(dir.path(), &["plan", "sweep.toml", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(
        (plan["runs"].as_u64(), plan["cohorts"].as_array().map(Vec::len)),
        (Some(30), Some(3))
    );
}

#[test]
fn a_data_file_needs_no_config() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut data = "id,x,perfect,late\n".to_owned();
    for i in 0..150 {
        let late = i % 3 == 0;
        data += &format!(
            "row-{i},{},{},{}\n",
            i * 17 % 40,
            if late { 9.5 } else { 1.0 + f64::from(i % 4) },
            if late { "yes" } else { "no" }
        );
    }
    std::fs::write(dir.path().join("flights.csv"), data).expect("written");
    let output = gradsweep(dir.path(), &["run", "flights.csv", "--target", "late"]);
    let talk = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{talk}");
    for word in [
        "Wrote flights.toml",
        "id",
        "one value per row",
        "perfect",
        "leak",
        "numeric",
        "width",
    ] {
        assert!(talk.contains(word), "no {word:?} in\n{talk}");
    }
    assert!(succeeds(dir.path(), &["run", "flights.toml"]).contains("nothing to do"));
    refused(dir.path(), &["run", "flights.csv"], 2, &["--target"]);
    refused(
        dir.path(),
        &["run", "flights.toml", "--target", "late"],
        2,
        &["--set data.target=late"],
    );
}

#[test]
fn columns_without_information_are_said_once_and_weigh_nothing() {
    let data: String = good_table()
        .lines()
        .enumerate()
        .map(|(i, line)| {
            if i == 0 {
                format!("nothing,same,{line}\n")
            } else {
                format!(",5,{line}\n")
            }
        })
        .collect();
    let dir = sandbox(&data, QUICK);
    let output = gradsweep(dir.path(), &["run", "sweep.toml"]);
    let talk = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{talk}");
    for word in ["nothing", "same"] {
        let warnings = talk
            .lines()
            .filter(|line| line.contains("warning") && line.contains(word))
            .count();
        assert_eq!(warnings, 1, "{word} in\n{talk}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let dir = sandbox(&good_table(), QUICK);
    succeeds(dir.path(), &["run", "sweep.toml"]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_gradsweep"))
        .current_dir(dir.path())
        .args(["compare", "sweeps/sweep"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn hostile_names_do_not_reach_the_terminal() {
    let data = good_table().replacen("u,", "\"\u{1b}[31mu\",", 1);
    let dir = sandbox(&data, QUICK);
    for arguments in [
        &["run", "sweep.toml"][..],
        &["show", "sweeps/sweep", "best"],
        &["explain", "sweeps/sweep"],
    ] {
        let output = gradsweep(dir.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(
            !output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b),
            "{arguments:?}"
        );
    }
}
