//! Which rows are held out when: a row group per row, and each fold's role for each row group.
//!
//! - [`stratified`]: K folds with equal shares of each class
//! - [`kfold`]: K folds, whatever the classes
//! - [`predefined`]: the folds of a column
//! - [`holdout`]: one share of the rows, once
//! - [`folds`]: the result, its checks, and the choice between these

pub(crate) mod folds;
mod holdout;
mod kfold;
mod predefined;
mod stratified;

pub use folds::{Folds, Role};
