//! Photographs as input: cut to the network's shape, scaled, channels in its order, mean subtracted.

use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

use deepvis_importer::input;
use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};

use super::error::{Error, Result};

/// Bytes of the largest picture that is decoded: 178 megapixels in three channels.
const LARGEST: u64 = 512 << 20;

/// Reads a picture: see [`fit`].
///
/// # Errors
/// When the file is no picture, or the network takes neither one nor three channels.
pub fn read(path: &Path, image: [usize; 3], swap: [usize; 3], mean: &[f64]) -> Result<Vec<f32>> {
    fit(&open(path)?, image, swap, mean).map_err(|message| wrong(path, message))
}

/// The same of a file's bytes.
///
/// # Errors
/// What is wrong with them.
pub fn from_bytes(bytes: &[u8], image: [usize; 3], swap: [usize; 3], mean: &[f64]) -> Result<Vec<f32>, String> {
    fit(&read_picture(Cursor::new(bytes))?, image, swap, mean)
}

/// How the names of pictures end.
pub const ENDINGS: [&str; 3] = ["jpg", "png", "gif"];

/// How the name of a file of these bytes ends: see [`ENDINGS`].
///
/// # Errors
/// When they are no picture.
pub fn ending(bytes: &[u8]) -> Result<&'static str, String> {
    read_picture(Cursor::new(bytes))?;
    let known = image::guess_format(bytes).ok().and_then(|format| match format {
        ImageFormat::Jpeg => Some(ENDINGS[0]),
        ImageFormat::Png => Some(ENDINGS[1]),
        ImageFormat::Gif => Some(ENDINGS[2]),
        // The library has other formats, which are not read here.
        _ => None,
    });
    known.ok_or_else(|| "it is no JPEG, PNG or GIF picture".into())
}

/// Rows and columns of a picture, as it is meant to be looked at.
///
/// # Errors
/// When the file is no picture.
pub fn size(path: &Path) -> Result<[usize; 2]> {
    let picture = open(path)?;
    let side = |side: u32| usize::try_from(side).unwrap_or(usize::MAX);
    Ok([side(picture.height()), side(picture.width())])
}

fn open(path: &Path) -> Result<DynamicImage> {
    let (file, _) = input::open(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    read_picture(BufReader::new(file)).map_err(|message| wrong(path, message))
}

fn wrong(path: &Path, message: String) -> Error {
    Error::Input {
        path: path.to_owned(),
        message,
    }
}

fn read_picture(file: impl BufRead + Seek) -> Result<DynamicImage, String> {
    decode(file).map_err(|e| format!("it is no JPEG, PNG or GIF picture: {e}"))
}

/// A picture of `rows` x `columns` pixels of 1 (grey) or 3 (RGB) bytes, row-major.
///
/// # Errors
/// When there are not as many bytes.
pub fn of_pixels(pixels: Vec<u8>, [rows, columns, channels]: [usize; 3]) -> Result<DynamicImage, String> {
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let (width, height) = (side(columns), side(rows));
    let picture = match channels {
        1 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        3 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        _ => None,
    };
    picture
        .filter(|picture| picture.width() > 0 && picture.height() > 0)
        .ok_or_else(|| format!("{rows} x {columns} x {channels} is no picture: rows, columns and 1 or 3 channels are"))
}

/// A picture as channels x rows x columns, from 0 to 255, mean-subtracted: the largest centred part of the right
/// proportions, scaled to size. `swap` says which channel of the network is red, green and blue.
///
/// # Errors
/// When the network takes neither one nor three channels.
pub fn fit(
    picture: &DynamicImage,
    [channels, rows, columns]: [usize; 3],
    swap: [usize; 3],
    mean: &[f64],
) -> Result<Vec<f32>, String> {
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let picture = picture.resize_to_fill(side(columns), side(rows), FilterType::Triangle);
    let area = rows * columns;
    let planes: Vec<f64> = match channels {
        1 => picture.to_luma8().pixels().map(|pixel| f64::from(pixel.0[0])).collect(),
        3 if !(0..3).all(|channel| swap.contains(&channel)) => {
            return Err(format!("the channels {swap:?} are no permutation of (0,1,2)"));
        }
        3 => {
            let rgb = picture.to_rgb8();
            let mut planes = vec![0.0; 3 * area];
            for (i, pixel) in rgb.pixels().enumerate() {
                for (color, channel) in swap.iter().enumerate() {
                    planes[channel * area + i] = f64::from(pixel.0[color]);
                }
            }
            planes
        }
        other => {
            return Err(format!("the network takes images of {other} channels, not photographs"));
        }
    };
    #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
    Ok(planes
        .iter()
        .zip(mean)
        .map(|(value, mean)| (value - mean) as f32)
        .collect())
}

/// The picture as it is meant to be looked at: cameras say in the EXIF data which way they were held.
fn decode(file: impl BufRead + Seek) -> image::ImageResult<DynamicImage> {
    let mut decoder = ImageReader::new(file).with_guessed_format()?.into_decoder()?;
    if decoder.total_bytes() > LARGEST {
        let kind = image::error::LimitErrorKind::DimensionError;
        return Err(image::ImageError::Limits(image::error::LimitError::from_kind(kind)));
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}
