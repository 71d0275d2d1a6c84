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

/// Rows of `entries` that are a parallel task.
fn rows_at_a_time(entries: usize) -> usize {
    (CHUNK / entries).max(1)
}

/// The sum of `term` over the places of each row of both, times a factor. `term` must be `#[inline(always)]`.
pub(super) fn sums(
    x: &[f32],
    y: &[f32],
    entries: usize,
    factor: f32,
    term: impl Fn(f32, f32) -> f32 + Copy + Sync,
) -> Vec<f32> {
    let some = rows_at_a_time(entries);
    let mut values = zeros(x.len() / entries);
    let chunks = values
        .par_chunks_mut(some)
        .zip(x.par_chunks(some * entries))
        .zip(y.par_chunks(some * entries));
    chunks.for_each(|((values, x), y)| {
        vectorized(
            #[inline(always)]
            || {
                let rows = x.chunks(entries).zip(y.chunks(entries));
                for (value, (x, y)) in values.iter_mut().zip(rows) {
                    *value = sum(x, y, term) * factor;
                }
            },
        );
    });
    values
}

impl HostFunction for RowSums {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let Self { entries, factor } = *self;
        let some = rows_at_a_time(entries);
        let rows = x.len() / entries;
        let values = sums(
            x,
            x,
            entries,
            factor,
            #[inline(always)]
            |x, _| x,
        );
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
