//! Ascents of parameterized images on a GPU, or its stand-in, against the same on flex: octaves, crops, an alpha channel, and
//! images that are held to a picture.

use std::sync::Arc;

use burn::tensor::Device;
use deepvis::ascent::{Climb, FileUsed, Image, Precision, Preset, Recipe};

use crate::climbing::{Count, climb, without_weights};

/// How far figures may be off, of the largest of their kind: a GPU's exponentials are less exact.
const TOLERANCE: f64 = 2e-3;
/// As many as there are octaves.
const STEPS: usize = 4;
/// Channels, rows and columns of the network's input.
const INPUT: [usize; 3] = [3, 20, 28];
const GREY: f64 = 128.0;

/// Smooth, so that a last digit stays one; small, since a software GPU tunes its kernels for seconds.
const NET: &str = r#"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 20 dim: 28 } } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { pool: AVE kernel_size: 4 stride: 4 } }
layer { name: "square" type: "Power" bottom: "pool" top: "square" power_param { power: 2 scale: 0.01 shift: 0.3 } }
"#;

/// A recipe, and whether it begins with a picture.
fn recipes() -> Vec<(&'static str, Recipe, bool)> {
    let preset = |name: &str| {
        let preset = Preset::named(name).unwrap();
        Recipe::of_unit("square", 1).with_preset(preset).with_steps(STEPS)
    };
    let mut with_alpha = preset("fourier");
    let Image::Parameterized(spec) = &mut with_alpha.image else {
        panic!("fourier is a parameterized image");
    };
    spec.alpha = true;
    let sized = |name: &str| Recipe {
        size: Some([34, 40]),
        ..preset(name)
    };
    let accentuated = Recipe {
        start_from: Some(FileUsed {
            file: "made up".into(),
            sha256: String::new(),
        }),
        ..sized("accentuate")
    };
    assert!(accentuated.hold.is_some());
    vec![
        ("alpha", with_alpha, false),
        ("octaves", sized("deepdream"), true),
        ("crops", sized("maco"), false),
        ("hold", accentuated, true),
    ]
}

fn ascent(recipe: &Recipe, begins_with_picture: bool, device: &Device) -> Vec<Climb> {
    let network = without_weights(NET, "square", device);
    let mean: Arc<[f64]> = vec![GREY; INPUT.iter().product()].into();
    let [_, rows, columns] = recipe.picture(INPUT);
    let picture: Vec<f64> = (0..3 * rows * columns)
        .map(|place| f64::from(u32::try_from(place * 7 % 190).unwrap()) + 30.0 - GREY)
        .collect();
    let mut climbs: Vec<Climb> = [0, 5]
        .into_iter()
        .map(|seed| {
            let climb = Climb::new(recipe.clone().with_seed(seed), mean.clone(), INPUT, network.shape(0)).unwrap();
            climb
                .starting_from(begins_with_picture.then_some(picture.as_slice()))
                .unwrap()
        })
        .collect();
    let outcomes = climb(&network, device, Precision::Float32, &mut climbs, &mut Count::default());
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    climbs
}

#[track_caller]
fn near(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    assert!(largest > 0.0, "{what}: nothing is compared");
    for (found, expected) in found.iter().zip(expected) {
        let off = (found - expected).abs();
        assert!(off <= TOLERANCE * largest, "{what}: {found}, on flex {expected}");
    }
}

#[test]
fn modern_ascents_are_the_same_on_a_gpu() {
    let Some(device) = crate::features::gpu() else { return };
    let wide = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<_>>();
    for (name, recipe, begins_with_picture) in recipes() {
        let expected = ascent(&recipe, begins_with_picture, &Device::flex());
        let found = ascent(&recipe, begins_with_picture, &device);
        for (found, expected) in found.iter().zip(&expected) {
            let (seed, found, expected) = (found.recipe().seed, found.record(), expected.record());
            assert_eq!(found.ii.len(), STEPS, "{name}");
            let what = |figure: &str| format!("{name}, seed {seed}: {figure}");
            near(&what("objective"), &wide(&found.obj), &wide(&expected.obj));
            near(&what("gradient"), &wide(&found.grad_norm), &wide(&expected.grad_norm));
            near(&what("moved"), &found.dist, &expected.dist);
            let [last, last_on_flex] = [found, expected].map(|record| record.last.as_ref().unwrap());
            near(&what("image"), &last.xx, &last_on_flex.xx);
        }
        let [first, second] = [&expected[0], &expected[1]].map(|climb| &climb.record().obj);
        assert_ne!(first, second, "{name}: another seed is another ascent");
    }
}
