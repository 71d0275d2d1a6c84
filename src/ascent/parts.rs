//! Parts of a parameterized image's recipe that differ from those of its preset.

use super::optimizer::Adaptive;
use super::preset::Modern;
use crate::parameterization::{Amplified, Colour, ImageSpec, Parameterization};
use crate::transform::{Transforms, Views};

/// Standard deviation of a start of pixels and of a pyramid's levels: lucid's.
const DEVIATION: f64 = 0.01;
/// Levels of a pyramid: lucid's.
const LEVELS: usize = 4;

/// Which numbers an image is made of, with the usual constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The pixels themselves.
    Pixels,
    /// A spectrum.
    Fourier,
    /// A sum of several resolutions.
    Laplacian,
    /// Phases of a spectrum of natural magnitude.
    Maco,
}

/// How a step follows from a gradient, with the constants of its library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepping {
    /// Kingma and Ba 2015.
    Adam,
    /// Adam with Nesterov's momentum.
    Nadam,
    /// Adam with weight decay.
    Adamw,
    /// Keras's.
    Rmsprop,
    /// The gradient times the rate.
    Plain,
    /// The gradient over its mean size, times the rate.
    Normalized,
}

/// What is said about a recipe beside its preset; what is not said is the preset's.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// Which numbers the image is made of.
    pub parameterization: Option<Basis>,
    /// How much stronger low frequencies of a spectrum are.
    pub decay_power: Option<f64>,
    /// Standard deviation of the numbers to start from.
    pub deviation: Option<f64>,
    /// What the channels of these numbers stand for.
    pub colour: Option<Colour>,
    /// How a step follows from a gradient.
    pub optimizer: Option<Stepping>,
    /// The learning rate.
    pub learning_rate: Option<f64>,
    /// Random changes before the network sees the image: a list, or the name of a set.
    pub transforms: Option<String>,
    /// Crops that the network sees in each iteration.
    pub crops: Option<usize>,
    /// Whether the image has an alpha channel.
    pub alpha: bool,
}

/// A part that makes no sense, or not with the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part}{message}")]
pub struct PartError {
    /// The field of [`Parts`].
    pub part: &'static str,
    /// What is wrong, after the part's name.
    pub message: String,
}

type Result<T> = std::result::Result<T, PartError>;

fn wrong<T>(part: &'static str, message: impl Into<String>) -> Result<T> {
    let message = message.into();
    Err(PartError { part, message })
}

impl Basis {
    /// All of them, by name.
    pub const NAMES: [(&str, Self); 4] = [
        ("pixels", Self::Pixels),
        ("fourier", Self::Fourier),
        ("laplacian", Self::Laplacian),
        ("maco", Self::Maco),
    ];

    fn parameterization(self) -> Parameterization {
        match self {
            Self::Pixels => Parameterization::Pixels { deviation: DEVIATION },
            Self::Fourier => Parameterization::FOURIER,
            Self::Laplacian => Parameterization::Laplacian {
                levels: LEVELS,
                deviation: DEVIATION,
            },
            Self::Maco => Parameterization::Maco { magnitude: None },
        }
    }
}

impl Stepping {
    /// All of them, by name.
    pub const NAMES: [(&str, Self); 6] = [
        ("adam", Self::Adam),
        ("nadam", Self::Nadam),
        ("adamw", Self::Adamw),
        ("rmsprop", Self::Rmsprop),
        ("plain", Self::Plain),
        ("normalized", Self::Normalized),
    ];

    fn adaptive(self, rate: f64) -> Adaptive {
        match self {
            Self::Adam => Adaptive::adam(rate),
            Self::Nadam => Adaptive::nadam(rate),
            Self::Adamw => Adaptive::AdamW {
                rate,
                betas: [0.9, 0.999],
                epsilon: 1e-8,
                decay: 0.01,
            },
            Self::Rmsprop => Adaptive::RmsProp {
                rate,
                rho: 0.999,
                epsilon: 1e-7,
            },
            Self::Plain => Adaptive::Plain { rate },
            Self::Normalized => Adaptive::Normalized { rate },
        }
    }
}

impl Parts {
    /// What images are made of.
    ///
    /// # Errors
    /// When a number is out of range, or belongs to another parameterization.
    pub fn image(&self, modern: Modern) -> Result<ImageSpec> {
        let mut spec = modern.image();
        if let Some(basis) = self.parameterization {
            spec.parameterization = basis.parameterization();
        }
        if let Some(power) = self.decay_power {
            match &mut spec.parameterization {
                Parameterization::Fourier { decay_power, .. } if power.is_finite() && (0.0..=4.0).contains(&power) => {
                    *decay_power = power;
                }
                Parameterization::Fourier { .. } => {
                    return wrong("decay_power", format!(" {power}: it takes a number from 0 to 4"));
                }
                Parameterization::Pixels { .. }
                | Parameterization::Laplacian { .. }
                | Parameterization::Maco { .. } => {
                    return wrong("decay_power", ": it goes with the parameterization fourier");
                }
            }
        }
        if let Some(given) = self.deviation {
            if !given.is_finite() || given <= 0.0 {
                return wrong("deviation", format!(" {given}: it takes a number greater than 0"));
            }
            match &mut spec.parameterization {
                Parameterization::Pixels { deviation }
                | Parameterization::Laplacian { deviation, .. }
                | Parameterization::Fourier {
                    deviation,
                    amplified: Amplified::Image | Amplified::Gradient,
                    ..
                } => *deviation = given,
                Parameterization::Maco { .. } => {
                    return wrong("deviation", ": a spectrum of fixed magnitude has none");
                }
            }
        }
        if let Some(colour) = self.colour {
            spec.colour = colour;
        }
        if self.alpha {
            match modern {
                Modern::Fourier | Modern::Olah2017 => spec.alpha = true,
                Modern::Maco | Modern::Deepdream | Modern::Accentuate => {
                    return wrong("alpha", ": it goes with the presets fourier and olah-2017");
                }
            }
            if let Parameterization::Maco { .. } = spec.parameterization {
                return wrong("alpha", ": a spectrum of fixed magnitude has none");
            }
        }
        Ok(spec)
    }

    /// How a step follows from a gradient.
    ///
    /// # Errors
    /// When the learning rate is not greater than 0.
    pub fn optimizer(&self, modern: Modern) -> Result<Adaptive> {
        let of_preset = modern.optimizer();
        let chosen = match self.optimizer {
            None => of_preset,
            Some(stepping) => stepping.adaptive(of_preset.rate()),
        };
        match self.learning_rate {
            None => Ok(chosen),
            Some(rate) if rate.is_finite() && rate > 0.0 => Ok(chosen.with_rate(rate)),
            Some(rate) => wrong("learning_rate", format!(" {rate}: it takes a number greater than 0")),
        }
    }

    /// The random changes before the network sees the image.
    ///
    /// # Errors
    /// When a transformation is unknown, or crops do not go with them.
    pub fn views(&self, modern: Modern) -> Result<Views> {
        let mut views = match self.transforms.as_deref().map(str::trim) {
            None => modern.views(),
            Some("none") => Views::None,
            Some("lucid") => Views::Lucid,
            Some("olah-2017") => Views::Olah2017,
            Some("xplique") => Views::Xplique,
            // No set is named here, so that no size is needed.
            Some(list) => match Transforms::parse(list, [1, 1]) {
                Ok(list) => Views::List(list),
                Err(error) => return wrong("transforms", format!(": {error}")),
            },
        };
        if let Some(count) = self.crops {
            match &mut views {
                Views::Crops(crops) if count > 0 => crops.count = count,
                Views::Crops(_) => return wrong("crops", " 0: the network sees one or more"),
                Views::None | Views::Lucid | Views::Olah2017 | Views::Xplique | Views::Octaves(_) | Views::List(_) => {
                    return wrong(
                        "crops",
                        ": it goes with the presets maco and accentuate, whose images are seen through crops",
                    );
                }
            }
        }
        Ok(views)
    }
}
