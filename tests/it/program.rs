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

/// Fails as a mistake of the user's or a lack of the machine's does: exit code 1 or 2, nothing of a crash, and a message
/// that holds all of `expected`.
#[track_caller]
pub fn refused(output: &Output, expected: &[&str]) {
    if let Err(complaint) = is_refusal(output.status.code(), &said(output), expected) {
        panic!("{complaint}");
    }
}

/// What is wrong with a refusal, if anything is.
fn is_refusal(code: Option<i32>, said: &str, expected: &[&str]) -> Result<(), String> {
    // 101 is a panic's, none is a signal's.
    if !matches!(code, Some(1 | 2)) {
        return Err(format!("the exit code is {code:?}, not 1 or 2: {said}"));
    }
    // clap's own messages begin with "error: ", ours with the program's name; each is said once.
    let messages = said
        .lines()
        .filter(|line| line.starts_with("deepvis: ") || line.starts_with("error: "))
        .count();
    if messages != 1 {
        return Err(format!("there should be one message, not {messages}: {said}"));
    }
    if let Some(crash) = ["internal error", "panicked", "stack backtrace", "overflowed its stack"]
        .iter()
        .find(|crash| said.contains(**crash))
    {
        return Err(format!("{crash:?} is in: {said}"));
    }
    match expected.iter().find(|expected| !said.contains(**expected)) {
        Some(missing) => Err(format!("{missing:?} is not in: {said}")),
        None => Ok(()),
    }
}

#[test]
fn only_one_clear_message_is_a_refusal() {
    assert_eq!(
        is_refusal(Some(2), "warning: w\ndeepvis: no a; b\n", &["no a", "b"]),
        Ok(())
    );
    for (code, said) in [
        (Some(0), "deepvis: no a"),
        (Some(101), "deepvis: no a"),
        (None, "deepvis: no a"),
        (Some(1), "deepvis: no b"),
        (Some(1), "no a"),
        (Some(1), "deepvis: internal error: no a (x.rs:1)"),
        (Some(1), "deepvis: no a\ndeepvis: no a"),
    ] {
        assert!(is_refusal(code, said, &["no a"]).is_err(), "{code:?} {said}");
    }
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
