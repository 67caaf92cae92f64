//! Indicators: a 0/1 feature per numeric column with missing values.

use crate::profile::Moments;

/// Name of the indicator of a column, and of the null level of a categorical one.
pub(crate) fn feature_name(column: &str) -> String {
    format!("{column}={MISSING}")
}

/// The level of a null.
pub(crate) const MISSING: &str = "(missing)";

/// Whether the indicator is constant in these training rows.
pub(crate) fn is_constant(training: &Moments) -> bool {
    training.missing == 0.0 || training.observed == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_indicator_needs_rows_of_both_kinds() {
        let moments = |observed, missing| Moments {
            observed,
            missing,
            ..Moments::EMPTY
        };
        assert!(is_constant(&moments(3.0, 0.0)) && is_constant(&moments(0.0, 3.0)));
        assert!(!is_constant(&moments(1.0, 1.0)));
        assert_eq!(feature_name("temp"), "temp=(missing)");
    }
}
