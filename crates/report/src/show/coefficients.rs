//! The coefficients that matter most.

use std::collections::HashMap;

use gradsweep_store::{CoefficientRow, Name, ParamValue};

use crate::number;
use crate::page::Block;
use crate::table::{Grid, Side, float, whole};

/// How many are shown to people.
const SHOWN: usize = 10;
/// The feature that is the intercept.
const INTERCEPT: &str = "(intercept)";

/// One feature's coefficient, averaged over runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Coefficient {
    feature: Name,
    in_data_units: f64,
    standardized: f64,
    /// Standard deviation of the standardized coefficient over runs.
    std: Option<f64>,
    runs: usize,
}

/// Averages over runs, the greatest standardized coefficients first, the intercept before all; ties by the order of the features.
pub(crate) fn average(rows: &[CoefficientRow]) -> Vec<Coefficient> {
    let mut order: Vec<Name> = Vec::new();
    let mut by_feature: HashMap<Name, Vec<&CoefficientRow>> = HashMap::new();
    for row in rows {
        let held = by_feature.entry(row.feature.clone()).or_default();
        if held.is_empty() {
            order.push(row.feature.clone());
        }
        held.push(row);
    }
    let mut all: Vec<Coefficient> = order
        .into_iter()
        .map(|feature| {
            let rows = &by_feature[&feature];
            let n = rows.len() as f64;
            let mean = |of: fn(&CoefficientRow) -> f64| rows.iter().map(|r| of(r)).sum::<f64>() / n;
            let standardized = mean(|row| row.coefficient_standardized);
            let squares = rows
                .iter()
                .map(|row| (row.coefficient_standardized - standardized).powi(2));
            let squares: f64 = squares.sum();
            Coefficient {
                in_data_units: mean(|row| row.coefficient),
                standardized,
                std: (rows.len() > 1).then(|| (squares / (n - 1.0)).sqrt()),
                runs: rows.len(),
                feature,
            }
        })
        .collect();
    // What is not a number goes last.
    let size = |held: &Coefficient| {
        let size = held.standardized.abs();
        if size.is_nan() { -1.0 } else { size }
    };
    all.sort_by(|a, b| {
        let is_feature = |held: &Coefficient| &*held.feature != INTERCEPT;
        let first = is_feature(a).cmp(&is_feature(b));
        first.then(size(b).total_cmp(&size(a)))
    });
    all
}

/// The first of them for people, if there are any.
pub(crate) fn block(all: &[Coefficient], is_average: bool) -> Option<Block> {
    if all.is_empty() {
        return None;
    }
    let mut grid = Grid::new();
    grid.column("feature", Side::Left);
    grid.column("standardized", Side::Right);
    grid.column("in data units", Side::Right);
    if is_average {
        grid.column("runs", Side::Right);
    }
    let signed = |value: f64| {
        let text = number::side_score(value);
        if value > 0.0 { format!("+{text}") } else { text }
    };
    for held in all.iter().take(SHOWN + 1) {
        let standardized = match held.std {
            Some(std) => format!("{} ± {}", signed(held.standardized), number::error(std)),
            None => signed(held.standardized),
        };
        let mut cells = vec![held.feature.to_string(), standardized, signed(held.in_data_units)];
        if is_average {
            cells.push(held.runs.to_string());
        }
        grid.texts(cells);
    }
    let more = all.len().saturating_sub(SHOWN + 1);
    let mut heading = if is_average {
        "Coefficients: mean ± standard deviation over runs, greatest first".to_owned()
    } else {
        "Coefficients, greatest first".to_owned()
    };
    if more > 0 {
        heading = format!(
            "{heading} ({} more in coefficients.parquet)",
            number::count(more as u64)
        );
    }
    Some(Block::Table(heading, grid))
}

/// All of them for programs.
pub(crate) fn grid(all: &[Coefficient]) -> Grid {
    let mut grid = Grid::new();
    for name in [
        "feature",
        "coefficient",
        "coefficient_standardized",
        "std_standardized",
        "n_runs",
    ] {
        grid.column(name, Side::Left);
    }
    for held in all {
        grid.row(vec![
            ParamValue::Text(held.feature.to_string()),
            ParamValue::Float(held.in_data_units),
            ParamValue::Float(held.standardized),
            float(held.std),
            whole(held.runs),
        ]);
    }
    grid
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "the figures are exact in binary")]

    use super::*;
    use gradsweep_store::RunId;

    fn row(run: u64, feature: &str, value: f64) -> CoefficientRow {
        CoefficientRow {
            run: RunId(run),
            feature: feature.into(),
            coefficient: 10.0 * value,
            coefficient_standardized: value,
        }
    }

    #[test]
    fn the_greatest_come_first_after_the_intercept() {
        let all = average(&[
            row(0, "a", 0.1),
            row(0, "b", -2.0),
            row(0, "(intercept)", 0.0),
            row(1, "a", 0.3),
            row(1, "b", -4.0),
            row(1, "(intercept)", 0.0),
            row(1, "rare", f64::NAN),
        ]);
        let names: Vec<&str> = all.iter().map(|held| &*held.feature).collect();
        assert_eq!(names, ["(intercept)", "b", "a", "rare"]);
        assert_eq!(all[1].standardized, -3.0);
        assert_eq!(all[1].in_data_units, -30.0);
        assert_eq!(all[1].std, Some(2.0_f64.sqrt()));
        assert_eq!((all[3].runs, all[3].std), (1, None));
    }
}
