//! The bytes of everything a data set has beside the matrix.

use std::ops::Range;

use super::code::{Code, code};
use super::stored::Stored;
use crate::dataset::Dataset;
use crate::element::Element;
use crate::encode::Encoding;
use crate::encode::numeric::Center;
use crate::encode::one_hot::Categories;
use crate::profile::Moments;
use crate::spec::{EncodeSpec, Impute, OneHotSpec, OtherLevels};
use crate::split::{Folds, Role};
use crate::summary::{ColumnKind, ColumnSummary, SkipReason, Skipped, Summary, TargetSummary, WeightSummary};

/// A data set without its matrix.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) y: Vec<u8>,
    pub(crate) weight: Option<Vec<f64>>,
    pub(crate) source_row: Vec<u32>,
    pub(crate) groups: Vec<Range<usize>>,
    pub(crate) group_weight: Vec<[f64; 2]>,
    pub(crate) folds: Folds,
    pub(crate) encoding: Encoding,
    pub(crate) summary: Summary,
}

impl Parts {
    /// The data set of these parts and a matrix.
    pub(crate) fn with<T: Element>(self, x: Stored<T>) -> Dataset<T> {
        let Self {
            y,
            weight,
            source_row,
            groups,
            group_weight,
            folds,
            encoding,
            summary,
        } = self;
        Dataset {
            x,
            y: y.iter().map(|&y| T::from_f64(f64::from(y))).collect(),
            weight,
            source_row,
            groups,
            group_weight,
            folds,
            encoding,
            summary,
        }
    }

    /// Hands over the bytes of [`Code::put`] piece by piece: there are some for every row, which memory need not hold twice.
    pub(crate) fn write<E>(&self, mut sink: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let Self {
            y,
            weight,
            source_row,
            groups,
            group_weight,
            folds,
            encoding,
            summary,
        } = self;
        let mut out = Vec::new();
        put_all(y, &mut out, &mut sink)?;
        weight.is_some().put(&mut out);
        if let Some(weight) = weight {
            put_all(weight, &mut out, &mut sink)?;
        }
        put_all(source_row, &mut out, &mut sink)?;
        groups.put(&mut out);
        group_weight.put(&mut out);
        folds.put(&mut out);
        encoding.put(&mut out);
        summary.put(&mut out);
        sink(&out)
    }

    /// Takes a data set apart.
    pub(crate) fn of<T: Element>(data: Dataset<T>) -> (Stored<T>, Self) {
        let Dataset {
            x,
            y,
            weight,
            source_row,
            groups,
            group_weight,
            folds,
            encoding,
            summary,
        } = data;
        let parts = Self {
            y: y.iter().map(|&y| u8::from(y > T::zero())).collect(),
            weight,
            source_row,
            groups,
            group_weight,
            folds,
            encoding,
            summary,
        };
        (x, parts)
    }

    /// Whether every part speaks of as many rows and columns as the matrix has.
    pub(crate) fn fits(&self, rows: usize, columns: usize) -> bool {
        let weights = self.weight.as_ref().map_or(rows, Vec::len);
        let covered = self.groups.iter().try_fold(0, |next, group| {
            (group.start == next && group.start <= group.end).then_some(group.end)
        });
        self.encoding.stored_columns() == columns
            && [self.y.len(), self.source_row.len(), weights, self.summary.rows] == [rows; 4]
            && covered == Some(rows)
    }
}

/// Values put together before they are handed over.
const PIECE: usize = 1 << 18;

/// The bytes of a vector, piece by piece.
fn put_all<V: Code, E>(
    values: &[V],
    out: &mut Vec<u8>,
    sink: &mut impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    values.len().put(out);
    for piece in values.chunks(PIECE) {
        for value in piece {
            value.put(out);
        }
        sink(out)?;
        out.clear();
    }
    Ok(())
}

code!(struct Parts { y, weight, source_row, groups, group_weight, folds, encoding, summary });
code!(struct Folds { labels, roles });
code!(enum Role { 0 => Train {}, 1 => Val {}, 2 => Unused {} });
code!(struct Center { center, scale });
code!(struct Moments { observed, missing, mean, m2, min, max });
code!(struct Categories { levels, counts });
code!(struct EncodeSpec { impute, indicator, standardize, one_hot });
code!(enum Impute { 0 => Mean {}, 1 => Median {}, 2 => Zero {}, 3 => Error {} });
code!(struct OneHotSpec { min_frequency, max_categories, other, drop_first, sparse_above });
code!(enum OtherLevels { 0 => Group {}, 1 => Ignore {}, 2 => Error {} });
code!(struct Summary {
    files, rows, rows_dropped, columns, skipped, target, weight, warnings, fingerprint, read_seconds,
});
code!(struct ColumnSummary { name, kind, nulls, width, mean, std, levels });
code!(enum ColumnKind { 0 => Numeric {}, 1 => Boolean {}, 2 => Categorical {} });
code!(struct Skipped { column, reason });
code!(enum SkipReason { 0 => OneValuePerRow {}, 1 => Date {} });
code!(struct TargetSummary { name, positive, negative, positives, rows });
code!(struct WeightSummary { name, sum, zeros });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{EncodeSpec, LoadSpec, RoleSpec, SourceSpec, SplitSpec};

    #[test]
    fn pieces_are_the_bytes_of_the_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        let rows = (0..60).map(|row| format!("{},{},{}", row % 7, 1 + row % 2, row % 3 % 2));
        let rows: Vec<String> = std::iter::once("x,w,y".to_owned()).chain(rows).collect();
        std::fs::write(&path, rows.join("\n")).expect("written");
        for weight in [None, Some("w".to_owned())] {
            let data = crate::load::<f32>(&LoadSpec {
                source: SourceSpec {
                    paths: vec![path.display().to_string()],
                    ..SourceSpec::default()
                },
                roles: RoleSpec {
                    target: "y".into(),
                    weight,
                    ..RoleSpec::default()
                },
                encode: EncodeSpec::default(),
                split: SplitSpec::default(),
                seed: 0,
                deal: true,
                rows: None,
            });
            let (_, parts) = Parts::of(data.expect("a table"));
            let (mut whole, mut pieces) = (Vec::new(), Vec::new());
            parts.put(&mut whole);
            let written: Result<(), ()> = parts.write(|piece| {
                pieces.extend_from_slice(piece);
                Ok(())
            });
            assert!(written.is_ok() && whole == pieces);
        }
    }
}
