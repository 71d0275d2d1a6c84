//! Units of transformers and of networks with channels last, as they climb, against PyTorch: the value at a grey image and after
//! one step (tests/fixtures/onnx/make.py).

use std::path::{Path, PathBuf};

use deepvis::ascent::{Optimizer, Precision, Recipe, Schedule, Start};
use deepvis::backend::Compute;
use deepvis::model::{Scheme, Source};
use deepvis::objective::Reach;
use serde_json::Value;

use crate::climbing::Count;
use crate::program::{deepvis, refused, said, words, worked};
use crate::support::{json, repository};

/// PyTorch computed in float64, the network is in float32.
const TOLERANCE: f64 = 2e-5;

fn net(name: &str) -> PathBuf {
    repository("tests/fixtures/onnx").join(format!("{name}.onnx"))
}

/// The units of a fixture, and the rate of the step.
fn units(name: &str) -> (Vec<Value>, f64) {
    let judged = json(&net(name).with_extension("json"));
    (
        judged["units"].as_array().unwrap().clone(),
        judged["rate"].as_f64().unwrap(),
    )
}

/// Values of all iterations of the last run.
fn curve(folder: &Path) -> Vec<f64> {
    let runs = std::fs::read_to_string(folder.join("r/runs.jsonl")).unwrap();
    let last: Value = serde_json::from_str(runs.lines().last().unwrap()).unwrap();
    let curve = last["curve_obj"].as_array().unwrap();
    curve.iter().map(|value| value.as_f64().unwrap()).collect()
}

#[track_caller]
fn near(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs() / expected.abs().max(1.0);
        assert!(error < TOLERANCE, "{what}: {found}, PyTorch has {expected}");
    }
}

const FIXTURES: [&str; 5] = ["tokens_dynamo", "tokens_script", "tokens_alone", "turned", "flat"];

#[test]
fn single_places_climb_as_pytorch_says() {
    let folder = tempfile::tempdir().unwrap();
    for name in FIXTURES {
        let (units, rate) = units(name);
        for unit in units.iter().filter(|unit| unit["place"] != "mean") {
            let (layer, place) = (unit["layer"].as_str().unwrap(), unit["place"].as_str().unwrap());
            let path = net(name);
            let (channel, rate) = (unit["channel"].to_string(), format!("{{'lr': {rate}}}"));
            let mut line =
                words("optimize --backend flex --preprocess keras-tf --start-at mean --max-iter 2 --brave --skipbig");
            line.extend(["--output-prefix", "r/x", "--lr-params", &rate, "--push-layer", layer]);
            line.extend(["--push-channel", &channel, "--push-spatial", place]);
            line.extend(["--net-weights", path.to_str().unwrap()]);
            worked(&deepvis(folder.path(), &line));
            let expected = [unit["value"].as_f64().unwrap(), unit["step"].as_f64().unwrap()];
            near(&curve(folder.path()), &expected, &format!("{name} {layer} {place}"));
        }
    }
}

/// The same by their means over all places, through the library, alone and three at a time.
#[test]
fn means_over_all_places_climb_as_pytorch_says() {
    let compute = Compute::cpu();
    for name in FIXTURES {
        let (units, rate) = units(name);
        for unit in units.iter().filter(|unit| unit["place"] == "mean") {
            let mut source = Source::onnx(net(name));
            source.preprocessing = Scheme::KerasTf.parts().preprocessing();
            source.assumes_preprocessing = false;
            let model = source.load().unwrap();
            let channel = usize::try_from(unit["channel"].as_u64().unwrap()).unwrap();
            let recipe = |channel: usize| {
                let mut recipe = Recipe::of_unit(unit["layer"].as_str().unwrap(), channel).with_steps(2);
                recipe.objective.reach = Reach::Channel;
                recipe.start = Start::Mean;
                recipe.optimizer = Optimizer::GradientAscent {
                    schedule: Schedule::Constant { lr: rate },
                };
                recipe
            };
            let expected = [unit["value"].as_f64().unwrap(), unit["step"].as_f64().unwrap()];
            for channels in [vec![channel], vec![0, channel, 0]] {
                let recipes: Vec<Recipe> = channels.iter().map(|channel| recipe(*channel)).collect();
                let climbs = deepvis::session::climb(
                    &model,
                    &compute,
                    Precision::Float32,
                    &recipes,
                    None,
                    &mut Count::default(),
                )
                .unwrap();
                let place = channels.iter().position(|of| *of == channel).unwrap();
                let record = climbs[place].as_ref().unwrap().record();
                let found: Vec<f64> = record.obj.iter().map(|value| f64::from(*value)).collect();
                near(
                    &found,
                    &expected,
                    &format!("{name} {} of {}", unit["layer"], channels.len()),
                );
            }
        }
    }
}

/// Objectives see the same: from an image of equal grey, without random changes.
#[test]
fn objectives_see_features_and_tokens() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["tokens_dynamo", "turned"] {
        for unit in units(name).0 {
            let (layer, place) = (unit["layer"].as_str().unwrap(), unit["place"].as_str().unwrap());
            let channel = &unit["channel"];
            let numbers: Vec<&str> = place.trim_matches(['(', ')']).split(',').collect();
            let objective = match numbers.as_slice() {
                ["mean" | "None"] => format!("channel({layer}, {channel})"),
                [token] => format!("neuron({layer}, {channel}, token={token})"),
                places => format!("neuron({layer}, {channel}, row={}, column={})", places[0], places[1]),
            };
            let path = net(name);
            let mut line =
                words("optimize --backend flex --preprocess keras-tf --preset fourier --parameterization pixels");
            line.extend(words(
                "--colour none --deviation 1e-12 --transforms none --max-iter 1 --brave --output-prefix r/x",
            ));
            line.extend(["--objective", &objective, path.to_str().unwrap()]);
            worked(&deepvis(folder.path(), &line));
            near(&curve(folder.path()), &[unit["value"].as_f64().unwrap()], &objective);
        }
    }
}

/// A file that was imported knows the same of its axes.
#[test]
fn imported_files_know_their_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = net("tokens_script");
    worked(&deepvis(
        folder.path(),
        &["import", path.to_str().unwrap(), "-o", "net.bpk"],
    ));
    let (units, _) = units("tokens_script");
    let unit = units.iter().find(|unit| unit["place"] == "cls").unwrap();
    let line = format!(
        "optimize net.bpk --backend flex --preprocess keras-tf --start-at mean --max-iter 1 --push-layer {} --push-channel {} \
         --push-spatial cls --output-prefix r/x",
        unit["layer"].as_str().unwrap(),
        unit["channel"]
    );
    worked(&deepvis(folder.path(), &words(&line)));
    near(&curve(folder.path()), &[unit["value"].as_f64().unwrap()], "net.bpk");
}

#[test]
fn what_is_pushed_unless_asked_is_said_and_what_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, more: &str| {
        let path = net(name);
        let line =
            format!("optimize --backend flex --preprocess keras-tf --max-iter 2 --brave --output-prefix r/x {more}");
        let mut line = words(&line);
        line.extend(["--net-weights", path.to_str().unwrap()]);
        deepvis(folder.path(), &line)
    };
    let layer = "--push-layer blocks.1 --push-channel 0";
    let told = said(&run("tokens_dynamo", layer));
    assert!(
        told.contains("\"blocks.1\" has 5 tokens, and the class token is pushed"),
        "{told}"
    );
    let told = said(&run("tokens_alone", layer));
    assert!(
        told.contains("\"blocks.1\" has 4 tokens, and the first is pushed"),
        "{told}"
    );
    let told = said(&run("tokens_dynamo", &format!("{layer} --preset fourier")));
    assert!(
        told.contains("the mean over all of them is pushed; --push-spatial cls"),
        "{told}"
    );
    let told = said(&run(
        "tokens_dynamo",
        &format!("{layer} --preset fourier --push-spatial mean"),
    ));
    assert!(!told.contains("has 5 tokens"), "{told}");
    refused(
        &run("tokens_alone", &format!("{layer} --push-spatial cls")),
        &["have no class token among them"],
    );
    refused(
        &run("tokens_dynamo", &format!("{layer} --push-spatial 5")),
        &["5 tokens (from 0 to 4)"],
    );
    refused(
        &run("tokens_dynamo", &format!("{layer} --push-spatial mean")),
        &["--preset", "fourier"],
    );
    refused(
        &run("turned", "--push-layer wide --push-channel 0 --push-spatial cls"),
        &["\"wide\" has no tokens, but 8 x 8 places"],
    );
    refused(
        &run("turned", "--push-layer wide --push-channel 7"),
        &["7 channels (from 0 to 6)"],
    );
    refused(
        &run("tokens_dynamo", &format!("{layer} --push-spatial second")),
        &["--push-spatial", "cls"],
    );
}
