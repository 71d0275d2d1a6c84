//! What can be asked for by name: values and nodes as Netron shows them, and modules as their authors call them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::lower::{Lowering, Value};
use super::node::Node;
use crate::graph::{Target, ValueId};

/// Most parts of a name that are looked at: modules lie about ten deep.
const DEEPEST: usize = 32;

/// The path of the module that a node belongs to, such as `layer4.2.conv3`; empty where the file does not tell.
fn module(node: &Node) -> String {
    // PyTorch's exporter of today: '', 'layer4', 'layer4.2', 'layer4.2.conv3', 'conv2d_52'.
    if let [.., module, _] = node.scopes.as_slice() {
        return module.clone();
    }
    // TorchScript's: /layer4/layer4.2/conv3/Conv.
    if let Some(path) = node.name.strip_prefix('/') {
        let parts: Vec<&str> = path.split('/').collect();
        let mut module: Vec<&str> = Vec::new();
        for part in parts.iter().take(parts.len() - 1) {
            let repeats = module
                .last()
                .is_some_and(|before| part.strip_prefix(before).is_some_and(|rest| rest.starts_with('.')));
            if repeats {
                module.pop();
            }
            module.push(part);
        }
        return module.join(".");
    }
    String::new()
}

/// The path of the module that each node belongs to, by the node's label. Of networks by way of TensorFlow, whose nodes are called
/// `resnet50_1/conv5_block3_out_1/Relu`, it is the layer's path below the model.
pub(super) fn modules(nodes: &[Node]) -> BTreeMap<String, String> {
    let all = paths(nodes);
    let modules = nodes.iter().zip(all).filter(|(_, path)| !path.is_empty());
    modules.map(|(node, path)| (node.label().to_owned(), path)).collect()
}

/// The same, one for each node, empty where the file does not tell.
fn paths(nodes: &[Node]) -> Vec<String> {
    fn layers(node: &Node) -> Vec<&str> {
        let mut parts: Vec<&str> = node.name.split('/').filter(|part| !part.is_empty()).collect();
        parts.pop();
        parts
    }
    let own: Vec<String> = nodes.iter().map(module).collect();
    let told = own.iter().any(|path| !path.is_empty());
    if told {
        return own;
    }
    let named: Vec<Vec<&str>> = nodes.iter().map(layers).collect();
    let mut common: Option<&[&str]> = None;
    for parts in named.iter().filter(|parts| !parts.is_empty()) {
        let before = common.unwrap_or(parts);
        let same = before.iter().zip(parts).take_while(|(a, b)| a == b).count();
        // The last is a layer by itself, in a net of one as in others.
        common = Some(&before[..same.min(parts.len() - 1)]);
    }
    let model = common.map_or(0, <[&str]>::len);
    let plain = |parts: &Vec<&str>| -> Vec<String> {
        let below = parts.iter().skip(model);
        below
            .map(|part| part.strip_suffix("_1").unwrap_or(part).to_owned())
            .collect()
    };
    named.iter().map(|parts| plain(parts).join("/")).collect()
}

/// The runs of path components that a Keras layer can be meant by, `resnet50_1/conv5_block3_out_1/Relu`: those of layers, and
/// those that end with the operator.
fn components(name: &str) -> [Vec<String>; 2] {
    let mut parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
    // There are as many runs as the square of their number.
    if parts.len() > DEEPEST {
        parts.clear();
    }
    let plain: Vec<&str> = parts
        .iter()
        .map(|part| part.strip_suffix("_1").unwrap_or(part))
        .collect();
    let mut runs = [Vec::new(), Vec::new()];
    for from in 0..parts.len() {
        for to in from + 1..=parts.len() {
            let kind = usize::from(to == parts.len());
            runs[kind].extend([parts[from..to].join("/"), plain[from..to].join("/")]);
        }
    }
    runs
}

/// Whether a node is an operator that exporters fold a batch normalization behind it into.
fn can_hold_a_norm(node: &Node) -> bool {
    matches!(node.op.as_str(), "Conv" | "ConvTranspose" | "Gemm")
}

/// Whether a module is within another.
fn is_within(module: &str, outer: &str) -> bool {
    module.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}

/// Names of a batch normalization that an exporter folded into the node of module `path`, and with it its name: `bn1` behind
/// `conv1`, `downsample.1` behind `downsample.0`.
fn folded(path: &str) -> Vec<String> {
    let (outer, own) = path.rsplit_once('.').map_or(("", path), |(outer, own)| (outer, own));
    let outer = if outer.is_empty() {
        String::new()
    } else {
        format!("{outer}.")
    };
    if let Ok(number) = own.parse::<usize>() {
        return vec![format!("{outer}{}", number + 1)];
    }
    ["bn", "norm"]
        .iter()
        .filter(|_| own.contains("conv"))
        .map(|norm| format!("{outer}{}", own.replacen("conv", norm, 1)))
        .collect()
}

/// A table under construction: the first to claim a name keeps it.
#[derive(Default)]
struct Table {
    targets: Vec<Target>,
    taken: HashSet<String>,
}

impl Table {
    fn claim(&mut self, name: &str, value: ValueId) {
        if !name.is_empty() && self.taken.insert(name.to_owned()) {
            self.targets.push(Target {
                name: name.to_owned(),
                value,
                pushed: value,
            });
        }
    }

    /// Claims names of which the last of several holders is meant.
    fn claim_last(&mut self, names: Vec<(String, ValueId)>) {
        let last: HashMap<String, ValueId> = names.iter().cloned().collect();
        for (name, _) in names {
            if let Some(value) = last.get(&name) {
                self.claim(&name, *value);
            }
        }
    }
}

/// The table of a net's targets. In order of precedence: values, nodes, module paths (the first output of the last node that
/// belongs to the module or to one in it), modules that were folded into another, all of these with `_` for `.`, runs of path
/// components. Also a module whose name stands for more than itself, if there is one: the value behind its folded batch
/// normalization.
pub(super) fn targets(lowering: &Lowering<'_>, nodes: &[Node]) -> (Vec<Target>, Option<String>) {
    let of = |name: &String| match lowering.values.get(name) {
        Some(Value::Live(live)) => Some(live.id),
        Some(Value::Missing(id)) => Some(*id),
        Some(Value::Known(_) | Value::Stored(..)) | None => None,
    };
    let (mut values, mut names) = (Vec::new(), Vec::new());
    let (mut modules, mut joined, mut partners, mut runs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut operators = Vec::new();
    let mut holds_a_norm = None;
    for node in nodes {
        for output in &node.outputs {
            values.extend(of(output).map(|value| (output.clone(), value)));
        }
        let Some(value) = node.outputs.first().and_then(of) else {
            continue;
        };
        names.push((node.name.clone(), value));
        let path = module(node);
        let mut outer = path.as_str();
        while !outer.is_empty() && path.matches('.').count() < DEEPEST {
            modules.push((outer.to_owned(), value));
            outer = outer.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
        let weight = node.inputs.get(1).map_or("", String::as_str);
        let owner = weight.strip_suffix(".weight").unwrap_or_default();
        if !path.is_empty() && !owner.is_empty() && owner != path {
            let again = path
                .rsplit_once('_')
                .filter(|(_, number)| number.parse::<usize>().is_ok());
            if again.is_some_and(|(stem, _)| stem == owner) {
                // A module that is called again: `d_1` with the weights of `d`.
                modules.push((owner.to_owned(), value));
            } else if can_hold_a_norm(node) {
                // PyTorch's exporter of today calls the sum of both after the normalization.
                partners.push((owner.to_owned(), value));
                // But where a module computes with the weights of one within it, as attention does, there is none.
                if !is_within(owner, &path) {
                    holds_a_norm.get_or_insert_with(|| owner.to_owned());
                }
            }
        } else if !path.is_empty() && can_hold_a_norm(node) && weight.starts_with("onnx::") {
            // TorchScript's calls it after the convolution, and its weights after nothing.
            partners.extend(folded(&path).into_iter().map(|name| (name, value)));
            holds_a_norm.get_or_insert_with(|| path.clone());
        }
        if path.is_empty() {
            let name = if node.name.contains('/') {
                &node.name
            } else {
                &node.outputs[0]
            };
            let [layers, whole] = components(name.split(':').next().unwrap_or_default());
            runs.extend(layers.into_iter().map(|run| (run, value)));
            operators.extend(whole.into_iter().map(|run| (run, value)));
            if can_hold_a_norm(node)
                && let Some(bias) = node.inputs.get(2)
            {
                // tf2onnx: a convolution whose bias is what a layer of normalization became.
                let [layers, _] = components(bias.split(':').next().unwrap_or_default());
                runs.extend(layers.into_iter().map(|run| (run, value)));
            }
        }
    }
    let mut table = Table::default();
    let exact: HashSet<&String> = values.iter().chain(&names).map(|(name, _)| name).collect();
    // Module paths are listed first, but never stand for anything else than an exact value or node of that name.
    modules.retain(|(name, _)| !exact.contains(name));
    partners.retain(|(name, _)| !exact.contains(name));
    for (name, value) in modules.iter().chain(&partners) {
        joined.push((name.replace('.', "_"), *value));
    }
    table.claim_last(modules);
    table.claim_last(partners);
    for (name, value) in values.iter().chain(&names) {
        table.claim(name, *value);
    }
    table.claim_last(joined);
    table.claim_last(runs);
    table.claim_last(operators);
    (table.targets, holds_a_norm)
}
