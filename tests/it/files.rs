//! The files of an optimization, against those of the original.

use std::process::Command;
use std::sync::Arc;

use deepvis::ascent::{Climb, Ending, Optimizer, Precision, Recipe, Record, Regularizers, Schedule, Snapshot, Start};
use deepvis::model::Preprocessing;
use deepvis::objective::Unit;
use deepvis::output::images::{around_zero, picture, plus_mean};
use deepvis::output::original::{FindParams, Number, Spelling, pickle, text};
use deepvis::output::{Extras, Provenance, ResultFiles, write_results};
use deepvis::python::{Value, literal};

use crate::support::{npy64, repository, shared};

/// The recipe of the reference's `info.txt`, and its numbers as they were given.
fn reference_params() -> (Recipe, Spelling) {
    let recipe = Recipe {
        start: Start::MeanPlusRand,
        seed: 0,
        regularizers: Regularizers {
            decay: 0.0001,
            blur_radius: 1.0,
            blur_every: 4,
            ..Regularizers::default()
        },
        optimizer: Optimizer::GradientAscent {
            schedule: Schedule::Constant { lr: 100.0 },
        },
        steps: 50,
        ..Recipe::of_unit("conv10", 130).at(7, 7)
    };
    let spelling = Spelling {
        push_dir: Number::Int(1),
        lr_params: literal::parse("{'lr': 100.0}").unwrap(),
        ..Spelling::plain(&recipe)
    };
    (recipe, spelling)
}

/// A few iterations of made-up figures: results that are small and known.
fn short_results(iterations: usize) -> (Recipe, Spelling, Record) {
    let (mut recipe, spelling) = reference_params();
    recipe.steps = iterations;
    recipe.objective.unit = Unit {
        layer: "fc8".into(),
        channel: 1,
        spatial: [0, 0],
    };
    let mean = Arc::from(vec![100.0; 3 * 5 * 6]);
    let climb = Climb::new(recipe.clone(), mean, [3, 5, 6], &[1, 3]).unwrap();
    let mut record = climb.into_record();
    let snapshot = |ii: usize| {
        Some(Snapshot {
            ii,
            obj: 0.5 + ii as f32,
            xx: record.x0.iter().map(|x| x + ii as f64).collect(),
        })
    };
    let (first, last) = (snapshot(1), snapshot(iterations - 1));
    for ii in 0..iterations {
        record.ii.push(ii);
        record.obj.push(0.5 + ii as f32);
        record.idxmax.push(if ii == 0 { [2, 0, 0] } else { [1, 0, 0] });
        record.ismax.push(ii > 0);
        record.norm.push(100.0 + ii as f64 / 3.0);
        record.dist.push(ii as f64);
        record.std.push(10.0);
        record.grad_norm.push(0.1);
        record.lr.push(100.0);
    }
    record.best.clone_from(&last);
    record.last = last;
    record.majority = first.filter(|_| iterations > 1);
    record.ending = Some(if iterations > 1 {
        Ending::MajoritySuccess
    } else {
        Ending::MajorityFailure
    });
    (recipe, spelling, record)
}

/// Where these results come from.
fn provenance(recipe: &Recipe, record: &Record) -> Provenance {
    Provenance {
        run_key: "0".into(),
        is_complete: true,
        is_flat: false,
        iterations: record.ii.len(),
        network: "made up".into(),
        preprocessing: Preprocessing::default(),
        recipe: recipe.clone(),
        precision: Precision::Float64,
        backend: "none".into(),
        version: "0".into(),
    }
}

#[test]
fn pictures_are_those_of_the_original() {
    let Some(folder) = shared("caffe-reference/images") else {
        return;
    };
    let best: Vec<f64> = npy64(&folder.join("best_xx.npy")).into_iter().collect();
    let mean: Vec<f64> = [104.0, 117.0, 123.0]
        .into_iter()
        .flat_map(|m| std::iter::repeat_n(m, 227 * 227))
        .collect();
    for (name, values) in [
        ("best_X_u8.npy", around_zero(&best)),
        ("best_Xpm_u8.npy", plus_mean(&best, &mean)),
    ] {
        let expected: ndarray::ArrayD<u8> = ndarray_npy::read_npy(folder.join(name)).unwrap();
        let found = picture(&values, [3, 227, 227], [2, 1, 0]);
        assert_eq!((found.height, found.width, found.channels), (227, 227, 3));
        let off = found.pixels.iter().zip(expected.iter()).filter(|(a, b)| a != b).count();
        assert_eq!(off, 0, "{name}: {off} bytes differ");
    }
}

/// The parameters' half of the reference's `info.txt` to the letter; of the results, whose numbers are another run's, the
/// names and their columns.
#[test]
fn info_txt_is_that_of_the_original() {
    let Some(folder) = shared("caffe-reference/images") else {
        return;
    };
    let expected = std::fs::read_to_string(folder.join("info.txt")).unwrap();
    let (_, _, record) = short_results(6);
    let (recipe, spelling) = reference_params();
    let params = FindParams {
        recipe: &recipe,
        spelling: &spelling,
    };
    let found = text::info(params, &record);
    let half = expected.find("FindResults").unwrap();
    assert_eq!(found[..found.find("FindResults").unwrap()], expected[..half]);
    let names = |text: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, _)| name.to_owned())
            .collect()
    };
    assert_eq!(names(&found), names(&expected));
    assert_eq!(found.lines().count(), expected.lines().count());
    assert!(found.ends_with("]\n\n"));
}

/// Values of the specification's own listing, spelled as there.
#[test]
fn values_are_spelled_as_in_the_specification() {
    let list = |values: &[f64]| Value::List(values.iter().map(|v| Value::Float(*v)).collect()).shown();
    assert_eq!(
        list(&[
            1.991636438712e-12,
            3413.050523661,
            1.0,
            2.0,
            3956.887233029,
            3957.788923991
        ]),
        "[1.99163643871e-12, 3413.05052366, ..., 3956.88723303, 3957.78892399]"
    );
    let obj = [-1.305431f32, -0.756_828_1, 0.0, 63.580_47, 68.182_83]
        .map(Value::Float32)
        .to_vec();
    assert_eq!(Value::List(obj).shown(), "[-1.30543, -0.756828, ..., 63.5805, 68.1828]");
    let x0 = Value::Array(vec![17.640_523_459_7, 4.001_572_083_67, 0.0], vec![3, 227, 227]);
    assert_eq!(x0.shown(), "(3, 227, 227) array [17.6405234597, 4.00157208367, ...]");
    let idxmax = Value::List(vec![
        Value::Tuple(vec![Value::Int(330), Value::Int(0), Value::Int(0)]);
        5
    ]);
    assert_eq!(
        idxmax.shown(),
        "[(330, 0, 0), (330, 0, 0), ..., (330, 0, 0), (330, 0, 0)]"
    );
}

pub fn python(code: &str, folder: &std::path::Path) -> Option<String> {
    let run = |code: &str| {
        Command::new("python3")
            .args(["-W", "error", "-c", code])
            .current_dir(folder)
            .env("PYTHONPATH", repository("python"))
            .output()
    };
    match run("import numpy") {
        Ok(output) if output.status.success() => {}
        _ => {
            crate::support::skip("there is no python3 with NumPy here");
            return None;
        }
    }
    let output = run(code).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A spectrum has other numbers than pixels.
#[test]
fn the_start_of_a_parameterized_image_loads_in_python() {
    let folder = tempfile::tempdir().unwrap();
    let (recipe, spelling, mut record) = short_results(6);
    record.x0 = (0..7).map(f64::from).collect();
    let params = FindParams {
        recipe: &recipe,
        spelling: &spelling,
    };
    let bytes = pickle::info(params, &record, pickle::Arrays::Whole, pickle::Protocol::Three).unwrap();
    std::fs::write(folder.path().join("big.pkl"), bytes).unwrap();
    let code = "
import pickle, numpy as np
with open('big.pkl', 'rb') as f:
    params, results = pickle.load(f)
assert results.x0.tolist() == [0, 1, 2, 3, 4, 5, 6] and results.last_xx.shape == (3, 5, 6)
print(results)
";
    if let Some(printed) = python(code, folder.path()) {
        assert!(text::info(params, &record).ends_with(&printed), "{printed}");
    }
}

#[test]
fn pickles_load_in_python() {
    let folder = tempfile::tempdir().unwrap();
    let (recipe, spelling, record) = short_results(6);
    let params = FindParams {
        recipe: &recipe,
        spelling: &spelling,
    };
    for (name, arrays) in [
        ("big.pkl", pickle::Arrays::Whole),
        ("small.pkl", pickle::Arrays::Trimmed),
    ] {
        std::fs::write(
            folder.path().join(name),
            pickle::info(params, &record, arrays, pickle::Protocol::Three).unwrap(),
        )
        .unwrap();
    }
    let code = "
import pickle, numpy as np
with open('big.pkl', 'rb') as f:
    params, results = pickle.load(f)
assert type(params).__name__ == 'FindParams' and type(results).__module__ == 'optimize.gradient_optimizer'
assert results.x0.shape == results.last_xx.shape == (3, 5, 6) and results.x0.dtype == np.float64
results.x0[0, 0, 0] += 1
assert results.best_obj == max(results.obj) == np.float32(5.5) and type(results.best_obj) is np.float32
assert results.ii == list(range(6)) and results.ismax == [False] + [True] * 5
assert results.idxmax[0] == (2, 0, 0) and results.majority_ii == 1
assert params.lr_params == {'lr': 100.0} and params.push_unit == (1, 0, 0) and params.push_spatial == (0, 0)
assert isinstance(results.norm[0], float) and results.meta_result == 'Metaresult: majority success'
results.x0[0, 0, 0] -= 1
with open('small.pkl', 'rb') as f:
    params, small = pickle.load(f)
assert small.x0.startswith('Trimmed (3, 5, 6) array ['), small.x0
print(params); print(); print(results)
";
    let Some(printed) = python(code, folder.path()) else {
        return;
    };
    assert_eq!(printed, text::info(params, &record));
}

#[test]
fn without_majority_the_pickle_says_none() {
    let folder = tempfile::tempdir().unwrap();
    let (recipe, spelling, record) = short_results(1);
    let params = FindParams {
        recipe: &recipe,
        spelling: &spelling,
    };
    assert!(record.majority.is_none());
    std::fs::write(
        folder.path().join("a.pkl"),
        pickle::info(params, &record, pickle::Arrays::Whole, pickle::Protocol::Three).unwrap(),
    )
    .unwrap();
    let code = "
import pickle
params, results = pickle.load(open('a.pkl', 'rb'))
assert results.majority_ii is None and results.meta_result == 'Metaresult: majority failure'
";
    python(
        &code.replace(
            "pickle.load(open('a.pkl', 'rb'))",
            "pickle.loads(__import__('pathlib').Path('a.pkl').read_bytes())",
        ),
        folder.path(),
    );
}

#[test]
fn results_are_never_overwritten_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("sub/opt").to_string_lossy().into_owned();
    let (recipe, spelling, record) = short_results(6);
    let params = FindParams {
        recipe: &recipe,
        spelling: &spelling,
    };
    let template = "%(p.push_layer)s_%(p.push_channel)04d_%(r.best_ii)d";
    let files = ResultFiles::new(&prefix, template, params, Some(&record)).unwrap();
    assert!(files.path("info.txt").ends_with("sub/opt_fc8_0001_5_info.txt"));
    let mut extras = Extras {
        mean: &[100.0; 90],
        swap: [2, 1, 0],
        skip_big: true,
        protocol: deepvis::output::original::pickle::Protocol::Three,
        is_deep: false,
        npz: None,
        brave: false,
    };
    write_results(&files, params, &record, &extras, &provenance(&recipe, &record), || {
        Ok(())
    })
    .unwrap();
    let mut names: Vec<_> = std::fs::read_dir(folder.path().join("sub"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["best_X.jpg", "best_Xpm.jpg", "info.json", "info.pkl", "info.txt"].map(|n| format!("opt_fc8_0001_5_{n}"))
    );
    let error = write_results(&files, params, &record, &extras, &provenance(&recipe, &record), || {
        Ok(())
    })
    .unwrap_err()
    .to_string();
    assert!(error.contains("exists already"), "{error}");
    extras.brave = true;
    write_results(&files, params, &record, &extras, &provenance(&recipe, &record), || {
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_layer_name_does_not_lead_out_of_the_folder() {
    let (mut recipe, spelling, record) = short_results(1);
    recipe.objective.unit.layer = "../../loss3/classifier".into();
    let params = FindParams {
        recipe: &recipe,
        spelling: &spelling,
    };
    let files = ResultFiles::new("results/opt", "%(p.push_layer)s", params, Some(&record)).unwrap();
    assert_eq!(
        files.path("info.txt"),
        std::path::Path::new("results/opt__/_/loss3/classifier_info.txt")
    );
}
