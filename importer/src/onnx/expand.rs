//! Local functions of a model, put in where they are called.

use std::cell::Cell;
use std::collections::HashMap;

use prost::Message;

use super::node::Node;
use super::proto::{AttributeProto, FunctionProto, NodeProto};
use super::tensor::Step;

/// How deep functions may call each other.
const DEEPEST: usize = 32;
/// How many nodes a net may have once its functions are put in, and how many calls may put them in.
pub(super) const MOST_NODES: usize = 1 << 17;
/// Bytes of all nodes that are copied out of functions: each copy has the constants in it, too.
const MOST_COPIED: usize = 1 << 26;

/// The functions of a model by domain, name and overload.
pub(super) struct Functions {
    by_name: HashMap<(String, String, String), FunctionProto>,
    /// Calls so far, and bytes of what they copied.
    calls: Cell<usize>,
    copied: Cell<usize>,
}

impl Functions {
    pub(super) fn new(functions: Vec<FunctionProto>) -> Self {
        let key = |f: &FunctionProto| (f.domain().to_owned(), f.name().to_owned(), f.overload().to_owned());
        Self {
            by_name: functions.into_iter().map(|f| (key(&f), f)).collect(),
            calls: Cell::new(0),
            copied: Cell::new(0),
        }
    }

    /// The nodes with every call of a function replaced by the function's own nodes.
    pub(super) fn expand(&self, nodes: Vec<NodeProto>, opsets: &HashMap<String, i64>) -> Step<Vec<Node>> {
        let mut expanded = Vec::with_capacity(nodes.len());
        for node in nodes {
            self.put(node, opsets, &[], 0, &mut expanded)?;
        }
        Ok(expanded)
    }

    fn put(
        &self,
        mut node: NodeProto,
        opsets: &HashMap<String, i64>,
        scopes: &[String],
        depth: usize,
        expanded: &mut Vec<Node>,
    ) -> Step<()> {
        if depth > DEEPEST {
            return Err(format!(
                "functions call each other more than {DEEPEST} deep, or in a circle"
            ));
        }
        // A function without nodes of its own may still be called without end.
        if expanded.len() > MOST_NODES || self.calls.get() > MOST_NODES {
            return Err(format!(
                "its functions come to more than {MOST_NODES} nodes where they are called"
            ));
        }
        let key = (
            node.domain().to_owned(),
            node.op_type().to_owned(),
            node.overload().to_owned(),
        );
        let Some(function) = self.by_name.get(&key) else {
            let domain = if node.domain() == "ai.onnx" { "" } else { node.domain() };
            let opset = opsets.get(domain).copied().unwrap_or(0);
            let mut plain = Node::of(node, opset);
            if plain.scopes.is_empty() {
                plain.scopes = scopes.to_vec();
            }
            expanded.push(plain);
            return Ok(());
        };
        self.calls.set(self.calls.get() + 1);
        let called = Node::of(node.clone(), 0);
        let scopes = if called.scopes.is_empty() {
            scopes
        } else {
            &called.scopes
        };
        let prefix = format!("{}/", called.label());
        let mut names: HashMap<&str, String> = HashMap::new();
        for (formal, actual) in function
            .input
            .iter()
            .zip(node.input.iter().chain(std::iter::repeat(&String::new())))
        {
            names.insert(formal, actual.clone());
        }
        for (formal, actual) in function.output.iter().zip(&node.output) {
            if !actual.is_empty() {
                names.insert(formal, actual.clone());
            }
        }
        let given = std::mem::take(&mut node.attribute);
        let own_opsets: HashMap<String, i64> = function
            .opset_import
            .iter()
            .map(|entry| {
                let domain = if entry.domain() == "ai.onnx" {
                    ""
                } else {
                    entry.domain()
                };
                (domain.to_owned(), entry.version())
            })
            .collect();
        for inner in &function.node {
            let mut inner = inner.clone();
            for value in inner.input.iter_mut().chain(&mut inner.output) {
                if !value.is_empty() {
                    *value = names
                        .get(value.as_str())
                        .cloned()
                        .unwrap_or_else(|| format!("{prefix}{value}"));
                }
            }
            inner.name = Some(format!("{prefix}{}", inner.name()));
            inner.attribute = inner
                .attribute
                .into_iter()
                .filter_map(|attribute| resolved(attribute, &given, &function.attribute_proto))
                .collect();
            self.copied.set(self.copied.get().saturating_add(inner.encoded_len()));
            if self.copied.get() > MOST_COPIED {
                return Err(format!(
                    "its functions come to more than {MOST_COPIED} bytes where they are called"
                ));
            }
            self.put(inner, &own_opsets, scopes, depth + 1, expanded)?;
        }
        Ok(())
    }
}

/// An attribute of a function's node: where it refers to one of the function's, what the call gives or the default.
fn resolved(
    attribute: AttributeProto,
    given: &[AttributeProto],
    defaults: &[AttributeProto],
) -> Option<AttributeProto> {
    let wanted = attribute.ref_attr_name().to_owned();
    if wanted.is_empty() {
        return Some(attribute);
    }
    let mut found = given
        .iter()
        .chain(defaults)
        .find(|candidate| candidate.name() == wanted)?
        .clone();
    found.name = attribute.name;
    Some(found)
}
