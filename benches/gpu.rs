//! An iteration of CaffeNet and GoogLeNet on the first GPU, in batches, the images staying there:
//! `cargo bench --bench gpu --features vulkan` (or `metal`), beside `benches/peers/peers.py --device cuda`.

#[path = "../tests/support/random_weights.rs"]
mod random_weights;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use deepvis::backend::{Adapter, adapters, gpu};
use deepvis::network::{InputSize, Network};
use deepvis::optimizer::{Climb, LearningRate, Number, Params, Regularizers, StartAt, Unit, run_on_device};
use deepvis::python::Value;

/// File name below `models/deploy/`, and the layer that is pushed.
const NETS: [(&str, &str); 2] = [("caffenet", "fc8"), ("googlenet", "loss3/classifier")];
/// Iterations from one read-back of figures to the next.
const READ_EVERY: usize = 10;

fn network(net: &str, layer: &str, device: &Device) -> Network {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("models/deploy/{net}.prototxt"));
    let (graph, _) = deepvis_importer::read_graph(&path).unwrap();
    let weights = random_weights::weights(&graph, 0);
    Network::build(&graph, &weights, &[layer], InputSize::Declared, device, 1 << 30).unwrap()
}

fn climbs(network: &Network, layer: &str, batch: usize, iterations: usize) -> Vec<Climb> {
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
            max_iter: iterations,
        };
        Climb::new(params, mean.clone(), network.image(), network.shape(0)).unwrap()
    };
    (0..batch).map(new).collect()
}

fn iterations(criterion: &mut Criterion) {
    let Some(adapter) = adapters().into_iter().find(Adapter::is_gpu) else {
        eprintln!("SKIPPED: there is no GPU; `deepvis devices` lists adapters");
        return;
    };
    let device = gpu(&adapter);
    eprintln!("{} ({})", adapter.name, adapter.api);
    for (net, layer) in NETS {
        let network = network(net, layer, &device);
        let mut group = criterion.benchmark_group(format!("gpu/{net}"));
        group.sample_size(10).measurement_time(Duration::from_secs(10));
        for batch in [1, 16, 64] {
            group.throughput(Throughput::Elements(batch as u64));
            group.bench_with_input(BenchmarkId::from_parameter(batch), &batch, |bencher, batch| {
                bencher.iter_custom(|count| {
                    let count = usize::try_from(count).unwrap_or(usize::MAX);
                    let mut climbs = climbs(&network, layer, *batch, count);
                    let begun = Instant::now();
                    run_on_device(&network, 0, &mut climbs, &device, READ_EVERY, |_| true);
                    begun.elapsed()
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, iterations);
criterion_main!(benches);
