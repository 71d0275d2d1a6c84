//! How much memory a network takes, estimated before it is taken.
//!
//! Values, what the way back keeps of them, and gradients are followed from layer to layer, forward and back: the worst moment
//! counts. Measured peaks of whole climbs, of Caffe's networks and of today's, stand beside the estimates in
//! `docs/performance.md`.

use burn::module::Module;
use deepvis_importer::graph::ValueId;

use super::layers::{Forward, LayerModule};
use super::run::{Network, Step};

/// Bytes of the program itself, with its threads, and of what reading a network leaves behind.
const PROGRAM: u64 = 100_000_000;
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

/// Numbers that decide how much memory a network takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Entries of all values of one image.
    pub values: usize,
    /// Bytes that one image takes on the host at the worst moment of a forward pass.
    pub forward: u64,
    /// The same of a pass forward and back.
    pub both_ways: u64,
    /// Entries of the weights.
    pub weights: usize,
    /// Of those, of fully connected layers.
    pub fully_connected: usize,
    /// Entries of transformed weights that are kept beside them.
    pub transformed: usize,
    /// Entries of the largest working memory of a layer.
    pub scratch: usize,
}

impl Sizes {
    /// Those of layers, as they read and write values of these numbers of entries. The last values are kept for whoever asked
    /// for them.
    pub(super) fn of(layers: &[LayerModule], steps: &[Step], entries: &[usize], weights: usize) -> Self {
        let course = Course::of(layers, steps, entries);
        Self {
            values: entries.iter().fold(0, |sum, entries| sum.saturating_add(*entries)),
            forward: course.forward(),
            both_ways: course.both_ways(),
            weights,
            fully_connected: layers.iter().map(Forward::fully_connected_weights).sum(),
            transformed: layers
                .iter()
                .fold(0, |sum, layer| sum.saturating_add(layer.transformed_weights())),
            scratch: layers.iter().map(Forward::scratch).max().unwrap_or(0),
        }
    }

    /// How `batch` images are divided among the cores of a CPU.
    pub fn division(&self, batch: usize) -> Division {
        let blobs = self.values.saturating_mul(MOST_READ);
        let fewest = self.fully_connected.div_ceil(blobs.max(1)).max(1);
        let crews = (batch / fewest).clamp(1, rayon::current_num_threads());
        // The same number of parts for each crew, and none smaller than `fewest`.
        let part = batch.div_ceil(crews * (batch / fewest / crews).max(1)).max(1);
        Division { crews, part }
    }

    /// Bytes that the network takes on the host for `images`: forward, and back, where `back` says so, in parts.
    pub fn on_host(&self, images: usize, back: bool) -> u64 {
        if back {
            let Division { crews, part } = self.division(images);
            self.at_once(images.min(crews.saturating_mul(part)))
        } else {
            self.of_images(images, self.forward)
        }
    }

    /// Bytes that the network takes on the host for `images` that go through it as one batch, forward and back.
    pub fn at_once(&self, images: usize) -> u64 {
        self.of_images(images, self.both_ways)
    }

    fn of_images(&self, images: usize, each: u64) -> u64 {
        let at_work = images.min(rayon::current_num_threads()).max(1);
        PROGRAM
            .saturating_add(times(self.weights, 4))
            .saturating_add(times(self.transformed, 4))
            .saturating_add(each.saturating_mul(images as u64))
            .saturating_add(times(self.scratch, 4).saturating_mul(at_work as u64))
    }

    /// Bytes that the network takes on a GPU for `images` at once, forward and back.
    pub fn on_gpu(&self, images: usize) -> u64 {
        times(self.weights, 4).saturating_add(times(self.values, ON_GPU).saturating_mul(images as u64))
    }
}

/// What is in memory from step to step, for one image, in bytes.
struct Course<'a> {
    steps: &'a [Step],
    /// Of each value.
    bytes: Vec<u64>,
    /// What the way back keeps of each step.
    kept: Vec<u64>,
    /// The last step that reads each value; none of those that are asked for.
    last_read: Vec<Option<usize>>,
}

impl<'a> Course<'a> {
    fn of(layers: &[LayerModule], steps: &'a [Step], entries: &[usize]) -> Self {
        let sum = |values: &[ValueId]| {
            values
                .iter()
                .fold(0, |sum: u64, value| sum.saturating_add(entries[*value] as u64))
        };
        let kept = |(step, layer): (&Step, &LayerModule)| layer.kept(sum(&step.reads), sum(&step.writes));
        let mut last_read = vec![None; entries.len()];
        for (index, step) in steps.iter().enumerate() {
            for value in &step.reads {
                last_read[*value] = Some(index);
            }
        }
        Self {
            bytes: entries.iter().map(|entries| times(*entries, 4)).collect(),
            kept: steps.iter().zip(layers).map(kept).collect(),
            last_read,
            steps,
        }
    }

    fn sum(&self, values: &[ValueId]) -> u64 {
        values
            .iter()
            .fold(0, |sum, value| sum.saturating_add(self.bytes[*value]))
    }

    /// The values that are read here for the last time.
    fn ends(&self, index: usize) -> Vec<ValueId> {
        let mut ends = self.steps[index].reads.clone();
        ends.sort_unstable();
        ends.dedup();
        ends.retain(|value| self.last_read[*value] == Some(index));
        ends
    }

    /// Goes forward; `kept` bytes of a step stay. Returns the worst moment.
    fn ahead(&self, kept: impl Fn(usize) -> u64) -> u64 {
        let first = self.steps.first().map_or(0, |step| self.sum(&step.reads));
        let (mut there, mut worst) = (first, first);
        for (index, step) in self.steps.iter().enumerate() {
            there = there.saturating_add(self.sum(&step.writes)).saturating_add(kept(index));
            worst = worst.max(there);
            there = there.saturating_sub(self.sum(&self.ends(index)));
        }
        worst
    }

    fn forward(&self) -> u64 {
        self.ahead(|_| 0)
    }

    /// Gradients live from the last layer that reads a value to the one that writes it; at a layer's, its tops' gradients are
    /// there once more, for a ReLU in it.
    fn both_ways(&self) -> u64 {
        let mut worst = self.ahead(|index| self.kept[index]);
        let mut kept = self.kept.iter().fold(0, |sum: u64, kept| sum.saturating_add(*kept));
        let mut gradients = 0u64;
        for (index, step) in self.steps.iter().enumerate().rev() {
            let asked_for: Vec<ValueId> = step
                .writes
                .iter()
                .copied()
                .filter(|value| self.last_read[*value].is_none())
                .collect();
            gradients = gradients
                .saturating_add(self.sum(&asked_for))
                .saturating_add(self.sum(&self.ends(index)));
            let tops = self.sum(&step.writes);
            worst = worst.max(kept.saturating_add(gradients).saturating_add(tops));
            gradients = gradients.saturating_sub(tops);
            kept = kept.saturating_sub(self.kept[index]);
        }
        worst
    }
}

fn times(entries: usize, bytes: u64) -> u64 {
    (entries as u64).saturating_mul(bytes)
}

impl Network {
    /// What decides how much memory it takes.
    pub fn sizes(&self) -> Sizes {
        let (layers, steps, entries) = self.course();
        Sizes::of(layers, steps, &entries, self.num_params())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::layers::entrywise::{Entrywise, Function};
    use crate::network::layers::general::pairwise::Pairwise;
    use deepvis_importer::graph::Pairwise as Operation;

    /// Value 0 of 10 entries; 1 = sigmoid(0), which keeps 40 bytes; 2 = 0 + 1, which keeps none; 3 = sigmoid(2), 40 bytes.
    #[test]
    fn the_worst_moment_counts() {
        let sigmoid = || LayerModule::Entrywise(Entrywise::new(Function::Sigmoid));
        let layers = [
            sigmoid(),
            LayerModule::Pairwise(Pairwise::new(Operation::Add)),
            sigmoid(),
        ];
        let steps = [Step::from(&[0], 1), Step::from(&[0, 1], 2), Step::from(&[2], 3)];
        let sizes = Sizes::of(&layers, &steps, &[10; 4], 7);
        // Three values at the sum.
        assert_eq!(sizes.forward, 120);
        // Forward: 160 at the sum (three values, 40 kept), 160 at the end (two values, 80 kept). Back: at the last, 80 kept, two
        // gradients, one of them once more: 200. At the sum: 40 kept, the gradients of 0, 1 and 2, that of 2 once more: 200.
        assert_eq!(sizes.both_ways, 200);
        assert_eq!((sizes.values, sizes.weights), (40, 7));
    }
}
