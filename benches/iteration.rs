//! A full iteration (forward, backward to the image, blur, statistics) of the classic nets, by backend and batch size, with
//! random weights: `cargo bench --bench iteration`.

mod climbs;

use std::time::Duration;

use burn::tensor::Device;
use climbs::{climbs, network};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use deepvis::optimizer::run;

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
    deepvis::cli::heap::keep_freed_memory();
    for (backend, device) in devices() {
        for (net, layer) in NETS {
            let network = network(net, layer, &device);
            let mut group = criterion.benchmark_group(format!("iteration/{net}/{backend}"));
            group
                .sample_size(10)
                .warm_up_time(Duration::from_secs(1))
                .measurement_time(Duration::from_secs(5));
            for batch in [1, 4, 16] {
                let mut climbs = climbs(&network, layer, batch, usize::MAX);
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
    for layer in ["conv1", "conv3", "conv5", "fc8"] {
        let network = network("caffenet", layer, &device);
        let mut climbs = climbs(&network, layer, 1, usize::MAX);
        group.bench_function(layer, |bencher| {
            bencher.iter(|| run(&network, 0, &mut climbs, &device, |_| false));
        });
    }
    group.finish();
}

criterion_group!(benches, iterations, lower_layers);
criterion_main!(benches);
