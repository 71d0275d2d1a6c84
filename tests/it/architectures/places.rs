//! Published networks that say where something is: segmentation and detection.

use super::net::Net;

pub fn fcn() -> Net {
    let mut n = Net::new([500, 500], 8);
    let last = n.vgg(100);
    let last = n.pool("MAX", "pool5", &last, [2, 2, 0]);
    let last = n.conv_relu("fc6", &last, 4096, [7, 1, 0]);
    let last = n.conv_relu("fc7", &last, 4096, [1, 1, 0]);
    let last = n.conv("score_fr", &last, 168, [1, 1, 0], "");
    let up = |n: &mut Net, name: &str, bottom: &str, [kernel, stride]: [usize; 2]| {
        let settings =
            format!("convolution_param {{ num_output: 21 bias_term: false kernel_size: {kernel} stride: {stride} }}");
        n.layer("Deconvolution", name, &[bottom], &settings)
    };
    let mut last = up(&mut n, "upscore2", &last, [4, 2]);
    for (pool, offset, next) in [("pool4", 5, "upscore_pool4"), ("pool3", 9, "upscore8")] {
        let score = n.conv(&format!("score_{pool}"), pool, 168, [1, 1, 0], "");
        let crop = format!("crop_param {{ axis: 2 offset: {offset} }}");
        let cropped = n.layer("Crop", &format!("score_{pool}c"), &[&score, &last], &crop);
        let fused = n.sum(&format!("fuse_{pool}"), &last, &cropped);
        last = up(&mut n, next, &fused, if pool == "pool4" { [4, 2] } else { [16, 8] });
    }
    n.layer("Crop", "score", &[&last, "data"], "crop_param { axis: 2 offset: 31 }");
    let shapes = [
        ("conv1_1", 698),
        ("pool3", 88),
        ("pool4", 44),
        ("pool5", 22),
        ("fc6", 16),
        ("upscore2", 34),
    ];
    for (name, side) in shapes
        .into_iter()
        .chain([("upscore_pool4", 70), ("upscore8", 568), ("score", 500)])
    {
        n.is(name, [0, side, side]);
    }
    n
}

pub fn ssd() -> Net {
    let mut n = Net::new([300, 300], 8);
    let last = n.vgg(1);
    let last = n.pool("MAX", "pool5", &last, [3, 1, 1]);
    let last = n.conv("fc6", &last, 1024, [3, 1, 6], "dilation: 6");
    n.relu(&last);
    let mut last = n.conv_relu("fc7", &last, 1024, [1, 1, 0]);
    for (number, (channels, window)) in
        (6..).zip([(512, [3, 2, 1]), (256, [3, 2, 1]), (256, [3, 1, 0]), (256, [3, 1, 0])])
    {
        last = n.conv_relu(&format!("conv{number}_1"), &last, channels / 2, [1, 1, 0]);
        last = n.conv_relu(&format!("conv{number}_2"), &last, channels, window);
    }
    let norm =
        "norm_param { across_spatial: false scale_filler { type: \"constant\" value: 20 } channel_shared: false }";
    n.layer("Normalize", "conv4_3_norm", &["conv4_3"], norm);
    let sources = [
        ("conv4_3_norm", 4),
        ("fc7", 6),
        ("conv6_2", 6),
        ("conv7_2", 6),
        ("conv8_2", 4),
        ("conv9_2", 4),
    ];
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for (source, boxes) in sources {
        for (part, (what, each)) in [("loc", 4), ("conf", 21)].into_iter().enumerate() {
            let name = format!("{source}_mbox_{what}");
            let blob = n.conv(&name, source, boxes * each * 8, [3, 1, 1], "");
            let order = "permute_param { order: 0 order: 2 order: 3 order: 1 }";
            let blob = n.layer("Permute", &format!("{name}_perm"), &[&blob], order);
            parts[part].push(n.layer(
                "Flatten",
                &format!("{name}_flat"),
                &[&blob],
                "flatten_param { axis: 1 }",
            ));
        }
        let settings =
            "prior_box_param { min_size: 30 max_size: 60 aspect_ratio: 2 flip: true clip: false variance: 0.1 }";
        parts[2].push(n.layer(
            "PriorBox",
            &format!("{source}_mbox_priorbox"),
            &[source, "data"],
            settings,
        ));
    }
    let [loc, conf, _] = [0, 1, 2].map(|part| {
        let (name, axis) = [("mbox_loc", 1), ("mbox_conf", 1), ("mbox_priorbox", 2)][part];
        let bottoms: Vec<&str> = parts[part].iter().map(String::as_str).collect();
        n.layer("Concat", name, &bottoms, &format!("concat_param {{ axis: {axis} }}"))
    });
    let conf = n.layer(
        "Reshape",
        "mbox_conf_reshape",
        &[&conf],
        "reshape_param { shape { dim: 0 dim: -1 dim: 21 } }",
    );
    let conf = n.layer("Softmax", "mbox_conf_softmax", &[&conf], "softmax_param { axis: 2 }");
    let conf = n.layer("Flatten", "mbox_conf_flatten", &[&conf], "flatten_param { axis: 1 }");
    let settings = "detection_output_param { num_classes: 21 share_location: true background_label_id: 0 }";
    n.layer(
        "DetectionOutput",
        "detection_out",
        &[&loc, &conf, "mbox_priorbox"],
        settings,
    );
    let shapes = [
        ("conv4_3_norm", 38),
        ("fc7", 19),
        ("conv6_2", 10),
        ("conv7_2", 5),
        ("conv8_2", 3),
        ("conv9_2", 1),
    ];
    for (name, side) in shapes {
        n.is(name, [0, side, side]);
    }
    n
}

pub fn segnet() -> Net {
    let mut n = Net::new([360, 480], 8);
    let normed = |n: &mut Net, name: &str, bottom: &str, channels: usize| {
        let conv = n.conv(name, bottom, channels, [3, 1, 1], "");
        n.in_place("BN", "_bn", &conv, "bn_param { bn_mode: INFERENCE }");
        n.relu(&conv)
    };
    let blocks = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)];
    let mut last = "data".to_owned();
    for (block, (channels, count)) in (1..).zip(blocks) {
        for number in 1..=count {
            last = normed(&mut n, &format!("conv{block}_{number}"), &last, channels);
        }
        let pool = format!("pool{block}");
        n.tops(
            "Pooling",
            &pool,
            &[&last],
            &[&pool, &format!("{pool}_mask")],
            "pooling_param { pool: MAX kernel_size: 2 stride: 2 }",
        );
        last = pool;
    }
    for (block, (_, count)) in (1..).zip(blocks).collect::<Vec<_>>().into_iter().rev() {
        let size = match block {
            5 => "upsample_w: 30 upsample_h: 23",
            4 => "upsample_w: 60 upsample_h: 45",
            _ => "",
        };
        let mask = format!("pool{block}_mask");
        last = n.layer(
            "Upsample",
            &format!("upsample{block}"),
            &[&last, &mask],
            &format!("upsample_param {{ scale: 2 {size} }}"),
        );
        let next = if block == 1 { 88 } else { blocks[block - 2].0 };
        for number in (1..=count).rev() {
            let name = format!("conv{block}_{number}_D");
            last = match (block, number) {
                (1, 1) => n.conv(&name, &last, next, [3, 1, 1], ""),
                (_, 1) => normed(&mut n, &name, &last, next),
                _ => normed(&mut n, &name, &last, blocks[block - 1].0),
            };
        }
    }
    n.layer("Softmax", "prob", &[&last], "");
    let shapes = [
        ("pool3", 45, 60),
        ("pool4", 23, 30),
        ("pool5", 12, 15),
        ("upsample5", 23, 30),
        ("upsample4", 45, 60),
    ];
    for (name, rows, columns) in shapes {
        n.is(name, [0, rows, columns]);
    }
    n.is("conv1_1_D", [11, 360, 480]);
    n
}

pub fn pspnet() -> Net {
    let mut n = Net::new([473, 473], 8);
    let normed = |n: &mut Net, name: &str, bottom: &str, channels: usize, window: [usize; 3], more: &str| {
        let conv = n.conv(name, bottom, channels, window, &format!("bias_term: false {more}"));
        let bn = format!("{name}/bn");
        n.layer("BN", &bn, &[&conv], "bn_param { frozen: true momentum: 0.95 }")
    };
    let mut last = "data".to_owned();
    for (number, (channels, stride)) in (1..).zip([(64, 2), (64, 1), (128, 1)]) {
        last = normed(&mut n, &format!("conv1_{number}"), &last, channels, [3, stride, 1], "");
        n.relu(&last);
    }
    last = n.pool("MAX", "pool1", &last, [3, 2, 1]);
    let stages = [(256, 3, 1, 1), (512, 4, 2, 1), (1024, 6, 1, 2), (2048, 3, 1, 4)];
    for (stage, (width, count, stride, dilation)) in (2..).zip(stages) {
        for number in 1..=count {
            let name = format!("conv{stage}_{number}");
            let stride = if number == 1 { stride } else { 1 };
            let inner = normed(&mut n, &format!("{name}_reduce"), &last, width / 4, [1, stride, 0], "");
            n.relu(&inner);
            let more = format!("dilation: {dilation}");
            let inner = normed(
                &mut n,
                &format!("{name}_3x3"),
                &inner,
                width / 4,
                [3, 1, dilation],
                &more,
            );
            n.relu(&inner);
            let inner = normed(&mut n, &format!("{name}_increase"), &inner, width, [1, 1, 0], "");
            if number == 1 {
                last = normed(&mut n, &format!("{name}_proj"), &last, width, [1, stride, 0], "");
            }
            last = n.sum(&name, &last, &inner);
            n.relu(&last);
        }
    }
    let mut parts = vec![last.clone()];
    for (grid, kernel) in [(1, 60), (2, 30), (3, 20), (6, 10)] {
        let pool = n.pool("AVE", &format!("conv5_3_pool{grid}"), &last, [kernel, kernel, 0]);
        n.is(&pool, [256, grid, grid]);
        let conv = normed(&mut n, &format!("conv5_3_pool{grid}_conv"), &pool, 512, [1, 1, 0], "");
        n.relu(&conv);
        parts.push(n.layer(
            "Interp",
            &format!("conv5_3_pool{grid}_interp"),
            &[&conv],
            "interp_param { height: 60 width: 60 }",
        ));
    }
    let last = n.concat("conv5_3_concat", &parts);
    let last = normed(&mut n, "conv5_4", &last, 512, [3, 1, 1], "");
    n.relu(&last);
    let last = n.conv("conv6", &last, 168, [1, 1, 0], "");
    n.layer("Interp", "conv6_interp", &[&last], "interp_param { zoom_factor: 8 }");
    for (name, side) in [
        ("conv1_3", 237),
        ("pool1", 119),
        ("conv3_4", 60),
        ("conv5_3_concat", 60),
        ("conv6_interp", 473),
    ] {
        n.is(name, [0, side, side]);
    }
    n
}

pub fn yolo_v2() -> Net {
    let mut n = Net::new([416, 416], 8);
    let leaky = |n: &mut Net, name: &str, bottom: &str, channels: usize, kernel: usize| {
        let conv = n.conv_norm(name, bottom, channels, [kernel, 1, kernel / 2], "");
        n.in_place("ReLU", "_relu", &conv, "relu_param { negative_slope: 0.1 }");
        conv
    };
    let mut last = "data".to_owned();
    let mut number = 0;
    for (channels, count) in [(32, 1), (64, 1), (128, 3), (256, 3), (512, 5), (1024, 7)] {
        if number > 0 {
            last = n.pool("MAX", &format!("pool{number}"), &last, [2, 2, 0]);
        }
        for part in 0..count {
            number += 1;
            // Darknet-19 narrows every second layer; the last two of its detector are wide.
            let (channels, kernel) = if part % 2 == 1 && part < 5 {
                (channels / 2, 1)
            } else {
                (channels, 3)
            };
            last = leaky(&mut n, &format!("conv{number}"), &last, channels, kernel);
        }
    }
    let beside = leaky(&mut n, "conv21", "conv13", 64, 1);
    let beside = n.layer("Reorg", "reorg", &[&beside], "reorg_param { stride: 2 }");
    let last = n.concat("concat", &[beside, last]);
    let last = leaky(&mut n, "conv22_pre", &last, 1024, 3);
    n.conv("conv22", &last, 1000, [1, 1, 0], "");
    n.is("conv13", [64, 26, 26]);
    // 64 / 8 channels in squares of four.
    n.is("reorg", [32, 13, 13]);
    n.is("concat", [160, 13, 13]);
    n.is("conv22", [125, 13, 13]);
    n
}

/// Darknet-53 with its three scales, as ported to Caffe: layers numbered as in the file, those of `yolo` and `route` among them.
pub fn yolo_v3() -> Net {
    let mut n = Net::new([416, 416], 8);
    let conv = |n: &mut Net, number: usize, bottom: &str, channels: usize, [kernel, stride]: [usize; 2]| {
        let conv = n.conv_norm(
            &format!("layer{number}-conv"),
            bottom,
            channels,
            [kernel, stride, kernel / 2],
            "",
        );
        n.in_place("ReLU", "-act", &conv, "relu_param { negative_slope: 0.1 }");
        conv
    };
    let mut last = conv(&mut n, 1, "data", 32, [3, 1]);
    let mut number = 1;
    for (channels, count) in [(64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)] {
        number += 1;
        last = conv(&mut n, number, &last, channels, [3, 2]);
        for _ in 0..count {
            let inner = conv(&mut n, number + 1, &last, channels / 2, [1, 1]);
            let inner = conv(&mut n, number + 2, &inner, channels, [3, 1]);
            number += 3;
            last = n.sum(&format!("layer{number}-shortcut"), &last, &inner);
        }
    }
    for (channels, beside) in [(1024, "layer62-shortcut"), (512, "layer37-shortcut"), (256, "")] {
        let mut route = String::new();
        for part in 0..6 {
            number += 1;
            let (channels, kernel) = if part % 2 == 0 {
                (channels / 2, 1)
            } else {
                (channels, 3)
            };
            last = conv(&mut n, number, &last, channels, [kernel, 1]);
            if part == 4 {
                route.clone_from(&last);
            }
        }
        number += 1;
        // 255 channels of 2040 divided by 8: three boxes of 85.
        n.conv(&format!("layer{number}-conv"), &last, 2040, [1, 1, 0], "");
        if beside.is_empty() {
            break;
        }
        // The number between belongs to the detection layer, which the port leaves out.
        number += 2;
        let route = n.concat(&format!("layer{number}-route"), &[route]);
        let narrow = conv(&mut n, number + 1, &route, channels / 4, [1, 1]);
        let name = format!("layer{}-upsample", number + 2);
        let up = n.layer("Upsample", &name, &[&narrow], "upsample_param { scale: 2 }");
        number += 3;
        last = n.concat(&format!("layer{number}-route"), &[up, beside.to_owned()]);
    }
    for (name, channels, side) in [
        ("layer37-shortcut", 32, 52),
        ("layer62-shortcut", 64, 26),
        ("layer75-shortcut", 128, 13),
        ("layer82-conv", 255, 13),
        ("layer86-upsample", 32, 26),
        ("layer87-route", 96, 26),
        ("layer94-conv", 255, 26),
        ("layer99-route", 48, 52),
        ("layer106-conv", 255, 52),
    ] {
        n.is(name, [channels, side, side]);
    }
    n
}
