//! The modules of a network, as the people who wrote it call them: a list, or a tree.

use std::collections::HashMap;

use deepvis_importer::Graph;
use deepvis_importer::names::counted;
use serde::Serialize;

use super::table::{columns, or_blank};
use crate::network::LayerFacts;

/// A module, with what is in it.
#[derive(Debug, Serialize)]
pub(super) struct Module {
    /// Its path: `layer4.2.conv3`.
    path: String,
    /// What computes its value.
    #[serde(rename = "type")]
    kind: String,
    /// The value that it stands for, as the file calls it.
    value: String,
    /// Its shape for one image, with the batch axis.
    shape: Vec<usize>,
    /// What the axes after that of the batch are called.
    axes: Vec<&'static str>,
    /// Whether the first of its tokens is a class token.
    class_token: bool,
    /// Learned numbers, those of modules in it too.
    parameters: u64,
    /// Multiply-adds for one image, the same.
    multiply_adds: u64,
    /// Why a unit of it cannot be pushed, if it cannot.
    problem: Option<String>,
    /// How many modules it is in.
    #[serde(skip)]
    depth: usize,
    /// The last part of its path.
    #[serde(skip)]
    own: String,
}

/// A module and those in it, in the order in which they are computed.
#[derive(Default)]
struct Tree<'a> {
    path: &'a str,
    inner: Vec<Self>,
    parameters: u64,
    multiply_adds: u64,
}

impl<'a> Tree<'a> {
    /// Adds what a layer of the module `path` costs to all modules that it is in.
    fn add(&mut self, path: &'a str, fact: &LayerFacts) {
        self.parameters += fact.parameters;
        self.multiply_adds += fact.multiply_adds;
        let below = self.path.len();
        if path.len() == below {
            return;
        }
        let from = if below == 0 { 0 } else { below + 1 };
        let end = path[from..].find(['.', '/']).map_or(path.len(), |end| from + end);
        let inner = &path[..end];
        let place = self.inner.iter().position(|tree| tree.path == inner);
        let place = place.unwrap_or_else(|| {
            self.inner.push(Self {
                path: inner,
                ..Self::default()
            });
            self.inner.len() - 1
        });
        self.inner[place].add(path, fact);
    }
}

/// The modules, each before those in it; none where the file tells of none.
pub(super) fn of(graph: &Graph, facts: &[LayerFacts]) -> Vec<Module> {
    let mut root = Tree::default();
    let mut by_value: HashMap<&str, (&LayerFacts, usize)> = HashMap::new();
    for fact in facts {
        by_value.extend(
            fact.tops
                .iter()
                .enumerate()
                .map(|(place, top)| (top.as_str(), (fact, place))),
        );
        if let Some(path) = graph.modules.get(&fact.name) {
            root.add(path, fact);
        }
    }
    let mut modules = Vec::new();
    for tree in &root.inner {
        list(tree, 0, graph, &by_value, &mut modules);
    }
    modules
}

fn list(
    tree: &Tree<'_>,
    depth: usize,
    graph: &Graph,
    by_value: &HashMap<&str, (&LayerFacts, usize)>,
    modules: &mut Vec<Module>,
) {
    let value = graph
        .target(tree.path)
        .map(|target| graph.values[target.value].as_str());
    let found = value.and_then(|value| by_value.get(value).copied());
    let own = tree.path.rsplit(['.', '/']).next().unwrap_or(tree.path).to_owned();
    let (shape, axes) = found.map_or((Vec::new(), None), |(fact, place)| {
        let shape = fact.shapes.get(place).cloned().unwrap_or_default();
        (shape, fact.axes.get(place).copied())
    });
    modules.push(Module {
        path: tree.path.to_owned(),
        kind: match found {
            Some((fact, _)) if tree.inner.is_empty() => fact.kind.clone(),
            Some(_) | None => String::new(),
        },
        value: value.unwrap_or_default().to_owned(),
        axes: axes.map_or(Vec::new(), |axes| axes.names(&shape)),
        class_token: axes.is_some_and(|axes| axes.class_token),
        shape,
        parameters: tree.parameters,
        multiply_adds: tree.multiply_adds,
        problem: match found {
            Some((fact, _)) => fact.problem.clone(),
            None => Some("the exporter left no value of it".into()),
        },
        depth,
        own,
    });
    for inner in &tree.inner {
        list(inner, depth + 1, graph, by_value, modules);
    }
}

impl Module {
    /// Extents of its value, with what they count where that is not channels, rows and columns.
    fn output(&self) -> String {
        let extents = self.shape.iter().skip(1);
        if matches!(*self.axes, ["channel"] | ["channel", "row", "column"] | []) {
            return extents.map(ToString::to_string).collect::<Vec<_>>().join(" x ");
        }
        let named = extents.zip(&self.axes).map(|(extent, axis)| {
            let first = if self.class_token && *axis == "token" {
                " (cls first)"
            } else {
                ""
            };
            counted(*extent, axis) + first
        });
        named.collect::<Vec<_>>().join(" x ")
    }
}

/// Prints them, with the names of their values in the second column; as a tree, with the last parts of paths.
pub(super) fn table(modules: &[Module], as_tree: bool) {
    let head = [
        "module",
        "value",
        "type",
        "output",
        "parameters",
        "multiply-adds",
        "can be pushed",
    ]
    .map(str::to_owned);
    let rows = modules.iter().map(|module| {
        [
            if as_tree {
                format!("{}{}", "  ".repeat(module.depth), module.own)
            } else {
                module.path.clone()
            },
            module.value.clone(),
            module.kind.clone(),
            module.output(),
            or_blank(module.parameters),
            or_blank(module.multiply_adds),
            module
                .problem
                .as_ref()
                .map_or_else(|| "yes".to_owned(), |problem| format!("no: {problem}")),
        ]
    });
    let rows: Vec<[String; 7]> = [head].into_iter().chain(rows).collect();
    columns(&rows, 4..6);
}
