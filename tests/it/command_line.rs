//! The program as a user meets it: what it does, and what it says when it cannot.

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;

use crate::support::{repository, shared};

fn case(name: &str) -> PathBuf {
    repository("tests/fixtures/layers").join(name)
}

/// Runs deepvis in `folder`, without anybody's settings.
fn deepvis(folder: &Path, arguments: &[&str]) -> Output {
    Command::cargo_bin("deepvis")
        .unwrap()
        .current_dir(folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("HOME", folder)
        .args(arguments)
        .output()
        .unwrap()
}

/// `deepvis optimize` on the AlexNet-like case, 4 channels of 13 x 14, on flex.
fn optimize(folder: &Path, arguments: &[&str]) -> Output {
    let deploy = case("v1_alexnet_style/deploy.prototxt");
    let weights = case("v1_alexnet_style/weights.caffemodel");
    let mut all = vec!["optimize", "--backend", "flex", "--max-iter", "3"];
    all.extend([
        "--deploy-proto",
        deploy.to_str().unwrap(),
        "--net-weights",
        weights.to_str().unwrap(),
    ]);
    all.extend(arguments);
    deepvis(folder, &all)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn refused(output: &Output, expected: &[&str]) {
    let said = said(output);
    assert!(!output.status.success(), "it should have failed");
    for expected in expected {
        assert!(said.contains(expected), "{expected:?} is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[track_caller]
fn worked(output: &Output) {
    assert!(output.status.success(), "{}", said(output));
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn optimize_writes_the_five_files_of_the_specification() {
    let folder = tempfile::tempdir().unwrap();
    worked(&optimize(
        folder.path(),
        &["--push-layer", "y", "--push-channel", "2", "--mean", "None"],
    ));
    let expected =
        ["best_X.jpg", "best_Xpm.jpg", "info.pkl", "info.txt", "info_big.pkl"].map(|n| format!("opt_y_0002_0_{n}"));
    assert_eq!(files(&folder.path().join("optimize_results")), expected);
    let again = optimize(
        folder.path(),
        &["--push-layer", "y", "--push-channel", "2", "--mean", "None"],
    );
    refused(&again, &["opt_y_0002_0_best_X.jpg exists already", "--brave"]);
    worked(&optimize(
        folder.path(),
        &["--push-layer", "y", "--push-channel", "2", "--brave", "--skipbig"],
    ));
}

#[test]
fn several_units_and_seeds_equal_single_runs() {
    let folder = tempfile::tempdir().unwrap();
    let together = optimize(
        folder.path(),
        &[
            "--push-layer",
            "y",
            "--push-channel",
            "0-2,4",
            "--rand-seed",
            "0,3",
            "--output-prefix",
            "a/x",
        ],
    );
    worked(&together);
    assert_eq!(files(&folder.path().join("a")).len(), 8 * 5);
    worked(&optimize(
        folder.path(),
        &[
            "--push-layer",
            "y",
            "--push-channel",
            "4",
            "--rand-seed",
            "3",
            "--output-prefix",
            "b/x",
        ],
    ));
    // A batch's matrix products add up in another order, so the last digits of float32 differ.
    let objectives = |prefix: &str| -> Vec<f64> {
        let info = std::fs::read_to_string(folder.path().join(format!("{prefix}/x_y_0004_3_info.txt"))).unwrap();
        let line = info.lines().find(|line| line.trim_start().starts_with("obj:")).unwrap();
        let list = line.split_once('[').unwrap().1.trim_end_matches(']');
        list.split(", ").map(|number| number.parse().unwrap()).collect()
    };
    let (together, alone) = (objectives("a"), objectives("b"));
    assert_eq!(together.len(), 3);
    assert!(
        together.iter().zip(&alone).all(|(a, b)| (a - b).abs() < 1e-5 * b),
        "{together:?} {alone:?}"
    );
}

#[test]
fn verbose_prints_the_original_lines() {
    let folder = tempfile::tempdir().unwrap();
    let output = optimize(
        folder.path(),
        &["--push-layer", "conv1", "--push-channel", "1", "--verbose"],
    );
    worked(&output);
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    for expected in [
        "push unit:        (1, 0, 0) with value",
        "Max idx:",
        "X:",
        "grad:",
        "2     progress:",
    ] {
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
    assert!(said(&output).contains("corner (0,0) is pushed"), "{}", said(&output));
}

#[test]
fn the_specification_command_lines_parse_word_for_word() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [
        "--decay 0      --blur-radius 0.5 --blur-every 4  --small-norm-percentile 50     --max-iter 500  --lr-policy progress --lr-params \"{'max_lr': 100.0, 'desired_prog': 2.0}\"",
        "--decay 0.3    --blur-radius 0   --blur-every 0  --small-norm-percentile 20     --max-iter 750  --lr-policy constant --lr-params \"{'lr': 100.0}\"",
        "--decay 0.0001 --blur-radius 1.0 --blur-every 4                                 --max-iter 1000 --lr-policy constant --lr-params \"{'lr': 100.0}\"",
        "--decay 0      --blur-radius 0.5 --blur-every 4  --px-abs-benefit-percentile 90 --max-iter 1000 --lr-policy progress --lr-params \"{'max_lr': 100000000, 'desired_prog': 2.0}\"",
        "--push-layer fc8 --push-channel 130 --decay 0.0001 --blur-radius 1.0 --blur-every 4 --max-iter 1000 --lr-policy constant --lr-params \"{'lr': 100.0}\"",
    ];
    let deploy = case("v1_alexnet_style/deploy.prototxt");
    let weights = case("v1_alexnet_style/weights.caffemodel");
    for (i, line) in lines.iter().enumerate() {
        // As a shell splits it: the dicts are the only words with spaces.
        let (plain, dict) = line.split_once('"').unwrap();
        let mut arguments: Vec<&str> = vec!["optimize"];
        arguments.extend(plain.split_whitespace());
        arguments.push(dict.trim_end_matches('"'));
        let prefix = format!("r{i}/opt");
        arguments.extend([
            "--deploy-proto",
            deploy.to_str().unwrap(),
            "--net-weights",
            weights.to_str().unwrap(),
        ]);
        arguments.extend(["--backend", "flex", "--output-prefix", &prefix]);
        let output = deepvis(folder.path(), &arguments);
        // This little net has no fc8, and says so: everything before that was understood.
        refused(&output, &["no layer \"fc8\""]);
    }
    for preset in ["paper-1", "paper-2", "paper-3", "paper-4"] {
        worked(&optimize(
            folder.path(),
            &[
                "--push-layer",
                "y",
                "--push-channel",
                "1",
                "--preset",
                preset,
                "--output-prefix",
                preset,
            ],
        ));
    }
    let info = std::fs::read_to_string(folder.path().join("paper-4_y_0001_0_info.txt")).unwrap();
    for expected in [
        "px_abs_benefit_percentile: 90.0",
        "lr_params: {'max_lr': 100000000, 'desired_prog': 2.0}",
        "blur_radius: 0.5",
    ] {
        assert!(info.contains(expected), "{info}");
    }
}

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
            &["--channel-swap-to-rgb", "permutation"],
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
    refused(
        &deepvis(folder.path(), &["optimize"]),
        &["--deploy-proto", "deepvis.toml"],
    );
    std::fs::write(place("deepvis.toml"), "push_layr = 'y'").unwrap();
    refused(&run(&deploy, &weights, &[]), &["deepvis.toml", "push_layr"]);
}

#[test]
fn a_larger_mean_is_cropped_to_its_centre() {
    let folder = tempfile::tempdir().unwrap();
    let mut mean = ndarray::Array3::<f32>::from_elem((4, 15, 20), 1e9);
    mean.slice_mut(ndarray::s![.., 1..14, 3..17]).fill(100.0);
    ndarray_npy::write_npy(folder.path().join("mean.npy"), &mean).unwrap();
    worked(&optimize(
        folder.path(),
        &[
            "--push-layer",
            "y",
            "--push-channel",
            "0",
            "--mean",
            "mean.npy",
            "--output-prefix",
            "a",
        ],
    ));
    worked(&optimize(
        folder.path(),
        &[
            "--push-layer",
            "y",
            "--push-channel",
            "0",
            "--mean",
            "(100,100,100,100)",
            "--output-prefix",
            "b",
        ],
    ));
    let info = |name: &str| std::fs::read_to_string(folder.path().join(format!("{name}_y_0000_0_info.txt"))).unwrap();
    assert_eq!(info("a"), info("b"));
}

#[test]
fn a_burnpack_is_the_whole_network() {
    let folder = tempfile::tempdir().unwrap();
    let deploy = case("v1_alexnet_style/deploy.prototxt");
    let weights = case("v1_alexnet_style/weights.caffemodel");
    let import = [
        "import",
        deploy.to_str().unwrap(),
        weights.to_str().unwrap(),
        "-o",
        "net.bpk",
    ];
    worked(&deepvis(folder.path(), &import));
    refused(&deepvis(folder.path(), &import), &["net.bpk", "--brave"]);
    let unit = [
        "optimize",
        "--backend",
        "flex",
        "--push-layer",
        "y",
        "--push-channel",
        "3",
        "--max-iter",
        "3",
    ];
    worked(&deepvis(
        folder.path(),
        &[&unit[..], &["--net-weights", "net.bpk", "--output-prefix", "a"]].concat(),
    ));
    worked(&optimize(
        folder.path(),
        &["--push-layer", "y", "--push-channel", "3", "--output-prefix", "b"],
    ));
    let info = |name: &str| std::fs::read_to_string(folder.path().join(format!("{name}_y_0003_0_info.txt"))).unwrap();
    assert_eq!(info("a"), info("b"));
}

#[test]
fn settings_give_defaults_and_show_in_help() {
    let folder = tempfile::tempdir().unwrap();
    worked(&deepvis(folder.path(), &["init-settings"]));
    refused(
        &deepvis(folder.path(), &["init-settings"]),
        &["deepvis.toml exists already"],
    );
    let deploy = case("v1_alexnet_style/deploy.prototxt");
    let weights = case("v1_alexnet_style/weights.caffemodel");
    let toml = format!(
        "deploy_proto = {:?}\nnet_weights = {:?}\nmean = \"None\"\npush_layer = \"y\"\npush_channel = 4\n",
        deploy.to_str().unwrap(),
        weights.to_str().unwrap()
    );
    std::fs::write(folder.path().join("deepvis.toml"), toml).unwrap();
    worked(&deepvis(
        folder.path(),
        &["optimize", "--backend", "flex", "--max-iter", "2"],
    ));
    assert!(folder.path().join("optimize_results/opt_y_0004_0_info.txt").exists());
    let help = String::from_utf8(deepvis(folder.path(), &["optimize", "--help"]).stdout).unwrap();
    for heading in [
        "Which trained network to load",
        "Where to start optimization",
        "Which neuron to optimize and in what direction",
        "Which regularization options to apply",
        "What learning rate schedule to use",
        "Where to save results",
    ] {
        assert!(help.contains(heading), "{heading}");
    }
    assert!(
        help.contains("[default: y]") && help.contains("v1_alexnet_style/deploy.prototxt]"),
        "{help}"
    );
}

#[test]
fn inspect_lists_what_can_be_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let net = case("v1_alexnet_style");
    let output = deepvis(folder.path(), &["inspect", net.to_str().unwrap(), "--json"]);
    worked(&output);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let conv = &report["layers"][1];
    assert_eq!(
        (conv["name"].as_str(), conv["shapes"][0].to_string()),
        (Some("conv1"), "[1,6,13,14]".into())
    );
    // 6 outputs of 2 input channels a group and 3 x 3 taps, over 13 x 14 pixels, and with a bias each.
    assert_eq!(conv["multiply_adds"], 6 * 2 * 9 * 13 * 14);
    assert_eq!(conv["parameters"], 6 * 2 * 9 + 6);
    let table = String::from_utf8(deepvis(folder.path(), &["inspect", net.to_str().unwrap()]).stdout).unwrap();
    assert!(table.contains("prob") && table.contains("6 x 13 x 14"), "{table}");
}

#[test]
fn forward_writes_what_caffe_computed() {
    let folder = tempfile::tempdir().unwrap();
    let net = case("conv_stride_group");
    let text = std::fs::read_to_string(net.join("case.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let unit: Vec<String> = json["unit"]
        .as_array()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    let input = net.join("input.npy");
    let arguments = [
        "forward",
        net.to_str().unwrap(),
        "--backend",
        "flex",
        "--input",
        input.to_str().unwrap(),
    ];
    let unit = unit.join(",");
    let more = ["--layer", "y", "--unit", &unit, "--output-dir", "out"];
    worked(&deepvis(folder.path(), &[&arguments[..], &more[..]].concat()));
    for name in ["output.npy", "input_gradient.npy"] {
        let found: ndarray::ArrayD<f32> = ndarray_npy::read_npy(folder.path().join("out").join(name)).unwrap();
        let expected: ndarray::ArrayD<f32> = ndarray_npy::read_npy(net.join(name)).unwrap();
        assert_eq!(found.shape(), expected.shape());
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{name}");
    }
    refused(
        &deepvis(folder.path(), &[&arguments[..], &more[..]].concat()),
        &["exists already"],
    );
}

#[test]
fn classify_names_a_flamingo() {
    let Some(picture) = shared("caffe-reference/googlenet_flamingo_600.png") else {
        return;
    };
    let Some(net) = shared("models/bvlc_googlenet") else {
        return;
    };
    let Some(labels) = shared("models/ilsvrc_2012_labels.txt") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // The right half of the reference's picture is what deepvis' original made of the flamingo, plus mean.
    let picture = image::open(picture).unwrap();
    let half = picture.crop_imm(picture.width() / 2, 0, picture.width() / 2, picture.height());
    half.save(folder.path().join("half.png")).unwrap();
    let arguments = [
        "classify",
        net.to_str().unwrap(),
        "half.png",
        "--backend",
        "flex",
        "--mean",
        "(104,117,123)",
    ];
    let output = deepvis(
        folder.path(),
        &[&arguments[..], &["--labels", labels.to_str().unwrap()]].concat(),
    );
    worked(&output);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.lines().nth(1).unwrap().ends_with("130  flamingo"), "{printed}");
}

/// Drivers are hidden from the program, so that this checks something where there are some.
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
        eprintln!("SKIPPED: the GPU here cannot be hidden, so this test checks nothing");
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
