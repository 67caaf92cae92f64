//! A short file per verb.

mod cache;
mod calibrate;
mod check;
mod closing;
mod compare;
mod doctor;
mod drift;
mod evaluate;
mod explain;
mod export;
mod gradcheck;
mod import;
mod init;
mod list;
mod plan;
mod predict;
mod prune;
mod refit;
mod report;
mod resume;
mod run;
mod schema;
mod show;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use clap::CommandFactory;
use gradsweep_runner::config::{self, Config};
use gradsweep_runner::sweep::Request;

use crate::args::{Arguments, ConfigArgs, Verb};
use crate::exit::{Failure, OK};
use crate::terminal;

/// Carries out what was typed; returns the exit code.
pub(crate) fn dispatch(arguments: &Arguments) -> Result<u8, Failure> {
    match &arguments.verb {
        Verb::Run(own) => run::run(own, arguments.quiet),
        Verb::Resume(own) => resume::resume(own, arguments.quiet),
        Verb::Check(own) => check::check(own),
        Verb::Plan(own) => plan::plan(own),
        Verb::Compare(own) => compare::compare(own),
        Verb::Report(own) => report::report(own, arguments.quiet),
        Verb::Show(own) => show::show(own),
        Verb::List(own) => list::list(own),
        Verb::Export(own) => export::export(own, arguments.quiet),
        Verb::Predict(own) => predict::predict(own, arguments.quiet),
        Verb::Calibrate(own) => calibrate::calibrate(own, arguments.quiet),
        Verb::Evaluate(own) => evaluate::evaluate(own, arguments.quiet),
        Verb::Refit(own) => refit::refit(own, arguments.quiet),
        Verb::Explain(own) => explain::explain(own),
        Verb::Gradcheck(own) => gradcheck::gradcheck(own),
        Verb::Prune { store } => prune::prune(store, arguments.quiet),
        Verb::Doctor(own) => doctor::doctor(own),
        Verb::Init(own) => init::init(own, arguments.quiet),
        Verb::Import(own) => import::import(own),
        Verb::Schema(own) => schema::schema(own),
        Verb::Cache(own) => cache::cache(own),
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "gradsweep", &mut script);
            terminal::result(&String::from_utf8_lossy(&script))?;
            Ok(OK)
        }
        Verb::Other(words) => Err(unknown(words.first().map_or("", String::as_str))),
    }
}

fn unknown(verb: &str) -> Failure {
    let command = Arguments::command();
    let verbs: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    let near = verbs
        .iter()
        .find(|known| known.starts_with(verb) || verb.starts_with(**known));
    let hint = match near {
        Some(near) if !verb.is_empty() => format!("did you mean gradsweep {near}?"),
        _ => format!("the verbs are {}; gradsweep --help says what they do", verbs.join(", ")),
    };
    Failure::Usage {
        message: format!("`{verb}` is not a verb of gradsweep"),
        hint: Some(hint),
    }
}

/// Reads and checks a config file.
fn request(source: &ConfigArgs) -> Result<Request, Failure> {
    let text = read_config(&source.config)?;
    let config = parse(&text, &source.config, &layers(&source.sets, &source.sweeps)?)?;
    Ok(Request {
        config,
        text,
        rows: source.rows,
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|source| Failure::File {
        path: path.to_path_buf(),
        action: "read",
        source,
    })
}

/// The text of a config. Of one that is too long, or of a device that never ends, no more is read than tells so.
fn read_config(path: &Path) -> Result<String, Failure> {
    let fail = |source| Failure::File {
        path: path.to_path_buf(),
        action: "read",
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(fail)?;
    file.take(config::MOST_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    if bytes.len() > config::MOST_BYTES {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    let not_text = |_| {
        fail(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "it is not UTF-8 text",
        ))
    };
    String::from_utf8(bytes).map_err(not_text)
}

fn parse(text: &str, path: &Path, sets: &[String]) -> Result<Config, Failure> {
    let stem = path
        .file_stem()
        .map_or_else(|| "sweep".into(), |stem| stem.to_string_lossy());
    Ok(config::parse(text, &path.display().to_string(), &stem, sets)?)
}

/// What is laid over a config: every `--set`, then every `--sweep` as the `--set` that it is short for.
fn layers(sets: &[String], sweeps: &[String]) -> Result<Vec<String>, Failure> {
    let short = |argument: &String| {
        config::short_sweep(argument).map_err(|why| Failure::Usage {
            message: format!("--sweep {argument}: {why}"),
            hint: None,
        })
    };
    let sweeps: Result<Vec<String>, Failure> = sweeps.iter().map(short).collect();
    Ok(sets.iter().cloned().chain(sweeps?).collect())
}

/// The name of a sweep over a data file: its stem, as far as names go.
fn name_of(file: &Path) -> String {
    let stem = file
        .file_stem()
        .map_or_else(|| "sweep".into(), |stem| stem.to_string_lossy());
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    stem.chars()
        .map(|c| if is_allowed(c) { c } else { '-' })
        .take(64)
        .collect()
}

/// Writes a config; another file in its place is left alone.
fn written(path: &Path, text: &str) -> Result<(), Failure> {
    let before = std::fs::read_to_string(path).ok();
    if path.exists() && before.as_deref() != Some(text) {
        return Err(Failure::Usage {
            message: format!("{} exists and is not what this would write", path.display()),
            hint: Some("--out FILE writes elsewhere, --out - to the terminal".to_owned()),
        });
    }
    if before.is_none() {
        std::fs::write(path, text).map_err(|source| Failure::File {
            path: path.to_path_buf(),
            action: "write",
            source,
        })?;
    }
    terminal::say(&format!("Wrote {}", path.display()));
    Ok(())
}

/// The last segment of a key's path.
fn last_name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// A value as one JSON line for standard output.
fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::Output(error.into()))?;
    Ok(text + "\n")
}
