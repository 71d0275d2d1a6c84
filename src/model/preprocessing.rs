//! What is done to a photograph before a network sees it, and undone before a person sees the image.

use deepvis_importer::names::counted;
use serde::{Deserialize, Serialize};

use crate::python::{Value, literal};

/// Channels of Caffe's networks are blue, green, red.
pub const BGR: [usize; 3] = [2, 1, 0];
/// Channels of most other networks are red, green, blue.
pub const RGB: [usize; 3] = [0, 1, 2];
/// The longest side of an image that is believed.
pub const LARGEST_SIDE: usize = 1 << 15;

/// What is done to a photograph before a network sees it: (pixel - mean) / std.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// What is subtracted, as a literal or a file: see [`Mean::parse`](super::Mean::parse).
    pub mean: Option<String>,
    /// Which of the network's channels are red, green and blue.
    pub swap: [usize; 3],
    /// What is left is divided by this, one number for all channels or one for each; absent: by nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std: Option<Vec<f64>>,
}

/// How a framework's networks take their images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// torchvision and most of timm: RGB from 0 to 1, less ImageNet's mean, divided by its standard deviation
    Torchvision,
    /// Caffe, and Keras' ResNet and VGG: BGR from 0 to 255, less ImageNet's mean
    Caffe,
    /// Keras' MobileNet and Inception: RGB from -1 to 1
    KerasTf,
    /// Inception and vision transformers in timm: RGB from -1 to 1
    TimmInception,
    /// The network does it by itself, as Keras' EfficientNet and ConvNeXt do: RGB from 0 to 255
    None,
}

impl std::str::FromStr for Scheme {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, scheme)| *scheme).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!("it is one of {}", names.join(", "))
        })
    }
}

impl Scheme {
    /// All of them, by name.
    const ALL: [(&str, Self); 5] = [
        ("torchvision", Self::Torchvision),
        ("caffe", Self::Caffe),
        ("keras-tf", Self::KerasTf),
        ("timm-inception", Self::TimmInception),
        ("none", Self::None),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(_, scheme)| *scheme == self);
        known.map_or("none", |(name, _)| name)
    }

    /// What it says: all parts.
    pub fn parts(self) -> Parts {
        let parts = |mean: &str, swap: [usize; 3], std: &[f64]| Parts {
            mean: Some(mean.to_owned()),
            swap: Some(swap),
            std: Some(std.to_vec()),
        };
        match self {
            // torchvision.transforms: 255 times (0.485, 0.456, 0.406) and (0.229, 0.224, 0.225).
            Self::Torchvision => parts("(123.675,116.28,103.53)", RGB, &[58.395, 57.12, 57.375]),
            // keras.applications.imagenet_utils.preprocess_input, mode "caffe".
            Self::Caffe => parts("(103.939,116.779,123.68)", BGR, &[1.0]),
            // The same, mode "tf"; timm's IMAGENET_INCEPTION_MEAN and _STD.
            Self::KerasTf | Self::TimmInception => parts("127.5", RGB, &[127.5]),
            Self::None => parts("None", RGB, &[1.0]),
        }
    }
}

/// The order of a network's channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// Red, green, blue: most networks but Caffe's
    Rgb,
    /// Blue, green, red: Caffe's networks
    Bgr,
}

impl std::str::FromStr for ChannelOrder {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "rgb" => Ok(Self::Rgb),
            "bgr" => Ok(Self::Bgr),
            _ => Err("it is rgb or bgr"),
        }
    }
}

impl ChannelOrder {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rgb => "rgb",
            Self::Bgr => "bgr",
        }
    }

    /// Which channels are red, green and blue.
    fn swap(self) -> [usize; 3] {
        match self {
            Self::Rgb => RGB,
            Self::Bgr => BGR,
        }
    }
}

/// How a network takes images, as one place says it: flags, or a settings file. Each part may be missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    /// All parts in one word; what else is said replaces single ones.
    pub scheme: Option<Scheme>,
    /// What is subtracted: see [`Mean::parse`](super::Mean::parse).
    pub mean: Option<&'a str>,
    /// The channels that are red, green and blue: see [`channel_swap`].
    pub swap: Option<&'a str>,
    /// The same by the usual names.
    pub order: Option<ChannelOrder>,
    /// What is left is divided by: a number, or one for each channel.
    pub std: Option<&'a str>,
    /// What is left is multiplied with: 1 / `std`.
    pub scale: Option<&'a str>,
}

/// A part of [`Given`] that is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartError {
    /// [`Given::swap`]: what was given, and what is wrong with it.
    Swap(String, String),
    /// [`Given::std`]: the same.
    Std(String, String),
    /// [`Given::scale`]: the same.
    Scale(String, String),
    /// [`Given::swap`] and [`Given::order`] say the same thing.
    SwapAndOrder,
    /// [`Given::std`] and [`Given::scale`] say the same thing.
    StdAndScale,
}

impl Given<'_> {
    /// Its literals understood; what single parts say stands before what the scheme says.
    ///
    /// # Errors
    /// When one is not understood, or two say the same thing.
    pub fn parts(&self) -> Result<Parts, PartError> {
        let swap = match (self.swap, self.order) {
            (Some(_), Some(_)) => return Err(PartError::SwapAndOrder),
            (Some(given), None) => {
                Some(channel_swap(given).map_err(|message| PartError::Swap(given.to_owned(), message))?)
            }
            (None, order) => order.map(ChannelOrder::swap),
        };
        let std = match (self.std, self.scale) {
            (Some(_), Some(_)) => return Err(PartError::StdAndScale),
            (Some(given), None) => Some(positive(given).map_err(|message| PartError::Std(given.to_owned(), message))?),
            (None, Some(given)) => {
                let scale = positive(given).map_err(|message| PartError::Scale(given.to_owned(), message))?;
                Some(scale.iter().map(|scale| scale.recip()).collect())
            }
            (None, None) => None,
        };
        let parts = Parts {
            mean: self.mean.map(str::to_owned),
            swap,
            std,
        };
        Ok(parts.completed_by(self.scheme.map(Scheme::parts).unwrap_or_default()))
    }
}

/// How a network takes images, as far as somebody says it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    /// See [`Preprocessing::mean`].
    pub mean: Option<String>,
    /// See [`Preprocessing::swap`].
    pub swap: Option<[usize; 3]>,
    /// See [`Preprocessing::std`].
    pub std: Option<Vec<f64>>,
}

impl Parts {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What others say counts where these say nothing.
    #[must_use]
    pub fn completed_by(self, others: Self) -> Self {
        Self {
            mean: self.mean.or(others.mean),
            swap: self.swap.or(others.swap),
            std: self.std.or(others.std),
        }
    }

    /// What is done to a photograph; where nothing is said, what Caffe does: BGR, nothing subtracted, not divided.
    pub fn preprocessing(self) -> Preprocessing {
        Preprocessing {
            mean: self.mean,
            swap: self.swap.unwrap_or(BGR),
            std: self.std,
        }
    }
}

impl Preprocessing {
    /// What images less their mean are divided by; `None` where that leaves them as they are.
    pub fn divisors(&self) -> Option<&[f64]> {
        let std = self.std.as_deref()?;
        std.iter().any(|std| *std != 1.0).then_some(std)
    }

    /// Whether mean and divisors are those of images from 0 to 1, as PyTorch's users write them, while pixels count to 255.
    pub fn is_of_images_to_1(&self) -> bool {
        let mean = self.mean.as_deref().and_then(|mean| literal::parse(mean).ok());
        let Some(means) = mean.and_then(|mean| mean.as_numbers()) else {
            return false;
        };
        let within = |mean: &f64| *mean > 0.0 && *mean < 1.0;
        means.iter().all(within) && self.std.iter().flatten().all(|std| *std <= 1.0)
    }

    /// What each of `channels` channels of an image less its mean is multiplied with; `None`: nothing.
    ///
    /// # Errors
    /// When there are more or fewer numbers than channels.
    pub fn factors(&self, channels: usize) -> Result<Option<Vec<f32>>, String> {
        let Some(std) = self.divisors() else { return Ok(None) };
        let of = |channel: usize| std.get(if std.len() == 1 { 0 } else { channel }).copied();
        if std.len() != 1 && std.len() != channels {
            return Err(format!(
                "the input's standard deviation has {}, the network's input has {}",
                counted(std.len(), "value"),
                counted(channels, "channel")
            ));
        }
        #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
        Ok((0..channels)
            .map(|channel| of(channel).map(|std| (1.0 / std) as f32))
            .collect())
    }
}

/// Numbers above 0, one or one for each channel, as a Python literal. Their reciprocals are finite in float32, too.
///
/// # Errors
/// What is wrong with it.
fn positive(given: &str) -> Result<Vec<f64>, String> {
    let values = literal::parse(given)?.as_numbers();
    let (least, most) = (f64::from(f32::MIN_POSITIVE), f64::from(f32::MIN_POSITIVE).recip());
    match values {
        Some(values) if !values.is_empty() && values.iter().all(|value| (least..=most).contains(value)) => Ok(values),
        _ => Err("each must be a finite number above 0".into()),
    }
}

impl Default for Preprocessing {
    fn default() -> Self {
        Parts::default().preprocessing()
    }
}

/// The channels that are red, green and blue, as a Python literal: `(2,1,0)`. As the original indexed the image with it, any
/// three channels will do, of any number of them; one alone, `(0,)`, is shown in grey.
///
/// # Errors
/// What is wrong with it.
pub fn channel_swap(given: &str) -> Result<[usize; 3], String> {
    let sizes = literal::parse(given)?.as_sizes().unwrap_or_default();
    match *sizes.as_slice() {
        [grey] => Ok([grey; 3]),
        [red, green, blue] => Ok([red, green, blue]),
        _ => Err("a picture is red, green and blue, or grey".into()),
    }
}

/// Rows and columns as a Python literal: `(227,227)`, or one number for both.
///
/// # Errors
/// What is wrong with it.
pub fn data_size(given: &str) -> Result<[usize; 2], String> {
    let value = literal::parse(given)?;
    let size = match (&value, value.as_sizes().as_deref()) {
        (Value::Int(side), _) => usize::try_from(*side).ok().map(|side| [side, side]),
        (_, Some([rows, columns])) => Some([*rows, *columns]),
        _ => None,
    };
    match size {
        Some(size) if size.iter().all(|side| (1..=LARGEST_SIDE).contains(side)) => Ok(size),
        Some(_) => Err(format!("each must be from 1 to {LARGEST_SIDE}")),
        None => Err("that is not a size".into()),
    }
}
