//! What gradients are checked against: derivatives by small steps, and a computation graph with the chain rule.

pub mod finite_difference;
pub mod graph;
