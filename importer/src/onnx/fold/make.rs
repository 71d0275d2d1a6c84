//! Constants that are made of little: `Constant`, `Range`, `Cast`, quantized weights.

use super::affordable;
use crate::onnx::node::Node;
use crate::onnx::tensor::{Data, ElementType, Step, Tensor, axis, extents, strides};

pub(super) fn constant(node: &Node) -> Step<Tensor> {
    if let Some(tensor) = node.tensor("value") {
        return tensor;
    }
    for attribute in &node.attributes {
        return Ok(match attribute.name() {
            "value_float" => Tensor::float(Vec::new(), vec![attribute.f()]),
            "value_floats" => Tensor::float(vec![attribute.floats.len()], attribute.floats.clone()),
            "value_int" => Tensor {
                dims: Vec::new(),
                data: Data::Int(vec![attribute.i()]),
            },
            "value_ints" => Tensor::ints(attribute.ints.clone()),
            _ => continue,
        });
    }
    Err("a Constant of strings, or of nothing".into())
}

pub(super) fn constant_of_shape(node: &Node, shape: &Tensor, most: usize) -> Step<Tensor> {
    let dims = extents(&shape.to_ints())?;
    let entries = affordable(&dims, most)?;
    let data = match node.tensor("value").transpose()?.map(|value| value.data) {
        Some(Data::Float(value)) if !value.is_empty() => Data::Float(vec![value[0]; entries]),
        Some(Data::Int(value)) if !value.is_empty() => Data::Int(vec![value[0]; entries]),
        Some(Data::Bool(value)) if !value.is_empty() => Data::Bool(vec![value[0]; entries]),
        _ => Data::Float(vec![0.0; entries]),
    };
    Ok(Tensor { dims, data })
}

pub(super) fn cast(x: &Tensor, to: i64) -> Step<Tensor> {
    let element = ElementType::of(to)?;
    let data = if element.is_float() {
        Data::Float(x.to_floats())
    } else if element == ElementType::Bool {
        Data::Bool(x.to_bools())
    } else {
        Data::Int(x.to_ints())
    };
    Ok(Tensor {
        dims: x.dims.clone(),
        data,
    })
}

pub(super) fn cast_like(x: &Tensor, like: &Tensor) -> Tensor {
    let data = match like.data {
        Data::Float(_) => Data::Float(x.to_floats()),
        Data::Int(_) => Data::Int(x.to_ints()),
        Data::Bool(_) => Data::Bool(x.to_bools()),
    };
    Tensor {
        dims: x.dims.clone(),
        data,
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are checked"
)]
pub(super) fn range(start: &Tensor, limit: &Tensor, delta: &Tensor, most: usize) -> Step<Tensor> {
    if [start.len(), limit.len(), delta.len()] != [1; 3] {
        return Err("start, limit and delta must be single numbers".into());
    }
    if let (Data::Int(start), Data::Int(limit), Data::Int(delta)) = (&start.data, &limit.data, &delta.data) {
        let (start, limit, delta) = (start[0], limit[0], delta[0]);
        let span = if delta > 0 {
            limit.saturating_sub(start)
        } else {
            start.saturating_sub(limit)
        };
        let count = match delta.unsigned_abs() {
            0 => return Err("a delta of 0".into()),
            stride => u64::try_from(span).unwrap_or(0).div_ceil(stride),
        };
        affordable(&[usize::try_from(count).unwrap_or(usize::MAX)], most)?;
        return Ok(Tensor::ints(
            (0..count as i64)
                .map(|i| start.wrapping_add(i.wrapping_mul(delta)))
                .collect(),
        ));
    }
    let (start, limit, delta) = (start.to_floats()[0], limit.to_floats()[0], delta.to_floats()[0]);
    let count = ((limit - start) / delta).ceil();
    if !count.is_finite() {
        return Err("a range without end".into());
    }
    let count = affordable(&[count.max(0.0) as usize], most)?;
    Ok(Tensor::float(
        vec![count],
        (0..count).map(|i| start + i as f32 * delta).collect(),
    ))
}

pub(super) fn cum_sum(node: &Node, x: &Tensor, along: &Tensor) -> Step<Tensor> {
    let at = axis(*along.to_ints().first().ok_or("its axis is missing")?, x.dims.len())?;
    if node.flag("exclusive", false) || node.flag("reverse", false) {
        return Err("exclusive or reverse sums of constants are not supported".into());
    }
    let after: usize = x.dims[at + 1..].iter().product();
    let is_first = |place: usize| (place / after).is_multiple_of(x.dims[at]);
    let data = match &x.data {
        Data::Int(_) | Data::Bool(_) => {
            let mut values = x.to_ints();
            for place in 0..values.len() {
                if !is_first(place) {
                    values[place] = values[place].wrapping_add(values[place - after]);
                }
            }
            Data::Int(values)
        }
        Data::Float(values) => {
            let mut values = values.clone();
            for place in 0..values.len() {
                if !is_first(place) {
                    values[place] += values[place - after];
                }
            }
            Data::Float(values)
        }
    };
    Ok(Tensor {
        dims: x.dims.clone(),
        data,
    })
}

pub(super) fn trilu(node: &Node, x: &Tensor, diagonal: Option<&Tensor>) -> Step<Tensor> {
    let [.., rows, columns] = x.dims.as_slice() else {
        return Err("it takes a matrix".into());
    };
    let k = diagonal.and_then(|k| k.to_ints().first().copied()).unwrap_or(0);
    let upper = node.flag("upper", true);
    let kept = |place: usize| {
        let (row, column) = ((place / columns % rows) as i64, (place % columns) as i64);
        if upper {
            column >= row.saturating_add(k)
        } else {
            column <= row.saturating_add(k)
        }
    };
    let data = match &x.data {
        Data::Float(values) => Data::Float(
            values
                .iter()
                .enumerate()
                .map(|(i, v)| if kept(i) { *v } else { 0.0 })
                .collect(),
        ),
        Data::Int(values) => Data::Int(
            values
                .iter()
                .enumerate()
                .map(|(i, v)| if kept(i) { *v } else { 0 })
                .collect(),
        ),
        Data::Bool(values) => Data::Bool(values.iter().enumerate().map(|(i, v)| kept(i) && *v).collect()),
    };
    Ok(Tensor {
        dims: x.dims.clone(),
        data,
    })
}

/// `DequantizeLinear`: (x - zero point) * scale, one of each for the tensor, for an axis, or for blocks of it.
pub(super) fn dequantize(node: &Node, x: &Tensor, scale: &Tensor, zero: Option<&Tensor>) -> Step<Tensor> {
    let places = if scale.len() == 1 {
        vec![0; x.len()]
    } else {
        let at = axis(node.int("axis", 1), x.dims.len())?;
        if scale.dims.len() == x.dims.len() && x.dims.len() > 1 {
            let block = usize::try_from(node.int("block_size", 0)).unwrap_or(0);
            if block == 0 || x.dims[at].div_ceil(block) != scale.dims[at] {
                return Err(format!("scales of shape {:?}", scale.dims));
            }
            let own = strides(&x.dims);
            let of_scale = strides(&scale.dims);
            (0..x.len())
                .map(|place| {
                    (0..x.dims.len())
                        .map(|i| {
                            let index = place / own[i] % x.dims[i];
                            (if i == at { index / block } else { index }) * of_scale[i]
                        })
                        .sum()
                })
                .collect()
        } else if scale.len() == x.dims[at] {
            let after: usize = x.dims[at + 1..].iter().product();
            (0..x.len()).map(|place| place / after % x.dims[at]).collect::<Vec<_>>()
        } else {
            return Err(format!(
                "scales of shape {:?} for a tensor of shape {:?}",
                scale.dims, x.dims
            ));
        }
    };
    let scales = scale.to_floats();
    let zeros = zero.map_or_else(|| vec![0.0; scales.len()], Tensor::to_floats);
    if places
        .iter()
        .any(|place| *place >= scales.len() || *place >= zeros.len())
    {
        return Err("scales and zero points differ in number".into());
    }
    let values = x
        .to_floats()
        .iter()
        .zip(&places)
        .map(|(value, place)| (value - zeros[*place]) * scales[*place])
        .collect();
    Ok(Tensor::float(x.dims.clone(), values))
}
