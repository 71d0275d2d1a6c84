//! The rectangle outside of which a gradient is zero. A unit of a convolutional layer depends on a part of the image
//! only, and the backward pass need only compute that part: near the unit's layer a few pixels of thousands.

use std::ops::Range;

use super::geometry::Geometry;

/// The rows and columns outside of which every channel is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Footprint([Range<usize>; 2]);

impl Footprint {
    /// The footprint of one image's gradient, `channels x rows x columns`, if it is at most half of the area: otherwise
    /// cutting it out gains nothing.
    pub(super) fn of(gradient: &[f32], [_, height, width]: [usize; 3]) -> Option<Self> {
        let is_small = |rows: &Range<usize>, columns: &Range<usize>| 2 * rows.len() * columns.len() <= height * width;
        let (mut rows, mut columns) = (height..0, width..0);
        for plane in gradient.chunks((height * width).max(1)) {
            for (y, line) in plane.chunks(width).enumerate() {
                // Without the sign bit, as -0.0 is zero too.
                let bits = line.iter().fold(0, |bits, value| bits | value.to_bits());
                if bits << 1 == 0 {
                    continue;
                }
                rows = rows.start.min(y)..rows.end.max(y + 1);
                let first = line.iter().position(|value| *value != 0.0).unwrap_or(width);
                let last = line.iter().rposition(|value| *value != 0.0).unwrap_or(0);
                columns = columns.start.min(first)..columns.end.max(last + 1);
                if !is_small(&rows, &columns) {
                    return None;
                }
            }
        }
        Some(Self([rows, columns]))
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
    pub(super) fn cut(&self, array: &[f32], [_, height, width]: [usize; 3]) -> Vec<f32> {
        let [rows, columns] = &self.0;
        let lines = array
            .chunks(height * width)
            .flat_map(|plane| plane[rows.start * width..rows.end * width].chunks(width));
        lines.flat_map(|line| &line[columns.clone()]).copied().collect()
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
