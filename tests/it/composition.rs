//! The layers' own CPU functions beside the same layers composed of burn's operations, forward and backward, over sizes that
//! proptest draws, on both CPU backends.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use burn::tensor::{Device, Tensor, TensorData};
use deepvis::network::host::convolution::{Convolve, Deconvolve, Geometry};
use deepvis::network::host::inner_product::InnerProduct;
use deepvis::network::host::lrn::AcrossChannels;
use deepvis::network::host::pooling::{AveragePool, MaxPool, Windows};
use deepvis::network::host::{HostFunction, apply, apply_with};
use deepvis::network::layers;
use deepvis_importer::graph::{Counted, Lrn, LrnRegion, Pads};
use proptest::prelude::*;
use rand_mt::Mt;

use crate::support::{ndarray, relative_error};

/// What float32 allows of sums over a few hundred products, relative to the largest entry.
pub const TOLERANCE: f64 = 1e-5;

/// Entries between -1 and 1.
pub fn draw<const D: usize>(shape: [usize; D], seed: u32, device: &Device) -> Tensor<D> {
    let mut random = Mt::new(seed);
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

/// Weighs the entries of a value whose gradient is taken.
pub const WEIGHTS: u32 = 99;

/// Value, and the gradient of a random weighting of it with respect to the image.
pub fn both_ways<const D: usize>(
    x: &Tensor<D>,
    f: impl Fn(Tensor<D>) -> Tensor<D>,
) -> (Vec<usize>, Vec<f32>, Vec<f32>) {
    let x = x.clone().require_grad();
    let y = f(x.clone());
    let shape = y.dims();
    let gradients = (y.clone() * draw(shape, WEIGHTS, &y.device())).sum().backward();
    (shape.to_vec(), values(y), values(x.grad(&gradients).unwrap()))
}

pub fn same<const D: usize>(
    x: &Tensor<D>,
    ours: impl Fn(Tensor<D>) -> Tensor<D>,
    composed: impl Fn(Tensor<D>) -> Tensor<D>,
) -> Result<(), TestCaseError> {
    let (shape, value, gradient) = both_ways(x, ours);
    let (composed_shape, composed_value, composed_gradient) = both_ways(x, composed);
    prop_assert_eq!(shape, composed_shape);
    let (value, gradient) = (
        relative_error(&value, &composed_value),
        relative_error(&gradient, &composed_gradient),
    );
    prop_assert!(value <= TOLERANCE, "values are off by {value:e}");
    prop_assert!(gradient <= TOLERANCE, "gradients are off by {gradient:e}");
    Ok(())
}

pub fn devices() -> [Device; 2] {
    [Device::flex().autodiff(), ndarray().autodiff()]
}

/// A convolution whose kernel fits its input, sometimes pointwise, sometimes large enough to be cut into bands.
fn geometry(most_behind: usize) -> impl Strategy<Value = Geometry> {
    let sizes = (1..3usize, 1..4usize, 1..20usize, 1..5usize, 1..5usize, 1..3usize);
    // More zeros may lie behind the last pixel than before the first.
    let steps = (
        1..4usize,
        1..3usize,
        0..3usize,
        0..3usize,
        3..40usize,
        3..40usize,
        0..=most_behind,
    );
    (sizes, steps).prop_map(
        |((group, inputs, outputs, ky, kx, dilation), (sy, sx, py, px, rows, columns, behind))| {
            let (kernel, stride, pad) = ([ky, kx], [sy, sx], [py, px]);
            let reach = [0, 1].map(|axis| dilation * (kernel[axis] - 1) + 1);
            let input = [inputs * group, rows + reach[0], columns + reach[1]];
            let extent = |axis: usize| (input[axis + 1] + 2 * pad[axis] + behind - reach[axis]) / stride[axis] + 1;
            Geometry {
                input,
                output: [outputs * group, extent(0), extent(1)],
                kernel,
                stride,
                pad,
                dilation: [dilation; 2],
                group,
            }
        },
    )
}

/// A convolution that is computed by tiles, strided or not, the last of which reach over the output or not, and channels that fill
/// whole vectors or not.
fn tiled_geometry() -> impl Strategy<Value = Geometry> {
    let kernels = prop::sample::select(vec![(3, 1), (4, 1), (5, 1), (5, 2), (7, 2), (10, 2), (9, 4), (11, 4)]);
    let channels = (1..3usize, 16..50usize, 16..50usize);
    let sizes = (0..4usize, 0..4usize, 10..22usize, 10..22usize, 0..4usize);
    let all = (kernels, channels, sizes);
    all.prop_map(
        |((kernel, stride), (group, inputs, outputs), (py, px, rows, columns, rest))| {
            // As many channels as the unstrided have, once they are taken apart; and some pixels that no window reaches.
            let inputs = inputs.div_ceil(stride * stride);
            let input = [(rows, py), (columns, px)].map(|(places, pad)| {
                let reached = (places - 1) * stride + kernel + rest % stride;
                reached.saturating_sub(2 * pad).max(1)
            });
            let output = [(input[0], py), (input[1], px)].map(|(size, pad)| (size + 2 * pad - kernel) / stride + 1);
            Geometry {
                input: [inputs * group, input[0], input[1]],
                output: [outputs * group, output[0], output[1]],
                kernel: [kernel; 2],
                stride: [stride; 2],
                pad: [py, px],
                dilation: [1; 2],
                group,
            }
        },
    )
}

/// Caffe's windows over a plane, those of the padding included.
fn windows() -> impl Strategy<Value = Windows> {
    (2..4usize, 1..4usize, 0..2usize, 4..40usize, 4..40usize).prop_map(|(kernel, stride, pad, rows, columns)| {
        let input = [rows, columns];
        let output = input.map(|size| {
            let steps = (size + 2 * pad - kernel).div_ceil(stride) + 1;
            if pad > 0 && (steps - 1) * stride >= size + pad {
                steps - 1
            } else {
                steps
            }
        });
        Windows {
            input,
            output,
            kernel: [kernel; 2],
            stride: [stride; 2],
            pads: Pads::both([pad; 2]),
            counted: Counted::Padded,
        }
    })
}

fn own<const D: usize>(x: Tensor<D>, function: &(impl HostFunction + Clone)) -> Tensor<D> {
    apply(x, function.clone())
}

/// Convolutions of CaffeNet's and GoogLeNet's kinds: channels and side of the input, outputs, kernel, stride, padding.
const CONVOLUTIONS: &[[usize; 6]] = &[
    [3, 227, 96, 11, 4, 0],
    [48, 27, 128, 5, 1, 2],
    [3, 224, 64, 7, 2, 3],
    [64, 56, 192, 3, 1, 1],
    [192, 28, 64, 1, 1, 0],
    [16, 28, 32, 5, 1, 2],
    [112, 14, 224, 3, 1, 1],
    [832, 7, 384, 1, 1, 0],
];

/// A convolution of square images by a square kernel: channels, side, outputs, kernel, stride and padding.
fn square([channels, side, outputs, kernel, stride, pad]: [usize; 6]) -> Geometry {
    let extent = (side + 2 * pad - kernel) / stride + 1;
    Geometry {
        input: [channels, side, side],
        output: [outputs, extent, extent],
        kernel: [kernel; 2],
        stride: [stride; 2],
        pad: [pad; 2],
        dilation: [1; 2],
        group: 1,
    }
}

/// All cores share one image's product, but in a batch each has images of its own: no bit may tell.
#[test]
fn an_image_of_a_batch_is_computed_as_one_alone() {
    let device = Device::flex().autodiff();
    for sizes in CONVOLUTIONS.iter().copied() {
        let geometry = square(sizes);
        let [channels, side, outputs, kernel, ..] = sizes;
        let weight = draw([outputs, channels, kernel, kernel], 2, &device);
        let layer = |x| apply_with(x, weight.clone(), None, Convolve::new(geometry, Some(0.0)));
        let one = draw([1, channels, side, side], 1, &device);
        let batch = std::thread::available_parallelism().unwrap().get().max(2);
        let (_, value, gradient) = both_ways(&one, layer);
        let (_, values, gradients) = both_ways(&one.clone().repeat(&[batch, 1, 1, 1]), layer);
        assert!(values.chunks(value.len()).all(|other| other == value), "{geometry:?}");
        // The weighting of the outputs is drawn for the first image first.
        assert!(gradients[..gradient.len()] == gradient, "{geometry:?}");
    }
}

/// Images of a batch want a layer's transformed weights at the same time, of which one thread makes them and the others wait: none
/// of those may have what that one waits for.
#[test]
fn weights_are_made_while_others_wait() {
    let geometry = square([64, 12, 64, 3, 1, 1]);
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        let device = Device::flex().autodiff();
        let x = draw([16, 64, 12, 12], 1, &device);
        let weight = draw([64, 64, 3, 3], 2, &device);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
        let both = || {
            let layer = Convolve::new(geometry, None);
            both_ways(&x, |x| apply_with(x, weight.clone(), None, layer.clone()))
        };
        let first = both();
        done.send((0..100).all(|_| pool.install(both) == first)).unwrap();
    });
    let is_same = is_done.recv_timeout(Duration::from_secs(300));
    assert_eq!(is_same, Ok(true), "a thread waits for itself");
}

/// What is kept of a layer's weights goes with them.
#[test]
fn other_weights_are_transformed_anew() {
    let device = Device::flex().autodiff();
    let geometry = square([32, 12, 32, 3, 1, 1]);
    let x = draw([1, 32, 12, 12], 1, &device);
    let layer = Convolve::new(geometry, None);
    for seed in [2, 3, 2] {
        let weight = draw([32, 32, 3, 3], seed, &device);
        let both = |layer: &Convolve| both_ways(&x, |x| apply_with(x, weight.clone(), None, layer.clone()));
        assert!(
            both(&layer) == both(&Convolve::new(geometry, None)),
            "weights of seed {seed}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn convolution(geometry in geometry(2), batch in 1..4usize, relu in prop::option::of(0.0f32..0.5), bias: bool) {
        for device in devices() {
            let [channels, rows, columns] = geometry.input;
            let x = draw([batch, channels, rows, columns], 1, &device);
            let [kernel_rows, kernel_columns] = geometry.kernel;
            let outputs = geometry.output[0];
            let weight = draw([outputs, channels / geometry.group, kernel_rows, kernel_columns], 2, &device);
            // Far from where a ReLU bends, for there the last bit of a sum decides whether a gradient passes: with terms of
            // one sign, and of another in every second channel.
            let signs = Tensor::<1>::from_floats([1.0, -1.0], &device).repeat(&[outputs.div_ceil(2)]).narrow(0, 0, outputs);
            let (x, weight) = match relu {
                Some(_) => (x.abs(), weight.abs() * signs.clone().reshape([outputs, 1, 1, 1])),
                None => (x, weight),
            };
            let bias = bias.then(|| match relu {
                Some(_) => draw([outputs], 3, &device).abs().add_scalar(0.5) * signs,
                None => draw([outputs], 3, &device),
            });
            same(
                &x,
                |x| apply_with(x, weight.clone(), bias.clone(), Convolve::new(geometry, relu)),
                |x| {
                    let y = layers::convolution::plain(x, weight.clone(), bias.clone(), &geometry);
                    match relu {
                        Some(slope) => layers::entrywise::relu(y, slope),
                        None => y,
                    }
                },
            )?;
        }
    }

    #[test]
    fn tiled_convolution(geometry in tiled_geometry(), batch in 1..4usize, relu in prop::option::of(0.0f32..0.5)) {
        for device in devices() {
            let [channels, rows, columns] = geometry.input;
            let [outputs, side] = [geometry.output[0], geometry.kernel[0]];
            let x = draw([batch, channels, rows, columns], 1, &device);
            let weight = draw([outputs, channels / geometry.group, side, side], 2, &device);
            // Far from where a ReLU bends, for there the last bit of a sum decides whether a gradient passes.
            let bias = match relu {
                Some(_) => Tensor::from_floats([100.0, -100.0], &device).repeat(&[outputs.div_ceil(2)]).narrow(0, 0, outputs),
                None => draw([outputs], 3, &device),
            };
            same(
                &x,
                |x| apply_with(x, weight.clone(), Some(bias.clone()), Convolve::new(geometry, relu)),
                |x| {
                    let y = layers::convolution::plain(x, weight.clone(), Some(bias.clone()), &geometry);
                    match relu {
                        Some(slope) => layers::entrywise::relu(y, slope),
                        None => y,
                    }
                },
            )?;
        }
    }

    /// Back from a single unit of the first image, and from all of the others.
    #[test]
    fn convolution_back_from_a_unit(
        geometry in prop_oneof![geometry(2), tiled_geometry()],
        batch in 1..4usize,
        unit in any::<prop::sample::Index>(),
    ) {
        for device in devices() {
            let ([channels, rows, columns], [kernel_rows, kernel_columns]) = (geometry.input, geometry.kernel);
            let x = draw([batch, channels, rows, columns], 1, &device);
            let weight = draw([geometry.output[0], channels / geometry.group, kernel_rows, kernel_columns], 2, &device);
            let [outputs, out_rows, out_columns] = geometry.output;
            let len = outputs * out_rows * out_columns;
            let shape = [batch, outputs, out_rows, out_columns];
            let mut pushed = values(draw(shape, 3, &device));
            let unit = unit.index(len);
            (0..len).filter(|at| *at != unit).for_each(|at| pushed[at] = 0.0);
            let pushed = Tensor::<4>::from_data(TensorData::new(pushed, shape), &device);
            let convolve = Convolve::new(geometry, None);
            let gradient = |layer: &dyn Fn(Tensor<4>) -> Tensor<4>| {
                let x = x.clone().require_grad();
                let gradients = (layer(x.clone()) * pushed.clone()).sum().backward();
                values(x.grad(&gradients).unwrap())
            };
            let own = gradient(&|x| apply_with(x, weight.clone(), None, convolve.clone()));
            let composed = gradient(&|x| layers::convolution::plain(x, weight.clone(), None, &geometry));
            let error = relative_error(&own, &composed);
            prop_assert!(error <= TOLERANCE, "gradients are off by {error:e}");
        }
    }

    #[test]
    fn deconvolution(geometry in geometry(2), batch in 1..3usize, bias: bool) {
        // Pixels that no window reaches are none that burn's transposed convolution makes.
        let reached = [0, 1].into_iter().all(|axis| {
            let reach = geometry.dilation[axis] * (geometry.kernel[axis] - 1) + 1;
            (geometry.output[axis + 1] - 1) * geometry.stride[axis] + reach >= geometry.input[axis + 1] + geometry.pad[axis]
        });
        prop_assume!(reached);
        for device in devices() {
            let [channels, rows, columns] = geometry.output;
            let x = draw([batch, channels, rows, columns], 1, &device);
            let [kernel_rows, kernel_columns] = geometry.kernel;
            let weight = draw([channels, geometry.input[0] / geometry.group, kernel_rows, kernel_columns], 2, &device);
            let bias = bias.then(|| draw([geometry.input[0]], 3, &device));
            same(
                &x,
                |x| apply_with(x, weight.clone(), bias.clone(), Deconvolve { geometry }),
                |x| layers::deconvolution::plain(x, weight.clone(), bias.clone(), &geometry),
            )?;
        }
    }

    #[test]
    fn pooling(windows in windows(), batch in 1..3usize, channels in 1..4usize) {
        for device in devices() {
            let x = draw([batch, channels, windows.input[0], windows.input[1]], 1, &device);
            same(&x, |x| own(x, &MaxPool { windows }), |x| layers::pooling::max(x, &windows))?;
            let correction = layers::pooling::correction(&windows);
            let shape = [1, 1, windows.output[0], windows.output[1]];
            let correction = Tensor::from_data(TensorData::new(correction, shape), &device);
            same(
                &x,
                |x| own(x, &AveragePool { windows }),
                |x| layers::pooling::average(x, &windows, correction.clone()),
            )?;
        }
    }

    #[test]
    fn normalization(half in 0..3usize, batch in 1..3usize, channels in 1..20usize, side in 1..20usize, beta in 0.5f32..1.0) {
        let settings = Lrn { region: LrnRegion::AcrossChannels, size: 2 * half + 1, alpha: 0.5, beta, k: 1.5 };
        for settings in [Lrn { beta: 0.75, ..settings.clone() }, settings] {
            let Lrn { size, alpha, beta, k, .. } = settings;
            for device in devices() {
                let x = draw([batch, channels, side, side + 1], 1, &device);
                same(
                    &x,
                    |x| own(x, &AcrossChannels { size, alpha, beta, k }),
                    |x| layers::lrn::across_channels(x, &settings),
                )?;
            }
        }
    }

    #[test]
    fn inner_product(batch in 1..4usize, inputs in 1..3000usize, outputs in 1..40usize, bias: bool) {
        for device in devices() {
            let x = draw([batch, inputs], 1, &device);
            let weight = draw([outputs, inputs], 2, &device);
            // The largest of a few sums may itself be nearly nothing, unless all that is added up is positive.
            let (x, weight) = if outputs < 8 { (x.abs(), weight.abs()) } else { (x, weight) };
            let bias = bias.then(|| draw([outputs], 3, &device));
            same(
                &x,
                |x| apply_with(x, weight.clone(), bias.clone(), InnerProduct::new(outputs, inputs, 1)),
                |x| layers::inner_product::plain(x, weight.clone(), bias.clone()),
            )?;
        }
    }
}
