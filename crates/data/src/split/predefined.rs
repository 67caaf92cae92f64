//! The folds of a column: each of its values is held out once.

use super::folds::{Folds, Split};
use crate::error::DataError;
use crate::levels::Levels;

/// At most so many folds: each is a row group, and every run knows its role for each.
const MAX_FOLDS: usize = 1000;

/// Row groups by the column's value, numbers in numeric order.
pub(super) fn assign(column: &Levels) -> Result<Split, DataError> {
    let folds = column.texts.len();
    if folds < 2 {
        return Err(DataError::TooFewFolds { folds });
    }
    if folds > MAX_FOLDS {
        return Err(DataError::TooManyFolds {
            folds,
            rows: column.codes.len(),
        });
    }
    Ok(Split {
        group: column.codes.clone(),
        groups: folds,
        folds: Folds::leave_one_out(column.texts.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::Role;

    #[test]
    fn one_value_and_more_than_a_thousand_are_refused() {
        let of = |values: u32| {
            assign(&Levels {
                texts: (0..values).map(|value| value.to_string()).collect(),
                counts: vec![1; values as usize],
                codes: (0..values).collect(),
            })
        };
        assert!(matches!(of(1), Err(DataError::TooFewFolds { folds: 1 })));
        assert!(of(2).is_ok() && of(1000).is_ok());
        assert!(matches!(
            of(1001),
            Err(DataError::TooManyFolds {
                folds: 1001,
                rows: 1001
            })
        ));
    }

    #[test]
    fn each_value_is_a_fold() {
        let texts = vec!["9".to_owned(), "10".to_owned()];
        let column = Levels {
            texts: texts.clone(),
            counts: vec![1, 2],
            codes: vec![1, 0, 1],
        };
        let split = assign(&column).expect("two folds");
        assert_eq!(split.folds.labels, texts);
        assert_eq!(split.group, [1, 0, 1]);
        assert_eq!(split.folds.roles[1], [Role::Train, Role::Val]);
    }
}
