//! Everything the parts hold about the runs of a plan, in the order of the tables.

use std::collections::HashMap;

use crate::error::StoreError;
use crate::frame::Frame;
use crate::parts::{self, Kind, PartFile, field};
use crate::plan::PlanTable;
use crate::rows::{RunRow, parts as cells};
use crate::run::{CoefficientRow, HistoryRow, Name, Reason, RunId, RunRecord, RunState, Split};

/// What to take from the parts besides the records, which are always taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    /// Nothing more.
    Records,
    /// Histories and coefficients of all runs.
    All,
    /// Histories and coefficients of some runs.
    Of(&'a [RunId]),
}

/// One score of a history; 24 bytes, for there may be tens of millions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HistoryCell {
    /// Position of the run.
    pub(crate) run: u32,
    pub(crate) epoch: u32,
    pub(crate) split: Split,
    /// Position of the metric's name.
    pub(crate) metric: u32,
    pub(crate) value: f64,
}

/// One coefficient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CoefficientCell {
    /// Position of the run.
    pub(crate) run: u32,
    /// Position of the feature's name.
    pub(crate) feature: u32,
    pub(crate) coefficient: f64,
    pub(crate) standardized: f64,
}

/// The runs of a plan with what the parts hold of them.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// By trial, fold, repeat, restart.
    pub(crate) runs: Vec<RunRow>,
    /// Metrics of the histories: those of the manifest first, in its order, then any others by name.
    pub(crate) metrics: Vec<Name>,
    /// By run, epoch, split, metric.
    pub(crate) history: Vec<HistoryCell>,
    pub(crate) features: Vec<Name>,
    /// By run, in each as recorded.
    pub(crate) coefficients: Vec<CoefficientCell>,
    /// The parts that the newest one names.
    pub(crate) standing: Option<String>,
}

/// Names by position, each held once.
#[derive(Debug, Default)]
struct Names {
    all: Vec<Name>,
    positions: HashMap<Name, u32>,
    /// The position asked for last.
    last: u32,
}

impl Names {
    fn position(&mut self, name: &str) -> u32 {
        // Names come in the same order again and again, so the next one is most often the one after the last.
        let next = self.last as usize + 1;
        for guess in [next, 0] {
            if self.all.get(guess).is_some_and(|held| **held == *name) {
                self.last = guess as u32;
                return self.last;
            }
        }
        if let Some(position) = self.positions.get(name) {
            self.last = *position;
            return *position;
        }
        let shared: Name = name.into();
        let position = self.all.len() as u32;
        self.all.push(shared.clone());
        self.positions.insert(shared, position);
        self.last = position;
        position
    }

    fn shared(&mut self, name: &str) -> Name {
        let position = self.position(name);
        self.all[position as usize].clone()
    }
}

impl Gathered {
    /// Reads the parts one after the other, the newest first: a run that an older part holds too is the newest one's.
    pub(crate) fn read(
        plan: &PlanTable,
        files: &[PartFile],
        metrics: &[Name],
        wanted: Wanted<'_>,
    ) -> Result<Self, StoreError> {
        let mut runs: Vec<RunRow> = plan
            .runs
            .iter()
            .map(|planned| RunRow {
                run: planned.run,
                trial: planned.trial,
                fold: planned.fold,
                repeat: planned.repeat,
                restart: planned.restart,
                record: None,
            })
            .collect();
        runs.sort_by_key(|row| (row.trial, row.fold, row.repeat, row.restart));
        let positions: HashMap<u64, u32> = (0_u32..)
            .zip(&runs)
            .map(|(position, row)| (row.run.0, position))
            .collect();
        let mut gathered = Self {
            runs,
            metrics: Vec::new(),
            history: Vec::new(),
            features: Vec::new(),
            coefficients: Vec::new(),
            standing: None,
        };
        let mut names = Names::default();
        for metric in metrics {
            names.position(metric);
        }
        let mut features = Names::default();
        for file in files.iter().rev() {
            let frame = Frame::read(&file.path)?;
            if Some(file) == files.last() {
                gathered.standing = frame.note(parts::STANDING).map(str::to_owned);
            }
            gathered.add(&frame, &positions, &mut names, &mut features, wanted)?;
        }
        gathered.order(metrics.len().min(names.all.len()), &names.all);
        gathered.features = features.all;
        Ok(gathered)
    }

    fn add(
        &mut self,
        frame: &Frame,
        positions: &HashMap<u64, u32>,
        metrics: &mut Names,
        features: &mut Names,
        wanted: Wanted<'_>,
    ) -> Result<(), StoreError> {
        let columns = (
            frame.u64(cells::RUN)?,
            frame.u8(cells::KIND)?,
            frame.str(cells::NAME)?,
            frame.u32(cells::EPOCH)?,
            frame.f64(cells::VALUE)?,
            frame.f64(cells::STANDARDIZED)?,
        );
        // Runs whose record a newer part has given: all that this one holds of them is old.
        let is_taken: Vec<bool> = self.runs.iter().map(|row| row.record.is_some()).collect();
        // The rows of a run mostly lie together.
        let mut last: (u64, Option<u32>) = (0, positions.get(&0).copied());
        for row in 0..frame.height() {
            let (Some(run), Some(kind)) = (columns.0.get(row), columns.1.get(row)) else {
                return Err(frame.bad_cell(cells::RUN, row, None));
            };
            if run != last.0 {
                last = (run, positions.get(&run).copied());
            }
            let Some(position) = last.1 else {
                continue;
            };
            if is_taken[position as usize] {
                continue;
            }
            let kind = Kind::of(kind).ok_or_else(|| frame.bad_cell(cells::KIND, row, Some(&kind.to_string())))?;
            let name = columns.2.get(row).unwrap_or("");
            let value = columns.4.get(row);
            let is_wanted = match wanted {
                Wanted::Records => false,
                Wanted::All => true,
                Wanted::Of(some) => some.contains(&RunId(run)),
            };
            match kind {
                Kind::TrainHistory | Kind::ValHistory if is_wanted => {
                    self.history.push(HistoryCell {
                        run: position,
                        epoch: columns.3.get(row).unwrap_or(0),
                        split: if kind == Kind::TrainHistory {
                            Split::Train
                        } else {
                            Split::Val
                        },
                        metric: metrics.position(name),
                        value: value.unwrap_or(f64::NAN),
                    });
                }
                Kind::Coefficient if is_wanted => self.coefficients.push(CoefficientCell {
                    run: position,
                    feature: features.position(name),
                    coefficient: value.unwrap_or(f64::NAN),
                    standardized: columns.5.get(row).unwrap_or(f64::NAN),
                }),
                Kind::TrainHistory | Kind::ValHistory | Kind::Coefficient => {}
                Kind::State => {
                    let state = RunState::parse(name).ok_or_else(|| frame.bad_cell(cells::NAME, row, Some(name)))?;
                    self.runs[position as usize].record = Some(RunRecord {
                        run: RunId(run),
                        state,
                        ..RunRecord::default()
                    });
                }
                Kind::Reason | Kind::Number | Kind::Train | Kind::Val => {
                    let Some(record) = &mut self.runs[position as usize].record else {
                        return Err(frame.bad_cell(cells::RUN, row, Some("a run without a state")));
                    };
                    let is_known = fill(record, kind, name, value, metrics);
                    if !is_known {
                        return Err(frame.bad_cell(cells::NAME, row, Some(name)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Puts metrics, history and coefficients in the order of the tables. Both sorts are stable and find long sorted stretches.
    fn order(&mut self, n_listed: usize, names: &[Name]) {
        let mut order: Vec<u32> = (0_u32..names.len() as u32).collect();
        order[n_listed..].sort_by_key(|&position| names[position as usize].clone());
        let mut place = vec![0; names.len()];
        for (new, &old) in (0_u32..).zip(&order) {
            place[old as usize] = new;
        }
        for cell in &mut self.history {
            cell.metric = place[cell.metric as usize];
        }
        self.metrics = order.iter().map(|&position| names[position as usize].clone()).collect();
        self.history
            .sort_by_key(|cell| (cell.run, cell.epoch, cell.split, cell.metric));
        self.coefficients.sort_by_key(|cell| cell.run);
    }

    /// The history as rows.
    pub(crate) fn history_rows(&self) -> Vec<HistoryRow> {
        let rows = self.history.iter().map(|cell| HistoryRow {
            run: self.runs[cell.run as usize].run,
            epoch: cell.epoch,
            split: cell.split,
            metric: self.metrics[cell.metric as usize].clone(),
            value: cell.value,
        });
        rows.collect()
    }

    /// The coefficients as rows.
    pub(crate) fn coefficient_rows(&self) -> Vec<CoefficientRow> {
        let rows = self.coefficients.iter().map(|cell| CoefficientRow {
            run: self.runs[cell.run as usize].run,
            feature: self.features[cell.feature as usize].clone(),
            coefficient: cell.coefficient,
            coefficient_standardized: cell.standardized,
        });
        rows.collect()
    }
}

/// Puts one cell of a part into a record; false if its name is not known.
fn fill(record: &mut RunRecord, kind: Kind, name: &str, value: Option<f64>, metrics: &mut Names) -> bool {
    let number = value.unwrap_or(f64::NAN);
    match kind {
        parts::Kind::Reason => {
            record.reason = Reason::parse(name);
            return record.reason.is_some();
        }
        parts::Kind::Train => record.train.push((metrics.shared(name), number)),
        parts::Kind::Val => record.val.push((metrics.shared(name), number)),
        _ => match name {
            field::CONVERGED => record.converged = number > 0.5,
            field::EPOCHS => record.epochs = number as u32,
            field::BEST_EPOCH => record.best_epoch = Some(number as u32),
            field::FIRST_PASS => record.first_pass = number as u32,
            field::RUNG => record.rung = Some(number as u32),
            field::OBJECTIVE => record.objective = value,
            field::GRAD_NORM => record.grad_norm = value,
            field::L1 => record.l1 = number,
            field::L2 => record.l2 = number,
            field::N_TRAIN => record.n_train = number as u64,
            field::N_VAL => record.n_val = number as u64,
            field::SECONDS => record.seconds = number,
            _ => return false,
        },
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::PartWriter;
    use crate::plan::PlannedRun;
    use crate::run::Part;

    fn plan(runs: &[u64]) -> PlanTable {
        PlanTable {
            runs: (0_u32..)
                .zip(runs)
                .map(|(fold, &run)| PlannedRun {
                    run: RunId(run),
                    fold,
                    ..PlannedRun::default()
                })
                .collect(),
            ..PlanTable::default()
        }
    }

    fn part(run: u64, epochs: u32) -> Part {
        let row = |epoch, split, metric: &str| HistoryRow {
            run: RunId(run),
            epoch,
            split,
            metric: metric.into(),
            value: f64::from(epoch),
        };
        Part {
            runs: vec![RunRecord {
                run: RunId(run),
                epochs,
                reason: Some(Reason::Tol),
                converged: true,
                objective: Some(0.25),
                n_val: 1 << 40,
                val: vec![("roc_auc".into(), 0.5)],
                ..RunRecord::default()
            }],
            history: (1..=epochs)
                .rev()
                .flat_map(|epoch| {
                    [
                        row(epoch, Split::Val, "objective"),
                        row(epoch, Split::Val, "log_loss"),
                        row(epoch, Split::Train, "roc_auc"),
                    ]
                })
                .collect(),
            coefficients: vec![
                CoefficientRow {
                    run: RunId(run),
                    feature: "z".into(),
                    coefficient: 1.0,
                    coefficient_standardized: 2.0,
                },
                CoefficientRow {
                    run: RunId(run),
                    feature: "a".into(),
                    coefficient: 3.0,
                    coefficient_standardized: 4.0,
                },
            ],
        }
    }

    #[test]
    fn rows_come_in_the_order_of_the_tables() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let (mut writer, ..) = PartWriter::open(dir.path()).expect("openable");
        for (run, epochs) in [(20, 2), (10, 1), (99, 5)] {
            writer.append(&part(run, epochs)).expect("appended");
        }
        let files = parts::list(dir.path()).expect("listing");
        let metrics: Vec<Name> = vec!["log_loss".into(), "roc_auc".into()];
        let plan = plan(&[10, 20, 30]);
        let gathered = Gathered::read(&plan, &files, &metrics, Wanted::All).expect("readable");
        assert_eq!(gathered.runs[1].record.as_ref().map(|r| r.epochs), Some(2));
        assert_eq!(gathered.runs[2].record, None);
        let mut expected = part(20, 2).runs.remove(0);
        expected.val = vec![("roc_auc".into(), 0.5)];
        assert_eq!(gathered.runs[1].record, Some(expected));
        let history: Vec<String> = gathered
            .history_rows()
            .iter()
            .map(|row| format!("{}:{}:{}:{}", row.run.0, row.epoch, row.split, row.metric))
            .collect();
        assert_eq!(
            history,
            [
                "10:1:train:roc_auc",
                "10:1:val:log_loss",
                "10:1:val:objective",
                "20:1:train:roc_auc",
                "20:1:val:log_loss",
                "20:1:val:objective",
                "20:2:train:roc_auc",
                "20:2:val:log_loss",
                "20:2:val:objective",
            ]
        );
        let features: Vec<_> = gathered
            .coefficient_rows()
            .iter()
            .map(|row| (row.run.0, row.feature.to_string()))
            .collect();
        assert_eq!(
            features,
            [(10, "z"), (10, "a"), (20, "z"), (20, "a")].map(|(run, f)| (run, f.to_owned()))
        );
    }

    #[test]
    fn a_run_done_again_is_the_newer_one_throughout() {
        let dir = tempfile::tempdir().expect("scratch directory");
        let (mut writer, ..) = PartWriter::open(dir.path()).expect("openable");
        writer.append(&part(10, 5)).expect("appended");
        writer.append(&part(10, 2)).expect("appended");
        let files = parts::list(dir.path()).expect("listing");
        let gathered = Gathered::read(&plan(&[10]), &files, &[], Wanted::Of(&[RunId(10)])).expect("readable");
        assert_eq!(gathered.runs[0].record.as_ref().map(|r| r.epochs), Some(2));
        assert_eq!(gathered.history.len(), 6);
        assert_eq!(gathered.coefficients.len(), 2);
    }
}
