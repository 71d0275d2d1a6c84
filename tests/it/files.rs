//! The files of an optimization, against those of the original.

use std::process::Command;
use std::sync::Arc;

use deepvis::optimizer::{Climb, LearningRate, Number, Params, Regularizers, Results, StartAt, Unit};
use deepvis::output::images::{around_zero, picture, plus_mean};
use deepvis::output::{Extras, ResultFiles, pickle, text, write_results};
use deepvis::python::{Value, literal};

use crate::support::{npy64, repository, shared};

/// The parameters of the reference's `info.txt`.
fn reference_params() -> Params {
    Params {
        unit: Unit {
            layer: "conv10".into(),
            channel: 130,
            spatial: [7, 7],
        },
        push_dir: Number::Int(1),
        start_at: StartAt::MeanPlusRand,
        rand_seed: 0,
        regularizers: Regularizers {
            decay: Number::Float(0.0001),
            blur_radius: Number::Float(1.0),
            blur_every: 4,
            ..Regularizers::default()
        },
        rate: LearningRate::Constant { lr: 100.0 },
        lr_params: literal::parse("{'lr': 100.0}").unwrap(),
        max_iter: 50,
    }
}

/// Two iterations of a climb on a made-up gradient: results that are small and known.
fn short_results(iterations: usize) -> (Params, Results) {
    let params = Params {
        max_iter: iterations,
        unit: Unit {
            layer: "fc8".into(),
            channel: 1,
            spatial: [0, 0],
        },
        ..reference_params()
    };
    let mut climb = Climb::new(params.clone(), Arc::from(vec![100.0; 3 * 5 * 6]), [3, 5, 6], &[1, 3]).unwrap();
    for i in 0..iterations {
        climb.write_image(&mut Vec::new());
        climb.advance(&[0.25, 0.5 + i as f32, 0.75], &[0.01; 90]).unwrap();
    }
    (params, climb.into_results())
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
    let (_, results) = short_results(6);
    let found = text::info(&reference_params(), &results);
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

fn python(code: &str, folder: &std::path::Path) -> Option<String> {
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
            eprintln!("SKIPPED: there is no python3 with NumPy here, so this test checks nothing");
            return None;
        }
    }
    let output = run(code).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn pickles_load_in_python() {
    let folder = tempfile::tempdir().unwrap();
    let (params, results) = short_results(6);
    for (name, arrays) in [
        ("big.pkl", pickle::Arrays::Whole),
        ("small.pkl", pickle::Arrays::Trimmed),
    ] {
        std::fs::write(
            folder.path().join(name),
            pickle::info(&params, &results, arrays).unwrap(),
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
    assert_eq!(printed, text::info(&params, &results));
}

#[test]
fn without_majority_the_pickle_says_none() {
    let folder = tempfile::tempdir().unwrap();
    let (params, results) = short_results(1);
    assert!(results.majority.is_none());
    std::fs::write(
        folder.path().join("a.pkl"),
        pickle::info(&params, &results, pickle::Arrays::Whole).unwrap(),
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
    let (params, results) = short_results(6);
    let template = "%(p.push_layer)s_%(p.push_channel)04d_%(r.best_ii)d";
    let files = ResultFiles::new(&prefix, template, &params, Some(&results)).unwrap();
    assert!(files.path("info.txt").ends_with("sub/opt_fc8_0001_5_info.txt"));
    let mut extras = Extras {
        mean: &[100.0; 90],
        swap: [2, 1, 0],
        skip_big: true,
        brave: false,
    };
    write_results(&files, &params, &results, &extras, || Ok(())).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(folder.path().join("sub"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["best_X.jpg", "best_Xpm.jpg", "info.pkl", "info.txt"].map(|n| format!("opt_fc8_0001_5_{n}"))
    );
    let error = write_results(&files, &params, &results, &extras, || Ok(()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("exists already") && error.contains("--brave"), "{error}");
    extras.brave = true;
    write_results(&files, &params, &results, &extras, || Ok(())).unwrap();
}

#[test]
fn a_layer_name_does_not_lead_out_of_the_folder() {
    let (mut params, results) = short_results(1);
    params.unit.layer = "../../loss3/classifier".into();
    let files = ResultFiles::new("results/opt", "%(p.push_layer)s", &params, Some(&results)).unwrap();
    assert_eq!(
        files.path("info.txt"),
        std::path::Path::new("results/opt__/_/loss3/classifier_info.txt")
    );
}
