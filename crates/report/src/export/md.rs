//! A page with what a sweep found, for wherever Markdown is read.

use std::path::Path;

use gradsweep_store::TrialState;

use super::error::ExportError;
use crate::compare::compare;
use crate::format::Format;
use crate::sanitize::md_text;
use crate::summary::{data_line, scores_in_words, trial_states};
use crate::{params, sweeps};

/// The page: the data, the choice, and every trial.
pub(super) fn page(dir: &Path) -> Result<String, ExportError> {
    let sweeps = sweeps::open(&[dir.to_path_buf()])?;
    let store = &sweeps[0].store;
    let (manifest, table) = (store.manifest(), store.trials()?);
    let mut text = format!("# {}\n\n", md_text(&manifest.name));
    if let Some(line) = data_line(manifest) {
        text += &format!("- data: {}\n", md_text(&line));
    }
    text += &format!("- trials: {}\n", md_text(&trial_states(&table)));
    if let Some(row) = table.selected().filter(|row| row.state == TrialState::Complete) {
        let params = params::in_words(&table.params, &row.params);
        let separator = if params.is_empty() { "" } else { ": " };
        text += &format!("- selected: trial {}{separator}{}\n", row.trial, md_text(&params));
        text += &format!("- scores: {}\n", md_text(&scores_in_words(manifest, &table, row)));
    }
    text += &format!(
        "- made by gradsweep {} on {}\n\n",
        md_text(&manifest.version),
        md_text(&manifest.created)
    );
    text += &compare(&sweeps, &crate::compare::Query::default())?.render(Format::Md);
    Ok(text)
}
