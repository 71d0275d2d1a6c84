//! A convolution of each channel by itself, tap by tap over whole rows: unfolded to patches, each channel would be a product of a
//! single row.

use rayon::prelude::*;

use super::geometry::Geometry;
use crate::network::host::gemm::Cores;
use crate::network::host::scratch::with_scratch;
use crate::network::host::vector::vectorized;

/// The part of a channel's padded image that windows reach: its rows and columns.
fn reached(geometry: &Geometry) -> [usize; 2] {
    [0, 1].map(|axis| (geometry.output[axis + 1] - 1) * geometry.stride[axis] + geometry.reach(axis))
}

/// Calls `work` for each row of a channel's image that windows reach, with its place in the padded image.
#[inline(always)]
fn for_each_row(geometry: &Geometry, mut work: impl FnMut(std::ops::Range<usize>, std::ops::Range<usize>)) {
    let [rows, columns] = reached(geometry);
    let [_, height, width] = geometry.input;
    let [top, left] = geometry.pad;
    let len = width.min(columns.saturating_sub(left));
    for row in 0..height.min(rows.saturating_sub(top)) {
        let padded = (row + top) * columns + left;
        work(row * width..row * width + len, padded..padded + len);
    }
}

/// Calls `work` for each tap of each row of the output: with the weight's place, that of the row, and where the row begins in
/// the padded image.
#[inline(always)]
fn for_each_tap(geometry: &Geometry, mut work: impl FnMut(usize, std::ops::Range<usize>, usize)) {
    let [_, columns] = reached(geometry);
    let [_, height, width] = geometry.output;
    let [kernel_rows, kernel_columns] = geometry.kernel;
    for row in 0..height {
        for down in 0..kernel_rows {
            for across in 0..kernel_columns {
                let begin = (row * geometry.stride[0] + down * geometry.dilation[0]) * columns;
                work(
                    down * kernel_columns + across,
                    row * width..(row + 1) * width,
                    begin + across * geometry.dilation[1],
                );
            }
        }
    }
}

/// The convolution of an image; overwrites `out`.
pub(super) fn correlate(geometry: &Geometry, image: &[f32], weight: &[f32], out: &mut [f32], cores: Cores) {
    let [rows, columns] = reached(geometry);
    let (taps, step) = (geometry.kernel[0] * geometry.kernel[1], geometry.stride[1]);
    let channel = |((image, out), weight): ((&[f32], &mut [f32]), &[f32])| {
        with_scratch(rows * columns, |padded| {
            vectorized(
                #[inline(always)]
                || {
                    padded.fill(0.0);
                    for_each_row(geometry, |from, to| padded[to].copy_from_slice(&image[from]));
                    out.fill(0.0);
                    for_each_tap(geometry, |tap, row, begin| {
                        let (out, factor) = (&mut out[row], weight[tap]);
                        let from = &padded[begin..begin + (out.len() - 1) * step + 1];
                        if step == 1 {
                            out.iter_mut().zip(from).for_each(|(out, from)| *out += factor * from);
                        } else {
                            let from = from.iter().step_by(step);
                            out.iter_mut().zip(from).for_each(|(out, from)| *out += factor * from);
                        }
                    });
                },
            );
        });
    };
    let (image_len, out_len) = (geometry.input_area(), geometry.output_area());
    match cores {
        Cores::All => image
            .par_chunks(image_len)
            .zip(out.par_chunks_mut(out_len))
            .zip(weight.par_chunks(taps))
            .for_each(channel),
        Cores::One => image
            .chunks(image_len)
            .zip(out.chunks_mut(out_len))
            .zip(weight.chunks(taps))
            .for_each(channel),
    }
}

/// The transpose of [`correlate`]: spreads `out` over the image; overwrites it.
pub(super) fn spread(geometry: &Geometry, out: &[f32], weight: &[f32], image: &mut [f32], cores: Cores) {
    let [rows, columns] = reached(geometry);
    let (taps, step) = (geometry.kernel[0] * geometry.kernel[1], geometry.stride[1]);
    let channel = |((image, out), weight): ((&mut [f32], &[f32]), &[f32])| {
        with_scratch(rows * columns, |padded| {
            vectorized(
                #[inline(always)]
                || {
                    padded.fill(0.0);
                    for_each_tap(geometry, |tap, row, begin| {
                        let (out, factor) = (&out[row], weight[tap]);
                        let to = &mut padded[begin..begin + (out.len() - 1) * step + 1];
                        if step == 1 {
                            to.iter_mut().zip(out).for_each(|(to, out)| *to += factor * out);
                        } else {
                            let to = to.iter_mut().step_by(step);
                            to.zip(out).for_each(|(to, out)| *to += factor * out);
                        }
                    });
                    image.fill(0.0);
                    for_each_row(geometry, |to, from| image[to].copy_from_slice(&padded[from]));
                },
            );
        });
    };
    let (image_len, out_len) = (geometry.input_area(), geometry.output_area());
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
