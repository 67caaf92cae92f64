//! What differs between the configs and data of sweeps.

use std::collections::BTreeSet;

use gradsweep_store::ParamValue;
use serde_json::Value;

use super::comparison::{sources, tables};
use crate::columns;
use crate::error::ReportError;
use crate::number;
use crate::params::Source;
use crate::sheet::Sheet;
use crate::sweeps::Sweep;
use crate::table::{Grid, Side};

/// The config keys that a result depends on and that are not the same in all sweeps, swept ones with their values, and what else differs: the
/// data's content, the program's version, the precision, the seed.
pub fn changes(sweeps: &[Sweep]) -> Result<Sheet, ReportError> {
    if sweeps.len() < 2 {
        return Err(ReportError::TooLittle {
            what: "a list of changes",
            needed: "two sweeps or more",
        });
    }
    let tables = tables(sweeps)?;
    let sources = sources(sweeps, &tables);
    let mut grid = Grid::new();
    grid.column("key", Side::Left);
    for source in &sources {
        grid.column(source.name, Side::Left);
    }
    let mut differing = |key: &str, values: Vec<String>| {
        if values.iter().any(|value| *value != values[0]) {
            grid.texts(std::iter::once(key.to_owned()).chain(values).collect());
        }
    };
    let of_all = |of: &dyn Fn(&Source) -> String| sources.iter().map(of).collect::<Vec<String>>();
    differing(
        "data's content",
        of_all(&|source| source.manifest.fingerprint.chars().take(12).collect()),
    );
    differing("version", of_all(&|source| source.manifest.version.clone()));
    differing("precision", of_all(&|source| source.manifest.precision.clone()));
    let keys: BTreeSet<&String> = sources
        .iter()
        .flat_map(|source| source.manifest.keys.keys().chain(&source.trials.params))
        .collect();
    if !keys.iter().any(|key| *key == "run.seed") {
        differing("run.seed", of_all(&|source| source.manifest.seed.to_string()));
    }
    for key in keys {
        differing(key, of_all(&|source| setting(key, source)));
    }
    let notes = if grid.is_empty() {
        vec!["nothing that a result depends on differs".to_owned()]
    } else {
        Vec::new()
    };
    Ok(Sheet {
        people: grid.clone(),
        programs: grid,
        notes,
        facts: Vec::new(),
    })
}

/// A key's value, or what it was swept over.
fn setting(key: &str, source: &Source) -> String {
    if let Some(index) = source.trials.params.iter().position(|path| path == key) {
        let mut values: Vec<&ParamValue> = source.trials.rows.iter().map(|row| &row.params[index]).collect();
        values.sort_by(|a, b| columns::order(a, b));
        values.dedup();
        return swept(&values);
    }
    match source.manifest.keys.get(key) {
        None => number::NONE.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// `0.1, 1, 10`, or `64 values from 0.0001 to 10000`.
fn swept(values: &[&ParamValue]) -> String {
    const LISTED: usize = 5;
    if values.len() <= LISTED {
        let texts: Vec<String> = values.iter().map(|value| number::param(value)).collect();
        return texts.join(", ");
    }
    let (first, last) = (number::param(values[0]), number::param(values[values.len() - 1]));
    format!("{} values from {first} to {last}", number::count(values.len() as u64))
}
