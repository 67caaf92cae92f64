//! What a block keeps for the features that codes lead to: a batch moves few of them.
//!
//! A step touches the slots that its batch's codes lead to. The gradient of all others is that of the penalty alone, and
//! where the optimizer allows it their steps are **late**: a row of weights takes the steps it has missed when a batch
//! next leads to it. It takes them one by one, in registers, so that late steps are bit for bit those taken in time, however
//! often all rows are brought up to date in between; what is saved is the memory's time, which is most of it.

use std::sync::Arc;

use super::{Pass, Rows};
use crate::Real;
use crate::codes::{Codes, MIXED, NO_SLOT};
use crate::workspace::Scratch;

/// Slots of a block and the steps they have taken.
#[derive(Debug)]
pub(super) struct Coded<T> {
    codes: Arc<Codes>,
    /// Slots that the batch at hand leads to.
    touched: Vec<u32>,
    /// The place of every slot among them, or [`NO_SLOT`].
    place: Vec<u32>,
    /// Gradients of the touched slots (touched, k).
    g: Vec<T>,
    /// Steps that each slot has taken, where steps may be late.
    taken: Option<Vec<u64>>,
    /// Steps that the block has taken.
    steps: u64,
}

impl<T: Real> Coded<T> {
    /// None where there are no codes.
    pub(super) fn new(codes: &Arc<Codes>, may_be_late: bool) -> Option<Self> {
        let slots = codes.features().len();
        (codes.columns() > 0).then(|| Self {
            codes: Arc::clone(codes),
            touched: Vec::new(),
            place: vec![NO_SLOT; slots],
            g: Vec::new(),
            taken: may_be_late.then(|| vec![0; slots]),
            steps: 0,
        })
    }

    /// Whether rows may be steps behind.
    pub(super) fn is_late(&self) -> bool {
        self.taken.is_some()
    }

    /// Finds the slots that the codes of a batch lead to in any fold, and clears their gradients.
    pub(super) fn touch(&mut self, batch: &[Rows<'_, T>], k: usize) {
        for &slot in &self.touched {
            self.place[slot as usize] = NO_SLOT;
        }
        self.touched.clear();
        let Self {
            codes, touched, place, ..
        } = self;
        let mut take = |slot: u32| {
            let place = &mut place[slot as usize];
            if *place == NO_SLOT {
                *place = touched.len() as u32;
                touched.push(slot);
            }
        };
        for rows in batch {
            let numbers = rows.x.ncols() - codes.columns();
            for row in rows.x.rows() {
                for code in row.iter().skip(numbers) {
                    let code = code.as_f64() as usize;
                    match codes.common().get(code) {
                        None | Some(&NO_SLOT) => {}
                        Some(&MIXED) => codes.slots_of(code).for_each(&mut take),
                        Some(&slot) => take(slot),
                    }
                }
            }
        }
        self.g.clear();
        self.g.resize(self.touched.len() * k, T::zero());
    }

    /// The touched slots, the feature of each, and its gradient of `k` columns.
    pub(super) fn touched(&self, k: usize) -> impl Iterator<Item = (usize, usize, &[T])> {
        let slots = self.touched.iter().zip(self.g.chunks_exact(k.max(1)));
        slots.map(|(&slot, g)| (slot as usize, self.codes.features()[slot as usize], g))
    }

    /// Adds the residuals of a tile in the scratch to the gradients of the slots that its codes lead to.
    pub(super) fn backward(&mut self, pass: &Pass<T>, tile: &Rows<'_, T>, scratch: &mut Scratch<T>) {
        let Some(routes) = &pass.routes else { return };
        let (k, Scratch { z, slots, .. }) = (pass.width(), scratch);
        let Self { place, g, .. } = self;
        routes.walk(tile, &(0..k), slots, |columns, slots| {
            for slot in slots.iter_mut().filter(|slot| **slot != NO_SLOT && **slot != MIXED) {
                *slot = place[*slot as usize];
            }
            T::scatter(
                (&z[columns.start..], k),
                (&mut g[columns.start..], k),
                columns.len(),
                slots,
            );
        });
    }

    /// Tells the touched slots that are behind, their features and how many steps they have missed; they are then up to date.
    pub(super) fn catch_up_touched(&mut self, mut take: impl FnMut(usize, usize, u64)) {
        let Some(taken) = &mut self.taken else { return };
        for &slot in &self.touched {
            let slot = slot as usize;
            let missed = self.steps - std::mem::replace(&mut taken[slot], self.steps);
            if missed > 0 {
                take(slot, self.codes.features()[slot], missed);
            }
        }
    }

    /// As [`Coded::catch_up_touched`], for all slots.
    pub(super) fn catch_up(&mut self, mut take: impl FnMut(usize, usize, u64)) {
        let Some(taken) = &mut self.taken else { return };
        for (slot, (taken, &feature)) in taken.iter_mut().zip(self.codes.features()).enumerate() {
            let missed = self.steps - std::mem::replace(taken, self.steps);
            if missed > 0 {
                take(slot, feature, missed);
            }
        }
    }

    /// The touched slots have taken a step.
    pub(super) fn step(&mut self) {
        self.steps += 1;
        if let Some(taken) = &mut self.taken {
            for &slot in &self.touched {
                taken[slot as usize] = self.steps;
            }
        }
    }

    /// Whether no slot is behind.
    pub(super) fn is_up_to_date(&self) -> bool {
        let taken = self.taken.iter().flatten();
        taken.copied().all(|taken| taken == self.steps)
    }
}
