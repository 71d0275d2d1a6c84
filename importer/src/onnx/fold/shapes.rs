//! Shapes of values: what `Reshape`, `Squeeze`, `Transpose`, `Expand` and their kin make of them.

use super::affordable;
use crate::onnx::node::Node;
use crate::onnx::tensor::{Step, Tensor, axis, broadcast, count, extents, places, stretched, strides};

/// `Shape`, from version 15 on with the first and last axis to tell.
pub(in crate::onnx) fn shape(node: &Node, dims: &[usize]) -> Tensor {
    let rank = dims.len().cast_signed() as i64;
    let bound = |value: i64| {
        let value = if value < 0 { value + rank } else { value };
        usize::try_from(value.clamp(0, rank)).unwrap_or(0)
    };
    let start = bound(node.int("start", 0));
    let end = bound(node.int("end", rank)).max(start);
    Tensor::ints(dims[start..end].iter().map(|dim| dim.cast_signed() as i64).collect())
}

/// The shape that `Reshape` gives: 0 copies, -1 is what is left over.
pub(in crate::onnx) fn reshaped(node: &Node, from: &[usize], target: Option<&Tensor>) -> Step<Vec<usize>> {
    let target = match (target, node.ints("shape")) {
        (Some(target), _) => target.to_ints(),
        (None, Some(shape)) => shape.to_vec(),
        (None, None) => return Err("its target shape is missing".into()),
    };
    let keeps_zero = node.flag("allowzero", false);
    let mut left_over = None;
    let mut dims = Vec::with_capacity(target.len());
    for (i, dim) in target.iter().enumerate() {
        dims.push(match *dim {
            0 if !keeps_zero => *from
                .get(i)
                .ok_or_else(|| format!("it copies axis {i} of a value of shape {from:?}"))?,
            -1 if left_over.is_none() => {
                left_over = Some(i);
                1
            }
            dim => usize::try_from(dim).map_err(|_| format!("target shape {target:?}"))?,
        });
    }
    let (have, known) = (count(from)?, count(&dims)?);
    match left_over {
        Some(place) if known > 0 && have.is_multiple_of(known) => dims[place] = have / known,
        None if known == have => {}
        _ => {
            return Err(format!(
                "{from:?} cannot become {target:?}: the numbers of entries differ"
            ));
        }
    }
    Ok(dims)
}

pub(super) fn reshape(node: &Node, x: &Tensor, target: Option<&Tensor>) -> Step<Tensor> {
    x.reshaped(reshaped(node, &x.dims, target)?)
}

/// The shape that `Flatten` gives: always two axes.
pub(in crate::onnx) fn flattened(node: &Node, from: &[usize]) -> Step<Vec<usize>> {
    let rank = from.len().cast_signed() as i64;
    let at = node.int("axis", 1);
    let at = usize::try_from(if at < 0 { at + rank } else { at })
        .ok()
        .filter(|at| *at <= from.len())
        .ok_or_else(|| format!("axis {at} of a value of shape {from:?}"))?;
    Ok(vec![from[..at].iter().product(), from[at..].iter().product()])
}

pub(super) fn flatten(node: &Node, x: &Tensor) -> Step<Tensor> {
    x.reshaped(flattened(node, &x.dims)?)
}

/// Axes as an input (newer versions) or an attribute (older ones).
pub(super) fn axes(node: &Node, given: Option<&Tensor>) -> Option<Vec<i64>> {
    given
        .map(Tensor::to_ints)
        .or_else(|| node.ints("axes").map(<[i64]>::to_vec))
}

pub(in crate::onnx) fn squeezed(node: &Node, from: &[usize], given: Option<&Tensor>) -> Step<Vec<usize>> {
    let chosen = match axes(node, given) {
        Some(axes) => axes.iter().map(|i| axis(*i, from.len())).collect::<Step<Vec<_>>>()?,
        None => (0..from.len()).filter(|i| from[*i] == 1).collect(),
    };
    if let Some(i) = chosen.iter().find(|i| from[**i] != 1) {
        return Err(format!("axis {i} of shape {from:?} cannot be dropped: it is not 1"));
    }
    Ok((0..from.len())
        .filter(|i| !chosen.contains(i))
        .map(|i| from[i])
        .collect())
}

pub(in crate::onnx) fn unsqueezed(node: &Node, from: &[usize], given: Option<&Tensor>) -> Step<Vec<usize>> {
    let chosen = axes(node, given).ok_or("its axes are missing")?;
    let rank = from.len() + chosen.len();
    count(&vec![1; rank])?;
    let chosen = chosen.iter().map(|i| axis(*i, rank)).collect::<Step<Vec<_>>>()?;
    let mut kept = from.iter();
    let dims: Vec<usize> = (0..rank)
        .map(|i| {
            if chosen.contains(&i) {
                1
            } else {
                kept.next().copied().unwrap_or(1)
            }
        })
        .collect();
    if kept.next().is_some() {
        return Err(format!("axes {chosen:?} are given twice"));
    }
    Ok(dims)
}

/// The order of axes of a `Transpose`.
pub(in crate::onnx) fn permutation(node: &Node, rank: usize) -> Step<Vec<usize>> {
    let order = match node.ints("perm") {
        Some(perm) => perm.iter().map(|i| axis(*i, rank)).collect::<Step<Vec<_>>>()?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted == (0..rank).collect::<Vec<_>>() {
        Ok(order)
    } else {
        Err(format!("perm {order:?} of a value with {rank} axes"))
    }
}

pub(super) fn transpose(node: &Node, x: &Tensor) -> Step<Tensor> {
    let order = permutation(node, x.dims.len())?;
    let own = strides(&x.dims);
    let dims: Vec<usize> = order.iter().map(|i| x.dims[*i]).collect();
    let steps: Vec<isize> = order.iter().map(|i| own[*i].cast_signed()).collect();
    Ok(x.select(dims.clone(), &places(&dims, &steps, 0)))
}

/// The shape that `Expand` gives.
pub(in crate::onnx) fn expanded(from: &[usize], target: &Tensor) -> Step<Vec<usize>> {
    broadcast(from, &extents(&target.to_ints())?)
}

pub(super) fn expand(x: &Tensor, target: &Tensor, most: usize) -> Step<Tensor> {
    let dims = expanded(&x.dims, target)?;
    affordable(&dims, most)?;
    Ok(x.select(dims.clone(), &stretched(&x.dims, &dims)))
}

pub(super) fn tile(x: &Tensor, repeats: &Tensor, most: usize) -> Step<Tensor> {
    let repeats = extents(&repeats.to_ints())?;
    if repeats.len() != x.dims.len() {
        return Err(format!("repeats {repeats:?} of a value of shape {:?}", x.dims));
    }
    // Each axis as two: the copies, and what is copied.
    let own = strides(&x.dims);
    let (mut dims, mut split, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for ((extent, copies), step) in x.dims.iter().zip(&repeats).zip(&own) {
        dims.push(extent.saturating_mul(*copies));
        split.extend([*copies, *extent]);
        steps.extend([0, step.cast_signed()]);
    }
    affordable(&dims, most)?;
    Ok(x.select(dims, &places(&split, &steps, 0)))
}
