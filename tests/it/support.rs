//! Reference files and networks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once};

use burn::tensor::{Device, Tensor, TensorData};
use deepvis::network::{InputSize, Network};
use deepvis_importer::Import;
use ndarray::ArrayD;

/// No test net has a blob near this size.
pub const MOST_ENTRIES: usize = 1 << 28;

/// A path in this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What was skipped, and by which test.
static SKIPPED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Notes that the test at work does not check what it should, and why: all of these are told when the last test has ended,
/// after the line that counts those that passed.
pub fn skip(why: &str) {
    static TOLD_AT_THE_END: Once = Once::new();
    TOLD_AT_THE_END.call_once(|| {
        // SAFETY: the function is one of ours, takes nothing and does not unwind.
        unsafe { libc::atexit(tell_skipped) };
    });
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    SKIPPED.lock().unwrap().insert(format!("{test}: {why}"));
}

extern "C" fn tell_skipped() {
    use std::io::Write;
    if let Ok(skipped) = SKIPPED.lock() {
        let lines: String = skipped.iter().map(|line| format!("SKIPPED {line}\n")).collect();
        let _ = std::io::stderr().write_all(lines.as_bytes());
    }
}

/// A path in the reference material beside the repository; where it is absent the test is noted as skipped.
pub fn shared(path: &str) -> Option<PathBuf> {
    let place = repository("../shared").join(path);
    if place.exists() {
        return Some(place);
    }
    skip(&format!("../shared/{path} is not here"));
    None
}

/// The ndarray backend.
#[expect(deprecated, reason = "the ndarray backend was asked for")]
pub fn ndarray() -> Device {
    Device::ndarray()
}

/// Reads a float32 array.
pub fn npy32(path: &Path) -> ArrayD<f32> {
    ndarray_npy::read_npy(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Reads a float64 array.
pub fn npy64(path: &Path) -> ArrayD<f64> {
    ndarray_npy::read_npy(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Reads JSON.
pub fn json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A network of one of the shared models.
pub struct Shared {
    pub import: Import,
    pub size: usize,
}

/// GoogLeNet or SqueezeNet, by the first word of a reference folder's name.
pub fn model(name: &str) -> Option<Shared> {
    let (folder, size) = match name.split('_').next() {
        Some("googlenet") => ("models/bvlc_googlenet/bvlc_googlenet.caffemodel", 224),
        _ => ("models/squeezenet_v1.1/squeezenet_v1.1.caffemodel", 227),
    };
    let weights = shared(folder)?;
    let import = deepvis_importer::import(&weights.with_file_name("deploy.prototxt"), &weights).unwrap();
    Some(Shared { import, size })
}

impl Shared {
    /// The network up to a layer.
    pub fn network(&self, layer: &str, device: &Device) -> Network {
        let size = InputSize::Resized([self.size, self.size]);
        Network::build(
            &self.import.graph,
            &self.import.weights,
            &[layer],
            size,
            device,
            MOST_ENTRIES,
        )
        .unwrap()
    }

    /// The mean that all reference runs subtract.
    pub fn mean(&self) -> Vec<f64> {
        [104.0, 117.0, 123.0]
            .into_iter()
            .flat_map(|m| std::iter::repeat_n(m, self.size * self.size))
            .collect()
    }
}

/// Values of a network's only target, and the gradient of the entry at `index` of it with respect to the image.
pub fn value_and_gradient(
    network: &Network,
    image: Vec<f32>,
    index: usize,
    device: &Device,
) -> (Vec<f32>, Vec<usize>, Vec<f32>) {
    let [channels, rows, columns] = network.image();
    let data = TensorData::new(image, [1, channels, rows, columns]);
    let image = Tensor::<4>::from_data(data, &device.clone().autodiff()).require_grad();
    let reading = network.forward(image.clone()).swap_remove(0);
    let shape = reading.value.shape().to_vec();
    let values = reading.value.tensor().into_data().try_into_vec().unwrap();
    let entries: usize = shape.iter().product();
    let gradients = reading.pushed.view([entries]).narrow(0, index, 1).sum().backward();
    let gradient = image.grad(&gradients).unwrap().into_data().try_into_vec().unwrap();
    (values, shape, gradient)
}

/// The largest difference, relative to the largest entry of `expected`; infinite where either holds something that is no
/// finite number, which is near to nothing.
pub fn relative_error(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    if !found.iter().chain(expected).all(|value| value.is_finite()) {
        return f64::INFINITY;
    }
    let largest = expected
        .iter()
        .fold(0.0f64, |largest, value| largest.max(f64::from(value.abs())));
    let difference = found.iter().zip(expected).fold(0.0f64, |worst, (found, expected)| {
        worst.max((f64::from(*found) - f64::from(*expected)).abs())
    });
    difference / largest.max(f64::MIN_POSITIVE)
}

#[test]
fn what_is_no_number_is_near_to_nothing() {
    for wrong in [f32::NAN, f32::INFINITY] {
        assert_eq!(relative_error(&[1.0, wrong], &[1.0, 2.0]), f64::INFINITY);
        assert_eq!(relative_error(&[1.0, 2.0], &[1.0, wrong]), f64::INFINITY);
    }
    assert_eq!(relative_error(&[1.0, 3.0], &[1.0, 2.0]), 0.5);
}
