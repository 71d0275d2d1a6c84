//! Layers by the names that people know: `inspect`, and patterns.

use std::path::PathBuf;

use serde_json::Value;

use crate::program::{deepvis, refused, words, worked};
use crate::support::{repository, shared};

fn net(name: &str) -> String {
    let path: PathBuf = repository("tests/fixtures/onnx").join(format!("{name}.onnx"));
    path.to_str().unwrap().to_owned()
}

fn printed(line: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = deepvis(folder.path(), line);
    worked(&output);
    String::from_utf8(output.stdout).unwrap()
}

fn modules(net: &str) -> Vec<Value> {
    let report: Value = serde_json::from_str(&printed(&["inspect", net, "--json"])).unwrap();
    report["modules"].as_array().cloned().unwrap_or_default()
}

/// Path, parameters, shape and names of axes, as PyTorch's `named_modules` and `parameters` have them.
const TOKENS: [(&str, u64, &[u64], &[&str]); 13] = [
    ("conv_proj", 294, &[1, 6, 2, 2], &["channel", "row", "column"]),
    ("blocks", 708, &[1, 5, 6], &["token", "feature"]),
    ("blocks.0", 354, &[1, 5, 6], &["token", "feature"]),
    ("blocks.0.ln_1", 12, &[1, 5, 6], &["token", "feature"]),
    ("blocks.0.qkv", 126, &[1, 5, 18], &["token", "feature"]),
    ("blocks.0.proj", 42, &[1, 5, 6], &["token", "feature"]),
    ("blocks.0.ln_2", 12, &[1, 5, 6], &["token", "feature"]),
    ("blocks.0.mlp", 162, &[1, 5, 6], &["token", "feature"]),
    ("blocks.0.mlp.0", 84, &[1, 5, 12], &["token", "feature"]),
    ("blocks.0.mlp.1", 0, &[1, 5, 12], &["token", "feature"]),
    ("blocks.0.mlp.2", 78, &[1, 5, 6], &["token", "feature"]),
    ("ln", 12, &[1, 5, 6], &["token", "feature"]),
    ("head", 21, &[1, 3], &["channel"]),
];

#[test]
fn modules_are_listed_with_what_their_axes_mean() {
    for name in ["tokens_dynamo", "tokens_script"] {
        let modules = modules(&net(name));
        for (path, parameters, shape, axes) in TOKENS {
            let module = modules.iter().find(|module| module["path"] == path);
            let module = module.unwrap_or_else(|| panic!("{name}: no {path}"));
            assert_eq!(module["parameters"], parameters, "{name} {path}");
            assert_eq!(module["shape"], serde_json::json!(shape), "{name} {path}");
            assert_eq!(module["axes"], serde_json::json!(axes), "{name} {path}");
            assert_eq!(module["class_token"], shape.len() == 3, "{name} {path}");
            assert_eq!(module["problem"], Value::Null, "{name} {path}");
        }
        // 13 above, and the nine of the second block.
        assert_eq!(modules.len(), 22, "{name}");
    }
    let alone = modules(&net("tokens_alone"));
    let block = alone.iter().find(|module| module["path"] == "blocks.1").unwrap();
    assert_eq!(
        (&block["class_token"], &block["shape"]),
        (&Value::Bool(false), &serde_json::json!([1, 4, 6]))
    );
    let turned = modules(&net("turned"));
    let wide = turned.iter().find(|module| module["path"] == "wide").unwrap();
    assert_eq!(wide["axes"], serde_json::json!(["row", "column", "channel"]));
    let flat = modules(&net("flat"));
    let along = flat.iter().find(|module| module["path"] == "along").unwrap();
    assert_eq!(along["axes"], serde_json::json!(["channel", "place"]));
}

#[test]
fn a_tree_has_what_is_in_a_module_below_it() {
    let folder = tempfile::tempdir().unwrap();
    let import = ["import", &net("tokens_dynamo"), "-o", "net.bpk"];
    worked(&deepvis(folder.path(), &import));
    let output = deepvis(folder.path(), &["inspect", "net.bpk", "--tree"]);
    worked(&output);
    let of_file = String::from_utf8(output.stdout).unwrap();
    let tree = printed(&["inspect", &net("tokens_dynamo"), "--tree"]);
    let lines = |text: &str| -> Vec<String> {
        let names = text.lines().skip(1).take(22);
        names
            .map(|line| {
                line[..line.find(char::is_alphanumeric).unwrap() + 5]
                    .trim_end()
                    .to_owned()
            })
            .collect()
    };
    assert_eq!(lines(&of_file), lines(&tree));
    let own: Vec<&str> = tree.lines().skip(1).take(8).collect();
    for (line, begin) in own.iter().zip([
        "conv_proj ",
        "blocks ",
        "  0 ",
        "    ln_1 ",
        "    qkv ",
        "    proj ",
        "    ln_2 ",
        "    mlp ",
    ]) {
        assert!(line.starts_with(begin), "{line:?}");
    }
    // The list has whole paths, and the values' own names beside them.
    let list = printed(&["inspect", &net("tokens_dynamo")]);
    assert!(list.contains("\nblocks.0.mlp.0  linear_2 "), "{list}");
    assert!(list.contains("5 tokens (cls first) x 12 features"), "{list}");
    let detail = printed(&["inspect", &net("tokens_dynamo"), "--layer", "blocks.0.mlp.0"]);
    assert!(
        detail.contains("axes           token x feature; token 0 is the class token"),
        "{detail}"
    );
    let caffe = deepvis(folder.path(), &["inspect", "demo", "--tree"]);
    refused(&caffe, &["--tree"]);
}

#[test]
fn networks_of_keras_list_their_layers() {
    let Some(cases) = shared("onnx/cases") else { return };
    for (case, layers) in [
        ("keras_plain_export", ["conv2d", "dense"]),
        ("keras_plain_tf2onnx15", ["conv2d", "dense"]),
    ] {
        let path = cases.join(case).join("model.onnx");
        let found = modules(path.to_str().unwrap());
        let paths: Vec<&str> = found.iter().filter_map(|module| module["path"].as_str()).collect();
        for layer in layers {
            assert!(paths.contains(&layer), "{case}: {paths:?}");
        }
    }
}

/// The layers that were pushed, in order.
#[track_caller]
fn pushed(net: &str, layers: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut line = words(
        "optimize --backend flex --preprocess keras-tf --push-channel 0 --max-iter 1 --output-prefix r/x --skipbig",
    );
    line.extend(["--push-layer", layers, "--net-weights", net]);
    worked(&deepvis(folder.path(), &line));
    let runs = std::fs::read_to_string(folder.path().join("r/runs.jsonl")).unwrap();
    let of = |line: &str| {
        let run: Value = serde_json::from_str(line).unwrap();
        let (files, layer) = (run["files"].as_str().unwrap(), run["push_layer"].as_str().unwrap());
        // Files are named after it.
        assert!(
            files.starts_with(&format!("x_{}", layer.trim_start_matches('/'))) || layer.contains('/'),
            "{files}"
        );
        layer.to_owned()
    };
    let mut layers: Vec<String> = runs.lines().map(of).collect();
    layers.sort();
    layers
}

#[test]
fn patterns_match_modules_and_every_other_name() {
    for name in ["tokens_dynamo", "tokens_script"] {
        let net = net(name);
        assert_eq!(pushed(&net, "blocks.*.mlp.0"), ["blocks.0.mlp.0", "blocks.1.mlp.0"]);
        // The last block's value is that of all blocks.
        assert_eq!(pushed(&net, "blocks.?"), ["blocks.0", "blocks.1"]);
        assert_eq!(pushed(&net, "blocks_?_proj"), ["blocks_0_proj", "blocks_1_proj"]);
        assert_eq!(
            pushed(&net, "conv_*j,head,blocks_0_mlp"),
            ["blocks_0_mlp", "conv_proj", "head"]
        );
        // A value of several names is one layer, by its module's path.
        assert_eq!(pushed(&net, "*ead"), ["head"]);
        refused(
            &deepvis(
                tempfile::tempdir().unwrap().path(),
                &[
                    "optimize",
                    "--net-weights",
                    &net,
                    "--push-layer",
                    "layer?",
                    "--push-channel",
                    "0",
                ],
            ),
            &["layer?", "no layer matches"],
        );
    }
    assert_eq!(pushed(&net("tokens_dynamo"), "linear_[26]"), ["linear_2", "linear_6"]);
    let erf = "/blocks/blocks.0/mlp/mlp.1/Erf_output_0";
    assert_eq!(pushed(&net("tokens_script"), "*.0/mlp/mlp.1/Erf_out*"), [erf]);
}

/// Attention and the gates of squeeze and excitation are no classes.
#[test]
fn classes_are_what_a_network_ends_with() {
    let classes = |net: &str| -> Value {
        let report: Value = serde_json::from_str(&printed(&["inspect", net, "--json"])).unwrap();
        report["classes"].clone()
    };
    for name in ["tokens_dynamo", "tokens_script"] {
        assert_eq!(classes(&net(name))["layer"], "head", "{name}");
        assert_eq!(classes(&net(name))["units"], 3, "{name}");
    }
    let Some(models) = shared("onnx/models") else { return };
    let text = models.join("ppocr_v4_det.onnx");
    assert_eq!(classes(text.to_str().unwrap()), Value::Null);
    let squeezenet = models.join("squeezenet1_1-ts13.onnx");
    assert_eq!(classes(squeezenet.to_str().unwrap())["units"], 1000);
}

/// PyTorch's attention multiplies with the weights of its `out_proj` by itself, which is no normalization that was folded.
#[test]
fn only_folded_normalizations_are_told() {
    let Some(cases) = shared("onnx/cases") else { return };
    for (name, is_told) in [
        ("attention_dynamo20", false),
        ("attention_ts17", false),
        ("vit_dynamo20", false),
        ("resnet_basic_dynamo18", true),
        ("resnet_basic_ts17", true),
    ] {
        let model = cases.join(name).join("model.onnx");
        let output = deepvis(
            tempfile::tempdir().unwrap().path(),
            &["inspect", model.to_str().unwrap()],
        );
        worked(&output);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.contains("folded batch normalizations"), is_told, "{name}: {said}");
    }
}
