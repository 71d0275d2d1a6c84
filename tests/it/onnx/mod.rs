//! ONNX networks against what PyTorch and TensorFlow computed: values and input gradients of inner layers.

mod gpu;
mod names;
mod units;

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use deepvis::network::{InputSize, Network};
use deepvis_importer::Import;
use ndarray::{ArrayD, Axis};

use crate::support::{self, MOST_ENTRIES, json, npy32, relative_error, value_and_gradient};

/// How far a batch may be from what each image gives alone: sums are taken in another order.
const BATCH_TOLERANCE: f64 = 1e-5;

/// A case: its folder, what it says, its network, and its image with channels first.
struct Case {
    folder: PathBuf,
    case: serde_json::Value,
    import: Import,
    image: Vec<f32>,
    size: [usize; 2],
    channels_last: bool,
}

/// Channels first.
fn turned(array: ArrayD<f32>) -> Vec<f32> {
    let axes: Vec<usize> = if array.ndim() == 4 { vec![0, 3, 1, 2] } else { vec![0] };
    array.permuted_axes(axes).iter().copied().collect()
}

impl Case {
    fn open(folder: &Path) -> Result<Self, String> {
        let case = json(&folder.join("case.json"));
        let input = npy32(&folder.join("input.npy"));
        let channels_last = input.shape()[3] == 3 && input.shape()[1] != 3;
        let at = if channels_last { 1 } else { 2 };
        let size = [input.len_of(Axis(at)), input.len_of(Axis(at + 1))];
        let import =
            deepvis_importer::open(&folder.join("model.onnx"), Some(size)).map_err(|e| format!("load: {e}"))?;
        let image = if channels_last {
            turned(input)
        } else {
            input.iter().copied().collect()
        };
        Ok(Self {
            folder: folder.to_owned(),
            case,
            import,
            image,
            size,
            channels_last,
        })
    }

    fn network(&self, name: &str, device: &Device) -> Result<Network, String> {
        let size = InputSize::Resized(self.size);
        Network::build(
            &self.import.graph,
            &self.import.weights,
            &[name],
            size,
            device,
            MOST_ENTRIES,
        )
        .map_err(|e| format!("{name}: {e}"))
    }

    /// The targets whose value is in the file: every name that must find it, and what it must be.
    fn targets(&self) -> Vec<&serde_json::Value> {
        let targets = self.case["targets"].as_array().unwrap();
        targets.iter().filter(|target| !target["value"].is_null()).collect()
    }

    /// Errors of value and gradient of a target, asked for by `name`.
    fn errors(&self, target: &serde_json::Value, name: &str, device: &Device) -> Result<(f64, f64), String> {
        let network = self.network(name, device)?;
        let expected = npy32(&self.folder.join(target["values_file"].as_str().unwrap()));
        let unit = target["unit"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i.as_u64().unwrap() as usize);
        let extents = &expected.shape()[expected.ndim() - target["unit"].as_array().unwrap().len()..];
        let index = unit
            .zip(extents)
            .fold(0, |place, (index, extent)| place * extent + index);
        let (values, shape, gradient) = value_and_gradient(&network, self.image.clone(), index, device);
        if shape != expected.shape() {
            return Err(format!("{name}: shape {shape:?}, expected {:?}", expected.shape()));
        }
        let expected_gradient = npy32(&self.folder.join(target["gradient_file"].as_str().unwrap()));
        let expected_gradient = if self.channels_last {
            turned(expected_gradient)
        } else {
            expected_gradient.iter().copied().collect()
        };
        let expected: Vec<f32> = expected.iter().copied().collect();
        Ok((
            relative_error(&values, &expected),
            relative_error(&gradient, &expected_gradient),
        ))
    }

    /// Failures of all targets, asked for as the value and as the module.
    fn failures(&self, device: &Device, factor: f64) -> Vec<String> {
        let tolerance = self.case["tolerance_rel"].as_f64().unwrap() * factor;
        let mut failures = Vec::new();
        for target in self.targets() {
            for kind in ["value", "module"] {
                let Some(name) = target[kind].as_str() else { continue };
                // What a network built by hand calls its modules is in no file.
                if kind == "module" && self.case["exporter"] == "by hand" {
                    continue;
                }
                match self.errors(target, name, device) {
                    Ok((value, gradient)) if value <= tolerance && gradient <= tolerance => {}
                    Ok((value, gradient)) => failures.push(format!("{kind} {name}: {value:.1e} {gradient:.1e}")),
                    Err(error) => failures.push(format!("{kind} {error}")),
                }
            }
        }
        failures
    }

    /// Whether several images together give what each gives alone, at every target that says so.
    fn batch_failures(&self, device: &Device) -> Vec<String> {
        let mut failures = Vec::new();
        for target in self.targets() {
            let name = target["value"].as_str().unwrap();
            let Ok(network) = self.network(name, device) else {
                continue;
            };
            // Its tokens come before the images of a batch: whoever pushes a unit of it does so one image at a time.
            let target = self.import.graph.target(name).unwrap();
            if self.import.graph.scattered.contains(&target.value) {
                assert!(!network.keeps_images_apart(), "{name}");
                continue;
            }
            // Its Einsum sums over an axis that the images share.
            if !network.keeps_images_apart() && self.folder.ends_with("gemm_matmul_einsum") {
                continue;
            }
            if !network.keeps_images_apart() {
                failures.push(format!("{name}: one at a time"));
                continue;
            }
            let other: Vec<f32> = self.image.iter().rev().map(|value| value * 0.7 + 0.1).collect();
            let together = [self.image.clone(), other.clone(), self.image.clone()].concat();
            let alone = [&self.image, &other, &self.image].map(|image| values(&network, image.clone(), 1, device));
            let error = relative_error(&values(&network, together, 3, device), &alone.concat());
            if error.is_nan() || error > BATCH_TOLERANCE {
                failures.push(format!("{name}: a batch differs by {error:.1e}"));
            }
        }
        failures
    }
}

fn values(network: &Network, images: Vec<f32>, batch: usize, device: &Device) -> Vec<f32> {
    let [channels, rows, columns] = network.image();
    let images = Tensor::<4>::from_data(TensorData::new(images, [batch, channels, rows, columns]), device);
    let value = network.forward(images).swap_remove(0).value;
    value.tensor().into_data().convert::<f32>().try_to_vec::<f32>().unwrap()
}

/// All cases of a folder, sorted.
fn folders(cases: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn check_all(cases: &Path, check: impl Fn(&Case) -> Vec<String>) {
    let (mut passed, mut failures) = (0, Vec::new());
    for folder in folders(cases) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let failed = match Case::open(&folder) {
            Ok(case) => check(&case),
            Err(error) => vec![error],
        };
        if failed.is_empty() {
            passed += 1;
        } else {
            failures.push(format!("{name}:\n    {}", failed.join("\n    ")));
        }
    }
    eprintln!("{passed} cases pass, {} fail", failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn cases_match_their_frameworks_on_flex() {
    if let Some(cases) = support::shared("onnx/cases") {
        check_all(&cases, |case| case.failures(&Device::flex(), 1.0));
    }
}

#[test]
fn cases_match_their_frameworks_on_ndarray() {
    if let Some(cases) = support::shared("onnx/cases") {
        check_all(&cases, |case| case.failures(&support::ndarray(), 1.0));
    }
}

#[test]
fn several_images_together_give_what_each_gives_alone() {
    if let Some(cases) = support::shared("onnx/cases") {
        check_all(&cases, |case| case.batch_failures(&Device::flex()));
    }
}

/// Images that climb together are pushed at every value that has a name, also where the images of a batch do not lie along the
/// first axis, as between the steps of an attention: each gives what it gives alone, or they are told to go one at a time.
#[test]
fn every_value_can_be_pushed_in_company() {
    let Some(cases) = support::shared("onnx/cases") else {
        return;
    };
    let device = Device::flex();
    let (mut apart, mut by_itself, mut failures) = (0, 0, Vec::new());
    for case in [
        "attention_dynamo18",
        "attention_ts17",
        "resize_modes_opset13",
        "swin_window_dynamo18",
        "vit_dynamo23",
        "vit_ts20",
    ] {
        let case = Case::open(&cases.join(case)).unwrap();
        let entries = case.image.len();
        let images = [0.9f32, -0.6, 0.3].map(|factor| {
            let turned = case.image.iter().cycle().skip(entries / 3).take(entries);
            let both = turned.zip(&case.image);
            both.map(|(a, b)| a * factor + b * (1.0 - factor)).collect::<Vec<f32>>()
        });
        for target in &case.import.graph.targets {
            let Ok(network) = case.network(&target.name, &device) else {
                continue;
            };
            if network.shape(0).is_empty() {
                continue;
            }
            if !network.keeps_images_apart() {
                by_itself += 1;
                continue;
            }
            apart += 1;
            let run = |images: &[Vec<f32>]| crate::random_nets::together(&network, images, &device);
            let alone: Vec<_> = images
                .iter()
                .flat_map(|image| run(std::slice::from_ref(image)))
                .collect();
            let together = run(&images);
            // Masked entries are no finite numbers, but the same.
            for (all, one) in together.iter().zip(&alone).filter(|(all, one)| all != one) {
                let numbers = |bits: &[u32]| bits.iter().map(|bits| f32::from_bits(*bits)).collect::<Vec<f32>>();
                let value = relative_error(&numbers(&all.0), &numbers(&one.0));
                let gradient = relative_error(&numbers(&all.1), &numbers(&one.1));
                if value > BATCH_TOLERANCE || gradient > BATCH_TOLERANCE {
                    failures.push(format!(
                        "{}: {}: {value:.1e} {gradient:.1e}",
                        case.folder.display(),
                        target.name
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(apart > 100 && by_itself > 20, "{apart} together, {by_itself} alone");
}

/// What must be said of each file that is no network, or one of which the last value is not computed.
const REJECTED: [(&str, &str); 22] = [
    ("argmax_unit", "has no gradient"),
    ("caffemodel_like", "not an ONNX file"),
    ("cycle", "not in order"),
    ("empty", "empty"),
    ("external_absolute", "absolute"),
    ("external_missing", "gone.onnx.data"),
    ("external_short", "short.data"),
    ("int_input", "whole numbers"),
    ("keras_h5", "HDF5"),
    ("kernel_disagrees", "kernel"),
    ("missing_weight", "\"w\""),
    ("negative_dims", "negative"),
    ("no_input", "\"input\""),
    ("no_opset", "opset"),
    ("rank1_input", "axes"),
    ("safetensors", "safetensors"),
    ("text", "not an ONNX file"),
    ("torch_zip", "PyTorch"),
    ("truncated", "are left"),
    ("two_inputs", "several inputs"),
    ("unknown_op", "not computed"),
    ("vendor_op", "com.microsoft"),
];

#[test]
fn files_that_are_no_networks_are_refused_with_what_is_wrong() {
    let Some(folder) = support::shared("onnx/cases_reject") else {
        return;
    };
    let mut failures = Vec::new();
    for (name, expected) in REJECTED {
        let said = match deepvis_importer::open(&folder.join(format!("{name}.onnx")), None) {
            Err(error) => error.to_string(),
            Ok(import) => {
                let last = import.graph.layers.last().and_then(|layer| layer.outputs.first());
                let value = import.graph.values[*last.unwrap()].clone();
                let (graph, weights) = (&import.graph, &import.weights);
                let device = Device::flex();
                match Network::build(graph, weights, &[&value], InputSize::Declared, &device, MOST_ENTRIES) {
                    Ok(_) => "nothing is wrong".to_owned(),
                    Err(error) => error.to_string(),
                }
            }
        };
        if !said.contains(expected) || said.contains('\n') && !said.contains("export") {
            failures.push(format!("{name}: {said}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_trained_network_in_both_exports_is_what_its_framework_says() {
    let Some(folder) = support::shared("onnx/models") else {
        return;
    };
    let truth = folder.join("truth-squeezenet1_1");
    let targets = json(&truth.join("truth.json"));
    let input: Vec<f32> = npy32(&truth.join("input.npy")).iter().copied().collect();
    let device = Device::flex();
    for file in targets["files"].as_array().unwrap() {
        let import = deepvis_importer::open(&folder.join(file.as_str().unwrap()), None).unwrap();
        for target in targets["targets"].as_array().unwrap() {
            let module = target["module"].as_str().unwrap();
            let last = import.graph.layers.last().unwrap().outputs[0];
            let name = if module.starts_with('(') {
                &import.graph.values[last]
            } else {
                module
            };
            let network = Network::build(
                &import.graph,
                &import.weights,
                &[name],
                InputSize::Declared,
                &device,
                MOST_ENTRIES,
            )
            .unwrap();
            let sizes = |key: &str| -> Vec<usize> {
                let numbers = target[key].as_array().unwrap().iter();
                numbers
                    .map(|number| usize::try_from(number.as_u64().unwrap()).unwrap())
                    .collect()
            };
            let (unit, expected_shape) = (sizes("unit"), sizes("shape"));
            let index = unit
                .iter()
                .zip(&expected_shape[1..])
                .fold(0, |place, (index, extent)| place * extent + index);
            let (values, shape, gradient) = value_and_gradient(&network, input.clone(), index, &device);
            assert_eq!(shape, expected_shape, "{name}");
            let value = target["value"].as_f64().unwrap();
            let error = (f64::from(values[index]) - value).abs() / value.abs();
            assert!(error < 1e-5, "{file} {name}: {} and {value}", values[index]);
            let expected: Vec<f32> = npy32(&truth.join(target["gradient"].as_str().unwrap()))
                .iter()
                .copied()
                .collect();
            // Two entries of a pooling window that differ by less than rounding decide where the gradient of all that lies
            // before goes: PyTorch's float32 is as far from its own float64 here (1.9e-3, at 5 % of the pixels).
            assert!(relative_error(&gradient, &expected) < 4e-3, "{file} {name}");
            let largest = expected.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            let apart = gradient.iter().zip(&expected);
            let apart = apart.filter(|(ours, theirs)| ((**ours - **theirs) / largest).abs() > 1e-4);
            assert!(apart.count() < gradient.len() / 20, "{file} {name}");
        }
    }
}
