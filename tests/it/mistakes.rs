//! What the program says when it cannot do what it was asked for.

use assert_cmd::Command;

use crate::program::{case, deepvis, files, optimize, refused, said, worked};

#[test]
fn mistakes_name_the_flag_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["--push-layer", "conv2"],
            &["no layer \"conv2\"", "did you mean conv1"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "5"],
            &["--push-channel 5", "has 5 channels (from 0 to 4)"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "-1"],
            &["--push-channel \"-1\": channels are counted from 0"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--rand-seed", "-3"],
            &["--rand-seed \"-3\"", "a seed from 0 to 4294967295"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--batch-size", "-4"],
            &["invalid value '-4' for '--batch-size"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "flamingo"],
            &["there are no labels", "--labels"],
        ),
        (
            &[
                "--push-layer",
                "conv1",
                "--push-channel",
                "0",
                "--push-spatial",
                "(13,0)",
            ],
            &["--push-spatial (13,0)", "13 rows"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--push-spatial", "(1,"],
            &["--push-spatial", "not a Python literal"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--lr-params", "{'lr'"],
            &["--lr-params", "not a Python literal"],
        ),
        (
            &[
                "--push-layer",
                "y",
                "--push-channel",
                "0",
                "--lr-params",
                "{'max_lr': 1}",
            ],
            &["requires the key 'lr'"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--lr-policy", "progress"],
            &["requires the key 'max_lr'"],
        ),
        (
            &[
                "--push-layer",
                "y",
                "--push-channel",
                "0",
                "--lr-params",
                "{'lr': 'fast'}",
            ],
            &["'lr' must be a finite number"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--mean", "(1,2,3)"],
            &["--mean", "3 values", "4 channels"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--mean", "nothing.npy"],
            &["--mean: there is no nothing.npy"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--mean", "'nothing.npy'"],
            &["--mean: there is no nothing.npy"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--data-size", "(20,20)"],
            &["fc2", "fixes the size of the image"],
        ),
        (
            &["--push-layer", "conv1", "--push-channel", "0", "--data-size", "(0,20)"],
            &["--data-size"],
        ),
        (
            &[
                "--push-layer",
                "y",
                "--push-channel",
                "0",
                "--channel-swap-to-rgb",
                "(0,1)",
            ],
            &["--channel-swap-to-rgb", "red, green and blue"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--push-dir", "0"],
            &["--push-dir"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--decay", "nan"],
            &["--decay", "out of range"],
        ),
        (
            &[
                "--push-layer",
                "y",
                "--push-channel",
                "0",
                "--small-norm-percentile",
                "101",
            ],
            &["--small-norm-percentile"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--blur-every", "-1"],
            &["--blur-every"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--max-iter", "0"],
            &["--max-iter"],
        ),
        (
            &["--push-layer", "y", "--push-channel", "0", "--rand-seed", "4294967296"],
            &["--rand-seed"],
        ),
        (
            &[
                "--push-layer",
                "y",
                "--push-channel",
                "0",
                "--output-template",
                "%(p.nothing)s",
            ],
            &["--output-template", "p.nothing"],
        ),
        (&["--push-layer", "data", "--push-channel", "0"], &["it is an input"]),
        (
            &["--push-layer", "y", "--push-channel", "0", "--max-memory", "100"],
            &["--max-memory"],
        ),
        (
            &[
                "--push-layer",
                "y",
                "--push-channel",
                "0",
                "--output-prefix",
                "/dev/null/opt",
            ],
            &["cannot write", "/dev/null"],
        ),
    ];
    for (arguments, expected) in cases {
        refused(&optimize(folder.path(), arguments), expected);
    }
    assert!(files(&folder.path().join("optimize_results")).is_empty());
}

#[test]
fn files_that_are_missing_or_of_another_kind_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let deploy = case("v1_alexnet_style/deploy.prototxt").to_string_lossy().into_owned();
    let weights = case("v1_alexnet_style/weights.caffemodel")
        .to_string_lossy()
        .into_owned();
    let other = case("concat_split/weights.caffemodel").to_string_lossy().into_owned();
    let like = case("conv_plain/weights.caffemodel").to_string_lossy().into_owned();
    let whole = std::fs::read(&weights).unwrap();
    std::fs::write(place("cut.caffemodel"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(place("empty.caffemodel"), "").unwrap();
    std::fs::write(place("bad.prototxt"), "layer { name: }").unwrap();
    std::fs::write(place("binary.prototxt"), [0xff, 0xfe, 0]).unwrap();
    std::fs::write(place("cut.bpk"), b"NRUB").unwrap();
    let small = ndarray::Array3::<f64>::zeros((4, 5, 5));
    ndarray_npy::write_npy(place("small.npy"), &small).unwrap();
    let run = |deploy: &str, weights: &str, more: &[&str]| {
        let mut arguments = vec![
            "optimize",
            "--backend",
            "flex",
            "--push-layer",
            "y",
            "--push-channel",
            "0",
        ];
        arguments.extend(["--deploy-proto", deploy, "--net-weights", weights]);
        arguments.extend(more);
        deepvis(folder.path(), &arguments)
    };
    refused(
        &run("nothing.prototxt", &weights, &[]),
        &["--deploy-proto: there is no nothing.prototxt"],
    );
    refused(
        &run(&deploy, "nothing.caffemodel", &[]),
        &["--net-weights: there is no nothing.caffemodel"],
    );
    refused(&run(&deploy, &other, &[]), &["is of another network"]);
    refused(
        &run(&deploy, &like, &[]),
        &["has no weights for conv1", "is it of this network"],
    );
    refused(
        &run(&deploy, &place("cut.caffemodel"), &[]),
        &["cut.caffemodel", "is it complete"],
    );
    refused(
        &run(&deploy, &place("empty.caffemodel"), &[]),
        &["empty.caffemodel", "it is empty"],
    );
    refused(&run(&deploy, &place("cut.bpk"), &[]), &["cut.bpk"]);
    refused(&run(&place("bad.prototxt"), &weights, &[]), &["bad.prototxt:1:"]);
    refused(
        &run(&place("binary.prototxt"), &weights, &[]),
        &["binary.prototxt", "not text"],
    );
    refused(
        &run(&deploy, &weights, &["--mean", &place("small.npy")]),
        &["4 x 5 x 5", "4 x 13 x 14", "only a larger mean"],
    );
    refused(
        &run(&deploy, &weights, &["--labels", "nothing.txt"]),
        &["--labels: there is no nothing.txt"],
    );
    std::fs::create_dir(place("nothing")).unwrap();
    refused(
        &deepvis(folder.path(), &["optimize", "--model", "nothing"]),
        &["--deploy-proto", "deepvis.toml"],
    );
    refused(
        &deepvis(folder.path(), &["optimize", "--model", "bvlc-googlnet"]),
        &["--model bvlc-googlnet", "did you mean bvlc-googlenet"],
    );
    refused(
        &deepvis(folder.path(), &["optimize", "--model", "bvlc-googlenet"]),
        &["`deepvis fetch bvlc-googlenet` brings it"],
    );
    std::fs::write(place("deepvis.toml"), "push_layr = 'y'").unwrap();
    refused(&run(&deploy, &weights, &[]), &["deepvis.toml", "push_layr"]);
}

#[test]
fn no_gpu_is_one_clear_message() {
    let folder = tempfile::tempdir().unwrap();
    let deploy = case("v1_alexnet_style/deploy.prototxt");
    let weights = case("v1_alexnet_style/weights.caffemodel");
    let run = |arguments: &[&str]| {
        Command::cargo_bin("deepvis")
            .unwrap()
            .current_dir(folder.path())
            .env("VK_DRIVER_FILES", "/dev/null")
            .env("VK_ICD_FILENAMES", "/dev/null")
            .args(arguments)
            .output()
            .unwrap()
    };
    let devices = run(&["devices", "--json"]);
    worked(&devices);
    let found: serde_json::Value = serde_json::from_slice(&devices.stdout).unwrap();
    if !found.as_array().unwrap().is_empty() {
        crate::support::skip("the GPU here cannot be hidden");
        return;
    }
    let mut arguments = vec![
        "optimize",
        "--push-layer",
        "y",
        "--push-channel",
        "0",
        "--max-iter",
        "2",
    ];
    arguments.extend([
        "--deploy-proto",
        deploy.to_str().unwrap(),
        "--net-weights",
        weights.to_str().unwrap(),
    ]);
    let output = run(&[&arguments[..], &["--backend", "wgpu"]].concat());
    refused(&output, &["no adapter was found", "deepvis devices", "--backend flex"]);
    assert_eq!(output.status.code(), Some(2));
    let output = run(&arguments);
    worked(&output);
    assert!(said(&output).contains("computed by flex"), "{}", said(&output));
}
