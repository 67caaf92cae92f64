//! Densities of settings: a mixture of one kernel per trial, each a product over the parameters.
//!
//! A setting is a point of the unit cube. Along a parameter whose neighbors are alike a kernel is a normal density cut to
//! [0, 1], as wide as the farther of the two nearest centers is away; along one whose values stand for themselves it is a
//! share for its own value and a little for each other. A last kernel, wide in every direction, stands for what no trial has
//! said; so does the factor of a kernel along a parameter that had no effect in its trial.
//!
//! # Source
//! Bergstra, Bardenet, Bengio and Kégl 2011; the joint kernels of Falkner, Klein and Hutter 2018; widths and weights as in
//! Optuna.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use rand_chacha::ChaCha8Rng;

use super::stream::unit;

/// The width of a kernel that says nothing.
const WIDEST: f64 = 1.0;
/// Kernels are at least 1/(1 + their number) wide, and never narrower than this.
const NARROWEST: f64 = 0.01;

/// A parameter, as a density sees it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Axis {
    /// Neighbors are alike.
    Ordered,
    /// Every value stands for itself: where the places of each end.
    Cells(Vec<f64>),
}

/// A setting: its place along each axis; none where the parameter had no effect.
pub(super) type Places = Vec<Option<f64>>;

/// A density on the unit cube.
pub(super) struct Density<'a> {
    axes: &'a [Axis],
    kernels: Vec<Vec<Factor>>,
    /// Sums of the kernels' weights, the last one 1.
    sums: Vec<f64>,
    log_weights: Vec<f64>,
}

/// A kernel along one axis.
#[derive(Debug, Clone, Copy)]
enum Factor {
    /// Normal, with the logarithm of what makes it integrate to 1 between 0 and 1.
    Bell { center: f64, width: f64, log_scale: f64 },
    /// One cell above the others, which have this share of the whole together.
    Cell { own: usize, others: f64 },
    /// Every cell by its own share.
    Shares,
}

impl<'a> Density<'a> {
    /// Of settings with their weights; the wide kernel weighs 1.
    pub(super) fn new(axes: &'a [Axis], settings: &[(&Places, f64)]) -> Self {
        let mut kernels = vec![Vec::with_capacity(axes.len()); settings.len() + 1];
        for (index, axis) in axes.iter().enumerate() {
            let places: Vec<Option<f64>> = settings.iter().map(|(places, _)| places[index]).collect();
            for (kernel, factor) in kernels.iter_mut().zip(factors(axis, &places)) {
                kernel.push(factor);
            }
        }
        let weights: Vec<f64> = settings.iter().map(|(_, weight)| *weight).chain([1.0]).collect();
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let sums = weights.iter().map(|weight| {
            sum += weight / total;
            sum
        });
        Self {
            axes,
            kernels,
            sums: sums.collect(),
            log_weights: weights.iter().map(|weight| (weight / total).ln()).collect(),
        }
    }

    /// A point of this density.
    pub(super) fn draw(&self, random: &mut ChaCha8Rng) -> Vec<f64> {
        let at = unit(random);
        let kernel = self.sums.partition_point(|sum| *sum <= at).min(self.kernels.len() - 1);
        let pairs = self.kernels[kernel].iter().zip(self.axes);
        pairs.map(|(factor, axis)| factor.draw(axis, random)).collect()
    }

    /// The logarithm of the density at a point.
    pub(super) fn log_at(&self, point: &[f64]) -> f64 {
        let of = |(kernel, log_weight): (&Vec<Factor>, &f64)| {
            let along = kernel.iter().zip(self.axes).zip(point);
            log_weight
                + along
                    .map(|((factor, axis), place)| factor.log_at(axis, *place))
                    .sum::<f64>()
        };
        let logs: Vec<f64> = self.kernels.iter().zip(&self.log_weights).map(of).collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if most == f64::NEG_INFINITY {
            return most;
        }
        most + logs.iter().map(|log| (log - most).exp()).sum::<f64>().ln()
    }
}

/// The factors of all kernels along an axis, that of the wide one last.
fn factors(axis: &Axis, places: &[Option<f64>]) -> Vec<Factor> {
    let known: Vec<f64> = places.iter().copied().flatten().collect();
    let count = known.len() as f64 + 1.0;
    match axis {
        Axis::Ordered => {
            let mut sorted = known;
            sorted.sort_by(f64::total_cmp);
            let narrowest = (1.0 / (1.0 + count)).max(NARROWEST);
            let own = |place: f64| Factor::bell(place, width(&sorted, place).clamp(narrowest, WIDEST));
            let wide = Factor::bell(0.5, WIDEST);
            let of_trials = places.iter().map(|place| place.map_or(wide, own));
            of_trials.chain([wide]).collect()
        }
        Axis::Cells(ends) => {
            let others = ends.len() as f64 / count;
            let others = others / (1.0 + others);
            let own = |place: f64| Factor::Cell {
                own: cell(ends, place),
                others,
            };
            let of_trials = places.iter().map(|place| place.map_or(Factor::Shares, own));
            of_trials.chain([Factor::Shares]).collect()
        }
    }
}

/// The distance to the farther of the neighbors of a place, one of these; of the first and the last, to the only one. A lone
/// place is as wide as the farther end is away.
fn width(sorted: &[f64], place: f64) -> f64 {
    if sorted.len() == 1 {
        return place.max(1.0 - place);
    }
    let first = sorted.partition_point(|own| *own < place);
    let last = sorted.partition_point(|own| *own <= place);
    // Of equal places only the outer ones have other neighbors, and all of them are taken for one.
    let below = first.checked_sub(1).map(|index| place - sorted[index]);
    let above = sorted.get(last).map(|own| own - place);
    below.into_iter().chain(above).fold(0.0, f64::max)
}

impl Factor {
    fn bell(center: f64, width: f64) -> Self {
        let outside = |distance: f64| 0.5 * libm::erfc(distance / width * FRAC_1_SQRT_2);
        let inside = 1.0 - outside(center) - outside(1.0 - center);
        Self::Bell {
            center,
            width,
            log_scale: -(inside * width).ln() - 0.5 * TAU.ln(),
        }
    }

    fn log_at(self, axis: &Axis, place: f64) -> f64 {
        let share_there = || match axis {
            Axis::Ordered => (0, 1.0),
            Axis::Cells(ends) => {
                let cell = cell(ends, place);
                (cell, share(ends, cell))
            }
        };
        match self {
            Self::Bell {
                center,
                width,
                log_scale,
            } => log_scale - 0.5 * ((place - center) / width).powi(2),
            Self::Cell { own, others } => {
                let (cell, share) = share_there();
                let more = if cell == own { 1.0 - others } else { 0.0 };
                (more + others * share).ln()
            }
            Self::Shares => share_there().1.ln(),
        }
    }

    fn draw(self, axis: &Axis, random: &mut ChaCha8Rng) -> f64 {
        match (self, axis) {
            // At least a third of the numbers lie between 0 and 1.
            (Self::Bell { center, width, .. }, _) => loop {
                let place = center + width * normal(random);
                if (0.0..1.0).contains(&place) {
                    return place;
                }
            },
            (Self::Cell { own, others }, Axis::Cells(ends)) => {
                let (place, is_own) = (unit(random), unit(random) >= others);
                let start = if own == 0 { 0.0 } else { ends[own - 1] };
                if is_own { f64::midpoint(start, ends[own]) } else { place }
            }
            (Self::Shares | Self::Cell { .. }, _) => unit(random),
        }
    }
}

/// The cell that a place lies in.
fn cell(ends: &[f64], place: f64) -> usize {
    ends.partition_point(|end| *end <= place).min(ends.len() - 1)
}

/// The share of a cell.
fn share(ends: &[f64], cell: usize) -> f64 {
    ends[cell] - if cell == 0 { 0.0 } else { ends[cell - 1] }
}

/// A standard normal number.
///
/// # Source
/// Box and Muller 1958.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (radius, angle) = (1.0 - unit(random), TAU * unit(random));
    (-2.0 * radius.ln()).sqrt() * angle.cos()
}

#[cfg(test)]
mod tests {
    use super::super::stream::named;
    use super::*;

    #[test]
    fn densities_integrate_to_one() {
        let axes = [Axis::Ordered, Axis::Cells(vec![0.5, 0.75, 1.0])];
        let settings = [
            vec![Some(0.0), Some(0.25)],
            vec![Some(0.1), None],
            vec![None, Some(0.9)],
            vec![Some(0.98), Some(0.25)],
        ];
        let weighted: Vec<(&Places, f64)> = settings.iter().zip([1.0, 0.5, 1.0, 0.2]).collect();
        for settings in [&weighted[..], &weighted[..1], &[]] {
            let density = Density::new(&axes, settings);
            let mut sum = 0.0;
            for i in 0..2000 {
                for cell in [0.1, 0.6, 0.9] {
                    sum += density.log_at(&[(f64::from(i) + 0.5) / 2000.0, cell]).exp() / 2000.0;
                }
            }
            assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        }
    }

    #[test]
    fn draws_follow_the_density() {
        let axes = [Axis::Ordered, Axis::Cells(vec![0.25, 0.5, 0.75, 1.0])];
        let settings = [vec![Some(0.05), Some(0.3)], vec![Some(0.8), Some(0.3)]];
        let weighted: Vec<(&Places, f64)> = settings.iter().map(|places| (places, 1.0)).collect();
        let density = Density::new(&axes, &weighted);
        let mut random = named(0, "draws");
        let draws: Vec<Vec<f64>> = (0..20_000).map(|_| density.draw(&mut random)).collect();
        let share = |holds: &dyn Fn(&[f64]) -> bool| {
            draws.iter().filter(|point| holds(point.as_slice())).count() as f64 / draws.len() as f64
        };
        let mass = |low: f64, high: f64, cell: f64| {
            let at = |i: i32| [low + (high - low) * (f64::from(i) + 0.5) / 500.0, cell];
            (0..500).map(|i| density.log_at(&at(i)).exp()).sum::<f64>() * (high - low) / 500.0
        };
        for (low, high) in [(0.0, 0.2), (0.2, 0.7), (0.7, 1.0)] {
            for (cell, place) in [0.1, 0.3, 0.6, 0.9].into_iter().enumerate() {
                let found = share(&|point| (low..high).contains(&point[0]) && (point[1] * 4.0) as usize == cell);
                let wanted = mass(low, high, place);
                assert!(
                    (found - wanted).abs() < 0.012,
                    "{low}..{high}, cell {cell}: {found}, not {wanted}"
                );
            }
        }
    }

    #[test]
    fn kernels_reach_to_the_farther_neighbor() {
        let sorted = [0.1, 0.2, 0.2, 0.5];
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(close(width(&sorted, 0.1), 0.1));
        assert!(close(width(&sorted, 0.2), 0.3));
        assert!(close(width(&sorted, 0.5), 0.3));
        assert!(close(width(&[0.2], 0.2), 0.8));
        assert_eq!(width(&[0.2, 0.2], 0.2), 0.0);
    }
}
