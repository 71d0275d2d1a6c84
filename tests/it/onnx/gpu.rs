//! Kinds of layers that came with ONNX, on a GPU or its stand-in: the same cases, at their last inner target.

use super::Case;
use crate::support::{self, shared};

/// A GPU adds in another order, and its exponentials and powers are less exact.
const FACTOR: f64 = 10.0;

/// Small ones, each with other kinds: depthwise convolution (in ConvNeXt), normalizations, attention, functions, and what moves
/// entries. A software GPU takes a minute for one.
const CASES: [&str; 5] = [
    "activations_ts20",
    "attention_dynamo18",
    "convnext_dynamo20",
    "norms_dynamo18",
    "shapes_dynamo18",
];

#[test]
fn layers_of_onnx_match_their_frameworks_on_wgpu() {
    let Some(cases) = shared("onnx/cases") else { return };
    let Some(adapter) = deepvis::backend::adapters()
        .into_iter()
        .find(|adapter| adapter.api != "Gl")
    else {
        support::skip("there is no adapter here");
        return;
    };
    let device = deepvis::backend::gpu(&adapter);
    let mut failures = Vec::new();
    for name in CASES {
        let case = Case::open(&cases.join(name)).unwrap();
        let targets = case.targets();
        let target = targets.last().unwrap();
        let tolerance = case.case["tolerance_rel"].as_f64().unwrap() * FACTOR;
        match case.errors(target, target["value"].as_str().unwrap(), &device) {
            Ok((value, gradient)) if value <= tolerance && gradient <= tolerance => {}
            Ok((value, gradient)) => failures.push(format!("{name}: {value:.1e} {gradient:.1e}")),
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
