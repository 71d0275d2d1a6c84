//! The rectangle outside of which a gradient is zero. A unit of a convolutional layer depends on a part of the image
//! only, and the backward pass need only compute that part: near the unit's layer a few pixels of thousands.

use std::ops::Range;

use rayon::prelude::*;

use super::geometry::Geometry;
use crate::network::host::gemm::Cores;
use crate::network::host::vector::{is_zero, vectorized};

/// The smallest range that holds both; an empty one of `len..0` holds nothing.
fn hull(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    a.start.min(b.start)..a.end.max(b.end)
}

/// The rows and columns outside of which every channel is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Footprint([Range<usize>; 2]);

impl Footprint {
    /// The footprint of one image's gradient, `channels x rows x columns`, if it is at most half of the area: otherwise
    /// cutting it out gains nothing.
    pub(super) fn of(gradient: &[f32], [channels, height, width]: [usize; 3], cores: Cores) -> Option<Self> {
        let around = |planes: &[f32]| {
            vectorized(
                #[inline(always)]
                || Self::around(planes, height, width),
            )
        };
        match cores {
            Cores::One => around(gradient),
            Cores::All => {
                let planes = channels.div_ceil(rayon::current_num_threads()).max(1);
                let parts = gradient.par_chunks((planes * height * width).max(1));
                let both =
                    |a: Self, b: Self| Self::small([0, 1].map(|axis| hull(&a.0[axis], &b.0[axis])), [height, width]);
                parts.map(around).try_reduce(|| Self::empty(height, width), both)
            }
        }
    }

    fn empty(height: usize, width: usize) -> Self {
        Self([height..0, width..0])
    }

    /// These rows and columns, unless they are too many.
    fn small(sides: [Range<usize>; 2], [height, width]: [usize; 2]) -> Option<Self> {
        (2 * sides[0].len() * sides[1].len() <= height * width).then_some(Self(sides))
    }

    #[inline(always)]
    fn around(planes: &[f32], height: usize, width: usize) -> Option<Self> {
        let mut found = Self::empty(height, width);
        for plane in planes.chunks((height * width).max(1)) {
            // Most planes near a pushed unit are zero but for a few pixels, and many are zero altogether.
            if is_zero(plane) {
                continue;
            }
            for (y, line) in plane.chunks(width).enumerate() {
                if is_zero(line) {
                    continue;
                }
                let first = line.iter().position(|value| *value != 0.0).unwrap_or(width);
                let last = line.iter().rposition(|value| *value != 0.0).unwrap_or(0);
                let sides = [hull(&found.0[0], &(y..y + 1)), hull(&found.0[1], &(first..last + 1))];
                found = Self::small(sides, [height, width])?;
            }
        }
        Some(found)
    }

    /// Whether the whole gradient is zero.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().any(Range::is_empty)
    }

    /// The convolution restricted to this part of its output, and the part of its input that it reads.
    pub(super) fn part(&self, geometry: &Geometry) -> (Geometry, Self) {
        let mut part = *geometry;
        let mut input = [0..0, 0..0];
        for (axis, input) in input.iter_mut().enumerate() {
            let (stride, pad) = (geometry.stride[axis], geometry.pad[axis]);
            let output = &self.0[axis];
            let first = output.start * stride;
            let last = output.end.saturating_sub(1) * stride + geometry.reach(axis);
            let size = geometry.input[axis + 1];
            *input = first.saturating_sub(pad).min(size)..last.saturating_sub(pad).min(size);
            part.pad[axis] = pad.saturating_sub(first);
            part.output[axis + 1] = output.len();
            part.input[axis + 1] = input.len();
        }
        (part, Self(input))
    }

    /// This part of an array of `width` columns, all channels.
    pub(super) fn cut(&self, array: &[f32], [channels, height, width]: [usize; 3]) -> Vec<f32> {
        let [rows, columns] = &self.0;
        let mut part = Vec::with_capacity(channels * rows.len() * columns.len());
        for plane in array.chunks(height * width) {
            for line in plane[rows.start * width..rows.end * width].chunks(width) {
                part.extend_from_slice(&line[columns.clone()]);
            }
        }
        part
    }

    /// The reverse of [`Self::cut`]: writes `part` to its place in `array`.
    pub(super) fn paste(&self, part: &[f32], array: &mut [f32], [_, height, width]: [usize; 3]) {
        let [rows, columns] = &self.0;
        let lines = array
            .chunks_mut(height * width)
            .flat_map(|plane| plane[rows.start * width..rows.end * width].chunks_mut(width));
        for (line, part) in lines.zip(part.chunks(columns.len().max(1))) {
            line[columns.clone()].copy_from_slice(part);
        }
    }
}
