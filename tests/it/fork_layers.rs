//! Layers of Caffe's forks, against NumPy in float64: output, and the gradient of one entry by central differences.

use std::path::Path;

use burn::tensor::Device;
use deepvis::network::{InputSize, Network};
use deepvis_importer::Weights;
use deepvis_importer::caffe;
use deepvis_importer::caffe::proto::{BlobProto, BlobShape, LayerParameter, NetParameter};
use prost::Message;

use crate::support::{self, MOST_ENTRIES, json, relative_error, repository, value_and_gradient};

const TOLERANCE: f64 = 1e-5;

fn numbers(value: &serde_json::Value) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
    let number = |number: &serde_json::Value| number.as_f64().unwrap() as f32;
    value.as_array().unwrap().iter().map(number).collect()
}

/// The case's prototxt and caffemodel, read as a user's are; its weights are those of the layer that is pushed.
fn read(case: &serde_json::Value, folder: &Path) -> deepvis_importer::Import {
    let blob = |blob: &serde_json::Value| BlobProto {
        shape: Some(BlobShape {
            dim: numbers(&blob["shape"]).iter().map(|extent| *extent as i64).collect(),
        }),
        data: numbers(&blob["values"]),
        ..BlobProto::default()
    };
    let layer = LayerParameter {
        name: Some("y".to_owned()),
        blobs: case["blobs"].as_array().unwrap().iter().map(blob).collect(),
        ..LayerParameter::default()
    };
    let net = NetParameter {
        layer: vec![layer],
        ..NetParameter::default()
    };
    let (deploy, weights) = (folder.join("deploy.prototxt"), folder.join("weights.caffemodel"));
    std::fs::write(&deploy, case["deploy"].as_str().unwrap()).unwrap();
    std::fs::write(&weights, net.encode_to_vec()).unwrap();
    caffe::import(&deploy, &weights).unwrap()
}

fn check(case: &serde_json::Value, device: &Device, tolerance: f64) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let has_weights = !case["blobs"].as_array().unwrap().is_empty();
    let (graph, weights) = if has_weights {
        let import = read(case, folder.path());
        (import.graph, import.weights)
    } else {
        let path = folder.path().join("deploy.prototxt");
        std::fs::write(&path, case["deploy"].as_str().unwrap()).unwrap();
        (caffe::read_graph(&path).unwrap().0, Weights::default())
    };
    let network = Network::build(&graph, &weights, &["y"], InputSize::Declared, device, MOST_ENTRIES)
        .map_err(|e| e.to_string())?;
    let unit = usize::try_from(case["unit"].as_u64().unwrap()).unwrap();
    let expected = numbers(&case["output"]);
    let shape: Vec<usize> = numbers(&case["shape"]).iter().map(|extent| *extent as usize).collect();
    if case["name"].as_str().unwrap().starts_with("arg_max") {
        let [channels, rows, columns] = network.image();
        let data = burn::tensor::TensorData::new(numbers(&case["input"]), [1, channels, rows, columns]);
        let read = network
            .forward(burn::tensor::Tensor::from_data(data, device))
            .swap_remove(0);
        assert_eq!(read.value.shape(), shape);
        let values: Vec<f32> = read.value.tensor().into_data().try_into_vec().unwrap();
        let error = relative_error(&values, &expected);
        return if error <= tolerance {
            Ok(())
        } else {
            Err(format!("{error:.1e}"))
        };
    }
    let (values, found, gradient) = value_and_gradient(&network, numbers(&case["input"]), unit, device);
    assert_eq!(found, shape, "{}", case["name"]);
    let errors = [
        relative_error(&values, &expected),
        relative_error(&gradient, &numbers(&case["gradient"])),
    ];
    if errors.iter().all(|error| *error <= tolerance) {
        Ok(())
    } else {
        Err(format!("{errors:?}"))
    }
}

fn check_all(device: &Device, tolerance: f64) {
    let cases = json(&repository("tests/fixtures/fork_layers/cases.json"));
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 23);
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("{}: {}", case["name"], check(case, device, tolerance).err()?)))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn layers_of_forks_match_numpy_on_flex() {
    check_all(&Device::flex(), TOLERANCE);
}

#[test]
fn layers_of_forks_match_numpy_on_ndarray() {
    check_all(&support::ndarray(), TOLERANCE);
}

/// There, all layers are composed of burn's operations.
#[test]
#[ignore = "a software GPU takes minutes to tune its kernels"]
fn layers_of_forks_match_numpy_on_wgpu() {
    let Some(adapter) = deepvis::backend::adapters().into_iter().next() else {
        support::skip("there is no Vulkan, Metal or DirectX driver, so nothing is computed on a GPU");
        return;
    };
    check_all(&deepvis::backend::gpu(&adapter), 10.0 * TOLERANCE);
}
