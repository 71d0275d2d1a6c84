//! What is said before, while and after units climb, to people and to programs.

use std::path::Path;

use ndarray::Array3;
use serde_json::{Value, json};

use crate::program::{deepvis, files, optimize, refused, said, words, worked};

fn shown(output: &std::process::Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_line_a_unit_and_one_summary() {
    let folder = tempfile::tempdir().unwrap();
    let line = "optimize --backend flex --push-channel face,fish --max-iter 20 --skipbig --output-prefix r/x";
    let output = deepvis(folder.path(), &words(line));
    worked(&output);
    let lines = shown(&output);
    assert_eq!(lines.lines().count(), 2, "{lines}");
    for (line, name) in lines.lines().zip(["face", "fish"]) {
        let mut parts = line.split("  ");
        assert_eq!(parts.next(), Some(name));
        assert!(parts.next().unwrap().parse::<f64>().is_ok(), "{line}");
        assert!(folder.path().join(parts.next().unwrap()).is_file(), "{line}");
    }
    let said = said(&output);
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("2 done"), "{said}");
    assert!(last.ends_with("0:00; deepvis gallery r makes a page of them"), "{said}");
}

#[test]
fn a_failure_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    // Too large steps: no number is left of the image.
    let line = "--push-layer y --push-channel 0,1 --max-iter 20 --lr-params {'lr':1e300} --output-prefix r/x";
    let output = optimize(folder.path(), &words(line));
    refused(&output, &["2 of 2 units failed"]);
    let said = said(&output);
    for unit in ["(0, 0, 0)", "(1, 0, 0)"] {
        assert_eq!(said.lines().filter(|line| line.contains(unit)).count(), 1, "{said}");
    }
    assert!(said.contains("0 done, 2 failed"), "{said}");
    let quiet = optimize(folder.path(), &[&words(line)[..], &["-q"]].concat());
    refused(&quiet, &["2 of 2 units failed", "(0, 0, 0)", "(1, 0, 0)"]);
}

#[test]
fn noise_is_no_silent_result() {
    let folder = tempfile::tempdir().unwrap();
    let run = |rate: &str| {
        let line = format!(
            "--push-layer y --push-channel 0 --max-iter 5 --brave --lr-params {{'lr':{rate}}} --output-prefix r/x"
        );
        optimize(folder.path(), &words(&line))
    };
    let still = run("1e-9");
    worked(&still);
    assert!(
        said(&still).contains("warning: still noise: the steps are too small or too few; try --preset"),
        "{}",
        said(&still)
    );
    assert!(
        shown(&still).contains("still noise") && said(&still).contains("1 still noise"),
        "{}",
        said(&still)
    );
    let moving = deepvis(folder.path(), &words("optimize --backend flex --output-prefix r/y"));
    worked(&moving);
    assert!(!said(&moving).contains("noise"), "{}", said(&moving));
}

#[test]
fn assumptions_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let fc8 = deepvis(folder.path(), &words("optimize --backend flex --push-layer fc8"));
    refused(
        &fc8,
        &[
            "no layer \"fc8\"",
            "The last layers are pool5, fc6, fc7, prob",
            "bundled network",
            "deepvis fetch caffenet-yos",
        ],
    );
    let policy = optimize(
        folder.path(),
        &words("--push-layer y --push-channel 0 --lr-policy progress"),
    );
    refused(
        &policy,
        &[
            "--lr-policy progress requires the key 'max_lr'",
            "--lr-params \"{'max_lr'",
        ],
    );
    assert!(!said(&policy).contains("\"lr\""), "{}", said(&policy));
}

/// The bundled network's files under another description.
fn described(folder: &Path, change: impl Fn(String) -> String) {
    let demo = crate::support::repository("models/demo");
    let text = std::fs::read_to_string(demo.join("deploy.prototxt")).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text);
    std::fs::write(folder.join("net.prototxt"), changed).unwrap();
    std::fs::copy(demo.join("weights.caffemodel"), folder.join("net.caffemodel")).unwrap();
}

/// Labels of another network are told by their number, and nobody is asked for labels that were given.
#[test]
fn labels_of_another_network_are_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("seven.txt"), "a\nb\nc\nd\ne\nf\ng\n").unwrap();
    image::RgbImage::new(64, 64)
        .save(folder.path().join("photo.png"))
        .unwrap();
    refused(
        &deepvis(
            folder.path(),
            &words("optimize demo --backend flex --push-layer conv5 --push-channel a --labels seven.txt"),
        ),
        &["the labels do not name these units", "layer \"conv5\" has"],
    );
    refused(
        &optimize(
            folder.path(),
            &words("--push-layer y --push-channel a --labels seven.txt"),
        ),
        &["there are 7 of them, and layer \"y\" has 5 channels"],
    );
    let classified = deepvis(
        folder.path(),
        &words("classify demo photo.png --backend flex --labels seven.txt --mean 110"),
    );
    worked(&classified);
    assert!(
        said(&classified).contains("warning: the labels are not those of"),
        "{}",
        said(&classified)
    );
}

#[test]
fn an_input_of_unknown_size_is_assumed_aloud() {
    let folder = tempfile::tempdir().unwrap();
    let without_size = |text: String| {
        let (head, rest) = text.split_once("layer {").unwrap();
        let (_, layers) = rest.split_once("\nlayer {").unwrap();
        format!("{head}input: \"data\"\nlayer {{{layers}")
    };
    let line = "optimize net.caffemodel --backend flex --push-layer conv1 --push-channel 0 --push-spatial center --max-iter 1 --brave \
                --mean None";
    let run = |given: &str| {
        let output = deepvis(folder.path(), &words(&format!("{line} {given}")));
        worked(&output);
        said(&output)
    };
    // Convolutions alone take images of any size.
    described(folder.path(), |text| {
        let text = without_size(text);
        let (convolutions, _) = text.split_once("\"fc6\"").unwrap();
        convolutions.rsplit_once("layer {").unwrap().0.to_owned()
    });
    let said = run("");
    let warning = "warning: the network does not say how large its input is; 3 x 227 x 227 is assumed, and --input-shape (or --data-size)";
    assert_eq!(said.matches(warning).count(), 1, "{said}");
    // Fully connected layers are for images of one size: the bundled network's, of 64 x 64 pixels.
    described(folder.path(), without_size);
    let said = run("");
    let warning =
        "warning: the network does not say how large its images are; 3 x 64 x 64 is assumed, which the weights";
    assert_eq!(said.matches(warning).count(), 1, "{said}");
    assert!(said.contains("3 x 64 x 64, computed by"), "{said}");
    for given in ["--data-size (64,64)", "--input-shape 1,3,64,64"] {
        let said = run(given);
        assert!(said.contains("3 x 64 x 64, computed by"), "{given}: {said}");
        assert!(!said.contains("assumed"), "{given}: {said}");
    }
}

#[test]
fn images_that_look_wrongly_normalized_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let (none, small) = ("no --mean was given", "the mean is below 1");
    let check = |flags: &str, expected: [bool; 2]| {
        for command in [
            "optimize net.caffemodel --push-channel 0 --max-iter 1 --brave",
            "classify net.caffemodel photo.png",
        ] {
            let line = format!("{command} --backend flex {flags}");
            let line = if command.starts_with("optimize") {
                format!("{line} --push-layer fc7")
            } else {
                line
            };
            let output = deepvis(folder.path(), &words(&line));
            worked(&output);
            let said = said(&output);
            assert_eq!(
                [none, small].map(|text| said.matches(text).count()),
                expected.map(usize::from),
                "{line}: {said}"
            );
        }
    };
    image::RgbImage::from_pixel(8, 8, image::Rgb([90, 60, 30]))
        .save(folder.path().join("photo.png"))
        .unwrap();
    described(folder.path(), |text| text.replace("name: \"demo\"", "name: \"other\""));
    check("", [true, false]);
    check("--mean (104,117,123)", [false, false]);
    check("--mean (0.485,0.456,0.406)", [false, true]);
    check("--preprocess torchvision", [false, false]);
    // A network that subtracts a mean of its own wants none.
    described(folder.path(), |text| {
        let (head, rest) = text.split_once("bottom: \"data\"").unwrap();
        let at = head.rfind("layer {").unwrap();
        let own = "layer { name: \"own\" type: \"Power\" bottom: \"data\" top: \"own\" power_param { shift: -117 } }\n";
        format!("{}{own}{}bottom: \"own\"{rest}", &head[..at], &head[at..])
    });
    check("", [false, false]);
}

/// With the original's default rate, 1, a real network's image hardly moves in a few steps: the best is the noise of the start,
/// whose norm `numpy.random.RandomState(0).normal(0, 10, (3, 227, 227))` has.
#[test]
fn noise_is_said_of_a_real_network() {
    let Some(net) = crate::support::shared("models/squeezenet_v1.1") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let run = |more: &str| {
        let line =
            "--backend flex --push-layer pool10 --push-channel 130 --mean (104,117,123) --max-iter 20 --skipbig --npy";
        let line = format!("{line} --output-prefix r/x --brave {more}");
        let output = deepvis(
            folder.path(),
            &[&["optimize", net.to_str().unwrap()], &words(&line)[..]].concat(),
        );
        worked(&output);
        let best: Array3<f64> = ndarray_npy::read_npy(folder.path().join("r/x_pool10_0130_0_best_X.npy")).unwrap();
        let norm = best.iter().map(|value| value * value).sum::<f64>().sqrt();
        (said(&output), norm)
    };
    let (still, norm) = run("");
    let warning = "warning: still noise: the steps are too small or too few; try --preset paper-3, a larger lr, or more --max-iter";
    assert!(still.contains(warning) && still.contains("1 still noise"), "{still}");
    assert!((norm / 3_921.523_644_97 - 1.0).abs() < 0.01, "{norm}");
    for more in ["--preset paper-3", "--lr-params {'lr':30000}", "--preset fourier"] {
        let (moving, norm) = run(more);
        assert!(!moving.contains("noise"), "{more}: {moving}");
        assert!((norm / 3_921.523_644_97 - 1.0).abs() > 0.1, "{more}: {norm}");
    }
}

#[test]
fn programs_are_given_records_arrays_and_paths() {
    let folder = tempfile::tempdir().unwrap();
    let line = "optimize --backend flex --push-channel face,fish --max-iter 3 --skipbig --output-prefix r/x";
    let with = |more: &str| deepvis(folder.path(), &words(&format!("{line} {more}")));
    let output = with("--json --npy");
    worked(&output);
    let lines = shown(&output);
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 2);
    for (record, label) in records.iter().zip(["face", "fish"]) {
        assert_eq!(record["label"], label);
        assert!(record["best_obj"].is_f64() && record["iterations"] == 3, "{record}");
        let written: Vec<&str> = record["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file.as_str().unwrap())
            .collect();
        assert!(
            written.iter().all(|file| folder.path().join(file).is_file()),
            "{record}"
        );
        let array = written.iter().find(|file| file.ends_with("best_X.npy")).unwrap();
        assert!(written.iter().any(|file| file.ends_with("info.txt")), "{record}");
        let array: Array3<f64> = ndarray_npy::read_npy(folder.path().join(array)).unwrap();
        assert_eq!(array.dim(), (3, 64, 64));
        same_as_the_picture(
            &array,
            &folder
                .path()
                .join(written.iter().find(|f| f.ends_with("best_X.jpg")).unwrap()),
        );
    }
    let quiet = with("--brave -q");
    worked(&quiet);
    assert_eq!(said(&quiet), "");
    let paths = shown(&quiet);
    assert_eq!(paths.lines().count(), 2);
    assert!(paths.lines().all(|path| folder.path().join(path).is_file()), "{paths}");
}

#[test]
fn programs_are_told_of_units_that_failed() {
    let folder = tempfile::tempdir().unwrap();
    // Too large steps: no number is left of the image.
    let line = "--push-layer y --max-iter 20 --lr-params {'lr':1e300} --output-prefix r/x --json";
    for (channels, all) in [("0,1", &[0_u64, 1][..]), ("3", &[3])] {
        let output = optimize(
            folder.path(),
            &[&words(line)[..], &["--push-channel", channels]].concat(),
        );
        refused(&output, &[]);
        let records: Vec<Value> = shown(&output)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let told: Vec<u64> = records
            .iter()
            .map(|record| record["push_channel"].as_u64().unwrap())
            .collect();
        assert_eq!(told, all);
        for record in &records {
            assert_eq!(
                (&record["push_layer"], &record["files"]),
                (&json!("y"), &json!([])),
                "{record}"
            );
            assert!(record["best_obj"].is_null(), "{record}");
            let error = record["error"].as_str().unwrap();
            // It is the one that people are told.
            assert!(
                error.len() > 20 && said(&output).contains(error),
                "{error}: {}",
                said(&output)
            );
        }
    }
    // Of those that are done, it says that nothing was wrong.
    let done = optimize(
        folder.path(),
        &words("--push-layer y --push-channel 2 --output-prefix r/y --json"),
    );
    worked(&done);
    let record: Value = serde_json::from_str(&shown(&done)).unwrap();
    assert!(record.get("error").is_none_or(Value::is_null) && !record["files"].as_array().unwrap().is_empty());
}

/// The picture has red, green and blue, and zero is its middle grey; the array has blue, green and red.
fn same_as_the_picture(array: &Array3<f64>, picture: &Path) {
    let picture = image::open(picture).unwrap().to_rgb8();
    let middle = |channel: usize| -> f64 {
        let sum: f64 = picture.pixels().map(|pixel| f64::from(pixel.0[channel])).sum();
        sum / f64::from(picture.width() * picture.height())
    };
    let mean = |channel: usize| array.index_axis(ndarray::Axis(0), channel).mean().unwrap();
    // Brighter than another channel in the one is brighter in the other.
    for [a, b] in [[0, 1], [1, 2], [0, 2]] {
        let of_array = mean(2 - a) - mean(2 - b);
        if of_array.abs() > 2.0 {
            assert_eq!((middle(a) - middle(b)).signum(), of_array.signum(), "{a} {b}");
        }
    }
}

#[test]
fn layers_with_slashes_get_flat_names_where_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(crate::program::case("v1_alexnet_style").join("deploy.prototxt")).unwrap();
    let renamed = text.replace("\"prob\"", "\"top/prob\"");
    assert_ne!(renamed, text);
    std::fs::write(folder.path().join("net.prototxt"), renamed).unwrap();
    let weights = crate::program::case("v1_alexnet_style").join("weights.caffemodel");
    std::fs::copy(weights, folder.path().join("net.caffemodel")).unwrap();
    let run = |more: &str| {
        let line = "optimize net.caffemodel --backend flex --push-layer top/prob --push-channel 0 --max-iter 2";
        worked(&deepvis(folder.path(), &words(&format!("{line} {more}"))));
    };
    run("--output-prefix a/x");
    assert!(files(&folder.path().join("a/x_top")).contains(&"prob_0000_0_info.txt".into()));
    run("--output-prefix b/x --flat-names");
    assert!(files(&folder.path().join("b")).contains(&"x_top-prob_0000_0_info.txt".into()));
    std::fs::write(folder.path().join("deepvis.toml"), "flat_names = true\n").unwrap();
    run("--output-prefix c/x");
    assert!(files(&folder.path().join("c")).contains(&"x_top-prob_0000_0_info.txt".into()));
    // The layer keeps its name in what is written, and the gallery shows either.
    assert!(crate::program::info(folder.path(), "c/x_top-prob_0000_0").contains("push_layer: top/prob"));
    for results in ["a", "c"] {
        worked(&deepvis(folder.path(), &["gallery", results]));
    }
}

#[test]
fn drivers_are_not_heard() {
    let folder = tempfile::tempdir().unwrap();
    let output = deepvis(
        folder.path(),
        &words("optimize --push-channel 1 --max-iter 2 -q --output-prefix r/x"),
    );
    worked(&output);
    assert_eq!(said(&output), "");
}

#[test]
fn a_path_that_cannot_be_written_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let begun = std::time::Instant::now();
    let output = deepvis(
        folder.path(),
        &words("optimize --backend flex --push-channel 1 --output-prefix file/x"),
    );
    refused(&output, &["cannot write file"]);
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(shown(&output), "");
}

/// A file system of a few hundred kilobytes, where one may make such.
#[cfg(target_os = "linux")]
struct SmallDisk(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount(place: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir(&place).unwrap();
        let mut mount = std::process::Command::new("mount");
        let mount = mount
            .args(["-t", "tmpfs", "-o", "size=300k", "tmpfs"])
            .arg(&place)
            .output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(place));
        }
        crate::support::skip("no small file system may be mounted, so no disk is filled");
        None
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_work_at_its_first_sign() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path().join("disk")) else {
        return;
    };
    // One unit's images take 390 kB.
    let line = "optimize --backend flex --push-channel 0-3 --batch-size 1 --max-iter 3 --output-prefix disk/x";
    let output = deepvis(folder.path(), &words(line));
    refused(&output, &["info_big.pkl", "No space left"]);
    assert_eq!(said(&output).matches("No space left").count(), 1, "{}", said(&output));
    // Before anything is loaded.
    std::fs::write(disk.0.join("filling"), vec![1; 200_000]).ok();
    while std::fs::write(disk.0.join("filling2"), vec![1; 1 << 20]).is_ok() {}
    let output = deepvis(
        folder.path(),
        &words("optimize --backend flex --push-channel 0 --output-prefix disk/y"),
    );
    refused(&output, &["cannot write disk", "is there space"]);
    assert!(!said(&output).contains("computed by"), "{}", said(&output));
}
