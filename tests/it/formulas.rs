//! `--objective`: formulas through the whole chain.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::{deepvis, optimize, refused, said, started, words, worked};

fn of_formula(folder: &Path, formula: &str, rest: &str) -> Output {
    let mut arguments = vec!["--objective", formula];
    arguments.extend(words(rest));
    optimize(folder, &arguments)
}

fn runs(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A channel's mean is the same as a formula and as a unit; a mean times two less itself, too.
#[test]
fn a_formula_of_one_channel_climbs_like_the_channel() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let unit = "--preset fourier --push-layer y --push-channel 2 --max-iter 6 --output-prefix unit/x";
    worked(&optimize(folder.path(), &words(unit)));
    worked(&of_formula(
        folder.path(),
        "channel(y, 2)",
        "--max-iter 6 --output-prefix a/x",
    ));
    let read = |path: &str| std::fs::read(place(path)).unwrap();
    assert!(read("unit/x_y_0002_0_image.png") == read("a/x_channel_y__2_0_image.png"));
    let twice = "2*channel(y, 2) - mean(y)";
    worked(&of_formula(folder.path(), twice, "--max-iter 6 --output-prefix b/x"));
    let of = |name: &str| {
        runs(&place(name).join("runs.jsonl"))[0]["curve_obj"][0]
            .as_f64()
            .unwrap()
    };
    worked(&of_formula(
        folder.path(),
        "mean(y)",
        "--max-iter 6 --output-prefix c/x",
    ));
    let (channel, mean, both) = (of("a"), of("c"), of("b"));
    assert!(
        (both - (2.0 * channel - mean)).abs() < 1e-5 * channel.abs().max(1.0),
        "{both} {channel} {mean}"
    );
    let run = &runs(&place("b/runs.jsonl"))[0];
    assert_eq!(run["objective"], twice);
    // One that names no unit is never the largest.
    assert!(runs(&place("c/runs.jsonl"))[0]["majority_ii"].is_null());
}

/// Images that are compared climb together, are left out together, and go on together.
#[test]
fn images_that_are_compared_climb_together() {
    let folder = tempfile::tempdir().unwrap();
    let formula = "channel(y, 2) - 5*diversity(y)";
    let stem = "x_channel_y__2__-_5_diversity_y";
    let png = |prefix: &str, seed: u32| folder.path().join(format!("{prefix}/{stem}_{seed}_image.png"));
    let line = "--max-iter 4 --rand-seed 0-2 --output-prefix a/x";
    worked(&of_formula(folder.path(), formula, line));
    let first: Vec<Vec<u8>> = (0..3).map(|seed| std::fs::read(png("a", seed)).unwrap()).collect();
    let again = of_formula(folder.path(), formula, line);
    worked(&again);
    assert!(
        said(&again).contains("3 of 3 units are done already"),
        "{}",
        said(&again)
    );
    std::fs::remove_file(png("a", 1).with_file_name(format!("{stem}_1_info.txt"))).unwrap();
    worked(&of_formula(folder.path(), formula, line));
    for (seed, first) in first.iter().enumerate() {
        assert!(
            std::fs::read(png("a", u32::try_from(seed).unwrap())).unwrap() == *first,
            "seed {seed}"
        );
    }
    // The page shows the picture of all of them, which lies beside the first, but not with a unit that climbed by itself.
    let alone = "--push-layer y --push-channel 2 --preset fourier --max-iter 1 --output-prefix a/alone";
    worked(&optimize(folder.path(), &words(alone)));
    worked(&deepvis(folder.path(), &["gallery", "a"]));
    assert!(png("a", 0).with_file_name(format!("{stem}_0_together.png")).is_file());
    let page = std::fs::read_to_string(folder.path().join("a/index.html")).unwrap();
    let data = page
        .split_once(r#"<script type="application/json" id="data">"#)
        .unwrap()
        .1;
    let data: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    for unit in data["units"].as_array().unwrap() {
        let files = unit["files"].as_str().unwrap();
        let expected = if files.starts_with(stem) {
            format!("{stem}_0")
        } else {
            String::new()
        };
        assert_eq!(unit["together"], json!(expected), "{files}");
    }
    assert_eq!(data["units"].as_array().unwrap().len(), 4);
    // Other company, other images; and without any, four.
    worked(&of_formula(
        folder.path(),
        formula,
        "--max-iter 4 --rand-seed 0-1 --output-prefix b/x",
    ));
    assert!(std::fs::read(png("b", 0)).unwrap() != first[0]);
    worked(&of_formula(folder.path(), formula, "--max-iter 1 --output-prefix c/x"));
    assert!(png("c", 3).exists() && !png("c", 4).exists());
}

#[test]
fn what_is_wrong_with_a_formula_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for (formula, expected) in [
        ("chanel(y, 2)", ["at character 1", "did you mean channel?"]),
        ("channel(y, 2) * ", ["--objective: at character", "it ends here"]),
        ("channel(yy, 2)", ["no layer \"yy\"", "y"]),
        ("channel(y, 900)", ["--objective: layer \"y\" has", "but no 900"]),
        ("neuron(y, flamingo)", ["no labels for y", "flamingo"]),
        ("channel(y, 1) + channel(y, 900)", ["y has channels", "but no 900"]),
        ("direction(y, nothing.npy)", ["nothing.npy", "direction(y"]),
        ("l1(0.5)", ["names no layer", "l1(0.5)"]),
    ] {
        refused(&of_formula(folder.path(), formula, "--output-prefix a/x"), &expected);
    }
    refused(
        &of_formula(folder.path(), "channel(y, 1)", "--preset paper-1"),
        &["--objective", "parameterized image"],
    );
    refused(
        &of_formula(folder.path(), "channel(y, 1)", "--push-layer y"),
        &["--objective", "--push-layer"],
    );
}

/// A killed ascent of a parameterized image goes on with its optimizer's moments and its random numbers, to the bit.
#[test]
fn a_killed_formula_goes_on_from_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let run = |prefix: &str| {
        let mut arguments = vec!["--objective", "channel(y, 2) - 5*diversity(y)"];
        arguments.extend(words(
            "--rand-seed 0-1 --max-iter 400 --checkpoint-every 20 --output-prefix",
        ));
        arguments.push(prefix);
        started(folder.path(), &arguments)
    };
    worked(&run("whole/x").output().unwrap());
    let mut child = run("cut/x").spawn().unwrap();
    let stem = "x_channel_y__2__-_5_diversity_y";
    let checkpoint = folder.path().join(format!("cut/{stem}_1_checkpoint.cbor"));
    while !checkpoint.exists() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before its first checkpoint"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let output = run("cut/x").output().unwrap();
    worked(&output);
    for seed in 0..2 {
        for ending in ["image.png", "info_big.pkl"] {
            let of =
                |place: &str| std::fs::read(folder.path().join(format!("{place}/{stem}_{seed}_{ending}"))).unwrap();
            assert!(of("cut") == of("whole"), "{ending} of seed {seed} differs");
        }
    }
}

/// An image of another size than the network's, and one of fixed magnitude with its opacity: the same again, and after a kill.
#[test]
fn images_of_other_sizes_and_of_fixed_magnitude_are_repeatable() {
    let folder = tempfile::tempdir().unwrap();
    let read = |place: &str| image::open(folder.path().join(place)).unwrap();
    let unit = "--push-layer y --push-channel 2 --max-iter 4 --output-prefix";
    worked(&optimize(
        folder.path(),
        &words(&format!("{unit} size/x --preset fourier --size (20,31)")),
    ));
    let picture = read("size/x_y_0002_0_image.png");
    // Of its four channels, three are shown as red, green and blue, as the original does.
    assert_eq!((picture.width(), picture.height()), (31, 20));
    let maco = |prefix: &str, rest: &str| {
        let line = format!(
            "optimize --model demo --backend flex --preset maco --crops 2 --push-layer fc7 --push-channel 24 --steps 40 \
             --checkpoint-every 4 --output-prefix {prefix} {rest}"
        );
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("deepvis"));
        let command_folder = folder.path();
        command
            .current_dir(command_folder)
            .env("XDG_CONFIG_HOME", command_folder)
            .args(words(&line));
        command
    };
    worked(&maco("whole/x", "").output().unwrap());
    let mut child = maco("cut/x", "").spawn().unwrap();
    let checkpoint = folder.path().join("cut/x_fc7_0024_0_checkpoint.cbor");
    while !checkpoint.exists() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before its first checkpoint"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    worked(&maco("cut/x", "").output().unwrap());
    let bytes = |place: &str| std::fs::read(folder.path().join(place).join("x_fc7_0024_0_image.png")).unwrap();
    assert!(bytes("cut") == bytes("whole"));
    let picture = read("whole/x_fc7_0024_0_image.png");
    assert_eq!(
        (picture.width(), picture.height(), picture.color()),
        (128, 128, image::ColorType::Rgba8)
    );
    // The fifth of the pixels that were pushed most are opaque, and few of the others.
    let opaque = picture.to_rgba8().pixels().filter(|pixel| pixel.0[3] == 255).count();
    assert!((128 * 128 / 6..128 * 128 / 4).contains(&opaque), "{opaque}");
}

#[test]
fn parts_that_do_not_go_with_a_recipe_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (line, expected) in [
        ("--size 40", ["--size", "--preset fourier"]),
        ("--preset fourier --crops 3", ["--crops", "maco"]),
        ("--preset maco --decay-power 1", ["--decay-power", "fourier"]),
        ("--preset fourier --deviation 0", ["--deviation 0", "greater than 0"]),
        ("--preset fourier --size (4,x)", ["--size", "(480,640)"]),
        ("--preset paper-1 --optimizer adam", ["--optimizer", "--preset fourier"]),
    ] {
        refused(
            &optimize(
                folder.path(),
                &words(&format!("--push-layer y --push-channel 1 {line}")),
            ),
            &expected,
        );
    }
}
