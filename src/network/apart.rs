//! Whether several images can go through a network together, each giving what it gives alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use burn::tensor::{Device, Tensor, TensorData};

use super::blob::Blob;
use super::host::is_host;
use super::run::{Activation, Network};
use crate::backend::failures;
use crate::random::Random;

/// How far an entry may be off, of the difference of the two images' values: what mixes them is off by half of it or more.
const MIXED: f32 = 0.05;
/// How far it may be off besides, of the largest entry: a GPU's kernels round otherwise for two images than for one.
const ROUNDING: f32 = 1e-3;
/// The same of functions of the host.
const ROUNDING_ON_HOST: f32 = 1e-5;

static TRIALS: AtomicUsize = AtomicUsize::new(0);

/// Whether a network is being tried at this moment. Where shapes do not go together burn panics; that is an answer, and no fault
/// that a hook should tell of.
pub fn is_in_trial() -> bool {
    TRIALS.load(Ordering::Relaxed) > 0
}

/// What is known of it.
#[derive(Debug, Clone)]
pub(super) enum Apart {
    /// It follows from the layers.
    Known(bool),
    /// The file says so: images may lie along any axis there, and whoever made the file has followed them. It is believed unless
    /// two images are seen to give something else.
    Said {
        /// Where they are computed.
        device: Device,
        /// Whether they give together what each gives alone, as soon as it was asked for.
        seen: Arc<OnceLock<bool>>,
    },
}

impl Apart {
    /// What a file says is true of images on that device.
    pub(super) fn said(device: &Device) -> Self {
        Self::Said {
            device: device.clone(),
            seen: Arc::default(),
        }
    }

    /// Whether it is true of `network`.
    pub(super) fn of(&self, network: &Network) -> bool {
        match self {
            Self::Known(is_apart) => *is_apart,
            Self::Said { device, seen } => match seen.get() {
                Some(is_apart) => *is_apart,
                // A device that fails shows nothing; whoever climbs on it will hear of that.
                None => tried(network, device).is_none_or(|is_apart| *seen.get_or_init(|| is_apart)),
            },
        }
    }
}

/// Whether two images of noise give together what each gives alone; `None` when the device fails.
fn tried(network: &Network, device: &Device) -> Option<bool> {
    // What the network sees should fill its range, whatever range images have before its factors.
    let network = network.clone().with_factors(None);
    let run = |images: &[u8]| entries(&network.forward(noise(images, network.image(), device)));
    let trial = || {
        let (together, alone) = (run(&[0, 1])?, [run(&[0])?, run(&[1])?]);
        let rounding = if is_host(device) { ROUNDING_ON_HOST } else { ROUNDING };
        let mut targets = together.iter().zip(alone[0].iter().zip(&alone[1]));
        Some(targets.all(|(together, (first, second))| is_same(together, [first, second], rounding)))
    };
    TRIALS.fetch_add(1, Ordering::Relaxed);
    let answer = catch_unwind(AssertUnwindSafe(trial));
    TRIALS.fetch_sub(1, Ordering::Relaxed);
    if failures::take().is_some() {
        return None;
    }
    answer.unwrap_or(Some(false))
}

/// Images of noise, each its own, and each with a mean and a deviation of its own.
fn noise(images: &[u8], [channels, rows, columns]: [usize; 3], device: &Device) -> Tensor<4> {
    let entries = channels * rows * columns;
    let mut values = Vec::with_capacity(images.len() * entries);
    for image in images {
        let mut random = Random::new(&[u64::from(*image)]);
        let size = f64::from(1 + *image);
        #[expect(clippy::cast_possible_truncation, reason = "pixels are float32")]
        values.extend((0..entries).map(|_| (size * (random.normal() + 0.2)) as f32));
    }
    let shape = [images.len(), channels, rows, columns];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// What was seen of each target, value by value; `None` when the device fails.
fn entries(seen: &[Activation]) -> Option<Vec<Vec<f32>>> {
    let blobs = seen.iter().flat_map(|seen| [&seen.value, &seen.pushed]);
    blobs
        .map(|blob: &Blob| blob.tensor().try_into_vec_as::<f32>().ok())
        .collect()
}

/// Whether what two images gave together is what the first gave alone, then what the second did. Where both gave the same alone,
/// nothing can be seen, and the answer is yes.
fn is_same(together: &[f32], alone: [&[f32]; 2], rounding: f32) -> bool {
    let [first, second] = alone;
    if first.len() != second.len() || together.len() != 2 * first.len() {
        return false;
    }
    // A mask is infinite.
    let most = |values: &mut dyn Iterator<Item = f32>| {
        let finite = values.filter(|value| value.is_finite());
        finite.fold(0.0_f32, |most, value| most.max(value.abs()))
    };
    let apart = most(&mut first.iter().zip(second).map(|(first, second)| first - second));
    let largest = most(&mut first.iter().chain(second).copied());
    let allowed = MIXED * apart + rounding * largest;
    together
        .iter()
        .zip(first.iter().chain(second))
        .all(|(found, own)| found == own || found.is_nan() && own.is_nan() || (found - own).abs() <= allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_are_mixed_are_seen_however_large_what_they_share() {
        let (first, second) = ([100.0, 100.1, f32::NEG_INFINITY], [100.0, 99.9, f32::NEG_INFINITY]);
        let together = |first: [f32; 3], second: [f32; 3]| [first, second].concat();
        let is_same = |together: &[f32]| is_same(together, [&first, &second], ROUNDING_ON_HOST);
        assert!(is_same(&together(first, second)));
        assert!(!is_same(&together(second, first)));
        let mean = [100.0, 100.0, f32::NEG_INFINITY];
        assert!(!is_same(&together(mean, mean)));
        assert!(!is_same(&together([f32::NAN; 3], second)));
        assert!(!is_same(&first));
        // Rounded otherwise.
        assert!(is_same(&together([100.0, 100.100_01, f32::NEG_INFINITY], second)));
    }
}
