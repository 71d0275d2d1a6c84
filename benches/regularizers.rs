//! Each regularizer and the statistics by themselves, on an image of 3 x 227 x 227: `cargo bench --bench regularizers`.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use deepvis::optimizer::regularize::{blur, regularize};
use deepvis::optimizer::start::start;
use deepvis::optimizer::statistics::{gradient_norm, statistics};
use deepvis::optimizer::{Number, Regularizers, StartAt};

const SIZE: [usize; 2] = [227, 227];

fn regularizers(criterion: &mut Criterion) {
    let mean = vec![0.0; 3 * SIZE[0] * SIZE[1]];
    let x0 = start(StartAt::MeanPlusRand, 0, &mean);
    let gradient: Vec<f32> = start(StartAt::MeanPlusRand, 1, &mean)
        .iter()
        .map(|g| *g as f32)
        .collect();
    let mut group = criterion.benchmark_group("regularizers");
    group
        .measurement_time(Duration::from_secs(2))
        .warm_up_time(Duration::from_millis(500));
    group.bench_function("statistics", |bencher| bencher.iter(|| statistics(&x0, &x0)));
    group.bench_function("gradient norm", |bencher| bencher.iter(|| gradient_norm(&gradient)));
    for sigma in [0.5, 1.0] {
        let mut x = x0.clone();
        group.bench_function(format!("blur {sigma}"), |bencher| {
            bencher.iter(|| blur(&mut x, sigma, SIZE))
        });
    }
    let half = Number::Float(50.0);
    let none = Regularizers::default;
    let cases = [
        (
            "decay",
            Regularizers {
                decay: Number::Float(1e-9),
                ..none()
            },
        ),
        (
            "small_val",
            Regularizers {
                small_val_percentile: half,
                ..none()
            },
        ),
        (
            "small_norm",
            Regularizers {
                small_norm_percentile: half,
                ..none()
            },
        ),
        (
            "px_benefit",
            Regularizers {
                px_benefit_percentile: half,
                ..none()
            },
        ),
        (
            "px_abs_benefit",
            Regularizers {
                px_abs_benefit_percentile: half,
                ..none()
            },
        ),
    ];
    for (name, settings) in cases {
        let mut x = x0.clone();
        group.bench_function(name, |bencher| {
            bencher.iter(|| regularize(&mut x, &gradient, &settings, 1, SIZE))
        });
    }
    group.finish();
}

criterion_group!(benches, regularizers);
criterion_main!(benches);
