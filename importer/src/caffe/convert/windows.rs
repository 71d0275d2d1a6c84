//! Settings of layers that slide a window over the image: convolution and pooling.

use super::tensor;
use crate::caffe::proto::pooling_parameter::{PoolMethod as ProtoPool, RoundMode};
use crate::caffe::proto::{ConvolutionParameter, PoolingParameter};
use crate::graph::{Convolution, Counted, Pads, PoolMethod, Pooling, Rounding};

/// A setting, or what is wrong with it.
pub(super) type Setting<T> = Result<T, String>;

/// Settings that may be given for both directions at once or for each: `kernel_size` or `kernel_h` and `kernel_w`.
fn pair(
    name: &str,
    both: &[u32],
    rows: Option<u32>,
    columns: Option<u32>,
    default: Option<u32>,
) -> Setting<[usize; 2]> {
    let values = match (both, rows, columns) {
        ([], None, None) => match default {
            Some(value) => [value, value],
            None => return Err(format!("{name} is missing")),
        },
        ([value], None, None) => [*value, *value],
        ([first, second], None, None) => [*first, *second],
        ([_, _, _, ..], None, None) => {
            return Err(format!(
                "{name} has {} values; only images, which have two axes, are computed",
                both.len()
            ));
        }
        ([], Some(rows), Some(columns)) => [rows, columns],
        ([], rows, columns) if default.is_some() => {
            let default = default.unwrap_or_default();
            [rows.unwrap_or(default), columns.unwrap_or(default)]
        }
        _ => {
            return Err(format!(
                "{name} is given in more than one way, or in one direction only"
            ));
        }
    };
    Ok(values.map(|value| value as usize))
}

/// The settings of the convolution `layer`; a transposed one has the same.
pub(super) fn convolution(layer: &str, param: Option<&ConvolutionParameter>) -> Setting<Convolution> {
    let p = param.ok_or("convolution_param is missing")?;
    if p.axis() != 1 {
        return Err(format!("axis is {}; only 1 is supported", p.axis()));
    }
    Ok(Convolution {
        weight: tensor(layer, "weight"),
        bias: p.bias_term().then(|| tensor(layer, "bias")),
        num_output: p.num_output() as usize,
        kernel: pair("kernel_size", &p.kernel_size, p.kernel_h, p.kernel_w, None)?,
        stride: pair("stride", &p.stride, p.stride_h, p.stride_w, Some(1))?,
        pads: Pads::both(pair("pad", &p.pad, p.pad_h, p.pad_w, Some(0))?),
        dilation: pair("dilation", &p.dilation, None, None, Some(1))?,
        group: p.group() as usize,
    })
}

/// The settings of a convolution of each channel by itself, as forks have it under names of its own: where the number of
/// groups is not given, there are as many as output channels.
pub(super) fn depthwise(layer: &str, param: Option<&ConvolutionParameter>) -> Setting<Convolution> {
    let settings = convolution(layer, param)?;
    Ok(Convolution {
        group: if settings.group == 1 {
            settings.num_output
        } else {
            settings.group
        },
        ..settings
    })
}

/// How a pooling layer's output size is rounded: `round_mode`, or what forks have in its place.
fn rounding(p: &PoolingParameter) -> Rounding {
    let is_ceil = match (p.ceil_mode, p.round_below) {
        (Some(is_ceil), _) => is_ceil,
        (None, Some(is_floor)) => !is_floor,
        (None, None) => p.round_mode() == RoundMode::Ceil,
    };
    if is_ceil { Rounding::Ceil } else { Rounding::Floor }
}

/// A pooling layer's settings.
pub(super) fn pooling(p: &PoolingParameter) -> Setting<Pooling> {
    let method = match p.pool() {
        ProtoPool::Max => PoolMethod::Max,
        ProtoPool::Ave => PoolMethod::Average,
        ProtoPool::Stochastic => return Err("stochastic pooling is not computed, only MAX and AVE are".into()),
    };
    let one = |value: Option<u32>| value.into_iter().collect::<Vec<_>>();
    let kernel = if p.global_pooling() {
        None
    } else {
        Some(pair("kernel_size", &one(p.kernel_size), p.kernel_h, p.kernel_w, None)?)
    };
    Ok(Pooling {
        method,
        kernel,
        stride: pair("stride", &one(p.stride), p.stride_h, p.stride_w, Some(1))?,
        pads: Pads::both(pair("pad", &one(p.pad), p.pad_h, p.pad_w, Some(0))?),
        rounding: rounding(p),
        counted: Counted::Padded,
    })
}
