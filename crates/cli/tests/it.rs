//! The program as its users type it: exit codes, messages, every shipped config, every command of the README.

#[path = "it/cache.rs"]
mod cache;
#[path = "it/configs.rs"]
mod configs;
#[path = "it/exports.rs"]
mod exports;
#[path = "it/inputs/mod.rs"]
mod inputs;
#[path = "it/models.rs"]
mod models;
#[path = "it/profile.rs"]
mod profile;
#[path = "it/resume.rs"]
mod resume;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the crate lies in the repository")
}

/// Runs the program in a directory.
fn gradsweep(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gradsweep"))
        .current_dir(dir)
        .args(arguments)
        .env_remove("NO_COLOR")
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

/// Asserts the exit code and that every word is in the messages; returns them.
fn refused(dir: &Path, arguments: &[&str], code: i32, words: &[&str]) -> String {
    let output = gradsweep(dir, arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{said}");
    for word in words {
        assert!(said.contains(word), "{arguments:?}: no {word:?} in\n{said}");
    }
    assert!(said.lines().count() < 40, "more than a screen:\n{said}");
    said
}

fn succeeds(dir: &Path, arguments: &[&str]) -> String {
    let output = gradsweep(dir, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{}", text(&output.stderr));
    text(&output.stdout)
}

/// A directory with `data.csv` and a config of it.
fn sandbox(data: &str, config: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("data.csv"), data).expect("written");
    let head = "version = 1\n[data]\ntrain = \"data.csv\"\ntarget = \"late\"\n";
    std::fs::write(dir.path().join("sweep.toml"), format!("{head}{config}")).expect("written");
    dir
}

/// A small table in which x says something of late.
fn good_table() -> String {
    let mut data = "x,u,late\n".to_owned();
    for i in 0..120 {
        let late = (i * 7 + i / 11) % 10 < if i % 2 == 0 { 7 } else { 2 };
        data += &format!(
            "{},{},{}\n",
            (i % 2) * 3 + i % 5,
            i * 37 % 101,
            if late { "yes" } else { "no" }
        );
    }
    data
}

const QUICK: &str = "[train]\nepochs = 3\n[sweep.parameters]\nmodel.C = [0.1, 1.0]\n";

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

/// Three columns of the breast cancer data without a penalty; the numbers are those of statsmodels 0.15.0.
#[test]
fn inference_on_real_data_is_that_of_statsmodels() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::os::unix::fs::symlink(root().join("data"), dir.path().join("data")).expect("linked");
    let config = r#"
        version = 1
        [data]
        train = "data/breast-cancer.csv"
        target = "diagnosis"
        include = ["mean_texture", "mean_smoothness", "mean_symmetry"]
        [train]
        solver = "gd"
        learning_rate = 2.0
        epochs = 2000
        tol = 1e-11
        [validation]
        strategy = "none"
        [run]
        precision = "f64"
        [sweep.parameters]
        model.C = [0.01, inf]
    "#;
    std::fs::write(dir.path().join("sweep.toml"), config).expect("written");
    succeeds(dir.path(), &["run", "sweep.toml"]);
    let store = "sweeps/sweep";
    let answer = succeeds(dir.path(), &["show", store, "1", "--inference", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    let close = |value: &serde_json::Value, expected: f64| {
        let value = value.as_f64().expect("a number");
        assert!((value / expected - 1.0).abs() < 1e-7, "{value}, not {expected}");
    };
    let expected = [
        ("(intercept)", -15.203_123_95, 1.355_410_369, 3.379_385_42e-29),
        ("mean_texture", 0.286_471_379_4, 0.030_127_842_33, 1.933_827_00e-21),
        ("mean_smoothness", 63.057_305_06, 9.950_925_729, 2.345_435_27e-10),
        ("mean_symmetry", 15.712_561_06, 4.731_814_949, 8.981_762_18e-4),
    ];
    for (row, (feature, coefficient, standard_error, p_value)) in expected.into_iter().enumerate() {
        let term = &answer["coefficients"][row];
        assert_eq!(term["feature"], feature);
        close(&term["coefficient"], coefficient);
        close(&term["standard_error"], standard_error);
        close(&term["p_value"], p_value);
        close(&term["odds_ratio"], coefficient.exp());
    }
    for (key, expected) in [
        ("log_likelihood", -267.517_670_083_8),
        ("aic", 543.035_340_167_7),
        ("bic", 560.410_861_904_2),
        ("mcfadden_r2", 0.287_986_617_2),
    ] {
        close(&answer[key], expected);
    }
    assert_eq!(
        (answer["rows"].as_u64(), answer["events"].as_f64()),
        (Some(569), Some(212.0))
    );
    for format in ["table", "csv", "md"] {
        let answer = succeeds(
            dir.path(),
            &["show", store, "1", "--inference", "--level", "0.9", "--format", format],
        );
        assert!(
            answer.contains("mean_texture") && (format == "csv" || answer.contains("90 % intervals")),
            "{answer}"
        );
    }
    refused(
        dir.path(),
        &["show", store, "0", "--inference"],
        2,
        &["penalty", "C = 0.01", "gradsweep show sweeps/sweep 1 --inference"],
    );
    refused(
        dir.path(),
        &["show", store, "1", "--inference", "--level", "95"],
        2,
        &["write 0.95"],
    );
    refused(dir.path(), &["show", store, "--inference"], 2, &["TRIAL|RUN"]);
}

#[test]
fn what_has_no_standard_errors_is_refused_with_what_to_type() {
    let inference = |data: &str, epochs: &str, words: &[&str]| {
        let config = format!(
            "[model]\nC = inf\n[train]\nsolver = \"gd\"\nlearning_rate = 0.5\nepochs = {epochs}\n\
             [validation]\nstrategy = \"none\"\n[preprocess]\none_hot = {{ min_frequency = 1 }}\n"
        );
        let dir = sandbox(data, &config);
        succeeds(dir.path(), &["run", "sweep.toml"]);
        refused(dir.path(), &["show", "sweeps/sweep", "best", "--inference"], 2, words);
    };
    inference(
        &good_table(),
        "1",
        &["standard errors from the maximum", "train.solver=newton"],
    );
    // A column in front, made of the row's number and its x.
    let with = |name: &str, value: &dyn Fn(usize, u32) -> String| -> String {
        let table = good_table();
        let (head, body) = table.split_once('\n').expect("a header");
        let rows = body.lines().enumerate().map(|(i, line)| {
            let x = line.split(',').next().and_then(|x| x.parse().ok()).expect("an integer");
            format!("{},{line}\n", value(i, x))
        });
        format!("{name},{head}\n{}", rows.collect::<String>())
    };
    let levels = with("letter", &|i, _| ["a", "b", "c"][i % 3].to_owned());
    inference(
        &levels,
        "400",
        &["letter", "add up to a constant", "one_hot.drop = \"first\""],
    );
    let twice = with("twice", &|_, x| (2 * x + 7).to_string());
    inference(&twice, "400", &["x is twice in other units", "exclude = [\"x\"]"]);
    let mut separated = "x,late\n".to_owned();
    (0..60).for_each(|i| separated += &format!("{i},{}\n", if i < 33 { "no" } else { "yes" }));
    inference(&separated, "400", &["separated", "add a penalty"]);
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

#[test]
fn a_closed_pipe_is_no_error() {
    let dir = sandbox(&good_table(), QUICK);
    succeeds(dir.path(), &["run", "sweep.toml"]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_gradsweep"))
        .current_dir(dir.path())
        .args(["compare", "sweeps/sweep"])
        .stdout(std::process::Stdio::piped())
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
