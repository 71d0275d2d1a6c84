//! Max and average pooling with Caffe's windows: clipped at the image's edge, the average's divisor counting padding.

use std::sync::Arc;

use rayon::prelude::*;

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
        let (rows, columns) = windows.windows();
        let width = windows.input[1];
        let mut values = vec![0.0f32; count];
        let mut chosen = vec![0u32; count];
        values
            .par_chunks_mut(out_area.max(1))
            .zip(chosen.par_chunks_mut(out_area.max(1)))
            .zip(x.par_chunks(in_area.max(1)))
            .for_each(|((values, chosen), plane)| {
                let mut at = 0;
                for row in &rows {
                    for column in &columns {
                        let (mut best, mut best_at) = (-f32::MAX, usize::MAX);
                        for y in row.start..row.end {
                            let base = y * width;
                            for (i, value) in plane[base + column.start..base + column.end].iter().enumerate() {
                                if *value > best {
                                    (best, best_at) = (*value, base + column.start + i);
                                }
                            }
                        }
                        values[at] = best;
                        chosen[at] = u32::try_from(best_at).unwrap_or(NOTHING);
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
