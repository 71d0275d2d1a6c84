//! Which axis of a value counts its channels.
//!
//! In Caffe that is axis 1 everywhere. Networks of other frameworks turn their values around: tokens come before features, Keras
//! has its channels last, and ConvNeXt and Swin change between both. The axis is followed through the layers from where it is
//! known: convolutions and pooling have channels in axis 1, maps of features in their last axis.

use deepvis_importer::graph::{Move, Origin, ValueId};
use deepvis_importer::{Graph, LayerKind};
use serde::Serialize;

/// What the axes of a value mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Axes {
    /// The axis of the channels (of a transformer: features).
    pub channel: usize,
    /// Whether the first of its tokens is a class token.
    pub class_token: bool,
}

/// What Caffe's values mean.
pub(super) const CAFFE: Axes = Axes {
    channel: 1,
    class_token: false,
};

impl Axes {
    /// Whether a value of `shape` (with the batch axis) is tokens of features, `batch x tokens x features`.
    pub fn is_tokens(self, shape: &[usize]) -> bool {
        shape.len() == 3 && self.channel == 2
    }

    /// The shape with the channels in axis 1: batch, channels, places.
    pub fn channels_first(self, shape: &[usize]) -> Vec<usize> {
        let mut shape = shape.to_vec();
        if self.channel > 1 && self.channel < shape.len() {
            let channels = shape.remove(self.channel);
            shape.insert(1, channels);
        }
        shape
    }

    /// What the axes of a value of `shape` after that of the batch are called.
    pub fn names(self, shape: &[usize]) -> Vec<&'static str> {
        let channel = if self.channel == 0 { 1 } else { self.channel };
        let places: &[&str] = match (shape.len(), self.is_tokens(shape)) {
            (3, true) => &["token"],
            (3, false) => &["place"],
            (4, _) => &["row", "column"],
            _ => &[],
        };
        let mut places = places.iter();
        let of_channels = if self.is_tokens(shape) { "feature" } else { "channel" };
        (1..shape.len())
            .map(|axis| {
                if axis == channel {
                    of_channels
                } else {
                    places.next().copied().unwrap_or("place")
                }
            })
            .collect()
    }
}

/// What is known of a value on the way.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The axis of its channels.
    channel: Option<usize>,
    /// Tokens, the first of them a class token, of values that it was computed from.
    class_tokens: Option<usize>,
    /// Whether it depends on the image.
    is_live: bool,
}

/// What the axes of each value mean; `shapes` are those for one image.
pub(super) fn axes(graph: &Graph, shapes: &[Option<Vec<usize>>]) -> Vec<Axes> {
    let mut known = vec![Known::default(); graph.values.len()];
    if graph.origin == Origin::Caffe {
        return vec![CAFFE; known.len()];
    }
    for layer in &graph.layers {
        let inputs: Vec<(Known, &[usize])> = layer
            .inputs
            .iter()
            .filter_map(|input| Some((known[*input], shapes[*input].as_deref()?)))
            .collect();
        let is_live = matches!(layer.kind, LayerKind::Input { .. }) || inputs.iter().any(|(input, _)| input.is_live);
        for output in &layer.outputs {
            let Some(shape) = shapes[*output].as_deref() else {
                continue;
            };
            let channel = channel(&layer.kind, &inputs, shape).filter(|axis| (1..shape.len()).contains(axis));
            let begins = match &layer.kind {
                LayerKind::Concat { axis: 1 } => begins_with_a_class_token(&inputs, shape),
                _ => None,
            };
            known[*output] = Known {
                channel,
                class_tokens: begins.or_else(|| inputs.iter().find_map(|(input, _)| input.class_tokens)),
                is_live,
            };
        }
    }
    let of = |value: ValueId| {
        let shape = shapes[value].as_deref().unwrap_or_default();
        let known = known[value];
        // Where nothing tells, three axes are batch, tokens and features.
        let channel = known.channel.unwrap_or(if shape.len() == 3 { 2 } else { 1 });
        Axes {
            channel,
            class_token: shape.len() == 3 && channel == 2 && known.class_tokens == Some(shape[1]),
        }
    };
    (0..known.len()).map(of).collect()
}

/// How many tokens come of one constant token before those of the image, if that is what is put together.
fn begins_with_a_class_token(inputs: &[(Known, &[usize])], shape: &[usize]) -> Option<usize> {
    let [(first, first_shape), .., (last, _)] = inputs else {
        return None;
    };
    let is_one = shape.len() == 3 && first_shape.get(1) == Some(&1);
    (is_one && !first.is_live && last.is_live).then_some(shape[1])
}

/// The axis of `shape` that counts what axis `channel` of `from` does, where both have the same entries in the same order.
fn viewed(from: &[usize], channel: usize, shape: &[usize]) -> Option<usize> {
    let before: usize = from[..channel].iter().product();
    let extent = from[channel];
    let mut product = 1;
    for (axis, found) in shape.iter().enumerate() {
        if axis > 0 && product == before && *found == extent {
            return Some(axis);
        }
        product *= found;
    }
    None
}

/// The axis of the channels in an output of `shape`.
fn channel(kind: &LayerKind, inputs: &[(Known, &[usize])], shape: &[usize]) -> Option<usize> {
    let first = inputs.first().and_then(|(known, shape)| Some((known.channel?, *shape)));
    let last = shape.len().checked_sub(1);
    // Of several that are stretched to each other, counted from the last axis.
    let stretched = || {
        inputs.iter().find_map(|(known, of)| {
            let axis = known.channel? + shape.len().checked_sub(of.len())?;
            (shape.get(axis) == of.get(known.channel?)).then_some(axis)
        })
    };
    let same = || first.map(|(channel, _)| channel);
    let view = || first.and_then(|(channel, from)| viewed(from, channel, shape));
    match kind {
        LayerKind::Input { .. }
        | LayerKind::Convolution(_)
        | LayerKind::Deconvolution(_)
        | LayerKind::Pooling(_)
        | LayerKind::Lrn(_)
        | LayerKind::BatchNorm { .. }
        | LayerKind::BatchStatistics { .. }
        | LayerKind::Interp { .. }
        | LayerKind::Upsample { .. }
        | LayerKind::Unpool { .. }
        | LayerKind::ShuffleChannel { .. }
        | LayerKind::Reorg { .. }
        | LayerKind::Mvn { .. }
        | LayerKind::Normalize { .. } => Some(1),
        LayerKind::InnerProduct(_) => last,
        LayerKind::AlongAxis { axis, .. } => Some(*axis),
        // Weights on the right map features; two values of the image are queries and keys.
        LayerKind::MatMul => match inputs {
            [(_, _), (right, _)] if !right.is_live => last,
            _ => None,
        },
        LayerKind::Standardize { axis, factor, .. } => {
            if factor.is_some() && Some(*axis) == last {
                last
            } else {
                same()
            }
        }
        LayerKind::Permute { order } => {
            let (channel, from) = first?;
            let rest = (0..from.len()).filter(|axis| !order.contains(axis));
            order.iter().copied().chain(rest).position(|axis| axis == channel)
        }
        LayerKind::Move(Move::View { .. }) | LayerKind::Reshape { .. } | LayerKind::Flatten { .. } => view(),
        LayerKind::Move(Move::Expand { .. })
        | LayerKind::Eltwise(_)
        | LayerKind::Scale { .. }
        | LayerKind::Bias { .. }
        | LayerKind::Pairwise(_)
        | LayerKind::Where => stretched(),
        LayerKind::Concat { .. } => inputs.iter().find_map(|(known, _)| known.channel),
        LayerKind::Move(Move::Pad { .. } | Move::Gather { .. })
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
        | LayerKind::Slice { .. }
        | LayerKind::Split
        | LayerKind::Softmax { .. }
        | LayerKind::LogSoftmax { .. }
        | LayerKind::Crop { .. }
        | LayerKind::Tile { .. }
        | LayerKind::Reduce(_)
        | LayerKind::Unary(_) => same(),
        LayerKind::Reduction { .. }
        | LayerKind::ArgMax { .. }
        | LayerKind::Constant { .. }
        | LayerKind::Sink
        | LayerKind::Unsupported { .. } => None,
    }
}
