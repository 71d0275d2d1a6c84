//! Recipes by name: the rows of the paper's Table 1, as the specification's command lines give them, and one of ours.

use super::optimizer::{Adaptive, Schedule};
use super::regularizer::Regularizers;
use crate::parameterization::{Amplified, Colour, ImageSpec, LARGEST_SIDE, Parameterization, Squash, WHITE};
use crate::transform::Views;
use crate::transform::crops::Crops;
use crate::transform::octaves::Octaves;

/// What a recipe has beside its unit, seed and start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preset {
    /// The name.
    pub name: &'static str,
    /// How it climbs.
    pub method: Method,
    /// Number of iterations.
    pub steps: usize,
}

/// How a preset climbs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Grey levels under regularizers (Yosinski et al. 2015).
    Classic {
        /// What keeps the image natural.
        regularizers: Regularizers,
        /// How far each step goes.
        schedule: Schedule,
    },
    /// A parameterized image under transformations.
    Modern(Modern),
}

/// A published recipe of a parameterized image under transformations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modern {
    /// lucid's and lucent's default: a decorrelated Fourier spectrum by Adam of rate 0.05, under lucid's transformations.
    Fourier,
    /// The same under the transformations of Olah et al. 2017, "Feature Visualization".
    Olah2017,
    /// Fel et al. 2023: phases of a spectrum of natural magnitude by Nesterov's Adam of rate 1, seen through six random crops.
    Maco,
    /// Mordvintsev, Olah and Tyka 2015: a picture's pixels by steps of one length, seen in four octaves.
    Deepdream,
    /// Hamblin et al. 2024, "Feature Accentuation", as horama has it: a picture's spectrum by Nesterov's Adam, seen through
    /// random crops and held to the picture.
    Accentuate,
}

/// Grey levels that the mean pixel of a deep dream moves in a step.
const DREAM_STEP: f64 = 1.5;
/// The rate of an accentuation, found by looking: with horama's, 1, a hundred steps change a picture of this size little.
const ACCENTUATION: f64 = 4.0;
/// What the mean square of an image's distance from its picture costs: 1 in horama, where white is 5 above black.
const HOLD: f64 = 25.0;

impl Modern {
    /// Which numbers its image is made of.
    pub fn image(self) -> ImageSpec {
        ImageSpec {
            parameterization: match self {
                Self::Fourier | Self::Olah2017 => Parameterization::FOURIER,
                Self::Maco => Parameterization::Maco { magnitude: None },
                Self::Deepdream => Parameterization::Pixels { deviation: 0.01 },
                Self::Accentuate => Parameterization::Fourier {
                    decay_power: 1.5,
                    deviation: 0.01,
                    divisor: 1.0,
                    amplified: Amplified::Gradient,
                },
            },
            colour: match self {
                Self::Fourier | Self::Olah2017 | Self::Maco | Self::Accentuate => Colour::Decorrelated,
                Self::Deepdream => Colour::None,
            },
            squash: match self {
                Self::Fourier | Self::Olah2017 | Self::Maco | Self::Accentuate => Squash::Sigmoid,
                Self::Deepdream => Squash::Clamp,
            },
            alpha: false,
        }
    }

    /// How a step follows from a gradient.
    pub fn optimizer(self) -> Adaptive {
        match self {
            Self::Fourier | Self::Olah2017 => Adaptive::adam(0.05),
            Self::Maco => Adaptive::nadam(1.0),
            Self::Accentuate => Adaptive::nadam(ACCENTUATION),
            Self::Deepdream => Adaptive::Normalized {
                rate: DREAM_STEP / WHITE,
            },
        }
    }

    /// How strongly an image is held to the picture that it starts from: see [`Recipe::hold`](super::Recipe::hold).
    pub fn hold(self) -> Option<f64> {
        match self {
            Self::Fourier | Self::Olah2017 | Self::Maco | Self::Deepdream => None,
            Self::Accentuate => Some(HOLD),
        }
    }

    /// Rows and columns of the image for a network that takes images of `network`, where they are not the network's own; a deep
    /// dream has the proportions of its `photo`, whose rows and columns these are.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes of images"
    )]
    pub fn size(self, network: [usize; 2], photo: Option<[usize; 2]>) -> Option<[usize; 2]> {
        match self {
            Self::Fourier | Self::Olah2017 => None,
            Self::Maco | Self::Accentuate => Some(network.map(|side| 2 * side)),
            Self::Deepdream => {
                let least = network.map(|side| side as f64 * Octaves::default().enlarged());
                let photo = photo.map_or(least, |photo| photo.map(|side| side.max(1) as f64));
                let factor = (least[0] / photo[0]).max(least[1] / photo[1]);
                Some(photo.map(|side| ((side * factor).round() as usize).min(LARGEST_SIDE)))
            }
        }
    }

    /// The random changes before the network sees the image.
    pub fn views(self) -> Views {
        match self {
            Self::Fourier => Views::Lucid,
            Self::Olah2017 => Views::Olah2017,
            Self::Maco => Views::Crops(Crops::default()),
            Self::Deepdream => Views::Octaves(Octaves::default()),
            Self::Accentuate => Views::Crops(Crops {
                last: 0.4,
                ..Crops::default()
            }),
        }
    }
}

/// Without regularizers.
const NONE: Regularizers = Regularizers {
    decay: 0.0,
    blur_radius: 0.0,
    blur_every: 0,
    small_val_percentile: 0.0,
    small_norm_percentile: 0.0,
    px_benefit_percentile: 0.0,
    px_abs_benefit_percentile: 0.0,
};

/// All presets.
pub const PRESETS: [Preset; 10] = [
    Preset {
        name: "paper-1",
        method: Method::Classic {
            regularizers: Regularizers {
                blur_radius: 0.5,
                blur_every: 4,
                small_norm_percentile: 50.0,
                ..NONE
            },
            schedule: Schedule::Progress {
                max_lr: 100.0,
                desired_prog: 2.0,
            },
        },
        steps: 500,
    },
    Preset {
        name: "paper-2",
        method: Method::Classic {
            regularizers: Regularizers {
                decay: 0.3,
                small_norm_percentile: 20.0,
                ..NONE
            },
            schedule: Schedule::Constant { lr: 100.0 },
        },
        steps: 750,
    },
    Preset {
        name: "paper-3",
        method: Method::Classic {
            regularizers: Regularizers {
                decay: 0.0001,
                blur_radius: 1.0,
                blur_every: 4,
                ..NONE
            },
            schedule: Schedule::Constant { lr: 100.0 },
        },
        steps: 1000,
    },
    Preset {
        name: "paper-4",
        method: Method::Classic {
            regularizers: Regularizers {
                blur_radius: 0.5,
                blur_every: 4,
                px_abs_benefit_percentile: 90.0,
                ..NONE
            },
            schedule: Schedule::Progress {
                max_lr: 100_000_000.0,
                desired_prog: 2.0,
            },
        },
        steps: 1000,
    },
    // For the bundled network, found by looking: see models/demo/README.md.
    Preset {
        name: "demo",
        method: Method::Classic {
            regularizers: Regularizers {
                decay: 0.001,
                blur_radius: 1.0,
                blur_every: 4,
                ..NONE
            },
            schedule: Schedule::Progress {
                max_lr: 100_000.0,
                desired_prog: 2.0,
            },
        },
        steps: 200,
    },
    Preset {
        name: "fourier",
        method: Method::Modern(Modern::Fourier),
        steps: 512,
    },
    Preset {
        name: "olah-2017",
        method: Method::Modern(Modern::Olah2017),
        steps: 512,
    },
    Preset {
        name: "maco",
        method: Method::Modern(Modern::Maco),
        steps: 256,
    },
    Preset {
        name: "deepdream",
        method: Method::Modern(Modern::Deepdream),
        steps: 40,
    },
    Preset {
        name: "accentuate",
        method: Method::Modern(Modern::Accentuate),
        steps: 128,
    },
];

impl Preset {
    /// The preset of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }
}
