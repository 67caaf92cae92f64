//! Checks the fused gradient on the user's own rows, folds and preprocessing, in f64.
//!
//! Three ways to the same derivatives: the fused pass with each fold's preprocessing folded into the weights, small steps
//! of the objective on explicitly preprocessed rows, and the computation graph of every row.

use std::fmt;

use gradsweep_data::{Dataset, Role};
use gradsweep_math::check::finite_difference::{gradient, relative_error};
use gradsweep_math::fused::{LinearBlock, Rows};
use gradsweep_math::init::{Start, weights};
use gradsweep_math::penalty::l2;
use gradsweep_math::reference::{Problem, loops};
use gradsweep_math::select::Selection;
use gradsweep_math::solver::MOST_WHOLE;
use gradsweep_math::workspace::{Scratch, Sums};
use gradsweep_math::{blas, check};
use ndarray::{Array2, Axis};
use serde::Serialize;

use crate::dataset::{self, shape_of};
use crate::error::RunError;
use crate::plan::{Plan, PlannedRun};
use crate::search;
use crate::sweep::Request;
use crate::train::View;

/// Rows of each row group that are checked.
const ROWS_PER_GROUP: usize = 100;
/// Derivatives further apart than this fail the check.
pub const TOLERANCE: f64 = 1e-6;

/// How far derivatives are apart in one fold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoldCheck {
    /// How the rows are prepared, where the sweep has several ways: `impute = median`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub preparation: String,
    /// The fold's label.
    pub fold: String,
    /// Training rows that were checked.
    pub rows: usize,
    /// Derivatives compared.
    pub parameters: usize,
    /// Largest relative error, fused against finite differences.
    pub finite_differences: f64,
    /// Largest relative error, fused against the computation graph.
    pub graph: f64,
}

/// The result of a gradient check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GradCheck {
    /// One line per fold.
    pub folds: Vec<FoldCheck>,
}

impl GradCheck {
    /// Whether every derivative agrees to [`TOLERANCE`].
    pub fn passed(&self) -> bool {
        self.folds
            .iter()
            .all(|fold| fold.finite_differences <= TOLERANCE && fold.graph <= TOLERANCE)
    }
}

/// Checks every fold, under every way of preparing the rows, at random weights under the smallest C of the sweep.
pub fn gradcheck(request: &Request) -> Result<GradCheck, RunError> {
    blas::use_one_thread_per_product();
    let first = search::first_preparation(&request.config)?;
    let data: Dataset<f64> = dataset::load(&first.applied_to(&request.config), request.rows, 0)?;
    let (config, _) = search::with_c_path(&request.config, &data)?;
    let config = &config;
    let trials = search::trials(config)?;
    let plan = Plan::new(config, trials, shape_of(&data), &data.summary.fingerprint);
    let mut folds = check_folds(&plan, 0, &View::new(&data, config))?;
    drop(data);
    for (preparation, own) in plan.preparations.iter().enumerate().skip(1) {
        let data: Dataset<f64> = dataset::load(&own.applied_to(config), request.rows, 0)?;
        folds.extend(check_folds(&plan, preparation, &View::new(&data, config))?);
    }
    Ok(GradCheck { folds })
}

fn check_folds(plan: &Plan, preparation: usize, view: &View<'_, f64>) -> Result<Vec<FoldCheck>, RunError> {
    if view.map.features > MOST_WHOLE {
        let what = format!(
            "gradcheck steps along each of {} weights and takes at most {MOST_WHOLE}: check fewer levels with \
             --set preprocess.one_hot.max_categories=100",
            view.map.features
        );
        return Err(RunError::NotFound { what });
    }
    let own = plan.trials.iter().filter(|trial| {
        let of = plan.view_of(trial.number, 0);
        of.is_some_and(|of| of.preparation == preparation)
    });
    let strongest = own.min_by(|a, b| a.model.c.total_cmp(&b.model.c));
    let run_of = |fold: usize| {
        let is_its = |run: &PlannedRun| Some(&plan.trials[run.trial]) == strongest && run.fold == fold;
        plan.runs.iter().position(is_its)
    };
    let folds = (0..view.folds.labels.len()).filter_map(|fold| Some(check_fold(view, plan, run_of(fold)?, fold)));
    let preparation = if plan.preparations.len() > 1 {
        plan.preparation_words(preparation)
    } else {
        String::new()
    };
    let named = folds.map(|check| FoldCheck {
        preparation: preparation.clone(),
        ..check
    });
    Ok(named.collect())
}

fn check_fold(view: &View<'_, f64>, plan: &Plan, run: usize, fold: usize) -> FoldCheck {
    let mut column = view.column(plan, run);
    column.start = weights(Start::Normal { std: 0.5 }, view.seed, 0, &view.features);
    column.intercept = 0.1;
    // Both sides measure the plain mean loss; weights are checked where the kernels are.
    column.objective.class_weight = [1.0; 2];
    let is_held = &view.map.folds[fold].is_held;
    for (weight, &is_held) in column.start.iter_mut().zip(is_held) {
        *weight = if is_held { 0.0 } else { *weight };
    }
    let groups: Vec<usize> = view.groups_as(fold, Role::Train).collect();
    let rows = |group: usize| {
        let all = &view.groups[group];
        view.rows(group, all.start..all.end.min(all.start + ROWS_PER_GROUP))
    };

    let features: Vec<Array2<f64>> = groups
        .iter()
        .map(|&group| view.map.features_of(fold, &rows(group).x))
        .collect();
    let views: Vec<_> = features.iter().map(|x| x.view()).collect();
    let x = ndarray::concatenate(Axis(0), &views).expect("all groups have the same features");
    let y: Vec<f64> = groups.iter().flat_map(|&group| rows(group).y.to_vec()).collect();
    let selection = Selection::all(y.len(), 1);
    let p = view.map.features;
    let at = |point: &[f64], evaluate: gradsweep_math::reference::Rung| {
        let w = Array2::from_shape_vec((p, 1), point[..p].to_vec()).expect("p weights");
        evaluate(&Problem {
            x: x.view(),
            y: &y,
            selection: &selection,
            w: w.view(),
            b: &point[p..],
        })
    };
    let objective =
        |point: &[f64]| at(point, loops::evaluate).loss[0] + l2::value(column.objective.l2, point[..p].iter().copied());
    let point: Vec<f64> = column.start.iter().copied().chain([column.intercept]).collect();
    let by_steps = gradient(objective, &point);
    let by_graph = at(&point, check::graph::evaluate);

    let mut block = LinearBlock::<f64>::new(&view.map, std::slice::from_ref(&column));
    let mut sums = Sums::new(view.map.weights(), view.groups.len(), block.width());
    let mut scratch = Scratch::new(view.map.raw_columns, block.width());
    for &group in &groups {
        let own = Rows {
            weight: None,
            ..rows(group)
        };
        block.pass().accumulate(own, view.cut, &mut scratch, &mut sums);
    }
    let fused = block.gradient(&sums, &[y.len() as f64]);

    let mut out = FoldCheck {
        preparation: String::new(),
        fold: view.folds.labels[fold].clone(),
        rows: y.len(),
        parameters: 0,
        finite_differences: 0.0,
        graph: 0.0,
    };
    for i in 0..=p {
        let is_fixed = if i < p {
            is_held[i]
        } else {
            !column.objective.fit_intercept
        };
        if is_fixed {
            continue;
        }
        let graph = if i < p {
            by_graph.dw[[i, 0]] + column.objective.l2 * point[i]
        } else {
            by_graph.db[0]
        };
        out.parameters += 1;
        out.finite_differences = out.finite_differences.max(relative_error(fused[[i, 0]], by_steps[i]));
        out.graph = out.graph.max(relative_error(fused[[i, 0]], graph));
    }
    out
}

impl fmt::Display for GradCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Largest relative error of the fused gradient, in f64, on the config's own rows"
        )?;
        writeln!(f)?;
        writeln!(
            f,
            "fold      rows  parameters  v finite differences  v computation graph"
        )?;
        for fold in &self.folds {
            writeln!(
                f,
                "{:<8}  {:>4}  {:>10}  {:>20.1e}  {:>19.1e}  {}",
                fold.fold, fold.rows, fold.parameters, fold.finite_differences, fold.graph, fold.preparation
            )?;
        }
        writeln!(f)?;
        let verdict = if self.passed() { "agree" } else { "DISAGREE" };
        writeln!(f, "derivatives {verdict} (tolerance {TOLERANCE:.0e})")
    }
}
