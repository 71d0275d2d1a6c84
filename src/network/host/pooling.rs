//! Max and average pooling with Caffe's windows: clipped at the image's edge, the average's divisor counting padding.

use std::sync::Arc;

use rayon::prelude::*;

use super::vector::vectorized;
use super::{Gradient, HostArray, HostFunction, Output};

/// The windows of a pooling layer over one plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Rows, columns of the input.
    pub input: [usize; 2],
    /// Rows, columns of the output.
    pub output: [usize; 2],
    /// Rows, columns of a window.
    pub kernel: [usize; 2],
    /// Steps, in pixels.
    pub stride: [usize; 2],
    /// Padding around the image.
    pub pad: [usize; 2],
}

/// A window along one axis: the part inside the image, and its extent with padding.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// First pixel inside.
    pub start: usize,
    /// One past the last pixel inside.
    pub end: usize,
    /// Extent, with the padding that Caffe's divisor counts.
    pub extent: usize,
}

impl Windows {
    /// Window `index` along `axis` (0: rows).
    pub fn window(&self, axis: usize, index: usize) -> Window {
        let (size, pad, kernel) = (self.input[axis], self.pad[axis], self.kernel[axis]);
        // In padded coordinates, so that nothing is negative.
        let start = index * self.stride[axis];
        let end = (start + kernel).min(size + 2 * pad);
        Window {
            start: start.saturating_sub(pad).min(size),
            end: end.saturating_sub(pad).min(size),
            extent: end - start.min(end),
        }
    }

    fn windows(&self) -> (Vec<Window>, Vec<Window>) {
        let along = |axis| (0..self.output[axis]).map(|i| self.window(axis, i)).collect();
        (along(0), along(1))
    }

    fn areas(&self) -> (usize, usize) {
        (self.input[0] * self.input[1], self.output[0] * self.output[1])
    }
}

fn output_shape(x: &HostArray, windows: &Windows) -> Vec<usize> {
    let [batch, channels] = [x.shape()[0], x.shape()[1]];
    vec![batch, channels, windows.output[0], windows.output[1]]
}

/// The choice of a window that lies wholly outside the image.
const NOTHING: u32 = u32::MAX;

/// A line of pixels with room for padding on both sides: the largest value above and below each pixel within a window's
/// rows, and its place in the plane.
struct Line {
    best: Vec<f32>,
    best_at: Vec<u32>,
}

impl Line {
    /// Room for all windows along a line, whole.
    fn new(windows: &Windows) -> Self {
        let reach = (windows.output[1] - 1) * windows.stride[1] + windows.kernel[1];
        let len = reach.max(windows.pad[1] + windows.input[1]);
        Self {
            best: vec![-f32::MAX; len],
            best_at: vec![NOTHING; len],
        }
    }

    /// Takes up the window's rows of a plane; of equal values the first counts.
    #[inline(always)]
    fn take(&mut self, plane: &[f32], rows: &Window, windows: &Windows) {
        let (width, pad) = (windows.input[1], windows.pad[1]);
        let best = &mut self.best[pad..pad + width];
        let best_at = &mut self.best_at[pad..pad + width];
        best.fill(-f32::MAX);
        best_at.fill(NOTHING);
        for y in rows.start..rows.end {
            let line = &plane[y * width..(y + 1) * width];
            let first = u32::try_from(y * width).unwrap_or(NOTHING);
            for (((best, best_at), value), x) in best.iter_mut().zip(best_at.iter_mut()).zip(line).zip(0..) {
                let larger = *value > *best;
                *best = if larger { *value } else { *best };
                *best_at = if larger { first + x } else { *best_at };
            }
        }
    }

    /// The largest of each window; of equal values that which comes first in the plane.
    #[inline(always)]
    fn give(&self, windows: &Windows, values: &mut [f32], chosen: &mut [u32]) {
        values.fill(-f32::MAX);
        chosen.fill(NOTHING);
        for tap in 0..windows.kernel[1] {
            let (best, best_at) = (&self.best[tap..], &self.best_at[tap..]);
            // The usual strides by themselves, for they become vector instructions.
            match windows.stride[1] {
                1 => keep_larger(values, chosen, best.iter().copied(), best_at.iter().copied()),
                2 => keep_larger(
                    values,
                    chosen,
                    best.chunks(2).map(|pair| pair[0]),
                    best_at.chunks(2).map(|pair| pair[0]),
                ),
                stride => keep_larger(
                    values,
                    chosen,
                    best.iter().step_by(stride).copied(),
                    best_at.iter().step_by(stride).copied(),
                ),
            }
        }
    }
}

/// Replaces what is smaller, or equal and later.
#[inline(always)]
fn keep_larger(
    values: &mut [f32],
    chosen: &mut [u32],
    others: impl Iterator<Item = f32>,
    others_at: impl Iterator<Item = u32>,
) {
    for (((value, chosen), other), other_at) in values.iter_mut().zip(chosen).zip(others).zip(others_at) {
        let larger = (other > *value) | ((other == *value) & (other_at < *chosen));
        *value = if larger { other } else { *value };
        *chosen = if larger { other_at } else { *chosen };
    }
}

/// The largest value of each window; of equal ones the first, which alone receives the gradient.
#[derive(Debug, Clone)]
pub struct MaxPool {
    /// The windows.
    pub windows: Windows,
}

impl HostFunction for MaxPool {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let windows = self.windows;
        let (in_area, out_area) = windows.areas();
        let shape = output_shape(x, &windows);
        let count: usize = shape.iter().product();
        let (rows, _) = windows.windows();
        let mut values = vec![0.0f32; count];
        let mut chosen = vec![0u32; count];
        values
            .par_chunks_mut(out_area.max(1))
            .zip(chosen.par_chunks_mut(out_area.max(1)))
            .zip(x.par_chunks(in_area.max(1)))
            .for_each_init(
                || Line::new(&windows),
                |line, ((values, chosen), plane)| {
                    let lines = values
                        .chunks_mut(windows.output[1])
                        .zip(chosen.chunks_mut(windows.output[1]));
                    for (row, (values, chosen)) in rows.iter().zip(lines) {
                        vectorized(
                            #[inline(always)]
                            || {
                                line.take(plane, row, &windows);
                                line.give(&windows, values, chosen);
                            },
                        );
                    }
                },
            );
        let gradient = track.then(|| {
            let len = x.len();
            Arc::new(move |grad: &HostArray| {
                let mut back = vec![0.0; len];
                back.par_chunks_mut(in_area.max(1))
                    .zip(grad.par_chunks(out_area.max(1)))
                    .zip(chosen.par_chunks(out_area.max(1)))
                    .for_each(|((plane, grad), chosen)| {
                        for (at, grad) in chosen.iter().zip(grad) {
                            if let Some(value) = plane.get_mut(*at as usize) {
                                *value += grad;
                            }
                        }
                    });
                back
            }) as Gradient
        });
        Output {
            values,
            shape,
            gradient,
        }
    }
}

/// The mean of each window.
#[derive(Debug, Clone)]
pub struct AveragePool {
    /// The windows.
    pub windows: Windows,
}

impl HostFunction for AveragePool {
    fn forward(&self, x: &HostArray, _: &[HostArray], track: bool) -> Output {
        let windows = self.windows;
        let (in_area, out_area) = windows.areas();
        let shape = output_shape(x, &windows);
        let (rows, columns) = windows.windows();
        let width = windows.input[1];
        let mut values = vec![0.0f32; shape.iter().product()];
        values
            .par_chunks_mut(out_area.max(1))
            .zip(x.par_chunks(in_area.max(1)))
            .for_each(|(values, plane)| {
                let mut at = 0;
                for row in &rows {
                    for column in &columns {
                        let mut sum = 0.0f32;
                        for y in row.start..row.end {
                            sum += plane[y * width + column.start..y * width + column.end]
                                .iter()
                                .sum::<f32>();
                        }
                        values[at] = sum / divisor(row, column);
                        at += 1;
                    }
                }
            });
        let gradient = track.then(|| {
            let len = x.len();
            Arc::new(move |grad: &HostArray| {
                let mut back = vec![0.0; len];
                back.par_chunks_mut(in_area.max(1))
                    .zip(grad.par_chunks(out_area.max(1)))
                    .for_each(|(plane, grad)| {
                        let mut at = 0;
                        for row in &rows {
                            for column in &columns {
                                let share = grad[at] / divisor(row, column);
                                at += 1;
                                for y in row.start..row.end {
                                    for value in &mut plane[y * width + column.start..y * width + column.end] {
                                        *value += share;
                                    }
                                }
                            }
                        }
                    });
                back
            }) as Gradient
        });
        Output {
            values,
            shape,
            gradient,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "windows are far smaller than 2^24 pixels")]
fn divisor(row: &Window, column: &Window) -> f32 {
    (row.extent * column.extent).max(1) as f32
}
