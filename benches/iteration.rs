//! A full iteration (forward, backward to the image, blur, statistics) of the classic nets, by backend and batch size, with
//! random weights: `cargo bench --bench iteration`.

#[path = "../tests/support/random_weights.rs"]
mod random_weights;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use burn::tensor::Device;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use deepvis::network::{InputSize, Network};
use deepvis::optimizer::{Climb, LearningRate, Number, Params, Regularizers, StartAt, Unit, run};
use deepvis::python::Value;

/// File name below `models/deploy/`, and the layer that is pushed.
const NETS: &[(&str, &str)] = &[
    ("caffenet", "fc8"),
    ("googlenet", "loss3/classifier"),
    ("squeezenet_v1.1", "conv10"),
];

fn params(layer: &str, channel: usize) -> Params {
    Params {
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
        max_iter: usize::MAX,
    }
}

fn network(net: &str, layer: &str, device: &Device) -> Network {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("models/deploy")
        .join(format!("{net}.prototxt"));
    let (graph, _) = deepvis_importer::read_graph(&path).unwrap();
    let weights = random_weights::weights(&graph, 0);
    Network::build(&graph, &weights, &[layer], InputSize::Declared, device, 1 << 30).unwrap()
}

fn devices() -> Vec<(&'static str, Device)> {
    let flex = ("flex", Device::flex());
    #[expect(deprecated, reason = "the ndarray backend was asked for")]
    let ndarray = ("ndarray", Device::ndarray());
    vec![flex, ndarray]
}

fn iterations(criterion: &mut Criterion) {
    for (backend, device) in devices() {
        for (net, layer) in NETS {
            let network = network(net, layer, &device);
            let mean: Arc<[f64]> = vec![110.0; network.image().iter().product()].into();
            let mut group = criterion.benchmark_group(format!("iteration/{net}/{backend}"));
            group
                .sample_size(10)
                .warm_up_time(Duration::from_secs(1))
                .measurement_time(Duration::from_secs(5));
            for batch in [1, 4, 16] {
                let new = |channel| {
                    Climb::new(params(layer, channel), mean.clone(), network.image(), network.shape(0)).unwrap()
                };
                let mut climbs: Vec<Climb> = (0..batch).map(new).collect();
                group.bench_with_input(BenchmarkId::from_parameter(batch), &batch, |bencher, _| {
                    bencher.iter(|| run(&network, 0, &mut climbs, &device, |_| false));
                });
            }
            group.finish();
        }
    }
}

fn lower_layers(criterion: &mut Criterion) {
    let device = Device::flex();
    let mut group = criterion.benchmark_group("pushed/caffenet/flex");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for layer in ["conv1", "conv3", "pool5", "fc8"] {
        let network = network("caffenet", layer, &device);
        let mean: Arc<[f64]> = vec![110.0; network.image().iter().product()].into();
        let mut climbs = [Climb::new(params(layer, 3), mean, network.image(), network.shape(0)).unwrap()];
        group.bench_function(layer, |bencher| {
            bencher.iter(|| run(&network, 0, &mut climbs, &device, |_| false));
        });
    }
    group.finish();
}

criterion_group!(benches, iterations, lower_layers);
criterion_main!(benches);
