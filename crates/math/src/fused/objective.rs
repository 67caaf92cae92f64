//! What one run minimizes.

/// The objective of one run over the rows it trains on:
///
/// `f = (1/S) Σ_i s_i·ℓ(y_i, z_i) + (l2/2)·‖w‖² + l1·‖w‖₁` with `S = Σ s_i`
///
/// where `s_i` is the row's sample weight times the weight of its class, and w are the weights of the preprocessed features;
/// the intercept is not penalized.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// Which fold's preprocessing it sees.
    pub fold: usize,
    /// Whether it trains on each row group.
    pub is_trained: Vec<bool>,
    /// Weights of class 0 and class 1.
    pub class_weight: [f64; 2],
    /// Ridge strength on the mean loss.
    pub l2: f64,
    /// Lasso strength on the mean loss.
    pub l1: f64,
    /// Whether the intercept is learned (else it stays where it starts).
    pub fit_intercept: bool,
}

impl Objective {
    /// The mean loss alone.
    pub fn unpenalized(fold: usize, is_trained: Vec<bool>) -> Self {
        Self {
            fold,
            is_trained,
            class_weight: [1.0; 2],
            l2: 0.0,
            l1: 0.0,
            fit_intercept: true,
        }
    }
}
