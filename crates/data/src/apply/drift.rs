//! How far new rows are from those of training: nulls, and levels that training did not see.

/// Unseen levels that are named.
pub(super) const EXAMPLES: usize = 3;

/// What was counted in one column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnDrift {
    /// Its name.
    pub column: String,
    /// Share of the training rows without a value.
    pub training_null_rate: f64,
    /// New rows without a value.
    pub nulls: u64,
    /// New rows with a level that training did not see.
    pub unseen: u64,
    /// Some of those levels.
    pub unseen_levels: Vec<String>,
    /// What an unseen level means: `grouped with (other)`, `ignored`.
    pub unseen_fate: &'static str,
}

impl ColumnDrift {
    /// Whether the share of nulls among `rows` differs from training's by more than the chance of a sample explains: by
    /// three standard errors and by a hundredth.
    pub fn has_other_nulls(&self, rows: u64) -> bool {
        let (rate, rows) = (self.training_null_rate, rows as f64);
        let difference = (self.nulls as f64 / rows - rate).abs();
        difference > 0.01 && difference > 3.0 * (rate * (1.0 - rate) / rows).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_rate_differs_when_chance_does_not_explain_it() {
        let drift = |training_null_rate, nulls| ColumnDrift {
            training_null_rate,
            nulls,
            ..ColumnDrift::default()
        };
        assert!(drift(0.0, 20).has_other_nulls(1000));
        assert!(!drift(0.0, 5).has_other_nulls(1000));
        assert!(!drift(0.5, 55).has_other_nulls(100) && drift(0.5, 80).has_other_nulls(100));
    }
}
