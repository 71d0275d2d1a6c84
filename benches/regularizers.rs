//! Statistics and the blur by themselves, on an image of 3 x 227 x 227: `cargo bench --bench regularizers`.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use deepvis::ascent::{Start, blur, gradient_norm, percentile, start, statistics};

const SIZE: [usize; 2] = [227, 227];

fn regularizers(criterion: &mut Criterion) {
    let mean = vec![0.0; 3 * SIZE[0] * SIZE[1]];
    let x0 = start(Start::MeanPlusRand, 0, &mean);
    let gradient: Vec<f32> = start(Start::MeanPlusRand, 1, &mean).iter().map(|g| *g as f32).collect();
    let mut group = criterion.benchmark_group("regularizers");
    group
        .measurement_time(Duration::from_secs(2))
        .warm_up_time(Duration::from_millis(500));
    group.bench_function("statistics", |bencher| bencher.iter(|| statistics(&x0, &x0)));
    group.bench_function("gradient norm", |bencher| bencher.iter(|| gradient_norm(&gradient)));
    group.bench_function("percentile", |bencher| bencher.iter(|| percentile(&x0, 50.0)));
    for sigma in [0.5, 1.0] {
        let mut x = x0.clone();
        group.bench_function(format!("blur {sigma}"), |bencher| {
            bencher.iter(|| blur(&mut x, sigma, SIZE))
        });
    }
    group.finish();
}

criterion_group!(benches, regularizers);
criterion_main!(benches);
