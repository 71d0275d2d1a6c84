//! How a network takes images: flags, settings and model folders, against (pixel - mean) / std worked out by hand.

use std::path::Path;

use crate::program::{deepvis, refused, said, words, worked};
use crate::support::npy32;

/// Red, green and blue of a picture of 2 x 2 equal pixels.
const PIXEL: [u8; 3] = [200, 100, 40];

/// A network that gives its input back as "same", and what lies in its folder: weights, a picture.
fn network(folder: &Path, channels: usize) {
    let input = format!("shape {{ dim: 1 dim: {channels} dim: 2 dim: 2 }}");
    let text = format!(
        "layer {{ name: \"data\" type: \"Input\" top: \"data\" input_param {{ {input} }} }}\n\
         layer {{ name: \"same\" type: \"Power\" bottom: \"data\" top: \"same\" }}\n"
    );
    std::fs::write(folder.join("net.prototxt"), text).unwrap();
    // A caffemodel with weights of a layer that no network here has.
    let weights = b"\xa2\x06\x11\x0a\x02zz:\x0b:\x03\x0a\x01\x01*\x04\x10X\xb0>";
    std::fs::write(folder.join("net.caffemodel"), weights).unwrap();
    image::RgbImage::from_pixel(2, 2, image::Rgb(PIXEL))
        .save(folder.join("photo.png"))
        .unwrap();
}

/// What the network sees of the picture, a value per channel.
#[track_caller]
fn seen(folder: &Path, flags: &[&str], net: &str) -> Vec<f32> {
    let mut line = words("forward --backend flex --input photo.png --layer same --output-dir out --brave");
    line.push(net);
    line.extend(flags);
    let output = deepvis(folder, &line);
    worked(&output);
    let values = npy32(&folder.join("out/output.npy"));
    let values: Vec<f32> = values.iter().copied().collect();
    assert!(
        values
            .chunks(4)
            .all(|channel| channel.iter().all(|value| *value == channel[0]))
    );
    values.chunks(4).map(|channel| channel[0]).collect()
}

#[track_caller]
fn near(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
    for (found, expected) in found.iter().zip(expected) {
        let error = (f64::from(*found) - expected).abs();
        assert!(error < 1e-5 * expected.abs().max(1.0), "{found}, expected {expected}");
    }
}

#[test]
fn each_flag_does_its_part() {
    let folder = tempfile::tempdir().unwrap();
    network(folder.path(), 3);
    let of = |flags: &[&str]| seen(folder.path(), flags, "net.caffemodel");
    let [red, green, blue] = PIXEL.map(f64::from);
    near(&of(&[]), &[blue, green, red]);
    near(&of(&["--channel-order", "bgr"]), &[blue, green, red]);
    near(&of(&["--channel-order", "rgb"]), &[red, green, blue]);
    near(&of(&["--channel-swap-to-rgb", "(1,2,0)"]), &[blue, red, green]);
    near(
        &of(&["--mean", "(1,2,3)", "--input-scale", "0.017"]),
        &[(blue - 1.0) * 0.017, (green - 2.0) * 0.017, (red - 3.0) * 0.017],
    );
    let each = [blue * 0.5, green * 0.25, red * 0.2];
    near(&of(&["--input-scale", "(0.5,0.25,0.2)"]), &each);
    near(&of(&["--std", "(2,4,5)"]), &each);
    near(&of(&["--input-std", "(2,4,5)"]), &each);
    // torchvision.transforms.Normalize of an image from 0 to 1.
    let torchvision = [
        (red / 255.0 - 0.485) / 0.229,
        (green / 255.0 - 0.456) / 0.224,
        (blue / 255.0 - 0.406) / 0.225,
    ];
    near(&of(&["--preprocess", "torchvision"]), &torchvision);
    // A single part counts before the scheme.
    near(
        &of(&["--preprocess", "torchvision", "--input-scale", "2"]),
        &[2.0 * (red - 123.675), 2.0 * (green - 116.28), 2.0 * (blue - 103.53)],
    );
    near(
        &of(&["--preprocess", "keras-tf", "--channel-order", "bgr", "--mean", "None"]),
        &[blue / 127.5, green / 127.5, red / 127.5],
    );
    let grey = tempfile::tempdir().unwrap();
    network(grey.path(), 1);
    let values = seen(grey.path(), &["--input-scale", "0.00390625"], "net.caffemodel");
    let luma = seen(grey.path(), &[], "net.caffemodel");
    near(&values, &[f64::from(luma[0]) / 256.0]);
}

#[test]
fn settings_and_folders_say_the_same_and_flags_count_before_them() {
    let folder = tempfile::tempdir().unwrap();
    network(folder.path(), 3);
    let [red, green, blue] = PIXEL.map(f64::from);
    let settings = |text: &str| std::fs::write(folder.path().join("deepvis.toml"), text).unwrap();
    let of = |flags: &[&str]| seen(folder.path(), flags, "net.caffemodel");
    settings("input_scale = \"0.5\"\nchannel_order = \"rgb\"\nmean = \"(10,20,30)\"\n");
    near(
        &of(&[]),
        &[(red - 10.0) / 2.0, (green - 20.0) / 2.0, (blue - 30.0) / 2.0],
    );
    near(&of(&["--std", "1"]), &[red - 10.0, green - 20.0, blue - 30.0]);
    near(
        &of(&["--channel-swap-to-rgb", "(2,1,0)"]),
        &[(blue - 10.0) / 2.0, (green - 20.0) / 2.0, (red - 30.0) / 2.0],
    );
    // A scheme says all of it.
    near(&of(&["--preprocess", "none"]), &[red, green, blue]);
    near(
        &of(&["--preprocess", "caffe"]),
        &[blue - 103.939, green - 116.779, red - 123.68],
    );
    settings("std = \"4\"\npreprocess = \"keras-tf\"\n");
    near(&of(&[]), &[red, green, blue].map(|pixel| (pixel - 127.5) / 4.0));
    // The folder of a model is the model's, settings beside it complete it.
    let model = folder.path().join("model");
    std::fs::create_dir(&model).unwrap();
    for file in ["net.prototxt", "net.caffemodel"] {
        std::fs::rename(folder.path().join(file), model.join(file)).unwrap();
    }
    std::fs::write(model.join("deepvis.toml"), "input_scale = \"(1,2,3)\"\n").unwrap();
    settings("input_std = \"4\"\nchannel_order = \"rgb\"\n");
    near(&seen(folder.path(), &[], "model"), &[red, 2.0 * green, 3.0 * blue]);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    network(folder.path(), 3);
    let run = |flags: &str| {
        let line =
            format!("forward net.caffemodel --backend flex --input photo.png --layer same --output-dir out {flags}");
        deepvis(folder.path(), &words(&line))
    };
    refused(
        &run("--std 2 --input-scale 0.5"),
        &["--input-std and --input-scale", "give one"],
    );
    refused(
        &run("--channel-order rgb --channel-swap-to-rgb (0,1,2)"),
        &["--channel-swap-to-rgb and --channel-order", "give one"],
    );
    for wrong in ["0", "(1,0,1)", "1e-60", "1e60", "nan", "x"] {
        refused(&run(&format!("--input-scale {wrong}")), &["--input-scale", wrong]);
        refused(&run(&format!("--std {wrong}")), &["--input-std", wrong]);
    }
    refused(&run("--input-scale (1,2)"), &["2 values", "3 channels"]);
    refused(&run("--channel-order gbr"), &["--channel-order", "gbr", "rgb or bgr"]);
    let settings = |text: &str| std::fs::write(folder.path().join("deepvis.toml"), text).unwrap();
    settings("input_std = \"2\"\ninput_scale = \"2\"\n");
    refused(&run(""), &["deepvis.toml", "input_std and input_scale"]);
    settings("channel_order = \"rgb\"\nchannel_swap_to_rgb = \"(0,1,2)\"\n");
    refused(&run(""), &["deepvis.toml", "channel_swap_to_rgb and channel_order"]);
    settings("input_scale = \"-1\"\n");
    refused(&run(""), &["deepvis.toml", "input_scale", "-1"]);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn classify_and_optimize_see_the_same() {
    let folder = tempfile::tempdir().unwrap();
    network(folder.path(), 3);
    let line = "classify net.caffemodel photo.png --backend flex --mean (1,1,1) --input-scale 0.5 --top 1";
    let output = deepvis(folder.path(), &words(line));
    worked(&output);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Red is the largest: its first pixel is entry 8 of 3 x 2 x 2.
    let entry: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(entry, ["99.500000", "8"], "{text}");
    // The first value of an ascent is that of its start, the mean: 0, then it is 20 steps along a gradient of 0.5,
    // and half of that is seen.
    let climbed = |flags: &str| {
        let line = format!(
            "optimize net.caffemodel --backend flex --push-layer same --push-channel 1 --start-at mean --mean (1,1,1) \
             --lr-params {{'lr':20}} --max-iter 2 --brave --output-prefix r/x {flags}"
        );
        let output = deepvis(folder.path(), &words(&line));
        worked(&output);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        (shown, said(&output))
    };
    let value = |shown: &str| -> f64 { shown.split_whitespace().nth(2).unwrap().parse().unwrap() };
    let (with, said) = climbed("--input-scale 0.5");
    assert!(said.contains("mean (1,1,1), divided by 2"), "{said}");
    let (without, _) = climbed("");
    assert!((value(&with) - 5.0).abs() < 0.06, "{with}");
    assert!((value(&without) - 20.0).abs() < 0.06, "{without}");
}

#[test]
fn numbers_of_images_to_1_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    network(folder.path(), 3);
    let said_of = |flags: &str| {
        let line = format!("classify net.caffemodel photo.png --backend flex {flags}");
        said(&deepvis(folder.path(), &words(&line)))
    };
    let noticed = "multiply mean and standard deviation";
    assert!(said_of("--mean (0.485,0.456,0.406) --std (0.229,0.224,0.225)").contains(noticed));
    assert!(said_of("--mean 0.5 --std 0.5").contains(noticed));
    for right in [
        "--mean 127.5 --std 127.5",
        "--mean 0",
        "--preprocess none",
        "--mean 0.5 --std 255",
    ] {
        assert!(!said_of(right).contains(noticed), "{right}");
    }
}
