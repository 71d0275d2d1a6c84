//! Networks with random weights, and climbs of their units, to measure.

#[path = "../../tests/support/random_weights.rs"]
pub mod random_weights;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use deepvis::ascent::{
    Circumstances, Climb, Flow, Listener, Optimizer, Precision, Progress, Recipe, Regularizers, Schedule, Start, ascend,
};
use deepvis::heap::LargePages;
use deepvis::network::{InputSize, Network};

/// As the program's.
#[global_allocator]
static ALLOCATOR: LargePages = LargePages;

/// One of the nets of `models/deploy`, up to a layer.
pub fn network(net: &str, layer: &str, device: &Device) -> Network {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("models/deploy/{net}.prototxt"));
    let (graph, _) = deepvis_importer::read_graph(&path).unwrap();
    let weights = random_weights::weights(&graph, 0);
    Network::build(&graph, &weights, &[layer], InputSize::Declared, device, 1 << 30).unwrap()
}

/// Climbs of a layer's first units, under the regularizers of `paper-3`.
#[allow(dead_code, reason = "not every bench uses all of this")]
pub fn climbs(network: &Network, layer: &str, count: usize, max_iter: usize) -> Vec<Climb> {
    let mean: Arc<[f64]> = vec![110.0; network.image().iter().product()].into();
    let new = |channel| {
        let recipe = Recipe {
            start: Start::MeanPlusRand,
            seed: 0,
            regularizers: Regularizers {
                decay: 0.0001,
                blur_radius: 1.0,
                blur_every: 4,
                ..Regularizers::default()
            },
            optimizer: Optimizer::GradientAscent {
                schedule: Schedule::Constant { lr: 1.0 },
            },
            steps: max_iter,
            ..Recipe::of_unit(layer, channel)
        };
        Climb::new(recipe, mean.clone(), network.image(), network.shape(0)).unwrap()
    };
    (0..count).map(new).collect()
}

struct Nobody;

impl Listener for Nobody {
    fn wants_images(&self, _: usize) -> bool {
        false
    }

    fn iterated(&mut self, _: &Progress<'_>) -> Flow {
        Flow::Continue
    }
}

/// Lets climbs climb to their ends.
#[allow(dead_code, reason = "not every bench uses all of this")]
pub fn climb(network: &Network, device: &Device, precision: Precision, read_every: usize, climbs: &mut [Climb]) {
    let circumstances = Circumstances {
        network,
        device,
        precision,
        read_every,
    };
    for outcome in ascend(circumstances, climbs, &mut Nobody) {
        outcome.unwrap();
    }
}

/// The time that `count` iterations take of climbs of a layer's first units.
#[allow(dead_code, reason = "not every bench uses all of this")]
pub fn time(
    network: &Network,
    layer: &str,
    device: &Device,
    precision: Precision,
    batch: usize,
    count: u64,
) -> Duration {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut climbs = climbs(network, layer, batch, count);
    let begun = Instant::now();
    climb(network, device, precision, 10, &mut climbs);
    begun.elapsed()
}
