//! Parts of feature visualization beside what the libraries they come from compute of the same input.

mod objectives;
mod optimizers;
mod parameterizations;
mod pictures;
mod relus;
mod results;
mod transforms;

use burn::tensor::{Device, Tensor, TensorData};
use deepvis::ascent::Adaptive;
use ndarray::ArrayD;
use ndarray_npy::ReadNpyError;

use crate::support::{json, ndarray, shared};

/// How far an entry may be off, relative to the largest: libraries compute in float32 or float64, we in float32.
pub const TOLERANCE: f64 = 2e-5;

/// An array of float64, whatever it is stored as.
#[derive(Clone)]
pub struct Reference {
    pub values: Vec<f64>,
    pub shape: Vec<usize>,
}

impl Reference {
    pub fn tensor<const D: usize>(&self, shape: [usize; D], device: &Device) -> Tensor<D> {
        #[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
        let values: Vec<f32> = self.values.iter().map(|value| *value as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    pub fn four(&self, device: &Device) -> Tensor<4> {
        let mut shape = self.shape.clone();
        match shape.len() {
            2 => shape.extend([1, 1]),
            3 => shape.insert(0, 1),
            _ => {}
        }
        self.tensor(shape.try_into().unwrap(), device)
    }

    pub fn rows(&self, batch: usize, device: &Device) -> Tensor<2> {
        self.tensor([batch, self.values.len() / batch], device)
    }

    pub fn negative(&self) -> Self {
        self.times(-1.0)
    }

    pub fn times(&self, factor: f64) -> Self {
        Self {
            values: self.values.iter().map(|value| factor * value).collect(),
            shape: self.shape.clone(),
        }
    }
}

/// A reference case, or none where the reference material is not beside the repository.
pub struct Case {
    name: String,
    arrays: serde_json::Value,
}

pub fn case(name: &str) -> Option<Case> {
    let index = json(&shared("feature-visualization/reference/index.json")?);
    let case = index["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["case"] == name);
    let case = case.unwrap_or_else(|| panic!("no case {name}"));
    Some(Case {
        name: name.to_owned(),
        arrays: case["arrays"].clone(),
    })
}

impl Case {
    pub fn array(&self, name: &str) -> Reference {
        let file = self.arrays[name]["file"].as_str();
        let file = file.unwrap_or_else(|| panic!("{} has no {name}", self.name));
        let path = shared("feature-visualization/reference").unwrap().join(file);
        let double: Result<ArrayD<f64>, ReadNpyError> = ndarray_npy::read_npy(&path);
        let array = double.unwrap_or_else(|_| {
            let single: ArrayD<f32> = ndarray_npy::read_npy(&path).unwrap();
            single.mapv(f64::from)
        });
        Reference {
            shape: array.shape().to_vec(),
            values: array.iter().copied().collect(),
        }
    }

    #[track_caller]
    pub fn same<const D: usize>(&self, what: &str, found: Tensor<D>, expected: &Reference) {
        same(&format!("{} {what}", self.name), found, expected);
    }

    #[track_caller]
    pub fn within<const D: usize>(&self, tolerance: f64, what: &str, found: Tensor<D>, expected: &Reference) {
        within(tolerance, &format!("{} {what}", self.name), found, expected);
    }
}

#[track_caller]
pub fn same<const D: usize>(what: &str, found: Tensor<D>, expected: &Reference) {
    within(TOLERANCE, what, found, expected);
}

#[track_caller]
pub fn within<const D: usize>(tolerance: f64, what: &str, found: Tensor<D>, expected: &Reference) {
    let found: Vec<f32> = found.into_data().try_into_vec().unwrap();
    assert_eq!(found.len(), expected.values.len(), "{what}");
    let largest = expected
        .values
        .iter()
        .fold(1e-12f64, |largest, value| largest.max(value.abs()));
    let worst = found
        .iter()
        .zip(&expected.values)
        .fold(0.0f64, |worst, (found, expected)| {
            let off = (f64::from(*found) - expected).abs();
            if off.is_nan() { f64::NAN } else { worst.max(off) }
        });
    assert!(
        worst / largest <= tolerance,
        "{what} is off by {} of {largest}",
        worst / largest
    );
}

/// The CPU backends.
pub fn devices() -> [Device; 2] {
    [Device::flex(), ndarray()]
}

/// A software GPU, or a real one.
pub fn gpu() -> Option<Device> {
    let adapter = deepvis::backend::adapters().into_iter().next();
    if adapter.is_none() {
        eprintln!("SKIPPED: there is no Vulkan, Metal or DirectX driver, so nothing is computed on a GPU");
    }
    adapter.map(|adapter| deepvis::backend::gpu(&adapter))
}

/// The gradient of the sum of `function(x) * weights` with respect to x, and the function's value.
pub fn with_gradient<const D: usize, const E: usize>(
    x: Tensor<D>,
    weights: &Reference,
    function: impl FnOnce(Tensor<D>) -> Tensor<E>,
) -> (Tensor<E>, Tensor<D>) {
    let x = x.autodiff().require_grad();
    let y = function(x.clone());
    let weights = weights.tensor(y.dims(), &y.device());
    let gradients = (y.clone() * weights).sum().backward();
    (y.without_autodiff(), x.grad(&gradients).unwrap())
}

/// A stepper is serializable, like all specifications.
#[test]
fn specifications_are_read_back() {
    let stepper = Adaptive::nadam(1.0);
    let text = serde_json::to_string(&stepper).unwrap();
    assert_eq!(serde_json::from_str::<Adaptive>(&text).unwrap(), stepper);
}
