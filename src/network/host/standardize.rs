//! Layer normalization on slices: each row less its mean, divided by its standard deviation, times a factor and plus a term for
//! each of its entries (Ba et al. 2016; ONNX's `LayerNormalization`).

use std::sync::Arc;

use rayon::prelude::*;

use super::scratch::{CHUNK, Unwritten, written, zeros};
use super::vector::{sum, vectorized};
use super::{Gradient, HostArray, HostFunction, Output};

/// Normalizes rows of `entries`. Parameters: the factors, then the terms, each if any.
#[derive(Debug, Clone, Copy)]
pub struct Standardize {
    /// Entries of a row.
    pub entries: usize,
    /// What is added to the variance.
    pub eps: f32,
}

impl HostFunction for Standardize {
    fn forward(&self, x: &HostArray, parameters: &[HostArray], track: bool) -> Output {
        let Self { entries, eps } = *self;
        #[expect(clippy::cast_precision_loss, reason = "a mean in float32")]
        let share = 1.0 / entries as f32;
        let rows = x.len() / entries.max(1);
        // Rows of a parallel task.
        let some = (CHUNK / entries.max(1)).max(1);
        let factor = parameters.first().cloned();
        let factors = factor.as_deref().map_or_else(|| vec![1.0; entries], <[f32]>::to_vec);
        let terms = parameters
            .get(1)
            .map_or_else(|| vec![0.0; entries], |term| term.to_vec());
        assert_eq!(
            (factors.len(), terms.len(), rows * entries),
            (entries, entries, x.len())
        );
        let mut scales = zeros(rows);
        let mut normal = Vec::new();
        // SAFETY: all rows of both are written.
        let values = unsafe {
            written(x.len(), |values| {
                normal = written(x.len(), |normal| {
                    let chunks = values
                        .par_chunks_mut(some * entries)
                        .zip(normal.par_chunks_mut(some * entries));
                    let chunks = chunks
                        .zip(x.par_chunks(some * entries))
                        .zip(scales.par_chunks_mut(some));
                    chunks.for_each(|(((values, normal), x), scales)| {
                        vectorized(
                            #[inline(always)]
                            || {
                                let rows = values.chunks_mut(entries).zip(normal.chunks_mut(entries));
                                for (((values, normal), x), scale) in rows.zip(x.chunks(entries)).zip(scales) {
                                    let mean = sum(x, x, |x, _| x) * share;
                                    let variance = sum(x, x, |x, _| (x - mean) * (x - mean)) * share;
                                    *scale = 1.0 / (variance + eps).sqrt();
                                    let results = values.iter_mut().zip(normal).zip(x);
                                    for (((value, normal), x), (factor, term)) in
                                        results.zip(factors.iter().zip(&terms))
                                    {
                                        let own = (x - mean) * *scale;
                                        normal.write(own);
                                        value.write(own * factor + term);
                                    }
                                }
                            },
                        );
                    });
                });
            })
        };
        let gradient = track.then(|| {
            Arc::new(move |grad: &HostArray| {
                let back_of = |back: &mut Unwritten| {
                    let chunks = back
                        .par_chunks_mut(some * entries)
                        .zip(grad.par_chunks(some * entries))
                        .zip(normal.par_chunks(some * entries))
                        .zip(scales.par_chunks(some));
                    chunks.for_each(|(((back, grad), normal), scales)| {
                        vectorized(
                            #[inline(always)]
                            || {
                                let rows = back.chunks_mut(entries).zip(grad.chunks(entries));
                                for (((back, grad), normal), scale) in rows.zip(normal.chunks(entries)).zip(scales) {
                                    let back = match &factor {
                                        Some(factor) => {
                                            for ((back, grad), factor) in back.iter_mut().zip(grad).zip(factor.iter()) {
                                                back.write(grad * factor);
                                            }
                                            // SAFETY: all of it has been written.
                                            unsafe { back.assume_init_mut() }
                                        }
                                        None => back.write_copy_of_slice(grad),
                                    };
                                    let mean = sum(back, back, |back, _| back) * share;
                                    let along = sum(back, normal, |back, normal| back * normal) * share;
                                    for (back, normal) in back.iter_mut().zip(normal) {
                                        *back = (*back - mean - normal * along) * scale;
                                    }
                                }
                            },
                        );
                    });
                };
                // SAFETY: all rows are written.
                unsafe { written(grad.len(), back_of) }
            }) as Gradient
        });
        Output {
            values,
            shape: x.shape().to_vec(),
            gradient,
        }
    }
}
