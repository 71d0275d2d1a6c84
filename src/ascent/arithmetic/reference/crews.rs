//! A batch on a CPU: its images are divided among thread pools.

use std::thread;

use burn::tensor::Device;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::ascent::error::Result;
use crate::ascent::pass::{Evaluation, evaluate};
use crate::network::{Network, Sizes, host};

/// Each part of a batch reads the weights of the fully connected layers from memory once. That is accepted as long as
/// there are at most this many weights for each entry of the part's own blobs.
const MOST_READ: usize = 2;

/// Several thread pools, each of which runs forward and backward passes for parts of a batch.
///
/// With one pool for the whole batch, all threads would synchronize after every layer; separate pools synchronize once,
/// at the end of the pass. Small parts also keep more of their blobs in the caches. On the other hand, every part reads
/// the weights of fully connected layers from memory again: where these weights are larger than the blobs, parts are
/// larger, and there may be fewer pools than cores. An image's result does not depend on how the batch is divided, bit
/// for bit.
pub(super) struct Crews<'a> {
    network: &'a Network,
    device: &'a Device,
    /// The smallest part, in images, that the weights of fully connected layers are worth reading for.
    fewest: usize,
    pools: Vec<ThreadPool>,
}

/// The smallest part, in images, that fully connected layers of so many weights are worth reading for, beside so many entries of
/// an image's blobs.
fn fewest(entries: usize, fully_connected: usize) -> usize {
    fully_connected.div_ceil(MOST_READ * entries.max(1)).max(1)
}

/// Pools for a batch on a CPU.
fn crews(batch: usize, fewest: usize) -> usize {
    (batch / fewest).clamp(1, rayon::current_num_threads())
}

/// Images of a part: the same number of parts for each pool, and none smaller than `fewest`.
fn part(batch: usize, fewest: usize, crews: usize) -> usize {
    batch.div_ceil(crews * (batch / fewest / crews).max(1))
}

/// How many images of a batch a CPU passes through a network of these sizes at once.
pub fn images_at_once(sizes: &Sizes, batch: usize) -> usize {
    let fewest = fewest(sizes.values, sizes.fully_connected);
    let crews = crews(batch, fewest);
    batch.min(crews * part(batch, fewest, crews))
}

impl<'a> Crews<'a> {
    /// Pools for `batch` images. On a GPU, or for one image, the batch is not divided.
    pub(super) fn new(network: &'a Network, device: &'a Device, batch: usize) -> Self {
        let fewest = fewest(network.entries_an_image(), network.fully_connected_weights());
        let cores = rayon::current_num_threads();
        let crews = if host::is_host(device) { crews(batch, fewest) } else { 1 };
        let build = || ThreadPoolBuilder::new().num_threads(cores / crews).build();
        let pools: std::result::Result<Vec<ThreadPool>, _> = match crews {
            1 => Ok(Vec::new()),
            _ => (0..crews).map(|_| build()).collect(),
        };
        Self {
            network,
            device,
            fewest,
            // Where the system refuses more threads, the global pool does the work.
            pools: pools.unwrap_or_default(),
        }
    }

    /// As [`evaluate`], with the images shared out.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub(super) fn evaluate(&self, images: Vec<f32>, seeds: &[(usize, f32)]) -> Result<Evaluation> {
        let (batch, crews) = (seeds.len(), self.pools.len());
        if crews == 0 || batch < 2 {
            let whole = || evaluate(self.network, images, seeds, self.device);
            // From inside rayon's pool: a thread outside of it would be put to sleep and woken for each parallel loop.
            return if host::is_host(self.device) {
                rayon::scope(|_| whole())
            } else {
                whole()
            };
        }
        let part = part(batch, self.fewest, crews);
        let parts: Vec<_> = images
            .chunks(part * (images.len() / batch))
            .zip(seeds.chunks(part))
            .collect();
        let work = |crew: usize| {
            let answers = parts
                .iter()
                .skip(crew)
                .step_by(crews)
                .map(|(images, seeds)| evaluate(self.network, images.to_vec(), seeds, self.device));
            answers.collect::<Vec<_>>()
        };
        let answers: Vec<Vec<Result<Evaluation>>> = thread::scope(|scope| {
            let (pools, work) = (self.pools.iter().enumerate(), &work);
            let crews: Vec<_> = pools
                .map(|(crew, pool)| scope.spawn(move || pool.install(|| work(crew))))
                .collect();
            crews
                .into_iter()
                .map(|crew| crew.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        let mut answers: Vec<_> = answers.into_iter().map(Vec::into_iter).collect();
        let mut all = Evaluation::default();
        for place in 0..parts.len() {
            if let Some(answer) = answers[place % crews].next() {
                let answer = answer?;
                all.values.extend(answer.values);
                all.gradient.extend(answer.gradient);
            }
        }
        Ok(all)
    }
}
