//! What strangers may have written: configs without end, plans without end, links, cells that are formulas.

use crate::{gradsweep, refused, sandbox, succeeds, text};

const SWEEP: &str = "[validation]\nfolds = 2\n[train]\nepochs = 2\n[sweep.parameters]\nmodel.C = [0.1, 1.0]\n[output]\ndir = \"store\"\n";

/// A small table.
fn rows(header: &str, level: &str, labels: [&str; 2]) -> String {
    let row = |i: usize| {
        let level = if i.is_multiple_of(3) { "plain" } else { level };
        format!("{},{level},{}\n", i % 7, labels[usize::from(i * 7 % 5 < 2)])
    };
    header.to_owned() + "\n" + &(0..60).map(row).collect::<String>()
}

#[test]
fn a_config_without_end_is_refused_before_it_is_read() {
    let dir = sandbox(&rows("x,k,late", "a", ["yes", "no"]), SWEEP);
    let config = std::fs::read_to_string(dir.path().join("sweep.toml")).expect("there");
    let longest = format!("{config}#{}", "x".repeat((1 << 20) - config.len() - 1));
    std::fs::write(dir.path().join("longest.toml"), &longest).expect("written");
    succeeds(dir.path(), &["check", "longest.toml"]);
    std::fs::write(dir.path().join("longer.toml"), longest + "x").expect("written");
    for verb in ["run", "check", "plan"] {
        refused(dir.path(), &[verb, "longer.toml"], 2, &["1 MiB at the most"]);
    }
    if cfg!(target_os = "linux") {
        #[cfg(unix)]
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("endless.toml")).expect("linked");
        refused(dir.path(), &["run", "endless.toml"], 2, &["1 MiB at the most"]);
    }
}

#[test]
fn a_grid_without_end_is_refused_before_it_is_made() {
    let grid = "[validation]\nfolds = 2\n[sweep.parameters]\nmodel.C = { min = 1e-3, max = 1e3, num = 1001, log = true }\n\
                train.learning_rate = { min = 1e-3, max = 1.0, num = 1000, log = true }\n[train]\nsolver = \"sgd\"\n";
    let dir = sandbox(&rows("x,k,late", "a", ["yes", "no"]), grid);
    for verb in ["run", "check", "plan"] {
        refused(dir.path(), &[verb, "sweep.toml"], 2, &["1001000 trials"]);
    }
    // Drawn from, it is a sweep like any other.
    let random = [
        "plan",
        "sweep.toml",
        "--set",
        "sweep.method=random",
        "--set",
        "sweep.trials=3",
    ];
    succeeds(dir.path(), &random);
}

#[test]
#[cfg(unix)]
fn folders_of_a_store_that_are_links_are_not_followed() {
    let dir = sandbox(&rows("x,k,late", "a", ["yes", "no"]), SWEEP);
    let dir = dir.path();
    succeeds(dir, &["run", "sweep.toml", "-q"]);
    let replace = |folder: &str| {
        let own = dir.join("store").join(folder);
        let outside = dir.join("outside").join(folder);
        std::fs::create_dir_all(outside.parent().expect("below")).expect("made");
        std::fs::rename(&own, &outside).expect("moved");
        std::os::unix::fs::symlink(&outside, &own).expect("linked");
    };
    replace("models/best");
    let best = ["store/models/best is damaged", "not an ordinary file"];
    refused(
        dir,
        &["predict", "store", "--data", "data.csv", "--out", "a.csv"],
        4,
        &best,
    );
    refused(dir, &["export", "store", "--to", "onnx", "--out", "a.onnx"], 4, &best);
    refused(dir, &["evaluate", "store", "--data", "data.csv"], 4, &best);
    // The folder alone is a model wherever it lies, and however it is reached.
    succeeds(
        dir,
        &["predict", "store/models/best", "--data", "data.csv", "--out", "a.csv"],
    );
    replace("parts");
    std::fs::remove_file(dir.join("store/trials.parquet")).expect("there");
    refused(
        dir,
        &["compare", "store"],
        4,
        &["store/parts is damaged", "not an ordinary file"],
    );
    let before = std::fs::read_dir(dir.join("outside/parts")).expect("there").count();
    refused(dir, &["resume", "store", "-q"], 4, &["not an ordinary file"]);
    assert_eq!(
        std::fs::read_dir(dir.join("outside/parts")).expect("there").count(),
        before
    );
}

/// The cells of a CSV text, quotes taken off.
fn cells(text: &str) -> Vec<String> {
    let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    for character in text.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            ',' | '\n' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells
}

fn formulas(text: &str) -> Vec<String> {
    let is_formula = |cell: &String| cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    // A dash stands for what there is not.
    cells(text)
        .into_iter()
        .filter(|cell| is_formula(cell) && cell != "-")
        .collect()
}

#[test]
fn no_csv_holds_a_formula() {
    let header = "=1+1,@SUM(A1),late";
    let dir = sandbox(&rows(header, "=cmd|' /C calc'!A0", ["+yes", "-no"]), SWEEP);
    let dir = dir.path();
    succeeds(dir, &["run", "sweep.toml", "-q", "--set", "output.predictions=all"]);
    let mut texts = Vec::new();
    for verb in [
        &["compare", "store"][..],
        &["show", "store"],
        &["show", "store", "best"],
        &["show", "store", "1"],
        &["list", "."],
        &["check", "sweep.toml", "--data"],
    ] {
        let arguments: Vec<&str> = verb.iter().copied().chain(["--format", "csv"]).collect();
        let output = gradsweep(dir, &arguments);
        // A verb that knows no CSV says so.
        if output.status.code() == Some(0) {
            texts.push((verb.join(" "), text(&output.stdout)));
        }
    }
    succeeds(dir, &["predict", "store", "--data", "data.csv", "--out", "scores.csv"]);
    succeeds(dir, &["export", "store", "--to", "csv", "--out", "results.csv"]);
    for name in ["scores.csv", "results.csv"] {
        texts.push((
            name.to_owned(),
            std::fs::read_to_string(dir.join(name)).expect("written"),
        ));
    }
    assert!(texts.len() >= 6, "{} texts", texts.len());
    let hostile = texts
        .iter()
        .filter(|(_, text)| text.contains("'=") || text.contains("'+") || text.contains("'-"));
    assert!(hostile.count() >= 2, "the names are in them");
    for (name, text) in &texts {
        assert_eq!(formulas(text), [""; 0], "{name}:\n{text}");
    }
    assert_eq!(formulas("a,\"=1\",-1,-x\n"), ["=1", "-x"]);
}
