//! Random networks of all kinds of layers: an image's figures are the same alone and in a batch, wherever a network says that it
//! keeps images apart; nothing panics. The same nets every time: a seed makes each.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use deepvis::ascent::pass;
use deepvis::network::{InputSize, Network};
use rand_mt::Mt;

use crate::fetch::random_weights;
use crate::support::MOST_ENTRIES;

/// Networks that are drawn.
const NETS: u32 = 3000;

struct Dice(Mt);

impl Dice {
    fn below(&mut self, sides: u32) -> u32 {
        self.0.next_u32() % sides
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u32) as usize]
    }
}

/// A layer's type and settings, and how many inputs it takes.
fn layer(dice: &mut Dice) -> (String, usize) {
    let axis = dice.one(&["0", "1", "2", "3", "-1", "-2", "-4"]);
    let small = dice.below(3) + 1;
    let plain = |kind: &str, settings: String, inputs: usize| (format!("type: \"{kind}\" {settings}"), inputs);
    match dice.below(36) {
        0..=2 => {
            let pad = dice.below(2);
            let (out, stride) = (dice.below(4) + 1, dice.below(2) + 1);
            let settings = format!("num_output: {out} kernel_size: {small} pad: {pad} stride: {stride}");
            plain("Convolution", format!("convolution_param {{ {settings} }}"), 1)
        }
        3 => plain(
            "Deconvolution",
            format!("convolution_param {{ num_output: 2 kernel_size: {small} }}"),
            1,
        ),
        4 | 5 => {
            let kind = dice.one(&["MAX", "AVE"]);
            plain(
                "Pooling",
                format!("pooling_param {{ pool: {kind} kernel_size: {small} stride: {small} }}"),
                1,
            )
        }
        6 => {
            let region = dice.one(&["ACROSS_CHANNELS", "WITHIN_CHANNEL"]);
            plain(
                "LRN",
                format!("lrn_param {{ local_size: 3 alpha: 0.5 norm_region: {region} }}"),
                1,
            )
        }
        7 | 8 => plain(
            "InnerProduct",
            format!("inner_product_param {{ num_output: 3 axis: {axis} }}"),
            1,
        ),
        9 => plain(
            "InnerProduct",
            format!("inner_product_param {{ num_output: 2 axis: {axis} transpose: true }}"),
            1,
        ),
        10 => plain(
            dice.one(&["ReLU", "Sigmoid", "TanH", "AbsVal", "BNLL", "ELU", "Dropout"]),
            String::new(),
            1,
        ),
        11 => plain("PReLU", String::new(), 1),
        12 => plain("Power", "power_param { power: 2 scale: 0.01 shift: 1 }".into(), 1),
        13 => plain("Exp", "exp_param { scale: 0.01 }".into(), 1),
        14 => plain("BatchNorm", String::new(), 1),
        15 => plain("Scale", format!("scale_param {{ axis: {axis} bias_term: true }}"), 1),
        16 => plain("Bias", format!("bias_param {{ axis: {axis} }}"), 1),
        17 => plain(
            "Eltwise",
            format!("eltwise_param {{ operation: {} }}", dice.one(&["SUM", "PROD", "MAX"])),
            2,
        ),
        18..=20 => plain("Concat", format!("concat_param {{ axis: {axis} }}"), 2),
        21 => plain("Slice", format!("slice_param {{ axis: {axis} }}"), 1),
        22 | 23 => plain("Softmax", format!("softmax_param {{ axis: {axis} }}"), 1),
        24 | 25 => plain("Flatten", format!("flatten_param {{ axis: {axis} }}"), 1),
        26..=28 => {
            let dims = dice.one(&[
                "dim: 0 dim: -1",
                "dim: 1 dim: -1",
                "dim: -1 dim: 4",
                "dim: 0 dim: -1 dim: 2 dim: 0",
                "dim: 2 dim: -1",
            ]);
            plain("Reshape", format!("reshape_param {{ shape {{ {dims} }} }}"), 1)
        }
        29 => {
            let flags = dice.one(&["", "across_channels: true", "normalize_variance: false"]);
            plain("MVN", format!("mvn_param {{ {flags} }}"), 1)
        }
        30 | 31 => plain("Tile", format!("tile_param {{ axis: {axis} tiles: {small} }}"), 1),
        32 => {
            let operation = dice.one(&["SUM", "ASUM", "SUMSQ", "MEAN"]);
            plain(
                "Reduction",
                format!("reduction_param {{ axis: {axis} operation: {operation} }}"),
                1,
            )
        }
        33 | 34 => {
            let order = dice.one(&["0 1 2 3", "0 2 3 1", "1 0 2 3", "3 2 1 0", "0 3 1 2"]);
            let order: String = order.split(' ').map(|axis| format!("order: {axis} ")).collect();
            plain("Permute", format!("permute_param {{ {order} }}"), 1)
        }
        _ => {
            let flags = dice.one(&["", "across_spatial: false", "channel_shared: false"]);
            plain("Normalize", format!("norm_param {{ {flags} }}"), 1)
        }
    }
}

/// The text of a network of up to six layers; the last one is `y`.
fn prototxt(seed: u32) -> String {
    let mut dice = Dice(Mt::new(seed));
    let [channels, rows, columns] = [dice.below(4) + 1, dice.below(5) + 2, dice.below(5) + 2];
    let mut text = format!(
        "layer {{ name: \"data\" type: \"Input\" top: \"data\" input_param {{ shape {{ dim: 1 dim: {channels} dim: {rows} dim: \
         {columns} }} }} }}\n"
    );
    let mut blobs = vec!["data".to_owned()];
    let layers = dice.below(6) + 1;
    for number in 1..=layers {
        let (body, inputs) = layer(&mut dice);
        let name = if number == layers {
            "y".to_owned()
        } else {
            format!("l{number}")
        };
        text += &format!("layer {{ name: \"{name}\" {body} top: \"{name}\"");
        // Mostly the layer before.
        let last = blobs[blobs.len() - 1].clone();
        for input in 0..inputs {
            let blob = if input == 0 || dice.below(2) == 0 {
                last.clone()
            } else {
                blobs[dice.below(blobs.len() as u32) as usize].clone()
            };
            text += &format!(" bottom: \"{blob}\"");
        }
        text += " }\n";
        blobs.push(name);
    }
    text
}

/// Values and gradient of each image, as bits, of images that go through together.
pub fn together(network: &Network, images: &[Vec<f32>], device: &Device) -> Vec<(Vec<u32>, Vec<u32>)> {
    let [channels, rows, columns] = network.image();
    let count = images.len();
    let data = TensorData::new(images.concat(), [count, channels, rows, columns]);
    let (values, gradient) = pass(network, Tensor::from_data(data, device), |targets| {
        let target = targets.into_iter().next().unwrap();
        let len = target.value.shape().iter().product::<usize>() / count;
        let mut random = Mt::new(5);
        let weights: Vec<f32> = (0..len).map(|_| random.next_u32() as f32 / u32::MAX as f32).collect();
        let weights = Tensor::<2>::from_data(TensorData::new(weights, [1, len]), &device.clone().autodiff());
        let values: Vec<f32> = target.value.tensor().into_data().try_into_vec().unwrap();
        ((target.pushed.view([count, len]) * weights).sum(), values)
    });
    let gradient: Vec<f32> = gradient.into_data().try_into_vec().unwrap();
    let bits = |values: &[f32]| -> Vec<Vec<u32>> {
        values
            .chunks(values.len() / count)
            .map(|of_one| of_one.iter().map(|value| value.to_bits()).collect())
            .collect()
    };
    bits(&values).into_iter().zip(bits(&gradient)).collect()
}

#[test]
fn images_of_a_batch_are_kept_apart_by_random_networks() {
    let device = Device::flex();
    let (mut apart, mut mixing) = (0, 0);
    for seed in 0..NETS {
        let text = prototxt(seed);
        let Ok(graph) = deepvis_importer::caffe::text::parse_net(text.clone(), Path::new("random"))
            .and_then(|parsed| deepvis_importer::caffe::upgrade::to_current(parsed.net, Path::new("random")))
            .and_then(|net| deepvis_importer::caffe::convert::graph(&net))
        else {
            continue;
        };
        let weights = random_weights::weights(&graph, seed);
        let built = Network::build(&graph, &weights, &["y"], InputSize::Declared, &device, MOST_ENTRIES);
        let Ok(network) = built else { continue };
        if network.shape(0).first().is_some_and(|count| *count == 0) {
            continue;
        }
        let mut random = Mt::new(seed);
        let images: Vec<Vec<f32>> = (0..3)
            .map(|_| {
                let entries = network.image().iter().product();
                (0..entries)
                    .map(|_| random.next_u32() as f32 / u32::MAX as f32 * 4.0 - 2.0)
                    .collect()
            })
            .collect();
        let run = |images: &[Vec<f32>]| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| together(&network, images, &device)))
                .unwrap_or_else(|_| panic!("seed {seed}, {} images: it panics\n{text}", images.len()))
        };
        let alone: Vec<_> = images
            .iter()
            .flat_map(|image| run(std::slice::from_ref(image)))
            .collect();
        if !network.keeps_images_apart() {
            mixing += 1;
            continue;
        }
        apart += 1;
        for count in 2..=3 {
            assert!(
                run(&images[..count]) == alone[..count],
                "seed {seed}, {count} images\n{text}"
            );
        }
    }
    assert!(
        apart > 500 && mixing > 200,
        "{apart} keep images apart, {mixing} mix them: too few to tell"
    );
}
