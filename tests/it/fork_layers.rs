//! Layers of Caffe's forks, against NumPy in float64: output, and the gradient of one entry by central differences.

use std::path::Path;

use burn::tensor::Device;
use deepvis::network::{InputSize, Network};
use deepvis_importer::Weights;
use deepvis_importer::caffe::{convert, text, upgrade};

use crate::support::{self, MOST_ENTRIES, json, relative_error, repository, value_and_gradient};

const TOLERANCE: f64 = 1e-5;

fn numbers(value: &serde_json::Value) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
    let number = |number: &serde_json::Value| number.as_f64().unwrap() as f32;
    value.as_array().unwrap().iter().map(number).collect()
}

fn check(case: &serde_json::Value, device: &Device) -> Result<(), String> {
    let path = Path::new("deploy.prototxt");
    let parsed = text::parse_net(case["deploy"].as_str().unwrap().to_owned(), path).unwrap();
    let graph = convert::graph(&upgrade::to_current(parsed.net, path).unwrap()).unwrap();
    let none = Weights::default();
    let network =
        Network::build(&graph, &none, &["y"], InputSize::Declared, device, MOST_ENTRIES).map_err(|e| e.to_string())?;
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
        return if error <= TOLERANCE {
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
    if errors.iter().all(|error| *error <= TOLERANCE) {
        Ok(())
    } else {
        Err(format!("{errors:?}"))
    }
}

fn check_all(device: &Device) {
    let cases = json(&repository("tests/fixtures/fork_layers/cases.json"));
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 17);
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("{}: {}", case["name"], check(case, device).err()?)))
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn layers_of_forks_match_numpy_on_flex() {
    check_all(&Device::flex());
}

#[test]
fn layers_of_forks_match_numpy_on_ndarray() {
    check_all(&support::ndarray());
}
