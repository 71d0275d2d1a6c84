//! An iteration of CaffeNet and GoogLeNet on the first GPU, in batches, the images staying there:
//! `cargo bench --bench gpu --features vulkan` (or `metal`), beside `benches/peers/peers.py --device cuda`.

mod climbs;

use std::time::Duration;

use climbs::{network, time};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use deepvis::ascent::Precision;
use deepvis::backend::{Adapter, adapters, gpu};

/// File name below `models/deploy/`, and the layer that is pushed.
const NETS: [(&str, &str); 2] = [("caffenet", "fc8"), ("googlenet", "loss3/classifier")];

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
                bencher.iter_custom(|count| time(&network, layer, &device, Precision::Float32, *batch, count));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, iterations);
criterion_main!(benches);
