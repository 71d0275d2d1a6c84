//! The input or the output of a convolution, and its way into vectors and out of them.
//!
//! Where the convolution has a stride, each of its input's channels is taken apart into *phases*: of stride 2, the pixels of even
//! rows and even columns (padding counted) are one, those of even rows and odd columns the next. A convolution over the phases has
//! stride 1.

use super::LANES;

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
    /// As many phases as a channel may have for whole channels to fill a vector.
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

    /// The first place along an axis of a phase that is not padding, and its pixel.
    fn first(&self, axis: usize, phase: usize) -> (usize, usize) {
        let (stride, pad) = (self.stride[axis], self.pad[axis]);
        let first = pad.saturating_sub(phase).div_ceil(stride);
        (first, first * stride + phase - pad)
    }

    /// Brings `count` lines of some planes' phases from `top` on, padding counted, side by side into vectors.
    pub(super) fn load(&self, planes: &[f32], [top, count]: [usize; 2], lines: &mut [[f32; LANES]]) {
        let [_, height, width] = self.shape;
        let across = lines.len() / count;
        lines.fill([0.0; LANES]);
        for (number, line) in lines.chunks_mut(across).enumerate() {
            for (place, plane) in planes.chunks(self.area()).enumerate() {
                for phase in 0..self.phases() {
                    let (lane, [down, right]) = (place * self.phases() + phase, self.offset(phase));
                    let y = ((top + number) * self.stride[0] + down).checked_sub(self.pad[0]);
                    let Some(y) = y.filter(|y| *y < height) else {
                        continue;
                    };
                    let (first, x) = self.first(1, right);
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

    /// Takes planes out of vectors, `across` in a line, and leaves out the padding.
    pub(super) fn store(&self, lines: &[[f32; LANES]], across: usize, planes: &mut [f32]) {
        let width = self.shape[2];
        for (place, plane) in planes.chunks_mut(self.area()).enumerate() {
            if self.phases() > 1 {
                // Pixels that no tap comes to.
                plane.fill(0.0);
            }
            for phase in 0..self.phases() {
                let (lane, [down, right]) = (place * self.phases() + phase, self.offset(phase));
                let ((above, y), (left, x)) = (self.first(0, down), self.first(1, right));
                let rows = plane.chunks_mut(width).skip(y).step_by(self.stride[0]);
                for (line, row) in lines.chunks(across).skip(above).zip(rows) {
                    let from = line.get(left..).unwrap_or_default();
                    let pixels = row.get_mut(x..).unwrap_or_default().iter_mut();
                    match self.stride[1] {
                        1 => pixels.zip(from).for_each(|(to, from)| *to = from[lane]),
                        stride => pixels.step_by(stride).zip(from).for_each(|(to, from)| *to = from[lane]),
                    }
                }
            }
        }
    }

    /// Where a phase's first pixel stands.
    fn offset(&self, phase: usize) -> [usize; 2] {
        [phase / self.stride[1], phase % self.stride[1]]
    }
}
