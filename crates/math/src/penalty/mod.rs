//! Penalties on the weights, per run. The intercept is never penalized.

pub mod l1;
pub mod l2;
