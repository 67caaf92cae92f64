//! The numbers of a model as tensors: decimal digits in JSON would not bring every bit back.

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};

/// Weights and preprocessing. A number x of the n-th numeric column adds
/// `coefficient · (x − mean[n]) / scale[n]`, with `impute[n]` in place of a missing one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelNumbers {
    /// A weight per feature, in the preprocessed space.
    pub coefficients: Vec<f64>,
    /// Added to every score.
    pub intercept: f64,
    /// Stands for a missing number, per numeric column.
    pub impute: Vec<f64>,
    /// Subtracted, per numeric column.
    pub mean: Vec<f64>,
    /// Divides, per numeric column.
    pub scale: Vec<f64>,
}

impl ModelNumbers {
    /// The tensors by name.
    fn tensors(&self) -> [(&'static str, Vec<usize>, &[f64]); 5] {
        let numeric = vec![self.impute.len()];
        [
            ("coefficients", vec![1, self.coefficients.len()], &self.coefficients),
            ("intercept", vec![1], std::slice::from_ref(&self.intercept)),
            ("impute", numeric.clone(), &self.impute),
            ("mean", numeric.clone(), &self.mean),
            ("scale", numeric, &self.scale),
        ]
    }

    /// As a safetensors file.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, SafeTensorError> {
        let data = self.tensors().map(|(name, shape, values)| {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (name, shape, bytes)
        });
        let views = data
            .iter()
            .map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F64, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, SafeTensorError>>()?;
        safetensors::serialize(views, None)
    }

    /// Reads a safetensors file that holds `features` weights and `numeric` numeric columns.
    pub(super) fn from_bytes(bytes: &[u8], features: usize, numeric: usize) -> Result<Self, NotNumbers> {
        let file = SafeTensors::deserialize(bytes)?;
        let take = |name: &'static str, length: usize| {
            let tensor = file.tensor(name)?;
            let found: usize = tensor.shape().iter().product();
            if tensor.dtype() != Dtype::F64 || found != length {
                return Err(NotNumbers::Shape { name, length });
            }
            let values = tensor.data().chunks_exact(8).map(|chunk| {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(chunk);
                f64::from_le_bytes(bytes)
            });
            let values: Vec<f64> = values.collect();
            if values.iter().all(|value| value.is_finite()) {
                Ok(values)
            } else {
                Err(NotNumbers::NotFinite { name })
            }
        };
        Ok(Self {
            coefficients: take("coefficients", features)?,
            intercept: take("intercept", 1)?[0],
            impute: take("impute", numeric)?,
            mean: take("mean", numeric)?,
            scale: take("scale", numeric)?,
        })
    }

    /// The most bytes that a file of this many numbers has: a header of five short names, then the numbers.
    pub(super) fn most_bytes(features: usize, numeric: usize) -> u64 {
        const HEADER: u64 = 4096;
        HEADER + 8 * (features as u64 + 1 + 3 * numeric as u64)
    }
}

/// Why a file does not hold a model's numbers.
#[derive(Debug, thiserror::Error)]
pub enum NotNumbers {
    /// It is no safetensors file, or lacks a tensor.
    #[error(transparent)]
    Format(#[from] SafeTensorError),
    /// A tensor has another type or length.
    #[error("tensor {name:?} does not hold {length} numbers of 64 bits")]
    Shape {
        /// The tensor.
        name: &'static str,
        /// Numbers it should hold.
        length: usize,
    },
    /// A tensor holds an infinity or a NaN.
    #[error("tensor {name:?} holds a number that is not finite")]
    NotFinite {
        /// The tensor.
        name: &'static str,
    },
}
