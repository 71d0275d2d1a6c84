//! How much memory a network takes, estimated before it is taken.
//!
//! Measured peaks of whole climbs (CaffeNet, GoogLeNet and SqueezeNet, 224 to 1000 pixels, batches of 1 to 16, two cores) are
//! between 0.7 and 1.15 times what these factors give; see `docs/performance.md`.

use std::iter::Sum;

use burn::module::Module;

use super::layers::Forward;
use super::run::Network;

/// Bytes of the program itself, with its threads.
const PROGRAM: u64 = 50_000_000;
/// Tenths of bytes that the way back keeps of an entry that a host function computes: where a ReLU let it pass, which pixel was
/// the largest.
const TENTHS_KEPT: u64 = 4;
/// Bytes that it keeps of an entry that is composed of burn's operations: their inputs.
const COMPOSED: u64 = 12;
/// Bytes for each entry of the largest value, for each image at work: itself, its gradient, and both at interpolation points.
const AT_WORK: u64 = 30;
/// The same without a way back.
const FORWARD: u64 = 12;
/// Bytes of an entry on a GPU: its value, its gradient, and what the way back keeps.
const ON_GPU: u64 = 16;

/// Numbers that decide how much memory a network takes: entries, for one image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Of all values that host functions compute.
    pub values: usize,
    /// Of all values that are composed of burn's operations.
    pub composed: usize,
    /// Of the largest value.
    pub largest: usize,
    /// Of the weights.
    pub weights: usize,
    /// Of transformed weights that are kept beside them.
    pub transformed: usize,
    /// Of the largest working memory of a layer.
    pub scratch: usize,
}

impl Sizes {
    /// Adds a layer whose tops have `entries` entries in all.
    pub(super) fn add(&mut self, layer: &impl Forward, entries: usize) {
        if layer.is_composed() {
            self.composed = self.composed.saturating_add(entries);
        } else {
            self.values = self.values.saturating_add(entries);
        }
        self.largest = self.largest.max(entries);
        self.transformed = self.transformed.saturating_add(layer.transformed_weights());
        self.scratch = self.scratch.max(layer.scratch());
    }

    /// The sizes of both.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            values: self.values.saturating_add(other.values),
            composed: self.composed.saturating_add(other.composed),
            largest: self.largest.max(other.largest),
            weights: self.weights.saturating_add(other.weights),
            transformed: self.transformed.saturating_add(other.transformed),
            scratch: self.scratch.max(other.scratch),
        }
    }

    /// Bytes that the network takes on the host for `images` at once: forward, and back where `back` says so.
    pub fn on_host(&self, images: usize, back: bool) -> u64 {
        let at_work = images.min(rayon::current_num_threads()).max(1);
        let (kept, each) = if back {
            let composed = times(self.composed, COMPOSED);
            ((times(self.values, TENTHS_KEPT) / 10).saturating_add(composed), AT_WORK)
        } else {
            (0, FORWARD)
        };
        let of_work = times(self.largest, each).saturating_add(times(self.scratch, 4));
        PROGRAM
            .saturating_add(times(self.weights, 4))
            .saturating_add(times(self.transformed, 4))
            .saturating_add(kept.saturating_mul(images as u64))
            .saturating_add(of_work.saturating_mul(at_work as u64))
    }

    /// Bytes that the network takes on a GPU for `images` at once, forward and back.
    pub fn on_gpu(&self, images: usize) -> u64 {
        let values = times(self.values.saturating_add(self.composed), ON_GPU);
        times(self.weights, 4).saturating_add(values.saturating_mul(images as u64))
    }
}

impl Sum for Sizes {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::default(), Self::and)
    }
}

fn times(entries: usize, bytes: u64) -> u64 {
    (entries as u64).saturating_mul(bytes)
}

impl Network {
    /// What decides how much memory it takes.
    pub fn sizes(&self) -> Sizes {
        let mut sizes = Sizes {
            weights: self.num_params(),
            ..Sizes::default()
        };
        for (layer, entries) in self.layers_with_entries() {
            sizes.add(layer, entries);
        }
        sizes
    }
}

/// That something takes so many bytes, and how many there are.
pub fn taking(needed: u64, memory: u64) -> String {
    format!(
        "it takes about {}, {} may be used",
        gigabytes(needed),
        gigabytes(memory)
    )
}

/// Bytes for people: `1.2 GB`, `340 MB`.
pub fn gigabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "rounded for people")]
    let bytes = bytes as f64;
    if bytes < 1e9 {
        format!("{:.0} MB", bytes / 1e6)
    } else {
        format!("{:.1} GB", bytes / 1e9)
    }
}
