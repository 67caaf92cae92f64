//! What a comparison is asked for.

/// What a comparison is asked for; the default is every trial, ranked by the metric that the first sweep selects by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// The metric that ranks.
    pub by: Option<String>,
    /// Show no more rows than this.
    pub top: Option<usize>,
    /// Compare only trials that meet this, as `param.model.C < 1`.
    pub filter: Option<String>,
    /// Show the rows by this column instead of by rank; `-` before it reverses.
    pub sort: Option<String>,
    /// Compare only the trials that no other beats in both of these metrics.
    pub pareto: Option<Vec<String>>,
}
