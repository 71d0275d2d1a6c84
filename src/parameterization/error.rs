//! What can be wrong with a specification of images.

use thiserror::Error;

/// An image that cannot be made as specified.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// No image at all.
    #[error("an image of {0:?} (channels, rows, columns) has no pixels; give it a size")]
    Empty([usize; 3]),
    /// A pyramid of nothing.
    #[error("a Laplacian image needs at least one level")]
    NoLevels,
    /// Amplitudes are for the network's channels.
    #[error(
        "an image of fixed magnitude has no alpha channel of its own; leave alpha out, or take another parameterization"
    )]
    MacoAlpha,
    /// Amplitudes of another shape.
    #[error("the magnitudes are {found} numbers; an image of this size needs {expected:?} (channels, rows, columns)")]
    Magnitude {
        /// How many there are.
        found: usize,
        /// The shape there should be.
        expected: [usize; 3],
    },
    /// Not every picture has the given amplitudes.
    #[error(
        "a picture cannot be the start of an image of fixed magnitude, whose phases are scaled to a deviation of 1, as no picture's \
         are; start from it with another parameterization"
    )]
    MacoPicture,
    /// A picture of another shape.
    #[error("the picture to start from has shape {found:?} (channels, rows, columns), not {expected:?}")]
    Picture {
        /// Its shape.
        found: [usize; 3],
        /// The shape there should be.
        expected: [usize; 3],
    },
}

/// A result of this module.
pub type Result<T> = std::result::Result<T, Error>;
