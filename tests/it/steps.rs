//! Single iterations taken apart: the network's gradient against Caffe's, the update and the regularizers against NumPy's
//! and SciPy's.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use deepvis::optimizer::{Climb, LearningRate, Number, Params, Regularizers, StartAt, Unit, objective};
use deepvis::python::Value;

use crate::support::{json, model, npy32, npy64, relative_error, shared, value_and_gradient};

/// The regularizers in float64 must give what SciPy gave.
const STEP_TOLERANCE: f64 = 1e-9;
/// The gradient's tolerance, relative to its largest entry.
const GRADIENT_TOLERANCE: f64 = 1e-4;
/// Pixels whose gradient may differ because a max-pooling chose another one.
const FLIPPED_PIXELS: usize = 30;

pub fn number(value: &serde_json::Value) -> Number {
    match value.as_i64() {
        Some(value) => Number::Int(value),
        None => Number::Float(value.as_f64().unwrap()),
    }
}

pub fn params(p: &serde_json::Value, spatial: [usize; 2], rate: LearningRate) -> Params {
    Params {
        unit: Unit {
            layer: p["push_layer"].as_str().unwrap().into(),
            channel: p["push_channel"].as_u64().unwrap() as usize,
            spatial,
        },
        push_dir: number(&p["push_dir"]),
        start_at: match p["start_at"].as_str().unwrap() {
            "randu" => StartAt::Randu,
            "mean" => StartAt::Mean,
            _ => StartAt::MeanPlusRand,
        },
        rand_seed: p["rand_seed"].as_u64().unwrap() as u32,
        regularizers: Regularizers {
            decay: number(&p["decay"]),
            blur_radius: number(&p["blur_radius"]),
            blur_every: p["blur_every"].as_i64().unwrap(),
            small_val_percentile: number(&p["small_val_percentile"]),
            small_norm_percentile: number(&p["small_norm_percentile"]),
            px_benefit_percentile: number(&p["px_benefit_percentile"]),
            px_abs_benefit_percentile: number(&p["px_abs_benefit_percentile"]),
        },
        rate,
        lr_params: Value::None,
        max_iter: p["max_iter"].as_u64().unwrap() as usize,
    }
}

fn rate(p: &serde_json::Value) -> LearningRate {
    let key = |name: &str| p["lr_params"][name].as_f64().unwrap();
    match p["lr_policy"].as_str().unwrap() {
        "progress" => LearningRate::Progress {
            max_lr: key("max_lr"),
            desired_prog: key("desired_prog"),
        },
        "constant" => LearningRate::Constant { lr: key("lr") },
        other => panic!("{other}"),
    }
}

fn check(folder: &Path) {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let step = json(&folder.join("step.json"));
    let p = &step["params"];
    let spatial = p["push_spatial"].as_array().unwrap();
    let spatial = [
        spatial[0].as_u64().unwrap() as usize,
        spatial[1].as_u64().unwrap() as usize,
    ];
    let params = params(p, spatial, rate(p));
    let Some(model) = model(&name) else { return };
    let device = Device::flex();
    let network = model.network(&params.unit.layer, &device);
    let before: Vec<f64> = npy64(&folder.join("x_before.npy")).into_iter().collect();
    let after: Vec<f64> = npy64(&folder.join("x_after.npy")).into_iter().collect();
    let gradient: Vec<f32> = npy32(&folder.join("gradient.npy")).into_iter().collect();

    // The network, given x_before.
    let extents = objective::extents(network.shape(0), &params.unit.layer).unwrap();
    let index = objective::index(&params.unit, extents).unwrap();
    let image: Vec<f32> = before.iter().map(|x| *x as f32).collect();
    let (values, _, found) = value_and_gradient(&network, image, index, &device);
    let largest = gradient.iter().fold(0.0f32, |largest, g| largest.max(g.abs()));
    let off = found
        .iter()
        .zip(&gradient)
        .filter(|(a, b)| f64::from((*a - *b).abs()) > GRADIENT_TOLERANCE * f64::from(largest));
    let off = off.count();
    assert!(
        off <= FLIPPED_PIXELS,
        "{name}: {off} entries of the gradient differ, {}",
        relative_error(&found, &gradient)
    );
    let reading = objective::read(&values, index, extents);
    let row = &step["row"];
    let obj = row["obj"].as_f64().unwrap();
    assert!(
        (f64::from(reading.objective) - obj).abs() <= 1e-4 * obj.abs().max(1.0),
        "{name}: {} {obj}",
        reading.objective
    );
    let largest: Vec<u64> = reading.largest.iter().map(|i| *i as u64).collect();
    assert_eq!(serde_json::json!(largest), row["idxmax"], "{name}");

    // The update and the regularizers, given x_before and the reference's gradient.
    let mut climb = Climb::new(params, Arc::from(model.mean()), network.image(), network.shape(0)).unwrap();
    climb.set_x(&before, step["iteration"].as_u64().unwrap() as usize);
    let mut values = vec![0.0f32; extents.iter().product()];
    values[index] = obj as f32;
    climb.advance(&values, &gradient).unwrap();
    let results = climb.results();
    assert_eq!(
        f64::from(results.grad_norm[0]),
        row["grad_norm"].as_f64().unwrap(),
        "{name}"
    );
    let lr = row["lr"].as_f64().unwrap();
    assert!(
        (results.lr[0] - lr).abs() <= 1e-12 * lr,
        "{name}: {} {lr}",
        results.lr[0]
    );
    for key in ["norm", "dist", "std"] {
        let expected = row[key].as_f64().unwrap();
        let found = match key {
            "norm" => results.norm[0],
            "dist" => results.dist[0],
            _ => results.std[0],
        };
        let tolerance = if expected < 1e-6 { 1e-3 } else { 1e-11 };
        assert!(
            (found - expected).abs() <= tolerance * expected,
            "{name} {key}: {found} {expected}"
        );
    }
    let worst = climb
        .x()
        .iter()
        .zip(&after)
        .fold(0.0f64, |worst, (a, b)| worst.max((a - b).abs()));
    assert!(worst <= STEP_TOLERANCE, "{name}: x_after is off by {worst:e}");
}

#[test]
fn steps_are_reproduced() {
    let Some(steps) = shared("caffe-reference/steps") else {
        return;
    };
    let mut checked = 0;
    for entry in std::fs::read_dir(steps).unwrap() {
        check(&entry.unwrap().path());
        checked += 1;
    }
    assert_eq!(checked, 7);
}
