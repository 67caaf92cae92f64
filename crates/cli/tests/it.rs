//! The program as its users type it: exit codes, messages, every shipped config, every command of the README.

#[path = "it/cache.rs"]
mod cache;
#[path = "it/configs.rs"]
mod configs;
#[path = "it/exports.rs"]
mod exports;
#[path = "it/fuzz/mod.rs"]
mod fuzz;
#[path = "it/inference.rs"]
mod inference;
#[path = "it/inputs/mod.rs"]
mod inputs;
#[path = "it/models.rs"]
mod models;
#[path = "it/profile.rs"]
mod profile;
#[path = "it/refusals.rs"]
mod refusals;
#[path = "it/resume.rs"]
mod resume;
#[path = "it/screens.rs"]
mod screens;
#[path = "it/security.rs"]
mod security;

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
