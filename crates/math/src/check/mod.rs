//! What gradients are checked against: derivatives by small steps, and a computation graph with the chain rule.

pub mod finite_difference;
#[cfg(test)]
pub(crate) mod generator;
pub mod graph;
