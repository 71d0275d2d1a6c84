//! Whether several images can go through a network together, each giving what it gives alone.

use std::sync::{Arc, OnceLock};
use std::thread;

use burn::tensor::{Device, Tensor, TensorData};

use super::blob::Blob;
use super::run::{Activation, Network};
use crate::random::Random;

/// What the thread is called on which a network is tried. If it panics there, the network is not what its file says; nothing
/// else is wrong, so that a hook has nothing to tell.
pub const TRIAL: &str = "deepvis-trial";

/// How far an entry may differ, of the largest one: kernels of a GPU sum in another order, and round more, for two images.
const TOLERANCE: f32 = 1e-2;

/// What is known of it.
#[derive(Debug, Clone)]
pub(super) enum Apart {
    /// It follows from the layers.
    Known(bool),
    /// The file says so: images may lie along any axis there, and whoever made the file has followed them. It is believed when
    /// two images have been seen to do so.
    Said {
        /// Where they are computed.
        device: Device,
        /// Whether they did, as soon as it was asked for.
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
            Self::Said { device, seen } => *seen.get_or_init(|| is_seen(network.clone(), device.clone())),
        }
    }
}

/// Whether two images of noise give together what each gives alone. Where shapes do not go together, burn panics.
fn is_seen(network: Network, device: Device) -> bool {
    let trial = move || {
        let together = network.forward(noise(&[0, 1], network.image(), &device));
        (0..2).all(|image| {
            let alone = network.forward(noise(&[image], network.image(), &device));
            let mut pairs = together.iter().zip(&alone);
            pairs.all(|(together, alone)| is_in(together, alone, usize::from(image > 0)))
        })
    };
    let trial = thread::Builder::new().name(TRIAL.into()).spawn(trial);
    trial.is_ok_and(|trial| trial.join().unwrap_or(false))
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

/// Whether the half number `place` of what two images gave is what one of them gave alone.
fn is_in(together: &Activation, alone: &Activation, place: usize) -> bool {
    let pairs = [(&together.value, &alone.value), (&together.pushed, &alone.pushed)];
    pairs.into_iter().all(|(together, alone)| {
        let (together, alone) = (entries(together), entries(alone));
        // A mask is infinite.
        let finite = alone.iter().filter(|entry| entry.is_finite());
        let largest = finite.fold(0.0_f32, |largest, entry| largest.max(entry.abs()));
        let is_near = |(together, alone): (&f32, &f32)| {
            together == alone || together.is_nan() && alone.is_nan() || (together - alone).abs() <= TOLERANCE * largest
        };
        together.len() == 2 * alone.len() && together[place * alone.len()..].iter().zip(&alone).all(is_near)
    })
}

fn entries(blob: &Blob) -> Vec<f32> {
    blob.tensor().into_data().iter::<f32>().collect()
}
