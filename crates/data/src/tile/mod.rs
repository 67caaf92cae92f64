//! The matrix of stored rows.
//!
//! - [`placement`]: where each row of the files is stored
//! - [`numbers`]: cells of a batch as numbers
//! - [`scatter`]: batches of columns to rows of the matrix
//! - [`buckets`]: the same for a file larger than memory
//! - [`marks`]: 0/1 columns of levels and of missing values

pub(crate) mod buckets;
pub(crate) mod marks;
pub(crate) mod numbers;
pub(crate) mod placement;
pub(crate) mod scatter;
