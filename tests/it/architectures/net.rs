//! Writes prototxts layer by layer, beside the shapes that Caffe gives them.

use std::fmt::Write as _;

/// Kernel, stride and pad.
pub type Window = [usize; 3];

/// A network in the making.
pub struct Net {
    pub text: String,
    /// Shapes stated by hand: channels (0 where not stated), rows, columns.
    pub expected: Vec<(String, [usize; 3])>,
    /// What channels are divided by, to be quick.
    divisor: usize,
}

impl Net {
    pub fn new([rows, columns]: [usize; 2], divisor: usize) -> Self {
        Self {
            text: format!(
                "layer {{ name: \"data\" type: \"Input\" top: \"data\" input_param {{ shape {{ dim: 1 dim: 3 dim: {rows} dim: \
                 {columns} }} }} }}\n"
            ),
            expected: Vec::new(),
            divisor,
        }
    }

    /// A layer whose tops are given.
    pub fn tops(&mut self, kind: &str, name: &str, bottoms: &[&str], tops: &[&str], settings: &str) {
        write!(self.text, "layer {{ name: \"{name}\" type: \"{kind}\" ").unwrap();
        for bottom in bottoms {
            write!(self.text, "bottom: \"{bottom}\" ").unwrap();
        }
        for top in tops {
            write!(self.text, "top: \"{top}\" ").unwrap();
        }
        writeln!(self.text, "{settings} }}").unwrap();
    }

    /// A layer with one top of its own name, which it hands on.
    pub fn layer(&mut self, kind: &str, name: &str, bottoms: &[&str], settings: &str) -> String {
        self.tops(kind, name, bottoms, &[name], settings);
        name.to_owned()
    }

    /// A layer that works in place.
    pub fn in_place(&mut self, kind: &str, suffix: &str, blob: &str, settings: &str) {
        self.tops(kind, &format!("{blob}{suffix}"), &[blob], &[blob], settings);
    }

    /// States a shape.
    pub fn is(&mut self, name: &str, shape: [usize; 3]) {
        self.expected.push((name.to_owned(), shape));
    }

    /// As many channels as are left of those in the public file.
    pub fn channels(&self, published: usize) -> usize {
        published / self.divisor
    }

    /// A convolution of the published number of channels; `more` is added to its settings.
    pub fn conv(
        &mut self,
        name: &str,
        bottom: &str,
        channels: usize,
        [kernel, stride, pad]: Window,
        more: &str,
    ) -> String {
        let channels = self.channels(channels);
        let settings = format!(
            "convolution_param {{ num_output: {channels} kernel_size: {kernel} stride: {stride} pad: {pad} {more} }}"
        );
        self.layer("Convolution", name, &[bottom], &settings)
    }

    /// The same with a kernel that is no square and keeps the size.
    pub fn conv_of(&mut self, name: &str, bottom: &str, channels: usize, [rows, columns]: [usize; 2]) -> String {
        let settings = format!(
            "convolution_param {{ num_output: {} kernel_h: {rows} kernel_w: {columns} pad_h: {} pad_w: {} bias_term: false }}",
            self.channels(channels),
            rows / 2,
            columns / 2
        );
        let name = self.layer("Convolution", name, &[bottom], &settings);
        self.norm_relu(&name)
    }

    /// A convolution and a ReLU in place.
    pub fn conv_relu(&mut self, name: &str, bottom: &str, channels: usize, window: Window) -> String {
        let name = self.conv(name, bottom, channels, window, "");
        self.relu(&name)
    }

    /// A convolution without bias and the pair of `BatchNorm` and `Scale` in place.
    pub fn conv_norm(&mut self, name: &str, bottom: &str, channels: usize, window: Window, more: &str) -> String {
        let name = self.conv(name, bottom, channels, window, &format!("bias_term: false {more}"));
        self.norm(&name);
        name
    }

    /// The same and a ReLU.
    pub fn conv_norm_relu(&mut self, name: &str, bottom: &str, channels: usize, window: Window) -> String {
        let name = self.conv_norm(name, bottom, channels, window, "");
        self.relu(&name)
    }

    pub fn norm(&mut self, blob: &str) {
        self.in_place(
            "BatchNorm",
            "/bn",
            blob,
            "batch_norm_param { use_global_stats: true eps: 1e-5 }",
        );
        self.in_place("Scale", "/scale", blob, "scale_param { bias_term: true }");
    }

    pub fn relu(&mut self, blob: &str) -> String {
        self.in_place("ReLU", "/relu", blob, "");
        blob.to_owned()
    }

    fn norm_relu(&mut self, blob: &str) -> String {
        self.norm(blob);
        self.relu(blob)
    }

    pub fn pool(&mut self, method: &str, name: &str, bottom: &str, [kernel, stride, pad]: Window) -> String {
        let settings = format!("pooling_param {{ pool: {method} kernel_size: {kernel} stride: {stride} pad: {pad} }}");
        self.layer("Pooling", name, &[bottom], &settings)
    }

    pub fn average_of_all(&mut self, name: &str, bottom: &str) -> String {
        self.layer(
            "Pooling",
            name,
            &[bottom],
            "pooling_param { pool: AVE global_pooling: true }",
        )
    }

    pub fn concat(&mut self, name: &str, bottoms: &[String]) -> String {
        let bottoms: Vec<&str> = bottoms.iter().map(String::as_str).collect();
        self.layer("Concat", name, &bottoms, "")
    }

    pub fn sum(&mut self, name: &str, a: &str, b: &str) -> String {
        self.layer("Eltwise", name, &[a, b], "eltwise_param { operation: SUM }")
    }

    pub fn dense(&mut self, name: &str, bottom: &str, outputs: usize) -> String {
        self.layer(
            "InnerProduct",
            name,
            &[bottom],
            &format!("inner_product_param {{ num_output: {outputs} }}"),
        )
    }

    /// The convolutions of VGG with 16 layers up to `conv5_3`, poolings between; the first is padded by `pad`.
    pub fn vgg(&mut self, pad: usize) -> String {
        let mut last = "data".to_owned();
        for (block, (channels, count)) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
            .into_iter()
            .enumerate()
        {
            for number in 1..=count {
                let pad = if last == "data" { pad } else { 1 };
                last = self.conv_relu(&format!("conv{}_{number}", block + 1), &last, channels, [3, 1, pad]);
            }
            if block < 4 {
                last = self.pool("MAX", &format!("pool{}", block + 1), &last, [2, 2, 0]);
            }
        }
        last
    }
}
