//! A factor and a term for each channel: Caffe's `Scale`, the scale of a residual branch (Touvron et al. 2021); and factors that
//! depend on the image themselves, as in squeeze-and-excitation (Hu et al. 2018).

use std::sync::Arc;

use rayon::prelude::*;

use super::pair::{PairFunction, PairGradient, PairOutput};
use super::row_sums::sums;
use super::scratch::{CHUNK, Unwritten, written};
use super::vector::vectorized;
use super::{Gradient, HostArray, HostFunction, Output};

/// y = factor * x + term. Parameters: the factors, then the terms, if any, in turn for rows of `entries` each, and again from
/// the first on.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Entries of a row.
    pub entries: usize,
}

/// Fills rows with those of `x` times factors, plus terms. Networks have no rows without entries.
fn fill(entries: usize, x: &[f32], factors: &[f32], terms: Option<&[f32]>) -> Vec<f32> {
    let scaled = |row: usize, values: &mut Unwritten, x: &[f32]| {
        let channel = row % factors.len();
        let (factor, term) = (factors[channel], terms.map(|terms| terms[channel]));
        vectorized(
            #[inline(always)]
            || {
                for (y, x) in values.iter_mut().zip(x) {
                    let product = x * factor;
                    y.write(term.map_or(product, |term| product + term));
                }
            },
        );
    };
    // Rows of a parallel task; long rows are several tasks.
    let some = (CHUNK / entries).max(1);
    // SAFETY: all rows are written.
    unsafe {
        written(x.len(), |values| {
            let chunks = values.par_chunks_mut(some * entries).zip(x.par_chunks(some * entries));
            chunks.enumerate().for_each(|(chunk, (values, x))| {
                if entries > CHUNK {
                    let parts = values.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK));
                    parts.for_each(|(values, x)| scaled(chunk, values, x));
                } else {
                    let rows = values.chunks_mut(entries).zip(x.chunks(entries));
                    for (row, (values, x)) in rows.enumerate() {
                        scaled(chunk * some + row, values, x);
                    }
                }
            });
        })
    }
}

impl HostFunction for Scale {
    fn forward(&self, x: &HostArray, parameters: &[HostArray], track: bool) -> Output {
        let entries = self.entries;
        let factors = parameters[0].clone();
        let gradient = track.then(|| {
            let factors = factors.clone();
            Arc::new(move |grad: &HostArray| fill(entries, grad, &factors, None)) as Gradient
        });
        Output {
            values: fill(entries, x, &factors, parameters.get(1).map(|terms| &**terms)),
            shape: x.shape().to_vec(),
            gradient,
        }
    }
}

/// y = factor * x with a factor for each row of `entries`: the right input has as many entries as the left has rows.
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    /// Entries of a row.
    pub entries: usize,
}

impl PairFunction for Gate {
    fn forward(&self, [x, factors]: [&HostArray; 2], track: bool) -> PairOutput {
        let entries = self.entries;
        let gradient = track.then(|| {
            let (x, factors) = (x.clone(), factors.clone());
            Arc::new(move |grad: &HostArray, [of_x, of_factors]: [bool; 2]| {
                let back = of_x.then(|| fill(entries, grad, &factors, None));
                let back_factors = of_factors.then(|| {
                    sums(
                        grad,
                        &x,
                        entries,
                        1.0,
                        #[inline(always)]
                        |grad, x| grad * x,
                    )
                });
                [back, back_factors]
            }) as PairGradient
        });
        PairOutput {
            values: fill(entries, x, factors, None),
            shape: x.shape().to_vec(),
            gradient,
        }
    }
}
