//! Pictures of an image: `best_X.jpg` (zero is mid-grey) and `best_Xpm.jpg` (plus mean, stretched).

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::ascent::Record;

/// JPEG quality of the original.
const QUALITY: u8 = 95;
/// Keeps an image of a single value from being divided by zero.
const TINY: f64 = 1e-10;

/// How a pixel's colours are stored.
pub trait Depth: Copy + Default {
    /// A value from 0 to 1; what is beyond counts as that.
    fn of(value: f64) -> Self;
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=255"
)]
impl Depth for u8 {
    fn of(value: f64) -> Self {
        (value * 255.0).round().clamp(0.0, 255.0) as Self
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=65535"
)]
impl Depth for u16 {
    fn of(value: f64) -> Self {
        (value * 65535.0).round().clamp(0.0, 65535.0) as Self
    }
}

/// A picture of 8 bits a colour, or of 16.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture<T = u8> {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// 1 (grey), 3 (RGB), or 4 (RGB and how opaque it is).
    pub channels: usize,
    /// Row-major, channels last.
    pub pixels: Vec<T>,
}

/// Scaled so that zero becomes mid-grey and the larger of the extremes black or white.
pub fn around_zero(x: &[f64]) -> Vec<f64> {
    let (min, max) = extremes(x);
    let range = (2.0 * max).max(-2.0 * min) + TINY;
    x.iter().map(|value| value / range + 0.5).collect()
}

/// `x` plus the mean, stretched from black to white.
pub fn plus_mean(x: &[f64], mean: &[f64]) -> Vec<f64> {
    let sum: Vec<f64> = x.iter().zip(mean).map(|(x, mean)| x + mean).collect();
    let (min, max) = extremes(&sum);
    sum.iter().map(|value| (value - min) / (max - min + TINY)).collect()
}

/// `x` plus the mean as it is, black and white being 0 and 255: pictures of one climb stay comparable.
pub fn as_it_is(x: &[f64], mean: &[f64]) -> Vec<f64> {
    x.iter().zip(mean).map(|(x, mean)| (x + mean) / 255.0).collect()
}

fn extremes(x: &[f64]) -> (f64, f64) {
    x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), x| {
        (min.min(*x), max.max(*x))
    })
}

/// Whether an image of so many channels can be shown in colours.
pub fn is_coloured(channels: usize, swap: [usize; 3]) -> bool {
    swap.iter().all(|channel| *channel < channels)
}

/// A picture of values from 0 to 1, channels x rows x columns. `swap` says which channel becomes red, green and blue;
/// where the image lacks one of these channels, it becomes one grey picture, its channels side by side.
pub fn picture(values: &[f64], image: [usize; 3], swap: [usize; 3]) -> Picture {
    picture_of(values, image, swap)
}

/// The same of any depth.
fn picture_of<T: Depth>(values: &[f64], [channels, rows, columns]: [usize; 3], swap: [usize; 3]) -> Picture<T> {
    let area = rows * columns;
    if is_coloured(channels, swap) {
        let pixels = (0..area)
            .flat_map(|pixel| swap.map(|channel| T::of(values[channel * area + pixel])))
            .collect();
        return Picture {
            width: columns,
            height: rows,
            channels: 3,
            pixels,
        };
    }
    let across = square(channels);
    let down = channels.div_ceil(across.max(1));
    let width = across * columns;
    let mut pixels = vec![T::default(); width * down * rows];
    for channel in 0..channels {
        let corner = channel / across * rows * width + channel % across * columns;
        for row in 0..rows {
            for column in 0..columns {
                pixels[corner + row * width + column] = T::of(values[channel * area + row * columns + column]);
            }
        }
    }
    Picture {
        width,
        height: down * rows,
        channels: 1,
        pixels,
    }
}

/// The value below which `percent` of them lie, the nearest of those that are there.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place among the pixels of an image"
)]
fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (percent / 100.0 * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(place).copied().unwrap_or(0.0)
}

/// Values between their 1st and 99th percentile, stretched from black to white, as pictures of fixed magnitude are shown (horama,
/// xplique).
pub fn stretched(values: &[f64]) -> Vec<f64> {
    let [low, high] = [1.0, 99.0].map(|percent| percentile(values, percent));
    let stretch = |value: &f64| (value.clamp(low, high) - low) / (high - low + TINY);
    values.iter().map(stretch).collect()
}

/// How opaque each pixel is, from 0 to 1, by how strongly it was pushed: cut off at the 80th percentile (Fel et al. 2023).
pub fn opacity(pushes: &[f32]) -> Vec<f64> {
    let pushes: Vec<f64> = pushes.iter().map(|push| f64::from(*push)).collect();
    let most = percentile(&pushes, 80.0);
    pushes
        .iter()
        .map(|push| push.min(most) / (most + f64::MIN_POSITIVE))
        .collect()
}

/// The last image of an ascent of a parameterized image: as it is, with its opacity if it has one, or, where it was seen through
/// crops, stretched and as opaque as each pixel was pushed; `None` before the first iteration.
pub fn of_parameterized<T: Depth>(record: &Record, mean: &[f64], swap: [usize; 3]) -> Option<Picture<T>> {
    let values = as_it_is(&record.last.as_ref()?.xx, mean);
    Some(match (&record.pushes, &record.opacity) {
        (None, None) => picture_of(&values, record.image, swap),
        (None, Some(opacity)) => {
            let opacity: Vec<f64> = opacity.iter().map(|value| f64::from(*value)).collect();
            picture_of(&values, record.image, swap).with_opacity(&opacity)
        }
        (Some(pushes), _) => picture_of(&stretched(&values), record.image, swap).with_opacity(&opacity(pushes)),
    })
}

/// The side of the smallest square that holds so many.
pub fn square(count: usize) -> usize {
    (1..=count).find(|side| side * side >= count).unwrap_or(1)
}

/// Pixels between pictures that are shown together.
const GAP: usize = 4;

/// Pictures of one size and kind in lines of `across`, from the left, a gap of white or nothing between them; none of no pictures.
pub fn together(pictures: &[Picture], across: usize) -> Option<Picture> {
    let first = pictures.first()?;
    let (across, channels) = (across.clamp(1, pictures.len()), first.channels);
    let down = pictures.len().div_ceil(across);
    let width = across * (first.width + GAP) - GAP;
    let height = down * (first.height + GAP) - GAP;
    let ground = if channels == 4 { 0 } else { u8::MAX };
    let mut pixels = vec![ground; width * height * channels];
    for (index, picture) in pictures.iter().enumerate() {
        let (left, top) = (
            index % across * (first.width + GAP),
            index / across * (first.height + GAP),
        );
        for (row, line) in picture
            .pixels
            .chunks_exact(first.width * channels)
            .take(first.height)
            .enumerate()
        {
            let at = ((top + row) * width + left) * channels;
            pixels[at..at + line.len()].copy_from_slice(line);
        }
    }
    Some(Picture {
        width,
        height,
        channels,
        pixels,
    })
}

impl Picture<u16> {
    /// The bytes of a PNG file of 16 bits a colour.
    ///
    /// # Errors
    /// When the picture is larger than the format allows.
    pub fn png16(&self) -> Result<Vec<u8>, String> {
        let color = match self.channels {
            3 => ExtendedColorType::Rgb16,
            4 => ExtendedColorType::Rgba16,
            _ => ExtendedColorType::L16,
        };
        let mut bytes = Vec::new();
        let (width, height) = self.size()?;
        let pixels: Vec<u8> = self.pixels.iter().flat_map(|value| value.to_ne_bytes()).collect();
        image::codecs::png::PngEncoder::new(&mut bytes)
            .write_image(&pixels, width, height, color)
            .map_err(|e| e.to_string())?;
        Ok(bytes)
    }
}

impl<T: Depth> Picture<T> {
    /// The same with an opacity for each pixel, where it is in colour.
    #[must_use]
    pub fn with_opacity(self, opacity: &[f64]) -> Self {
        if self.channels != 3 || opacity.len() != self.width * self.height {
            return self;
        }
        let pixels = self.pixels.chunks_exact(3).zip(opacity);
        Self {
            channels: 4,
            pixels: pixels
                .flat_map(|(rgb, opacity)| [rgb[0], rgb[1], rgb[2], T::of(*opacity)])
                .collect(),
            ..self
        }
    }

    pub(super) fn size(&self) -> Result<(u32, u32), String> {
        let side = |side: usize| u32::try_from(side).map_err(|_| "it is too large for a picture".to_owned());
        Ok((side(self.width)?, side(self.height)?))
    }
}

impl Picture {
    fn color(&self) -> ExtendedColorType {
        match self.channels {
            3 => ExtendedColorType::Rgb8,
            4 => ExtendedColorType::Rgba8,
            _ => ExtendedColorType::L8,
        }
    }

    /// The bytes of a JPEG file.
    ///
    /// # Errors
    /// When the picture is larger than the format allows.
    pub fn jpeg(&self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let (width, height) = self.size()?;
        JpegEncoder::new_with_quality(&mut bytes, QUALITY)
            .encode(&self.pixels, width, height, self.color())
            .map_err(|e| e.to_string())?;
        Ok(bytes)
    }

    /// The bytes of a PNG file.
    ///
    /// # Errors
    /// When the picture is larger than the format allows.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let (width, height) = self.size()?;
        image::codecs::png::PngEncoder::new(&mut bytes)
            .write_image(&self.pixels, width, height, self.color())
            .map_err(|e| e.to_string())?;
        Ok(bytes)
    }
}
