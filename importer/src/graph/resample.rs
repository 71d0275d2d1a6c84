//! How large the results of layers are that make images larger.

use serde::{Deserialize, Serialize};

/// The size of what `Interp` makes, as in DeepLab's fork of Caffe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InterpSize {
    /// Rows and columns.
    Fixed([usize; 2]),
    /// (size - 1) / shrink + 1, and of that size + (size - 1) (zoom - 1).
    Factors {
        /// The divisor.
        shrink: usize,
        /// The factor.
        zoom: usize,
    },
    /// That of the second input.
    OfSecond,
}

/// The size of what unpooling makes, rows and columns each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnpoolSize {
    /// As given.
    Fixed([usize; 2]),
    /// size scale - less: SegNet's fork.
    Scaled {
        /// The factor.
        scale: [usize; 2],
        /// What is taken off.
        less: [usize; 2],
    },
    /// The larger of (size - 1) stride + kernel - 2 pad and size stride - pad + 1: DeconvNet's fork.
    Windows {
        /// The window that was pooled.
        kernel: [usize; 2],
        /// The distance of windows.
        stride: [usize; 2],
        /// The padding around the image.
        pad: usize,
    },
}
