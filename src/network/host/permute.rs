//! Axes in another order, copied by all cores.

use std::sync::Arc;

use rayon::prelude::*;

use super::scratch::{CHUNK, Unwritten, written};
use super::vector::{LANES, vectorized};
use super::{Gradient, HostArray, HostFunction, Output};

/// Entries in another order: axis i of the result is axis `order[i]` of what is given.
#[derive(Debug, Clone)]
pub struct Permute {
    /// Which axes of the input those of the output are.
    pub order: Vec<usize>,
}

/// An axis of the result: how many entries, and how far apart they are in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Axis {
    extent: usize,
    stride: usize,
}

/// The result's axes, without those of one entry, and with those joined that are neighbours in the source too.
fn axes(shape: &[usize], order: &[usize]) -> Vec<Axis> {
    let mut axes: Vec<Axis> = Vec::new();
    for axis in order {
        let (extent, stride) = (shape[*axis], shape[axis + 1..].iter().product());
        match axes.last_mut() {
            _ if extent == 1 => {}
            Some(last) if last.stride == extent * stride => {
                *last = Axis {
                    extent: last.extent * extent,
                    stride,
                };
            }
            _ => axes.push(Axis { extent, stride }),
        }
    }
    axes
}

/// Where a row of the result, counted over all axes but the last, begins in the source.
fn begin(outer: &[Axis], mut row: usize) -> usize {
    let mut place = 0;
    for axis in outer.iter().rev() {
        place += row % axis.extent * axis.stride;
        row /= axis.extent;
    }
    place
}

/// The entries of `source`, whose shape is `shape`, with its axes in another order.
pub(super) fn permuted(source: &[f32], shape: &[usize], order: &[usize]) -> Vec<f32> {
    assert_eq!(source.len(), shape.iter().product::<usize>());
    let axes = axes(shape, order);
    let Some((last, outer)) = axes.split_last() else {
        return source.to_vec();
    };
    let len = last.extent;
    // Rows of a parallel task: many, and whole blocks where blocks are turned.
    let rows = (CHUNK / len).next_multiple_of(LANES).max(LANES);
    let permute = |out: &mut Unwritten| {
        let chunks = out.par_chunks_mut(rows * len).enumerate();
        chunks.for_each(|(chunk, out)| {
            vectorized(
                #[inline(always)]
                || {
                    for (block, out) in out.chunks_mut(LANES * len).enumerate() {
                        let first = chunk * rows + block * LANES;
                        let height = out.len() / len;
                        let place = begin(outer, first);
                        // Rows that begin side by side in the source are columns of it.
                        let are_columns = outer
                            .last()
                            .is_some_and(|axis| axis.stride == 1 && first % axis.extent + height <= axis.extent);
                        if are_columns && height == LANES {
                            for column in 0..len {
                                let values = &source[place + column * last.stride..][..LANES];
                                for (row, value) in values.iter().enumerate() {
                                    out[row * len + column].write(*value);
                                }
                            }
                        } else {
                            for (row, out) in out.chunks_mut(len).enumerate() {
                                let place = begin(outer, first + row);
                                if last.stride == 1 {
                                    out.write_copy_of_slice(&source[place..][..len]);
                                } else {
                                    let values = source[place..].iter().step_by(last.stride);
                                    for (out, value) in out.iter_mut().zip(values) {
                                        out.write(*value);
                                    }
                                }
                            }
                        }
                    }
                },
            );
        });
    };
    // SAFETY: all rows are written.
    unsafe { written(source.len(), permute) }
}

impl HostFunction for Permute {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let order = &self.order;
        let shape: Vec<usize> = order.iter().map(|axis| x.shape()[*axis]).collect();
        let gradient = track.then(|| {
            let shape = shape.clone();
            let mut inverse = vec![0; order.len()];
            order
                .iter()
                .enumerate()
                .for_each(|(place, axis)| inverse[*axis] = place);
            Arc::new(move |grad: &HostArray| permuted(grad, &shape, &inverse)) as Gradient
        });
        Output {
            values: permuted(x, x.shape(), order),
            shape,
            gradient,
        }
    }
}
