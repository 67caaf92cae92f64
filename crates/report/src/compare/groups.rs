//! Trials grouped by the value of one column.

use std::collections::BTreeMap;

use gradsweep_store::ParamValue;

use super::comparison::{sources, tables};
use super::query::Query;
use super::rank::{Candidate, rank};
use crate::columns::{self, Column};
use crate::error::ReportError;
use crate::number;
use crate::sheet::Sheet;
use crate::summary::headline;
use crate::sweeps::Sweep;
use crate::table::{Grid, Side, float, whole};

/// A value by its place in the order of values.
struct Value(ParamValue);

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        columns::order(&self.0, &other.0)
    }
}

/// For each value of a column (a hyperparameter, mostly) how many trials have it, the best of them and the middle one. A value whose best is
/// good but whose middle is bad needs luck in the other parameters.
pub fn groups(sweeps: &[Sweep], query: &Query, column: &str) -> Result<Sheet, ReportError> {
    let tables = tables(sweeps)?;
    let sources = sources(sweeps, &tables);
    let ranking = rank(&sources, query)?;
    let by_what = Column::named(column, &sources)?;
    let mut groups: BTreeMap<Value, Vec<&Candidate>> = BTreeMap::new();
    for candidate in &ranking.candidates {
        let value = by_what.of(&sources[candidate.sweep], candidate.row);
        groups.entry(Value(value)).or_default().push(candidate);
    }
    let of = if ranking.is_train { " (train)" } else { "" };
    let name = &ranking.by.name;
    let mut people = Grid::new();
    let is_text = groups.keys().any(|value| matches!(value.0, ParamValue::Text(_)));
    people.column(column, if is_text { Side::Left } else { Side::Right });
    for header in ["trials", "failed", "best trial"] {
        people.column(header, Side::Right);
    }
    people.column(format!("best {name}{of}"), Side::Right);
    people.column(format!("median {name}{of}"), Side::Right);
    let mut programs = Grid::new();
    for header in ["value", "trials", "failed", "best_sweep", "best_trial"] {
        programs.column(header, Side::Right);
    }
    for header in ["best", "se_best", "median"] {
        programs.column(format!("{header}_{name}"), Side::Right);
    }
    for (value, trials) in &groups {
        // Candidates come best first.
        let scored: Vec<&&Candidate> = trials.iter().filter(|candidate| candidate.is_scored()).collect();
        let failed = trials.iter().filter(|candidate| candidate.row.n_failed > 0).count();
        let best = scored.first();
        let se = best.and_then(|best| {
            let table = sources[best.sweep].trials;
            let index = table.metrics.iter().position(|held| held.name == *name)?;
            headline(&best.row.scores[index], ranking.is_train).1
        });
        let score = best.and_then(|best| best.score);
        let median = median(
            &scored
                .iter()
                .filter_map(|candidate| candidate.score)
                .collect::<Vec<f64>>(),
        );
        let text = |value: Option<String>| value.unwrap_or_else(|| number::NONE.to_owned());
        let trial = best.map(|best| match sweeps {
            [_] => best.row.trial.to_string(),
            _ => format!("{} {}", sources[best.sweep].name, best.row.trial),
        });
        people.texts(vec![
            number::param(&value.0),
            trials.len().to_string(),
            failed.to_string(),
            text(trial),
            number::score_with_error(score, se),
            text(median.map(number::score)),
        ]);
        programs.row(vec![
            value.0.clone(),
            whole(trials.len()),
            whole(failed),
            best.map_or(ParamValue::Null, |best| {
                ParamValue::Text(sources[best.sweep].name.to_owned())
            }),
            best.map_or(ParamValue::Null, |best| whole(best.row.trial)),
            float(score),
            float(se),
            float(median),
        ]);
    }
    Ok(Sheet {
        people,
        programs,
        notes: Vec::new(),
        facts: vec![
            ("by".to_owned(), name.as_str().into()),
            ("group_by".to_owned(), column.into()),
            ("higher_is_better".to_owned(), ranking.by.higher_is_better.into()),
        ],
    })
}

/// The middle of sorted values, between two where their number is even.
fn median(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    let upper = sorted.get(n / 2)?;
    Some(if n.is_multiple_of(2) {
        f64::midpoint(sorted[n / 2 - 1], *upper)
    } else {
        *upper
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_lies_between_two() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[1.0, 2.0, 4.0, 8.0]), Some(3.0));
    }
}
