//! What the learning rate is multiplied by, from the place of a step among all epochs.

use std::f64::consts::PI;

/// Factors of the step schedule, each with the share of the epochs from which it holds.
const STEPS: [(f64, f64); 3] = [(0.75, 0.01), (0.5, 0.1), (0.0, 1.0)];

/// The shape of a schedule after its warmup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// The full rate.
    Constant,
    /// Half a cosine, down to zero at the last epoch's end.
    Cosine,
    /// A tenth of the rate from half of the epochs, a hundredth from three quarters.
    Step,
}

/// A schedule of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The shape after the warmup.
    pub shape: Shape,
    /// Epochs over which the rate grows from zero.
    pub warmup: u32,
    /// Epochs of the run, the warmup included.
    pub epochs: u32,
}

impl Schedule {
    /// Whether the rate never changes.
    pub fn is_constant(&self) -> bool {
        self.shape == Shape::Constant && self.warmup == 0
    }

    /// What the learning rate is multiplied by after `time` epochs, a fraction inside an epoch.
    ///
    /// During the warmup `time / warmup`; then with u, the share of the other epochs that are over: 1, `(1 + cos πu) / 2`, or
    /// 1, 0.1 and 0.01 from u = 0, ½ and ¾.
    ///
    /// # Source
    /// Cosine: Loshchilov and Hutter 2017, without restarts. Steps: the divisions by ten of He et al. 2016.
    pub fn factor(&self, time: f64) -> f64 {
        let warmup = f64::from(self.warmup);
        if time < warmup {
            return time / warmup;
        }
        let length = f64::from(self.epochs) - warmup;
        let share = if length > 0.0 {
            ((time - warmup) / length).min(1.0)
        } else {
            1.0
        };
        match self.shape {
            Shape::Constant => 1.0,
            Shape::Cosine => 0.5 * (1.0 + (PI * share).cos()),
            Shape::Step => STEPS
                .iter()
                .find(|(from, _)| share >= *from)
                .map_or(1.0, |(_, factor)| *factor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(shape: Shape, warmup: u32) -> Schedule {
        Schedule {
            shape,
            warmup,
            epochs: 12,
        }
    }

    #[test]
    fn shapes_have_their_values() {
        let cosine = schedule(Shape::Cosine, 0);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-15;
        assert!(close(cosine.factor(0.0), 1.0) && close(cosine.factor(6.0), 0.5) && close(cosine.factor(12.0), 0.0));
        assert!(close(cosine.factor(3.0), 0.5 + 0.125f64.sqrt()));
        let step = schedule(Shape::Step, 0);
        let values = [0.5, 5.99, 6.0, 8.99, 9.0, 11.5].map(|time| step.factor(time));
        assert_eq!(values, [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]);
        assert!(schedule(Shape::Constant, 0).is_constant() && !schedule(Shape::Constant, 1).is_constant());
    }

    #[test]
    fn a_warmup_grows_from_zero_and_the_shape_starts_after_it() {
        for shape in [Shape::Constant, Shape::Cosine, Shape::Step] {
            let warm = schedule(shape, 4);
            assert_eq!([0.0, 1.0, 3.0].map(|time| warm.factor(time)), [0.0, 0.25, 0.75]);
            assert_eq!(warm.factor(4.0), 1.0);
        }
        assert!((schedule(Shape::Cosine, 4).factor(8.0) - 0.5).abs() < 1e-15);
        assert_eq!(schedule(Shape::Cosine, 12).factor(12.0), 0.0);
    }

    #[test]
    fn no_time_gives_a_rate_outside_of_zero_to_one() {
        for shape in [Shape::Constant, Shape::Cosine, Shape::Step] {
            for warmup in [0, 3, 12, 20] {
                for tenth in 0..300 {
                    let factor = schedule(shape, warmup).factor(f64::from(tenth) / 10.0);
                    assert!((0.0..=1.0).contains(&factor), "{shape:?} {warmup} {tenth}: {factor}");
                }
            }
        }
    }
}
