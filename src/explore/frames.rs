//! Pictures of units on their way, made in a thread of their own from the latest images; what is not shown in time is dropped.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GrayImage, RgbImage};

use super::live::Live;
use crate::ascent::Image;
use crate::output::images::{Picture, as_it_is, picture, plus_mean};

/// The largest side of a picture alone, and of one among others, in pixels.
const ALONE: usize = 512;
const AMONG_OTHERS: usize = 224;
/// JPEG quality.
const QUALITY: u8 = 88;

/// An image that is to be shown.
pub(super) struct Raw {
    pub(super) x: Vec<f64>,
    pub(super) mean: Arc<[f64]>,
    pub(super) image: [usize; 3],
    pub(super) swap: [usize; 3],
    /// What the image is made of, which says how it is shown.
    pub(super) of: Image,
    pub(super) is_alone: bool,
}

/// Images that wait: the latest of each unit.
#[derive(Default)]
struct Slots {
    run: u64,
    waiting: BTreeMap<usize, Raw>,
    /// How long it took to make one.
    cost: Duration,
    ended: bool,
}

/// The thread's side and the loop's.
#[derive(Default)]
pub(super) struct Frames {
    slots: Mutex<Slots>,
    filled: Condvar,
}

impl Frames {
    /// Puts the image of a unit of climb `run` in the place of the one before.
    pub(super) fn put(&self, run: u64, index: usize, raw: Raw) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.run != run {
            slots.waiting.clear();
            slots.run = run;
        }
        slots.waiting.insert(index, raw);
        self.filled.notify_one();
    }

    /// Whether all that were put are made, and how long one takes.
    pub(super) fn is_idle(&self) -> (bool, Duration) {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        (slots.waiting.is_empty(), slots.cost)
    }

    /// Ends the thread.
    pub(super) fn end(&self) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.filled.notify_one();
    }

    /// Makes pictures until the end.
    pub(super) fn make(&self, live: &Live) {
        loop {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            let (run, index, raw) = loop {
                if slots.ended {
                    return;
                }
                let run = slots.run;
                if let Some((index, raw)) = slots.waiting.pop_first() {
                    break (run, index, raw);
                }
                slots = self.filled.wait(slots).unwrap_or_else(PoisonError::into_inner);
            };
            drop(slots);
            let begun = Instant::now();
            if let Some(uri) = data_uri(&raw) {
                live.show(run, index, uri.into());
            }
            self.slots.lock().unwrap_or_else(PoisonError::into_inner).cost = begun.elapsed();
        }
    }
}

/// A JPEG, small enough to be sent often.
fn data_uri(raw: &Raw) -> Option<String> {
    let values = match raw.of {
        Image::GreyLevels => plus_mean(&raw.x, &raw.mean),
        Image::Parameterized(_) => as_it_is(&raw.x, &raw.mean),
    };
    let most = if raw.is_alone { ALONE } else { AMONG_OTHERS };
    jpeg_uri(picture(&values, raw.image, raw.swap), most)
}

/// A picture as a data URI of at most `most` pixels a side.
fn jpeg_uri(picture: Picture, most: usize) -> Option<String> {
    let [width, height, most] = [picture.width, picture.height, most].map(u32::try_from);
    let (width, height, most) = (width.ok()?, height.ok()?, most.ok()?);
    let mut shown = match picture.channels {
        3 => DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, picture.pixels)?),
        _ => DynamicImage::ImageLuma8(GrayImage::from_raw(width, height, picture.pixels)?),
    };
    if width.max(height) > most {
        shown = shown.thumbnail(most, most);
    }
    let mut bytes = Cursor::new(Vec::new());
    shown
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))
        .ok()?;
    Some(format!(
        "data:image/jpeg;base64,{}",
        BASE64_STANDARD.encode(bytes.into_inner())
    ))
}
