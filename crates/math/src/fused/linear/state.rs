//! The numbers of a block's runs, taken out and put back.

use ndarray::{aview1, s};

use super::LinearBlock;
use crate::Real;
use crate::optimizer::Memory;

/// All that the next steps of a run depend on besides its settings.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnState<T> {
    /// Weights, then the intercept (P + 1).
    pub parameters: Vec<T>,
    /// What its optimizer has gathered.
    pub memory: Memory<T>,
}

impl<T: Real> LinearBlock<T> {
    /// The state of the run at a position.
    ///
    /// # Panics
    /// If no live run is at the position.
    pub fn state(&self, position: usize) -> ColumnState<T> {
        debug_assert!(self.is_settled(), "steps are late");
        let (columns, optimizer) = self
            .optimizers
            .iter()
            .find(|(columns, _)| columns.contains(&position))
            .expect("every live column has an optimizer");
        ColumnState {
            parameters: self.params.column(position).to_vec(),
            memory: optimizer.memory(position - columns.start),
        }
    }

    /// Puts the live runs where states of theirs say, by position: from there they go on bit for bit as the runs that the
    /// states were taken from, in a block of the same width.
    ///
    /// # Panics
    /// If there is not one state for each live run, or one is of another optimizer or number of parameters.
    pub fn restore(&mut self, states: &[&ColumnState<T>]) {
        assert!(
            states.len() == self.live.len(),
            "{} states for {} live runs",
            states.len(),
            self.live.len()
        );
        self.settle();
        for (columns, optimizer) in &mut self.optimizers {
            for position in columns.clone() {
                optimizer.recall(position - columns.start, &states[position].memory);
            }
        }
        for (position, state) in states.iter().enumerate() {
            self.params.column_mut(position).assign(&aview1(&state.parameters));
        }
        self.refresh();
    }

    /// Gives the run at each of the positions other parameters; what its optimizer has gathered stays.
    pub fn set_parameters<'p>(&mut self, parameters: impl IntoIterator<Item = (usize, &'p [T])>)
    where
        T: 'p,
    {
        self.settle();
        for (position, parameters) in parameters {
            self.params.column_mut(position).assign(&aview1(parameters));
        }
        self.refresh();
    }

    /// Copies the parameters of the run at a position to `out` (P + 1).
    pub fn copy_parameters(&self, position: usize, out: &mut Vec<T>) {
        out.clear();
        out.extend(self.params.slice(s![.., position]));
    }

    /// The learning rate of every live run, by position, from the next step on.
    pub fn set_learning_rates(&mut self, rates: &[f64]) {
        // Steps that are still to be taken are those of the rates so far.
        self.settle();
        for (columns, optimizer) in &mut self.optimizers {
            optimizer.set_learning_rates(&rates[columns.clone()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::affine::AffineMap;
    use crate::fused::{Column, Objective, Rows};
    use crate::optimizer::{Kind, Settings};
    use crate::workspace::Scratch;

    fn columns() -> Vec<Column> {
        let column = |(index, &kind): (usize, &Kind)| Column {
            objective: Objective {
                l2: 0.01 * index as f64,
                l1: if index % 2 == 0 { 0.002 } else { 0.0 },
                ..Objective::unpenalized(0, vec![true])
            },
            kind,
            settings: Settings {
                learning_rate: 0.05 * (index + 1) as f64,
                momentum: 0.9,
                weight_decay: 0.1,
                ..Settings::default()
            },
            start: vec![0.1, -0.2, 0.3],
            intercept: 0.0,
        };
        let twice = Kind::ALL.iter().flat_map(|kind| [kind, kind]);
        twice.enumerate().map(column).collect()
    }

    /// A block whose runs were taken out on the way and put into a fresh one ends as the block that went through.
    #[test]
    fn restored_runs_go_on_bit_for_bit() {
        let (map, columns) = (AffineMap::identity(3), columns());
        let x = Array2::from_shape_fn((64, 3), |(i, j)| ((i * 7 + j * 11) % 13) as f64 / 6.0 - 1.0);
        let y: Vec<f64> = (0..64).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
        let batch = [Rows {
            x: x.view(),
            y: &y,
            weight: None,
            group: 0,
        }];
        let mut scratch = Scratch::new(3, 16);
        let mut through = LinearBlock::new(&map, &columns);
        let steps = |block: &mut LinearBlock<f64>, count: usize, scratch: &mut Scratch<f64>| {
            for _ in 0..count {
                block.train_batch(&batch, scratch, None);
            }
        };
        steps(&mut through, 5, &mut scratch);
        // The kind in the middle leaves, and one of another.
        through.retire(&[3, 4, 5]);
        steps(&mut through, 3, &mut scratch);
        let states: Vec<ColumnState<f64>> = (0..through.live().len()).map(|at| through.state(at)).collect();
        let left: Vec<Column> = through.live().iter().map(|&column| columns[column].clone()).collect();
        let mut restored = LinearBlock::new(&map, &left);
        restored.restore(&states.iter().collect::<Vec<_>>());
        steps(&mut through, 7, &mut scratch);
        steps(&mut restored, 7, &mut scratch);
        for position in 0..left.len() {
            assert_eq!(through.state(position), restored.state(position), "column {position}");
        }
        assert_ne!(through.state(0), states[0]);
    }

    /// A rate set later steps as one that was there from the start.
    #[test]
    fn learning_rates_can_change_on_the_way() {
        for &kind in Kind::ALL {
            let settings = |learning_rate: f64| Settings {
                learning_rate,
                weight_decay: 0.3,
                ..Settings::default()
            };
            let mut changed = kind.build::<f64>(2, &[settings(7.0)]);
            changed.set_learning_rates(&[0.1]);
            let mut fixed = kind.build::<f64>(2, &[settings(0.1)]);
            let mut w = [Array2::from_elem((2, 1), 3.0), Array2::from_elem((2, 1), 3.0)];
            for (w, optimizer) in w.iter_mut().zip([&mut changed, &mut fixed]) {
                let grad = w.clone();
                optimizer.step(w.view_mut(), grad.view());
            }
            assert_eq!(w[0], w[1], "{}", kind.name());
        }
    }
}
