//! Max and average pooling with Caffe's windows: clipped at the image's edge, the average's divisor counting padding.

mod average;
mod max;

pub use average::AveragePool;
pub use max::MaxPool;

use deepvis_importer::graph::{Counted, Pads};

use super::HostArray;

/// The windows of a pooling layer over one plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Rows, columns of the input.
    pub input: [usize; 2],
    /// Rows, columns of the output.
    pub output: [usize; 2],
    /// Rows, columns of a window.
    pub kernel: [usize; 2],
    /// Steps, in pixels.
    pub stride: [usize; 2],
    /// Padding around the image.
    pub pads: Pads,
    /// What an average is divided by.
    pub counted: Counted,
}

/// A window along one axis: the part inside the image, and its extent with padding.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// First pixel inside.
    pub start: usize,
    /// One past the last pixel inside.
    pub end: usize,
    /// Extent, as far as an average counts it.
    pub extent: usize,
}

impl Windows {
    /// Window `index` along `axis` (0: rows).
    pub fn window(&self, axis: usize, index: usize) -> Window {
        let (size, kernel) = (self.input[axis], self.kernel[axis]);
        let (before, after) = (self.pads.begin[axis], self.pads.end[axis]);
        // In padded coordinates, so that nothing is negative.
        let start = index * self.stride[axis];
        let padded_end = (start + kernel).min(before + size + after);
        let inside = start.saturating_sub(before).min(size)..padded_end.saturating_sub(before).min(size);
        Window {
            start: inside.start,
            end: inside.end,
            extent: match self.counted {
                Counted::Inside => inside.len(),
                Counted::Padded => padded_end.saturating_sub(start),
                Counted::Kernel => kernel,
            },
        }
    }

    fn windows(&self) -> (Vec<Window>, Vec<Window>) {
        let along = |axis| (0..self.output[axis]).map(|i| self.window(axis, i)).collect();
        (along(0), along(1))
    }

    fn areas(&self) -> (usize, usize) {
        (self.input[0] * self.input[1], self.output[0] * self.output[1])
    }
}

fn output_shape(x: &HostArray, windows: &Windows) -> Vec<usize> {
    let [batch, channels] = [x.shape()[0], x.shape()[1]];
    vec![batch, channels, windows.output[0], windows.output[1]]
}
