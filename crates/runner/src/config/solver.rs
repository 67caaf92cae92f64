//! The solvers, each with the keys of `[train]` that matter to it.

use super::key::choices;

choices! {
    /// The method that moves the weights.
    pub Solver {
        /// Chosen from the data, the model and `tol`.
        Auto "auto" => &["tol"];
        /// Limited-memory BFGS.
        Lbfgs "lbfgs" => &["tol"];
        /// Newton's method.
        Newton "newton" => &["tol"];
        /// Gradient descent on all rows.
        Gd "gd" => &["tol", "learning_rate", "schedule", "early_stopping"];
        /// Stochastic gradient descent, with momentum.
        Sgd "sgd" => &["learning_rate", "schedule", "early_stopping", "batch_rows", "momentum", "nesterov"];
        /// Adam.
        Adam "adam" => &["learning_rate", "schedule", "early_stopping", "batch_rows", "beta1", "beta2", "epsilon"];
        /// Adam with decoupled weight decay.
        AdamW "adamw" => &["learning_rate", "schedule", "early_stopping", "batch_rows", "beta1", "beta2", "epsilon", "weight_decay"];
        /// `AdaGrad`.
        AdaGrad "adagrad" => &["learning_rate", "schedule", "early_stopping", "batch_rows", "epsilon"];
        /// `RMSprop`.
        RmsProp "rmsprop" => &["learning_rate", "schedule", "early_stopping", "batch_rows", "rho", "epsilon"];
    }
}

impl Solver {
    /// The keys of `[train]` that it lists.
    fn keys(self) -> &'static [&'static str] {
        Self::CHOICES[self as usize].uses
    }

    /// Whether its runs advance epoch by epoch, and not until they have converged.
    pub fn is_first_order(self) -> bool {
        self.keys().contains(&"learning_rate")
    }

    /// Whether the key of `[train]` with this name matters to this solver: it lists the key, or no solver does.
    pub fn uses(self, key: &str) -> bool {
        self.keys().contains(&key) || Self::users(key).is_empty()
    }

    /// The solvers that list the key; none when it matters to all.
    pub fn users(key: &str) -> Vec<Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(|solver| solver.keys().contains(&key))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrainConfig;

    #[test]
    fn keys_that_solvers_list_are_keys() {
        for solver in Solver::ALL {
            for key in solver.keys() {
                assert!(TrainConfig::KEYS.iter().any(|k| k.name == *key), "{solver}: {key}");
            }
        }
        assert!(Solver::Sgd.uses("momentum") && !Solver::Adam.uses("momentum"));
        assert!(Solver::Adam.uses("epochs"));
    }
}
