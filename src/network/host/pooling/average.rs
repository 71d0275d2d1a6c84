//! Average pooling.

use std::sync::Arc;

use rayon::prelude::*;

use super::{Window, Windows, output_shape};
use crate::network::host::scratch::zeros;
use crate::network::host::{Gradient, HostArray, HostFunction, Output};

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
        let mut values = zeros(shape.iter().product());
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
                let mut back = zeros(len);
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
