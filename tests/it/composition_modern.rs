//! Host functions of the layers of today's networks beside the same composed of burn's operations, as in `composition`.

use burn::tensor::activation::{sigmoid, softmax};
use burn::tensor::{Device, Tensor};
use deepvis::network::host::convolution::{Convolve, Geometry};
use deepvis::network::host::curve::Curve;
use deepvis::network::host::inner_product::InnerProduct;
use deepvis::network::host::permute::Permute;
use deepvis::network::host::product::Products;
use deepvis::network::host::row_sums::RowSums;
use deepvis::network::host::scale::{Gate, Scale};
use deepvis::network::host::softmax::Softmax;
use deepvis::network::host::standardize::Standardize;
use deepvis::network::host::{apply, apply_two, apply_with};
use deepvis::network::layers::{self, entrywise, general};
use proptest::prelude::*;

use crate::composition::{TOLERANCE, WEIGHTS, both_ways, devices, draw, same, values};
use crate::support::relative_error;

/// A convolution of each channel by itself.
fn depthwise() -> impl Strategy<Value = Geometry> {
    let sizes = (2..20usize, 1..8usize, 1..8usize, 1..3usize);
    let steps = (1..4usize, 1..4usize, 0..4usize, 0..4usize, 1..40usize, 1..40usize);
    (sizes, steps).prop_map(|((channels, ky, kx, dilation), (sy, sx, py, px, rows, columns))| {
        let (kernel, stride, pad) = ([ky, kx], [sy, sx], [py, px]);
        let reach = [0, 1].map(|axis| dilation * (kernel[axis] - 1) + 1);
        let input = [channels, rows + reach[0], columns + reach[1]];
        let extent = |axis: usize| (input[axis + 1] + 2 * pad[axis] - reach[axis]) / stride[axis] + 1;
        Geometry {
            input,
            output: [channels, extent(0), extent(1)],
            kernel,
            stride,
            pad,
            dilation: [dilation; 2],
            group: channels,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn depthwise_convolution(geometry in depthwise(), batch in 1..4usize, bias: bool) {
        for device in devices() {
            let [channels, rows, columns] = geometry.input;
            let x = draw([batch, channels, rows, columns], 1, &device);
            let weight = draw([channels, 1, geometry.kernel[0], geometry.kernel[1]], 2, &device);
            let bias = bias.then(|| draw([channels], 3, &device));
            same(
                &x,
                |x| apply_with(x, weight.clone(), bias.clone(), Convolve::new(geometry, None)),
                |x| layers::convolution::plain(x, weight.clone(), bias.clone(), &geometry),
            )?;
        }
    }

    #[test]
    fn inner_product_of_many_rows(
        batch in 1..4usize, rows in 2..60usize, inputs in 2..700usize, outputs in 2..200usize, bias: bool,
    ) {
        for device in devices() {
            let x = draw([batch * rows, inputs], 1, &device);
            let weight = draw([outputs, inputs], 2, &device);
            let bias = bias.then(|| draw([outputs], 3, &device));
            let product = InnerProduct::new(outputs, inputs, rows);
            let arranged = product.arranged(weight.clone());
            same(
                &x,
                |x| apply_with(x, arranged.clone(), bias.clone(), product.clone()),
                |x| layers::inner_product::plain(x, weight.clone(), bias.clone()),
            )?;
        }
    }

    /// Without a gradient a row gets none, not even one of another sign, whatever the rows beside it have.
    #[test]
    fn a_row_without_a_gradient_gets_zeros(pushed in 0..4usize) {
        let device = Device::flex().autodiff();
        let product = InnerProduct::new(2, 3, 4);
        let weight = product.arranged(Tensor::<2>::full([2, 3], -1.0, &device));
        let x = draw([4, 3], 1, &device).require_grad();
        let y: Tensor<2> = apply_with(x.clone(), weight, None, product);
        let gradients = y.narrow(0, 0, pushed.max(1)).sum().backward();
        let gradient = values(x.grad(&gradients).unwrap());
        let bits: Vec<u32> = gradient.iter().map(|value| value.to_bits()).collect();
        let (pushed, others) = bits.split_at(3 * pushed.max(1));
        prop_assert!(pushed.iter().all(|bits| *bits == (-2.0f32).to_bits()));
        prop_assert!(others.iter().all(|bits| *bits == 0));
    }

    /// As where a unit is pushed: the gradients of all other rows are zero.
    #[test]
    fn a_few_rows_of_an_inner_product(
        batch in 1..4usize, rows in 5..60usize, inputs in 2..700usize, outputs in 2..200usize, row in 0..3usize, count in 1..3usize,
    ) {
        for device in devices() {
            let x = draw([batch * rows, inputs], 1, &device);
            let weight = draw([outputs, inputs], 2, &device);
            let product = InnerProduct::new(outputs, inputs, rows);
            let arranged = product.arranged(weight.clone());
            let some = |y: Tensor<2>| y.narrow(0, row, count);
            same(
                &x,
                |x| some(apply_with(x, arranged.clone(), None, product.clone())),
                |x| some(layers::inner_product::plain(x, weight.clone(), None)),
            )?;
        }
    }

    #[test]
    fn layer_normalization(rows in 1..40usize, entries in 2..300usize, factor: bool, term: bool) {
        for device in devices() {
            let x = draw([rows, entries], 1, &device);
            let factor = factor.then(|| draw([entries], 2, &device));
            let term = term.then(|| draw([entries], 3, &device));
            let function = Standardize { entries, eps: 1e-2 };
            same(
                &x,
                |x| match (factor.clone(), term.clone()) {
                    (None, None) => apply(x, function),
                    (None, Some(term)) => apply_with(x, term.ones_like(), Some(term), function),
                    (Some(factor), term) => apply_with(x, factor, term, function),
                },
                |x| general::normalize::standardized(x, factor.clone(), term.clone(), 1e-2),
            )?;
        }
    }

    #[test]
    fn scale(images in 1..4usize, channels in 1..40usize, entries in 1..3000usize, bias: bool) {
        for device in devices() {
            let x: Tensor<3> = draw([images, channels, entries], 1, &device);
            let factor = draw([1, channels, 1], 2, &device);
            let shift = bias.then(|| draw([1, channels, 1], 3, &device));
            same(
                &x,
                |x| {
                    let shift = shift.clone().map(|shift| shift.flatten(0, 2));
                    apply_with(x, factor.clone(), shift, Scale { entries })
                },
                |x| layers::arithmetic::scaled(x, factor.clone(), shift.clone()),
            )?;
        }
    }

    #[test]
    fn softmax_of_rows(rows in 1..60usize, entries in 1..400usize, spread in 0.1f32..60.0) {
        for device in devices() {
            let x: Tensor<2> = draw([rows, entries], 1, &device).mul_scalar(spread);
            let weight = draw([rows, entries], 2, &device);
            // Weighted, as the entries of a softmax have a sum that does not change.
            let (_, value, gradient) = both_ways(&x, |x| apply::<2, 2>(x, Softmax { entries }) * weight.clone());
            let (_, composed_value, composed_gradient) = both_ways(&x, |x| softmax(x, 1) * weight.clone());
            let error = relative_error(&value, &composed_value);
            prop_assert!(error <= TOLERANCE, "values are off by {error:e}");
            // The gradient of a row of which one entry takes all is the difference of nearly equal numbers of at most 1, each of
            // which is rounded.
            let rounded = 16.0 * f64::from(f32::EPSILON);
            for (row, (ours, composed)) in gradient.chunks(entries).zip(composed_gradient.chunks(entries)).enumerate() {
                let largest = composed.iter().fold(0.0f64, |largest, value| largest.max(f64::from(value.abs())));
                let bound = (TOLERANCE * largest).max(rounded);
                for (ours, composed) in ours.iter().zip(composed) {
                    let error = (f64::from(*ours) - f64::from(*composed)).abs();
                    prop_assert!(error <= bound, "row {row}: a gradient is off by {error:e}");
                }
            }
        }
    }

    #[test]
    fn sums_of_rows(rows in 1..60usize, entries in 1..3000usize) {
        let factor = 1.0 / entries as f32;
        for device in devices() {
            let x: Tensor<2> = draw([rows, entries], 1, &device).add_scalar(0.5);
            let weight: Tensor<2> = draw([rows, 1], 2, &device);
            same(
                &x,
                |x| apply::<2, 1>(x, RowSums { entries, factor }).reshape([rows, 1]) * weight.clone(),
                |x| x.mean_dim(1) * weight.clone(),
            )?;
        }
    }

    #[test]
    fn products_of_matrices(
        matrices in 1..7usize, rows in 2..80usize, inner in 2..80usize, columns in 2..80usize, both: bool,
    ) {
        for device in devices() {
            // Both are parts of one value, so that its gradient has those of both.
            let (of_left, of_right) = (rows * inner, inner * columns);
            let x: Tensor<2> = draw([matrices, of_left + of_right], 1, &device);
            let split = |x: Tensor<2>| -> (Tensor<3>, Tensor<3>) {
                let right = if both { x.clone() } else { draw([matrices, of_left + of_right], 2, &device) };
                (
                    x.narrow(1, 0, of_left).reshape([matrices, rows, inner]),
                    right.narrow(1, of_left, of_right).reshape([matrices, inner, columns]),
                )
            };
            same(
                &x,
                |x| {
                    let (left, right) = split(x);
                    apply_two::<3, 3, 3>(left, right, Products { rows, inner, columns }).flatten::<2>(1, 2)
                },
                |x| {
                    let (left, right) = split(x);
                    left.matmul(right).flatten::<2>(1, 2)
                },
            )?;
        }
    }

    #[test]
    fn gates(rows in 1..40usize, entries in 1..3000usize, only_factors: bool) {
        for device in devices() {
            let x: Tensor<2> = draw([rows, entries + 1], 1, &device);
            let constant: Tensor<2> = draw([rows, entries + 1], 2, &device);
            let split = |x: Tensor<2>| -> (Tensor<2>, Tensor<2>) {
                let left = if only_factors { constant.clone() } else { x.clone() };
                (left.narrow(1, 0, entries), x.narrow(1, entries, 1))
            };
            let (_, value, gradient) = both_ways(&x, |x| {
                let (x, factors) = split(x);
                apply_two::<2, 2, 2>(x, factors, Gate { entries })
            });
            let (_, composed_value, composed_gradient) = both_ways(&x, |x| {
                let (x, factors) = split(x);
                x * factors
            });
            let error = relative_error(&value, &composed_value);
            prop_assert!(error <= TOLERANCE, "values are off by {error:e}");
            // The gradients of the factors are long sums, of which the composition's is no truth either: in float64 it is.
            let gated = values(if only_factors { constant.clone() } else { x.clone() });
            let weights = values(draw([rows, entries], WEIGHTS, &device));
            let rows = gated.chunks(entries + 1).zip(weights.chunks(entries));
            let found = gradient.chunks(entries + 1).zip(composed_gradient.chunks(entries + 1));
            for ((gated, weights), (ours, composed)) in rows.zip(found) {
                let error = relative_error(&ours[..entries], &composed[..entries]);
                prop_assert!(error <= TOLERANCE, "gradients are off by {error:e}");
                let terms = gated.iter().zip(weights).map(|(x, weight)| f64::from(*x) * f64::from(*weight));
                let (sum, squares) = terms.fold((0.0, 0.0), |(sum, squares), term| (sum + term, squares + term * term));
                let error = (f64::from(ours[entries]) - sum).abs();
                prop_assert!(error <= TOLERANCE * squares.sqrt(), "a factor's gradient is off by {error:e} of {sum}");
            }
        }
    }

    #[test]
    fn permuted_axes(
        shape in [1..9usize, 1..40usize, 1..9usize, 1..40usize],
        order in Just([0usize, 1, 2, 3]).prop_shuffle(),
    ) {
        for device in devices() {
            let x: Tensor<4> = draw(shape, 1, &device);
            let weight: Tensor<4> = draw(order.map(|axis| shape[axis]), 2, &device);
            same(
                &x,
                |x| apply::<4, 4>(x, Permute { order: order.to_vec() }) * weight.clone(),
                |x| x.permute(order.map(|axis| axis as isize)) * weight.clone(),
            )?;
        }
    }

    #[test]
    fn smooth_functions(entries in 1..70_000usize, spread in 0.1f32..30.0, beta in 0.2f32..3.0) {
        for device in devices() {
            let x: Tensor<4> = draw([1, 1, 1, entries], 1, &device).mul_scalar(spread);
            same(&x, |x| apply(x, Curve::Gelu), general::unary::gelu)?;
            same(&x, |x| apply(x, Curve::GeluTanh), general::unary::gelu_tanh)?;
            same(&x, |x| apply(x, Curve::HardSwish), general::unary::hard_swish)?;
            same(&x, |x| apply(x, Curve::Sigmoid), sigmoid)?;
            same(&x, |x| apply(x, Curve::Swish { beta }), |x| entrywise::swish(x, beta))?;
        }
    }
}

/// By hand: e^0 / (e^0 + e^ln 3) is a quarter; what is masked has no share and no gradient; rows of nothing but masks have none at
/// all, as in PyTorch.
#[test]
fn a_softmax_with_masks() {
    for device in devices() {
        let rows = [
            [0.0, 3f32.ln(), f32::NEG_INFINITY],
            [f32::NEG_INFINITY; 3],
            [f32::NAN, 0.0, 0.0],
        ];
        let x = Tensor::<2>::from_floats(rows, &device).require_grad();
        let y: Tensor<2> = apply(x.clone(), Softmax { entries: 3 });
        let values: Vec<f32> = y.clone().into_data().try_into_vec().unwrap();
        assert!(
            (values[0] - 0.25).abs() < 1e-6 && (values[1] - 0.75).abs() < 1e-6,
            "{values:?}"
        );
        assert_eq!(values[2], 0.0);
        assert!(values[3..].iter().all(|value| value.is_nan()), "{values:?}");
        let gradients = y.narrow(0, 0, 1).narrow(1, 0, 1).sum().backward();
        let gradient: Vec<f32> = x.grad(&gradients).unwrap().into_data().try_into_vec().unwrap();
        // y_0 (1 - y_0), -y_0 y_1, 0.
        assert!(
            (gradient[0] - 0.1875).abs() < 1e-6 && (gradient[1] + 0.1875).abs() < 1e-6,
            "{gradient:?}"
        );
        assert_eq!(gradient[2], 0.0);
    }
}

/// A layer's weight of tokens is kept turned; another weight is turned anew.
#[test]
fn another_weight_of_tokens_is_turned_anew() {
    for device in devices() {
        let product = InnerProduct::new(5, 7, 3);
        let x: Tensor<2> = draw([6, 7], 1, &device);
        for seed in 2..5 {
            let weight: Tensor<2> = draw([5, 7], seed, &device);
            let ours: Tensor<2> = apply_with(x.clone(), weight.clone(), None, product.clone());
            let difference = (ours - x.clone().matmul(weight.transpose())).abs().max();
            assert!(difference.into_scalar::<f32>() < 1e-5);
        }
    }
}
