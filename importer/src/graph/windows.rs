//! Where the windows of convolution and pooling lie: padding, rounding of the output size, and what an average counts.

use serde::{Deserialize, Serialize};

/// Padding before the first and after the last pixel, `[rows, columns]` each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pads {
    /// Above and to the left of the image.
    pub begin: [usize; 2],
    /// Below and to the right of the image.
    pub end: [usize; 2],
}

impl Pads {
    /// The same padding on both sides, as Caffe has it.
    pub fn both(pad: [usize; 2]) -> Self {
        Self { begin: pad, end: pad }
    }

    /// Both sides together along an axis (0: rows).
    pub fn along(&self, axis: usize) -> usize {
        self.begin[axis] + self.end[axis]
    }
}

/// How a pooling layer's output size is rounded when its windows do not fit evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rounding {
    /// Pixels that no whole window reaches are left out: ONNX, and Caffe's `round_mode: FLOOR`.
    Floor,
    /// A last window reaches beyond the padding: Caffe's default, ONNX's `ceil_mode`. One that would start beyond the image
    /// and its near padding is left out where there is padding.
    Ceil,
}

/// How many entries of a window an average is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counted {
    /// Those inside the image: ONNX's `count_include_pad = 0`.
    Inside,
    /// Those inside the image and its padding: Caffe, PyTorch, and ONNX's `count_include_pad = 1`.
    Padded,
    /// All of the kernel, also where it reaches beyond the padding.
    Kernel,
}
