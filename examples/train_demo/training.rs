//! Training against disturbances: each picture is first changed, within a distance, the way that confuses the network most
//! (one step of it, from a random place; Wong et al. 2020, "Fast is better than free"). Units of a network trained so ask for
//! whole figures, while those of a plainly trained one are content with noise that no person recognizes.

use std::io::Write;
use std::time::Instant;

use burn::grad_clipping::GradientClippingConfig;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::Arguments;
use crate::network::Demo;
use crate::pictures::{Class, SIZE, classes, picture};

/// What is subtracted from every grey level, and what then divides it.
pub const MEAN: f32 = 128.0;
/// See [`MEAN`].
pub const SCALE: f32 = 64.0;
/// Part of the steps in which the learning rate grows.
const WARM_UP: f64 = 0.03;
/// Parts of the steps between which the disturbance grows: a network that knows nothing yet would learn nothing under it.
const GROWTH: [f64; 2] = [0.1, 0.6];
/// The step towards the worst disturbance, in lengths of the disturbance.
const REACH: f32 = 1.25;
/// Numbers of held-out pictures begin here; training never gets so far.
const HELD_OUT: u64 = 1 << 40;

/// Trains a network, telling how it goes.
pub fn train(arguments: &Arguments) -> Demo {
    let device = Device::flex().autodiff();
    device.seed(arguments.seed);
    let classes = classes();
    let mut network = Demo::new(classes.len(), &device);
    let mut optimizer = AdamWConfig::new()
        .with_weight_decay(5e-4)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
        .init();
    let loss = CrossEntropyLossConfig::new().init(&device);
    let begun = Instant::now();
    let mut recent = 0.0f32;
    for step in 0..arguments.steps {
        let (rate, disturbance) = schedule(step, arguments);
        let first = (step * arguments.batch) as u64;
        let (images, labels) = batch(&classes, arguments.seed, first..first + arguments.batch as u64, &device);
        let images = disturbed(&network, images, &labels, disturbance, &loss);
        let loss = loss.forward(network.forward(images, false), labels);
        let value: f32 = loss.clone().into_scalar();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(rate, network, gradients);
        recent = if step == 0 { value } else { 0.98 * recent + 0.02 * value };
        if (step + 1) % 50 == 0 {
            let elapsed = begun.elapsed().as_secs_f64();
            let left = elapsed / (step + 1) as f64 * (arguments.steps - step - 1) as f64;
            println!(
                "step {:>5}/{}  loss {recent:.3}  {elapsed:.0} s, {left:.0} s left",
                step + 1,
                arguments.steps
            );
            let _ = std::io::stdout().flush();
        }
    }
    report(&network, &classes, arguments, &device);
    network
}

/// Learning rate and length of the disturbance (in the network's units) of a step.
fn schedule(step: usize, arguments: &Arguments) -> (f64, f32) {
    let done = step as f64 / arguments.steps as f64;
    let rate = if done < WARM_UP {
        (done / WARM_UP).max(0.05)
    } else {
        0.5 + 0.5 * (std::f64::consts::PI * (done - WARM_UP) / (1.0 - WARM_UP)).cos()
    };
    let grown = ((done - GROWTH[0]) / (GROWTH[1] - GROWTH[0])).clamp(0.0, 1.0);
    (arguments.rate * rate, arguments.disturbance / SCALE * grown as f32)
}

/// Pictures of all classes in turn, as the network takes them, and their classes.
fn batch(classes: &[Class], seed: u64, numbers: std::ops::Range<u64>, device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
    let count = (numbers.end - numbers.start) as usize;
    let class_of = |number: u64| (number % classes.len() as u64) as usize;
    let pixels: Vec<f32> = numbers
        .clone()
        .into_par_iter()
        .flat_map_iter(|number| picture(&classes[class_of(number)], seed, number))
        .map(|value| (value - MEAN) / SCALE)
        .collect();
    let labels: Vec<i32> = numbers.map(|number| class_of(number) as i32).collect();
    let images = Tensor::from_data(TensorData::new(pixels, [count, 3, SIZE, SIZE]), device);
    (images, Tensor::from_data(TensorData::new(labels, [count]), device))
}

/// The pictures, changed against the network.
fn disturbed(
    network: &Demo,
    images: Tensor<4>,
    labels: &Tensor<1, Int>,
    length: f32,
    loss: &burn::nn::loss::CrossEntropyLoss,
) -> Tensor<4> {
    let images = images.inner();
    let noise = unit_length(images.random_like(burn::tensor::Distribution::Normal(0.0, 1.0))) * (length / 2.0);
    let start = (images.clone() + noise.clone()).autodiff().require_grad();
    let gradients = loss
        .forward(network.forward(start.clone(), true), labels.clone())
        .backward();
    let Some(gradient) = start.grad(&gradients) else {
        return images.autodiff();
    };
    let disturbance = noise + unit_length(gradient) * (REACH * length);
    let excess = lengths(disturbance.clone()).div_scalar(length.max(1e-6)).clamp_min(1.0);
    let edge = (255.0 - MEAN) / SCALE;
    (images + disturbance / excess).clamp(-MEAN / SCALE, edge).autodiff()
}

fn lengths(images: Tensor<4>) -> Tensor<4> {
    let [count, ..] = images.dims();
    let flat: Tensor<2> = images.flatten(1, 3);
    flat.square()
        .sum_dim(1)
        .sqrt()
        .clamp_min(1e-8)
        .reshape([count, 1, 1, 1])
}

fn unit_length(images: Tensor<4>) -> Tensor<4> {
    let lengths = lengths(images.clone());
    images / lengths
}

/// Accuracy on pictures that training never saw, as a whole and by class.
fn report(network: &Demo, classes: &[Class], arguments: &Arguments, device: &Device) {
    let mut right = vec![0u64; classes.len()];
    for round in 0..arguments.held_out {
        let first = HELD_OUT.next_multiple_of(classes.len() as u64) + round * classes.len() as u64;
        let (images, _) = batch(classes, arguments.seed, first..first + classes.len() as u64, device);
        let chosen = network.forward(images, true).argmax(1).into_data();
        for (class, chosen) in chosen.iter::<i64>().enumerate() {
            right[class] += u64::from(chosen == class as i64);
        }
    }
    for (class, right) in classes.iter().zip(&right) {
        println!("{:>20}  {right}/{}", class.label, arguments.held_out);
    }
    let all = arguments.held_out * classes.len() as u64;
    println!(
        "held-out accuracy {:.2} %",
        100.0 * right.iter().sum::<u64>() as f64 / all as f64
    );
}
