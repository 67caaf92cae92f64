//! What a run has seen of its curvature: steps, and how the gradient changed along them.

use std::collections::VecDeque;

/// Steps remembered.
const MOST: usize = 8;

/// One step.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    /// The step.
    pub(super) s: Vec<f64>,
    /// The gradient's change, ridge included.
    pub(super) y: Vec<f64>,
    /// `sᵀy`, positive.
    pub(super) sy: f64,
}

/// The last steps, oldest first.
///
/// # Source
/// Nocedal 1980; Byrd, Nocedal and Schnabel 1994 for the compact form.
#[derive(Debug, Clone, Default)]
pub(super) struct Pairs {
    all: VecDeque<Pair>,
}

impl Pairs {
    /// Steps that were remembered before, each with the gradient's change.
    pub(super) fn restored(steps: Vec<(Vec<f64>, Vec<f64>)>) -> Self {
        let pair = |(s, y): (Vec<f64>, Vec<f64>)| Pair { sy: dot(&s, &y), s, y };
        Self {
            all: steps.into_iter().map(pair).collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Pair> + ExactSizeIterator {
        self.all.iter()
    }

    /// Remembers a step along which the gradient grew by more than rounding.
    pub(super) fn push(&mut self, s: Vec<f64>, y: Vec<f64>) {
        let sy = dot(&s, &y);
        if sy <= 1e-10 * (dot(&s, &s) * dot(&y, &y)).sqrt() {
            return;
        }
        if self.all.len() == MOST {
            self.all.pop_front();
        }
        self.all.push_back(Pair { s, y, sy });
    }

    /// The same steps under another ridge strength on all but the last coordinate.
    pub(super) fn reweigh(&mut self, difference: f64) {
        self.all.retain_mut(|pair| {
            let last = pair.s.len() - 1;
            for (y, s) in pair.y[..last].iter_mut().zip(&pair.s) {
                *y += difference * s;
            }
            pair.sy = dot(&pair.s, &pair.y);
            pair.sy > 0.0
        });
    }

    /// The first half of the two-loop product with the inverse Hessian: changes `q`, returns what the second half needs.
    pub(super) fn before(&self, q: &mut [f64]) -> Vec<f64> {
        let mut factors: Vec<f64> = self
            .all
            .iter()
            .rev()
            .map(|pair| {
                let factor = dot(&pair.s, q) / pair.sy;
                add(q, -factor, &pair.y);
                factor
            })
            .collect();
        factors.reverse();
        factors
    }

    /// The second half, on the product of the model's inverse with `q`.
    pub(super) fn after(&self, r: &mut [f64], factors: &[f64]) {
        for (pair, factor) in self.all.iter().zip(factors) {
            let other = dot(&pair.y, r) / pair.sy;
            add(r, factor - other, &pair.s);
        }
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `values = −values`.
pub(super) fn negate(values: &mut [f64]) {
    for value in values {
        *value = -*value;
    }
}

/// `to += factor·from`.
pub(super) fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_is_explained() {
        // The inverse Hessian of the two loops maps the last y to the last s (the secant equation).
        let mut pairs = Pairs::default();
        pairs.push(vec![1.0, 0.5, 0.0], vec![2.0, 0.1, 0.3]);
        pairs.push(vec![0.2, -1.0, 0.7], vec![0.1, -3.0, 0.4]);
        pairs.push(vec![1.0, 0.0, 0.0], vec![-1.0, 0.0, 0.0]);
        assert_eq!(
            pairs.len(),
            2,
            "a step along which the gradient shrinks is not one of a convex function"
        );
        let mut q = vec![0.1, -3.0, 0.4];
        let factors = pairs.before(&mut q);
        pairs.after(&mut q, &factors);
        for (found, expected) in q.iter().zip([0.2, -1.0, 0.7]) {
            assert!((found - expected).abs() < 1e-14);
        }
    }
}
