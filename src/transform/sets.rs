//! The libraries' standard transformations, by name.

use serde::{Deserialize, Serialize};

use super::crops::Crops;
use super::octaves::Octaves;
use super::{Choice, Padding, Transform, Transforms};

/// The names of the sets.
pub const NAMES: [&str; 4] = ["lucid", "olah-2017", "xplique", "none"];

fn jitter(by: usize) -> Transform {
    Transform::Jitter { by }
}

/// Whole degrees from -`most` to `most`, and `zeros` more zeros.
fn degrees(most: i32, zeros: usize) -> Transform {
    let mut values: Vec<f64> = (-most..=most).map(f64::from).collect();
    values.extend(std::iter::repeat_n(0.0, zeros));
    Transform::Rotate {
        degrees: Choice::OneOf(values),
    }
}

fn pad(width: usize, with: Padding) -> Transform {
    Transform::Pad { width, with }
}

/// What the network sees of an image: one of the standard sets, or a list of one's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Views {
    /// The image as it is.
    #[default]
    None,
    /// lucid's and lucent's.
    Lucid,
    /// Of Olah et al. 2017.
    #[serde(rename = "olah-2017")]
    Olah2017,
    /// xplique's.
    Xplique,
    /// Random crops, each resized to the network's input, whose values are averaged: for images of fixed magnitude.
    Crops(Crops),
    /// Several sizes of the image, one after the other, each through tiles of the network's size: for deep dreams.
    Octaves(Octaves),
    /// These.
    List(Transforms),
}

impl Views {
    /// Images that the network sees of each.
    pub fn images(&self) -> usize {
        match self {
            Self::Crops(crops) => crops.count.max(1),
            Self::None | Self::Lucid | Self::Olah2017 | Self::Xplique | Self::Octaves(_) | Self::List(_) => 1,
        }
    }

    /// The transformations of images of `size` (rows, columns) for a network that takes images of this size.
    pub fn transforms(&self, size: [usize; 2]) -> Transforms {
        let transforms = match self {
            Self::None | Self::Crops(_) | Self::Octaves(_) => return Transforms::default(),
            Self::Lucid => Transforms::named("lucid", size).unwrap_or_default(),
            Self::Olah2017 => Transforms::named("olah-2017", size).unwrap_or_default(),
            Self::Xplique => Transforms::named("xplique", size).unwrap_or_default(),
            Self::List(transforms) => transforms.clone(),
        };
        transforms.ending(size)
    }
}

impl Transforms {
    /// The set of that name for images of `size` (rows, columns); none of another name.
    ///
    /// - `lucid`: lucid's and lucent's `standard_transforms`;
    /// - `olah-2017`: those of Olah et al. 2017, "Feature Visualization", the padding cropped at the end;
    /// - `xplique`: xplique's, which hang on the image's size, and end with a resize to it;
    /// - `none`.
    pub fn named(name: &str, size: [usize; 2]) -> Option<Self> {
        let list = match name {
            "lucid" => vec![
                pad(12, Padding::Constant(0.5)),
                jitter(8),
                Transform::Scale {
                    by: Choice::OneOf((0..11).map(|i| 1.0 + (f64::from(i) - 5.0) / 50.0).collect()),
                },
                degrees(10, 5),
                jitter(4),
            ],
            "olah-2017" => vec![
                pad(16, Padding::Reflect),
                jitter(16),
                Transform::Scale {
                    by: Choice::OneOf(vec![1.0, 0.975, 1.025, 0.95, 1.05]),
                },
                degrees(5, 0),
                jitter(8),
                Transform::Crop { size },
            ],
            "xplique" => {
                let unit = size[0].min(size[1]) / 16;
                let mut list = vec![pad(4 * unit, Padding::Constant(0.0))];
                list.extend([2, 2, 4, 4, 4].map(|times| jitter(times * unit)));
                list.push(Transform::Scale {
                    by: Choice::Between { low: 0.92, high: 0.96 },
                });
                list.push(Transform::Blur {
                    sigma: Choice::Between { low: 1.0, high: 1.1 },
                });
                list.extend([jitter(unit), jitter(unit), Transform::Flip, Transform::Resize { size }]);
                list
            }
            "none" => Vec::new(),
            _ => return None,
        };
        Some(Self { list })
    }
}
