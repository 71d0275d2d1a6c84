//! Climbs for tests.

use std::collections::BTreeMap;

use burn::tensor::Device;
use deepvis::ascent::{Circumstances, Climb, Flow, Listener, Precision, Progress, Result, ascend};
use deepvis::network::{InputSize, Network};
use deepvis_importer::{StoredTensor, Weights};

use crate::support::MOST_ENTRIES;

/// Hears every iteration with its images, and may stop.
pub struct Hear<F>(pub F);

impl<F: FnMut(&Progress<'_>) -> Flow> Listener for Hear<F> {
    fn wants_images(&self, _: usize) -> bool {
        true
    }

    fn iterated(&mut self, progress: &Progress<'_>) -> Flow {
        (self.0)(progress)
    }
}

/// Hears nothing of images; counts iterations.
#[derive(Default)]
pub struct Count(pub usize);

impl Listener for Count {
    fn wants_images(&self, _: usize) -> bool {
        false
    }

    fn iterated(&mut self, _: &Progress<'_>) -> Flow {
        self.0 += 1;
        Flow::Continue
    }
}

/// Lets climbs climb to their ends in float64 on the host, or in float32 on the device.
pub fn climb(
    network: &Network,
    device: &Device,
    precision: Precision,
    climbs: &mut [Climb],
    listener: &mut dyn Listener,
) -> Vec<Result<()>> {
    let circumstances = Circumstances {
        network,
        device,
        precision,
        read_every: match precision {
            Precision::Float64 => 1,
            Precision::Float32 => 4,
        },
    };
    ascend(circumstances, climbs, listener)
}

/// A network of layers that have no weights, up to `layer`.
pub fn without_weights(text: &str, layer: &str, device: &Device) -> Network {
    built(text, BTreeMap::new(), layer, device)
}

fn built(text: &str, weights: BTreeMap<String, StoredTensor>, layer: &str, device: &Device) -> Network {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.prototxt");
    std::fs::write(&path, text).unwrap();
    let (graph, _) = deepvis_importer::read_graph(&path).unwrap();
    let weights = Weights::new(weights, path);
    Network::build(&graph, &weights, &[layer], InputSize::Declared, device, MOST_ENTRIES).unwrap()
}

/// A fully connected layer \"sum\" whose unit `unit` of `units` has the gradient `gradient` everywhere, the others none.
pub fn linear(gradient: &[f32], [channels, rows, columns]: [usize; 3], unit: usize, units: usize) -> Network {
    let text = format!(
        r#"layer {{ name: "data" type: "Input" top: "data" input_param {{ shape {{ dim: 1 dim: {channels} dim: {rows} dim: {columns} }} }} }}
layer {{ name: "sum" type: "InnerProduct" bottom: "data" top: "sum" inner_product_param {{ num_output: {units} bias_term: false }} }}"#
    );
    let mut weights = vec![0.0; units * gradient.len()];
    weights[unit * gradient.len()..(unit + 1) * gradient.len()].copy_from_slice(gradient);
    let weight = StoredTensor::from_values(vec![units, gradient.len()], weights);
    let weights = BTreeMap::from([("sum.weight".to_owned(), weight)]);
    built(&text, weights, "sum", &Device::flex())
}
