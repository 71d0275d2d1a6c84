//! What a node reads.

use std::rc::Rc;

use super::{Lowering, Value};
use crate::onnx::node::Node;
use crate::onnx::tensor::{Step, Tensor};

impl Lowering<'_> {
    pub(super) fn given(&self, node: &Node, i: usize) -> Option<Value> {
        let name = node.inputs.get(i).filter(|name| !name.is_empty())?;
        self.values.get(name).cloned()
    }

    /// An input that must be there.
    pub(super) fn value(&self, node: &Node, i: usize) -> Step<Value> {
        self.given(node, i).ok_or_else(|| format!("its input {i} is missing"))
    }

    /// The entries of an input that may be left out.
    pub(super) fn optional(&self, node: &Node, i: usize) -> Step<Option<Rc<Tensor>>> {
        match self.given(node, i) {
            None => Ok(None),
            Some(Value::Known(tensor)) => Ok(Some(tensor)),
            Some(Value::Stored(_, stored)) => {
                let values = stored.values().map_err(|e| e.to_string())?;
                Ok(Some(Rc::new(Tensor::float(stored.shape().to_vec(), values))))
            }
            Some(Value::Live(_) | Value::Missing(_)) => {
                Err(format!("its input {i} depends on the image; it must be constant"))
            }
        }
    }

    /// The entries of an input that must be there and be constant.
    pub(super) fn constant(&self, node: &Node, i: usize) -> Step<Rc<Tensor>> {
        self.optional(node, i)?
            .ok_or_else(|| format!("its input {i} is missing"))
    }

    /// Whether an input is there and constant.
    pub(super) fn is_constant(&self, node: &Node, i: usize) -> bool {
        matches!(self.given(node, i), Some(Value::Known(_) | Value::Stored(..)))
    }

    /// Shape of an input that is constant.
    pub(super) fn constant_shape(&self, node: &Node, i: usize) -> Step<Vec<usize>> {
        match self.value(node, i)? {
            Value::Known(tensor) => Ok(tensor.dims.clone()),
            Value::Stored(_, stored) => Ok(stored.shape().to_vec()),
            Value::Live(_) | Value::Missing(_) => {
                Err(format!("its input {i} depends on the image; it must be constant"))
            }
        }
    }
}
