//! Networks with random weights, and climbs of their units, to measure.

#[path = "../../tests/support/random_weights.rs"]
pub mod random_weights;

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use deepvis::network::{InputSize, Network};
use deepvis::optimizer::{Climb, LearningRate, Number, Params, Regularizers, StartAt, Unit};
use deepvis::python::Value;

/// One of the nets of `models/deploy`, up to a layer.
pub fn network(net: &str, layer: &str, device: &Device) -> Network {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("models/deploy/{net}.prototxt"));
    let (graph, _) = deepvis_importer::read_graph(&path).unwrap();
    let weights = random_weights::weights(&graph, 0);
    Network::build(&graph, &weights, &[layer], InputSize::Declared, device, 1 << 30).unwrap()
}

/// Climbs of a layer's first units, under the regularizers of `paper-3`.
pub fn climbs(network: &Network, layer: &str, count: usize, max_iter: usize) -> Vec<Climb> {
    let mean: Arc<[f64]> = vec![110.0; network.image().iter().product()].into();
    let new = |channel| {
        let params = Params {
            unit: Unit {
                layer: layer.into(),
                channel,
                spatial: [0, 0],
            },
            push_dir: Number::Int(1),
            start_at: StartAt::MeanPlusRand,
            rand_seed: 0,
            regularizers: Regularizers {
                decay: Number::Float(0.0001),
                blur_radius: Number::Float(1.0),
                blur_every: 4,
                ..Regularizers::default()
            },
            rate: LearningRate::Constant { lr: 1.0 },
            lr_params: Value::None,
            max_iter,
        };
        Climb::new(params, mean.clone(), network.image(), network.shape(0)).unwrap()
    };
    (0..count).map(new).collect()
}
