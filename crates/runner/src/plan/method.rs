//! How each trial is trained, with `auto` resolved from the data's shape.

use gradsweep_math::elementwise::LANES;
use gradsweep_math::fused::pairs_of;
use gradsweep_math::optimizer::Kind;
use gradsweep_math::solver::MOST_WHOLE;

use crate::config::Solver;
use crate::search::Trial;

/// Operations of one Hessian product of all runs up to which `auto` takes Newton's method.
const WORTH_HESSIANS: f64 = 2.5e9;
/// Stored columns up to which a run may have a Hessian of its own where `auto` decides.
const MOST_HESSIAN_COLUMNS: usize = 512;

/// How a trial is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// A step per batch by a first-order optimizer.
    Steps(Kind),
    /// Quasi-Newton steps that share their curvature (`lbfgs`).
    QuasiNewton {
        /// Whether a run that is not done after many epochs takes its own Hessians.
        may_switch: bool,
    },
    /// Steps by each run's own Hessian (`newton`).
    Newton,
}

impl Method {
    /// The solver's name in config and plan.
    pub fn name(self) -> &'static str {
        match self {
            Self::Steps(kind) => kind.name(),
            Self::QuasiNewton { .. } => "lbfgs",
            Self::Newton => "newton",
        }
    }

    /// Whether it goes on until the gradient is small.
    pub fn converges(self) -> bool {
        !matches!(self, Self::Steps(_))
    }
}

/// The size of the work, from which `auto` chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows.
    pub rows: usize,
    /// Stored columns, with one for every level that is stored as a code.
    pub raw_columns: usize,
    /// Weights of a run without its intercept.
    pub features: usize,
    /// Folds.
    pub folds: usize,
}

impl Shape {
    /// No rows yet: for what depends on the trials alone.
    pub const EMPTY: Self = Self {
        rows: 0,
        raw_columns: 0,
        features: 0,
        folds: 0,
    };
}

/// The method of every trial, and why `auto` chose as it did for those that were asked for last. What it chooses for trials
/// that were asked for together does not depend on those that come later.
pub(super) fn methods(trials: &[Trial], shape: Shape) -> (Vec<Method>, Option<String>) {
    let mut all = (Vec::with_capacity(trials.len()), None);
    for round in trials.chunk_by(|a, b| a.round == b.round) {
        let (methods, why) = of_round(round, shape);
        all.0.extend(methods);
        all.1 = why;
    }
    all
}

fn of_round(trials: &[Trial], shape: Shape) -> (Vec<Method>, Option<String>) {
    let automatic = || trials.iter().filter(|trial| trial.train.solver == Solver::Auto);
    let runs: usize = automatic()
        .map(|trial| shape.folds * trial.train.restarts as usize)
        .sum();
    // A product of a few columns costs as much as one of a register of them.
    let operations = 2.0 * (shape.rows * pairs_of(shape.raw_columns)) as f64 * runs.max(LANES) as f64;
    let is_narrow = shape.raw_columns <= MOST_HESSIAN_COLUMNS;
    let chosen = |trial: &Trial| {
        if is_narrow && (operations <= WORTH_HESSIANS || trial.model.c.is_infinite()) {
            Method::Newton
        } else {
            Method::QuasiNewton { may_switch: is_narrow }
        }
    };
    let methods: Vec<Method> = trials
        .iter()
        .map(|trial| match trial.train.solver {
            Solver::Auto => chosen(trial),
            Solver::Lbfgs => Method::QuasiNewton { may_switch: false },
            Solver::Newton => Method::Newton,
            Solver::Gd => Method::Steps(Kind::Gd),
            Solver::Sgd => Method::Steps(Kind::Sgd),
            Solver::Adam => Method::Steps(Kind::Adam),
            Solver::AdamW => Method::Steps(Kind::AdamW),
            Solver::AdaGrad => Method::Steps(Kind::Adagrad),
            Solver::RmsProp => Method::Steps(Kind::RmsProp),
        })
        .collect();
    let why = automatic().next().map(|_| {
        let gflop = operations / 1e9;
        if is_narrow && operations <= WORTH_HESSIANS {
            format!(
                "solver auto = newton: the Hessians of all {runs} runs are one product of {} GFLOP",
                if gflop < 0.1 { "less than 0.1".to_owned() } else { format!("{gflop:.1}") }
            )
        } else if is_narrow {
            format!(
                "solver auto = lbfgs (newton without a penalty): the Hessians of all {runs} runs would be {gflop:.0} GFLOP \
                 an epoch; a run that is not done after many epochs takes its own"
            )
        } else {
            let curvature = if shape.features > MOST_WHOLE {
                ", and for eigenvectors: steps start from a diagonal"
            } else {
                ""
            };
            format!(
                "solver auto = lbfgs: {} columns are too many for Hessians{curvature}",
                shape.raw_columns
            )
        }
    });
    (methods, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::search;

    fn of(train: &str, shape: Shape) -> Vec<&'static str> {
        let text = format!(
            "[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[train]\n{train}\n[sweep.parameters]\nmodel.C = [1.0, inf]\n"
        );
        let config = parse(&text, "a.toml", "a", &[]).expect("a config");
        let trials = search::trials(&config).expect("trials");
        methods(&trials, shape).0.iter().map(|method| method.name()).collect()
    }

    #[test]
    fn auto_takes_hessians_where_they_are_cheap_or_needed() {
        let small = Shape {
            rows: 569,
            raw_columns: 30,
            features: 30,
            folds: 5,
        };
        let long = Shape {
            rows: 1_000_000,
            raw_columns: 28,
            features: 28,
            folds: 5,
        };
        let wide = Shape {
            rows: 10_000,
            raw_columns: 4000,
            features: 4000,
            folds: 5,
        };
        assert_eq!(of("", small), ["newton"; 2]);
        assert_eq!(of("", long), ["lbfgs", "newton"]);
        assert_eq!(of("", wide), ["lbfgs"; 2]);
        assert_eq!(of("solver = \"lbfgs\"", small), ["lbfgs"; 2]);
        assert_eq!(of("solver = \"sgd\"", small), ["sgd"; 2]);
    }
}
