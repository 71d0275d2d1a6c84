//! A climb as an animated GIF.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, DynamicImage, Frame, GrayImage, RgbImage};

use super::images::Picture;

/// Thousandths of a second that a frame is shown.
const FRAME: u32 = 60;
/// The same for the last one.
const LAST_FRAME: u32 = 2000;
/// Of the encoder: 1 is the most careful choice of colours, 30 the fastest.
const SPEED: i32 = 10;

/// The bytes of a GIF that shows `frames` over and over.
///
/// # Errors
/// When a frame is larger than the format allows.
pub fn gif(frames: &[Picture]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, SPEED);
    encoder.set_repeat(Repeat::Infinite).map_err(|e| e.to_string())?;
    for (place, frame) in frames.iter().enumerate() {
        let delay = if place + 1 == frames.len() { LAST_FRAME } else { FRAME };
        let image = to_image(frame)?.into_rgba8();
        let frame = Frame::from_parts(image, 0, 0, Delay::from_numer_denom_ms(delay, 1));
        encoder.encode_frame(frame).map_err(|e| e.to_string())?;
    }
    drop(encoder);
    Ok(bytes)
}

/// A picture as the image crate has it.
fn to_image(picture: &Picture) -> Result<DynamicImage, String> {
    let (width, height) = picture.size()?;
    let pixels = picture.pixels.clone();
    let image = if picture.channels == 3 {
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
    } else {
        GrayImage::from_raw(width, height, pixels).map(DynamicImage::from)
    };
    image.ok_or_else(|| "its pixels do not fill it".to_owned())
}
