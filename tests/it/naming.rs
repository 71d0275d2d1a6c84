//! One way to name a network: which files a name, a folder or a file stands for.

use std::path::Path;

use crate::program::{case, deepvis, refused, said, words, worked};

/// A folder with the AlexNet-like case under names of one's own.
fn beside(names: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let net = folder.path().join("net");
    std::fs::create_dir(&net).unwrap();
    for (from, to) in names {
        std::fs::copy(case("v1_alexnet_style").join(from), net.join(to)).unwrap();
    }
    folder
}

const DEPLOY: &str = "deploy.prototxt";
const WEIGHTS: &str = "weights.caffemodel";

/// Another network: layers of the same names, of other shapes.
fn add_stranger(folder: &Path, name: &str) {
    let text = std::fs::read_to_string(case("v1_alexnet_style").join(DEPLOY)).unwrap();
    let other = text.replace("num_output: 6", "num_output: 8");
    assert_ne!(other, text);
    std::fs::write(folder.join("net").join(name), other).unwrap();
}

#[track_caller]
fn optimize(folder: &Path, net: &str) -> std::process::Output {
    let line = format!(
        "optimize {net} --backend flex --push-layer y --push-channel 0 --max-iter 2 --brave --output-prefix r/x"
    );
    deepvis(folder, &words(&line))
}

#[test]
fn every_way_to_name_a_network_is_one() {
    let folder = beside(&[(DEPLOY, DEPLOY), (WEIGHTS, WEIGHTS)]);
    let folder = folder.path();
    worked(&deepvis(
        folder,
        &words("import net/deploy.prototxt net/weights.caffemodel -o whole.bpk"),
    ));
    for net in [
        "net",
        "net/weights.caffemodel",
        "net/deploy.prototxt",
        "--net-weights net/weights.caffemodel",
        "--model net",
        "net/weights.caffemodel --deploy-proto net/deploy.prototxt",
        "whole.bpk",
    ] {
        let output = optimize(folder, net);
        worked(&output);
        let files = if net == "whole.bpk" {
            "network whole.bpk, mean none"
        } else {
            "network net/deploy.prototxt + net/weights.caffemodel, mean none"
        };
        assert!(
            said(&output).lines().any(|line| line == files),
            "{net}: {}",
            said(&output)
        );
    }
    worked(&optimize(folder, "whole.bpk"));
    refused(
        &optimize(folder, "net --model demo"),
        &["net and --model demo: name one network"],
    );
    refused(&optimize(folder, "demmo"), &["demmo", "did you mean demo"]);
    let missing = optimize(folder, "net/no.caffemodel");
    refused(&missing, &["cannot read net/no.caffemodel", "No such file"]);
    assert!(!said(&missing).contains("fetch"), "{}", said(&missing));
}

#[test]
fn the_prototxt_of_the_same_name_comes_first_and_a_strangers_never() {
    let folder = beside(&[(DEPLOY, "mine.prototxt"), (WEIGHTS, "mine.caffemodel")]);
    let folder = folder.path();
    add_stranger(folder, "a_deploy.prototxt");
    std::fs::write(
        folder.join("net/solver.prototxt"),
        "net: \"train_val.prototxt\"\nbase_lr: 0.01\nmax_iter: 100\n",
    )
    .unwrap();
    for net in ["net", "net/mine.caffemodel"] {
        let output = optimize(folder, net);
        worked(&output);
        assert!(
            said(&output).contains("network net/mine.prototxt + net/mine.caffemodel"),
            "{}",
            said(&output)
        );
    }
    // Of another name, it is found by its shapes.
    std::fs::rename(folder.join("net/mine.prototxt"), folder.join("net/other.prototxt")).unwrap();
    let output = optimize(folder, "net");
    worked(&output);
    assert!(
        said(&output).contains("network net/other.prototxt +"),
        "{}",
        said(&output)
    );
    // Two that fit are listed, and none is taken.
    std::fs::copy(folder.join("net/other.prototxt"), folder.join("net/third.prototxt")).unwrap();
    refused(
        &optimize(folder, "net"),
        &[
            "more than one prototxt fits",
            "other.prototxt, third.prototxt",
            "--deploy-proto",
        ],
    );
    // A deploy one before others.
    std::fs::rename(folder.join("net/third.prototxt"), folder.join("net/z_deploy.prototxt")).unwrap();
    let output = optimize(folder, "net");
    worked(&output);
    assert!(
        said(&output).contains("network net/z_deploy.prototxt +"),
        "{}",
        said(&output)
    );
    // None that fits.
    std::fs::remove_file(folder.join("net/z_deploy.prototxt")).unwrap();
    std::fs::remove_file(folder.join("net/other.prototxt")).unwrap();
    refused(
        &optimize(folder, "net"),
        &["none fits", "a_deploy.prototxt", "--deploy-proto"],
    );
    // The stranger alone has no weights, and several networks are listed.
    refused(&optimize(folder, "net/a_deploy.prototxt"), &["needs its weights"]);
    std::fs::copy(folder.join("net/mine.caffemodel"), folder.join("net/more.caffemodel")).unwrap();
    refused(
        &optimize(folder, "net"),
        &["more than one network", "mine.caffemodel, more.caffemodel"],
    );
}

#[test]
fn a_folder_without_a_network_is_told_with_what_did_not_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("net")).unwrap();
    for command in ["optimize net", "inspect net", "classify net photo.png"] {
        let words: Vec<&str> = command.split(' ').collect();
        refused(&deepvis(folder, &words), &["net holds no network", "deepvis fetch"]);
    }
    // One that holds what belongs to a network is no mistake where flags name the network.
    let [deploy, weights] = [DEPLOY, WEIGHTS].map(|name| case("v1_alexnet_style").join(name).display().to_string());
    let flags = "--backend flex --push-layer y --push-channel 0 --max-iter 2 --output-prefix r/x";
    let named = format!("optimize --model net --deploy-proto {deploy} --net-weights {weights} {flags}");
    worked(&deepvis(folder, &words(&named)));
    // What is no part of a network is not named.
    std::fs::write(folder.join("net/film.mp4.part"), "half").unwrap();
    std::fs::write(folder.join("net/weights.caffemodel.crdownload"), "half").unwrap();
    refused(
        &deepvis(folder, &["optimize", "net"]),
        &[
            "net holds no network",
            "weights.caffemodel.crdownload is a download that did not end",
        ],
    );
    std::fs::write(folder.join("net/weights.caffemodel.part"), "half").unwrap();
    add_stranger(folder, "deploy.prototxt");
    refused(
        &deepvis(folder, &["optimize", "net"]),
        &[
            "deploy.prototxt needs its weights too",
            "weights.caffemodel.crdownload, weights.caffemodel.part are downloads that did not end",
        ],
    );
}

#[test]
fn a_prototxt_that_cannot_be_read_is_told_with_its_place() {
    let folder = beside(&[]);
    let folder = folder.path();
    std::fs::write(
        folder.join("net/net.prototxt"),
        "name: \"net\"\nlayer { name: \"data\" type: }\n",
    )
    .unwrap();
    let expected = ["net.prototxt:2:28", "expected a string"];
    refused(&deepvis(folder, &["optimize", "net"]), &expected);
    refused(&deepvis(folder, &words("import net -o whole.bpk")), &expected);
    // Beside weights of another name it is the only one that may be meant.
    std::fs::copy(
        case("v1_alexnet_style").join(WEIGHTS),
        folder.join("net/mine.caffemodel"),
    )
    .unwrap();
    refused(&deepvis(folder, &["optimize", "net"]), &expected);
}

#[test]
fn import_takes_a_network_as_it_is_named_everywhere() {
    let folder = beside(&[(DEPLOY, "mine.prototxt"), (WEIGHTS, "mine.caffemodel")]);
    let folder = folder.path();
    worked(&deepvis(
        folder,
        &words("import net/mine.prototxt net/mine.caffemodel -o a.bpk"),
    ));
    let whole = std::fs::read(folder.join("a.bpk")).unwrap();
    for net in ["net", "net/mine.caffemodel", "net/mine.prototxt", "a.bpk"] {
        worked(&deepvis(folder, &words(&format!("import {net} -o b.bpk --brave"))));
        assert!(std::fs::read(folder.join("b.bpk")).unwrap() == whole, "{net}");
    }
    worked(&deepvis(folder, &words("import demo -o demo.bpk")));
    // What is said names no flag that the command does not have.
    let refused = |line: &str, expected: &str| {
        let output = deepvis(folder, &words(line));
        refused(&output, &[expected]);
        let flags = ["--net-weights", "--deploy-proto", "--model"];
        assert!(
            !flags.iter().any(|flag| said(&output).contains(flag)),
            "{}",
            said(&output)
        );
    };
    refused("import demmo -o c.bpk", "did you mean demo");
    refused(
        "import a.bpk missing.caffemodel -o c.bpk",
        "there is no missing.caffemodel",
    );
    std::fs::remove_file(folder.join("net/mine.caffemodel")).unwrap();
    refused(
        "import net -o c.bpk",
        "mine.prototxt needs its weights too; name both files",
    );
    std::fs::remove_file(folder.join("net/mine.prototxt")).unwrap();
    refused("import net -o c.bpk", "net holds no network");
    // As its deepvis.toml says.
    std::fs::copy(folder.join("a.bpk"), folder.join("net/whole.bpk")).unwrap();
    std::fs::write(folder.join("net/deepvis.toml"), "net_weights = \"whole.bpk\"\n").unwrap();
    worked(&deepvis(folder, &words("import net -o c.bpk")));
    assert!(std::fs::read(folder.join("c.bpk")).unwrap() == whole);
}

#[test]
fn a_layer_that_nobody_typed_is_not_blamed_on_anybody() {
    let folder = beside(&[(DEPLOY, "net.prototxt"), (WEIGHTS, "net.caffemodel")]);
    let output = deepvis(folder.path(), &["optimize", "net/net.caffemodel", "--backend", "flex"]);
    refused(
        &output,
        &[
            "no layer \"fc8\", which is meant where no --push-layer is given",
            "the last layers are",
        ],
    );
}

#[test]
fn inspect_compares_shapes_and_ends_with_a_command() {
    let folder = beside(&[(DEPLOY, "mine.prototxt"), (WEIGHTS, "mine.caffemodel")]);
    let folder = folder.path();
    let output = deepvis(folder, &words("inspect net"));
    worked(&output);
    let shown = String::from_utf8(output.stdout).unwrap();
    let command = shown
        .lines()
        .last()
        .unwrap()
        .strip_prefix("one of them: deepvis ")
        .unwrap();
    assert!(shown.contains("classes: the 5 units of layer y"), "{shown}");
    // It does what it says.
    worked(&deepvis(
        folder,
        &words(&format!("{command} --max-iter 2 --backend flex")),
    ));

    add_stranger(folder, "stranger.prototxt");
    let line = "inspect --deploy-proto net/stranger.prototxt --net-weights net/mine.caffemodel --json";
    let output = deepvis(folder, &words(line));
    worked(&output);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problem = |layer: usize| {
        report["layers"][layer]["problem"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(problem(1).contains("should be of shape [8, 2, 3, 3]"), "{report}");
    assert!(problem(2).contains("whose weights are not of this network"), "{report}");
}
