//! What a column adds to the rows of a batch: numbers that are all there are taken from the reader's own memory.

use multiversion::multiversion;
use polars::prelude::{DataType, Float32Chunked, Float64Chunked, Series};

/// A summand for each row of a batch.
#[derive(Debug)]
pub(super) enum Addends {
    /// One by one.
    Each(Vec<f64>),
    /// `slope·(x − mean)` of finite numbers without a null.
    Singles {
        cells: Float32Chunked,
        slope: f64,
        mean: f64,
    },
    /// The same of numbers of 64 bits.
    Doubles {
        cells: Float64Chunked,
        slope: f64,
        mean: f64,
    },
}

impl Default for Addends {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

impl Addends {
    /// Of a column of floats in which every row has a finite number; nothing of any other.
    pub(super) fn of_finite(series: &Series, slope: f64, mean: f64) -> Option<Self> {
        if series.null_count() > 0 {
            return None;
        }
        match series.dtype() {
            DataType::Float32 => {
                let series = series.rechunk();
                let cells = series.f32().ok()?.clone();
                let is_finite = cells.cont_slice().ok()?.iter().fold(true, |all, v| all & v.is_finite());
                is_finite.then_some(Self::Singles { cells, slope, mean })
            }
            DataType::Float64 => {
                let series = series.rechunk();
                let cells = series.f64().ok()?.clone();
                let is_finite = cells.cont_slice().ok()?.iter().fold(true, |all, v| all & v.is_finite());
                is_finite.then_some(Self::Doubles { cells, slope, mean })
            }
            _ => None,
        }
    }

    /// Adds those of the rows from `first` on.
    pub(super) fn add(&self, first: usize, z: &mut [f64]) {
        let rows = first..first + z.len();
        match self {
            Self::Each(values) => z.iter_mut().zip(&values[rows]).for_each(|(z, value)| *z += value),
            Self::Singles { cells, slope, mean } => {
                add_singles(&cells.cont_slice().unwrap_or_default()[rows], *slope, *mean, z);
            }
            Self::Doubles { cells, slope, mean } => {
                add_doubles(&cells.cont_slice().unwrap_or_default()[rows], *slope, *mean, z);
            }
        }
    }
}

macro_rules! add {
    ($name:ident, $type:ty) => {
        #[multiversion(targets("x86_64+avx512f+avx512vl+avx2", "x86_64+avx2", "aarch64+neon"))]
        fn $name(values: &[$type], slope: f64, mean: f64, z: &mut [f64]) {
            for (z, value) in z.iter_mut().zip(values) {
                *z += slope * (f64::from(*value) - mean);
            }
        }
    };
}
add!(add_singles, f32);
add!(add_doubles, f64);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use polars::prelude::NamedFrom;

    use super::*;

    #[test]
    fn numbers_are_added_as_they_are_one_by_one() {
        let values: Vec<f32> = (0..37).map(|row| row as f32 * 0.37 - 3.0).collect();
        let doubles: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
        let (slope, mean) = (0.3, 0.1);
        let each = Addends::Each(doubles.iter().map(|v| slope * (v - mean)).collect());
        let all = [
            Addends::of_finite(&Series::new("x".into(), &values), slope, mean).unwrap(),
            Addends::of_finite(&Series::new("x".into(), &doubles), slope, mean).unwrap(),
        ];
        let added = |addends: &Addends| {
            let mut z = vec![0.7; 37];
            let (head, tail) = z.split_at_mut(5);
            addends.add(0, head);
            addends.add(5, tail);
            z.iter().map(|z| z.to_bits()).collect::<Vec<_>>()
        };
        for addends in &all {
            assert_eq!(added(addends), added(&each));
        }
    }

    #[test]
    fn anything_else_goes_the_long_way() {
        let none = |series: Series| Addends::of_finite(&series, 1.0, 0.0).is_none();
        assert!(none(Series::new("x".into(), [1.0, f64::NAN])));
        assert!(none(Series::new("x".into(), [1.0, f32::INFINITY])));
        assert!(none(Series::new("x".into(), [Some(1.0), None])));
        assert!(none(Series::new("x".into(), [1, 2])));
    }
}
