//! Which rows are held out when: a row group per row, and each fold's role for each row group.
//!
//! - [`stratified`]: K folds with equal shares of each class
//! - [`kfold`]: K folds, whatever the classes
//! - [`group`]: K folds that keep the rows of a group together
//! - [`time`]: K folds, each later than the rows that it is trained on
//! - [`predefined`]: the folds of a column
//! - [`holdout`]: one share of the rows, once
//! - [`folds`]: the result, its checks, and the choice between these

pub(crate) mod folds;
mod group;
mod holdout;
mod kfold;
mod predefined;
mod stratified;
mod time;

pub use folds::{Folds, Role};
