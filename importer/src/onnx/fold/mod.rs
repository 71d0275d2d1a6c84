//! Nodes whose inputs are all known, computed while the net is read: constants, and arithmetic on shapes.

mod arithmetic;
mod make;
mod select;
mod shapes;

use super::node::Node;
use super::tensor::{Data, Step, Tensor, count};
use arithmetic::{clip, function_of, pairwise, reduce, variadic};
use make::{cast, cast_like, constant, constant_of_shape, cum_sum, dequantize, range, trilu};
use select::{choose, concat, gather, gather_elements, gather_nd, scatter_nd, slice, split};
use shapes::{expand, flatten, reshape, tile, transpose};

pub(super) use arithmetic::reduced_axes;
pub(super) use select::{cuts, gathered_shape, indices, parts, tuples};
pub(super) use shapes::{expanded, flattened, permutation, reshaped, shape, squeezed, unsqueezed};

/// The outputs of a node with known inputs, of at most `most` entries each; `None` where it is of an operator that is not computed
/// here.
pub(super) fn evaluate(node: &Node, inputs: &[Option<&Tensor>], most: usize) -> Option<Step<Vec<Tensor>>> {
    let outputs = match node.op.as_str() {
        "Split" => split(node, inputs),
        _ => one(node, inputs, most)?.map(|tensor| vec![tensor]),
    };
    Some(outputs.and_then(|outputs| {
        // Indices may pick fewer entries than their shape promises.
        match outputs.iter().find(|tensor| count(&tensor.dims) != Ok(tensor.len())) {
            Some(tensor) => Err(format!(
                "{} entries for a value of shape {:?}",
                tensor.len(),
                tensor.dims
            )),
            None => Ok(outputs),
        }
    }))
}

fn one(node: &Node, inputs: &[Option<&Tensor>], most: usize) -> Option<Step<Tensor>> {
    let input = |i: usize| {
        inputs
            .get(i)
            .copied()
            .flatten()
            .ok_or_else(|| format!("its input {i} is missing"))
    };
    let optional = |i: usize| inputs.get(i).copied().flatten();
    macro_rules! get {
        ($i:expr) => {
            match input($i) {
                Ok(tensor) => tensor,
                Err(message) => return Some(Err(message)),
            }
        };
    }
    Some(match node.op.as_str() {
        "Identity" | "Dropout" => Ok(get!(0).clone()),
        "Constant" => constant(node),
        "ConstantOfShape" => constant_of_shape(node, get!(0), most),
        "Shape" => Ok(shape(node, &get!(0).dims)),
        "Size" => Ok(Tensor::scalar(get!(0).len())),
        "Cast" => cast(get!(0), node.int("to", 1)),
        "CastLike" => Ok(cast_like(get!(0), get!(1))),
        "Reshape" => reshape(node, get!(0), optional(1)),
        "Flatten" => flatten(node, get!(0)),
        "Squeeze" => {
            let x = get!(0);
            squeezed(node, &x.dims, optional(1)).and_then(|dims| x.reshaped(dims))
        }
        "Unsqueeze" => {
            let x = get!(0);
            unsqueezed(node, &x.dims, optional(1)).and_then(|dims| x.reshaped(dims))
        }
        "Transpose" => transpose(node, get!(0)),
        "Concat" => concat(node, inputs, most),
        "Gather" => gather(node, get!(0), get!(1), most),
        "GatherND" => gather_nd(node, get!(0), get!(1), most),
        "GatherElements" => gather_elements(node, get!(0), get!(1)),
        "ScatterND" => scatter_nd(node, get!(0), get!(1), get!(2)),
        "Slice" => slice(node, get!(0), inputs),
        "Expand" => expand(get!(0), get!(1), most),
        "Tile" => tile(get!(0), get!(1), most),
        "Range" => range(get!(0), get!(1), get!(2), most),
        "CumSum" => cum_sum(node, get!(0), get!(1)),
        "Trilu" => trilu(node, get!(0), optional(1)),
        "Where" => choose(get!(0), get!(1), get!(2), most),
        "DequantizeLinear" => dequantize(node, get!(0), get!(1), optional(2)),
        "Not" => Ok(Tensor {
            dims: get!(0).dims.clone(),
            data: Data::Bool(get!(0).to_bools().into_iter().map(|value| !value).collect()),
        }),
        "Clip" => clip(node, get!(0), optional(1), optional(2)),
        op if op.starts_with("Reduce") => reduce(node, get!(0), optional(1))?,
        "Sum" | "Max" | "Min" | "Mean" => return variadic(node, inputs, most),
        op => {
            if let Some(function) = function_of(op) {
                let x = get!(0);
                let data = match (&x.data, op) {
                    (Data::Int(values), "Neg") => Data::Int(values.iter().map(|value| value.wrapping_neg()).collect()),
                    (Data::Int(values), "Abs") => Data::Int(values.iter().map(|value| value.wrapping_abs()).collect()),
                    (Data::Int(values), "Sign") => Data::Int(values.iter().map(|value| value.signum()).collect()),
                    (Data::Int(values), "Floor" | "Ceil" | "Round") => Data::Int(values.clone()),
                    _ => Data::Float(x.to_floats().into_iter().map(function).collect()),
                };
                Ok(Tensor {
                    dims: x.dims.clone(),
                    data,
                })
            } else {
                return pairwise(node, inputs, most);
            }
        }
    })
}

/// Checked entries of a tensor that is about to be made.
fn affordable(dims: &[usize], most: usize) -> Step<usize> {
    count(dims).and_then(|entries| {
        if entries <= most {
            Ok(entries)
        } else {
            Err(format!(
                "a constant of shape {dims:?} is out of all proportion to the weights of the net"
            ))
        }
    })
}
