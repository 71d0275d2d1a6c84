//! What the original did, to the letter, and that no result is lost or mistaken for another's.

use std::path::Path;
use std::process::Output;

use crate::program::{case, deepvis, files, info, optimize, refused, said, words, worked};

/// `deepvis optimize` on the bundled network.
fn demo(folder: &Path, line: &str) -> Output {
    let all = format!("optimize --backend flex --model demo --push-layer fc7 --max-iter 2 {line}");
    deepvis(folder, &words(&all))
}

/// Refused with an exit code, and nothing is written.
#[track_caller]
fn refused_with(code: i32, output: &Output, expected: &[&str]) {
    refused(output, expected);
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
}

/// The lines of `info.txt` of an attribute.
fn attribute(folder: &Path, stem: &str, name: &str) -> String {
    let text = info(folder, stem);
    let line = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
}

#[test]
fn units_that_come_to_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (line, field) in [
        (
            "--push-layer conv1,conv2 --push-channel 3 --output-template %(p.push_channel)d",
            "add %(p.push_layer)s",
        ),
        (
            "--push-channel 3 --rand-seed 0-2 --output-template %(p.push_channel)d",
            "add %(p.rand_seed)d",
        ),
        (
            "--push-channel 1-3 --output-template %(r.best_ii)d",
            "add %(p.push_channel)04d",
        ),
        (
            "--push-channel 1-3 --output-template x --output-prefix r/%(p.push_layer)s",
            "add %(p.push_channel)04d",
        ),
    ] {
        let output = demo(folder.path(), line);
        refused_with(2, &output, &["would both be written to", field, "--output-template"]);
    }
    let names = files(folder.path());
    assert!(!names.iter().any(|name| !name.starts_with('.')), "{names:?}");
}

/// Names that differ only in what file names cannot have, or in case.
#[test]
fn layers_that_come_to_one_file_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (first, second) in [("a:b", "a_b"), ("Abs", "aBS"), ("a/../b", "a/_/b"), ("a\\b", "a/b")] {
        let layer = |name: &str| {
            let name = name.replace('\\', "\\\\");
            format!("layer {{ name: \"{name}\" type: \"Sigmoid\" bottom: \"data\" top: \"{name}\" }}\n")
        };
        let input = "layer { name: \"data\" type: \"Input\" top: \"data\" input_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }\n";
        let text = format!("{input}{}{}", layer(first), layer(second));
        std::fs::write(folder.path().join("d.prototxt"), text).unwrap();
        // A caffemodel with weights of a layer that no network here has.
        let weights = b"\xa2\x06\x11\x0a\x02zz:\x0b:\x03\x0a\x01\x01*\x04\x10X\xb0>";
        std::fs::write(folder.path().join("w.caffemodel"), weights).unwrap();
        let layers = format!("{first},{second}");
        let mut line =
            words("optimize --backend flex --deploy-proto d.prototxt --net-weights w.caffemodel --max-iter 1");
        line.extend(["--push-channel", "0", "--push-layer", &layers]);
        refused_with(2, &deepvis(folder.path(), &line), &["would both be written to"]);
    }
}

/// Results and checkpoints of another network or preprocessing are neither taken for those asked for, nor overwritten.
#[test]
fn results_of_something_else_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let units = "--push-channel 1-2 --output-prefix r/x";
    worked(&demo(folder.path(), units));
    std::fs::remove_file(folder.path().join("r/x_fc7_0001_0_best_X.jpg")).unwrap();
    let contents = || {
        let place = folder.path().join("r");
        let read = |name: String| (name.clone(), std::fs::read(place.join(name)).unwrap());
        files(&place).into_iter().map(read).collect::<Vec<_>>()
    };
    let before = contents();
    for other in [
        "--mean (1,2,3)",
        "--channel-swap-to-rgb (0,1,2)",
        "--decay 0.1",
        "--max-iter 3",
        "--push-dir -1",
        "--start-at randu",
        "--push-spatial (0,0) --lr-policy constant --lr-params 3",
    ] {
        let output = demo(folder.path(), &format!("{units} {other}"));
        refused_with(1, &output, &["is there already, of something else", "--brave"]);
    }
    // The same network but for one weight.
    let model = folder.path().join("model");
    std::fs::create_dir(&model).unwrap();
    for file in ["deploy.prototxt", "weights.caffemodel", "labels.txt", "deepvis.toml"] {
        std::fs::copy(crate::support::repository("models/demo").join(file), model.join(file)).unwrap();
    }
    let same = format!("optimize --backend flex --push-layer fc7 --max-iter 2 --model model {units}");
    let mut weights = std::fs::read(model.join("weights.caffemodel")).unwrap();
    let middle = weights.len() / 2;
    weights[middle] ^= 1;
    std::fs::write(model.join("weights.caffemodel"), weights).unwrap();
    refused_with(
        1,
        &deepvis(folder.path(), &words(&same)),
        &["another network, other weights"],
    );
    assert!(contents() == before, "a file was touched");
    // However the place is spelled, it is the same.
    for prefix in ["./r/x", "r//x", "r/../r/x"] {
        let output = demo(folder.path(), &format!("--push-channel 1-2 --output-prefix {prefix}"));
        worked(&output);
        assert!(
            said(&output).contains("of 2 units are done already"),
            "{}",
            said(&output)
        );
    }
}

/// What was interrupted is no result.
#[test]
fn an_interrupted_unit_is_climbed_again() {
    let folder = tempfile::tempdir().unwrap();
    worked(&demo(folder.path(), "--push-channel 1-2 --output-prefix r/x"));
    let path = folder.path().join("r/x_fc7_0002_0_info.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let interrupted = text.replace("\"is_complete\": true", "\"is_complete\": false");
    assert_ne!(text, interrupted);
    std::fs::write(&path, interrupted).unwrap();
    let output = demo(folder.path(), "--push-channel 1-2 --output-prefix r/x");
    worked(&output);
    for expected in [
        "only 2 iterations were done; it is done again",
        "1 of 2 units are done already",
    ] {
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn other_arithmetic_is_told() {
    let folder = tempfile::tempdir().unwrap();
    worked(&demo(
        folder.path(),
        "--push-channel 1 --rand-seed 0-1 --output-prefix r/x",
    ));
    let output = demo(
        folder.path(),
        "--push-channel 1 --rand-seed 0-2 --output-prefix r/x --precision float32",
    );
    worked(&output);
    assert!(
        said(&output).contains("images in float64, the others are now in float32"),
        "{}",
        said(&output)
    );
}

/// A template that cannot be filled in whatever comes out is found before the first iteration.
#[test]
fn templates_are_tried_before_the_first_iteration() {
    let folder = tempfile::tempdir().unwrap();
    for template in [
        "%(p.nothing)d",
        "%(r.best_ii)q",
        "%(r.majority_ii)d",
        "%(p.push_layer",
        "%(r.x0)d",
    ] {
        for brave in ["", "--brave"] {
            let line = format!("--push-channel 1 --max-iter 100000000 --output-template {template} {brave}");
            refused_with(2, &demo(folder.path(), &line), &["--output-template", template]);
        }
    }
    let line = "--push-channel 1 --output-template %(r.majority_ii)s --output-prefix a";
    worked(&demo(folder.path(), line));
    assert!(
        folder.path().join("a_None_info.txt").exists(),
        "{:?}",
        files(folder.path())
    );
}

/// A unit that cannot climb makes the exit code 1: alone, among others, and when it is done already.
#[test]
fn a_unit_that_cannot_climb_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let line = "--push-layer pool3 --start-at mean --push-channel";
    let output = demo(folder.path(), &format!("{line} 2"));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("the gradient is 0"), "{}", said(&output));
    assert!(
        folder
            .path()
            .join("optimize_results/opt_pool3_0002_0_info.txt")
            .exists()
    );
    for _ in 0..2 {
        let output = demo(folder.path(), &format!("{line} 0-3 --output-prefix r/x"));
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains("2 of 4 units failed"), "{}", said(&output));
    }
}

/// Fields and `%%` in the prefix; a folder as prefix.
#[test]
fn prefixes_are_templates_and_may_be_folders() {
    let folder = tempfile::tempdir().unwrap();
    let exists = |name: &str| assert!(folder.path().join(name).exists(), "{name}: {:?}", files(folder.path()));
    worked(&demo(
        folder.path(),
        "--push-channel 1-2 --output-prefix g/%(p.push_layer)s/100%%x",
    ));
    exists("g/fc7/100%x_fc7_0001_0_info.txt");
    exists("g/runs.jsonl");
    let log = std::fs::read_to_string(folder.path().join("g/runs.jsonl")).unwrap();
    assert!(log.contains("\"files\":\"fc7/100%x_fc7_0001_0\""), "{log}");
    std::fs::create_dir(folder.path().join("h")).unwrap();
    worked(&demo(folder.path(), "--push-channel 1 --output-prefix h"));
    exists("h/fc7_0001_0_info.txt");
    exists("h/runs.jsonl");
    refused_with(
        1,
        &demo(folder.path(), "--push-channel 1 --output-prefix h/"),
        &["exists already"],
    );
    worked(&demo(folder.path(), "--push-channel 1 --output-prefix new/"));
    exists("new/fc7_0001_0_info.txt");
    refused_with(
        2,
        &demo(folder.path(), "--push-channel 1 --output-prefix 50%"),
        &["50%", "must be followed by"],
    );
}

/// `deepvis.toml` completes flags and models.
#[test]
fn settings_complete_flags_and_models() {
    let folder = tempfile::tempdir().unwrap();
    let (deploy, weights) = (
        case("v1_alexnet_style/deploy.prototxt"),
        case("v1_alexnet_style/weights.caffemodel"),
    );
    let toml = folder.path().join("deepvis.toml");
    let both = format!(
        "deploy_proto = {:?}\nnet_weights = {:?}\n",
        deploy.to_str().unwrap(),
        weights.to_str().unwrap()
    );
    std::fs::write(
        &toml,
        format!("{both}push_layer = \"y\"\npush_channel = 1\nmean = \"(1,2,3,4)\"\n"),
    )
    .unwrap();
    let run = |flag: &str, value: &Path, prefix: &str| {
        let line = format!(
            "optimize --backend flex --max-iter 2 --output-prefix {prefix} {flag} {}",
            value.display()
        );
        worked(&deepvis(folder.path(), &words(&line)));
        info(folder.path(), &format!("{prefix}_y_0001_0"))
    };
    assert_eq!(run("--net-weights", &weights, "a"), run("--deploy-proto", &deploy, "b"));
    // What the user's settings say of their own network is not said of the bundled one.
    worked(&demo(folder.path(), "--push-channel 1 --output-prefix c"));
    let with = |text: &str, line: &str| {
        std::fs::write(&toml, text).unwrap();
        deepvis(folder.path(), &words(line))
    };
    // How to climb is the user's to say, for the bundled network as well.
    worked(&with(
        "preset = \"paper-1\"\n",
        "optimize --backend flex --push-channel 1 --max-iter 2 --output-prefix d",
    ));
    assert_eq!(
        attribute(folder.path(), "d_fc7_0001_0", "small_norm_percentile"),
        "50.0"
    );
    let help = with("preset = \"paper-1\"\n", "optimize --model demo --help");
    let help = String::from_utf8(help.stdout).unwrap();
    for expected in [
        "[default: paper-1]",
        "[default: fc7]",
        "desired_prog': 2.0",
        "(128,128,128)",
    ] {
        assert!(help.contains(expected), "{expected}: {help}");
    }
    // A model's folder that says nothing is completed.
    let model = folder.path().join("model");
    std::fs::create_dir(&model).unwrap();
    std::fs::copy(&deploy, model.join("deploy.prototxt")).unwrap();
    std::fs::copy(&weights, model.join("w.caffemodel")).unwrap();
    let line = "optimize --backend flex --model model --max-iter 2 --output-prefix e";
    worked(&with(
        "push_layer = \"y\"\npush_channel = 1\nmean = \"(1,2,3,4)\"\n",
        line,
    ));
    assert_eq!(info(folder.path(), "e_y_0001_0"), info(folder.path(), "a_y_0001_0"));
}

/// The last of a repeated flag counts, and a flag may be cut short, as argparse has it.
#[test]
fn flags_are_read_as_argparse_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let line = "--push-ch 5 --push-channel 1 --blur-radius 0.4 --blur-rad 0.5 --data-size 64,64 --lr-pol constant --output-pref a";
    let line = format!("{line} --lr-params dict(lr=10**2)");
    worked(&demo(folder.path(), &line));
    assert_eq!(attribute(folder.path(), "a_fc7_0001_0", "blur_radius"), "0.5");
    assert_eq!(attribute(folder.path(), "a_fc7_0001_0", "lr_params"), "{'lr': 100}");
    refused_with(2, &demo(folder.path(), "--push 1"), &["--push"]);
}

/// Given numbers are floats; entries of short lists have 17 digits, as NumPy's had; a dict keeps its order.
#[test]
fn numbers_are_spelled_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let line = "--push-channel 1 --lr-policy progress --lr-params {'max_lr':3,'desired_prog':1/3.,'a':1}";
    worked(&demo(folder.path(), &format!("{line} --push-dir 1 --output-prefix a")));
    worked(&demo(folder.path(), &format!("{line} --output-prefix b")));
    let of = |name: &str| attribute(folder.path(), "a_fc7_0001_0", name);
    assert_eq!(
        (of("push_dir"), attribute(folder.path(), "b_fc7_0001_0", "push_dir")),
        ("1.0".into(), "1".into())
    );
    assert_eq!(
        of("lr_params"),
        "{'max_lr': 3, 'desired_prog': 0.3333333333333333, 'a': 1}"
    );
    // '%.17g' of NumPy 1.13, of what the pickle holds.
    let code = "
import pickle
p, r = pickle.load(open('a_fc7_0001_0_info_big.pkl', 'rb'))
print(list(p.lr_params), type(p.push_dir).__name__)
print('[' + ', '.join('%.17g' % v for v in r.norm) + ']')
print('[' + ', '.join('%.8g' % v for v in r.obj) + ']')
print(str(p) + '\\n\\n' + str(r))
r.update(note=1); r.trim_arrays()
assert r.note == 1 and r.x0.startswith('Trimmed (3, 64, 64) array ['), r.x0
assert type(p)(decay=2).decay == 2
";
    let Some(printed) = crate::files::python(code, folder.path()) else {
        return;
    };
    let mut lines = printed.splitn(4, '\n');
    assert_eq!(lines.next(), Some("['max_lr', 'desired_prog', 'a'] float"));
    assert_eq!(lines.next(), Some(of("norm").as_str()));
    assert_eq!(lines.next(), Some(of("obj").as_str()));
    assert_eq!(lines.next(), Some(info(folder.path(), "a_fc7_0001_0").as_str()));
}

/// With `--pickle-protocol 2` there is no opcode that Python 2 lacks, and the same is read.
#[test]
fn pickles_for_python_2() {
    let folder = tempfile::tempdir().unwrap();
    worked(&demo(folder.path(), "--push-channel 1 --output-prefix a"));
    worked(&demo(
        folder.path(),
        "--push-channel 1 --output-prefix b --pickle-protocol 2",
    ));
    let code = "
import pickle, pickletools, numpy as np
for kind in ('info', 'info_big'):
    bytes = open('b_fc7_0001_0_%s.pkl' % kind, 'rb').read()
    assert max(op.proto for op, _, _ in pickletools.genops(bytes)) == 2
    strings = [arg for op, arg, _ in pickletools.genops(bytes) if op.name == 'SHORT_BINSTRING']
    assert 'best_xx' in strings and 'lr_params' in strings, strings
    (p, r), (q, s) = pickle.loads(bytes), pickle.load(open('a_fc7_0001_0_%s.pkl' % kind, 'rb'))
    for a, b in ((p.__dict__, q.__dict__), (r.__dict__, s.__dict__)):
        assert list(a) == list(b)
        for key in a:
            assert type(a[key]) is type(b[key]) and np.array_equal(a[key], b[key]), key
print('same')
";
    let Some(printed) = crate::files::python(code, folder.path()) else {
        return;
    };
    assert_eq!(printed, "same\n");
}

/// Three channels of any number are red, green and blue; what cannot be shown in colours is told.
#[test]
fn any_three_channels_can_be_shown() {
    let folder = tempfile::tempdir().unwrap();
    let run = |swap: &str, prefix: &str| {
        let line = format!("--push-layer y --push-channel 1 --output-prefix {prefix} --channel-swap-to-rgb {swap}");
        let output = optimize(folder.path(), &words(&line));
        worked(&output);
        let picture = image::open(folder.path().join(format!("{prefix}_y_0001_0_best_X.jpg"))).unwrap();
        (said(&output), picture)
    };
    let (told, picture) = run("(3,0,1)", "a");
    assert!(
        told.contains("of the image's 4 channels, 3, 0 and 1 are shown"),
        "{told}"
    );
    assert_eq!((picture.width(), picture.height()), (14, 13));
    assert!(picture.color().has_color());
    let (told, picture) = run("(5,0,1)", "b");
    assert!(
        told.contains("the image has 4 channels and cannot be shown in colours"),
        "{told}"
    );
    assert_eq!((picture.width(), picture.height()), (28, 26));
    let (_, picture) = run("(2,)", "c");
    let rgb = picture.to_rgb8();
    assert!(
        rgb.pixels()
            .all(|pixel| pixel.0[0].abs_diff(pixel.0[1]) < 3 && pixel.0[1].abs_diff(pixel.0[2]) < 3)
    );
    for wrong in ["(0,1)", "(0,1,2,3)", "(-1,0,1)", "None"] {
        let line = format!("--push-layer y --push-channel 1 --channel-swap-to-rgb {wrong}");
        refused_with(
            2,
            &optimize(folder.path(), &words(&line)),
            &["--channel-swap-to-rgb", wrong],
        );
    }
}

/// Means of any numbers, under any name, of pycaffe's shapes, all of them the same mean.
#[test]
fn a_mean_is_any_array() {
    let folder = tempfile::tempdir().unwrap();
    let code = "
import numpy as np
def save(name, array):
    with open(name, 'wb') as f: np.save(f, array)
image = (np.arange(4 * 13 * 14).reshape(4, 13, 14) * 7 % 120)
for kind in 'u1 i1 <u2 >u2 <i2 <i4 >u4 <i8 >i8 <u8 <f2 >f2 <f4 >f8'.split():
    save('image_%s.npy' % kind.replace('<', 'l').replace('>', 'b'), image.astype(kind))
save('image_upper.NPY', image.astype('f4')); save('image_noending', image.astype('f8')); save('image_batch.npy', image[None])
save('image_fortran.npy', np.asfortranarray(image))
values = np.array([1., 2, 3, 4])
for name, shape in (('a', (4,)), ('b', (4, 1, 1)), ('c', (1, 4, 1, 1))):
    save('values_%s.npy' % name, values.reshape(shape))
save('bad_complex.npy', image.astype('c8')); save('bad_five.npy', image[None, None]); save('bad_text.npy', image.astype('U3'))
";
    if crate::files::python(code, folder.path()).is_none() {
        return;
    }
    let run = |mean: &str| {
        let line = format!("--push-layer y --push-channel 1 --brave --quiet --output-prefix a --mean {mean}");
        worked(&optimize(folder.path(), &words(&line)));
        info(folder.path(), "a_y_0001_0")
    };
    let (image, values) = (run("image_bf8.npy"), run("(1,2,3,4)"));
    assert_ne!(image, values);
    let mut tried = 0;
    for name in files(folder.path()) {
        match name.split('_').next() {
            Some("image") => assert_eq!(run(&name), image, "{name}"),
            Some("values") => assert_eq!(run(&name), values, "{name}"),
            Some("bad") => {
                let line = format!("--push-layer y --push-channel 1 --mean {name}");
                refused(&optimize(folder.path(), &words(&line)), &[&name]);
            }
            _ => continue,
        }
        tried += 1;
    }
    assert_eq!(tried, 24);
}

/// `progress predicted` is what the step before, limited by `max_lr`, would have gained.
#[test]
fn the_prediction_is_of_the_step_that_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    for (max_lr, prefix) in [("1e-3", "a"), ("1e9", "b")] {
        let line = format!(
            "--push-channel 1 --max-iter 4 --verbose --decay 0 --blur-radius 0 --lr-policy progress --output-prefix {prefix} \
             --lr-params {{'max_lr':{max_lr},'desired_prog':0.5}}"
        );
        let output = demo(folder.path(), &line);
        worked(&output);
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.starts_with("FindParams:\n"), "{printed}");
        assert!(printed.contains("\nMetaresult: majority "), "{printed}");
        let last = |line: &str| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        let gradients: Vec<f64> = printed
            .lines()
            .filter(|line| line.trim_start().starts_with("grad:"))
            .map(last)
            .collect();
        let predicted: Vec<f64> = printed
            .lines()
            .filter_map(|line| {
                line.split("progress predicted: ")
                    .nth(1)?
                    .split(',')
                    .next()?
                    .parse()
                    .ok()
            })
            .collect();
        assert_eq!((gradients.len(), predicted.len()), (4, 3), "{printed}");
        for (predicted, gradient) in predicted.iter().zip(gradients) {
            let rate = max_lr.parse::<f64>().unwrap().min(0.5 / (gradient * gradient));
            let expected = rate * gradient * gradient;
            assert!(
                (predicted - expected).abs() < 1e-4 * expected,
                "{predicted}, not {expected}: {printed}"
            );
        }
    }
}

/// 2 for what was asked wrongly, 1 for what was tried and failed.
#[test]
fn one_exit_code_for_one_kind_of_mistake() {
    let folder = tempfile::tempdir().unwrap();
    for line in [
        "--caffe-root /nope",
        "--push-layer fc77",
        "--push-layer fc7,nope",
        "--push-layer nope*",
        "--push-channel 32",
        "--push-channel 0,32",
        "--push-channel nobody",
        "--push-spatial (1,0)",
        "--push-layer conv1,fc7 --push-spatial (1,0) --push-channel 0",
        "--push-spatial (0,",
        "--push-spatial 3",
        "--rand-seed 4294967296",
        "--rand-seed -1",
        "--decay 1.5",
        "--decay -0.1",
        "--blur-radius -1",
        "--small-norm-percentile -1",
        "--small-val-percentile 101",
        "--max-iter 0",
        "--push-dir 0",
        "--mean nope.npy",
        "--mean (1,2)",
        "--lr-params {}",
        "--lr-policy constant --lr-params {'lr':1e999}",
        "--shard 4/3",
        "--device 0",
        "--output-template %d",
    ] {
        let output = demo(folder.path(), &format!("--output-prefix r/x {line}"));
        assert_eq!(output.status.code(), Some(2), "{line}: {}", said(&output));
        assert!(!folder.path().join("r/x_fc7_0024_0_info.txt").exists(), "{line}");
    }
    worked(&demo(
        folder.path(),
        "--push-channel 1 --rand-seed 4294967295 --output-prefix s/x",
    ));
    std::fs::write(folder.path().join("cut.caffemodel"), b"\xa2\x06\x11").unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    for line in [
        "--push-channel 1 --rand-seed 4294967295 --output-prefix s/x",
        "--push-channel 1 --output-prefix file/x",
        "--push-channel 1 --net-weights cut.caffemodel",
    ] {
        let output = demo(folder.path(), line);
        assert_eq!(output.status.code(), Some(1), "{line}: {}", said(&output));
    }
}

/// The toolbox's settings become ours without Python.
#[test]
fn settings_of_the_toolbox_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let toolbox = folder.path().join("toolbox");
    std::fs::create_dir_all(toolbox.join("models")).unwrap();
    std::fs::copy(
        case("v1_alexnet_style/deploy.prototxt"),
        toolbox.join("models/deploy.prototxt"),
    )
    .unwrap();
    std::fs::copy(case("v1_alexnet_style/weights.caffemodel"), toolbox.join("models/w")).unwrap();
    std::fs::write(toolbox.join("models/labels.txt"), "a\nb\nc\n\nd\ne\n").unwrap();
    let text = "# basic config\nimport os\ncaffevis_caffe_root = '/nope'\ncaffevis_deploy_prototxt = '%DVT_ROOT%/models/deploy.prototxt'\n\
        caffevis_network_weights = \"%DVT_ROOT%/models/w\"   # a '#' comment\ncaffevis_data_mean = (1,\n    2, 3, # three\n 4)\n\
        caffevis_labels = 'models/labels.txt'\ncaffevis_label_layers = ('y', 'prob')\ncaffevis_caffe_root = '%DVT_ROOT%'\n\
        caffevis_mode_gpu = True\ncaffevis_data_hw = os.path.join('a')\ndef caffevis_layer_pretty_name_fn(name):\n    return name\n";
    std::fs::write(toolbox.join("settings_local.py"), text).unwrap();
    let from = words("init-settings --from toolbox/settings_local.py");
    let output = deepvis(folder.path(), &from);
    worked(&output);
    assert!(said(&output).contains("line 13: caffevis_data_hw"), "{}", said(&output));
    let toml = std::fs::read_to_string(folder.path().join("deepvis.toml")).unwrap();
    let settings: deepvis::model::Settings = toml::from_str(&toml).unwrap();
    let root = std::path::absolute(&toolbox).unwrap();
    assert_eq!(settings.deploy_proto, Some(root.join("models/deploy.prototxt")));
    assert_eq!(
        (settings.mean.as_deref(), settings.data_size),
        (Some("(1, 2, 3, 4)"), None)
    );
    assert_eq!(settings.label_layers, Some(vec!["y".to_owned(), "prob".to_owned()]));
    assert_eq!(settings.caffe_root, Some(root.clone()));
    refused_with(1, &deepvis(folder.path(), &from), &["deepvis.toml exists already"]);
    let line = "optimize --backend flex --max-iter 2 --push-layer y --push-channel d --output-prefix a";
    worked(&deepvis(folder.path(), &words(line)));
    assert!(folder.path().join("a_y_0003_0_info.txt").exists());
    std::fs::write(toolbox.join("settings_local.py"), "x = 1\n").unwrap();
    refused_with(
        2,
        &deepvis(folder.path(), &[&from[..], &["--brave"]].concat()),
        &["sets none of"],
    );
}

/// A layer along axis 0 makes two of one image: the first is read and pushed. Blobs without axes, and exponents beyond all reason.
#[test]
fn odd_layers_are_computed_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let input = "layer { name: \"data\" type: \"Input\" top: \"data\" input_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }\n";
    let weights = b"\xa2\x06\x11\x0a\x02zz:\x0b:\x03\x0a\x01\x01*\x04\x10X\xb0>";
    std::fs::write(folder.path().join("w.caffemodel"), weights).unwrap();
    let run = |layers: &str, more: &str| {
        std::fs::write(folder.path().join("d.prototxt"), format!("{input}{layers}")).unwrap();
        let line = format!(
            "optimize --backend flex --deploy-proto d.prototxt --net-weights w.caffemodel --push-layer y --push-channel 0 \
             --max-iter 3 --brave {more}"
        );
        deepvis(folder.path(), &words(&line))
    };
    let once = "layer { name: \"y\" type: \"Power\" bottom: \"data\" top: \"y\" power_param { scale: 2 } }";
    let twice = "layer { name: \"s\" type: \"Power\" bottom: \"data\" top: \"s\" power_param { scale: 2 } }\n\
        layer { name: \"y\" type: \"Concat\" bottom: \"s\" bottom: \"s\" top: \"y\" concat_param { axis: 0 } }";
    worked(&run(once, "--output-prefix a --rand-seed 0-1"));
    let output = run(twice, "--output-prefix b --rand-seed 0-1");
    worked(&output);
    assert!(said(&output).contains("units climb one at a time"), "{}", said(&output));
    for seed in 0..2 {
        let of = |prefix: &str| info(folder.path(), &format!("{prefix}_y_0000_{seed}"));
        assert_eq!(of("a"), of("b"));
    }
    for wrong in [
        "layer { name: \"y\" type: \"Power\" bottom: \"data\" top: \"y\" power_param { power: 1e30 } }",
        "layer { name: \"y\" type: \"Power\" bottom: \"data\" top: \"y\" power_param { power: inf } }",
        "layer { name: \"y\" type: \"LRN\" bottom: \"data\" top: \"y\" lrn_param { beta: 1e30 } }",
        "layer { name: \"y\" type: \"LRN\" bottom: \"data\" top: \"y\" lrn_param { beta: nan norm_region: WITHIN_CHANNEL } }",
    ] {
        refused(&run(wrong, ""), &["\"y\"", "it must be from"]);
    }
    for over in ["Softmax", "TanH", "MVN"] {
        let layers = format!(
            "layer {{ name: \"r\" type: \"Reduction\" bottom: \"data\" top: \"r\" reduction_param {{ axis: 0 }} }}\n\
             layer {{ name: \"y\" type: \"{over}\" bottom: \"r\" top: \"y\" }}"
        );
        refused(&run(&layers, ""), &["\"y\""]);
    }
}
