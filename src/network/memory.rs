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
/// The same of each further image that goes through the network with it.
const BESIDE: u64 = 18;
/// The same without a way back.
const FORWARD: u64 = 12;
/// Bytes of an entry on a GPU: its value, its gradient, and what the way back keeps.
const ON_GPU: u64 = 16;

/// Each part of a batch reads the weights of the fully connected layers from memory once. That is accepted as long as there are
/// at most this many weights for each entry of the part's own blobs.
const MOST_READ: usize = 2;

/// How a batch is divided on a CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Division {
    /// Parts that are computed at the same time.
    pub crews: usize,
    /// Images of a part; the last may have fewer.
    pub part: usize,
}

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
    /// Of the weights of fully connected layers.
    pub fully_connected: usize,
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
        self.fully_connected = self.fully_connected.saturating_add(layer.fully_connected_weights());
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
            fully_connected: self.fully_connected.saturating_add(other.fully_connected),
        }
    }

    /// How `batch` images are divided among the cores of a CPU.
    pub fn division(&self, batch: usize) -> Division {
        let blobs = self.values.saturating_add(self.composed).saturating_mul(MOST_READ);
        let fewest = self.fully_connected.div_ceil(blobs.max(1)).max(1);
        let crews = (batch / fewest).clamp(1, rayon::current_num_threads());
        // The same number of parts for each crew, and none smaller than `fewest`.
        let part = batch.div_ceil(crews * (batch / fewest / crews).max(1)).max(1);
        Division { crews, part }
    }

    /// Bytes that the network takes on the host for `images` at once: forward, and back where `back` says so.
    pub fn on_host(&self, images: usize, back: bool) -> u64 {
        let (kept, at_work, each) = if back {
            let composed = times(self.composed, COMPOSED);
            let kept = (times(self.values, TENTHS_KEPT) / 10).saturating_add(composed);
            let Division { crews, part } = self.division(images);
            (
                kept,
                crews,
                (part as u64 - 1).saturating_mul(BESIDE).saturating_add(AT_WORK),
            )
        } else {
            let threads = images.min(rayon::current_num_threads()).max(1);
            (0, threads, images.div_ceil(threads) as u64 * FORWARD)
        };
        let of_work = times(self.largest, each).saturating_add(times(self.scratch, 4));
        PROGRAM
            .saturating_add(times(self.weights, 4))
            .saturating_add(times(self.transformed, 4))
            .saturating_add(kept.saturating_mul(images as u64))
            .saturating_add(of_work.saturating_mul(at_work as u64))
    }

    /// Bytes that the network takes on the host for `images` that go through it as one batch, forward and back.
    pub fn at_once(&self, images: usize) -> u64 {
        let each = (images as u64).saturating_sub(1).saturating_mul(BESIDE);
        self.on_host(1, true)
            .saturating_add(times(self.largest, each))
            .saturating_add(times(self.composed, COMPOSED).saturating_mul(images as u64))
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
