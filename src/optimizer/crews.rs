//! A batch shared out among the cores of a CPU.

use std::thread;

use burn::tensor::Device;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::error::Result;
use super::evaluation::{Evaluation, evaluate};
use crate::network::{Network, host};

/// How many times the entries of its blobs the weights of fully connected layers may be that a crew reads for itself alone.
const MOST_READ: usize = 8;

/// Crews of cores, each of which takes its part of a batch through the network and back.
///
/// Apart from each other they wait for each other but once, at the end, and a crew's blobs stay in its caches; together they
/// would wait after every matrix product. But each crew reads the weights of fully connected layers, which all images of a
/// part share, from memory again: where these outweigh the blobs, crews are fewer and parts larger.
pub struct Crews<'a> {
    network: &'a Network,
    target: usize,
    device: &'a Device,
    pools: Vec<ThreadPool>,
}

impl<'a> Crews<'a> {
    /// Crews for `batch` images. On a GPU, or for one image, there is only one.
    pub fn new(network: &'a Network, target: usize, device: &'a Device, batch: usize) -> Self {
        let cores = rayon::current_num_threads();
        let crews = if host::is_host(device) {
            crews(network, batch, cores)
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
            // A system that gives no more threads has those of rayon's own pool.
            pools: pools.unwrap_or_default(),
        }
    }

    /// As [`evaluate`], with the images shared out.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub fn evaluate(&self, images: Vec<f32>, seeds: &[(usize, f32)]) -> Result<Evaluation> {
        let Self {
            network,
            target,
            device,
            pools,
        } = self;
        let batch = seeds.len();
        if pools.is_empty() || batch < 2 {
            return evaluate(network, *target, images, seeds, device);
        }
        let part = batch.div_ceil(pools.len());
        let parts = images.chunks(part * (images.len() / batch)).zip(seeds.chunks(part));
        let answers: Vec<Result<Evaluation>> = thread::scope(|scope| {
            let crews: Vec<_> = pools
                .iter()
                .zip(parts)
                .map(|(pool, (images, seeds))| {
                    let images = images.to_vec();
                    scope.spawn(|| pool.install(|| evaluate(network, *target, images, seeds, device)))
                })
                .collect();
            crews
                .into_iter()
                .map(|crew| crew.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        let mut all = Evaluation::default();
        for answer in answers {
            let answer = answer?;
            all.values.extend(answer.values);
            all.gradient.extend(answer.gradient);
        }
        Ok(all)
    }
}

/// How many crews `cores` make.
fn crews(network: &Network, batch: usize, cores: usize) -> usize {
    let images = network
        .fully_connected_weights()
        .div_ceil(MOST_READ * network.entries_an_image().max(1))
        .max(1);
    (batch / images).clamp(1, cores)
}
