//! Trains what was asked for and asks again with its scores, until there is no more; a method that needs no scores is asked
//! once.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use gradsweep_data::Element;
use gradsweep_math::Real;
use gradsweep_store::{Manifest, RunId, Store, StoreWriter};

use super::cohorts::{self, Stopped, Trained, Work};
use super::loaded::Loaded;
use super::manifest::hash;
use super::prepared::within_limit;
use super::{Prepared, announce, unforeseen};
use crate::bug;
use crate::checkpoint::Restart;
use crate::config::Config;
use crate::dataset::shape_of;
use crate::error::RunError;
use crate::event::Observer;
use crate::plan::{Plan, PlanSummary, Shape, Speed};
use crate::rungs::Ladder;
use crate::search::Asked;
use crate::stop::StopFlag;
use crate::summary::Seconds;
use crate::train::View;

/// A sweep that is trained round by round.
pub(super) struct Rounds<'a> {
    /// The config, its values of C known.
    pub(super) config: &'a Config,
    /// The first rows only.
    pub(super) rows: Option<usize>,
    /// The store's directory.
    pub(super) dir: &'a Path,
    pub(super) stop: &'a StopFlag,
    pub(super) observer: &'a dyn Observer,
    pub(super) asked: Asked<'a>,
}

/// A sweep of which all rounds are trained.
pub(super) struct Swept<T> {
    pub(super) data: Loaded<T>,
    pub(super) plan: Plan,
    pub(super) trained: Trained,
    /// How long training was to take, if there was any.
    pub(super) foreseen: Option<Speed>,
    /// Why its time was not foreseen, where that is a bug.
    pub(super) bug: Option<String>,
}

impl Rounds<'_> {
    /// Trains all rounds, from where an earlier process stopped; the first is followed by the runs that failed and are to be
    /// trained `again`.
    pub(super) fn train<T: Real + Element>(
        &mut self,
        Prepared { mut data, mut plan, .. }: Prepared<T>,
        (restart, mut again): (Restart<T>, BTreeSet<RunId>),
        (writer, manifest): (&mut StoreWriter, &mut Manifest),
        seconds: &mut Seconds,
    ) -> Result<Swept<T>, RunError> {
        let first = (shape_of(&*data), data.summary.fingerprint.clone());
        let Restart {
            mut finished,
            mut states,
            ..
        } = restart;
        let (mut trained, mut foreseen, mut bug) = (Trained::default(), None::<Speed>, None);
        loop {
            let pending = plan.without(|run| finished.contains(&run));
            if pending.pending() > 0 {
                let view = View::new(&data, self.config);
                match bug::caught(|| Speed::foreseen(&pending, self.config, &view)) {
                    Ok(own) => foreseen = Some(foreseen.map_or(own.clone(), |before| before.and(own))),
                    Err(panic) => bug = Some(unforeseen(&panic)),
                }
            }
            let ladder = Ladder::new(self.config, plan.trials.len());
            let mut work = self.work(&plan, &pending, ladder.as_ref());
            work.later += again.len();
            announce(&pending, self.config, self.observer, (work.later, trained.is_begun()));
            let round = cohorts::train((data, states), &work, writer, seconds);
            if matches!(round, Err(RunError::Stopped { .. })) {
                // Whoever looks at a stopped sweep sees what it has.
                writer.write_tables()?;
            }
            let (rows, own) = round?;
            data = rows;
            trained.add(own);
            states = Stopped::new();
            if !again.is_empty() {
                let others = plan.runs.iter().map(|run| run.id).filter(|run| !again.contains(run));
                finished = others.collect();
                again.clear();
                continue;
            }
            let writing = Instant::now();
            let has_more = self.has_more(writer)?;
            seconds.write += writing.elapsed().as_secs_f64();
            if !has_more {
                return Ok(Swept {
                    data,
                    plan,
                    trained,
                    foreseen,
                    bug,
                });
            }
            (data, plan) = self.grown((data, plan), &first)?;
            let writing = Instant::now();
            manifest.plan_hash = hash(&plan);
            writer.set_plan(manifest, &plan.table(&data.folds.labels))?;
            finished = self.recorded()?;
            seconds.write += writing.elapsed().as_secs_f64();
        }
    }

    /// The training of what is pending of a plan.
    pub(super) fn work<'w>(&'w self, plan: &'w Plan, pending: &'w Plan, ladder: Option<&'w Ladder>) -> Work<'w> {
        Work {
            config: self.config,
            plan,
            pending,
            ladder,
            rows: self.rows,
            dir: self.dir,
            later: self.asked.later() * plan.runs.len() / plan.trials.len().max(1),
            stop: self.stop,
            observer: self.observer,
        }
    }

    /// Asks for the trials that follow from the scores of those that are trained.
    fn has_more(&mut self, writer: &StoreWriter) -> Result<bool, RunError> {
        if !self.asked.is_open() {
            return Ok(false);
        }
        let table = match Store::open(self.dir)?.trials() {
            Err(error) if error.is_lost() => {
                writer.write_tables()?;
                Store::open(self.dir)?.trials()?
            }
            table => table?,
        };
        Ok(self.asked.ask(Some(&table))?)
    }

    /// The plan with the trials that were asked for last, where there is memory for them.
    fn grown<T: Real + Element>(
        &self,
        (mut data, plan): (Loaded<T>, Plan),
        (shape, fingerprint): &(Shape, String),
    ) -> Result<(Loaded<T>, Plan), RunError> {
        let before = plan.preparations.len();
        let plan = Plan::new(self.config, self.asked.trials().to_vec(), *shape, fingerprint);
        data = data.check_others(self.config, self.rows, &plan.preparations[before..])?;
        let summary = |data: &Loaded<T>| PlanSummary::new(&plan, self.config, data, &View::new(data, self.config));
        let mut needed = summary(&data);
        if needed.exceeds_limit() && !needed.is_in_file {
            data = data.spill(self.config, self.rows)?;
            needed = summary(&data);
        }
        within_limit(&needed, self.config)?;
        Ok((data, plan))
    }

    /// The runs that have a record: of new trials too, where the plan that had them before was lost.
    fn recorded(&self) -> Result<BTreeSet<RunId>, RunError> {
        let runs = Store::open(self.dir)?.runs()?;
        let recorded = runs.iter().filter(|row| row.record.is_some());
        Ok(recorded.map(|row| row.run).collect())
    }
}
