//! Entries that are picked: `Gather`, `Slice`, `Split`, `Concat`, `Where` and their kin.

use super::affordable;
use crate::onnx::node::Node;
use crate::onnx::tensor::{Data, Step, Tensor, axis, broadcast, extents, places, stretched, strides};

/// Tensors of one kind, so that they can be put side by side.
pub(super) fn gathered(parts: &[&Tensor], places: &[(usize, usize)]) -> Data {
    match &parts[0].data {
        Data::Float(_) => {
            let all: Vec<Vec<f32>> = parts.iter().map(|part| part.to_floats()).collect();
            Data::Float(places.iter().map(|(part, place)| all[*part][*place]).collect())
        }
        Data::Int(_) => {
            let all: Vec<Vec<i64>> = parts.iter().map(|part| part.to_ints()).collect();
            Data::Int(places.iter().map(|(part, place)| all[*part][*place]).collect())
        }
        Data::Bool(_) => {
            let all: Vec<Vec<bool>> = parts.iter().map(|part| part.to_bools()).collect();
            Data::Bool(places.iter().map(|(part, place)| all[*part][*place]).collect())
        }
    }
}

pub(super) fn concat(node: &Node, inputs: &[Option<&Tensor>], most: usize) -> Step<Tensor> {
    let parts: Vec<&Tensor> = inputs.iter().copied().flatten().collect();
    let first = parts.first().ok_or("it has no inputs")?;
    let at = axis(node.int("axis", 0), first.dims.len())?;
    let mut dims = first.dims.clone();
    dims[at] = 0;
    for part in &parts {
        let fits = part.dims.len() == dims.len()
            && part
                .dims
                .iter()
                .zip(&dims)
                .enumerate()
                .all(|(i, (a, b))| i == at || a == b);
        if !fits {
            return Err(format!(
                "shapes {:?} and {:?} do not fit side by side",
                first.dims, part.dims
            ));
        }
        dims[at] += part.dims[at];
    }
    affordable(&dims, most)?;
    let before: usize = dims[..at].iter().product();
    let mut order = Vec::new();
    for row in 0..before {
        for (i, part) in parts.iter().enumerate() {
            let run: usize = part.dims[at..].iter().product();
            order.extend((row * run..(row + 1) * run).map(|place| (i, place)));
        }
    }
    Ok(Tensor {
        data: gathered(&parts, &order),
        dims,
    })
}

/// Indices along an axis of `extent` entries, negative ones counted from the end.
pub(in crate::onnx) fn indices(indices: &Tensor, extent: usize) -> Step<Vec<usize>> {
    indices
        .to_ints()
        .iter()
        .map(|index| axis(*index, extent).map_err(|_| format!("index {index} of {extent} entries")))
        .collect()
}

pub(super) fn gather(node: &Node, x: &Tensor, index: &Tensor, most: usize) -> Step<Tensor> {
    let at = axis(node.int("axis", 0), x.dims.len())?;
    let chosen = indices(index, x.dims[at])?;
    let mut dims = x.dims[..at].to_vec();
    dims.extend(&index.dims);
    dims.extend(&x.dims[at + 1..]);
    affordable(&dims, most)?;
    let (before, after): (usize, usize) = (x.dims[..at].iter().product(), x.dims[at + 1..].iter().product());
    let mut order = Vec::with_capacity(before * chosen.len() * after);
    for row in 0..before {
        for i in &chosen {
            let start = (row * x.dims[at] + i) * after;
            order.extend(start..start + after);
        }
    }
    Ok(x.select(dims, &order))
}

/// For `GatherND` and `ScatterND`: the place where each index tuple's run begins, and how long a run is.
pub(in crate::onnx) fn tuples(dims: &[usize], index: &Tensor, batch_dims: usize) -> Step<(Vec<usize>, usize)> {
    let width = *index.dims.last().ok_or("its indices are a single number")?;
    if batch_dims + width > dims.len()
        || batch_dims >= index.dims.len()
        || dims[..batch_dims] != index.dims[..batch_dims]
    {
        return Err(format!(
            "indices of shape {:?} into a value of shape {dims:?}",
            index.dims
        ));
    }
    let own = strides(dims);
    let run: usize = dims[batch_dims + width..].iter().product();
    let batches: usize = dims[..batch_dims].iter().product();
    let each: usize = dims[batch_dims..].iter().product();
    let values = index.to_ints();
    let tuples = values.len() / width.max(1);
    let per_batch = tuples / batches.max(1);
    let starts = (0..tuples)
        .map(|t| {
            let mut start = t / per_batch.max(1) * each;
            for (i, value) in values[t * width..(t + 1) * width].iter().enumerate() {
                let at = batch_dims + i;
                start +=
                    axis(*value, dims[at]).map_err(|_| format!("index {value} of {} entries", dims[at]))? * own[at];
            }
            Ok(start)
        })
        .collect::<Step<Vec<_>>>()?;
    Ok((starts, run))
}

/// The shape that `GatherND` gives.
pub(in crate::onnx) fn gathered_shape(dims: &[usize], index: &Tensor, batch_dims: usize) -> Vec<usize> {
    let width = index.dims.last().copied().unwrap_or(0);
    let mut shape = index.dims[..index.dims.len().saturating_sub(1)].to_vec();
    shape.extend(&dims[(batch_dims + width).min(dims.len())..]);
    shape
}

pub(super) fn gather_nd(node: &Node, x: &Tensor, index: &Tensor, most: usize) -> Step<Tensor> {
    let batch_dims = usize::try_from(node.int("batch_dims", 0)).map_err(|_| "negative batch_dims")?;
    let (starts, run) = tuples(&x.dims, index, batch_dims)?;
    let dims = gathered_shape(&x.dims, index, batch_dims);
    affordable(&dims, most)?;
    let order: Vec<usize> = starts.iter().flat_map(|start| *start..start + run).collect();
    Ok(x.select(dims, &order))
}

pub(super) fn gather_elements(node: &Node, x: &Tensor, index: &Tensor) -> Step<Tensor> {
    let at = axis(node.int("axis", 0), x.dims.len())?;
    if index.dims.len() != x.dims.len() {
        return Err("indices of another rank".into());
    }
    let own = strides(&x.dims);
    let steps: Vec<isize> = own
        .iter()
        .enumerate()
        .map(|(i, step)| if i == at { 0 } else { step.cast_signed() })
        .collect();
    let fits = index
        .dims
        .iter()
        .zip(&x.dims)
        .enumerate()
        .all(|(i, (a, b))| i == at || a <= b);
    if !fits {
        return Err(format!(
            "indices of shape {:?} into a value of shape {:?}",
            index.dims, x.dims
        ));
    }
    let chosen = indices(index, x.dims[at])?;
    let order: Vec<usize> = places(&index.dims, &steps, 0)
        .iter()
        .zip(chosen)
        .map(|(place, i)| place + i * own[at])
        .collect();
    Ok(x.select(index.dims.clone(), &order))
}

pub(super) fn scatter_nd(node: &Node, x: &Tensor, index: &Tensor, updates: &Tensor) -> Step<Tensor> {
    if node.text("reduction", "none") != "none" {
        return Err("a reduction is not supported".into());
    }
    let (starts, run) = tuples(&x.dims, index, 0)?;
    if starts.len() * run != updates.len() {
        return Err(format!("updates of shape {:?}", updates.dims));
    }
    let mut order: Vec<(usize, usize)> = (0..x.len()).map(|place| (0, place)).collect();
    for (i, start) in starts.iter().enumerate() {
        for j in 0..run {
            order[start + j] = (1, i * run + j);
        }
    }
    Ok(Tensor {
        dims: x.dims.clone(),
        data: gathered(&[x, updates], &order),
    })
}

/// What is cut out along one axis: `count` entries from `start` on, every `step`-th.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::onnx) struct Cut {
    pub(in crate::onnx) axis: usize,
    pub(in crate::onnx) start: usize,
    pub(in crate::onnx) count: usize,
    pub(in crate::onnx) step: isize,
}

/// What a `Slice` cuts out, starts and ends clamped by ONNX's rules.
pub(in crate::onnx) fn cuts(node: &Node, dims: &[usize], inputs: &[Option<&Tensor>]) -> Step<Vec<Cut>> {
    let setting = |i: usize, name: &str| {
        let given = inputs.get(i).copied().flatten().map(Tensor::to_ints);
        given.or_else(|| node.ints(name).map(<[i64]>::to_vec))
    };
    let starts = setting(1, "starts").ok_or("its starts are missing")?;
    let ends = setting(2, "ends").ok_or("its ends are missing")?;
    let axes = setting(3, "axes").unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = setting(4, "steps").unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err("starts, ends, axes and steps differ in length".into());
    }
    let mut cuts = Vec::new();
    for (((start, end), at), step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
        let at = axis(*at, dims.len())?;
        if cuts.iter().any(|cut: &Cut| cut.axis == at) {
            return Err(format!("axis {at} is given twice"));
        }
        let extent = dims[at].cast_signed() as i64;
        let from_end = |value: i64| if value < 0 { value.saturating_add(extent) } else { value };
        let (start, end) = (from_end(*start), from_end(*end));
        let (start, end) = match step.signum() {
            0 => return Err("a step of 0".into()),
            1 => (start.clamp(0, extent), end.clamp(0, extent)),
            _ if extent == 0 => (0, 0),
            _ => (start.clamp(0, extent - 1), end.clamp(-1, extent - 1)),
        };
        let span = if *step > 0 { end - start } else { start - end };
        let stride = step.unsigned_abs();
        let count = u64::try_from(span).unwrap_or(0).div_ceil(stride);
        let count = usize::try_from(count).unwrap_or(0);
        let step = isize::try_from(*step).unwrap_or(if *step > 0 { isize::MAX } else { isize::MIN });
        // A step that is never taken is no step.
        let step = if count > 1 { step } else { 1 };
        cuts.push(Cut {
            axis: at,
            start: usize::try_from(start).unwrap_or(0),
            count,
            step,
        });
    }
    Ok(cuts)
}

pub(super) fn slice(node: &Node, x: &Tensor, inputs: &[Option<&Tensor>]) -> Step<Tensor> {
    let own = strides(&x.dims);
    let mut dims = x.dims.clone();
    let mut steps: Vec<isize> = own.iter().map(|step| step.cast_signed()).collect();
    let mut start = 0;
    for cut in cuts(node, &x.dims, inputs)? {
        dims[cut.axis] = cut.count;
        steps[cut.axis] = own[cut.axis].cast_signed().wrapping_mul(cut.step);
        start += own[cut.axis] * cut.start;
    }
    Ok(x.select(dims.clone(), &places(&dims, &steps, start)))
}

/// The extents of a `Split`'s parts along its axis.
pub(in crate::onnx) fn parts(node: &Node, dims: &[usize], given: Option<&Tensor>) -> Step<(usize, Vec<usize>)> {
    let at = axis(node.int("axis", 0), dims.len())?;
    let whole = dims[at];
    let sizes = given
        .map(Tensor::to_ints)
        .or_else(|| node.ints("split").map(<[i64]>::to_vec));
    let sizes = match sizes {
        Some(sizes) => extents(&sizes)?,
        None => {
            let count = node.outputs.len().max(1);
            let each = whole.div_ceil(count);
            (0..count).map(|i| each.min(whole.saturating_sub(i * each))).collect()
        }
    };
    let sum = sizes.iter().try_fold(0usize, |sum, size| sum.checked_add(*size));
    if sizes.len() != node.outputs.len() || sum != Some(whole) {
        return Err(format!(
            "parts {sizes:?} of {whole} entries, for {} outputs",
            node.outputs.len()
        ));
    }
    Ok((at, sizes))
}

pub(super) fn split(node: &Node, inputs: &[Option<&Tensor>]) -> Step<Vec<Tensor>> {
    let x = inputs.first().copied().flatten().ok_or("its input is missing")?;
    let (at, sizes) = parts(node, &x.dims, inputs.get(1).copied().flatten())?;
    let own = strides(&x.dims);
    let steps: Vec<isize> = own.iter().map(|step| step.cast_signed()).collect();
    let mut start = 0;
    Ok(sizes
        .iter()
        .map(|size| {
            let mut dims = x.dims.clone();
            dims[at] = *size;
            let part = x.select(dims.clone(), &places(&dims, &steps, start * own[at]));
            start += size;
            part
        })
        .collect())
}

pub(super) fn choose(condition: &Tensor, yes: &Tensor, no: &Tensor, most: usize) -> Step<Tensor> {
    let dims = broadcast(&broadcast(&condition.dims, &yes.dims)?, &no.dims)?;
    affordable(&dims, most)?;
    let chosen = condition.to_bools();
    let (a, b) = (stretched(&yes.dims, &dims), stretched(&no.dims, &dims));
    let order: Vec<(usize, usize)> = stretched(&condition.dims, &dims)
        .iter()
        .zip(a.iter().zip(&b))
        .map(|(place, (yes, no))| if chosen[*place] { (0, *yes) } else { (1, *no) })
        .collect();
    Ok(Tensor {
        dims,
        data: gathered(&[yes, no], &order),
    })
}
