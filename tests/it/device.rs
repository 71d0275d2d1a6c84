//! The iteration on a device against the one on the host: on flex, ndarray, and a GPU or its stand-in.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use deepvis::ascent::{Climb, Error, Optimizer, Precision, Recipe, Record, Regularizers, Schedule, Start, floats};
use deepvis::network::sums::{mean_along, sum_along};
use deepvis::network::{InputSize, Network};
use deepvis::objective::{Neuron, Unit};

use crate::climbing::{Count, climb, without_weights};
use crate::support::{MOST_ENTRIES, ndarray, repository};

/// How far a figure may be off, relative to the largest of its kind: images are float32 instead of float64, and sums are in
/// another order.
const TOLERANCE: f64 = 1e-3;
const ITERATIONS: usize = 9;

/// Averages and squares of an image of more entries than 65,536, which burn does not add up at once: layers have tests of
/// their own, a deep network amplifies the last digit of float32 until climbs part,
/// and a software GPU takes ten seconds or more to tune the kernels of one convolution.
const AVERAGES: &str = r#"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 200 dim: 208 } } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { pool: AVE kernel_size: 8 stride: 8 } }
layer { name: "square" type: "Power" bottom: "pool" top: "square" power_param { power: 2 scale: 0.1 shift: 0.3 } }
"#;

fn averages(device: &Device) -> Network {
    without_weights(AVERAGES, "square", device)
}

fn climbs(network: &Network, regularizers: Regularizers, schedule: Schedule, direction: f64) -> Vec<Climb> {
    let entries = network.image().iter().product();
    let mean: Arc<[f64]> = vec![128.0; entries].into();
    [(2, 0), (1, 0), (2, 1)]
        .into_iter()
        .map(|(channel, rand_seed)| {
            let recipe = Recipe {
                objective: Neuron {
                    unit: Unit {
                        layer: "square".into(),
                        channel,
                        spatial: [0, 0],
                    },
                    direction,
                    reach: deepvis::objective::Reach::Position,
                },
                image: deepvis::ascent::Image::GreyLevels,
                views: deepvis::transform::Views::None,
                formula: None,
                company: Vec::new(),
                size: None,
                start: Start::MeanPlusRand,
                seed: rand_seed,
                regularizers,
                optimizer: Optimizer::GradientAscent { schedule },
                steps: ITERATIONS,
                rate_changes: Vec::new(),
                files: Vec::new(),
                start_from: None,
                hold: None,
            };
            Climb::new(recipe, mean.clone(), network.image(), network.shape(0)).unwrap()
        })
        .collect()
}

/// Every regularizer in turn, then several at once, and each learning rate policy.
fn settings() -> Vec<(Regularizers, Schedule, f64)> {
    let none = Regularizers::default();
    let progress = Schedule::Progress {
        max_lr: 1e5,
        desired_prog: 2.0,
    };
    let percent = 40.0;
    let progress01 = Schedule::Progress01 {
        max_lr: 1e5,
        early_prog: 2.0,
        late_prog_mult: 0.5,
    };
    let blur = Regularizers {
        decay: 0.01,
        blur_radius: 1.0,
        blur_every: 2,
        ..none
    };
    vec![
        (none, Schedule::Constant { lr: 300.0 }, 1.0),
        (blur, progress, 1.0),
        (none, progress01, 1.0),
        (blur, progress, -1.0),
        (
            Regularizers {
                small_val_percentile: percent,
                ..none
            },
            progress,
            1.0,
        ),
        (
            Regularizers {
                small_norm_percentile: percent,
                ..blur
            },
            progress,
            1.0,
        ),
        (
            Regularizers {
                px_benefit_percentile: percent,
                ..none
            },
            progress,
            1.0,
        ),
        (
            Regularizers {
                px_abs_benefit_percentile: percent,
                ..none
            },
            progress,
            1.0,
        ),
    ]
}

#[track_caller]
fn same(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected
        .iter()
        .fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= TOLERANCE * scale,
            "{what}: {found}, on the host {expected}"
        );
    }
}

fn compare(found: &Record, expected: &Record, case: usize) {
    let floats = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<_>>();
    same(&format!("obj {case}"), &floats(&found.obj), &floats(&expected.obj));
    same(
        &format!("grad_norm {case}"),
        &floats(&found.grad_norm),
        &floats(&expected.grad_norm),
    );
    same(&format!("norm {case}"), &found.norm, &expected.norm);
    same(&format!("dist {case}"), &found.dist, &expected.dist);
    same(&format!("std {case}"), &found.std, &expected.std);
    assert_eq!(
        (&found.ii, &found.ismax, &found.idxmax),
        (&expected.ii, &expected.ismax, &expected.idxmax),
        "{case}"
    );
    assert_eq!(found.ending, expected.ending, "{case}");
    for (name, found, expected) in [
        ("best", &found.best, &expected.best),
        ("last", &found.last, &expected.last),
        ("majority", &found.majority, &expected.majority),
    ] {
        assert_eq!(
            found.as_ref().map(|s| s.ii),
            expected.as_ref().map(|s| s.ii),
            "{name} {case}"
        );
        let (Some(found), Some(expected)) = (found, expected) else {
            continue;
        };
        // A pixel at the limit of a percentile may fall on either side of it.
        let differing = found
            .xx
            .iter()
            .zip(&expected.xx)
            .filter(|(a, b)| (*a - *b).abs().partial_cmp(&0.5) != Some(std::cmp::Ordering::Less))
            .count();
        assert!(
            differing * 100 <= expected.xx.len(),
            "{name} {case}: {differing} of {} differ",
            expected.xx.len()
        );
    }
}

fn check(device: &Device, cases: &[usize]) {
    let flex = Device::flex();
    let (on_host, on_device) = (averages(&flex), averages(device));
    let settings = settings();
    for case in cases.iter().copied() {
        let (regularizers, schedule, direction) = settings[case];
        let mut expected = climbs(&on_host, regularizers, schedule, direction);
        let mut count = Count::default();
        let outcomes = climb(&on_host, &flex, Precision::Float64, &mut expected, &mut count);
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        let mut found = climbs(&on_device, regularizers, schedule, direction);
        let mut count = Count::default();
        let outcomes = climb(&on_device, device, Precision::Float32, &mut found, &mut count);
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(count.0, 3 * ITERATIONS);
        for (found, expected) in found.iter().zip(&expected) {
            compare(found.record(), expected.record(), case);
        }
    }
}

#[test]
fn an_iteration_on_the_device_is_the_one_on_the_host() {
    let all: Vec<usize> = (0..settings().len()).collect();
    check(&Device::flex(), &all);
    check(&ndarray(), &all);
}

#[test]
fn an_iteration_stays_on_a_gpu() {
    let Some(adapter) = deepvis::backend::adapters().into_iter().next() else {
        crate::support::skip("there is no Vulkan, Metal or DirectX driver, so nothing is computed on a GPU");
        return;
    };
    // Blur and both kinds of percentile; a software GPU is slow.
    check(&deepvis::backend::gpu(&adapter), &[4, 5]);
}

/// An axis of more than 65,536 entries is added up whole, on every backend.
#[test]
fn long_axes_are_added_up_whole() {
    let adapter = deepvis::backend::adapters().into_iter().next();
    let gpu = adapter.map(|adapter| deepvis::backend::gpu(&adapter));
    for device in [Device::flex(), ndarray()].into_iter().chain(gpu) {
        let ones = Tensor::<2>::ones([2, 100_001], &device);
        let sums: Vec<f32> = sum_along(ones.clone(), 1).into_data().try_into_vec().unwrap();
        assert_eq!(sums, [100_001.0; 2]);
        let means: Vec<f32> = mean_along(ones, 1).into_data().try_into_vec().unwrap();
        assert_eq!(means, [1.0; 2]);
    }
}

/// A unit without a gradient ends at once, and the others go on.
#[test]
fn a_flat_unit_ends_alone() {
    let device = Device::flex();
    let folder = repository("models/demo");
    let import = deepvis_importer::import(&folder.join("deploy.prototxt"), &folder.join("weights.caffemodel")).unwrap();
    let network = Network::build(
        &import.graph,
        &import.weights,
        &["pool3"],
        InputSize::Declared,
        &device,
        MOST_ENTRIES,
    )
    .unwrap();
    let all = || -> Vec<Climb> {
        let entries = network.image().iter().product();
        let mean: Arc<[f64]> = vec![128.0; entries].into();
        (0..64)
            .map(|channel| {
                let recipe = Recipe {
                    start: Start::Mean,
                    seed: 0,
                    regularizers: Regularizers::default(),
                    optimizer: Optimizer::GradientAscent {
                        schedule: Schedule::Constant { lr: 1.0 },
                    },
                    steps: 3,
                    ..Recipe::of_unit("pool3", channel).at(3, 3)
                };
                Climb::new(recipe, mean.clone(), network.image(), network.shape(0)).unwrap()
            })
            .collect()
    };
    let (mut host, mut on_device) = (all(), all());
    climb(&network, &device, Precision::Float64, &mut host, &mut Count::default());
    climb(
        &network,
        &device,
        Precision::Float32,
        &mut on_device,
        &mut Count::default(),
    );
    let lengths = |climbs: &[Climb]| climbs.iter().map(|climb| climb.record().ii.len()).collect::<Vec<_>>();
    assert!(lengths(&host).contains(&1) && lengths(&host).contains(&3));
    assert_eq!(lengths(&on_device), lengths(&host));
    for (found, expected) in on_device.iter().zip(&host) {
        assert_eq!(found.record().ending, expected.record().ending);
    }
}

/// A result that no buffer can hold is an error that says so, not a panic and not a result of something else.
#[test]
fn what_does_not_fit_a_gpu_is_too_much() {
    let Some(adapter) = deepvis::backend::adapters().into_iter().next() else {
        crate::support::skip("no GPU and no program that stands in for one");
        return;
    };
    let device = deepvis::backend::gpu(&adapter);
    let entries = usize::try_from(adapter.largest_buffer / 4 + 1024).unwrap();
    let whole = Tensor::<2>::zeros([entries / 1024, 1], &device)
        .add_scalar(1.0)
        .repeat(&[1, 1024]);
    match floats(whole) {
        Err(Error::Device { message, too_much }) => assert!(too_much, "{message}"),
        Err(other) => panic!("{other}"),
        Ok(values) => panic!("{} values came back", values.len()),
    }
    let small = Tensor::<1>::zeros([4], &device).add_scalar(1.0);
    assert_eq!(floats(small), Ok(vec![1.0; 4]));
}
