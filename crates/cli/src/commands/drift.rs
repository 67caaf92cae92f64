//! How the rows a model is applied to differ from those it was fitted on, for standard error.

use gradsweep_data::{Applied, ColumnDrift};
use gradsweep_report::sanitize;
use gradsweep_runner::plan::{grouped, many};

/// Columns named one by one.
const SHOWN: usize = 10;

/// The files in a few words.
pub(crate) fn files(files: &[String]) -> String {
    match files {
        [one] => one.clone(),
        several => many(several.len(), "file"),
    }
}

/// A line for each column that differs, or one that says that none does.
pub(crate) fn lines(applied: &Applied) -> String {
    let mut out = String::new();
    for note in &applied.notes {
        out += &format!("  note: {}\n", sanitize(note));
    }
    if !applied.ignored.is_empty() {
        let shown: Vec<String> = applied.ignored.iter().take(SHOWN).map(|name| sanitize(name)).collect();
        let more = applied.ignored.len().saturating_sub(SHOWN);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        out += &format!(
            "  ignored  columns that the model does not need: {}{more}\n",
            shown.join(", ")
        );
    }
    let percent = |part: f64| {
        if part > 0.0 && part < 0.000_5 {
            "< 0.1 %".to_owned()
        } else {
            format!("{:.1} %", 100.0 * part)
        }
    };
    let share = |count: u64| percent(count as f64 / applied.rows.max(1) as f64);
    let others: Vec<&ColumnDrift> = applied
        .drift
        .iter()
        .filter(|c| c.has_other_nulls(applied.rows))
        .collect();
    for column in others.iter().take(SHOWN) {
        out += &format!(
            "  nulls    {}: {} here, {} in training\n",
            sanitize(&column.column),
            share(column.nulls),
            percent(column.training_null_rate)
        );
    }
    let unseen: Vec<&ColumnDrift> = applied.drift.iter().filter(|column| column.unseen > 0).collect();
    for column in unseen.iter().take(SHOWN) {
        let levels: Vec<String> = column
            .unseen_levels
            .iter()
            .map(|level| format!("\"{}\"", sanitize(level)))
            .collect();
        out += &format!(
            "  unseen   {}: {} rows ({}) have levels that training did not see, as {}: {}\n",
            sanitize(&column.column),
            grouped(column.unseen),
            share(column.unseen),
            levels.join(", "),
            column.unseen_fate
        );
    }
    for (kind, found) in [("nulls", others.len()), ("unseen", unseen.len())] {
        if found > SHOWN {
            out += &format!("  {kind:<7}  … and {} more columns\n", found - SHOWN);
        }
    }
    if others.is_empty() && unseen.is_empty() {
        out += "  drift    none: shares of nulls are as in training, and no level is new\n";
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_differ_are_named_and_harmless() {
        let column = |name: &str, nulls, unseen| ColumnDrift {
            column: name.to_owned(),
            training_null_rate: 0.005,
            nulls,
            unseen,
            unseen_levels: vec!["X\u{1b}X".to_owned()],
            unseen_fate: "they count as (other)",
        };
        let mut applied = Applied {
            rows: 1000,
            files: Vec::new(),
            ignored: vec!["late".to_owned()],
            notes: Vec::new(),
            drift: vec![column("temp", 81, 0), column("carrier", 5, 3)],
        };
        insta::assert_snapshot!(lines(&applied), @r#"
        ignored  columns that the model does not need: late
        nulls    temp: 8.1 % here, 0.5 % in training
        unseen   carrier: 3 rows (0.3 %) have levels that training did not see, as "X�X": they count as (other)
        "#);
        applied.drift.truncate(0);
        assert!(lines(&applied).contains("no level is new"));
    }
}
