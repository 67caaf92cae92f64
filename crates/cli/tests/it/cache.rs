//! Sweeps whose rows do not fit into the memory they may take.

use std::path::Path;
use std::process::{Command, Output};

use crate::{sandbox, text};

/// Numbers with gaps, levels, weights and enough rows to tell a limit apart.
fn table(rows: u32) -> String {
    let mut data = "x,u,city,w,late\n".to_owned();
    for i in 0..rows {
        let draw = |k: u32| f64::from(i.wrapping_mul(2_654_435_761).rotate_left(k) % 1000) / 1000.0;
        let x = if i % 9 == 4 {
            String::new()
        } else {
            format!("{}", draw(3))
        };
        let city = ["Oslo", "Rome", "Lima"][(i % 7 % 3) as usize];
        let late = draw(3) + draw(17) * 0.7 + f64::from(u8::from(city == "Rome")) * 0.2 > 1.0;
        data += &format!(
            "{x},{},{city},{},{}\n",
            draw(9) * 1e3,
            i % 3,
            if late { "yes" } else { "no" }
        );
    }
    data
}

const SWEEP: &str = "weight = \"w\"
[sweep.parameters]
model.C = [0.1, 10.0]
train.solver = [\"lbfgs\", \"newton\", \"sgd\"]
[train]
epochs = 4
learning_rate = 0.1
[validation]
folds = 3
repeats = 2
";

fn gradsweep(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gradsweep"))
        .current_dir(dir)
        .args(arguments)
        .env("XDG_CACHE_HOME", dir.join("cache"))
        .output()
        .expect("the program starts")
}

fn succeeds(dir: &Path, arguments: &[&str]) -> String {
    let output = gradsweep(dir, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn memory_changes_no_result_and_the_rows_are_reused_listed_and_cleared() {
    let sandbox = sandbox(&table(40_000), SWEEP);
    let dir = sandbox.path();
    let data = std::fs::File::options()
        .write(true)
        .open(dir.join("data.csv"))
        .expect("there");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(100);
    data.set_modified(long_ago).expect("settable");
    let plan: serde_json::Value =
        serde_json::from_str(&succeeds(dir, &["plan", "sweep.toml", "--format", "json"])).expect("JSON");
    let bytes = |key: &str| plan[key].as_u64().expect("a number");
    assert_eq!(plan["is_in_file"], false);
    let whole = bytes("memory_bytes");
    let run = |limit: &str, out: &str| {
        let (limit, out) = (format!("run.memory_limit={limit}"), format!("output.dir={out}"));
        succeeds(dir, &["run", "sweep.toml", "-q", "--set", &limit, "--set", &out])
    };
    run("75%", "memory");
    assert!(!dir.join("cache").exists(), "nothing is cached that fits");
    let limit = format!("{}B", whole - 1);
    run(&limit, "file");
    for table in ["trials", "coefficients", "history", "predictions"] {
        let read = |store: &str| std::fs::read(dir.join(store).join(format!("{table}.parquet"))).ok();
        assert!(read("memory") == read("file"), "{table} differs");
    }
    let listed = succeeds(dir, &["cache", "list"]);
    assert!(listed.contains("2 files of prepared rows"), "one per repeat:\n{listed}");
    let planned = succeeds(
        dir,
        &["plan", "sweep.toml", "--set", &format!("run.memory_limit={limit}")],
    );
    assert!(
        planned.contains("memory-mapped from") && planned.contains("on disk"),
        "{planned}"
    );
    assert!(succeeds(dir, &["cache", "clear"]).contains("removed 2 files"));
    assert!(succeeds(dir, &["cache", "list"]).contains("holds no prepared rows"));
    let output = gradsweep(
        dir,
        &[
            "run",
            "sweep.toml",
            "-q",
            "--set",
            "run.memory_limit=1MiB",
            "--set",
            "output.dir=none",
        ],
    );
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(
        said.contains("the plan needs about") && said.contains("\"1MiB\" allows 1.0 MB"),
        "{said}"
    );
    assert!(!dir.join("none").exists(), "nothing was written");
}
