//! Running the program as a user does, in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;

use crate::support::repository;

/// The folder of a layer case.
pub fn case(name: &str) -> PathBuf {
    repository("tests/fixtures/layers").join(name)
}

/// Runs deepvis in `folder`, without anybody's settings.
pub fn deepvis(folder: &Path, arguments: &[&str]) -> Output {
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
pub fn optimize(folder: &Path, arguments: &[&str]) -> Output {
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

/// What went to standard error.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Fails with a message that holds all of `expected`, and without a panic.
#[track_caller]
pub fn refused(output: &Output, expected: &[&str]) {
    let said = said(output);
    assert!(!output.status.success(), "it should have failed");
    for expected in expected {
        assert!(said.contains(expected), "{expected:?} is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

/// Succeeds.
#[track_caller]
pub fn worked(output: &Output) {
    assert!(output.status.success(), "{}", said(output));
}

/// Names of a folder's files, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

/// The `info.txt` of an optimization.
pub fn info(folder: &Path, stem: &str) -> String {
    std::fs::read_to_string(folder.join(format!("{stem}_info.txt"))).unwrap()
}

/// A deepvis that is not waited for, on the AlexNet-like case as [`optimize`].
pub fn started(folder: &Path, arguments: &[&str]) -> std::process::Command {
    let case = case("v1_alexnet_style");
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("deepvis"));
    command
        .current_dir(folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("HOME", folder)
        .args(["optimize", "--backend", "flex", "--deploy-proto"])
        .arg(case.join("deploy.prototxt"))
        .arg("--net-weights")
        .arg(case.join("weights.caffemodel"))
        .args(arguments);
    command
}

/// A command line's words.
pub fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}
