//! The sum of each row times a factor: sums and means of planes, as in squeeze-and-excitation (Hu et al. 2018).

use std::sync::Arc;

use rayon::prelude::*;

use super::scratch::{CHUNK, zeros};
use super::vector::{sum, vectorized};
use super::{Gradient, HostArray, HostFunction, Output};

/// Sums of rows of `entries`.
#[derive(Debug, Clone, Copy)]
pub struct RowSums {
    /// Entries of a row.
    pub entries: usize,
    /// What each sum is multiplied by.
    pub factor: f32,
}

impl HostFunction for RowSums {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let Self { entries, factor } = *self;
        // Rows of a parallel task.
        let some = (CHUNK / entries).max(1);
        let rows = x.len() / entries;
        let mut values = zeros(rows);
        let chunks = values.par_chunks_mut(some).zip(x.par_chunks(some * entries));
        chunks.for_each(|(values, x)| {
            vectorized(
                #[inline(always)]
                || {
                    for (value, x) in values.iter_mut().zip(x.chunks(entries)) {
                        *value = sum(x, x, |x, _| x) * factor;
                    }
                },
            );
        });
        let gradient = track.then(|| {
            Arc::new(move |grad: &HostArray| {
                let mut back = zeros(rows * entries);
                let chunks = back.par_chunks_mut(some * entries).zip(grad.par_chunks(some));
                chunks.for_each(|(back, grad)| {
                    for (back, grad) in back.chunks_mut(entries).zip(grad) {
                        back.fill(grad * factor);
                    }
                });
                back
            }) as Gradient
        });
        Output {
            values,
            shape: vec![rows],
            gradient,
        }
    }
}
