//! From the target column to 0 and 1.

use crate::error::DataError;
use crate::levels::{Levels, NULL, number_text};
use crate::source::table::Table;
use crate::spec::RoleSpec;
use crate::summary::TargetSummary;

/// The target of every kept row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// 0 or 1 per kept row, in file order.
    pub(crate) y: Vec<u8>,
    /// Which rows of the files are kept; `None` = all.
    pub(crate) is_kept: Option<Vec<bool>>,
    pub(crate) summary: TargetSummary,
}

impl Target {
    /// The label of a class, for messages.
    pub(crate) fn label(&self, class: u8) -> &str {
        if class == 1 {
            &self.summary.positive
        } else {
            &self.summary.negative
        }
    }
}

/// Chooses the positive label and checks that the target can be learned.
pub(crate) fn resolve(spec: &RoleSpec, levels: &mut Levels, table: &Table) -> Result<Target, DataError> {
    let is_number = table.is_number(&spec.target);
    let column = spec.target.clone();
    if is_number {
        check_whole(&column, levels, table)?;
    }
    let rows = levels.codes.len();
    let is_kept: Vec<bool> = levels.codes.iter().map(|code| *code != NULL).collect();
    let nulls = levels.nulls() as usize;
    if let Some(first) = is_kept.iter().position(|kept| !kept) {
        if !spec.drop_null_target || nulls == rows {
            let (file, row) = table.locate(first);
            return Err(DataError::NullTarget {
                column,
                count: nulls,
                rows,
                row,
                file,
            });
        }
        levels.keep(&is_kept);
    }
    let positive = choose_positive(spec, levels, is_number)?;
    let positives = levels.counts[positive];
    let summary = TargetSummary {
        name: column,
        positive: levels.texts[positive].clone(),
        negative: match levels.texts.as_slice() {
            [a, b] => {
                if positive == 0 {
                    b.clone()
                } else {
                    a.clone()
                }
            }
            texts => format!("not {}", texts[positive]),
        },
        positives,
        rows: levels.codes.len() as u64,
    };
    let y = levels
        .codes
        .iter()
        .map(|&code| u8::from(code as usize == positive))
        .collect();
    Ok(Target {
        y,
        is_kept: (nulls > 0).then_some(is_kept),
        summary,
    })
}

/// Index of the label that counts as 1.
fn choose_positive(spec: &RoleSpec, levels: &Levels, is_number: bool) -> Result<usize, DataError> {
    let column = spec.target.clone();
    let found = spec.positive.as_ref().map(|positive| {
        let as_number = positive.parse().ok().filter(|_| is_number).map(number_text);
        levels
            .texts
            .iter()
            .position(|text| text == positive || Some(text) == as_number.as_ref())
    });
    match (found, spec.positive.as_ref()) {
        (Some(None), Some(positive)) => {
            let classes = levels.counted();
            Err(DataError::PositiveNotFound {
                column,
                positive: positive.clone(),
                classes,
            })
        }
        _ if levels.texts.len() == 1 => Err(DataError::OneClass {
            column,
            class: levels.texts[0].clone(),
            rows: levels.counts[0],
        }),
        (Some(Some(positive)), _) => Ok(positive),
        _ if levels.texts.len() > 2 => Err(DataError::ManyClasses {
            column,
            classes: levels.counted(),
        }),
        _ => Ok(1),
    }
}

/// A target of measurements is not a class.
fn check_whole(column: &str, levels: &Levels, table: &Table) -> Result<(), DataError> {
    let is_whole = |text: &String| text.parse::<f64>().is_ok_and(|v| v.is_finite() && v.fract() == 0.0);
    let Some(bad) = levels.texts.iter().position(|text| !is_whole(text)) else {
        return Ok(());
    };
    let row = levels.codes.iter().position(|&code| code as usize == bad).unwrap_or(0);
    let (file, row) = table.locate(row);
    Err(DataError::TargetNotClass {
        column: column.to_owned(),
        value: levels.texts[bad].clone(),
        row,
        file,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(texts: &[&str]) -> Levels {
        Levels {
            texts: texts.iter().map(ToString::to_string).collect(),
            counts: vec![1; texts.len()],
            codes: (0..texts.len() as u32).collect(),
        }
    }

    fn positive(texts: &[&str], positive: Option<&str>, is_number: bool) -> Result<usize, DataError> {
        let spec = RoleSpec {
            positive: positive.map(str::to_owned),
            ..RoleSpec::default()
        };
        choose_positive(&spec, &levels(texts), is_number)
    }

    #[test]
    fn the_greater_label_counts_as_one_unless_said_otherwise() {
        assert!(matches!(positive(&["no", "yes"], None, false), Ok(1)));
        assert!(matches!(positive(&["no", "yes"], Some("no"), false), Ok(0)));
        assert!(matches!(positive(&["1", "2"], Some("1.0"), true), Ok(0)));
        assert!(matches!(positive(&["a", "b", "c"], Some("b"), false), Ok(1)));
    }

    #[test]
    fn targets_that_cannot_be_learned_are_refused() {
        assert!(matches!(positive(&["a"], None, false), Err(DataError::OneClass { .. })));
        assert!(matches!(
            positive(&["a", "b", "c"], None, false),
            Err(DataError::ManyClasses { .. })
        ));
        let error = positive(&["no", "yes"], Some("Yes"), false).expect_err("no such label");
        assert_eq!(error.hint().as_deref(), Some("set [data] positive = \"yes\""));
    }
}
