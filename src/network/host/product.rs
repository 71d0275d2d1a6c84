//! Products of matrices that both depend on the image, as those of attention (Vaswani et al. 2017).

use std::sync::Arc;

use rayon::prelude::*;

use super::HostArray;
use super::gemm::{Cores, Matrix, multiply};
use super::pair::{PairFunction, PairGradient, PairOutput};
use super::scratch::{Unwritten, written};

/// As many products of `rows x inner` with `inner x columns` as the inputs hold. None of the extents is 1: such products would
/// be summed in another order.
#[derive(Debug, Clone, Copy)]
pub struct Products {
    /// Rows of the left matrices.
    pub rows: usize,
    /// Columns of the left and rows of the right matrices.
    pub inner: usize,
    /// Columns of the right matrices.
    pub columns: usize,
}

/// Fills each matrix of `len` entries. With fewer matrices than cores, the cores share each.
fn filled(matrices: usize, len: usize, fill: impl Fn(usize, &mut Unwritten, Cores) + Sync) -> Vec<f32> {
    // SAFETY: each product writes its matrix.
    unsafe {
        written(matrices * len, |out| {
            if matrices < rayon::current_num_threads() {
                let parts = out.chunks_mut(len).enumerate();
                parts.for_each(|(matrix, out)| fill(matrix, out, Cores::All));
            } else {
                let parts = out.par_chunks_mut(len).enumerate();
                parts.for_each(|(matrix, out)| fill(matrix, out, Cores::One));
            }
        })
    }
}

impl PairFunction for Products {
    fn forward(&self, [left, right]: [&HostArray; 2], track: bool) -> PairOutput {
        let Self { rows, inner, columns } = *self;
        let matrices = left.len() / (rows * inner);
        // The matrix of `values` with `rows x columns` entries at `index`.
        fn of(values: &[f32], index: usize, [rows, columns]: [usize; 2]) -> Matrix<'_> {
            let len = rows * columns;
            Matrix::new(&values[index * len..][..len], rows, columns)
        }
        let values = filled(matrices, rows * columns, |index, out, cores| {
            let left = of(left, index, [rows, inner]);
            let right = of(right, index, [inner, columns]);
            multiply(out, left, right, (rows, columns, inner), cores);
        });
        let gradient = track.then(|| {
            let (left, right) = (left.clone(), right.clone());
            Arc::new(move |grad: &HostArray, [of_left, of_right]: [bool; 2]| {
                let back_left = of_left.then(|| {
                    filled(matrices, rows * inner, |index, out, cores| {
                        let grad = of(grad, index, [rows, columns]);
                        let right = of(&right, index, [inner, columns]).transposed();
                        multiply(out, grad, right, (rows, inner, columns), cores);
                    })
                });
                let back_right = of_right.then(|| {
                    filled(matrices, inner * columns, |index, out, cores| {
                        let left = of(&left, index, [rows, inner]).transposed();
                        let grad = of(grad, index, [rows, columns]);
                        multiply(out, left, grad, (inner, columns, rows), cores);
                    })
                });
                [back_left, back_right]
            }) as PairGradient
        });
        PairOutput {
            values,
            shape: vec![matrices, rows, columns],
            gradient,
        }
    }
}
