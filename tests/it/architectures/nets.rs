//! Published networks, their channels divided; shapes by hand from Caffe's formulas (poolings round up).

use super::net::Net;

pub fn vgg() -> Net {
    let mut n = Net::new([224, 224], 8);
    let last = n.vgg(1);
    let pool = n.pool("MAX", "pool5", &last, [2, 2, 0]);
    let fc = n.dense("fc6", &pool, 512);
    n.relu(&fc);
    n.in_place("Dropout", "/drop", &fc, "dropout_param { dropout_ratio: 0.5 }");
    let fc = n.dense("fc8", &fc, 1000);
    n.layer("Softmax", "prob", &[&fc], "");
    for (name, side) in [
        ("conv1_2", 224),
        ("conv2_2", 112),
        ("conv3_3", 56),
        ("conv4_3", 28),
        ("conv5_3", 14),
        ("pool5", 7),
    ] {
        n.is(name, [0, side, side]);
    }
    n
}

pub fn nin() -> Net {
    let mut n = Net::new([224, 224], 8);
    let mut last = "data".to_owned();
    let blocks = [(96, [11, 4, 0]), (256, [5, 1, 2]), (384, [3, 1, 1]), (1024, [3, 1, 1])];
    for (number, (channels, window)) in (1..).zip(blocks) {
        last = n.conv_relu(&format!("conv{number}"), &last, channels, window);
        for part in ["a", "b"] {
            last = n.conv_relu(&format!("cccp{number}{part}"), &last, channels, [1, 1, 0]);
        }
        last = match number {
            4 => n.pool("AVE", "pool4", &last, [6, 1, 0]),
            _ => n.pool("MAX", &format!("pool{number}"), &last, [3, 2, 0]),
        };
    }
    for (name, side) in [("conv1", 54), ("pool1", 27), ("pool2", 13), ("pool3", 6), ("pool4", 1)] {
        n.is(name, [0, side, side]);
    }
    n
}

pub fn mobilenet_v1() -> Net {
    let mut n = Net::new([224, 224], 8);
    let mut last = n.conv_norm_relu("conv1", "data", 32, [3, 2, 1]);
    let mut channels = 32;
    let blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)];
    let blocks = blocks.into_iter().chain([(512, 1); 5]).chain([(1024, 2), (1024, 1)]);
    for (number, (next, stride)) in (2..).zip(blocks) {
        let groups = format!("group: {} engine: CAFFE", n.channels(channels));
        last = n.conv_norm(&format!("conv{number}/dw"), &last, channels, [3, stride, 1], &groups);
        n.relu(&last);
        last = n.conv_norm_relu(&format!("conv{number}/sep"), &last, next, [1, 1, 0]);
        channels = next;
    }
    let pool = n.average_of_all("pool6", &last);
    n.conv("fc7", &pool, 1000, [1, 1, 0], "");
    for (name, channels, side) in [
        ("conv1", 4, 112),
        ("conv3/sep", 16, 56),
        ("conv5/sep", 32, 28),
        ("conv7/sep", 64, 14),
    ] {
        n.is(name, [channels, side, side]);
    }
    n.is("conv14/sep", [128, 7, 7]);
    n.is("fc7", [125, 1, 1]);
    n
}

pub fn mobilenet_v2() -> Net {
    let mut n = Net::new([224, 224], 8);
    let mut last = n.conv_norm_relu("conv1", "data", 32, [3, 2, 1]);
    let mut channels = 32;
    let stages = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];
    for (stage, (factor, next, count, stride)) in (2..).zip(stages) {
        for number in 1..=count {
            let name = format!("conv{stage}_{number}");
            let wide = channels * factor;
            let inner = n.conv_norm_relu(&format!("{name}/expand"), &last, wide, [1, 1, 0]);
            let stride = if number == 1 { stride } else { 1 };
            let groups = format!("group: {} engine: CAFFE", n.channels(wide));
            let inner = n.conv_norm(&format!("{name}/dwise"), &inner, wide, [3, stride, 1], &groups);
            n.relu(&inner);
            let inner = n.conv_norm(&format!("{name}/linear"), &inner, next, [1, 1, 0], "");
            last = if number == 1 {
                inner
            } else {
                n.sum(&format!("block_{name}"), &last, &inner)
            };
            channels = next;
        }
    }
    let last = n.conv_norm_relu("conv9", &last, 1280, [1, 1, 0]);
    n.average_of_all("pool9", &last);
    for (name, channels, side) in [
        ("block_conv3_2", 3, 56),
        ("block_conv4_3", 4, 28),
        ("block_conv6_3", 12, 14),
    ] {
        n.is(name, [channels, side, side]);
    }
    n.is("conv9", [160, 7, 7]);
    n
}

pub fn densenet() -> Net {
    let mut n = Net::new([224, 224], 8);
    let conv = n.conv_norm_relu("conv1", "data", 64, [7, 2, 3]);
    let mut last = n.pool("MAX", "pool1", &conv, [3, 2, 1]);
    let mut channels = 64;
    for (block, layers) in (2..).zip([6, 12, 24, 16]) {
        let normed = |n: &mut Net, name: &str, bottom: &str| {
            // Not in place: the concatenation reads what comes before, too.
            let bn = n.layer(
                "BatchNorm",
                &format!("{name}/bn"),
                &[bottom],
                "batch_norm_param { eps: 1e-5 }",
            );
            n.in_place("Scale", "/scale", &bn, "scale_param { bias_term: true }");
            n.relu(&bn)
        };
        for number in 1..=layers {
            let name = format!("conv{block}_{number}");
            let inner = normed(&mut n, &format!("{name}/x1"), &last);
            let inner = n.conv(&format!("{name}/x1"), &inner, 128, [1, 1, 0], "bias_term: false");
            let inner = normed(&mut n, &format!("{name}/x2"), &inner);
            let inner = n.conv(&format!("{name}/x2"), &inner, 32, [3, 1, 1], "bias_term: false");
            last = n.concat(&format!("concat_{block}_{number}"), &[last, inner]);
            channels += 32;
        }
        let name = format!("conv{block}_blk");
        last = normed(&mut n, &name, &last);
        if block < 5 {
            channels /= 2;
            last = n.conv(&name, &last, channels, [1, 1, 0], "bias_term: false");
            last = n.pool("AVE", &format!("pool{block}"), &last, [2, 2, 0]);
        }
    }
    n.average_of_all("pool5", &last);
    // 64 + 6 x 32 = 256, halved to 128; 512 to 256; 1024 to 512; 1024: a pad of 1 makes the first pooling give 57 in Caffe.
    let shapes = [
        ("pool1", 8, 57),
        ("concat_2_6", 32, 57),
        ("pool2", 16, 29),
        ("pool3", 32, 15),
        ("pool4", 64, 8),
    ];
    for (name, channels, side) in shapes {
        n.is(name, [channels, side, side]);
    }
    n.is("concat_5_16", [128, 8, 8]);
    n
}

/// A residual network of 50 layers: with squeeze and excitation, or with groups.
fn residual(excited: bool) -> Net {
    let mut n = Net::new([224, 224], 8);
    let conv = n.conv_norm_relu("conv1", "data", 64, [7, 2, 3]);
    let mut last = n.pool("MAX", "pool1", &conv, [3, 2, 0]);
    for (stage, (width, count)) in (2..).zip([(256, 3), (512, 4), (1024, 6), (2048, 3)]) {
        for number in 1..=count {
            let name = format!("conv{stage}_{number}");
            let stride = if number == 1 && stage > 2 { 2 } else { 1 };
            let (narrow, groups, strides) = if excited {
                (width / 4, "", [stride, 1])
            } else {
                (width / 2, "group: 4", [1, stride])
            };
            let inner = n.conv_norm_relu(&format!("{name}_reduce"), &last, narrow, [1, strides[0], 0]);
            let inner = n.conv_norm(&format!("{name}_3x3"), &inner, narrow, [3, strides[1], 1], groups);
            n.relu(&inner);
            let inner = n.conv_norm(&format!("{name}_increase"), &inner, width, [1, 1, 0], "");
            if number == 1 {
                last = n.conv_norm(&format!("{name}_proj"), &last, width, [1, stride, 0], "");
            }
            last = if excited {
                let gate = n.average_of_all(&format!("{name}_global_pool"), &inner);
                let gate = n.conv_relu(&format!("{name}_down"), &gate, width / 16, [1, 1, 0]);
                let gate = n.conv(&format!("{name}_up"), &gate, width, [1, 1, 0], "");
                n.tops("Sigmoid", &format!("{name}_prob"), &[&gate], &[&gate], "");
                n.layer("Axpy", &name, &[&gate, &inner, &last], "")
            } else {
                n.sum(&name, &inner, &last)
            };
            n.relu(&last);
        }
    }
    let pool = n.pool("AVE", "pool5", &last, [7, 1, 0]);
    n.dense("classifier", &pool, 1000);
    for (name, channels, side) in [
        ("conv2_3", 32, 56),
        ("conv3_4", 64, 28),
        ("conv4_6", 128, 14),
        ("conv5_3", 256, 7),
    ] {
        n.is(name, [channels, side, side]);
    }
    n.is("pool5", [256, 1, 1]);
    n
}

pub fn se_resnet() -> Net {
    residual(true)
}

pub fn resnext() -> Net {
    residual(false)
}

pub fn shufflenet() -> Net {
    let mut n = Net::new([224, 224], 1);
    let conv = n.conv_norm_relu("conv1", "data", 24, [3, 2, 1]);
    let mut last = n.pool("MAX", "pool1", &conv, [3, 2, 0]);
    let mut block = 0;
    for (width, count) in [(240, 4), (480, 8), (960, 4)] {
        for number in 0..count {
            block += 1;
            let name = format!("resx{block}");
            let groups = if block == 1 { "" } else { "group: 3" };
            let inner = n.conv_norm(&format!("{name}_conv1"), &last, width / 4, [1, 1, 0], groups);
            n.relu(&inner);
            let inner = n.layer(
                "ShuffleChannel",
                &format!("shuffle{block}"),
                &[&inner],
                "shuffle_channel_param { group: 3 }",
            );
            let stride = if number == 0 { 2 } else { 1 };
            let settings = format!(
                "convolution_param {{ num_output: {} kernel_size: 3 stride: {stride} pad: 1 bias_term: false }}",
                width / 4
            );
            let inner = n.layer("ConvolutionDepthwise", &format!("{name}_conv2"), &[&inner], &settings);
            n.norm(&inner);
            let left = if number > 0 {
                width
            } else {
                width - [24, 240, 480][usize::from(block > 1) + usize::from(block > 5)]
            };
            let inner = n.conv_norm(&format!("{name}_conv3"), &inner, left, [1, 1, 0], "group: 3");
            last = if number == 0 {
                let beside = n.pool("AVE", &format!("{name}_match"), &last, [3, 2, 0]);
                n.concat(&format!("{name}_concat"), &[beside, inner])
            } else {
                n.sum(&format!("{name}_elewise"), &last, &inner)
            };
            n.relu(&last);
        }
    }
    n.average_of_all("pool_ave", &last);
    for (name, channels, side) in [("pool1", 24, 56), ("resx1_concat", 240, 28), ("resx5_concat", 480, 14)] {
        n.is(name, [channels, side, side]);
    }
    n.is("resx16_elewise", [960, 7, 7]);
    n
}

/// `SphereFace` with 20 layers (Liu et al. 2017): residual pairs between convolutions that halve, PReLUs in place.
pub fn sphereface() -> Net {
    let mut n = Net::new([112, 96], 8);
    let conv = |n: &mut Net, name: &str, bottom: &str, channels: usize, stride: usize| {
        let conv = n.conv(name, bottom, channels, [3, stride, 1], "");
        n.tops("PReLU", &name.replacen("conv", "relu", 1), &[&conv], &[&conv], "");
        conv
    };
    let mut last = "data".to_owned();
    for (stage, (channels, pairs)) in (1..).zip([(64, 1), (128, 2), (256, 4), (512, 1)]) {
        last = conv(&mut n, &format!("conv{stage}_1"), &last, channels, 2);
        for pair in 1..=pairs {
            let first = conv(&mut n, &format!("conv{stage}_{}", 2 * pair), &last, channels, 1);
            let second = conv(&mut n, &format!("conv{stage}_{}", 2 * pair + 1), &first, channels, 1);
            last = n.sum(&format!("res{stage}_{}", 2 * pair + 1), &last, &second);
        }
    }
    n.dense("fc5", &last, 512);
    for (name, shape) in [
        ("res1_3", [8, 56, 48]),
        ("res2_5", [16, 28, 24]),
        ("res3_9", [32, 14, 12]),
        ("res4_3", [64, 7, 6]),
    ] {
        n.is(name, shape);
    }
    n
}
