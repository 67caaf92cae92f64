//! First-order optimizers over columns: one step of many runs, each with its own hyperparameters.
//!
//! Adding one: a file with a struct that implements [`Optimizer`], and a line in the list below. The conformance test
//! (every optimizer, many columns at once against each column alone, a column leaving on the way) runs over the list.

mod adagrad;
mod adam;
mod adamw;
mod gd;
mod rmsprop;
mod sgd;
mod vectors;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::Real;

/// The hyperparameters of one run. An optimizer reads those that concern it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Step size α.
    pub learning_rate: f64,
    /// Momentum μ (sgd).
    pub momentum: f64,
    /// Nesterov's form of the momentum (sgd).
    pub nesterov: bool,
    /// Decay of the first moment (adam, adamw).
    pub beta1: f64,
    /// Decay of the second moment (adam, adamw).
    pub beta2: f64,
    /// Decay of the squared gradient (rmsprop).
    pub rho: f64,
    /// Added to the root of the squared gradient (adam, adamw, adagrad, rmsprop).
    pub epsilon: f64,
    /// Decoupled weight decay (adamw).
    pub weight_decay: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            learning_rate: 0.1,
            momentum: 0.0,
            nesterov: false,
            beta1: 0.9,
            beta2: 0.999,
            rho: 0.9,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

/// State and update rule of some columns of a block.
///
/// # Shapes
/// `params` and `grad` are (P + 1, k): a row per feature, the last row the intercepts, a column per run.
pub trait Optimizer<T: Real>: Send + Sync {
    /// One step of every column, in place.
    fn step(&mut self, params: ArrayViewMut2<'_, T>, grad: ArrayView2<'_, T>);

    /// The length of the last step per unit of a lasting gradient, for one row of parameters: what a proximal step after it
    /// shrinks weights by, per unit of `l1`.
    ///
    /// # Shapes
    /// `gain` (k), overwritten.
    fn gain(&self, row: usize, gain: &mut [T]);

    /// Steps of single rows, where a row's step depends on nothing but the row.
    fn rows(&mut self) -> Option<&mut dyn Rows<T>> {
        None
    }

    /// Keeps the given columns, in that order; the others have retired.
    fn keep(&mut self, columns: &[usize]);

    /// The learning rate of every column from the next step on.
    fn set_learning_rates(&mut self, rates: &[f64]);

    /// What a column has gathered so far.
    fn memory(&self, column: usize) -> Memory<T>;

    /// Gives a column what it had gathered when its memory was taken.
    ///
    /// # Panics
    /// If the memory is of another optimizer, or of another number of parameters.
    fn recall(&mut self, column: usize, memory: &Memory<T>);
}

/// What moves a weight whose loss has no gradient, by column.
#[derive(Debug, Clone, Copy)]
pub struct Penalties<'a, T> {
    /// Ridge strengths (k).
    pub l2: &'a [T],
    /// Lasso strengths (k).
    pub l1: &'a [T],
}

/// Steps of single rows of parameters: a batch that moves few of many rows leaves the others for later.
///
/// # Shapes
/// `w`, `g` (k): the parameters and gradients of a row.
pub trait Rows<T: Real> {
    /// One step of a row, as [`Optimizer::step`] takes it.
    fn step_row(&mut self, row: usize, w: &mut [T], g: &[T]);

    /// So many steps of a row whose loss has no gradient, proximal steps included: bit for bit what as many calls of
    /// [`Optimizer::step`] with the gradient of the ridge, each followed by its proximal step, would do.
    fn idle(&mut self, row: usize, w: &mut [T], penalties: Penalties<'_, T>, steps: u64);
}

/// What an optimizer has gathered for one column, as plain numbers: with the settings, all that its next steps depend on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory<T> {
    /// Moments of the gradient (P + 1 numbers each).
    pub moments: Vec<Vec<T>>,
    /// Running powers of the decays.
    pub powers: Vec<f64>,
}

macro_rules! optimizers {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $type:path;)*) => {
        /// The first-order optimizers there are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $variant,)*
        }

        impl Kind {
            /// All of them, in the order in which the columns of a block are sorted.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the config.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// A fresh optimizer for columns with these settings and `rows` = P + 1 parameters each.
            pub fn build<T: Real>(self, rows: usize, settings: &[Settings]) -> Box<dyn Optimizer<T>> {
                match self {
                    $(Self::$variant => Box::new(<$type>::new(rows, settings)),)*
                }
            }
        }
    };
}

optimizers! {
    /// Gradient descent.
    Gd, "gd", gd::Gd<T>;
    /// Stochastic gradient descent with momentum.
    Sgd, "sgd", sgd::Sgd<T>;
    /// Adam.
    Adam, "adam", adam::Adam<T>;
    /// Adam with decoupled weight decay.
    AdamW, "adamw", adamw::AdamW<T>;
    /// Adagrad.
    Adagrad, "adagrad", adagrad::Adagrad<T>;
    /// RMSprop.
    RmsProp, "rmsprop", rmsprop::RmsProp<T>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Axis};

    fn settings(column: usize) -> Settings {
        Settings {
            learning_rate: 0.01 * (column + 1) as f64,
            momentum: 0.3 * (column % 3) as f64,
            nesterov: column % 3 == 2,
            beta1: 0.8 + 0.02 * column as f64,
            weight_decay: 0.1 * column as f64,
            ..Settings::default()
        }
    }

    fn gradient(step: usize, rows: usize, column: usize) -> Array2<f64> {
        Array2::from_shape_fn((rows, 1), |(i, _)| ((step * 13 + i * 7 + column * 5) % 11) as f64 - 5.0)
    }

    /// Every optimizer: five columns together, one leaving on the way, equal each column alone bit for bit.
    #[test]
    fn columns_together_step_as_each_alone() {
        let (rows, columns, steps) = (4, 5, 12);
        for &kind in Kind::ALL {
            let all: Vec<Settings> = (0..columns).map(settings).collect();
            let mut together = Array2::from_shape_fn((rows, columns), |(i, j)| (i + j) as f64 * 0.1);
            let mut alone: Vec<Array2<f64>> = (0..columns)
                .map(|j| together.column(j).insert_axis(Axis(1)).to_owned())
                .collect();
            let mut fused = kind.build::<f64>(rows, &all);
            let mut single: Vec<_> = all.iter().map(|one| kind.build::<f64>(rows, &[*one])).collect();
            let mut live: Vec<usize> = (0..columns).collect();
            for step in 0..steps {
                if step == 5 {
                    fused.keep(&[0, 2, 3, 4]);
                    live.remove(1);
                    together = together
                        .select(Axis(1), &[0, 2, 3, 4])
                        .as_standard_layout()
                        .into_owned();
                }
                let grads: Vec<_> = live.iter().map(|&j| gradient(step, rows, j)).collect();
                let views: Vec<_> = grads.iter().map(|grad| grad.view()).collect();
                let grad = ndarray::concatenate(Axis(1), &views).expect("equal heights");
                fused.step(together.view_mut(), grad.as_standard_layout().view());
                for &j in &live {
                    single[j].step(alone[j].view_mut(), gradient(step, rows, j).view());
                }
            }
            for (position, &j) in live.iter().enumerate() {
                assert_eq!(
                    together.column(position),
                    alone[j].column(0),
                    "{} column {j}",
                    kind.name()
                );
            }
        }
    }

    /// More columns than a register has lanes.
    #[test]
    fn idle_steps_are_steps_along_the_penalty() {
        const COLUMNS: usize = 20;
        let all: Vec<Settings> = (0..COLUMNS).map(|column| settings(column % 5)).collect();
        let of = |strengths: [f64; 5]| std::array::from_fn::<f64, COLUMNS, _>(|column| strengths[column % 5]);
        let l2 = of([0.1, 0.0, 0.3, 2.0, 0.5]);
        // Some runs with a lasso, all, and none.
        let lassos = [[0.0, 0.02, 0.1, 0.0, 0.01], [0.02, 0.02, 0.1, 0.03, 0.01], [0.0; 5]].map(of);
        let mut late_ones = Vec::new();
        for (&kind, l1) in Kind::ALL.iter().flat_map(|kind| lassos.map(|l1| (kind, l1))) {
            let start = Array2::from_shape_fn((2, COLUMNS), |(i, j)| (i + j) as f64 * 0.3 - 0.7);
            let (mut late, mut timely) = (kind.build::<f64>(2, &all), kind.build::<f64>(2, &all));
            if late.rows().is_none() {
                continue;
            }
            late_ones.push(kind.name());
            let (mut w, mut v) = (start.clone(), start.clone());
            late.step(w.view_mut(), start.view());
            timely.step(v.view_mut(), start.view());
            for _ in 0..7 {
                let mut grad = Array2::zeros((2, COLUMNS));
                crate::penalty::l2::add_gradient(&l2, &v.view(), &mut grad.view_mut());
                timely.step(v.view_mut(), grad.view());
                let mut gain = [0.0; COLUMNS];
                timely.gain(0, &mut gain);
                crate::penalty::l1::shrink(v.row_mut(0).as_slice_mut().expect("row-major"), &gain, &l1);
            }
            let penalties = Penalties { l2: &l2, l1: &l1 };
            let rows = late.rows().expect("looked at");
            for steps in [4, 3] {
                rows.idle(0, w.row_mut(0).as_slice_mut().expect("row-major"), penalties, steps);
            }
            assert_eq!(w.row(0), v.row(0), "{}", kind.name());
            for column in [1, COLUMNS - 1] {
                assert_eq!(
                    late.memory(column).moments.first().map(|m| m[0]),
                    timely.memory(column).moments.first().map(|m| m[0])
                );
            }
        }
        late_ones.dedup();
        assert_eq!(late_ones, ["gd", "sgd"]);
    }

    /// What the proximal step after a step relies on.
    #[test]
    fn gain_is_the_step_per_unit_of_a_gradient_that_lasts() {
        let settings = |column: usize| Settings {
            weight_decay: 0.0,
            epsilon: 0.5,
            ..settings(column)
        };
        let all: Vec<Settings> = (0..5).map(settings).collect();
        let grad = Array2::from_shape_fn((2, 5), |(i, j)| [0.3, -2.0][i] + 0.1 * j as f64);
        for &kind in Kind::ALL {
            let mut optimizer = kind.build::<f64>(2, &all);
            let mut w = Array2::zeros((2, 5));
            let mut before = w.clone();
            for _ in 0..60 {
                before.assign(&w);
                optimizer.step(w.view_mut(), grad.view());
            }
            for row in 0..2 {
                let mut gain = [f64::NAN; 5];
                optimizer.gain(row, &mut gain);
                for column in 0..5 {
                    let (step, grad) = (before[[row, column]] - w[[row, column]], grad[[row, column]]);
                    let error = (step - gain[column] * grad).abs();
                    assert!(error < 1e-12, "{} row {row} column {column}: {error}", kind.name());
                }
            }
        }
    }

    /// As where a run goes on from a checkpoint, in another column and with a rate of its schedule's.
    #[test]
    fn a_memory_and_a_rate_are_all_that_later_steps_depend_on() {
        let rows = 3;
        let grad = |step: usize, column: usize| gradient(step, rows, column);
        for &kind in Kind::ALL {
            let mut first = kind.build::<f64>(rows, &[settings(1), settings(4)]);
            let mut w = Array2::from_elem((rows, 2), 0.5);
            for step in 0..4 {
                let both = ndarray::concatenate![Axis(1), grad(step, 0), grad(step, 1)];
                first.step(w.view_mut(), both.as_standard_layout().view());
            }
            let other = Settings {
                learning_rate: 0.7,
                ..settings(4)
            };
            let mut alone = kind.build::<f64>(rows, &[other]);
            alone.recall(0, &first.memory(1));
            first.set_learning_rates(&[0.01, 0.7]);
            let mut own = w.column(1).insert_axis(Axis(1)).as_standard_layout().into_owned();
            for step in 4..7 {
                let both = ndarray::concatenate![Axis(1), grad(step, 0), grad(step, 1)];
                first.step(w.view_mut(), both.as_standard_layout().view());
                alone.step(own.view_mut(), grad(step, 1).view());
            }
            assert_eq!(w.column(1), own.column(0), "{}", kind.name());
            assert_eq!(first.memory(1), alone.memory(0), "{}", kind.name());
        }
    }

    #[test]
    fn the_memory_of_another_optimizer_is_refused() {
        let memory = |kind: Kind| kind.build::<f64>(3, &[settings(0)]).memory(0);
        for &kind in Kind::ALL {
            for other in [Kind::Gd, Kind::Sgd, Kind::Adam].map(memory) {
                let is_own = other.moments.len() == memory(kind).moments.len();
                let recalled = std::panic::catch_unwind(|| kind.build::<f64>(3, &[settings(0)]).recall(0, &other));
                assert!(is_own || recalled.is_err(), "{} takes {other:?}", kind.name());
            }
        }
    }

    #[test]
    #[should_panic(expected = "3 parameters in a memory of 2")]
    fn a_memory_of_other_parameters_is_refused() {
        let memory = Kind::Sgd.build::<f64>(2, &[settings(0)]).memory(0);
        Kind::Sgd.build::<f64>(3, &[settings(0)]).recall(0, &memory);
    }

    #[test]
    fn every_optimizer_walks_downhill() {
        for &kind in Kind::ALL {
            let mut optimizer = kind.build::<f64>(
                2,
                &[Settings {
                    learning_rate: 0.1,
                    ..Settings::default()
                }],
            );
            let mut w = Array2::from_elem((2, 1), 3.0);
            for _ in 0..400 {
                let grad = w.clone();
                optimizer.step(w.view_mut(), grad.view());
            }
            assert!(w.iter().all(|w| w.abs() < 1.5), "{}: {w}", kind.name());
        }
    }
}
