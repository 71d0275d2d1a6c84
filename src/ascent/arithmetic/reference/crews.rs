//! A batch on a CPU: its images are divided among thread pools.

use std::thread;

use burn::tensor::Device;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::ascent::error::Result;
use crate::ascent::pass::{Evaluation, evaluate};
use crate::network::{Division, Network, Sizes, host};

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
    /// What decides how a batch is divided; `None` where it is not.
    sizes: Option<Sizes>,
    pools: Vec<ThreadPool>,
}

impl<'a> Crews<'a> {
    /// Pools for at most `batch` images. On a GPU, or for one image, the batch is not divided.
    pub(super) fn new(network: &'a Network, device: &'a Device, batch: usize) -> Self {
        let sizes = host::is_host(device).then(|| network.sizes());
        let crews = sizes.map_or(1, |sizes| sizes.division(batch).crews);
        let cores = rayon::current_num_threads();
        let build = || ThreadPoolBuilder::new().num_threads(cores / crews).build();
        let pools: std::result::Result<Vec<ThreadPool>, _> = match crews {
            1 => Ok(Vec::new()),
            _ => (0..crews).map(|_| build()).collect(),
        };
        Self {
            network,
            device,
            sizes,
            // Where the system refuses more threads, the global pool does the work.
            pools: pools.unwrap_or_default(),
        }
    }

    /// As [`evaluate`], with the images shared out.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub(super) fn evaluate(&self, images: Vec<f32>, seeds: &[(usize, f32)]) -> Result<Evaluation> {
        let batch = seeds.len();
        let Some(sizes) = self.sizes else {
            return evaluate(self.network, images, seeds, self.device);
        };
        let Division { crews, part } = sizes.division(batch);
        let crews = crews.min(self.pools.len()).max(1);
        let parts: Vec<_> = images
            .chunks(part * (images.len() / batch.max(1)).max(1))
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
        let answers: Vec<Vec<Result<Evaluation>>> = if crews == 1 {
            vec![work(0)]
        } else {
            thread::scope(|scope| {
                let (pools, work) = (self.pools.iter().take(crews).enumerate(), &work);
                let crews: Vec<_> = pools
                    .map(|(crew, pool)| scope.spawn(move || pool.install(|| work(crew))))
                    .collect();
                crews
                    .into_iter()
                    .map(|crew| crew.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                    .collect()
            })
        };
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
