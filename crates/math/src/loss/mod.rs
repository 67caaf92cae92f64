//! Losses of one example, in f64: the definitions that the kernels, the references and the checks share.

pub mod logistic;
