//! The sizes of a convolution, and unfolding an image into patches (im2col) and back.

use rayon::prelude::*;

use crate::network::host::gemm::Cores;
use crate::network::host::scratch::{Unwritten, cleared};

/// The sizes of a convolution over one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Channels, rows, columns of the input.
    pub input: [usize; 3],
    /// Channels, rows, columns of the output.
    pub output: [usize; 3],
    /// Rows, columns of the kernel.
    pub kernel: [usize; 2],
    /// Steps, in pixels.
    pub stride: [usize; 2],
    /// Zeros before the first row and column; those after the last follow from the output size.
    pub pad: [usize; 2],
    /// Distance between kernel elements.
    pub dilation: [usize; 2],
    /// Groups of channels.
    pub group: usize,
}

impl Geometry {
    /// Input channels of a group times kernel size: rows of an unfolded group.
    pub(super) fn patch(&self) -> usize {
        self.input[0] / self.group * self.kernel[0] * self.kernel[1]
    }

    /// Multiply-adds for one image, in either direction.
    pub fn multiply_adds(&self) -> u64 {
        (self.patch() * self.output.iter().product::<usize>()) as u64
    }

    /// Extent of the kernel along an axis (0: rows), with its gaps.
    pub(super) fn reach(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1) + 1
    }

    /// Zeros after the last pixel along an axis (0: rows) that the last window reaches.
    pub fn far_pad(&self, axis: usize) -> usize {
        let last = (self.output[axis + 1] - 1) * self.stride[axis];
        (last + self.reach(axis)).saturating_sub(self.input[axis + 1] + self.pad[axis])
    }

    pub(super) fn output_area(&self) -> usize {
        self.output[1] * self.output[2]
    }

    pub(super) fn input_area(&self) -> usize {
        self.input[1] * self.input[2]
    }

    /// Entries of an image unfolded to patches; none where patches are pixels.
    pub fn unfolded(&self) -> usize {
        if self.is_pointwise() {
            return 0;
        }
        self.patch().saturating_mul(self.output_area())
    }

    /// Whether each channel is convolved by itself.
    pub(super) fn is_depthwise(&self) -> bool {
        self.group > 1 && self.input[0] == self.group && self.output[0] == self.group
    }

    /// Whether the unfolded image would be the image itself.
    pub(super) fn is_pointwise(&self) -> bool {
        // Beyond the last pixel there may be more zeros than before the first.
        let same_size = self.output[1..] == self.input[1..];
        self.kernel == [1, 1] && self.stride == [1, 1] && self.pad == [0, 0] && same_size
    }

    /// For kernel offset `k` along `axis` (0: rows): the output positions whose tap falls inside the input, and the
    /// input position of the first of them.
    fn span(&self, axis: usize, k: usize) -> (usize, usize, usize) {
        let (stride, pad) = (self.stride[axis], self.pad[axis]);
        let offset = k * self.dilation[axis];
        let first = pad.saturating_sub(offset).div_ceil(stride);
        let last = if self.input[axis + 1] + pad > offset {
            ((self.input[axis + 1] + pad - offset - 1) / stride + 1).min(self.output[axis + 1])
        } else {
            0
        };
        let first = first.min(last);
        (first, last, (first * stride + offset).saturating_sub(pad))
    }

    /// Unfolds some channels into `columns`, `patch x output_area` (im2col).
    pub(super) fn unfold(&self, image: &[f32], columns: &mut [f32]) {
        let taps = self.kernel[0] * self.kernel[1];
        let rows = columns.par_chunks_mut(self.output_area()).enumerate();
        rows.with_min_len(4).for_each(|(place, row)| {
            let (channel, tap) = (place / taps, place % taps);
            let plane = &image[channel * self.input_area()..][..self.input_area()];
            self.unfold_tap(plane, row, tap / self.kernel[1], tap % self.kernel[1]);
        });
    }

    fn unfold_tap(&self, plane: &[f32], row: &mut [f32], ky: usize, kx: usize) {
        let (y0, y1, mut iy) = self.span(0, ky);
        let (x0, x1, ix) = self.span(1, kx);
        let (width, out_width) = (self.input[2], self.output[2]);
        if x0 == x1 {
            return row.fill(0.0);
        }
        row[..y0 * out_width].fill(0.0);
        for line in row[y0 * out_width..y1 * out_width].chunks_mut(out_width) {
            line[..x0].fill(0.0);
            line[x1..].fill(0.0);
            let source = &plane[iy * width..(iy + 1) * width];
            if self.stride[1] == 1 {
                line[x0..x1].copy_from_slice(&source[ix..ix + x1 - x0]);
            } else {
                for (to, from) in line[x0..x1].iter_mut().zip(source[ix..].iter().step_by(self.stride[1])) {
                    *to = *from;
                }
            }
            iy += self.stride[0];
        }
        row[y1 * out_width..].fill(0.0);
    }

    /// The transpose of [`Self::unfold`]: adds up the patches in `columns` into an image (col2im); writes all of it.
    pub(super) fn fold(&self, columns: &[f32], image: &mut Unwritten) {
        let taps = self.kernel[0] * self.kernel[1];
        let [_, height, width] = self.input;
        let channels = image.len() / self.input_area();
        // Few channels are cut into bands of lines, so that every core has work.
        let bands = (4 * rayon::current_num_threads()).div_ceil(channels).min(height);
        let lines = height.div_ceil(bands);
        let bands = height.div_ceil(lines);
        let parts: Vec<&mut Unwritten> = image
            .chunks_mut(self.input_area())
            .flat_map(|plane| plane.chunks_mut(lines * width))
            .collect();
        parts.into_par_iter().enumerate().for_each(|(place, band)| {
            let band = cleared(band, Cores::One);
            let (channel, top) = (place / bands, place % bands * lines);
            let rows = &columns[channel * taps * self.output_area()..][..taps * self.output_area()];
            for (tap, row) in rows.chunks(self.output_area()).enumerate() {
                self.fold_tap(row, band, top, tap / self.kernel[1], tap % self.kernel[1]);
            }
        });
    }

    /// Adds the row of one kernel element to `band`, the lines of a plane from `top` on.
    fn fold_tap(&self, row: &[f32], band: &mut [f32], top: usize, ky: usize, kx: usize) {
        let (y0, y1, iy) = self.span(0, ky);
        let (x0, x1, ix) = self.span(1, kx);
        if x0 == x1 {
            return;
        }
        let [_, _, width] = self.input;
        let out_width = self.output[2];
        let bottom = top + band.len() / width;
        // The output lines for which this kernel element reads a line of the band, `top..bottom`.
        let [from, to] = [top, bottom].map(|line| (y0 + line.saturating_sub(iy).div_ceil(self.stride[0])).min(y1));
        for y in from..to {
            let line = &row[y * out_width..(y + 1) * out_width];
            let target = &mut band[(iy + (y - y0) * self.stride[0] - top) * width..][..width];
            if self.stride[1] == 1 {
                for (to, from) in target[ix..ix + x1 - x0].iter_mut().zip(&line[x0..x1]) {
                    *to += from;
                }
            } else {
                for (to, from) in target[ix..].iter_mut().step_by(self.stride[1]).zip(&line[x0..x1]) {
                    *to += from;
                }
            }
        }
    }
}
