//! A convolution of each channel by itself, tap by tap over whole rows: unfolded to patches, each channel would be a product of a
//! single row.

use std::mem::MaybeUninit;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::geometry::Geometry;
use crate::network::host::gemm::Cores;
use crate::network::host::scratch::{CHUNK, Unwritten, cleared, with_scratch};
use crate::network::host::vector::{LANES, vectorized, with_vectors};

/// A channel's padded image, as far as windows reach. Each row is stored phase by phase (with a stride of 2: the even columns, then
/// the odd ones), so that what a tap of the kernel meets along a row lies side by side.
struct Padded<'a> {
    geometry: &'a Geometry,
    /// Rows and columns that windows reach.
    reached: [usize; 2],
    /// Columns of a phase.
    of_phase: usize,
    /// Where what each tap of the kernel meets begins, from where the kernel's first tap does.
    taps: Vec<usize>,
}

impl<'a> Padded<'a> {
    fn new(geometry: &'a Geometry) -> Self {
        let reached = [0, 1].map(|axis| (geometry.output[axis + 1] - 1) * geometry.stride[axis] + geometry.reach(axis));
        let step = geometry.stride[1];
        let of_phase = reached[1].div_ceil(step);
        let [rows, columns] =
            [0, 1].map(|axis| (0..geometry.kernel[axis]).map(move |tap| tap * geometry.dilation[axis]));
        let taps = rows.flat_map(|row| {
            let place = move |column| row * of_phase * step + column % step * of_phase + column / step;
            columns.clone().map(place)
        });
        Self {
            geometry,
            reached,
            of_phase,
            taps: taps.collect(),
        }
    }

    /// Entries, and as many more as a vector may read beyond the last.
    fn len(&self) -> usize {
        self.reached[0] * self.row() + LANES
    }

    fn row(&self) -> usize {
        self.of_phase * self.geometry.stride[1]
    }

    /// Calls `work` for each row of a channel's image that windows reach and each phase: with the place of the phase's first
    /// pixel in the image, that in the padded image, and how many pixels there are, a stride apart in the image.
    #[inline(always)]
    fn for_each_row(&self, mut work: impl FnMut(usize, usize, usize)) {
        let [rows, columns] = self.reached;
        let [_, height, width] = self.geometry.input;
        let [top, left] = self.geometry.pad;
        let step = self.geometry.stride[1];
        let end = width.min(columns.saturating_sub(left));
        for row in 0..height.min(rows.saturating_sub(top)) {
            for first in 0..step.min(end) {
                let column = first + left;
                let padded = (row + top) * self.row() + column % step * self.of_phase + column / step;
                work(row * width + first, padded, (end - first).div_ceil(step));
            }
        }
    }

    /// Where what the first tap meets along a row of the output begins.
    fn begin(&self, row: usize) -> usize {
        row * self.geometry.stride[0] * self.row()
    }
}

/// Rows of the output that are summed side by side: the next tap's product waits for a row's sum, and not for those of others.
const ROWS: usize = 4;

/// A channel of the output.
struct Channel<'a> {
    padded: &'a Padded<'a>,
    image: &'a [f32],
    weight: &'a [f32],
    out: &'a mut [MaybeUninit<f32>],
}

impl Channel<'_> {
    /// Some rows, from what the first tap meets on; sums stay in registers from tap to tap.
    #[inline(always)]
    fn rows<S: Simd, const N: usize>(&mut self, simd: S, first: usize) {
        let (width, apart) = (self.padded.geometry.output[2], self.padded.begin(1));
        let image = &self.image[self.padded.begin(first)..];
        let out = &mut self.out[first * width..][..N * width];
        for place in (0..width).step_by(S::F32_LANES) {
            let mut sums = [simd.splat_f32s(0.0); N];
            for (tap, factor) in self.padded.taps.iter().zip(self.weight) {
                let factor = simd.splat_f32s(*factor);
                for (row, sum) in sums.iter_mut().enumerate() {
                    let image = &image[row * apart + tap + place..][..S::F32_LANES];
                    *sum = simd.mul_add_e_f32s(factor, S::as_simd_f32s(image).0[0], *sum);
                }
            }
            let count = S::F32_LANES.min(width - place);
            for (row, sum) in sums.into_iter().enumerate() {
                let mut entries = [0.0; LANES];
                S::as_mut_simd_f32s(&mut entries).0[0] = sum;
                out[row * width + place..][..count].write_copy_of_slice(&entries[..count]);
            }
        }
    }
}

impl WithSimd for Channel<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let rows = self.padded.geometry.output[1];
        let fours = rows / ROWS * ROWS;
        for first in (0..fours).step_by(ROWS) {
            self.rows::<S, ROWS>(simd, first);
        }
        for row in fours..rows {
            self.rows::<S, 1>(simd, row);
        }
    }
}

/// The convolution of an image; writes all of `out`.
pub(super) fn correlate(geometry: &Geometry, image: &[f32], weight: &[f32], out: &mut Unwritten, cores: Cores) {
    let padded = Padded::new(geometry);
    let (taps, step) = (geometry.kernel[0] * geometry.kernel[1], geometry.stride[1]);
    let (image_len, out_len) = (geometry.input_area(), geometry.output_area());
    let channels = geometry.group;
    assert_eq!(
        (image.len(), out.len(), weight.len()),
        (channels * image_len, channels * out_len, channels * taps)
    );
    let some_channels = |((image, out), weight): ((&[f32], &mut Unwritten), &[f32])| {
        with_scratch(padded.len(), |scratch| {
            vectorized(
                #[inline(always)]
                || {
                    // What is padding for one channel is so for all.
                    scratch.fill(0.0);
                    let channels = image.chunks(image_len).zip(out.chunks_mut(out_len));
                    for ((image, out), weight) in channels.zip(weight.chunks(taps)) {
                        padded.for_each_row(|from, to, count| {
                            let to = &mut scratch[to..to + count];
                            if step == 1 {
                                to.copy_from_slice(&image[from..from + count]);
                            } else {
                                let from = image[from..].iter().step_by(step);
                                to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                            }
                        });
                        with_vectors(Channel {
                            padded: &padded,
                            image: scratch,
                            weight,
                            out,
                        });
                    }
                },
            );
        });
    };
    match cores {
        Cores::All => {
            // Channels of a parallel task.
            let some = (CHUNK / (taps * out_len)).max(1);
            image
                .par_chunks(some * image_len)
                .zip(out.par_chunks_mut(some * out_len))
                .zip(weight.par_chunks(some * taps))
                .for_each(some_channels);
        }
        Cores::One => some_channels(((image, out), weight)),
    }
}

/// The convolution whose kernel is the reversed one of a convolution of stride 1, and that is its transpose; `None` of another
/// stride, or where windows begin wholly outside of the image.
fn transposed(geometry: &Geometry) -> Option<Geometry> {
    let pad = [0, 1].map(|axis| (geometry.reach(axis) - 1).checked_sub(geometry.pad[axis]));
    let ([Some(top), Some(left)], [1, 1]) = (pad, geometry.stride) else {
        return None;
    };
    Some(Geometry {
        input: geometry.output,
        output: geometry.input,
        pad: [top, left],
        ..*geometry
    })
}

/// The transpose of [`correlate`]: spreads `out` over the image; writes all of it.
pub(super) fn spread(geometry: &Geometry, out: &[f32], weight: &[f32], image: &mut Unwritten, cores: Cores) {
    if let Some(transposed) = transposed(geometry) {
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let reversed: Vec<f32> = weight
            .chunks(taps)
            .flat_map(|taps| taps.iter().rev().copied())
            .collect();
        return correlate(&transposed, out, &reversed, image, cores);
    }
    let padded = Padded::new(geometry);
    let (taps, step) = (geometry.kernel[0] * geometry.kernel[1], geometry.stride[1]);
    let channel = |((image, out), weight): ((&mut Unwritten, &[f32]), &[f32])| {
        with_scratch(padded.len(), |scratch| {
            vectorized(
                #[inline(always)]
                || {
                    scratch.fill(0.0);
                    for (row, out) in out.chunks(geometry.output[2]).enumerate() {
                        let to = &mut scratch[padded.begin(row)..];
                        for (tap, factor) in padded.taps.iter().zip(weight) {
                            let to = to[*tap..*tap + out.len()].iter_mut();
                            to.zip(out).for_each(|(to, out)| *to += factor * out);
                        }
                    }
                    let image = cleared(image, Cores::One);
                    padded.for_each_row(|to, from, count| {
                        let from = &scratch[from..from + count];
                        if step == 1 {
                            image[to..to + count].copy_from_slice(from);
                        } else {
                            let to = image[to..].iter_mut().step_by(step);
                            to.zip(from).for_each(|(to, from)| *to = *from);
                        }
                    });
                },
            );
        });
    };
    let (image_len, out_len) = (geometry.input_area(), geometry.output_area());
    let channels = geometry.group;
    assert_eq!(
        (image.len(), out.len(), weight.len()),
        (channels * image_len, channels * out_len, channels * taps)
    );
    match cores {
        Cores::All => image
            .par_chunks_mut(image_len)
            .zip(out.par_chunks(out_len))
            .zip(weight.par_chunks(taps))
            .for_each(channel),
        Cores::One => image
            .chunks_mut(image_len)
            .zip(out.chunks(out_len))
            .zip(weight.chunks(taps))
            .for_each(channel),
    }
}
