//! A learning curve in one line.

use std::collections::BTreeMap;

use gradsweep_store::{HistoryRow, Manifest, ParamValue, RunId, Split};

use crate::number;
use crate::page::Block;
use crate::table::{Grid, Side};

/// Steps of a sparkline, low to high.
const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Most characters of a sparkline.
const WIDTH: usize = 32;

/// The mean over runs, epoch by epoch; a run that ended keeps its last score.
#[derive(Debug, Clone, PartialEq)]
struct Curve {
    epochs: Vec<u32>,
    values: Vec<f64>,
}

impl Curve {
    fn new(rows: &[HistoryRow], metric: &str, split: Split) -> Option<Self> {
        let mut by_run: BTreeMap<RunId, Vec<(u32, f64)>> = BTreeMap::new();
        for row in rows {
            if &*row.metric == metric && row.split == split && !row.value.is_nan() {
                by_run.entry(row.run).or_default().push((row.epoch, row.value));
            }
        }
        let mut epochs: Vec<u32> = by_run.values().flatten().map(|(epoch, _)| *epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        let runs: Vec<&Vec<(u32, f64)>> = by_run.values().collect();
        let mut next = vec![0; runs.len()];
        let mut points = (Vec::new(), Vec::new());
        for epoch in epochs {
            for (run, next) in runs.iter().zip(&mut next) {
                while run.get(*next).is_some_and(|(of, _)| *of <= epoch) {
                    *next += 1;
                }
            }
            let last = runs.iter().zip(&next);
            let scores: Vec<f64> = last
                .filter_map(|(run, next)| Some(run[next.checked_sub(1)?].1))
                .collect();
            points.0.push(epoch);
            points.1.push(scores.iter().sum::<f64>() / scores.len() as f64);
        }
        let (epochs, values) = points;
        (!epochs.is_empty()).then_some(Self { epochs, values })
    }

    /// `▇▅▃▂▁▁  1: 0.6931 → 100: 0.4861, best 87: 0.4859`.
    fn line(&self, higher_is_better: bool) -> String {
        let at = |index: usize| {
            let (epoch, value) = (self.epochs[index], self.values[index]);
            format!("{epoch}: {}", number::score(value))
        };
        let last = self.epochs.len() - 1;
        if last == 0 {
            return at(0);
        }
        let best = (0..=last).reduce(|best, index| {
            let (new, old) = (self.values[index], self.values[best]);
            let is_better = if higher_is_better { new > old } else { new < old };
            if is_better { index } else { best }
        });
        let mut line = format!("{}  {} → {}", self.sparkline(), at(0), at(last));
        if let Some(best) = best.filter(|best| *best != last) {
            line = format!("{line}, best {}", at(best));
        }
        line
    }

    fn sparkline(&self) -> String {
        let finite = self.values.iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
        let n = self.values.len();
        let width = n.min(WIDTH);
        let steps = (0..width).map(|place| {
            let index = if width > 1 { place * (n - 1) / (width - 1) } else { 0 };
            let share = (self.values[index] - low) / (high - low);
            // All equal, or not finite: the share is no number, or infinite.
            let step = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
            STEPS[(step * 7.0).round() as usize]
        });
        steps.collect()
    }
}

/// The curves of the selecting metric, and how the objective or others went is left to the table.
pub(crate) fn block(manifest: &Manifest, rows: &[HistoryRow], is_average: bool) -> Option<Block> {
    let metric = manifest.select_metric()?;
    let lines: Vec<String> = [Split::Val, Split::Train]
        .into_iter()
        .filter_map(|split| {
            let curve = Curve::new(rows, &metric.name, split)?;
            Some(format!("{split:<5}  {}", curve.line(metric.higher_is_better)))
        })
        .collect();
    let of = if is_average { ", mean over runs" } else { "" };
    let heading = format!("Learning curve of {} by epoch{of}", metric.name);
    (!lines.is_empty()).then_some(Block::Lines(heading, lines))
}

/// The history for programs.
pub(crate) fn grid(rows: &[HistoryRow]) -> Grid {
    let mut grid = Grid::new();
    for name in ["run", "epoch", "split", "metric", "value"] {
        grid.column(name, Side::Left);
    }
    for row in rows {
        grid.row(vec![
            ParamValue::Text(row.run.to_string()),
            ParamValue::Int(i64::from(row.epoch)),
            ParamValue::Text(row.split.to_string()),
            ParamValue::Text(row.metric.to_string()),
            if row.value.is_nan() {
                ParamValue::Null
            } else {
                ParamValue::Float(row.value)
            },
        ]);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(run: u64, values: &[f64]) -> Vec<HistoryRow> {
        (1_u32..)
            .zip(values)
            .map(|(epoch, value)| HistoryRow {
                run: RunId(run),
                epoch,
                split: Split::Val,
                metric: "log_loss".into(),
                value: *value,
            })
            .collect()
    }

    fn curve(rows: &[HistoryRow]) -> Curve {
        Curve::new(rows, "log_loss", Split::Val).expect("there are rows")
    }

    #[test]
    fn a_run_that_ended_keeps_its_last_score() {
        let mut both = rows(0, &[1.0, 0.5]);
        both.extend(rows(1, &[1.0, 0.5, 0.0]));
        assert_eq!(curve(&both).values, [1.0, 0.5, 0.25]);
        assert_eq!(curve(&both).epochs, [1, 2, 3]);
    }

    #[test]
    fn the_line_shows_the_way_and_the_best() {
        let line = curve(&rows(0, &[0.8, 0.4, 0.1, 0.2])).line(false);
        assert_eq!(line, "█▄▁▂  1: 0.80000 → 4: 0.20000, best 3: 0.10000");
        assert_eq!(curve(&rows(0, &[0.5])).line(false), "1: 0.50000");
        let line = curve(&rows(0, &[0.5, 0.5])).line(false);
        assert_eq!(line, "▁▁  1: 0.50000 → 2: 0.50000, best 1: 0.50000");
    }

    #[test]
    fn long_curves_are_thinned_and_infinities_are_high() {
        let mut values = vec![f64::INFINITY];
        values.extend((0..1000).map(|epoch| 1.0 / f64::from(epoch + 1)));
        let line = curve(&rows(0, &values)).sparkline();
        assert_eq!(line.chars().count(), WIDTH);
        assert!(line.starts_with('█') && line.ends_with('▁'));
    }
}
