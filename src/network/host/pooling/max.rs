//! Max pooling.

use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::{Window, Windows, output_shape};
use crate::network::host::scratch::zeros;
use crate::network::host::vector::{LANES, with_vectors};
use crate::network::host::{Gradient, HostArray, HostFunction, Output};

/// The index that is recorded for a window with no pixel inside the image.
const NOTHING: u32 = u32::MAX;

/// Maxima and their indices in the plane, as vectors.
#[derive(Clone, Copy)]
struct Places<S: Simd> {
    values: S::f32s,
    at: S::u32s,
}

impl<S: Simd> Places<S> {
    #[inline(always)]
    fn none(simd: S) -> Self {
        Self {
            values: simd.splat_f32s(-f32::MAX),
            at: simd.splat_u32s(NOTHING),
        }
    }

    /// Replaces maxima that are smaller than the new values.
    #[inline(always)]
    fn keep_larger(self, simd: S, other: Self) -> Self {
        self.replaced(simd, other, simd.greater_than_f32s(other.values, self.values))
    }

    /// Replaces maxima that are smaller, or equal with a later index.
    #[inline(always)]
    fn keep_first_largest(self, simd: S, other: Self) -> Self {
        let equal = simd.equal_f32s(other.values, self.values);
        let earlier = simd.and_m32s(equal, simd.less_than_u32s(other.at, self.at));
        let larger = simd.greater_than_f32s(other.values, self.values);
        self.replaced(simd, other, simd.or_m32s(larger, earlier))
    }

    #[inline(always)]
    fn replaced(self, simd: S, other: Self, by: S::m32s) -> Self {
        Self {
            values: simd.select_f32s(by, other.values, self.values),
            at: simd.select_u32s(by, other.at, self.at),
        }
    }
}

const OFFSETS: [u32; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The first vector of `entries`, padded where they are fewer.
#[inline(always)]
fn load<S: Simd>(simd: S, entries: &[f32]) -> S::f32s {
    match S::as_simd_f32s(entries).0.first() {
        Some(values) => *values,
        None => simd.partial_load_f32s(entries),
    }
}

/// A vector of every `stride`th of `entries`, of which there must be enough.
#[inline(always)]
fn every<T: Copy, V: Copy>(stride: usize, entries: &[T], nothing: T, vectors: impl Fn(&[T]) -> &[V]) -> V {
    let mut taken = [nothing; LANES];
    match (stride, entries.first_chunk::<{ 2 * LANES }>()) {
        (1, _) => return vectors(entries)[0],
        // The usual stride has code of its own, which the compiler vectorizes.
        (2, Some(entries)) => {
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
    vectors(&taken)[0]
}

/// For each column of a plane, padding included, the maximum over a window's rows and its index in the plane.
struct Line {
    best: Vec<f32>,
    best_at: Vec<u32>,
}

impl Line {
    /// Buffers that are long enough for all windows along a line, rounded up to whole vectors.
    fn new(windows: &Windows) -> Self {
        let reach = (windows.output[1] + LANES) * windows.stride[1] + windows.kernel[1];
        let len = reach.max(windows.pads.begin[1] + windows.input[1]) + LANES;
        Self {
            best: vec![-f32::MAX; len],
            best_at: vec![NOTHING; len],
        }
    }

    /// Computes the maxima over the window's rows of a plane; of equal values the first counts.
    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, plane: &[f32], rows: &Window, windows: &Windows) {
        let (width, pad) = (windows.input[1], windows.pads.begin[1]);
        let (offsets, _) = S::as_simd_u32s(&OFFSETS);
        for first in (0..width).step_by(S::F32_LANES) {
            let mut best = Places::none(simd);
            for y in rows.start..rows.end {
                let start = y * width + first;
                let place = simd.splat_u32s(u32::try_from(start).unwrap_or(NOTHING));
                best = best.keep_larger(
                    simd,
                    Places {
                        values: load(simd, &plane[start..]),
                        at: simd.add_u32s(place, offsets[0]),
                    },
                );
            }
            S::as_mut_simd_f32s(&mut self.best[pad + first..]).0[0] = best.values;
            S::as_mut_simd_u32s(&mut self.best_at[pad + first..]).0[0] = best.at;
        }
        // The part of the last vector that was read from the next line is discarded.
        self.best[pad + width..][..LANES].fill(-f32::MAX);
        self.best_at[pad + width..][..LANES].fill(NOTHING);
    }

    /// The maximum of each window; of equal values the one that comes first in the plane.
    #[inline(always)]
    fn give<S: Simd>(&self, simd: S, windows: &Windows, values: &mut [f32], chosen: &mut [u32]) {
        let stride = windows.stride[1];
        let chunks = values.chunks_mut(S::F32_LANES).zip(chosen.chunks_mut(S::F32_LANES));
        for (number, (values, chosen)) in chunks.enumerate() {
            let mut largest = Places::none(simd);
            for tap in 0..windows.kernel[1] {
                let from = number * S::F32_LANES * stride + tap;
                let tap = Places {
                    values: every(stride, &self.best[from..], -f32::MAX, |entries| {
                        S::as_simd_f32s(entries).0
                    }),
                    at: every(stride, &self.best_at[from..], NOTHING, |entries| {
                        S::as_simd_u32s(entries).0
                    }),
                };
                largest = largest.keep_first_largest(simd, tap);
            }
            simd.partial_store_f32s(values, largest.values);
            simd.partial_store_u32s(chosen, largest.at);
        }
    }
}

/// A plane, and where its maxima and their indices are written.
struct Plane<'a> {
    line: &'a mut Line,
    pixels: &'a [f32],
    rows: &'a [Window],
    windows: &'a Windows,
    values: &'a mut [f32],
    chosen: &'a mut [u32],
}

impl WithSimd for Plane<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let across = self.windows.output[1];
        let lines = self.values.chunks_mut(across).zip(self.chosen.chunks_mut(across));
        for (rows, (values, chosen)) in self.rows.iter().zip(lines) {
            self.line.take(simd, self.pixels, rows, self.windows);
            self.line.give(simd, self.windows, values, chosen);
        }
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
                |line, ((values, chosen), pixels)| {
                    with_vectors(Plane {
                        line,
                        pixels,
                        rows: &rows,
                        windows: &windows,
                        values,
                        chosen,
                    });
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
