use burn::tensor::{Device, Tensor};
use deepvis::objective::{Array, Expression, Objective, Sources};

use super::{Case, Reference, case, devices, gpu};

/// A case's arrays as a network and its files.
struct OfCase<'a>(&'a Case, Vec<(String, Vec<usize>)>);

impl Sources for OfCase<'_> {
    fn shape(&self, layer: &str) -> Result<[usize; 3], String> {
        let found = self.1.iter().find(|(name, _)| name == layer);
        let shape = &found.ok_or_else(|| format!("no layer {layer}"))?.1;
        Ok([
            shape[1],
            shape.get(2).copied().unwrap_or(1),
            shape.get(3).copied().unwrap_or(1),
        ])
    }

    fn channel(&self, _: &str, label: &str) -> Result<usize, String> {
        if label == "owl" {
            Ok(2)
        } else {
            Err(format!("no class is called {label}"))
        }
    }

    fn array(&self, file: &str) -> Result<Array, String> {
        // "name[2]" is the array of the third image.
        let (name, image) = file.split_once('[').map_or((file, None), |(name, rest)| {
            (name, Some(rest.trim_end_matches(']').parse::<usize>().unwrap()))
        });
        let mut array = self.0.array(name);
        if let Some(image) = image {
            let entries: usize = array.shape.remove(0);
            let entries = array.values.len() / entries;
            array.values = array.values[image * entries..(image + 1) * entries].to_vec();
        }
        #[expect(clippy::cast_possible_truncation, reason = "tensors are float32")]
        let values = array.values.iter().map(|value| *value as f32).collect();
        Ok(Array {
            values,
            shape: array.shape,
        })
    }

    fn photo(&self, _: &str, _: &str) -> Result<Array, String> {
        Err("there are no photos here".into())
    }
}

/// How values of images become the library's.
#[derive(Clone, Copy)]
enum Whole {
    Sum,
    Mean,
}

/// Case, our objective, the library's layers and ours, sum or mean over images, and the factor that makes ours theirs.
type Row = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, &'static str)],
    Whole,
    f64,
);

const A: &[(&str, &str, &str)] = &[("a", "acts_a", "grad_a")];
const AB: &[(&str, &str, &str)] = &[("a", "acts_a", "grad_a"), ("b", "acts_b", "grad_b")];
const X: &[(&str, &str, &str)] = &[("a", "acts", "grad")];
const INPUT: &[(&str, &str, &str)] = &[("", "acts_input", "grad_input")];

const ROWS: &[Row] = &[
    ("objectives/lucid_channel", "channel(a, 3)", A, Whole::Mean, 1.0),
    (
        "objectives/lucid_channel-batch",
        "channel(a, 3, image=1)",
        A,
        Whole::Sum,
        1.0,
    ),
    ("objectives/lucid_channel-fc", "channel(a, 7)", A, Whole::Mean, 1.0),
    ("objectives/lucid_class_logit", "neuron(a, owl)", A, Whole::Sum, 1.0),
    ("objectives/lucid_neuron", "neuron(a, 2)", A, Whole::Mean, 1.0),
    (
        "objectives/lucid_neuron-xy",
        "neuron(a, 2, row=1, column=3)",
        A,
        Whole::Mean,
        1.0,
    ),
    ("objectives/lucid_deepdream", "layer(a)", A, Whole::Mean, 1.0),
    (
        "objectives/lucid_direction-pow0",
        "direction(a, vec)",
        A,
        Whole::Mean,
        1.0,
    ),
    (
        "objectives/lucid_direction-pow1",
        "direction(a, vec, power=1)",
        A,
        Whole::Mean,
        1.0,
    ),
    (
        "objectives/lucid_direction-pow2",
        "direction(a, vec, power=2)",
        A,
        Whole::Mean,
        1.0,
    ),
    (
        "objectives/lucid_direction-pow4",
        "direction(a, vec, power=4)",
        A,
        Whole::Mean,
        1.0,
    ),
    (
        "objectives/lucid_direction_neuron-pow2",
        "direction_neuron(a, vec, power=2)",
        A,
        Whole::Mean,
        1.0,
    ),
    (
        "objectives/lucid_tensor_direction-pow2",
        "tensor_direction(a, tvec, power=2)",
        A,
        Whole::Mean,
        1.0,
    ),
    (
        "objectives/lucid_channel_interpolate",
        "interpolate(a, 1, b, 4)",
        AB,
        Whole::Sum,
        1.0,
    ),
    ("objectives/lucid_diversity", "diversity(a)", A, Whole::Mean, 1.0),
    ("objectives/lucid_alignment", "alignment(a)", A, Whole::Sum, 1.0),
    (
        "objectives/lucid_sum",
        "0.2*channel(a, 1) + 0.8*channel(b, 2) - 100*diversity(a)",
        AB,
        Whole::Mean,
        1.0,
    ),
    ("objectives/lucid_L1", "l1(0.5)", INPUT, Whole::Sum, 1.0),
    (
        "objectives/lucid_blur_input_each_step",
        "blur_penalty()",
        INPUT,
        Whole::Sum,
        1.0,
    ),
    (
        "objectives/lucid_total_variation",
        "total_variation()",
        INPUT,
        Whole::Sum,
        1.0,
    ),
    (
        "objectives/lucid_penalize_boundary_complexity",
        "boundary(4, 0.5)",
        INPUT,
        Whole::Sum,
        -1.0,
    ),
    ("objectives/lucent_channel", "channel(a, 3)", A, Whole::Mean, -1.0),
    (
        "objectives/lucent_channel-batch2",
        "channel(a, 3, image=2)",
        A,
        Whole::Sum,
        -1.0,
    ),
    ("objectives/lucent_channel-fc", "channel(a, 7)", A, Whole::Mean, -1.0),
    (
        "objectives/lucent_channel_interpolate",
        "interpolate(a, 1, b, 4)",
        AB,
        Whole::Sum,
        -1.0,
    ),
    (
        "objectives/lucent_channel_weight",
        "direction(a, vec)",
        A,
        Whole::Mean,
        -1.0 / 6.0,
    ),
    ("objectives/lucent_direction", "cosine(a, vec)", A, Whole::Mean, -1.0),
    (
        "objectives/lucent_neuron-xy",
        "neuron(a, 1, row=3, column=2)",
        A,
        Whole::Mean,
        -1.0,
    ),
    (
        "objectives/lucent_neuron-even-square",
        "neuron(a, 1)",
        A,
        Whole::Mean,
        -1.0,
    ),
    (
        "objectives/lucent_neuron_weight",
        "direction_neuron(a, vec)",
        A,
        Whole::Mean,
        -1.0 / 6.0,
    ),
    (
        "objectives/lucent_alignment-decay3",
        "alignment(a, decay=3)",
        A,
        Whole::Sum,
        -1.0,
    ),
    (
        "objectives/lucent_sum-weighted",
        "0.2*channel(a, 1) + 0.8*channel(b, 2) - 10*diversity(a)",
        AB,
        Whole::Mean,
        -1.0,
    ),
    (
        "objectives/captum_ChannelActivation",
        "channel(a, 3)",
        A,
        Whole::Mean,
        -1.0,
    ),
    (
        "objectives/captum_NeuronActivation",
        "neuron(a, 3)",
        A,
        Whole::Mean,
        -1.0,
    ),
    (
        "objectives/captum_NeuronActivation-xy",
        "neuron(a, 3, row=2, column=4)",
        A,
        Whole::Mean,
        -1.0,
    ),
    ("objectives/captum_DeepDream", "layer(a)", A, Whole::Mean, -1.0),
    ("objectives/captum_LayerActivation", "mean(a)", A, Whole::Mean, -1.0),
    (
        "objectives/captum_Direction-pow0",
        "direction(a, vec)",
        A,
        Whole::Mean,
        -1.0,
    ),
    ("objectives/captum_Diversity", "diversity(a)", A, Whole::Mean, 1.0),
    ("objectives/xplique_layer-magnitude", "layer(a)", X, Whole::Mean, 1.0),
    ("objectives/xplique_layer-mean", "mean(a)", X, Whole::Mean, 1.0),
];

fn check((name, text, layers, whole, factor): &Row, device: &Device) {
    let Some(case) = case(name) else { return };
    let autodiff = device.clone().autodiff();
    let arrays: Vec<(&str, Reference)> = layers
        .iter()
        .map(|(layer, acts, _)| (*layer, case.array(acts)))
        .collect();
    let shapes = arrays
        .iter()
        .map(|(layer, array)| ((*layer).to_owned(), array.shape.clone()));
    let sources = OfCase(&case, shapes.collect());
    let objective = Objective::new(Expression::parse(text).unwrap(), &sources, device).unwrap();
    let tensors: Vec<(&str, Tensor<4>)> = arrays
        .iter()
        .map(|(layer, array)| (*layer, array.four(&autodiff).require_grad()))
        .collect();
    let batch = tensors[0].1.dims()[0];
    let image = match tensors[0] {
        ("", ref image) => image.clone(),
        _ => Tensor::zeros([batch, 1, 2, 2], &autodiff),
    };
    let values = objective.evaluate(&tensors, &image, batch);
    assert_eq!(values.dims(), [batch, 1]);
    let value = match whole {
        Whole::Sum => values.sum(),
        Whole::Mean => values.mean(),
    }
    .mul_scalar(*factor);
    let gradients = value.backward();
    let expected = case.array("value");
    let expected = Reference {
        values: vec![expected.values.iter().sum()],
        shape: vec![1],
    };
    case.same("value", value, &expected);
    for ((_, tensor), (_, _, gradient)) in tensors.iter().zip(*layers) {
        case.same(gradient, tensor.grad(&gradients).unwrap(), &case.array(gradient));
    }
}

#[test]
fn values_and_gradients_are_the_libraries() {
    for device in devices() {
        for row in ROWS {
            check(row, &device);
        }
    }
}

#[test]
fn values_and_gradients_are_the_same_on_a_gpu() {
    let Some(device) = gpu() else { return };
    for row in [&ROWS[0], &ROWS[9], &ROWS[14]] {
        check(row, &device);
    }
}

/// horama adds up the dot products of all images; without a cosine that is the sum of each by itself.
#[test]
fn dot_products_of_each_image_add_up_to_horamas() {
    let Some(case) = case("objectives/horama_dot_cossim-pow0") else {
        return;
    };
    for device in devices() {
        let acts = case.array("acts_a");
        let a = acts.four(&device.clone().autodiff()).require_grad();
        let batch = acts.shape[0];
        let sources = OfCase(&case, vec![("a".into(), acts.shape.clone())]);
        let values = (0..batch).map(|image| {
            let text = format!("dot_cosine(a, target_b[{image}], power=0)");
            let objective = Objective::new(Expression::parse(&text).unwrap(), &sources, &device).unwrap();
            let alone = a.clone().narrow(0, image, 1);
            objective.evaluate(&[("a", alone.clone())], &alone, 1)
        });
        let value = Tensor::cat(values.collect(), 0).sum();
        let gradients = value.backward();
        case.same("value", value, &case.array("value"));
        case.same("gradient", a.grad(&gradients).unwrap(), &case.array("grad_a"));
    }
}

#[test]
fn what_does_not_fit_the_network_is_told() {
    let Some(case) = case("objectives/lucid_direction-pow0") else {
        return;
    };
    let sources = OfCase(
        &case,
        vec![("a".into(), vec![4, 6, 5, 7]), ("b".into(), vec![4, 3, 5, 7])],
    );
    let error = |text: &str| {
        let expression = Expression::parse(text).unwrap();
        Objective::new(expression, &sources, &Device::flex())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error("1 + channel(a, 6)"),
        "channel(a, 6): a has channels 0 to 5, but no 6"
    );
    assert_eq!(error("neuron(a, cat)"), "neuron(a, cat): no class is called cat");
    assert_eq!(error("layer(c)"), "layer(c): no layer c");
    assert_eq!(
        error("direction(b, vec)"),
        "direction(b, vec): vec has shape [6]; b needs [3]"
    );
    assert_eq!(
        error("neuron(a, 1, row=5, column=0)"),
        "neuron(a, 1, row=5, column=0): a has 5 rows and 7 columns, counted from 0"
    );
}
