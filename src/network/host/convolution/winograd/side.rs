//! The input or the output of a convolution, and moving its channels into the lanes of vectors and back.
//!
//! Where the convolution has a stride, each of its input's channels is split into *phases*: with stride 2, the
//! pixels of even rows and even columns (padding counted) are one, those of even rows and odd columns the next. A
//! convolution over the phases has stride 1.

use crate::network::host::vector::LANES;

/// A side of a convolution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    /// Channels, rows, columns.
    shape: [usize; 3],
    /// Zeros around it that tiles reach into.
    pad: [usize; 2],
    /// Steps from pixel to pixel of a phase.
    stride: [usize; 2],
    /// Planes of a group.
    planes: usize,
}

impl Side {
    /// The numbers of phases for which whole channels fill a vector.
    pub(super) const PHASES: [usize; 3] = [1, 4, LANES];

    pub(super) fn new(shape: [usize; 3], pad: [usize; 2], stride: [usize; 2], groups: usize) -> Self {
        Self {
            shape,
            pad,
            stride,
            planes: shape[0] / groups,
        }
    }

    /// Entries of an image.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    fn area(&self) -> usize {
        self.shape[1] * self.shape[2]
    }

    fn phases(&self) -> usize {
        self.stride[0] * self.stride[1]
    }

    /// Phases of a group's planes, rounded up to whole vectors.
    pub(super) fn channels(&self) -> usize {
        (self.planes * self.phases()).next_multiple_of(LANES)
    }

    /// Entries of a group's planes.
    pub(super) fn group_len(&self) -> usize {
        self.planes * self.area()
    }

    /// Entries of the planes whose phases fill a vector.
    pub(super) fn block_len(&self) -> usize {
        LANES / self.phases() * self.area()
    }

    /// The planes of one image's group.
    pub(super) fn planes<'a>(&self, images: &'a [f32], image: usize, group: usize) -> &'a [f32] {
        &images[image * self.len() + group * self.group_len()..][..self.group_len()]
    }

    /// The first position along a line of a phase that is not padding, and the pixel there.
    fn first(&self, right: usize) -> (usize, usize) {
        let (stride, pad) = (self.stride[1], self.pad[1]);
        let first = pad.saturating_sub(right).div_ceil(stride);
        (first, first * stride + right - pad)
    }

    /// The plane's row that line `line` of a phase is, `None` in the padding, which `line` counts.
    fn row(&self, line: usize, down: usize) -> Option<usize> {
        let y = (line * self.stride[0] + down).checked_sub(self.pad[0])?;
        (y < self.shape[1]).then_some(y)
    }

    /// Brings lines of some planes' phases, from `top` on, padding counted, side by side into vectors, `across` in a
    /// line.
    pub(super) fn load(&self, planes: &[f32], top: usize, lines: &mut [[f32; LANES]], across: usize) {
        let width = self.shape[2];
        lines.fill([0.0; LANES]);
        for (line, number) in lines.chunks_mut(across).zip(top..) {
            for (place, plane) in planes.chunks(self.area()).enumerate() {
                for phase in 0..self.phases() {
                    let (lane, [down, right]) = (place * self.phases() + phase, self.offset(phase));
                    let Some(y) = self.row(number, down) else {
                        continue;
                    };
                    let (first, x) = self.first(right);
                    let pixels = plane[y * width..][..width].get(x..).unwrap_or_default();
                    let to = line.get_mut(first..).unwrap_or_default().iter_mut();
                    match self.stride[1] {
                        1 => to.zip(pixels).for_each(|(to, from)| to[lane] = *from),
                        stride => {
                            let pixels = pixels.iter().step_by(stride);
                            to.zip(pixels).for_each(|(to, from)| to[lane] = *from);
                        }
                    }
                }
            }
        }
    }

    /// Takes lines of planes, from `top` on, out of vectors, `across` in a line, and leaves out the padding.
    pub(super) fn store(&self, lines: &[[f32; LANES]], across: usize, top: usize, planes: &mut [f32]) {
        let width = self.shape[2];
        for (place, plane) in planes.chunks_mut(self.area()).enumerate() {
            if self.phases() > 1 && top == 0 {
                // Pixels that no window reads.
                plane.fill(0.0);
            }
            for phase in 0..self.phases() {
                let (lane, [down, right]) = (place * self.phases() + phase, self.offset(phase));
                let (first, x) = self.first(right);
                for (line, number) in lines.chunks(across).zip(top..) {
                    let Some(y) = self.row(number, down) else {
                        continue;
                    };
                    let from = line.get(first..).unwrap_or_default();
                    let row = &mut plane[y * width..][..width];
                    let pixels = row.get_mut(x..).unwrap_or_default().iter_mut();
                    match self.stride[1] {
                        1 => pixels.zip(from).for_each(|(to, from)| *to = from[lane]),
                        stride => pixels.step_by(stride).zip(from).for_each(|(to, from)| *to = from[lane]),
                    }
                }
            }
        }
    }

    /// Row and column of a phase's first pixel.
    fn offset(&self, phase: usize) -> [usize; 2] {
        [phase / self.stride[1], phase % self.stride[1]]
    }
}
