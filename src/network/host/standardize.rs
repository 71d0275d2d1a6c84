//! Layer normalization on slices: each row less its mean, divided by its standard deviation, times a factor and plus a term for
//! each of its entries (Ba et al. 2016; ONNX's `LayerNormalization`).

use std::sync::Arc;

use rayon::prelude::*;

use super::scratch::{CHUNK, zeros};
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
        let (factor, term) = (parameters.first().cloned(), parameters.get(1).cloned());
        let mut normal = zeros(x.len());
        let mut scales = zeros(rows);
        let chunks = normal.par_chunks_mut(some * entries).zip(x.par_chunks(some * entries));
        chunks
            .zip(scales.par_chunks_mut(some))
            .for_each(|((normal, x), scales)| {
                vectorized(
                    #[inline(always)]
                    || {
                        let rows = normal.chunks_mut(entries).zip(x.chunks(entries));
                        for ((normal, x), scale) in rows.zip(scales) {
                            let mean = sum(x, x, |x, _| x) * share;
                            let variance = sum(x, x, |x, _| (x - mean) * (x - mean)) * share;
                            *scale = 1.0 / (variance + eps).sqrt();
                            for (normal, x) in normal.iter_mut().zip(x) {
                                *normal = (x - mean) * *scale;
                            }
                        }
                    },
                );
            });
        let mut values = zeros(x.len());
        let chunks = values.par_chunks_mut(some * entries);
        chunks
            .zip(normal.par_chunks(some * entries))
            .for_each(|(values, normal)| {
                vectorized(
                    #[inline(always)]
                    || {
                        for (values, normal) in values.chunks_mut(entries).zip(normal.chunks(entries)) {
                            values.copy_from_slice(normal);
                            if let Some(factor) = &factor {
                                values
                                    .iter_mut()
                                    .zip(factor.iter())
                                    .for_each(|(value, factor)| *value *= factor);
                            }
                            if let Some(term) = &term {
                                values
                                    .iter_mut()
                                    .zip(term.iter())
                                    .for_each(|(value, term)| *value += term);
                            }
                        }
                    },
                );
            });
        let gradient = track.then(|| {
            Arc::new(move |grad: &HostArray| {
                let mut back = zeros(grad.len());
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
                                match &factor {
                                    Some(factor) => {
                                        for ((back, grad), factor) in back.iter_mut().zip(grad).zip(factor.iter()) {
                                            *back = grad * factor;
                                        }
                                    }
                                    None => back.copy_from_slice(grad),
                                }
                                let mean = sum(back, back, |back, _| back) * share;
                                let along = sum(back, normal, |back, normal| back * normal) * share;
                                for (back, normal) in back.iter_mut().zip(normal) {
                                    *back = (*back - mean - normal * along) * scale;
                                }
                            }
                        },
                    );
                });
                back
            }) as Gradient
        });
        Output {
            values,
            shape: x.shape().to_vec(),
            gradient,
        }
    }
}
