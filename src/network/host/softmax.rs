//! A softmax of each row: exp(x) / sum of exp(x), and its way back, y (g - sum of g y).

use std::sync::Arc;

use super::curve::exp;
use super::each::{by_chunks, map};
use super::scratch::CHUNK;
use super::vector::{LANES, sum};
use super::{Gradient, HostArray, HostFunction, Output};

/// Rows of `entries`.
#[derive(Debug, Clone, Copy)]
pub struct Softmax {
    /// Entries of a row.
    pub entries: usize,
}

/// Below this, e^x is 0 beside the largest entry's 1, and below what [`exp`] computes.
const NOTHING: f32 = -87.0;

/// The largest entry of a row.
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let (vectors, rest) = row.as_chunks::<LANES>();
    let mut most = [f32::NEG_INFINITY; LANES];
    for vector in vectors {
        for (most, x) in most.iter_mut().zip(vector) {
            *most = most.max(*x);
        }
    }
    most.iter().chain(rest).fold(f32::NEG_INFINITY, |most, x| most.max(*x))
}

impl HostFunction for Softmax {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let entries = self.entries;
        // Entries of a parallel task: whole rows.
        let some = (CHUNK / entries).max(1) * entries;
        // SAFETY: all rows are written.
        let values = unsafe {
            by_chunks(
                some,
                x,
                x,
                #[inline(always)]
                |values, x, _| {
                    for (values, x) in values.chunks_mut(entries).zip(x.chunks(entries)) {
                        let most = largest(x);
                        for (value, x) in values.iter_mut().zip(x) {
                            let below = x - most;
                            value.write(if below < NOTHING { 0.0 } else { exp(below) });
                        }
                        // All of it has been written.
                        let values = values.assume_init_mut();
                        let share = 1.0 / sum(values, values, |value, _| value);
                        values.iter_mut().for_each(|value| *value *= share);
                    }
                },
            )
        };
        let shape = x.shape().to_vec();
        if !track {
            return Output {
                values,
                shape,
                gradient: None,
            };
        }
        // Copied by all cores.
        let copy = map(
            &values,
            #[inline(always)]
            |value| value,
        );
        let kept = HostArray::new(copy, shape.clone());
        let gradient = Arc::new(move |grad: &HostArray| {
            // SAFETY: all rows are written.
            unsafe {
                by_chunks(
                    some,
                    grad,
                    &kept,
                    #[inline(always)]
                    |back, grad, y| {
                        let rows = back.chunks_mut(entries).zip(grad.chunks(entries));
                        for ((back, grad), y) in rows.zip(y.chunks(entries)) {
                            let along = sum(grad, y, |grad, y| grad * y);
                            for ((back, grad), y) in back.iter_mut().zip(grad).zip(y) {
                                back.write(y * (grad - along));
                            }
                        }
                    },
                )
            }
        }) as Gradient;
        Output {
            values,
            shape,
            gradient: Some(gradient),
        }
    }
}
