//! Trials of one or many sweeps beside each other: ranked, tested, filtered, grouped, explained.

mod certainty;
mod changes;
mod comparison;
mod filter;
mod groups;
mod importance;
mod paired;
mod pareto;
mod query;
mod rank;
mod render;
mod tokens;

pub use changes::changes;
pub use comparison::{Comparison, compare};
pub use groups::groups;
pub use importance::importance;
pub use query::Query;

pub(crate) use comparison::{Row, compare_tables, sources};
pub(crate) use importance::{Importance, of as importance_of};
pub(crate) use paired::Test;
pub(crate) use rank::{Candidate, Ranking, better, rank};
