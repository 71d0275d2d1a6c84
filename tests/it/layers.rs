//! Every layer case, as real Caffe computed it: output and input gradient.

use burn::tensor::Device;
use deepvis::network::{InputSize, Network};
use deepvis_importer::Import;

use crate::support::{self, MOST_ENTRIES, json, npy32, relative_error, repository, value_and_gradient};

/// "About 1e-5 relative to the largest entry, 1e-4 for the long chains" is what Caffe's own float32 allows.
const TOLERANCE: f64 = 1e-5;
const LONG_CHAIN_TOLERANCE: f64 = 1e-4;
const LONG_CHAINS: &[&str] = &[
    "v1_alexnet_style",
    "batchnorm_inplace",
    "mvn",
    "mvn_across",
    "lrn_across",
    "lrn_within",
];

/// A GPU sums up in another order, and its exp, log and powers are less exact.
const WGPU_FACTOR: f64 = 10.0;

/// The cases there are.
const CASES: usize = 63;

/// Errors of a case computed from its Caffe files: of its output and of its gradient.
fn check(name: &str, device: &Device) -> Result<(f64, f64), String> {
    let folder = repository("tests/fixtures/layers").join(name);
    let import = deepvis_importer::import(&folder.join("deploy.prototxt"), &folder.join("weights.caffemodel"));
    check_import(name, &import.map_err(|e| e.to_string())?, device)
}

/// Errors of a case as it was read: of its output and of its gradient.
fn check_import(name: &str, import: &Import, device: &Device) -> Result<(f64, f64), String> {
    let folder = repository("tests/fixtures/layers").join(name);
    let case = json(&folder.join("case.json"));
    let target = case["target"].as_str().unwrap();
    let network = Network::build(
        &import.graph,
        &import.weights,
        &[target],
        InputSize::Declared,
        device,
        MOST_ENTRIES,
    )
    .map_err(|e| e.to_string())?;
    let expected = npy32(&folder.join("output.npy"));
    let unit: Vec<usize> = case["unit"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i.as_u64().unwrap() as usize)
        .collect();
    let extents = &expected.shape()[expected.ndim() - unit.len()..];
    let index = unit
        .iter()
        .zip(extents)
        .fold(0, |place, (index, extent)| place * extent + index);
    let image = npy32(&folder.join("input.npy")).into_iter().collect();
    let (values, shape, gradient) = value_and_gradient(&network, image, index, device);
    assert_eq!(shape, expected.shape(), "{name}");
    let expected: Vec<f32> = expected.into_iter().collect();
    let expected_gradient: Vec<f32> = npy32(&folder.join("input_gradient.npy")).into_iter().collect();
    Ok((
        relative_error(&values, &expected),
        relative_error(&gradient, &expected_gradient),
    ))
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(repository("tests/fixtures/layers"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), CASES);
    names
}

fn check_all(backend: &str, factor: f64, check: impl Fn(&str) -> Result<(f64, f64), String>) {
    let mut failures = Vec::new();
    for name in names() {
        let tolerance = if LONG_CHAINS.contains(&name.as_str()) {
            LONG_CHAIN_TOLERANCE
        } else {
            TOLERANCE
        };
        let tolerance = tolerance * factor;
        match check(&name) {
            Ok((output, gradient)) if output <= tolerance && gradient <= tolerance => {}
            Ok((output, gradient)) => failures.push(format!("{backend} {name}: {output:.1e} {gradient:.1e}")),
            Err(error) => failures.push(format!("{backend} {name}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn all_cases_match_caffe_on_flex() {
    check_all("flex", 1.0, |name| check(name, &Device::flex()));
}

/// Files that `deepvis import` of version 0.1 wrote.
#[test]
fn burnpacks_of_the_first_layout_are_read() {
    let folder = repository("tests/fixtures/layout1");
    check_all("first layout", 1.0, |name| {
        let import = deepvis_importer::record::open(&folder.join(name).with_extension("bpk"));
        check_import(name, &import.map_err(|e| e.to_string())?, &Device::flex())
    });
}

#[test]
fn all_cases_match_caffe_on_ndarray() {
    check_all("ndarray", 1.0, |name| check(name, &support::ndarray()));
}

/// The in-place case with a blob for each layer: folded, it computes what Caffe did, and every blob that is folded away
/// can be pushed itself.
#[test]
fn layers_that_are_folded_away_can_be_pushed() {
    let folder = repository("tests/fixtures/layers/batchnorm_inplace");
    let text = std::fs::read_to_string(folder.join("deploy.prototxt")).unwrap();
    let apart = text
        .replace(
            "\"BatchNorm\" bottom: \"c\" top: \"c\"",
            "\"BatchNorm\" bottom: \"c\" top: \"bn\"",
        )
        .replace(
            "\"Scale\" bottom: \"c\" top: \"c\"",
            "\"Scale\" bottom: \"bn\" top: \"sc\"",
        )
        .replace(
            "\"ReLU\" bottom: \"c\" top: \"c\"",
            "\"ReLU\" bottom: \"sc\" top: \"re\"",
        )
        .replace("bottom: \"c\" top: \"y\"", "bottom: \"re\" top: \"y\"");
    let place = tempfile::tempdir().unwrap();
    let deploy = place.path().join("deploy.prototxt");
    std::fs::write(&deploy, apart).unwrap();
    let import = deepvis_importer::import(&deploy, &folder.join("weights.caffemodel")).unwrap();
    let device = Device::flex();
    let build = |targets: &[&str]| {
        Network::build(
            &import.graph,
            &import.weights,
            targets,
            InputSize::Declared,
            &device,
            MOST_ENTRIES,
        )
        .unwrap()
    };
    let all = ["c", "bn", "sc", "re", "y"];
    let (folded, whole) = (build(&["y"]), build(&all));
    assert_eq!((folded.computed_layers(), whole.computed_layers()), (2, 5));
    let image: Vec<f32> = npy32(&folder.join("input.npy")).into_iter().collect();
    let caffe: Vec<f32> = npy32(&folder.join("output.npy")).into_iter().collect();
    assert!(relative_error(&value_and_gradient(&folded, image.clone(), 0, &device).0, &caffe) < TOLERANCE);
    let data = burn::tensor::TensorData::new(image.clone(), [1, 4, 13, 14]);
    for (reading, blob) in whole
        .forward(burn::tensor::Tensor::from_data(data, &device))
        .into_iter()
        .zip(all)
    {
        let values: Vec<f32> = reading.value.tensor().into_data().try_into_vec().unwrap();
        let (alone, _, _) = value_and_gradient(&build(&[blob]), image.clone(), 0, &device);
        assert!(relative_error(&alone, &values) < TOLERANCE, "{blob}");
    }
}

/// Branches that do not feed a target are not computed, nor are their weights asked for.
#[test]
fn only_what_a_target_needs_is_built() {
    let folder = repository("tests/fixtures/layers/concat_split");
    let import = deepvis_importer::import(&folder.join("deploy.prototxt"), &folder.join("weights.caffemodel")).unwrap();
    let without_b = deepvis_importer::Weights::new(
        import
            .weights
            .tensors()
            .filter(|(name, _)| !name.starts_with("b."))
            .map(|(name, stored)| (name.into(), stored.clone()))
            .collect(),
        "without b".into(),
    );
    let build = |target: &str| {
        let device = Device::flex();
        Network::build(
            &import.graph,
            &without_b,
            &[target],
            InputSize::Declared,
            &device,
            MOST_ENTRIES,
        )
    };
    // The convolution and the ReLU in place on it, but neither the other branch nor what joins them.
    assert_eq!(build("a").unwrap().computed_layers(), 2);
    assert!(build("y").unwrap_err().to_string().contains("layer \"b\""));
}

/// Wherever there is an adapter, a software one too.
#[test]
fn all_cases_match_caffe_on_wgpu() {
    let Some(adapter) = deepvis::backend::adapters()
        .into_iter()
        .find(|adapter| adapter.api != "Gl")
    else {
        crate::support::skip("there is no adapter here");
        return;
    };
    let device = deepvis::backend::gpu(&adapter);
    check_all("wgpu", WGPU_FACTOR, |name| check(name, &device));
}

#[test]
fn shared_cases_are_the_fixtures() {
    let Some(shared) = support::shared("caffe-reference/layers") else {
        return;
    };
    for entry in std::fs::read_dir(shared).unwrap() {
        let entry = entry.unwrap();
        let fixture = repository("tests/fixtures/layers").join(entry.file_name());
        for file in std::fs::read_dir(entry.path()).unwrap() {
            let file = file.unwrap();
            let copy = fixture.join(file.file_name());
            assert!(
                std::fs::read(file.path()).unwrap() == std::fs::read(&copy).unwrap(),
                "{}",
                copy.display()
            );
        }
    }
}
