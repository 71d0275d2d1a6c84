//! A full iteration (forward, backward to the image, blur, statistics) of the classic nets, by backend and batch size, with
//! random weights: `cargo bench --bench iteration`.

mod climbs;

use std::time::Duration;

use burn::tensor::Device;
use climbs::{network, time};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use deepvis::ascent::Precision;

/// File name below `models/deploy/`, and the layer that is pushed.
const NETS: &[(&str, &str)] = &[
    ("caffenet", "fc8"),
    ("googlenet", "loss3/classifier"),
    ("squeezenet_v1.1", "conv10"),
];

fn devices() -> Vec<(&'static str, Device)> {
    let flex = ("flex", Device::flex());
    #[expect(deprecated, reason = "the ndarray backend was asked for")]
    let ndarray = ("ndarray", Device::ndarray());
    vec![flex, ndarray]
}

fn iterations(criterion: &mut Criterion) {
    // As the program does.
    deepvis::heap::keep_freed_memory();
    for (backend, device) in devices() {
        for (net, layer) in NETS {
            let network = network(net, layer, &device);
            let mut group = criterion.benchmark_group(format!("iteration/{net}/{backend}"));
            group
                .sample_size(10)
                .warm_up_time(Duration::from_secs(1))
                .measurement_time(Duration::from_secs(5));
            for batch in [1, 4, 16] {
                group.bench_with_input(BenchmarkId::from_parameter(batch), &batch, |bencher, batch| {
                    bencher.iter_custom(|count| time(&network, layer, &device, Precision::Float64, *batch, count));
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
    for layer in ["conv1", "conv3", "conv5", "fc8"] {
        let network = network("caffenet", layer, &device);
        group.bench_function(layer, |bencher| {
            bencher.iter_custom(|count| time(&network, layer, &device, Precision::Float64, 1, count));
        });
    }
    group.finish();
}

criterion_group!(benches, iterations, lower_layers);
criterion_main!(benches);
