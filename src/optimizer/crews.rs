//! A batch shared out among the cores of a CPU.

use std::thread;

use burn::tensor::Device;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::error::Result;
use super::evaluation::{Evaluation, evaluate};
use crate::network::{Network, host};

/// How many times the entries of its blobs the weights of fully connected layers may be that a part reads for itself alone.
const MOST_READ: usize = 2;

/// Crews of cores, each of which takes parts of a batch through the network and back.
///
/// Apart from each other they wait for each other but once, at the end, and the smaller a part, the more of its blobs stay in
/// the caches. But each part reads the weights of fully connected layers, which its images share, from memory again: where
/// these outweigh the blobs, parts are larger and crews perhaps fewer. What comes of an image is the same, bit for bit.
pub struct Crews<'a> {
    network: &'a Network,
    target: usize,
    device: &'a Device,
    /// The fewest images that are worth reading the weights for.
    fewest: usize,
    pools: Vec<ThreadPool>,
}

impl<'a> Crews<'a> {
    /// Crews for `batch` images. On a GPU, or for one image, there is only one.
    pub fn new(network: &'a Network, target: usize, device: &'a Device, batch: usize) -> Self {
        let blobs = MOST_READ * network.entries_an_image().max(1);
        let fewest = network.fully_connected_weights().div_ceil(blobs).max(1);
        let cores = rayon::current_num_threads();
        let crews = if host::is_host(device) {
            (batch / fewest).clamp(1, cores)
        } else {
            1
        };
        let build = || ThreadPoolBuilder::new().num_threads(cores / crews).build();
        let pools: std::result::Result<Vec<ThreadPool>, _> = match crews {
            1 => Ok(Vec::new()),
            _ => (0..crews).map(|_| build()).collect(),
        };
        Self {
            network,
            target,
            device,
            fewest,
            // A system that gives no more threads has those of rayon's own pool.
            pools: pools.unwrap_or_default(),
        }
    }

    /// As [`evaluate`], with the images shared out.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub fn evaluate(&self, images: Vec<f32>, seeds: &[(usize, f32)]) -> Result<Evaluation> {
        let (batch, crews) = (seeds.len(), self.pools.len());
        if crews == 0 || batch < 2 {
            let whole = || evaluate(self.network, self.target, images, seeds, self.device);
            // In one of rayon's threads rather than in ours, which would sleep and be woken for each of a layer's loops.
            return if host::is_host(self.device) {
                rayon::scope(|_| whole())
            } else {
                whole()
            };
        }
        // As many parts for each crew, and none smaller than it must be.
        let part = batch.div_ceil(crews * (batch / self.fewest / crews).max(1));
        let parts: Vec<_> = images
            .chunks(part * (images.len() / batch))
            .zip(seeds.chunks(part))
            .collect();
        let work = |crew: usize| {
            let answers = parts
                .iter()
                .skip(crew)
                .step_by(crews)
                .map(|(images, seeds)| evaluate(self.network, self.target, images.to_vec(), seeds, self.device));
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
