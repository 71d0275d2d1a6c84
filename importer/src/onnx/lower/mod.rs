//! From ONNX's operators to the kinds of the neutral graph.
//!
//! The net is computed here for one image, as far as it can be without the image: every constant and every shape is known
//! ([`Value::Known`]), and what depends on the image ([`Live`]) is written down as layers. For several images at once each
//! live value has an axis along which the images follow each other, which every operator carries on; so that an export for
//! one image, whose shapes have the batch of 1 written into them, serves for any number. Where an operator works along that
//! axis, the images get one of their own in front first ([`Lowering::apart`]). Where that cannot be, the value is
//! [`Images::Alone`], and what depends on it runs one image at a time.

mod along;
mod batch;
mod dense;
mod emit;
mod entrywise;
mod movement;
mod normalize;
mod operands;
mod resize;
mod windows;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::expand::{Functions, MOST_NODES};
use super::fold;
use super::node::Node;
use super::read::Initializer;
use super::tensor::{Step, Tensor, count};
use crate::graph::{Graph, Layer, LayerKind, Origin, ValueId};
use crate::weights::{StoredTensor, TensorName};

/// How the images of a batch lie in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Images {
    /// It is the same for every image.
    None,
    /// They follow each other along this axis, each with all entries that it has along it.
    Axis(usize),
    /// It is known for one image only.
    Alone,
}

/// A value that a layer writes; the shape is that for one image.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) id: ValueId,
    pub(super) shape: Vec<usize>,
    pub(super) images: Images,
}

/// What is known of a value of the net.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Its entries.
    Known(Rc<Tensor>),
    /// Weights, left in their file.
    Stored(TensorName, StoredTensor),
    /// A layer computes it.
    Live(Live),
    /// It depends on what is not computed.
    Missing(ValueId),
}

/// The net as far as it is lowered.
pub(super) struct Lowering<'a> {
    pub(super) graph: Graph,
    pub(super) tensors: BTreeMap<TensorName, StoredTensor>,
    pub(super) values: HashMap<String, Value>,
    functions: &'a Functions,
    opsets: &'a HashMap<String, i64>,
    /// Layers that hold stored weights as values, by the tensor's name.
    constants: HashMap<TensorName, Live>,
    /// The number of the latest tensor of a name that several have.
    numbers: HashMap<TensorName, usize>,
    depth: usize,
    /// Nodes lowered so far.
    nodes: usize,
    /// Entries that may still be computed and copied while the net is read.
    budget: usize,
}

/// How deep `If`s may be nested.
const DEEPEST: usize = 64;
/// Most axes of a value.
const MOST_AXES: usize = 6;
/// Entries that may be computed and copied while any net is read: of constants, indices, and matrices of resizing.
const BUDGET: usize = 1 << 23;
/// The same, for each entry of its weights.
const BUDGET_AN_ENTRY: usize = 16;

impl<'a> Lowering<'a> {
    pub(super) fn new(name: &str, functions: &'a Functions, opsets: &'a HashMap<String, i64>) -> Self {
        Self {
            graph: Graph {
                name: name.to_owned(),
                origin: Origin::Onnx,
                ..Graph::default()
            },
            tensors: BTreeMap::new(),
            values: HashMap::new(),
            functions,
            opsets,
            constants: HashMap::new(),
            numbers: HashMap::new(),
            depth: 0,
            nodes: 0,
            budget: BUDGET,
        }
    }

    /// Takes entries off what may be computed and copied.
    ///
    /// # Errors
    /// When there are not as many left: a net of a few bytes may ask for any number.
    pub(super) fn afford(&mut self, entries: usize) -> Step<()> {
        self.budget = self
            .budget
            .checked_sub(entries)
            .ok_or("what it computes without the image is out of all proportion to the weights of the net")?;
        Ok(())
    }

    /// Makes a weight of the file known.
    pub(super) fn bind_initializer(&mut self, name: String, initializer: Initializer) {
        let (value, entries) = match initializer {
            Initializer::Held(tensor) => {
                let entries = tensor.len();
                (Value::Known(Rc::new(tensor)), entries)
            }
            Initializer::Stored(tensor) => {
                let entries = tensor.count();
                (Value::Stored(name.clone(), tensor), entries)
            }
        };
        self.budget = self.budget.saturating_add(entries.saturating_mul(BUDGET_AN_ENTRY));
        self.values.insert(name, value);
    }

    /// Adds the layer that images come from.
    pub(super) fn input(&mut self, name: &str, shape: &[usize]) -> Live {
        let id = self.graph.add_value(name);
        self.graph.layers.push(Layer {
            name: name.to_owned(),
            type_name: "Input".to_owned(),
            kind: LayerKind::Input {
                shape: Some(shape.iter().map(|extent| Some(*extent)).collect()),
            },
            inputs: Vec::new(),
            outputs: vec![id],
        });
        Live {
            id,
            shape: shape.to_vec(),
            images: Images::Axis(0),
        }
    }

    /// Lowers nodes in order.
    ///
    /// # Errors
    /// When one reads a value that nothing gives, or functions and `If`s are nested too deep.
    pub(super) fn run(&mut self, nodes: &[Node]) -> Step<()> {
        self.nodes += nodes.len();
        if self.nodes > MOST_NODES {
            return Err(format!("the net has more than {MOST_NODES} nodes"));
        }
        for (place, node) in nodes.iter().enumerate() {
            for input in node.inputs.iter().filter(|input| !input.is_empty()) {
                if !self.values.contains_key(input) {
                    return Err(unbound(input, node, &nodes[place..]));
                }
            }
            let outputs = match node.op.as_str() {
                "If" if node.domain.is_empty() => self.branch(node)?,
                _ => self.node(node),
            };
            match outputs {
                Ok(outputs) => {
                    for (name, value) in node.outputs.iter().zip(outputs) {
                        if !name.is_empty() {
                            if let Value::Live(live) = &value {
                                self.rename(live.id, name);
                            }
                            self.values.insert(name.clone(), value);
                        }
                    }
                    for name in node.outputs.iter().filter(|name| !name.is_empty()) {
                        if !self.values.contains_key(name) {
                            self.unsupported(node, "one of its outputs is not computed");
                            break;
                        }
                    }
                }
                Err(reason) => self.unsupported(node, &reason),
            }
        }
        Ok(())
    }

    /// A layer's own value is called after the node's output, not after an intermediate step.
    fn rename(&mut self, id: ValueId, name: &str) {
        if let Some(own) = self.graph.values.get_mut(id)
            && own.is_empty()
        {
            name.clone_into(own);
        }
    }

    /// Writes down that a node is not computed.
    fn unsupported(&mut self, node: &Node, reason: &str) {
        let inputs = node
            .inputs
            .iter()
            .filter_map(|input| match self.values.get(input)? {
                Value::Live(live) => Some(live.id),
                Value::Missing(id) => Some(*id),
                Value::Known(_) | Value::Stored(..) => None,
            })
            .collect();
        let named: Vec<&String> = node
            .outputs
            .iter()
            .filter(|name| !name.is_empty() && !self.values.contains_key(*name))
            .collect();
        let outputs: Vec<ValueId> = named.iter().map(|name| self.graph.add_value(name.as_str())).collect();
        for (name, id) in named.into_iter().zip(&outputs) {
            self.values.insert(name.clone(), Value::Missing(*id));
        }
        self.graph.layers.push(Layer {
            name: node.label().to_owned(),
            type_name: if node.domain.is_empty() {
                node.op.clone()
            } else {
                format!("{}.{}", node.domain, node.op)
            },
            kind: LayerKind::Unsupported {
                reason: Some(reason.to_owned()),
            },
            inputs,
            outputs,
        });
    }

    /// The branch of an `If` whose condition is known, put in its place.
    fn branch(&mut self, node: &Node) -> Step<Step<Vec<Value>>> {
        let condition = match self.values.get(node.inputs.first().map_or("", String::as_str)) {
            Some(Value::Known(condition)) => condition.to_bools().first().copied(),
            _ => None,
        };
        let Some(condition) = condition else {
            return Ok(Err("its condition depends on the image".into()));
        };
        let name = if condition { "then_branch" } else { "else_branch" };
        let Some(graph) = node.graph(name) else {
            return Ok(Err(format!("its {name} is missing")));
        };
        if self.depth >= DEEPEST {
            return Err(format!("branches are nested more than {DEEPEST} deep"));
        }
        for proto in &graph.initializer {
            match Tensor::of(proto) {
                Ok(tensor) => self.bind_initializer(proto.name().to_owned(), Initializer::Held(tensor)),
                Err(message) => return Ok(Err(message)),
            }
        }
        let mut nodes = self.functions.expand(graph.node.clone(), self.opsets)?;
        for inner in &mut nodes {
            if inner.scopes.is_empty() {
                inner.scopes.clone_from(&node.scopes);
            }
        }
        self.depth += 1;
        self.run(&nodes)?;
        self.depth -= 1;
        Ok(graph
            .output
            .iter()
            .map(|output| {
                let value = self.values.get(output.name()).cloned();
                value.ok_or_else(|| format!("its branch gives no value \"{}\"", output.name()))
            })
            .collect())
    }

    fn node(&mut self, node: &Node) -> Step<Vec<Value>> {
        let mut live = false;
        for input in &node.inputs {
            match self.values.get(input) {
                Some(Value::Missing(_)) => return Err("it depends on a node that is not computed".into()),
                Some(Value::Live(_)) => live = true,
                Some(Value::Known(_) | Value::Stored(..)) | None => {}
            }
        }
        if !matches!(node.domain.as_str(), "" | "ai.onnx") {
            return Err(format!("operators of \"{}\" are not computed", node.domain));
        }
        if node.op == "CastLike" && self.is_constant(node, 0) {
            // What depends on the image is of float32.
            return self.value(node, 0).map(|value| vec![value]);
        }
        if !live {
            if let (true, Some(Value::Stored(name, tensor))) = (passes_on(node), self.given(node, 0)) {
                return Ok(vec![Value::Stored(name, tensor)]);
            }
            let inputs = (0..node.inputs.len())
                .map(|i| self.optional(node, i))
                .collect::<Step<Vec<_>>>()?;
            let inputs: Vec<Option<&Tensor>> = inputs.iter().map(Option::as_deref).collect();
            self.afford(inputs.iter().flatten().map(|input| input.len()).sum())?;
            if let Some(outputs) = fold::evaluate(node, &inputs, self.budget) {
                let outputs = outputs?;
                self.afford(outputs.iter().map(Tensor::len).sum())?;
                return Ok(outputs.into_iter().map(known).collect());
            }
        }
        let outputs = self.lower(node)?;
        for value in &outputs {
            if let Value::Live(live) = value {
                if live.shape.len() > MOST_AXES {
                    return Err(format!(
                        "a value of {} axes; {MOST_AXES} are the most",
                        live.shape.len()
                    ));
                }
                if count(&live.shape)? == 0 {
                    return Err("its output is empty".into());
                }
            }
        }
        Ok(outputs)
    }

    fn lower(&mut self, node: &Node) -> Step<Vec<Value>> {
        let one = match node.op.as_str() {
            "Split" => return self.split(node),
            "Shape" => return Ok(vec![known(fold::shape(node, &self.live(node, 0)?.shape))]),
            "Size" => {
                let entries = count(&self.live(node, 0)?.shape)?;
                return Ok(vec![known(Tensor::scalar(entries))]);
            }
            "Dropout" | "Identity" => return Ok(vec![self.value(node, 0)?]),
            "Conv" => self.convolution(node),
            "ConvTranspose" => self.transposed_convolution(node),
            "MaxPool" | "AveragePool" | "LpPool" => self.pool(node),
            "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" => self.global_pool(node),
            "LRN" => self.lrn(node),
            "Gemm" => self.gemm(node),
            "MatMul" => self.matmul(node),
            "Einsum" => self.einsum(node),
            "Attention" => self.attention(node),
            "BatchNormalization" => self.batch_norm(node),
            "LayerNormalization" => self.layer_norm(node),
            "RMSNormalization" => self.rms_norm(node),
            "InstanceNormalization" => self.instance_norm(node),
            "GroupNormalization" => self.group_norm(node),
            "MeanVarianceNormalization" => self.mean_variance_norm(node),
            "LpNormalization" => self.lp_norm(node),
            "Softmax" | "LogSoftmax" => self.softmax(node),
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => self.reshape(node),
            "Transpose" => self.transpose(node),
            "Concat" => self.concat(node),
            "Slice" => self.slice(node),
            "Gather" => self.gather(node),
            "GatherND" => self.gather_nd(node),
            "Pad" => self.pad(node),
            "Expand" => self.expand(node),
            "Tile" => self.tile(node),
            "DepthToSpace" | "SpaceToDepth" => self.depth_space(node),
            "CumSum" => self.cum_sum(node),
            "Resize" | "Upsample" => self.resize(node),
            "Where" => self.choose(node),
            "Sum" | "Max" | "Min" | "Mean" => self.variadic(node),
            "Clip" => self.clip(node),
            "PRelu" => self.prelu(node),
            op if op.starts_with("Reduce") => self.reduce(node),
            "ArgMax" | "ArgMin" | "TopK" | "NonMaxSuppression" | "NonZero" | "OneHot" => {
                Err(format!("it has no gradient: it comes of {}", node.op))
            }
            _ => self.entrywise(node),
        };
        one.map(|live| vec![Value::Live(live)])
    }
}

/// A value whose entries are known.
pub(super) fn known(tensor: Tensor) -> Value {
    Value::Known(Rc::new(tensor))
}

/// Whether a node with constant weights hands them on as they are.
fn passes_on(node: &Node) -> bool {
    match node.op.as_str() {
        "Identity" => true,
        "Cast" => matches!(node.int("to", 1), 1 | 10 | 11 | 16),
        _ => false,
    }
}

fn unbound(value: &str, node: &Node, rest: &[Node]) -> String {
    if rest
        .iter()
        .any(|later| later.outputs.iter().any(|output| output == value))
    {
        return format!(
            "node \"{}\" ({}) reads the value \"{value}\", which only a later node gives: the nodes are not in order, or \
             form a cycle",
            node.label(),
            node.op
        );
    }
    format!(
        "node \"{}\" ({}) reads the value \"{value}\", but nothing gives it; if it is a weight, export the net with its \
         weights (export_params=True), and if it is the image, declare it as an input",
        node.label(),
        node.op
    )
}
