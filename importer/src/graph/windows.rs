//! Settings of layers that slide a window over the image: convolution and pooling.

use super::kind::{Convolution, PoolMethod, Pooling};
use crate::proto::pooling_parameter::{PoolMethod as ProtoPool, RoundMode};
use crate::proto::{ConvolutionParameter, PoolingParameter};

/// Largest extent of a kernel, stride, padding or output that is believed.
pub(super) const LARGEST: u32 = 1 << 24;

/// A setting, or what is wrong with it.
pub(super) type Setting<T> = std::result::Result<T, String>;

/// A number of things, at least one.
pub(super) fn positive(field: &str, value: u32) -> Setting<usize> {
    if value == 0 || value > LARGEST {
        return Err(format!("{field} is {value}; it must be from 1 to {LARGEST}"));
    }
    Ok(value as usize)
}

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
    if values.iter().any(|value| *value > LARGEST) {
        return Err(format!("{name} is {values:?}"));
    }
    Ok(values.map(|value| value as usize))
}

fn at_least_one(name: &str, values: [usize; 2]) -> Setting<[usize; 2]> {
    if values.contains(&0) {
        return Err(format!("{name} is {values:?}; it must be 1 or more"));
    }
    Ok(values)
}

/// A convolution's settings; a transposed one has the same.
pub(super) fn convolution(param: Option<&ConvolutionParameter>) -> Setting<Convolution> {
    let p = param.ok_or("convolution_param is missing")?;
    let num_output = positive("num_output", p.num_output())?;
    let group = positive("group", p.group())?;
    if p.axis() != 1 {
        return Err(format!("axis is {}; only 1 is supported", p.axis()));
    }
    if !num_output.is_multiple_of(group) {
        return Err(format!("num_output {num_output} is no multiple of group {group}"));
    }
    Ok(Convolution {
        num_output,
        kernel: at_least_one(
            "kernel_size",
            pair("kernel_size", &p.kernel_size, p.kernel_h, p.kernel_w, None)?,
        )?,
        stride: at_least_one("stride", pair("stride", &p.stride, p.stride_h, p.stride_w, Some(1))?)?,
        pad: pair("pad", &p.pad, p.pad_h, p.pad_w, Some(0))?,
        dilation: at_least_one("dilation", pair("dilation", &p.dilation, None, None, Some(1))?)?,
        group,
        bias: p.bias_term(),
    })
}

/// A pooling layer's settings.
pub(super) fn pooling(p: &PoolingParameter) -> Setting<Pooling> {
    let method = match p.pool() {
        ProtoPool::Max => PoolMethod::Max,
        ProtoPool::Ave => PoolMethod::Average,
        ProtoPool::Stochastic => return Err("stochastic pooling is not supported; use MAX or AVE".into()),
    };
    let one = |value: Option<u32>| value.into_iter().collect::<Vec<_>>();
    let kernel = if p.global_pooling() {
        None
    } else {
        let kernel = pair("kernel_size", &one(p.kernel_size), p.kernel_h, p.kernel_w, None)?;
        Some(at_least_one("kernel_size", kernel)?)
    };
    let pad = pair("pad", &one(p.pad), p.pad_h, p.pad_w, Some(0))?;
    let stride = at_least_one(
        "stride",
        pair("stride", &one(p.stride), p.stride_h, p.stride_w, Some(1))?,
    )?;
    match kernel {
        Some(kernel) if pad[0] >= kernel[0] || pad[1] >= kernel[1] => {
            return Err(format!("pad {pad:?} must be smaller than the kernel {kernel:?}"));
        }
        None if pad != [0, 0] || stride != [1, 1] => {
            return Err("global pooling goes with pad 0 and stride 1".into());
        }
        _ => {}
    }
    Ok(Pooling {
        method,
        kernel,
        stride,
        pad,
        ceil: p.round_mode() == RoundMode::Ceil,
    })
}
