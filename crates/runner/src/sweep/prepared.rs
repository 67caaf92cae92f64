//! What is known before any training, and whether there is memory for it.

use gradsweep_data::Element;
use gradsweep_math::Real;
use gradsweep_math::solver::MOST_WHOLE;

use super::loaded::Loaded;
use crate::config::{ClassWeight, Config};
use crate::dataset::{check_classes, check_scores, shape_of};
use crate::error::RunError;
use crate::plan::{Plan, PlanSummary};
use crate::search::Asked;
use crate::train::View;

/// The plan of a sweep's first trials, with the rows it is made for.
pub(super) struct Prepared<T> {
    /// The rows of the first repeat, in a file where memory is too small for them.
    pub(super) data: Loaded<T>,
    pub(super) plan: Plan,
    pub(super) summary: PlanSummary,
}

impl<T: Real + Element> Prepared<T> {
    /// Plans what was asked for; the config knows its values of C.
    pub(super) fn new(
        config: &Config,
        rows: Option<usize>,
        asked: &Asked<'_>,
        mut data: Loaded<T>,
    ) -> Result<Self, RunError> {
        let weights: Vec<ClassWeight> = if config.sweep.method.learns() {
            config.class_weights()
        } else {
            let trials = asked.trials().iter();
            trials.map(|trial| trial.model.class_weight.clone()).collect()
        };
        check_classes(&weights, &data.summary.target)?;
        let plan = Plan::new(
            config,
            asked.trials().to_vec(),
            shape_of(&data),
            &data.summary.fingerprint,
        );
        check_scores(&View::new(&data, config))?;
        data = data.check_others(config, rows, &plan.preparations)?;
        let mut summary = PlanSummary::new(&plan, config, &data, &View::new(&data, config));
        if summary.exceeds_limit() {
            data = data.spill(config, rows)?;
            summary = PlanSummary::new(&plan, config, &data, &View::new(&data, config));
        }
        summary.notes.extend(asked.note());
        Ok(Self {
            data,
            plan,
            summary: summary.with_later(asked.later()),
        })
    }
}

/// Refuses a plan whose least need is above the limit.
pub(super) fn within_limit(plan: &PlanSummary, config: &Config) -> Result<(), RunError> {
    if plan.exceeds_limit() {
        return Err(RunError::Memory {
            needed: plan.required_bytes(),
            available: plan.limit_bytes,
            limit: config.run.memory_limit.clone(),
            newton: {
                let mut solvers = plan.cohorts.iter().flat_map(|cohort| &cohort.solvers);
                (plan.features > MOST_WHOLE && solvers.any(|solver| *solver == "newton")).then_some(plan.features)
            },
        });
    }
    Ok(())
}
