//! The settings of a window, and what size its outputs have.

use crate::graph::Pads;
use crate::onnx::node::Node;
use crate::onnx::tensor::Step;

/// A window's settings along the axes of space.
pub(super) struct Window {
    pub(super) kernel: Vec<usize>,
    pub(super) stride: Vec<usize>,
    pub(super) dilation: Vec<usize>,
    pub(super) begin: Vec<usize>,
    pub(super) end: Vec<usize>,
    pub(super) ceil: bool,
}

/// Largest setting that is believed.
pub(in crate::onnx::lower) const LARGEST: i64 = 1 << 24;

/// A list of settings, one for each axis of space.
pub(super) fn settings(node: &Node, name: &str, default: i64, count: usize, least: i64) -> Step<Vec<usize>> {
    let values = match node.ints(name) {
        Some(values) if !values.is_empty() => values.to_vec(),
        _ => vec![default; count],
    };
    if values.len() != count || values.iter().any(|value| !(least..=LARGEST).contains(value)) {
        return Err(format!(
            "{name} is {values:?}; {count} numbers from {least} on are wanted"
        ));
    }
    Ok(values
        .iter()
        .map(|value| usize::try_from(*value).unwrap_or(0))
        .collect())
}

impl Window {
    pub(super) fn of(node: &Node, kernel: Vec<usize>, input: &[usize]) -> Step<Self> {
        let axes = input.len();
        let stride = settings(node, "strides", 1, axes, 1)?;
        let dilation = settings(node, "dilations", 1, axes, 1)?;
        let pads = settings(node, "pads", 0, 2 * axes, 0)?;
        let mut window = Self {
            kernel,
            stride,
            dilation,
            begin: pads[..axes].to_vec(),
            end: pads[axes..].to_vec(),
            ceil: node.flag("ceil_mode", false),
        };
        match node.text("auto_pad", "NOTSET").as_str() {
            "VALID" => {
                window.begin = vec![0; axes];
                window.end = vec![0; axes];
            }
            mode @ ("SAME_UPPER" | "SAME_LOWER") => {
                window.ceil = false;
                for (axis, extent) in input.iter().enumerate().take(axes) {
                    let stride = window.stride[axis];
                    let output = extent.div_ceil(stride);
                    let total = ((output.max(1) - 1) * stride + window.reach(axis)).saturating_sub(*extent);
                    let less = total / 2;
                    (window.begin[axis], window.end[axis]) = if mode == "SAME_UPPER" {
                        (less, total - less)
                    } else {
                        (total - less, less)
                    };
                }
            }
            _ => {}
        }
        Ok(window)
    }

    /// Extent of the kernel with its gaps.
    pub(super) fn reach(&self, axis: usize) -> usize {
        self.dilation[axis]
            .saturating_mul(self.kernel[axis] - 1)
            .saturating_add(1)
    }

    /// Extent of the output along an axis of `input` pixels.
    pub(super) fn output(&self, axis: usize, input: usize) -> Step<usize> {
        let padded = input + self.begin[axis] + self.end[axis];
        let reach = self.reach(axis);
        if padded < reach {
            return Err(format!(
                "its kernel reaches over {reach} pixels, its input has {padded} with padding; is the image too small?"
            ));
        }
        let room = padded - reach;
        let stride = self.stride[axis];
        if !self.ceil {
            return Ok(room / stride + 1);
        }
        let output = room.div_ceil(stride) + 1;
        // The last window must start inside the image or its near padding.
        Ok(if (output - 1) * stride >= input + self.begin[axis] {
            output - 1
        } else {
            output
        })
    }

    pub(super) fn outputs(&self, input: &[usize]) -> Step<Vec<usize>> {
        (0..input.len()).map(|axis| self.output(axis, input[axis])).collect()
    }

    /// Whether nothing happens along an axis.
    pub(super) fn is_idle(&self, axis: usize) -> bool {
        self.kernel[axis] == 1 && self.stride[axis] == 1 && self.begin[axis] == 0 && self.end[axis] == 0
    }

    pub(super) fn is_dilated(&self) -> bool {
        (0..self.kernel.len()).any(|axis| self.dilation[axis] != 1 && self.kernel[axis] != 1)
    }

    /// The settings of some of its axes.
    pub(super) fn axes(&self, axes: [Option<usize>; 2]) -> Self {
        let pick = |values: &[usize], idle: usize| axes.map(|axis| axis.map_or(idle, |axis| values[axis])).to_vec();
        Self {
            kernel: pick(&self.kernel, 1),
            stride: pick(&self.stride, 1),
            dilation: pick(&self.dilation, 1),
            begin: pick(&self.begin, 0),
            end: pick(&self.end, 0),
            ceil: self.ceil,
        }
    }

    pub(super) fn pads(&self) -> Pads {
        Pads {
            begin: two(&self.begin),
            end: two(&self.end),
        }
    }
}

pub(super) fn two(values: &[usize]) -> [usize; 2] {
    [values[0], values[1]]
}
