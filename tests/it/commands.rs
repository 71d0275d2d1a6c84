//! The commands beside `optimize`, and settings.

use crate::program::{case, deepvis, optimize, refused, worked};
use crate::support::shared;

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

#[test]
fn help_fits_a_screen_and_other_words_lead_to_the_right_flag() {
    let folder = tempfile::tempdir().unwrap();
    let text = |arguments: &[&str]| {
        let output = deepvis(folder.path(), arguments);
        worked(&output);
        String::from_utf8(output.stdout).unwrap()
    };
    let mut narrow = std::process::Command::new(env!("CARGO_BIN_EXE_deepvis"));
    let narrow = narrow.args(["optimize", "-h"]).env("COLUMNS", "80").output().unwrap();
    let short = String::from_utf8(narrow.stdout).unwrap();
    assert!(short.lines().count() <= 24, "{} lines:\n{short}", short.lines().count());
    assert!(short.lines().all(|line| line.chars().count() <= 80), "{short}");
    for part in [
        "[NET]",
        "--push-layer",
        "--push-channel",
        "--preset",
        "--output-prefix",
        "Examples:",
    ] {
        assert!(short.contains(part), "{part}: {short}");
    }
    for command in [
        "explore",
        "inspect",
        "classify",
        "forward",
        "gallery",
        "fetch",
        "demo",
        "import",
        "devices",
        "init-settings",
    ] {
        let output = assert_cmd::Command::cargo_bin("deepvis")
            .unwrap()
            .env("COLUMNS", "80")
            .args([command, "-h"])
            .output()
            .unwrap();
        let short = String::from_utf8(output.stdout).unwrap();
        assert!(short.lines().count() <= 40, "{} lines:\n{short}", short.lines().count());
        assert!(short.lines().all(|line| line.chars().count() <= 100), "{short}");
    }
    assert!(text(&["explore", "--help"]).contains("--input-std"));
    assert!(text(&["optimize", "--help"]).contains("--stats-every"));
    assert!(text(&["completions", "bash"]).contains("--push-channel"));
    assert!(text(&["man", "optimize"]).contains(".TH"));
    let output = optimize(
        folder.path(),
        &[
            "--layer",
            "y",
            "--channel",
            "3",
            "--seed",
            "1",
            "--iterations",
            "2",
            "--lr",
            "50",
            "--out",
            "r/a",
        ],
    );
    worked(&output);
    let said = crate::program::said(&output);
    assert!(said.contains("--iterations is called --max-iter"), "{said}");
    let info = std::fs::read_to_string(folder.path().join("r/a_y_0003_1_info.txt")).unwrap();
    assert!(
        info.contains("lr_params: {'lr': 50}") && info.contains("max_iter: 2"),
        "{info}"
    );
    // A flag given twice counts as given last, and may be shortened.
    worked(&optimize(
        folder.path(),
        &[
            "--push-l",
            "conv1",
            "--push-layer",
            "y",
            "--push-ch",
            "2",
            "--output-prefix",
            "r/b",
        ],
    ));
    assert!(folder.path().join("r/b_y_0002_0_info.txt").exists());
    refused(
        &optimize(folder.path(), &["--push-layer", "y", "--batch-size", "0"]),
        &["--batch-size", "at least 1"],
    );
    refused(
        &deepvis(folder.path(), &["gallery", "r/a_y_0003_1_info.txt"]),
        &["is a file", "such as r"],
    );
}
