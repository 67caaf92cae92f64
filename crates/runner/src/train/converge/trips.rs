//! Trips of many columns over all rows, shared between threads.
//!
//! Rows are cut into segments, columns into a few passes where rows alone would not keep the threads busy. Both cuts follow
//! from the plan, and the sums of the segments are added in their order, so bits do not depend on threads. A trip can pause
//! between two rounds of segments, and goes on from the sums so far.

use std::ops::{ControlFlow, Range};

use gradsweep_math::Real;
use gradsweep_math::affine::BlockAffine;
use gradsweep_math::codes::Codes;
use gradsweep_math::curvature::FirstMoments;
use gradsweep_math::fused::{HessianScratch, Hessians, Objective, Pass, pairs_of};
use gradsweep_math::workspace::{Scores, Scratch, Sums, padded_width};
use ndarray::{Array2, s};
use rayon::prelude::*;

use crate::train::{View, segments_of_sum};

/// Units of work (a segment of rows by a pass of columns) below which columns are cut too.
const FEWEST_UNITS: usize = 8;
/// Columns of a pass, at the least, before it is cut.
const NARROWEST: usize = 32;
/// Units whose sums are kept until they are added.
const ROUND: usize = 16;
/// Pairs of stored columns above which few Hessians are summed at a time.
const MANY_PAIRS: usize = 20_000;

/// Rows of one group each, in order, that a thread takes at a time.
pub(super) type Segment = (usize, Range<usize>);

/// Sums over the first units of a trip, one for each of its passes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Partial<S> {
    /// Units whose sums are in them.
    pub(super) units: usize,
    pub(super) totals: Vec<S>,
}

/// The columns of a trip, cut into passes.
pub(super) struct Trip<T> {
    passes: Vec<Columns<T>>,
    /// Neighboring segments that add to the same sums.
    together: usize,
}

/// What a trip says of one column.
pub(super) struct Seen {
    /// Gradient of the summed loss by weights and intercept.
    pub(super) gradient: Vec<f64>,
    /// Which of the trip's scores are the column's.
    pub(super) scores: usize,
    /// Its position within them.
    pub(super) position: usize,
}

impl<T: Real> Trip<T> {
    /// A trip that measures loss, gradient and scores of every column at its point.
    ///
    /// # Shapes
    /// `points` holds P + 1 parameters for each objective.
    pub(super) fn new(
        view: &View<'_, T>,
        segments: &[Segment],
        objectives: &[&Objective],
        points: &[Vec<f64>],
    ) -> Self {
        let cuts = FEWEST_UNITS
            .div_ceil(segments.len())
            .min(objectives.len() / NARROWEST)
            .max(1);
        let width = objectives.len().div_ceil(cuts);
        let together = segments_of_sum(segments.len(), view.map.weights(), width);
        Self::of_width(view, objectives, points, (width, together))
    }

    /// A trip that measures the Hessian of every column at its point.
    pub(super) fn of_hessians(view: &View<'_, T>, objectives: &[&Objective], points: &[Vec<f64>]) -> Self {
        let is_large = pairs_of(view.map.expanded_columns()) > MANY_PAIRS;
        Self::of_width(view, objectives, points, (if is_large { 16 } else { 64 }, 1))
    }

    fn of_width(
        view: &View<'_, T>,
        objectives: &[&Objective],
        points: &[Vec<f64>],
        (width, together): (usize, usize),
    ) -> Self {
        let columns = objectives.chunks(width).zip(points.chunks(width));
        Self {
            passes: columns
                .map(|(objectives, points)| Columns::new(view, objectives, points))
                .collect(),
            together,
        }
    }

    /// Sums over no rows yet.
    pub(super) fn no_sums(&self, view: &View<'_, T>) -> Partial<Sums> {
        let sums = |columns: &Columns<T>| Sums::new(view.map.weights(), view.groups.len(), columns.pass.width());
        Partial {
            units: 0,
            totals: self.passes.iter().map(sums).collect(),
        }
    }

    /// As [`Trip::no_sums`], of Hessians.
    pub(super) fn no_hessians(&self, view: &View<'_, T>) -> Partial<Hessians> {
        let sums = |columns: &Columns<T>| Hessians::new(view.map.expanded_columns(), columns.pass.width());
        Partial {
            units: 0,
            totals: self.passes.iter().map(sums).collect(),
        }
    }

    /// Adds the rows that are still missing, unless told to pause on the way.
    pub(super) fn add_sums(
        &self,
        view: &View<'_, T>,
        segments: &[Segment],
        to: &mut Partial<Sums>,
        pause: &(dyn Fn() -> bool + Sync),
    ) -> ControlFlow<()> {
        let (weights, groups) = (view.map.weights(), view.groups.len());
        let Partial { units, totals } = to;
        in_rounds(
            (self.passes.len(), segments, self.together, units),
            |pass| Scratch::new(view.map.raw_columns, self.passes[pass].pass.width()),
            |scratch, pass, segments| {
                let pass = &self.passes[pass].pass;
                let mut sums = Sums::new(weights, groups, pass.width());
                for (group, rows) in segments {
                    pass.accumulate(view.rows(*group, rows.clone()), view.cut, scratch, &mut sums);
                }
                sums
            },
            |pass, part| totals[pass].add(&part),
            pause,
        )
    }

    /// As [`Trip::add_sums`], of Hessians.
    pub(super) fn add_hessians(
        &self,
        view: &View<'_, T>,
        segments: &[Segment],
        to: &mut Partial<Hessians>,
        pause: &(dyn Fn() -> bool + Sync),
    ) -> ControlFlow<()> {
        let raw_columns = view.map.expanded_columns();
        let Partial { units, totals } = to;
        in_rounds(
            (self.passes.len(), segments, self.together, units),
            |pass| HessianScratch::new(raw_columns, self.passes[pass].pass.width()),
            |scratch, pass, segments| {
                let pass = &self.passes[pass].pass;
                let mut sums = Hessians::new(raw_columns, pass.width());
                for (group, rows) in segments {
                    pass.add_hessians(view.rows(*group, rows.clone()), scratch, &mut sums);
                }
                sums
            },
            |pass, part| totals[pass].add(&part),
            pause,
        )
    }

    /// What the sums of all rows say of every column, and its scores.
    pub(super) fn seen(&self, view: &View<'_, T>, sums: Partial<Sums>) -> (Vec<Seen>, Vec<Scores>) {
        let mut seen = Vec::new();
        let mut scores = Vec::with_capacity(self.passes.len());
        for (index, (columns, sums)) in self.passes.iter().zip(sums.totals).enumerate() {
            let gradient = columns.gradient(view, &sums);
            seen.extend((0..columns.count).map(|position| Seen {
                gradient: gradient.column(position).to_vec(),
                scores: index,
                position,
            }));
            scores.push(sums.scores);
        }
        (seen, scores)
    }

    /// The Hessian of the summed loss of every column, by weights and intercept.
    pub(super) fn hessians(
        &self,
        view: &View<'_, T>,
        objectives: &[&Objective],
        sums: &Partial<Hessians>,
    ) -> Vec<Array2<f64>> {
        let places = self.passes.iter().zip(&sums.totals);
        let places = places.flat_map(|(columns, total)| (0..columns.count).map(move |position| (total, position)));
        let map = view.map.expanded();
        let of_column = |(objective, (total, position)): (&&Objective, (&Hessians, usize))| {
            let raw = total.of(position);
            map.congruence(&map.folds[objective.fold], &raw.view())
        };
        let all: Vec<_> = objectives.iter().zip(places).collect();
        all.into_par_iter().map(of_column).collect()
    }
}

/// The Hessian of the summed loss of every column at its point, by weights and intercept, in one go.
pub(super) fn hessians<T: Real>(
    view: &View<'_, T>,
    segments: &[Segment],
    objectives: &[&Objective],
    points: &[Vec<f64>],
) -> Vec<Array2<f64>> {
    let trip = Trip::of_hessians(view, objectives, points);
    let mut sums = trip.no_hessians(view);
    // Nothing pauses it.
    let _whole = trip.add_hessians(view, segments, &mut sums, &|| false);
    trip.hessians(view, objectives, &sums)
}

/// `Σ [x 1]ᵀ[x 1]` of the stored rows of some groups, with a column for every level of `codes`, as many as the curvature is
/// worth: all of a small table, and of a large one the first rows of every group, which were dealt at random.
pub(super) fn moments<T: Real>(
    view: &View<'_, T>,
    codes: &Codes,
    segments: &[Segment],
    wanted_rows: usize,
    is_wanted: impl Fn(usize) -> bool,
) -> Array2<f64> {
    let order = view.map.raw_columns + codes.count() + 1;
    let used = wanted(segments, is_wanted);
    let rows: usize = used.iter().map(|(_, rows)| rows.len()).sum();
    let share = (wanted_rows as f64 / rows.max(1) as f64).min(1.0);
    let mut total = Array2::zeros((order, order));
    let of_segment = |(group, rows): &Segment| {
        let taken = ((rows.len() as f64 * share).ceil() as usize).min(rows.len());
        let mut rows = view.rows(*group, rows.start..rows.start + taken);
        if codes.columns() == 0 {
            rows.x = rows.x.slice_move(s![.., ..view.map.raw_columns]);
        }
        gradsweep_math::curvature::second_moments(&rows, codes)
    };
    // Nothing pauses it.
    let _whole = in_rounds(
        (1, &used, 1, &mut 0),
        |_| (),
        |(), _, segments| segments.iter().map(of_segment).reduce(|sum, part| sum + part),
        |_, part: Option<Array2<f64>>| {
            if let Some(part) = part {
                total += &part;
            }
        },
        &|| false,
    );
    total
}

/// Sums, squares and counts of codes of all rows of some groups.
pub(super) fn first_moments<T: Real>(
    view: &View<'_, T>,
    segments: &[Segment],
    is_wanted: impl Fn(usize) -> bool,
) -> FirstMoments {
    let none = || FirstMoments::new(view.map.raw_columns, view.map.codes.count());
    let mut total = none();
    // Nothing pauses it.
    let _whole = in_rounds(
        (1, &wanted(segments, is_wanted), 1, &mut 0),
        |_| (),
        |(), _, segments| {
            let mut sums = none();
            for (group, rows) in segments {
                sums.add(&view.rows(*group, rows.clone()));
            }
            sums
        },
        |_, part: FirstMoments| total.merge(&part),
        &|| false,
    );
    total
}

fn wanted(segments: &[Segment], is_wanted: impl Fn(usize) -> bool) -> Vec<Segment> {
    let used = segments.iter().filter(|(group, _)| is_wanted(*group));
    used.cloned().collect()
}

/// Does every unit of work (a pass by so many neighboring segments) after the first `done` in parallel, each worker with one
/// scratch per pass, and adds what they return in the order of the segments; unless told to pause, which is asked between
/// rounds.
fn in_rounds<S, R: Send>(
    (passes, segments, together, done): (usize, &[Segment], usize, &mut usize),
    scratch: impl Fn(usize) -> S + Sync,
    work: impl Fn(&mut S, usize, &[Segment]) -> R + Sync,
    mut add: impl FnMut(usize, R),
    pause: &(dyn Fn() -> bool + Sync),
) -> ControlFlow<()> {
    let units: Vec<(usize, &[Segment])> = segments
        .chunks(together)
        .flat_map(|segments| (0..passes).map(move |pass| (pass, segments)))
        .collect();
    for round in units[(*done).min(units.len())..].chunks(ROUND) {
        if pause() {
            return ControlFlow::Break(());
        }
        let none = || (0..passes).map(|_| None).collect::<Vec<Option<S>>>();
        let parts: Vec<R> = round
            .par_iter()
            .map_init(none, |scratches, &(pass, segments)| {
                work(scratches[pass].get_or_insert_with(|| scratch(pass)), pass, segments)
            })
            .collect();
        for (&(pass, _), part) in round.iter().zip(parts) {
            add(pass, part);
        }
        *done += round.len();
    }
    ControlFlow::Continue(())
}

/// Columns of one pass at their points.
struct Columns<T> {
    pass: Pass<T>,
    affine: BlockAffine<f64>,
    count: usize,
}

impl<T: Real> Columns<T> {
    fn new(view: &View<'_, T>, objectives: &[&Objective], points: &[Vec<f64>]) -> Self {
        let order = view.map.features + 1;
        let folds: Vec<usize> = objectives.iter().map(|objective| objective.fold).collect();
        let affine = BlockAffine::new(&view.map, &folds);
        let mut params = Array2::zeros((order, points.len()));
        for (point, mut column) in points.iter().zip(params.columns_mut()) {
            column.assign(&ndarray::ArrayView1::from(point));
        }
        let (mut w, mut b) = (
            Array2::zeros((view.map.weights(), points.len())),
            vec![0.0; points.len()],
        );
        affine.forward(&params.view(), w.view_mut(), &mut b);
        let mut pass = Pass::of_map(&view.map, objectives.iter().copied(), padded_width(points.len()));
        pass.set(&w.view(), &b);
        Self {
            pass,
            affine,
            count: points.len(),
        }
    }

    fn gradient(&self, view: &View<'_, T>, sums: &Sums) -> Array2<f64> {
        let mut gradient = Array2::zeros((view.map.features + 1, self.count));
        let g = sums.g.slice(s![.., ..self.count]);
        let g = g.as_standard_layout();
        self.affine
            .adjoint(&g.view(), &sums.db[..self.count], gradient.view_mut());
        gradient
    }
}

/// A pass of the columns at their points, for scores that need the rows in order.
pub(super) fn pass_at<T: Real>(view: &View<'_, T>, objectives: &[&Objective], points: &[Vec<f64>]) -> Pass<T> {
    Columns::new(view, objectives, points).pass
}
