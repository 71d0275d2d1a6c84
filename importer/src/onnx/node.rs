//! A node of an ONNX graph, with its settings.

use super::proto::{AttributeProto, GraphProto, NodeProto};
use super::tensor::{Step, Tensor};

/// A node: an operator, applied.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) op: String,
    pub(super) domain: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) attributes: Vec<AttributeProto>,
    /// The modules that the exporter says it is in, outermost first (`pkg.torch.onnx.name_scopes`).
    pub(super) scopes: Vec<String>,
    /// The version of the operator set that it is written for.
    pub(super) opset: i64,
}

/// Metadata key under which PyTorch's exporter writes module names.
const SCOPES: &str = "pkg.torch.onnx.name_scopes";

impl Node {
    pub(super) fn of(proto: NodeProto, opset: i64) -> Self {
        let scopes = proto
            .metadata_props
            .iter()
            .find(|entry| entry.key() == SCOPES)
            .map(|entry| python_list(entry.value()))
            .unwrap_or_default();
        Self {
            name: proto.name.unwrap_or_default(),
            op: proto.op_type.unwrap_or_default(),
            domain: proto.domain.filter(|domain| domain != "ai.onnx").unwrap_or_default(),
            inputs: proto.input,
            outputs: proto.output,
            attributes: proto.attribute,
            scopes,
            opset,
        }
    }

    /// How messages name it.
    pub(super) fn label(&self) -> &str {
        match (self.name.is_empty(), self.outputs.first()) {
            (true, Some(output)) => output,
            _ => &self.name,
        }
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.attributes.iter().find(|attribute| attribute.name() == name)
    }

    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).and_then(|a| a.i).unwrap_or(default)
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.int(name, i64::from(default)) != 0
    }

    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).and_then(|a| a.f).unwrap_or(default)
    }

    pub(super) fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|a| a.ints.as_slice())
    }

    pub(super) fn floats(&self, name: &str) -> Option<&[f32]> {
        self.attribute(name).map(|a| a.floats.as_slice())
    }

    pub(super) fn text(&self, name: &str, default: &str) -> String {
        match self.attribute(name).and_then(|a| a.s.as_deref()) {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => default.to_owned(),
        }
    }

    pub(super) fn tensor(&self, name: &str) -> Option<Step<Tensor>> {
        self.attribute(name).and_then(|a| a.t.as_ref()).map(Tensor::of)
    }

    pub(super) fn graph(&self, name: &str) -> Option<&GraphProto> {
        self.attribute(name).and_then(|a| a.g.as_ref())
    }
}

/// The strings of a list as Python prints it: `['', 'layer4', 'conv2d_52']`.
fn python_list(text: &str) -> Vec<String> {
    text.split(['\'', '"']).skip(1).step_by(2).map(str::to_owned).collect()
}
