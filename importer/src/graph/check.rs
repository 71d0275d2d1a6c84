//! What must hold for every graph, whatever format it came from, before anything is computed.

use super::{Convolution, EltwiseOperation, Graph, InterpSize, Layer, LayerKind, Pads, Pooling, UnpoolSize, ValueId};
use crate::error::{Error, Result};

/// Largest extent of a kernel, stride, padding or output that is accepted.
pub const LARGEST: usize = 1 << 24;

/// Longest name of a layer, value or target.
pub(crate) const LONGEST_NAME: usize = 4096;

/// A setting that fits, or what is wrong with it.
type Fits = std::result::Result<(), String>;

impl Graph {
    /// Checks the whole graph.
    ///
    /// # Errors
    /// When it has no layers; when a layer reads a value that no layer before it writes, or writes one that is written
    /// already; when a layer has other inputs, outputs or settings than its kind takes; or when a target is no value.
    pub fn check(&self) -> Result<()> {
        if self.layers.is_empty() {
            return Err(Error::Net("the net has no layers".into()));
        }
        self.check_names()?;
        let mut written = vec![false; self.values.len()];
        let name = |value: ValueId| self.values.get(value).map_or("?", String::as_str);
        for layer in &self.layers {
            for input in &layer.inputs {
                if written.get(*input) != Some(&true) {
                    return Err(layer.error(format!(
                        "it reads the value {input} (\"{}\"), which no layer before it writes",
                        name(*input)
                    )));
                }
            }
            for output in &layer.outputs {
                match written.get_mut(*output) {
                    Some(done) if !*done => *done = true,
                    _ => {
                        return Err(layer.error(format!(
                            "it writes the value {output} (\"{}\"), which is written already or is none",
                            name(*output)
                        )));
                    }
                }
            }
            layer.check()?;
        }
        for target in &self.targets {
            for value in [target.value, target.pushed] {
                if written.get(value) != Some(&true) {
                    return Err(Error::Net(format!(
                        "the name \"{}\" stands for the value {value}, which no layer writes",
                        target.name
                    )));
                }
            }
        }
        Ok(())
    }

    /// Long names make every message about them long, and the search for one that is like another slow.
    fn check_names(&self) -> Result<()> {
        let layers = self.layers.iter().flat_map(|layer| [&layer.name, &layer.type_name]);
        let targets = self.targets.iter().map(|target| &target.name);
        let all = self.values.iter().chain(layers).chain(targets).chain([&self.name]);
        match all.chain(self.modules.values()).find(|name| name.len() > LONGEST_NAME) {
            Some(name) => Err(too_long(name)),
            None => Ok(()),
        }
    }
}

/// That a name is out of all proportion.
pub(crate) fn too_long(name: &str) -> Error {
    Error::Net(format!(
        "a name of {} bytes, \"{}...\"; at most {LONGEST_NAME} are read",
        name.len(),
        name.chars().take(20).collect::<String>()
    ))
}

impl Layer {
    /// Checks numbers of inputs and outputs (Caffe's `ExactNumBottomBlobs` and its kin), and settings.
    ///
    /// # Errors
    /// When they are not what the kind takes.
    pub fn check(&self) -> Result<()> {
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        if !takes(&self.kind, inputs, outputs) {
            return Err(self.error(format!(
                "it has {inputs} bottoms and {outputs} tops, which is not what a layer of its type takes"
            )));
        }
        settings(&self.kind, inputs).map_err(|message| self.error(message))
    }
}

/// Whether a kind takes that number of inputs and of outputs.
fn takes(kind: &LayerKind, inputs: usize, outputs: usize) -> bool {
    match kind {
        LayerKind::Input { .. } => inputs == 0 && outputs >= 1,
        LayerKind::Eltwise(_) => inputs >= 2 && outputs == 1,
        LayerKind::Concat { .. } => inputs >= 1 && outputs == 1,
        LayerKind::Slice { .. } | LayerKind::Split => inputs == 1 && outputs >= 1,
        LayerKind::Convolution(_) | LayerKind::Deconvolution(_) => inputs >= 1 && inputs == outputs,
        LayerKind::Crop { .. } => inputs == 2 && outputs == 1,
        LayerKind::Scale { factor: learned, .. } | LayerKind::Bias { term: learned, .. } => {
            inputs == 2 - usize::from(learned.is_some()) && outputs == 1
        }
        LayerKind::Softmax { .. } => inputs >= 1,
        LayerKind::Pooling(_) => inputs == 1 && (1..=2).contains(&outputs),
        LayerKind::Constant { .. } => inputs == 0 && outputs == 1,
        LayerKind::Pairwise(_) | LayerKind::MatMul => inputs == 2 && outputs == 1,
        LayerKind::Where => inputs == 3 && outputs == 1,
        LayerKind::Interp { size, .. } => inputs == 1 + usize::from(*size == InterpSize::OfSecond) && outputs == 1,
        LayerKind::Unpool { .. } => inputs == 2 && outputs == 1,
        LayerKind::Sink | LayerKind::Unsupported { .. } => true,
        LayerKind::Lrn(_)
        | LayerKind::InnerProduct(_)
        | LayerKind::Relu { .. }
        | LayerKind::PRelu { .. }
        | LayerKind::Elu { .. }
        | LayerKind::Sigmoid
        | LayerKind::TanH
        | LayerKind::AbsVal
        | LayerKind::Bnll
        | LayerKind::Power { .. }
        | LayerKind::Exp { .. }
        | LayerKind::Log { .. }
        | LayerKind::Clip { .. }
        | LayerKind::Swish { .. }
        | LayerKind::Dropout
        | LayerKind::BatchNorm { .. }
        | LayerKind::Flatten { .. }
        | LayerKind::Reshape { .. }
        | LayerKind::Mvn { .. }
        | LayerKind::Tile { .. }
        | LayerKind::Reduction { .. }
        | LayerKind::Permute { .. }
        | LayerKind::Unary(_)
        | LayerKind::Reduce(_)
        | LayerKind::Move(_)
        | LayerKind::AlongAxis { .. }
        | LayerKind::Standardize { .. }
        | LayerKind::LogSoftmax { .. }
        | LayerKind::BatchStatistics { .. }
        | LayerKind::Upsample { .. }
        | LayerKind::ShuffleChannel { .. }
        | LayerKind::Reorg { .. }
        | LayerKind::ArgMax { .. }
        | LayerKind::Normalize { .. } => inputs == 1 && outputs == 1,
    }
}

fn settings(kind: &LayerKind, inputs: usize) -> Fits {
    match kind {
        LayerKind::Input { shape } => match shape {
            Some(shape) if shape.iter().flatten().any(|extent| *extent > LARGEST) => {
                Err(format!("an input of shape {shape:?}"))
            }
            Some(_) | None => Ok(()),
        },
        LayerKind::Convolution(settings) | LayerKind::Deconvolution(settings) => convolution(settings),
        LayerKind::Pooling(settings) => pooling(settings),
        LayerKind::Lrn(settings) => {
            positive("local_size", settings.size)?;
            if settings.size.is_multiple_of(2) {
                return Err(format!("local_size is {}; it must be odd", settings.size));
            }
            exponent("beta", settings.beta)
        }
        LayerKind::InnerProduct(settings) => positive("num_output", settings.num_output),
        LayerKind::Exp { base, .. } | LayerKind::Log { base, .. } => match base {
            Some(base) if *base <= 0.0 || base.is_nan() => {
                Err(format!("base is {base}; it must be positive, or -1 for e"))
            }
            Some(_) | None => Ok(()),
        },
        LayerKind::Clip { min, max } if min > max => Err(format!("min {min} is greater than max {max}")),
        LayerKind::Eltwise(EltwiseOperation::Sum(coefficients))
            if !coefficients.is_empty() && coefficients.len() != inputs =>
        {
            Err(format!("{} coefficients for {inputs} bottoms", coefficients.len()))
        }
        LayerKind::Tile { tiles, .. } => positive("tiles", *tiles),
        LayerKind::Power { power, .. } => exponent("power", *power),
        LayerKind::Interp { size, cut } => interp(size, *cut),
        LayerKind::Upsample { scale } => at_least_one("scale", *scale),
        LayerKind::Unpool { size } => unpool(size),
        LayerKind::ShuffleChannel { groups } => positive("group", *groups),
        LayerKind::Reorg { stride, .. } => positive("stride", *stride),
        LayerKind::ArgMax { top_k, .. } => positive("top_k", *top_k),
        LayerKind::Clip { .. }
        | LayerKind::Eltwise(_)
        | LayerKind::Relu { .. }
        | LayerKind::PRelu { .. }
        | LayerKind::Elu { .. }
        | LayerKind::Sigmoid
        | LayerKind::TanH
        | LayerKind::AbsVal
        | LayerKind::Bnll
        | LayerKind::Swish { .. }
        | LayerKind::Dropout
        | LayerKind::BatchNorm { .. }
        | LayerKind::Scale { .. }
        | LayerKind::Bias { .. }
        | LayerKind::Concat { .. }
        | LayerKind::Slice { .. }
        | LayerKind::Split
        | LayerKind::Softmax { .. }
        | LayerKind::Flatten { .. }
        | LayerKind::Reshape { .. }
        | LayerKind::Crop { .. }
        | LayerKind::Mvn { .. }
        | LayerKind::Reduction { .. }
        | LayerKind::Permute { .. }
        | LayerKind::Normalize { .. }
        | LayerKind::BatchStatistics { .. }
        | LayerKind::Sink
        | LayerKind::Constant { .. }
        | LayerKind::Unary(_)
        | LayerKind::Pairwise(_)
        | LayerKind::Where
        | LayerKind::MatMul
        | LayerKind::Reduce(_)
        | LayerKind::Move(_)
        | LayerKind::AlongAxis { .. }
        | LayerKind::Standardize { .. }
        | LayerKind::LogSoftmax { .. }
        | LayerKind::Unsupported { .. } => Ok(()),
    }
}

/// An exponent that leaves anything but 0, 1 and infinity of a float32.
fn exponent(field: &str, value: f32) -> Fits {
    const LARGEST_EXPONENT: f32 = 1e6;
    if value.abs() <= LARGEST_EXPONENT {
        Ok(())
    } else {
        Err(format!(
            "{field} is {value}; it must be from -{LARGEST_EXPONENT} to {LARGEST_EXPONENT}"
        ))
    }
}

fn convolution(settings: &Convolution) -> Fits {
    let Convolution { num_output, group, .. } = *settings;
    positive("num_output", num_output)?;
    positive("group", group)?;
    if !num_output.is_multiple_of(group) {
        return Err(format!("num_output {num_output} is no multiple of group {group}"));
    }
    at_least_one("kernel_size", settings.kernel)?;
    at_least_one("stride", settings.stride)?;
    at_least_one("dilation", settings.dilation)?;
    pads(&settings.pads)
}

fn pooling(settings: &Pooling) -> Fits {
    let Pooling {
        kernel,
        stride,
        pads: padding,
        ..
    } = settings;
    at_least_one("stride", *stride)?;
    pads(padding)?;
    match kernel {
        Some(kernel) => {
            at_least_one("kernel_size", *kernel)?;
            for pad in [padding.begin, padding.end] {
                if pad[0] >= kernel[0] || pad[1] >= kernel[1] {
                    return Err(format!("pad {pad:?} must be smaller than the kernel {kernel:?}"));
                }
            }
            Ok(())
        }
        None if *padding != Pads::default() || *stride != [1, 1] => {
            Err("global pooling goes with pad 0 and stride 1".into())
        }
        None => Ok(()),
    }
}

fn interp(size: &InterpSize, cut: [usize; 2]) -> Fits {
    if cut.iter().any(|cut| *cut > LARGEST) {
        return Err(format!("pad_beg and pad_end cut off {cut:?}"));
    }
    match size {
        InterpSize::Fixed(size) => at_least_one("size", *size),
        InterpSize::Factors { shrink, zoom } => at_least_one("factor", [*shrink, *zoom]),
        InterpSize::OfSecond => Ok(()),
    }
}

fn unpool(size: &UnpoolSize) -> Fits {
    match size {
        UnpoolSize::Fixed(size) => at_least_one("size", *size),
        UnpoolSize::Scaled { scale, .. } => at_least_one("scale", *scale),
        UnpoolSize::Windows { kernel, stride, pad } => {
            at_least_one("kernel_size", *kernel)?;
            at_least_one("stride", *stride)?;
            pads(&Pads::both([*pad, *pad]))
        }
    }
}

/// A number of things, at least one.
fn positive(field: &str, value: usize) -> Fits {
    if value == 0 || value > LARGEST {
        return Err(format!("{field} is {value}; it must be from 1 to {LARGEST}"));
    }
    Ok(())
}

fn at_least_one(name: &str, values: [usize; 2]) -> Fits {
    if values.iter().any(|value| *value == 0 || *value > LARGEST) {
        return Err(format!("{name} is {values:?}; it must be from 1 to {LARGEST}"));
    }
    Ok(())
}

fn pads(pads: &Pads) -> Fits {
    if [pads.begin, pads.end].iter().flatten().any(|pad| *pad > LARGEST) {
        return Err(format!("pad is {:?} and {:?}", pads.begin, pads.end));
    }
    Ok(())
}
