//! Published networks that say something of every pixel: segmentation by unpooling, edges, poses.

use super::net::Net;

/// One of ENet's modules (Paszke et al. 2016) in its deploy form, batch normalizations folded: three convolutions, the middle
/// one as given, beside the way around them.
struct Bottleneck<'a> {
    name: &'a str,
    channels: usize,
    /// Type of the activations.
    activation: &'a str,
}

impl Bottleneck<'_> {
    fn activated(&self, n: &mut Net, suffix: &str, bottom: &str) -> String {
        n.layer(self.activation, &format!("prelu{}_{suffix}", self.name), &[bottom], "")
    }

    /// The first convolution, by a kernel of `side` at stride `side`.
    fn begin(&self, n: &mut Net, bottom: &str, side: usize) -> String {
        let conv = n.conv(
            &format!("conv{}_0", self.name),
            bottom,
            self.channels / 4,
            [side, side, 0],
            "",
        );
        self.activated(n, "0", &conv)
    }

    /// The last convolution, the sum with the way around, and the activation.
    fn end(&self, n: &mut Net, inner: &str, around: &str) -> String {
        let conv = n.conv(&format!("conv{}_2", self.name), inner, self.channels, [1, 1, 0], "");
        let sum = n.layer("Eltwise", &format!("eltwise{}_4", self.name), &[around, &conv], "");
        self.activated(n, "4", &sum)
    }

    /// With a middle convolution of 3 x 3, dilated.
    fn regular(&self, n: &mut Net, bottom: &str, dilation: usize) -> String {
        let inner = self.begin(n, bottom, 1);
        let more = format!("dilation: {dilation}");
        let inner = n.conv(
            &format!("conv{}_1", self.name),
            &inner,
            self.channels / 4,
            [3, 1, dilation],
            &more,
        );
        let inner = self.activated(n, "1", &inner);
        self.end(n, &inner, bottom)
    }

    /// With 5 x 1 and 1 x 5 in its middle, both padded by one in both directions, as the file has it: the first takes two rows
    /// and adds two columns, the second gives them back.
    fn asymmetric(&self, n: &mut Net, bottom: &str) -> String {
        let inner = self.begin(n, bottom, 1);
        let part = |n: &mut Net, suffix: &str, bottom: &str, [rows, columns]: [usize; 2]| {
            let settings = format!(
                "convolution_param {{ num_output: {} pad: 1 kernel_h: {rows} kernel_w: {columns} }}",
                self.channels / 4
            );
            n.layer(
                "Convolution",
                &format!("conv{}_1{suffix}", self.name),
                &[bottom],
                &settings,
            )
        };
        let inner = part(n, "_a", &inner, [5, 1]);
        let inner = part(n, "", &inner, [1, 5]);
        let inner = self.activated(n, "1", &inner);
        self.end(n, &inner, bottom)
    }

    /// Halves the size; the way around is a pooling whose mask a layer of the decoder reads.
    fn halving(&self, n: &mut Net, bottom: &str) -> String {
        let inner = self.begin(n, bottom, 2);
        let inner = n.conv(
            &format!("conv{}_1", self.name),
            &inner,
            self.channels / 4,
            [3, 1, 1],
            "",
        );
        let inner = self.activated(n, "1", &inner);
        let pool = format!("pool{}_4", self.name);
        let settings = "pooling_param { pool: MAX kernel_size: 2 stride: 2 }";
        n.tops("Pooling", &pool, &[bottom], &[&pool, &format!("{pool}_mask")], settings);
        let around = n.conv(&format!("conv{}_4", self.name), &pool, self.channels, [1, 1, 0], "");
        self.end(n, &inner, &around)
    }

    /// Doubles the size; the way around is an unpooling by the mask of `pool`.
    fn doubling(&self, n: &mut Net, bottom: &str, pool: &str) -> String {
        let inner = self.begin(n, bottom, 1);
        let settings = format!(
            "convolution_param {{ num_output: {} kernel_size: 2 stride: 2 }}",
            self.channels / 4
        );
        let inner = n.layer("Deconvolution", &format!("deconv{}_1", self.name), &[&inner], &settings);
        let inner = batch_normalized(n, &format!("bn{}_1", self.name), &inner);
        let inner = self.activated(n, "1", &inner);
        let around = n.conv(&format!("conv{}_4", self.name), bottom, self.channels, [1, 1, 0], "");
        let around = n.layer(
            "Upsample",
            &format!("upsample{}_4", self.name),
            &[&around, &format!("{pool}_mask")],
            "upsample_param { scale: 2 }",
        );
        let conv = n.conv(&format!("conv{}_2", self.name), &inner, self.channels, [1, 1, 0], "");
        let sum = n.layer("Eltwise", &format!("eltwise{}_4", self.name), &[&around, &conv], "");
        self.activated(n, "4", &sum)
    }
}

fn batch_normalized(n: &mut Net, name: &str, bottom: &str) -> String {
    let filled = |what: &str, value: f32| format!("{what}_filler {{ type: \"constant\" value: {value} }}");
    let (scale, shift) = (filled("scale", 1.0), filled("shift", 0.001));
    n.layer(
        "BN",
        name,
        &[bottom],
        &format!("bn_param {{ {scale} {shift} bn_mode: INFERENCE }}"),
    )
}

/// The module of that number; those of the decoder have plain ReLUs.
fn module(name: &str, channels: usize) -> Bottleneck<'_> {
    Bottleneck {
        name,
        channels,
        activation: if name < "4" { "PReLU" } else { "ReLU" },
    }
}

pub fn enet() -> Net {
    let mut n = Net::new([512, 1024], 1);
    let conv = n.conv("conv0_1", "data", 13, [3, 2, 1], "");
    let pool = n.pool("MAX", "pool0_1", "data", [2, 2, 0]);
    let both = n.concat("concat0_1", &[conv, pool]);
    let both = batch_normalized(&mut n, "bn0_1", &both);
    let mut last = n.layer("PReLU", "prelu0_1", &[&both], "");
    last = module("1_0", 64).halving(&mut n, &last);
    for name in ["1_1", "1_2", "1_3", "1_4"] {
        last = module(name, 64).regular(&mut n, &last, 1);
    }
    last = module("2_0", 128).halving(&mut n, &last);
    for stage in [2, 3] {
        // Of the second stage of eight the first is regular, too; there is no module 3_0.
        for (number, dilation) in (1..).zip([1, 2, 0, 4, 1, 8, 0, 16]) {
            let name = format!("{stage}_{number}");
            last = match dilation {
                0 => module(&name, 128).asymmetric(&mut n, &last),
                _ => module(&name, 128).regular(&mut n, &last, dilation),
            };
        }
    }
    last = module("4_0", 64).doubling(&mut n, &last, "pool2_0_4");
    for name in ["4_1", "4_2"] {
        last = module(name, 64).regular(&mut n, &last, 1);
    }
    last = module("5_0", 16).doubling(&mut n, &last, "pool1_0_4");
    last = module("5_1", 16).regular(&mut n, &last, 1);
    let settings = "convolution_param { num_output: 19 kernel_size: 2 stride: 2 }";
    n.layer("Deconvolution", "deconv6_0_0", &[&last], settings);
    for (name, shape) in [
        ("concat0_1", [16, 256, 512]),
        ("pool1_0_4", [16, 128, 256]),
        ("eltwise1_4_4", [64, 128, 256]),
        ("eltwise2_0_4", [128, 64, 128]),
        ("conv2_3_1_a", [32, 62, 130]),
        ("conv2_3_1", [32, 64, 128]),
        ("eltwise3_8_4", [128, 64, 128]),
        ("upsample4_0_4", [64, 128, 256]),
        ("deconv5_0_1", [4, 256, 512]),
        ("eltwise5_1_4", [16, 256, 512]),
        ("deconv6_0_0", [19, 512, 1024]),
    ] {
        n.is(name, shape);
    }
    n
}

/// Holistically-nested edges (Xie & Tu 2015): VGG with a padding of 35, and a score of each block brought to the image's size.
pub fn hed() -> Net {
    let mut n = Net::new([500, 500], 8);
    n.vgg(35);
    let mut scores = Vec::new();
    for (block, bottom) in (1..).zip(["conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3"]) {
        let (score, up) = (format!("score-dsn{block}"), format!("score-dsn{block}-up"));
        // 8 channels divided by 8: one.
        let stride = 1usize << (block - 1);
        if stride == 1 {
            n.tops(
                "Convolution",
                &score,
                &[bottom],
                &[&up],
                "convolution_param { num_output: 1 kernel_size: 1 }",
            );
        } else {
            n.conv(&score, bottom, 8, [1, 1, 0], "");
            let settings = format!(
                "convolution_param {{ kernel_size: {} stride: {stride} num_output: 1 }}",
                2 * stride
            );
            n.tops(
                "Deconvolution",
                &format!("upsample_{stride}"),
                &[&score],
                &[&up],
                &settings,
            );
            // 568, 284, 142, 71 and, rounded up, 36 pixels; a kernel of twice the stride adds the stride.
            let side = [568, 284, 142, 71, 36][block - 1] * stride + stride;
            n.is(&format!("upsample_{stride}"), [1, side, side]);
        }
        let upscore = format!("upscore-dsn{block}");
        // All five layers have this name in the file.
        n.tops("Crop", "crop", &[&up, "data"], &[&upscore], "");
        n.layer("Sigmoid", &format!("sigmoid-dsn{block}"), &[&upscore], "");
        scores.push(upscore);
    }
    let scores: Vec<&str> = scores.iter().map(String::as_str).collect();
    n.tops(
        "Concat",
        "concat",
        &scores,
        &["concat-upscore"],
        "concat_param { concat_dim: 1 }",
    );
    let settings = "convolution_param { num_output: 1 kernel_size: 1 weight_filler { type: \"constant\" value: 0.2 } }";
    n.tops(
        "Convolution",
        "new-score-weighting",
        &["concat-upscore"],
        &["upscore-fuse"],
        settings,
    );
    n.layer("Sigmoid", "sigmoid-fuse", &["upscore-fuse"], "");
    for (name, channels, side) in [
        ("conv1_2", 8, 568),
        ("pool1", 8, 284),
        ("pool3", 32, 71),
        ("pool4", 64, 36),
        ("crop", 1, 500),
        ("concat", 5, 500),
        ("sigmoid-fuse", 1, 500),
    ] {
        n.is(name, [channels, side, side]);
    }
    n
}

/// A convolution and a PReLU in place, named as OpenPose names them.
fn pose_conv(n: &mut Net, name: &str, bottom: &str, channels: usize, kernel: usize) -> String {
    let conv = n.conv(name, bottom, channels, [kernel, 1, kernel / 2], "");
    let activation = name.replacen("conv", "prelu", 1);
    n.tops("PReLU", &activation, &[&conv], &[&conv], "");
    conv
}

/// A stage of five blocks whose three convolutions are concatenated, and a map of `outputs` channels.
fn pose_stage(n: &mut Net, stage: &str, bottom: &str, [width, wide, outputs]: [usize; 3]) -> String {
    let mut last = bottom.to_owned();
    for block in 1..=5 {
        let name = format!("Mconv{block}_{stage}");
        let mut parts: Vec<String> = Vec::new();
        for part in 0..3 {
            let bottom = parts.last().unwrap_or(&last).clone();
            parts.push(pose_conv(n, &format!("{name}_{part}"), &bottom, width, 3));
        }
        last = n.concat(&format!("{name}_concat"), &parts);
    }
    let last = pose_conv(n, &format!("Mconv6_{stage}"), &last, wide, 1);
    n.conv(&format!("Mconv7_{stage}"), &last, outputs, [1, 1, 0], "")
}

/// OpenPose's `BODY_25` (Cao et al. 2019): VGG-19's beginning, four stages of part affinity fields, two of heat maps.
pub fn openpose() -> Net {
    let mut n = Net::new([368, 656], 2);
    let mut last = "data".to_owned();
    for (block, (channels, count)) in (1..).zip([(64, 2), (128, 2), (256, 4), (512, 1)]) {
        for number in 1..=count {
            last = n.conv_relu(&format!("conv{block}_{number}"), &last, channels, [3, 1, 1]);
        }
        if block < 4 {
            last = n.pool("MAX", &format!("pool{block}_stage1"), &last, [2, 2, 0]);
        }
    }
    for (name, channels) in [("conv4_2", 512), ("conv4_3_CPM", 256), ("conv4_4_CPM", 128)] {
        last = pose_conv(&mut n, name, &last, channels, 3);
    }
    let seen = last;
    let mut fields = pose_stage(&mut n, "stage0_L2", &seen, [96, 256, 52]);
    for stage in 1..=3 {
        let both = n.concat(&format!("concat_stage{stage}_L2"), &[seen.clone(), fields]);
        fields = pose_stage(&mut n, &format!("stage{stage}_L2"), &both, [128, 512, 52]);
    }
    let both = n.concat("concat_stage0_L1", &[seen.clone(), fields.clone()]);
    let maps = pose_stage(&mut n, "stage0_L1", &both, [96, 256, 26]);
    let all = n.concat("concat_stage1_L1", &[seen, maps, fields.clone()]);
    let maps = pose_stage(&mut n, "stage1_L1", &all, [128, 512, 26]);
    n.concat("net_output", &[maps, fields]);
    for (name, channels) in [
        ("conv4_4_CPM", 64),
        ("Mconv1_stage0_L2_concat", 144),
        ("concat_stage1_L2", 90),
        ("Mconv5_stage3_L2_concat", 192),
        ("concat_stage1_L1", 103),
        ("net_output", 39),
    ] {
        n.is(name, [channels, 46, 82]);
    }
    n
}
