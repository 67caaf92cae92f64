//! From columns to features: what each fold multiplies and adds, so that one stored matrix serves all folds.
//!
//! - [`encoding`]: features, links and each fold's factors
//! - [`numeric`]: impute and standardize
//! - [`median`]: the medians of each fold's training rows
//! - [`missing`]: indicators of missing values
//! - [`one_hot`]: levels, rare levels, `(other)` and `(missing)`

pub(crate) mod encoding;
pub(crate) mod median;
pub(crate) mod missing;
pub(crate) mod numeric;
pub(crate) mod one_hot;

pub use encoding::{CodeColumn, Encoding, Feature, FoldEncoding, Link, RawColumn, RawKind};
pub use encoding::{ColumnProfile, FoldColumn, FoldProfile, Profile};
