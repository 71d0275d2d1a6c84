//! Single iterations taken apart: the network's gradient against Caffe's, the update and the regularizers against NumPy's
//! and SciPy's.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use deepvis::ascent::{Climb, Flow, Optimizer, Precision, Progress, Recipe, Regularizers, Schedule, Start};
use deepvis::objective::{self, Neuron, Unit};

use crate::climbing::{Hear, climb, linear};
use crate::support::{json, model, npy32, npy64, relative_error, shared, value_and_gradient};

/// The regularizers in float64 must give what SciPy gave.
const STEP_TOLERANCE: f64 = 1e-9;
/// The gradient's tolerance, relative to its largest entry.
const GRADIENT_TOLERANCE: f64 = 1e-4;
/// Pixels whose gradient may differ because a max-pooling chose another one.
const FLIPPED_PIXELS: usize = 30;

pub fn recipe(p: &serde_json::Value, spatial: [usize; 2], schedule: Schedule) -> Recipe {
    let number = |key: &str| p[key].as_f64().unwrap();
    Recipe {
        objective: Neuron {
            unit: Unit {
                layer: p["push_layer"].as_str().unwrap().into(),
                channel: p["push_channel"].as_u64().unwrap() as usize,
                spatial,
            },
            direction: number("push_dir"),
            reach: deepvis::objective::Reach::Position,
        },
        image: deepvis::ascent::Image::GreyLevels,
        views: deepvis::transform::Views::None,
        formula: None,
        company: Vec::new(),
        size: None,
        start: match p["start_at"].as_str().unwrap() {
            "randu" => Start::Randu,
            "mean" => Start::Mean,
            _ => Start::MeanPlusRand,
        },
        seed: p["rand_seed"].as_u64().unwrap() as u32,
        optimizer: Optimizer::GradientAscent { schedule },
        regularizers: Regularizers {
            decay: number("decay"),
            blur_radius: number("blur_radius"),
            blur_every: p["blur_every"].as_u64().unwrap(),
            small_val_percentile: number("small_val_percentile"),
            small_norm_percentile: number("small_norm_percentile"),
            px_benefit_percentile: number("px_benefit_percentile"),
            px_abs_benefit_percentile: number("px_abs_benefit_percentile"),
        },
        steps: p["max_iter"].as_u64().unwrap() as usize,
        rate_changes: Vec::new(),
        files: Vec::new(),
        start_from: None,
        hold: None,
    }
}

fn rate(p: &serde_json::Value) -> Schedule {
    let key = |name: &str| p["lr_params"][name].as_f64().unwrap();
    match p["lr_policy"].as_str().unwrap() {
        "progress" => Schedule::Progress {
            max_lr: key("max_lr"),
            desired_prog: key("desired_prog"),
        },
        "constant" => Schedule::Constant { lr: key("lr") },
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
    let mut recipe = recipe(p, spatial, rate(p));
    let Some(model) = model(&name) else { return };
    let device = Device::flex();
    let network = model.network(&recipe.objective.unit.layer, &device);
    let before: Vec<f64> = npy64(&folder.join("x_before.npy")).into_iter().collect();
    let after: Vec<f64> = npy64(&folder.join("x_after.npy")).into_iter().collect();
    let gradient: Vec<f32> = npy32(&folder.join("gradient.npy")).into_iter().collect();

    // The network, given x_before.
    let extents = objective::extents(network.shape(0), &recipe.objective.unit.layer).unwrap();
    let index = recipe.objective.unit.place(extents).unwrap();
    let image: Vec<f32> = before.iter().map(|x| *x as f32).collect();
    let (values, _, found) = value_and_gradient(&network, image, index, &device);
    let largest = gradient.iter().fold(0.0f32, |largest, g| largest.max(g.abs()));
    // Not `>`: what is no number is near to nothing.
    let is_near = |a: f32, b: f32| f64::from((a - b).abs()) <= GRADIENT_TOLERANCE * f64::from(largest);
    let off = found.iter().zip(&gradient).filter(|(a, b)| !is_near(**a, **b));
    let off = off.count();
    assert!(
        off <= FLIPPED_PIXELS,
        "{name}: {off} entries of the gradient differ, {}",
        relative_error(&found, &gradient)
    );
    let row = &step["row"];
    let obj = row["obj"].as_f64().unwrap();
    assert!(
        (f64::from(values[index]) - obj).abs() <= 1e-4 * obj.abs().max(1.0),
        "{name}: {} {obj}",
        values[index]
    );
    let mut place = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[place] {
            place = i;
        }
    }
    let [_, rows, columns] = extents;
    let largest = [place / (rows * columns), place / columns % rows, place % columns];
    let largest: Vec<u64> = largest.iter().map(|i| *i as u64).collect();
    assert_eq!(serde_json::json!(largest), row["idxmax"], "{name}");

    // The update and the regularizers, given x_before and the reference's gradient: that of a linear network.
    let iteration = step["iteration"].as_u64().unwrap() as usize;
    let direction = recipe.objective.direction as f32;
    let weights: Vec<f32> = gradient.iter().map(|gradient| gradient / direction).collect();
    let network = linear(&weights, network.image(), 1, 3);
    recipe.objective.unit = Unit {
        layer: "sum".into(),
        channel: 1,
        spatial: [0, 0],
    };
    let mut climbs = [Climb::new(recipe, Arc::from(model.mean()), network.image(), network.shape(0)).unwrap()];
    let mut state = climbs[0].state().clone();
    state.x.clone_from(&before);
    state.iteration = iteration;
    let record = &mut state.record;
    record.ii = (0..iteration).collect();
    record.obj = vec![0.0; iteration];
    record.idxmax = vec![[0; 3]; iteration];
    record.ismax = vec![false; iteration];
    record.norm = vec![0.0; iteration];
    record.dist = vec![0.0; iteration];
    record.std = vec![0.0; iteration];
    record.grad_norm = vec![0.0; iteration];
    record.lr = vec![0.0; iteration];
    if iteration > 0 {
        let snapshot = Some(deepvis::ascent::Snapshot {
            ii: 0,
            obj: 0.0,
            xx: before.clone(),
        });
        record.best.clone_from(&snapshot);
        record.last = snapshot;
    }
    climbs[0].restore(state).unwrap();
    let outcome = climb(
        &network,
        &device,
        Precision::Float64,
        &mut climbs,
        &mut Hear(|_: &Progress<'_>| Flow::Stop),
    );
    assert_eq!(outcome, [Ok(())]);
    let record = climbs[0].record();
    assert_eq!(
        f64::from(record.grad_norm[iteration]),
        row["grad_norm"].as_f64().unwrap(),
        "{name}"
    );
    let lr = row["lr"].as_f64().unwrap();
    assert!(
        (record.lr[iteration] - lr).abs() <= 1e-12 * lr,
        "{name}: {} {lr}",
        record.lr[iteration]
    );
    for key in ["norm", "dist", "std"] {
        let expected = row[key].as_f64().unwrap();
        let found = match key {
            "norm" => record.norm[iteration],
            "dist" => record.dist[iteration],
            _ => record.std[iteration],
        };
        let tolerance = if expected < 1e-6 { 1e-3 } else { 1e-11 };
        assert!(
            (found - expected).abs() <= tolerance * expected,
            "{name} {key}: {found} {expected}"
        );
    }
    assert_eq!(climbs[0].state().x.len(), after.len(), "{name}");
    for (i, (found, expected)) in climbs[0].state().x.iter().zip(&after).enumerate() {
        assert!(
            (found - expected).abs() <= STEP_TOLERANCE,
            "{name}: x_after is {found} at {i}, not {expected}"
        );
    }
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
