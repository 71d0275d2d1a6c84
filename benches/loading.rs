//! From files to the end of the first iteration: CaffeNet with random weights (244 MB), as `.caffemodel` and as `.bpk`.
//! `cargo bench --bench loading`; the files go to a temporary folder and are read from the system's cache.

#[allow(dead_code, reason = "networks are loaded here, not made")]
mod climbs;

use std::path::Path;
use std::time::Duration;

use burn::tensor::Device;
use criterion::{Criterion, criterion_group, criterion_main};
use deepvis::ascent::Precision;
use deepvis::network::{InputSize, Network};
use deepvis_importer::{Import, import, record};

const LAYER: &str = "fc8";

fn first_iteration(import: &Import) -> usize {
    let device = Device::flex();
    let size = InputSize::Declared;
    let network = Network::build(&import.graph, &import.weights, &[LAYER], size, &device, 1 << 30).unwrap();
    let mut climbs = climbs::climbs(&network, LAYER, 1, 1);
    climbs::climb(&network, &device, Precision::Float64, 1, &mut climbs);
    climbs.len()
}

fn loading(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/deploy/caffenet.prototxt");
    let caffemodel = folder.path().join("caffenet.caffemodel");
    let burnpack = folder.path().join("caffenet.bpk");
    climbs::random_weights::write(&deploy, &caffemodel).unwrap();
    record::write(&import(&deploy, &caffemodel).unwrap(), &burnpack, false, |_| ()).unwrap();
    let mut group = criterion.benchmark_group("loading/caffenet");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("index caffemodel", |b| b.iter(|| import(&deploy, &caffemodel).unwrap()));
    group.bench_function("open bpk", |b| b.iter(|| record::open(&burnpack).unwrap()));
    group.bench_function("first iteration from caffemodel", |b| {
        b.iter(|| first_iteration(&import(&deploy, &caffemodel).unwrap()));
    });
    group.bench_function("first iteration from bpk", |b| {
        b.iter(|| first_iteration(&record::open(&burnpack).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, loading);
criterion_main!(benches);
