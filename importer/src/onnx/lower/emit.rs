//! What lowering writes down: stored tensors, and layers.

use super::{Images, Live, Lowering, Value};
use crate::graph::{Layer, LayerKind};
use crate::onnx::node::Node;
use crate::onnx::tensor::{Step, count};
use crate::weights::{StoredTensor, TensorName};

impl Lowering<'_> {
    /// A constant input as a stored tensor of that shape.
    pub(super) fn stored(&mut self, node: &Node, i: usize, role: &str, shape: &[usize]) -> Step<TensorName> {
        match self.value(node, i)? {
            Value::Known(tensor) => {
                self.afford(tensor.len())?;
                let tensor = StoredTensor::from_values(tensor.dims.clone(), tensor.to_floats());
                self.keep(&format!("{}.{role}", node.label()), &tensor, shape)
            }
            Value::Stored(name, stored) => self.keep(&name, &stored, shape),
            Value::Live(_) | Value::Missing(_) => Err(format!("its {role} depends on the image")),
        }
    }

    /// Keeps a tensor of the net under a name like `name`.
    pub(super) fn keep(&mut self, name: &str, tensor: &StoredTensor, shape: &[usize]) -> Step<TensorName> {
        let entries = count(shape)?;
        let tensor = tensor.reshaped(shape.to_vec()).ok_or_else(|| {
            format!(
                "its weight of shape {:?} does not have {entries} entries",
                tensor.shape()
            )
        })?;
        // The first of a name and the latest: of very many, a search among all would take the square of their number.
        let number = self.numbers.get(name).copied().unwrap_or(0);
        for number in [0, number] {
            let known = numbered(name, number);
            if self.tensors.get(&known).is_some_and(|other| other.is_same(&tensor)) {
                return Ok(known);
            }
        }
        let mut number = number;
        let mut unique = numbered(name, number);
        while self.tensors.contains_key(&unique) {
            number += 1;
            unique = numbered(name, number);
        }
        self.numbers.insert(name.to_owned(), number);
        self.tensors.insert(unique.clone(), tensor);
        Ok(unique)
    }

    /// Keeps numbers that were computed here.
    pub(super) fn keep_values(
        &mut self,
        node: &Node,
        role: &str,
        shape: &[usize],
        values: Vec<f32>,
    ) -> Step<TensorName> {
        if count(shape)? != values.len() {
            return Err(format!("its {role} has {} entries, not shape {shape:?}", values.len()));
        }
        let tensor = StoredTensor::from_values(shape.to_vec(), values);
        self.keep(&format!("{}.{role}", node.label()), &tensor, shape)
    }

    /// An input as a value that a layer writes; constants get a layer of their own.
    pub(super) fn live(&mut self, node: &Node, i: usize) -> Step<Live> {
        match self.value(node, i)? {
            Value::Live(live) => Ok(live),
            Value::Known(tensor) => {
                self.afford(tensor.len())?;
                let name = self.keep_values(node, "constant", &tensor.dims, tensor.to_floats())?;
                Ok(self.held(node, name, &tensor.dims))
            }
            Value::Stored(name, stored) => {
                let name = self.keep(&name, &stored, stored.shape())?;
                Ok(self.held(node, name, stored.shape()))
            }
            Value::Missing(_) => Err("it depends on a node that is not computed".into()),
        }
    }

    /// A stored tensor as a value.
    pub(super) fn held(&mut self, node: &Node, tensor: TensorName, shape: &[usize]) -> Live {
        if let Some(live) = self.constants.get(&tensor) {
            return live.clone();
        }
        let kind = LayerKind::Constant {
            value: tensor.clone(),
            shape: shape.to_vec(),
        };
        let live = self.emit(node, kind, &[], shape.to_vec(), Images::None);
        self.rename(live.id, &tensor);
        self.constants.insert(tensor, live.clone());
        live
    }

    /// Adds a layer with one output.
    pub(super) fn emit(
        &mut self,
        node: &Node,
        kind: LayerKind,
        inputs: &[&Live],
        shape: Vec<usize>,
        images: Images,
    ) -> Live {
        self.emit_many(node, kind, inputs, vec![shape], images).swap_remove(0)
    }

    /// Adds a layer whose outputs have their images along one axis.
    pub(super) fn emit_many(
        &mut self,
        node: &Node,
        kind: LayerKind,
        inputs: &[&Live],
        shapes: Vec<Vec<usize>>,
        images: Images,
    ) -> Vec<Live> {
        let images = if inputs.iter().any(|input| input.images == Images::Alone) {
            Images::Alone
        } else {
            images
        };
        let outputs: Vec<Live> = shapes
            .into_iter()
            .map(|shape| {
                let id = self.graph.add_value("");
                match images {
                    Images::Alone => {
                        self.graph.alone.insert(id);
                    }
                    Images::Axis(axis) if axis > 0 => {
                        self.graph.scattered.insert(id);
                    }
                    Images::Axis(_) | Images::None => {}
                }
                Live { id, shape, images }
            })
            .collect();
        self.graph.layers.push(Layer {
            name: node.label().to_owned(),
            type_name: node.op.clone(),
            kind,
            inputs: inputs.iter().map(|input| input.id).collect(),
            outputs: outputs.iter().map(|output| output.id).collect(),
        });
        outputs
    }

    /// Adds a layer that keeps shape and images of its one input.
    pub(super) fn emit_like(&mut self, node: &Node, kind: LayerKind, input: &Live) -> Live {
        self.emit(node, kind, &[input], input.shape.clone(), input.images)
    }
}

/// The name of the first tensor that is called so, or of a later one.
fn numbered(name: &str, number: usize) -> TensorName {
    match number {
        0 => name.to_owned(),
        later => format!("{name}:{}", later + 1),
    }
}
