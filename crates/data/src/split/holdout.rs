//! One share of the rows is held out, once.

use super::folds::{Folds, Role, Split};
use crate::random::{generator, shuffle};

/// Row group 0 trains, row group 1 is held out: the last rows, or a random share of each class when shuffled.
pub(super) fn assign(y: &[u8], fraction: f64, is_shuffled: bool, seed: u64) -> Split {
    let mut group = vec![0_u32; y.len()];
    if is_shuffled {
        for class in [0_u8, 1] {
            let mut rows: Vec<usize> = (0..y.len()).filter(|&row| y[row] == class).collect();
            let count = share(rows.len(), fraction);
            shuffle(&mut rows, &mut generator(seed, "holdout", u64::from(class)));
            for &row in &rows[..count] {
                group[row] = 1;
            }
        }
    } else {
        let count = share(y.len(), fraction);
        group[y.len() - count..].fill(1);
    }
    let roles = vec![vec![Role::Train, Role::Val]];
    Split {
        group,
        groups: 2,
        folds: Folds {
            labels: vec!["holdout".to_owned()],
            roles,
        },
    }
}

/// The nearest whole number of rows that leaves one row on either side.
fn share(rows: usize, fraction: f64) -> usize {
    let most = rows.saturating_sub(1);
    ((rows as f64 * fraction).round() as usize).clamp(most.min(1), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffled_shares_are_equal_in_each_class() {
        let y: Vec<u8> = (0..100).map(|row| u8::from(row < 30)).collect();
        let split = assign(&y, 0.2, true, 3);
        let held_out = |class| (0..100).filter(|&row| y[row] == class && split.group[row] == 1).count();
        assert_eq!((held_out(0), held_out(1)), (14, 6));
    }

    /// A sweep that goes on under another version of the program holds out what it held out before.
    #[test]
    fn a_seed_holds_out_the_same_rows_for_good() {
        let y: Vec<u8> = (0..20).map(|row| u8::from(row % 4 == 0)).collect();
        let split = assign(&y, 0.3, true, 3);
        let held_out: Vec<usize> = (0..20).filter(|&row| split.group[row] == 1).collect();
        assert_eq!(held_out, [0]);
    }

    #[test]
    fn unshuffled_takes_the_last_rows() {
        assert_eq!(assign(&[0, 1, 0, 1, 0], 0.4, false, 0).group, [0, 0, 0, 1, 1]);
        assert_eq!((share(1, 0.5), share(0, 0.5), share(10, 0.999)), (0, 0, 9));
    }
}
