//! Hostile inputs: damaged prototxts all the way to shapes, what is no file in a file's place, names that steer terminals.

#[cfg(unix)]
use std::path::Path;

use deepvis::network::{InputSize, survey};
use deepvis_importer::caffe::{convert, text, upgrade};
use proptest::prelude::*;

use crate::program::{case, deepvis, files, refused, said, words, worked};
use crate::support::repository;

/// Entries that no blob may exceed here; small, so that a mistake shows as memory.
const MOST_ENTRIES: usize = 1 << 22;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn numbers_in_a_prototxt_may_be_anything(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![Just(0u64), Just(1), 2..40u64, Just(1 << 24), Just(1 << 31), any::<u64>()]), 1..4),
    ) {
        let mut cases: Vec<_> = std::fs::read_dir(repository("tests/fixtures/layers")).unwrap().map(|e| e.unwrap().path()).collect();
        cases.sort();
        let text = std::fs::read_to_string(which.get(&cases).join("deploy.prototxt")).unwrap();
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let numbers: Vec<usize> = (0..words.len()).filter(|i| words[*i].parse::<u64>().is_ok()).collect();
        for (place, value) in &changes {
            words[*place.get(&numbers)] = value.to_string();
        }
        let path = std::path::Path::new("damaged");
        if let Ok(parsed) = text::parse_net(words.join(" "), path)
            && let Ok(net) = upgrade::to_current(parsed.net, path)
            && let Ok(graph) = convert::graph(&net)
        {
            for fact in survey(&graph, None, InputSize::Declared, MOST_ENTRIES) {
                prop_assert!(fact.problem.is_some() || fact.shapes.iter().all(|s| s.iter().product::<usize>() <= MOST_ENTRIES));
            }
        }
    }
}

/// Found by the test above: a transposed weight of 48 GB was made to learn its shape.
#[test]
fn a_weight_out_of_all_proportion_is_refused() {
    let text = "input: 'data' input_shape { dim: 1 dim: 4 dim: 13 dim: 14 }
        layer { name: 'y' type: 'InnerProduct' bottom: 'data' top: 'y'
                inner_product_param { num_output: 16777216 transpose: true bias_term: false } }";
    let path = std::path::Path::new("large");
    let net = upgrade::to_current(text::parse_net(text.into(), path).unwrap().net, path).unwrap();
    let facts = survey(&convert::graph(&net).unwrap(), None, InputSize::Declared, 1 << 26);
    assert!(
        facts[1]
            .problem
            .as_ref()
            .unwrap()
            .contains("[728, 16777216] does not fit the memory"),
        "{facts:?}"
    );
}

/// deepvis, killed after some seconds: what waits for ever is a failure.
#[cfg(unix)]
fn within_seconds(folder: &Path, seconds: u32, variables: &[(&str, &str)], arguments: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new("timeout");
    command
        .args(["-s", "KILL", &seconds.to_string()])
        .arg(assert_cmd::cargo::cargo_bin("deepvis"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("HOME", folder)
        .envs(variables.iter().copied());
    command.output().unwrap()
}

#[cfg(unix)]
fn pipe(path: &Path) {
    assert!(
        std::process::Command::new("mkfifo")
            .arg(path)
            .status()
            .unwrap()
            .success()
    );
}

/// A pipe that nobody writes to, and devices without an end, in the place of every input.
#[cfg(unix)]
#[test]
fn inputs_are_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let deploy = case("conv_plain/deploy.prototxt").to_string_lossy().into_owned();
    let weights = case("conv_plain/weights.caffemodel").to_string_lossy().into_owned();
    for name in ["pipe", "pipe.npy", "pipe.bpk", "pipe.prototxt", "pipe.jpg"] {
        pipe(&at(name));
    }
    for name in [
        "endless",
        "endless.npy",
        "endless.bpk",
        "endless.prototxt",
        "endless.jpg",
    ] {
        std::os::unix::fs::symlink("/dev/zero", at(name)).unwrap();
    }
    let long = "# a comment\n".repeat(1 << 20);
    std::fs::write(at("long"), &long).unwrap();
    std::fs::write(at("long.prototxt"), &long).unwrap();
    let unit = "--backend flex --push-layer y --push-channel 0 --max-iter 1 --output-prefix r/x";
    for kind in ["pipe", "endless"] {
        let lines = [
            format!("inspect --deploy-proto {kind}.prototxt"),
            format!("inspect {kind}.bpk"),
            format!("optimize {unit} --deploy-proto {deploy} --net-weights {kind}"),
            format!("optimize {unit} --net-weights {kind}.bpk"),
            format!("optimize {unit} --deploy-proto {deploy} --net-weights {weights} --labels {kind}"),
            format!("optimize {unit} --deploy-proto {deploy} --net-weights {weights} --mean {kind}"),
            format!("optimize {unit} --deploy-proto {deploy} --net-weights {weights} --mean {kind}.npy"),
            format!(
                "forward --backend flex --deploy-proto {deploy} --net-weights {weights} --layer y --input {kind}.npy --output-dir o"
            ),
            format!("classify --backend flex --model demo {kind}.jpg"),
        ];
        for line in lines {
            let output = within_seconds(folder.path(), 10, &[], &words(&line));
            refused(&output, &[kind, "a pipe or a device, not a file"]);
        }
    }
    for line in [
        "inspect --deploy-proto long.prototxt".to_owned(),
        format!("optimize {unit} --deploy-proto {deploy} --net-weights {weights} --mean long"),
    ] {
        refused(&within_seconds(folder.path(), 10, &[], &words(&line)), &["long"]);
    }
    std::fs::write(at("deepvis.toml"), &long).unwrap();
    let output = within_seconds(folder.path(), 10, &[], &words("optimize --max-iter 1"));
    refused(&output, &["deepvis.toml", "longer than"]);
}

/// Links that lead back, pipes, and a folder that is none of ours, among results.
#[cfg(unix)]
#[test]
fn a_gallery_is_made_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let line =
        "optimize --backend flex --model demo --push-channel 0,1 --max-iter 2 --quiet --skipbig --output-prefix g/x";
    worked(&deepvis(folder.path(), &words(line)));
    let g = folder.path().join("g");
    for name in ["a", "b"] {
        std::os::unix::fs::symlink(".", g.join(name)).unwrap();
    }
    pipe(&g.join("z_info.txt"));
    pipe(&g.join("runs-1-of-2.jsonl"));
    std::fs::create_dir(g.join("runs-2-of-2.jsonl")).unwrap();
    std::fs::create_dir(g.join("below")).unwrap();
    pipe(&g.join("below/x_info.txt"));
    let info = std::fs::read_to_string(g.join("x_fc7_0000_0_info.txt")).unwrap();
    let long = format!("{0}/{0}/{0}", "l".repeat(200));
    std::fs::write(
        g.join("long_info.txt"),
        info.replace("push_layer: fc7", &format!("push_layer: {long}")),
    )
    .unwrap();
    std::fs::copy(g.join("x_fc7_0000_0_best_Xpm.jpg"), g.join("long_best_Xpm.jpg")).unwrap();
    let output = within_seconds(folder.path(), 20, &[], &["gallery", "g"]);
    worked(&output);
    let page = std::fs::read_to_string(g.join("index.html")).unwrap();
    assert_eq!(page.matches("\"thumbnail\"").count(), 3);
    assert!(said(&output).contains("z_info.txt is left out"), "{}", said(&output));
}

/// The escapes of a layer's name and of labels reach neither the terminal nor a file's name.
#[test]
fn names_do_not_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let name = "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}1m";
    let text = std::fs::read_to_string(case("v1_alexnet_style/deploy.prototxt")).unwrap();
    assert!(text.contains("\"y\""));
    let more = format!("layers {{ name: \"{name}\" type: RELU bottom: \"y\" top: \"{name}\" }}\n");
    std::fs::write(place("d.prototxt"), text + &more).unwrap();
    std::fs::write(place("labels.txt"), format!("{name}\n").repeat(5)).unwrap();
    let weights = case("v1_alexnet_style/weights.caffemodel")
        .to_string_lossy()
        .into_owned();
    let run = |line: &str| {
        let all = format!("{line} --deploy-proto d.prototxt --net-weights {weights} --labels labels.txt");
        let output = deepvis(folder.path(), &words(&all));
        for stream in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(stream);
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{text:?}");
        }
        output
    };
    worked(&run("inspect"));
    let output =
        run("optimize --backend flex --push-layer * --push-channel 0 --max-iter 2 --verbose --output-prefix r/x");
    assert!(
        output.status.code() == Some(0) || output.status.code() == Some(1),
        "{}",
        said(&output)
    );
    refused(
        &run("optimize --backend flex --push-layer nothing"),
        &["no layer \"nothing\""],
    );
    let names = files(&place("r"));
    assert!(names.iter().any(|name| name.ends_with("_info.txt")), "{names:?}");
    assert!(names.iter().all(|name| !name.contains(char::is_control)), "{names:?}");
}

/// A table stays one that can be read, however long a name is and however many outputs a layer has.
#[test]
fn a_table_has_a_width() {
    let folder = tempfile::tempdir().unwrap();
    let input = "layer { name: \"data\" type: \"Input\" top: \"data\" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }\n";
    let tops: String = (0..50_000).map(|top| format!(" top: \"t{top}\"")).collect();
    // Longer names are not read.
    let long = "n".repeat(4096);
    let nets = [
        format!("{input}layer {{ name: \"{long}\" type: \"ReLU\" bottom: \"data\" top: \"y\" }}\n"),
        format!("{input}layer {{ name: \"y\" type: \"ReLU\" bottom: \"data\" top: \"{long}\" }}\n"),
        format!("{input}layer {{ name: \"y\" type: \"Split\" bottom: \"data\"{tops} }}\n"),
    ];
    for (number, net) in nets.iter().enumerate() {
        let file = format!("{number}.prototxt");
        std::fs::write(folder.path().join(&file), net).unwrap();
        let output = deepvis(folder.path(), &["inspect", "--deploy-proto", &file]);
        worked(&output);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let begin: String = shown.chars().take(500).collect();
        assert!(shown.contains("8 x 8"), "{number}: {begin}");
        let widest = shown.lines().map(|line| line.chars().count()).max();
        assert!(widest < Some(250), "{number}: a line of {widest:?} characters");
    }
}

/// New files are as open as the user's umask makes any.
#[cfg(unix)]
#[test]
fn the_umask_holds() {
    use std::os::unix::fs::PermissionsExt;
    for (umask, mode) in [("077", 0o600), ("022", 0o644), ("002", 0o664)] {
        let folder = tempfile::tempdir().unwrap();
        let program = assert_cmd::cargo::cargo_bin("deepvis");
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("umask {umask}; exec \"$0\" init-settings")])
            .arg(program)
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .output()
            .unwrap();
        worked(&output);
        let found = std::fs::metadata(folder.path().join("deepvis.toml"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(found & 0o777, mode, "umask {umask}");
    }
}

/// A last line that only lacks its end is kept, one that is cut is not.
#[test]
fn a_last_line_without_its_end_is_kept_if_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("r/runs.jsonl");
    let unit = |channel: &str| {
        let output = deepvis(
            folder.path(),
            &words(&format!(
                "optimize --backend flex --model demo --push-channel {channel} --max-iter 2 --output-prefix r/x"
            )),
        );
        worked(&output);
        std::fs::read_to_string(&log).unwrap()
    };
    let first = unit("0");
    std::fs::write(&log, first.trim_end()).unwrap();
    let second = unit("1");
    assert!(second.starts_with(&first) && second.lines().count() == 2, "{second}");
    std::fs::write(&log, &second[..second.len() - 20]).unwrap();
    let third = unit("2");
    assert!(third.starts_with(&first) && third.lines().count() == 2, "{third}");
}

/// A photograph is read the way it was held: the same bytes with and without a word about it.
#[test]
fn photographs_are_turned_upright() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let picture = image::RgbImage::from_fn(64, 64, |x, y| {
        image::Rgb([(x * 4) as u8, (y * 3) as u8, if x < 20 && y < 9 { 255 } else { 0 }])
    });
    picture.save(place("plain.jpg")).unwrap();
    let bytes = std::fs::read(place("plain.jpg")).unwrap();
    // APP1 with a TIFF of one entry (EXIF 2.3, 4.6.4): orientation (0x0112), one short, 6: the top is the right side.
    let tiff = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let len = u16::try_from(tiff.len() + 2).unwrap().to_be_bytes();
    let turned = [&bytes[..2], &[0xff, 0xe1], &len, tiff, &bytes[2..]].concat();
    std::fs::write(place("turned.jpg"), turned).unwrap();
    let decoded = image::load_from_memory(&bytes).unwrap();
    decoded.rotate90().save(place("upright.png")).unwrap();
    decoded.save(place("as_it_is.png")).unwrap();
    let forward = |input: &str| {
        let line =
            format!("forward --backend flex --model demo --layer conv1 --input {input} --output-dir {input}.out");
        worked(&deepvis(folder.path(), &words(&line)));
        std::fs::read(place(&format!("{input}.out/output.npy"))).unwrap()
    };
    let (turned, plain) = (forward("turned.jpg"), forward("plain.jpg"));
    assert!(turned == forward("upright.png"));
    assert!(plain == forward("as_it_is.png"));
    assert!(turned != plain);
}

/// More threads than the machine bears are not started.
#[cfg(unix)]
#[test]
fn threads_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let line = words("optimize --backend flex --model demo --push-channel 0 --max-iter 2 --output-prefix r/x");
    for many in ["100000", "99999999999999999999"] {
        let output = within_seconds(folder.path(), 60, &[("RAYON_NUM_THREADS", many)], &line);
        worked(&output);
        assert!(
            said(&output).contains(&format!("RAYON_NUM_THREADS is {many}")),
            "{}",
            said(&output)
        );
        std::fs::remove_dir_all(folder.path().join("r")).unwrap();
    }
    let output = within_seconds(folder.path(), 60, &[("RAYON_NUM_THREADS", "2")], &line);
    assert!(!said(&output).contains("RAYON_NUM_THREADS"), "{}", said(&output));
}

/// Without a home the bundled network goes where nobody else can have prepared anything.
#[cfg(unix)]
#[test]
fn the_temporary_model_is_ones_own() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().join("tmp");
    let elsewhere = folder.path().join("elsewhere");
    for made in [&temporary, &elsewhere] {
        std::fs::create_dir(made).unwrap();
    }
    let user = std::fs::metadata(&temporary).unwrap().uid();
    let version = env!("CARGO_PKG_VERSION");
    let usual = temporary.join(format!("deepvis-{user}-{version}"));
    let older = temporary.join(format!("deepvis-{version}"));
    let run = || {
        let variables = [
            ("HOME", "/dev/null"),
            ("XDG_DATA_HOME", "/dev/null"),
            ("TMPDIR", temporary.to_str().unwrap()),
        ];
        let line = words("inspect --model demo");
        worked(&within_seconds(folder.path(), 20, &variables, &line));
    };
    // Another has laid links that lead elsewhere.
    for link in [&usual, &older] {
        std::os::unix::fs::symlink(&elsewhere, link).unwrap();
    }
    run();
    assert_eq!(files(&elsewhere), [""; 0]);
    std::fs::remove_file(&usual).unwrap();
    run();
    run();
    assert!(usual.join("demo/weights.caffemodel").is_file());
    assert_eq!(std::fs::metadata(&usual).unwrap().permissions().mode() & 0o777, 0o700);
}

/// A header that promises more than there is costs nothing.
#[test]
fn arrays_are_as_long_as_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let deploy = case("conv_plain/deploy.prototxt").to_string_lossy().into_owned();
    let weights = case("conv_plain/weights.caffemodel").to_string_lossy().into_owned();
    for (name, shape) in [
        ("big", "(1, 4, 1048576, 1048576)"),
        ("zero", "(0, 4611686018427387904, 4611686018427387904)"),
    ] {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let header = format!("{header:<117}\n");
        let bytes = [b"\x93NUMPY\x01\x00", &118u16.to_le_bytes()[..], header.as_bytes()].concat();
        std::fs::write(folder.path().join(format!("{name}.npy")), bytes).unwrap();
        let net = format!("--backend flex --deploy-proto {deploy} --net-weights {weights}");
        for line in [
            format!("forward {net} --input {name}.npy --layer y --output-dir o"),
            format!("optimize {net} --mean {name}.npy --push-layer y --push-channel 0 --max-iter 1"),
        ] {
            refused(&deepvis(folder.path(), &words(&line)), &[name, "its shape is"]);
        }
    }
}
