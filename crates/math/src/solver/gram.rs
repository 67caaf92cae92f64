//! A matrix of curvatures: whole, or whole for some coordinates and a diagonal for the others.

use std::sync::Arc;

use ndarray::Array2;

/// A symmetric matrix over all parameters.
#[derive(Debug, Clone)]
pub(super) struct Gram {
    /// Of the coordinates that are whole.
    whole: Arc<Array2<f64>>,
    rest: Option<Rest>,
}

/// Which coordinates are whole, and the diagonal of the others.
#[derive(Debug, Clone)]
struct Rest {
    /// Coordinates of the whole part.
    members: Vec<usize>,
    /// The place of every coordinate in the whole part.
    place: Vec<Option<usize>>,
    diagonal: Vec<f64>,
}

impl Gram {
    /// A matrix that is whole.
    pub(super) fn whole(matrix: Arc<Array2<f64>>) -> Self {
        Self {
            whole: matrix,
            rest: None,
        }
    }

    /// A matrix that is whole for `members`, in that order, and elsewhere has this diagonal.
    pub(super) fn parted(whole: Array2<f64>, members: Vec<usize>, diagonal: Vec<f64>) -> Self {
        let mut place = vec![None; diagonal.len()];
        for (at, &member) in members.iter().enumerate() {
            place[member] = Some(at);
        }
        Self {
            whole: Arc::new(whole),
            rest: Some(Rest {
                members,
                place,
                diagonal,
            }),
        }
    }

    /// Coordinates that are whole, where not all are.
    pub(super) fn members(&self) -> Option<&[usize]> {
        self.rest.as_ref().map(|rest| rest.members.as_slice())
    }

    /// Rows.
    pub(super) fn order(&self) -> usize {
        self.rest
            .as_ref()
            .map_or(self.whole.nrows(), |rest| rest.diagonal.len())
    }

    /// One element.
    pub(super) fn at(&self, i: usize, j: usize) -> f64 {
        match &self.rest {
            None => self.whole[[i, j]],
            Some(rest) => match (rest.place[i], rest.place[j]) {
                (Some(i), Some(j)) => self.whole[[i, j]],
                _ if i == j => rest.diagonal[i],
                _ => 0.0,
            },
        }
    }

    /// `out += factor` times a row.
    pub(super) fn add_row(&self, i: usize, factor: f64, out: &mut [f64]) {
        let row = |place: usize| {
            let row = self.whole.row(place);
            row.to_slice().expect("row-major")
        };
        match &self.rest {
            None => {
                for (out, m) in out.iter_mut().zip(row(i)) {
                    *out += factor * m;
                }
            }
            Some(rest) => match rest.place[i] {
                Some(place) => {
                    for (&member, m) in rest.members.iter().zip(row(place)) {
                        out[member] += factor * m;
                    }
                }
                None => out[i] += factor * rest.diagonal[i],
            },
        }
    }

    /// The products with some vectors.
    ///
    /// # Shapes
    /// `vectors` (m, order) → (order, m).
    pub(super) fn times(&self, vectors: &Array2<f64>) -> Array2<f64> {
        let Some(rest) = &self.rest else {
            return self.whole.dot(&vectors.t());
        };
        let own = vectors.select(ndarray::Axis(1), &rest.members);
        let products = self.whole.dot(&own.t());
        Array2::from_shape_fn((rest.diagonal.len(), vectors.nrows()), |(i, j)| match rest.place[i] {
            Some(place) => products[[place, j]],
            None => rest.diagonal[i] * vectors[[j, i]],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Axis, array};

    #[test]
    fn parts_are_the_matrix_with_zeros_between_them() {
        let parted = Gram::parted(array![[2.0, 0.5], [0.5, 1.0]], vec![1, 3], vec![4.0, 0.0, 5.0, 0.0]);
        let full = array![
            [4.0, 0.0, 0.0, 0.0],
            [0.0, 2.0, 0.0, 0.5],
            [0.0, 0.0, 5.0, 0.0],
            [0.0, 0.5, 0.0, 1.0]
        ];
        let whole = Gram::whole(Arc::new(full.clone()));
        assert_eq!((parted.order(), parted.members()), (4, Some(&[1, 3][..])));
        let vectors = array![[1.0, -2.0, 3.0, 0.5], [0.0, 1.0, 1.0, -1.0]];
        assert_eq!(parted.times(&vectors), whole.times(&vectors));
        for i in 0..4 {
            let (mut a, mut b) = ([1.0; 4], [1.0; 4]);
            parted.add_row(i, 0.5, &mut a);
            whole.add_row(i, 0.5, &mut b);
            assert_eq!(a, b);
            for j in 0..4 {
                assert_eq!(parted.at(i, j), full.index_axis(Axis(0), i)[j]);
            }
        }
    }
}
