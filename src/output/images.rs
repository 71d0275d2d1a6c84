//! Pictures of an image: `best_X.jpg` (zero is mid-grey) and `best_Xpm.jpg` (plus mean, stretched).

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// JPEG quality of the original.
const QUALITY: u8 = 95;
/// Keeps an image of a single value from being divided by zero.
const TINY: f64 = 1e-10;

/// An 8-bit picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// 1 (grey) or 3 (RGB).
    pub channels: usize,
    /// Row-major, channels last.
    pub pixels: Vec<u8>,
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

/// A picture of values from 0 to 1, channels x rows x columns. `swap` says which channel becomes red, green and blue;
/// images of other than three channels become one grey picture, their channels side by side.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=255"
)]
pub fn picture(values: &[f64], [channels, rows, columns]: [usize; 3], swap: [usize; 3]) -> Picture {
    let byte = |value: f64| (value * 255.0).round().clamp(0.0, 255.0) as u8;
    let area = rows * columns;
    if channels == 3 {
        let pixels = (0..area)
            .flat_map(|pixel| swap.map(|channel| byte(values[channel.min(2) * area + pixel])))
            .collect();
        return Picture {
            width: columns,
            height: rows,
            channels: 3,
            pixels,
        };
    }
    let across = (1..=channels).find(|across| across * across >= channels).unwrap_or(1);
    let down = channels.div_ceil(across.max(1));
    let width = across * columns;
    let mut pixels = vec![0; width * down * rows];
    for channel in 0..channels {
        let corner = channel / across * rows * width + channel % across * columns;
        for row in 0..rows {
            for column in 0..columns {
                pixels[corner + row * width + column] = byte(values[channel * area + row * columns + column]);
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

impl Picture {
    fn color(&self) -> ExtendedColorType {
        if self.channels == 3 {
            ExtendedColorType::Rgb8
        } else {
            ExtendedColorType::L8
        }
    }

    pub(super) fn size(&self) -> Result<(u32, u32), String> {
        let side = |side: usize| u32::try_from(side).map_err(|_| "it is too large for a picture".to_owned());
        Ok((side(self.width)?, side(self.height)?))
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
