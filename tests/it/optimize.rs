//! `deepvis optimize`: what it makes of flags, and what it writes.

use crate::program::{case, deepvis, files, info, optimize, refused, said, words, worked};

#[test]
fn optimize_writes_the_five_files_of_the_specification_and_where_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    worked(&optimize(
        folder.path(),
        &["--push-layer", "y", "--push-channel", "2", "--mean", "None"],
    ));
    let mut expected = [
        "best_X.jpg",
        "best_Xpm.jpg",
        "info.json",
        "info.pkl",
        "info.txt",
        "info_big.pkl",
    ]
    .map(|n| format!("opt_y_0002_0_{n}"))
    .to_vec();
    expected.push("runs.jsonl".into());
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
fn a_training_prototxt_can_be_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(case("conv_plain/deploy.prototxt")).unwrap();
    let layers: Vec<&str> = text.lines().filter(|line| line.contains("\"Convolution\"")).collect();
    let data = "layer { name: \"data\" type: \"Data\" top: \"data\" top: \"label\" include { phase: TEST } \
                data_param { source: \"x\" batch_size: 4 } }\n";
    let train = format!(
        "{data}{}\nlayer {{ name: \"loss\" type: \"SoftmaxWithLoss\" bottom: \"y\" bottom: \"label\" top: \"loss\" }}",
        layers.join("\n")
    );
    std::fs::write(folder.path().join("train.prototxt"), train).unwrap();
    let weights = case("conv_plain/weights.caffemodel");
    let start = [
        "optimize",
        "--backend",
        "flex",
        "--max-iter",
        "2",
        "--net-weights",
        weights.to_str().unwrap(),
    ];
    let more = [
        "--deploy-proto",
        "train.prototxt",
        "--input-shape",
        "1,4,20,18",
        "--push-layer",
        "y",
        "--push-channel",
        "1",
    ];
    worked(&deepvis(folder.path(), &[&start[..], &more[..]].concat()));
    let info = std::fs::read_to_string(folder.path().join("optimize_results/opt_y_0001_0_info.txt")).unwrap();
    assert!(info.contains("x0: (4, 20, 18) array"), "{info}");
}

#[test]
fn an_unknown_layer_type_matters_only_to_units_that_depend_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(case("v1_alexnet_style/deploy.prototxt")).unwrap();
    let more = "layers { name: \"odd\" type: THRESHOLD bottom: \"fc2\" top: \"odd\" }\n\
                layers { name: \"after\" type: RELU bottom: \"odd\" top: \"after\" }\n";
    std::fs::write(folder.path().join("odd.prototxt"), text + more).unwrap();
    let odd = ["--deploy-proto", "odd.prototxt", "--push-channel", "0", "--push-layer"];
    let weights = case("v1_alexnet_style/weights.caffemodel");
    let run = |layer: &str| {
        let start = [
            "optimize",
            "--backend",
            "flex",
            "--max-iter",
            "1",
            "--net-weights",
            weights.to_str().unwrap(),
        ];
        deepvis(folder.path(), &[&start[..], &odd[..], &[layer]].concat())
    };
    let output = run("y");
    worked(&output);
    assert!(
        said(&output).contains("warning: layer \"odd\" is of type Threshold"),
        "{}",
        said(&output)
    );
    refused(
        &run("after"),
        &[
            "layer \"odd\" is of type Threshold",
            "\"after\" depends on it",
            "Convolution",
        ],
    );
}

/// A mean as Caffe's own tools write it.
#[test]
fn a_binaryproto_is_a_mean() {
    use deepvis_importer::caffe::proto::BlobProto;
    use prost::Message;
    let folder = tempfile::tempdir().unwrap();
    let blob = BlobProto {
        num: Some(1),
        channels: Some(4),
        height: Some(13),
        width: Some(14),
        data: vec![100.0; 4 * 13 * 14],
        ..BlobProto::default()
    };
    std::fs::write(folder.path().join("mean.binaryproto"), blob.encode_to_vec()).unwrap();
    let unit = ["--push-layer", "y", "--push-channel", "0"];
    for (mean, prefix) in [
        ("mean.binaryproto", "a"),
        ("'mean.binaryproto'", "b"),
        ("(100,100,100,100)", "c"),
    ] {
        worked(&optimize(
            folder.path(),
            &[&unit[..], &["--mean", mean, "--output-prefix", prefix]].concat(),
        ));
    }
    assert_eq!(info(folder.path(), "a_y_0000_0"), info(folder.path(), "c_y_0000_0"));
    assert_eq!(info(folder.path(), "b_y_0000_0"), info(folder.path(), "c_y_0000_0"));
}

#[test]
fn caffe_root_gives_the_usual_places() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("caffe/models/bvlc_reference_caffenet");
    std::fs::create_dir_all(&model).unwrap();
    std::fs::copy(case("v1_alexnet_style/deploy.prototxt"), model.join("deploy.prototxt")).unwrap();
    let weights = model.join("bvlc_reference_caffenet.caffemodel");
    std::fs::copy(case("v1_alexnet_style/weights.caffemodel"), weights).unwrap();
    let imagenet = folder.path().join("caffe/python/caffe/imagenet");
    std::fs::create_dir_all(&imagenet).unwrap();
    let mean = ndarray::Array3::<f64>::from_elem((4, 20, 20), 100.0);
    ndarray_npy::write_npy(imagenet.join("ilsvrc_2012_mean.npy"), &mean).unwrap();
    let rooted = [
        "optimize",
        "--backend",
        "flex",
        "--max-iter",
        "3",
        "--caffe-root",
        "caffe",
        "--output-prefix",
        "a",
    ];
    worked(&deepvis(
        folder.path(),
        &[&rooted[..], &["--push-layer", "y", "--push-channel", "1"]].concat(),
    ));
    let mean = [
        "--push-layer",
        "y",
        "--push-channel",
        "1",
        "--mean",
        "(100,100,100,100)",
        "--output-prefix",
        "b",
    ];
    worked(&optimize(folder.path(), &mean));
    assert_eq!(info(folder.path(), "a_y_0001_0"), info(folder.path(), "b_y_0001_0"));
}

/// With --push-dir -1 the objective falls, and the best is the smallest.
#[test]
fn a_unit_can_be_pushed_down() {
    let folder = tempfile::tempdir().unwrap();
    let unit = [
        "--push-layer",
        "y",
        "--push-channel",
        "1",
        "--push-dir",
        "-1",
        "--output-prefix",
        "a",
    ];
    worked(&optimize(folder.path(), &unit));
    let info = info(folder.path(), "a_y_0001_0");
    let value = |name: &str| {
        info.lines()
            .find(|line| line.trim_start().starts_with(name))
            .unwrap()
            .split_once(": ")
            .unwrap()
            .1
    };
    let objectives: Vec<f64> = value("obj:")
        .trim_matches(['[', ']'])
        .split(", ")
        .map(|v| v.parse().unwrap())
        .collect();
    assert!(objectives.windows(2).all(|pair| pair[1] < pair[0]), "{objectives:?}");
    assert_eq!((value("best_ii:"), value("push_dir:")), ("2", "-1.0"));
}

/// Each regularizer is governed by its own number.
#[test]
fn each_regularizer_does_something_of_its_own() {
    let mut found = std::collections::HashSet::new();
    let all = [
        "",
        "--decay 0.3",
        "--blur-radius 1 --blur-every 1",
        "--small-val-percentile 50",
        "--small-norm-percentile 50",
        "--px-benefit-percentile 50",
        "--px-abs-benefit-percentile 50",
    ];
    for flags in all {
        let folder = tempfile::tempdir().unwrap();
        let line = "optimize --model demo --backend flex --push-layer fc7 --push-channel 3 --preset paper-1 --decay 0 \
             --blur-radius 0 --blur-every 0 --small-val-percentile 0 --small-norm-percentile 0 --px-benefit-percentile 0 \
             --px-abs-benefit-percentile 0 --max-iter 4 --lr-policy constant --lr-params {\"lr\":20000} --npy --output-prefix r/x";
        // What is given last counts.
        let mut words = words(line);
        for flag in flags.split(" --").filter(|flag| !flag.is_empty()) {
            let (name, value) = flag.trim_start_matches("--").split_once(' ').unwrap();
            let place = words.iter().position(|word| *word == format!("--{name}")).unwrap();
            words[place + 1] = value;
        }
        worked(&deepvis(folder.path(), &words));
        let picture = files(&folder.path().join("r"))
            .into_iter()
            .find(|name| name.ends_with(".npy"))
            .unwrap();
        assert!(
            found.insert(std::fs::read(folder.path().join("r").join(picture)).unwrap()),
            "{flags} gives what another gives"
        );
    }
}

/// What is climbed may be much larger than what the network sees.
#[test]
fn a_picture_too_large_for_the_memory_is_refused_before_the_climb() {
    let folder = tempfile::tempdir().unwrap();
    let line = "optimize --model demo --backend flex --push-layer fc7 --push-channel 5 --preset fourier --size 2000 --max-iter 1 \
                --max-memory 256M --output-prefix r/x";
    let output = deepvis(folder.path(), &words(line));
    refused(&output, &["a climb of", "2000 x 2000 pixels", "--max-memory"]);
    assert!(!folder.path().join("r/runs.jsonl").exists());
}
