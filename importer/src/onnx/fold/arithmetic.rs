//! Arithmetic on entries, and reductions.

use super::affordable;
use super::make::cast_like;
use super::shapes::axes;
use crate::onnx::node::Node;
use crate::onnx::tensor::{Data, Step, Tensor, axis, broadcast, places, stretched, strides};

pub(super) fn function_of(op: &str) -> Option<fn(f32) -> f32> {
    Some(match op {
        "Neg" => |x| -x,
        "Abs" => f32::abs,
        "Sign" => |x| if x == 0.0 { 0.0 } else { x.signum() },
        "Floor" => f32::floor,
        "Ceil" => f32::ceil,
        "Round" => f32::round_ties_even,
        "Sqrt" => f32::sqrt,
        "Exp" => f32::exp,
        "Log" => f32::ln,
        "Sin" => f32::sin,
        "Cos" => f32::cos,
        "Tanh" => f32::tanh,
        "Reciprocal" => |x| 1.0 / x,
        "Sigmoid" => |x| 1.0 / (1.0 + (-x).exp()),
        "Relu" => |x| x.max(0.0),
        _ => return None,
    })
}

pub(super) fn clip(node: &Node, x: &Tensor, min: Option<&Tensor>, max: Option<&Tensor>) -> Step<Tensor> {
    let bound = |tensor: Option<&Tensor>, name: &str, default: f32| {
        tensor
            .and_then(|t| t.to_floats().first().copied())
            .unwrap_or_else(|| node.float(name, default))
    };
    let (min, max) = (bound(min, "min", f32::MIN), bound(max, "max", f32::MAX));
    let values: Vec<f32> = x.to_floats().into_iter().map(|value| value.max(min).min(max)).collect();
    let clipped = Tensor::float(x.dims.clone(), values);
    Ok(cast_like(&clipped, x))
}

/// The axes that a reduction goes over, and whether they stay with an extent of 1.
pub(in crate::onnx) fn reduced_axes(node: &Node, rank: usize, given: Option<&Tensor>) -> Step<(Vec<usize>, bool)> {
    let keeps = node.flag("keepdims", true);
    let chosen = axes(node, given).unwrap_or_default();
    if chosen.is_empty() {
        let all = if node.flag("noop_with_empty_axes", false) {
            Vec::new()
        } else {
            (0..rank).collect()
        };
        return Ok((all, keeps));
    }
    let mut chosen = chosen.iter().map(|i| axis(*i, rank)).collect::<Step<Vec<_>>>()?;
    chosen.sort_unstable();
    chosen.dedup();
    Ok((chosen, keeps))
}

pub(super) fn reduce(node: &Node, x: &Tensor, given: Option<&Tensor>) -> Option<Step<Tensor>> {
    let operation: fn(f64, f64) -> f64 = match node.op.as_str() {
        "ReduceSum" | "ReduceMean" => |a, b| a + b,
        "ReduceProd" => |a, b| a * b,
        "ReduceMax" => f64::max,
        "ReduceMin" => f64::min,
        _ => return None,
    };
    let is_mean = node.op == "ReduceMean";
    Some(reduced_axes(node, x.dims.len(), given).map(|(axes, keeps)| {
        let own = strides(&x.dims);
        let kept: Vec<usize> = (0..x.dims.len()).filter(|i| !axes.contains(i)).collect();
        let of = |axes: &[usize]| -> Vec<usize> {
            let dims: Vec<usize> = axes.iter().map(|i| x.dims[*i]).collect();
            let steps: Vec<isize> = axes.iter().map(|i| own[*i].cast_signed()).collect();
            places(&dims, &steps, 0)
        };
        let inner = of(&axes);
        let ints = matches!(x.data, Data::Int(_) | Data::Bool(_));
        #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
        let values: Vec<f64> = match &x.data {
            Data::Float(values) => values.iter().map(|value| f64::from(*value)).collect(),
            _ => x.to_ints().iter().map(|value| *value as f64).collect(),
        };
        #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
        let results: Vec<f64> = of(&kept)
            .iter()
            .map(|start| {
                let all = inner
                    .iter()
                    .map(|place| values[start + place])
                    .reduce(operation)
                    .unwrap_or(0.0);
                if is_mean { all / inner.len().max(1) as f64 } else { all }
            })
            .collect();
        let dims = (0..x.dims.len())
            .filter(|i| keeps || !axes.contains(i))
            .map(|i| if axes.contains(&i) { 1 } else { x.dims[i] })
            .collect();
        #[expect(clippy::cast_possible_truncation, reason = "the network computes in float32")]
        let data = if ints {
            Data::Int(results.iter().map(|value| *value as i64).collect())
        } else {
            Data::Float(results.iter().map(|value| *value as f32).collect())
        };
        Tensor { dims, data }
    }))
}

pub(super) fn variadic(node: &Node, inputs: &[Option<&Tensor>], most: usize) -> Option<Step<Tensor>> {
    let parts: Vec<&Tensor> = inputs.iter().copied().flatten().collect();
    if node.op == "Mean" {
        return None;
    }
    let (first, rest) = parts.split_first()?;
    let op = if node.op == "Sum" { "Add" } else { &node.op };
    Some(rest.iter().try_fold((*first).clone(), |result, part| {
        entrywise(op, &result, part, node, most)
    }))
}

pub(super) fn pairwise(node: &Node, inputs: &[Option<&Tensor>], most: usize) -> Option<Step<Tensor>> {
    match (node.op.as_str(), inputs) {
        (
            op @ ("Add" | "Sub" | "Mul" | "Div" | "Pow" | "Mod" | "Equal" | "Less" | "Greater" | "LessOrEqual"
            | "GreaterOrEqual" | "And" | "Or" | "Xor"),
            [Some(a), Some(b)],
        ) => Some(entrywise(op, a, b, node, most)),
        _ => None,
    }
}

pub(super) fn entrywise(op: &str, a: &Tensor, b: &Tensor, node: &Node, most: usize) -> Step<Tensor> {
    let dims = broadcast(&a.dims, &b.dims)?;
    affordable(&dims, most)?;
    let (left, right) = (stretched(&a.dims, &dims), stretched(&b.dims, &dims));
    let both_ints = matches!((&a.data, &b.data), (Data::Int(_), Data::Int(_)));
    let data = if matches!(op, "And" | "Or" | "Xor") {
        let (a, b) = (a.to_bools(), b.to_bools());
        let each = left.iter().zip(&right).map(|(i, j)| match op {
            "And" => a[*i] && b[*j],
            "Or" => a[*i] || b[*j],
            _ => a[*i] != b[*j],
        });
        Data::Bool(each.collect())
    } else if both_ints {
        let (a, b) = (a.to_ints(), b.to_ints());
        let pairs = left.iter().zip(&right).map(|(i, j)| (a[*i], b[*j]));
        match comparison(op) {
            Some(holds) => Data::Bool(pairs.map(|(a, b)| holds(a.cmp(&b))).collect()),
            None => Data::Int(pairs.map(|(a, b)| whole(op, a, b, node)).collect::<Step<_>>()?),
        }
    } else {
        let (a, b) = (a.to_floats(), b.to_floats());
        let pairs = left.iter().zip(&right).map(|(i, j)| (a[*i], b[*j]));
        match comparison(op) {
            Some(holds) => Data::Bool(pairs.map(|(a, b)| a.partial_cmp(&b).is_some_and(holds)).collect()),
            None => Data::Float(pairs.map(|(a, b)| real(op, a, b)).collect()),
        }
    };
    Ok(Tensor { dims, data })
}

pub(super) fn comparison(op: &str) -> Option<fn(std::cmp::Ordering) -> bool> {
    Some(match op {
        "Equal" => std::cmp::Ordering::is_eq,
        "Less" => std::cmp::Ordering::is_lt,
        "Greater" => std::cmp::Ordering::is_gt,
        "LessOrEqual" => std::cmp::Ordering::is_le,
        "GreaterOrEqual" => std::cmp::Ordering::is_ge,
        _ => return None,
    })
}

pub(super) fn whole(op: &str, a: i64, b: i64, node: &Node) -> Step<i64> {
    Ok(match op {
        "Add" => a.wrapping_add(b),
        "Sub" => a.wrapping_sub(b),
        "Mul" => a.wrapping_mul(b),
        "Div" | "Mod" if b == 0 => return Err("a division by zero".into()),
        "Div" => a.wrapping_div(b),
        // The sign of the divisor, as in Python; of the dividend, as in C, with fmod.
        "Mod" if node.flag("fmod", false) => a.wrapping_rem(b),
        "Mod" => {
            let rest = a.wrapping_rem(b);
            if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            }
        }
        "Pow" => a.wrapping_pow(u32::try_from(b).unwrap_or(0)),
        "Max" => a.max(b),
        _ => a.min(b),
    })
}

pub(super) fn real(op: &str, a: f32, b: f32) -> f32 {
    match op {
        "Add" => a + b,
        "Sub" => a - b,
        "Mul" => a * b,
        "Div" => a / b,
        "Mod" => a % b,
        "Pow" => a.powf(b),
        "Max" => a.max(b),
        _ => a.min(b),
    }
}
