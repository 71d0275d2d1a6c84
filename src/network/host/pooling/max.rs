//! Max pooling.

use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::{Window, Windows, output_shape};
use crate::network::host::scratch::zeros;
use crate::network::host::vector::with_vectors;
use crate::network::host::{Gradient, HostArray, HostFunction, Output};

/// The choice of a window that lies wholly outside the image.
const NOTHING: u32 = u32::MAX;

/// Pixels that are compared at once: as many as the widest vector holds. What is left of a line is filled up to as many, for
/// the rest of a loop would take longer than all before it.
const LANES: usize = 16;
const OFFSETS: [u32; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Values and their places in a plane.
#[derive(Clone, Copy)]
struct Places {
    values: [f32; LANES],
    at: [u32; LANES],
}

impl Places {
    const NONE: Self = Self {
        values: [-f32::MAX; LANES],
        at: [NOTHING; LANES],
    };

    /// Replaces what is smaller, or equal and later.
    #[inline(always)]
    fn keep_larger<S: Simd>(&mut self, simd: S, other: &Self) {
        let (values, _) = S::as_mut_simd_f32s(&mut self.values);
        let (at, _) = S::as_mut_simd_u32s(&mut self.at);
        let (others, _) = S::as_simd_f32s(&other.values);
        let (others_at, _) = S::as_simd_u32s(&other.at);
        for (((value, at), other), other_at) in values.iter_mut().zip(at).zip(others).zip(others_at) {
            let earlier = simd.and_m32s(simd.equal_f32s(*other, *value), simd.less_than_u32s(*other_at, *at));
            let larger = simd.or_m32s(simd.greater_than_f32s(*other, *value), earlier);
            *value = simd.select_f32s(larger, *other, *value);
            *at = simd.select_u32s(larger, *other_at, *at);
        }
    }
}

/// Every `stride`th of some entries.
#[inline(always)]
fn every<T: Copy>(stride: usize, entries: &[T], nothing: T) -> [T; LANES] {
    let mut taken = [nothing; LANES];
    // The usual strides by themselves, for they become vector instructions.
    match (
        stride,
        entries.first_chunk::<LANES>(),
        entries.first_chunk::<{ 2 * LANES }>(),
    ) {
        (1, Some(entries), _) => taken = *entries,
        (2, _, Some(entries)) => {
            for lane in 0..LANES {
                taken[lane] = entries[2 * lane];
            }
        }
        _ => {
            for (taken, entry) in taken.iter_mut().zip(entries.iter().step_by(stride)) {
                *taken = *entry;
            }
        }
    }
    taken
}

/// A line of pixels with room for padding on both sides: the largest value above and below each pixel within a window's
/// rows, and its place in the plane.
struct Line {
    best: Vec<f32>,
    best_at: Vec<u32>,
}

impl Line {
    /// Room for all windows along a line, filled up.
    fn new(windows: &Windows) -> Self {
        let reach = windows.output[1].next_multiple_of(LANES) * windows.stride[1] + windows.kernel[1];
        let len = reach.max(windows.pad[1] + windows.input[1].next_multiple_of(LANES));
        Self {
            best: vec![-f32::MAX; len],
            best_at: vec![NOTHING; len],
        }
    }

    /// Takes up the window's rows of a plane; of equal values the first counts.
    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, plane: &[f32], rows: &Window, windows: &Windows) {
        let (width, pad) = (windows.input[1], windows.pad[1]);
        let (offsets, _) = S::as_simd_u32s(&OFFSETS);
        for first in (0..width).step_by(S::F32_LANES) {
            let (mut best, mut best_at) = (simd.splat_f32s(-f32::MAX), simd.splat_u32s(NOTHING));
            for y in rows.start..rows.end {
                let start = y * width + first;
                let rest = &plane[start..];
                let values = match S::as_simd_f32s(rest).0.first() {
                    Some(values) => *values,
                    None => simd.partial_load_f32s(rest),
                };
                let start = simd.splat_u32s(u32::try_from(start).unwrap_or(NOTHING));
                let larger = simd.greater_than_f32s(values, best);
                best = simd.select_f32s(larger, values, best);
                best_at = simd.select_u32s(larger, simd.add_u32s(start, offsets[0]), best_at);
            }
            let place = pad + first..pad + first + S::F32_LANES;
            S::as_mut_simd_f32s(&mut self.best[place.clone()]).0[0] = best;
            S::as_mut_simd_u32s(&mut self.best_at[place]).0[0] = best_at;
        }
        // What was read of the next line.
        self.best[pad + width..].fill(-f32::MAX);
        self.best_at[pad + width..].fill(NOTHING);
    }

    /// The largest of each window; of equal values that which comes first in the plane.
    #[inline(always)]
    fn give<S: Simd>(&self, simd: S, windows: &Windows, values: &mut [f32], chosen: &mut [u32]) {
        let stride = windows.stride[1];
        let chunks = values.chunks_mut(LANES).zip(chosen.chunks_mut(LANES));
        for (number, (values, chosen)) in chunks.enumerate() {
            let mut largest = Places::NONE;
            for tap in 0..windows.kernel[1] {
                let from = number * LANES * stride + tap;
                largest.keep_larger(
                    simd,
                    &Places {
                        values: every(stride, &self.best[from..], -f32::MAX),
                        at: every(stride, &self.best_at[from..], NOTHING),
                    },
                );
            }
            values.copy_from_slice(&largest.values[..values.len()]);
            chosen.copy_from_slice(&largest.at[..chosen.len()]);
        }
    }
}

/// A line of the output.
struct Row<'a> {
    line: &'a mut Line,
    plane: &'a [f32],
    rows: &'a Window,
    windows: &'a Windows,
    values: &'a mut [f32],
    chosen: &'a mut [u32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.line.take(simd, self.plane, self.rows, self.windows);
        self.line.give(simd, self.windows, self.values, self.chosen);
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
        let mut values = zeros(count);
        let mut chosen = zeros(count);
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
                        with_vectors(Row {
                            line,
                            plane,
                            rows: row,
                            windows: &windows,
                            values,
                            chosen,
                        });
                    }
                },
            );
        let gradient = track.then(|| {
            let len = x.len();
            Arc::new(move |grad: &HostArray| {
                let mut back = zeros(len);
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
