//! Caffe files as they really are: small cases after public networks, each with what should come of it.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::program::{deepvis, refused, said, words, worked};
use crate::support::{npy32, repository};

fn file(name: &str) -> String {
    let path: PathBuf = repository("tests/fixtures/user_cases").join(name);
    path.to_str().unwrap().to_owned()
}

fn run(arguments: &[&str]) -> Output {
    deepvis(tempfile::tempdir().unwrap().path(), arguments)
}

/// Shapes without the batch axis and problems of the layers, by name.
fn inspected(arguments: &[&str]) -> Vec<(String, Vec<u64>, Option<String>)> {
    let mut all = vec!["inspect", "--json", "--deploy-proto"];
    all.extend(arguments);
    let output = run(&all);
    worked(&output);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| {
            let shape = layer["shapes"].get(0).and_then(Value::as_array);
            (
                layer["name"].as_str().unwrap().to_owned(),
                shape.map_or(Vec::new(), |s| s.iter().skip(1).map(|e| e.as_u64().unwrap()).collect()),
                layer["problem"].as_str().map(str::to_owned),
            )
        })
        .collect()
}

#[track_caller]
fn is_pushable(layers: &[(String, Vec<u64>, Option<String>)], name: &str, shape: &[u64]) {
    let layer = layers.iter().find(|(layer, ..)| layer == name).unwrap();
    assert_eq!((layer.1.as_slice(), &layer.2), (shape, &None), "{name}");
}

#[track_caller]
fn is_not_pushable(layers: &[(String, Vec<u64>, Option<String>)], name: &str) {
    let layer = layers.iter().find(|(layer, ..)| layer == name).unwrap();
    assert!(layer.2.is_some(), "{name}");
}

/// The blob of a layer for an input.
fn forward(deploy: &str, weights: &str, input: &str, layer: &str, more: &[&str]) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let (deploy, weights, input) = (file(deploy), file(weights), file(input));
    let mut all = vec![
        "forward",
        "--backend",
        "flex",
        "--deploy-proto",
        &deploy,
        "--net-weights",
        &weights,
    ];
    all.extend(["--input", &input, "--layer", layer, "--output-dir", "out"]);
    all.extend(more);
    worked(&deepvis(folder.path(), &all));
    npy32(&folder.path().join("out/output.npy")).into_iter().collect()
}

#[track_caller]
fn is_near(found: f32, expected: f32) {
    assert!((found - expected).abs() <= 2e-4, "{found} for {expected}");
}

#[test]
fn statistics_of_the_batch_are_taken_where_the_prototxt_says_so() {
    let case = |name: &str| format!("batchnorm-use-global-stats-false/{name}");
    let bn = forward(&case("net.prototxt"), &case("w.caffemodel"), &case("x.npy"), "bn", &[]);
    is_near(bn[0], -1.5187);
    is_near(bn[36], 0.0896);
}

#[test]
fn a_batch_norm_of_five_blobs_scales() {
    let case = |name: &str| format!("batchnorm-with-five-blobs/{name}");
    for deploy in ["nv.prototxt", "plain.prototxt"] {
        let bn = forward(&case(deploy), &case("w.caffemodel"), &case("x.npy"), "bn", &[]);
        for (place, expected) in [(0, 11.9674), (1, 10.6441), (36, -4.5973)] {
            is_near(bn[place], expected);
        }
    }
}

#[test]
fn data_layers_are_inputs_that_tell_their_shape() {
    let memory = file("data-layer-states-its-shape/memory.prototxt");
    let layers = inspected(&[&memory]);
    assert_eq!(layers[0].1, [1, 28, 28]);
    is_pushable(&layers, "c1", &[2, 24, 24]);
    for (name, shape) in [("dummy", [1, 28, 28]), ("gray", [1, 8, 8]), ("resize", [3, 300, 300])] {
        let layers = inspected(&[&file(&format!("data-layer-states-its-shape/{name}.prototxt"))]);
        assert_eq!(layers[0].1, shape, "{name}");
    }
    let weights = file("data-layer-states-its-shape/memory.caffemodel");
    worked(&run(&[
        "optimize",
        "--backend",
        "flex",
        "--deploy-proto",
        &memory,
        "--net-weights",
        &weights,
        "--push-layer",
        "ip",
        "--push-channel",
        "3",
        "--max-iter",
        "2",
    ]));
}

/// A database says how many channels its images have, the prototxt does not; of a network with fully connected layers the weights
/// also tell how large they are. These are for images of one channel, 28 x 28.
#[test]
fn weights_tell_what_a_data_layer_leaves_open() {
    let weights = file("data-layer-states-its-shape/memory.caffemodel");
    let folder = tempfile::tempdir().unwrap();
    let layers = std::fs::read_to_string(file("data-layer-states-its-shape/memory.prototxt")).unwrap();
    let (_, layers) = layers.split_once('\n').unwrap();
    let cases = [
        (
            "type: 'Data' transform_param { crop_size: 28 }",
            "taken to have 1, as the weights of \"c1\" are for",
        ),
        ("type: 'Data'", "1 x 28 x 28 is assumed"),
        (
            "type: 'HDF5Data' hdf5_data_param { source: 'list.txt' batch_size: 8 }",
            "1 x 28 x 28 is assumed",
        ),
    ];
    for (data, expected) in cases {
        let deploy = folder.path().join("deploy.prototxt");
        let first = format!("layer {{ name: 'data' top: 'data' top: 'label' {data} }}");
        std::fs::write(&deploy, format!("{first}\n{layers}")).unwrap();
        let deploy = deploy.to_str().unwrap();
        let layers = inspected(&[deploy, "--net-weights", &weights]);
        assert_eq!(layers[0].1, [1, 28, 28], "{data}");
        is_pushable(&layers, "ip", &[10]);
        let all = [
            "optimize",
            "--backend",
            "flex",
            "--deploy-proto",
            deploy,
            "--net-weights",
            &weights,
        ];
        let unit = ["--push-layer", "ip", "--push-channel", "3", "--max-iter", "2"];
        let output = run(&[&all[..], &unit[..]].concat());
        worked(&output);
        let told = said(&output);
        assert_eq!(told.matches(expected).count(), 1, "{told}");
        assert_eq!(
            told.matches("assumed").count(),
            expected.matches("assumed").count(),
            "{told}"
        );
    }
    // Without weights, colours are assumed as ever.
    let deploy = folder.path().join("colours.prototxt");
    std::fs::write(
        &deploy,
        format!("layer {{ name: 'data' top: 'data' {} }}\n{layers}", cases[0].0),
    )
    .unwrap();
    assert_eq!(inspected(&[deploy.to_str().unwrap()])[0].1, [3, 28, 28]);
}

#[test]
fn a_glob_leaves_the_input_out() {
    let case = |name: &str| file(&format!("data-layer-counts-as-unit/{name}"));
    let folder = tempfile::tempdir().unwrap();
    let (deploy, weights) = (case("net.prototxt"), case("w.caffemodel"));
    let output = deepvis(
        folder.path(),
        &[
            "optimize",
            "--deploy-proto",
            &deploy,
            "--net-weights",
            &weights,
            "--input-shape",
            "1,1,28,28",
            "--push-layer",
            "*",
            "--push-channel",
            "0",
            "--push-spatial",
            "center",
            "--max-iter",
            "1",
            "--mean",
            "None",
            "--backend",
            "flex",
        ],
    );
    worked(&output);
    let table = String::from_utf8(run(&["inspect", &deploy]).stdout).unwrap();
    assert!(table.contains("no: the input"), "{table}");
}

#[test]
fn a_layer_of_unknown_type_that_reads_nothing_is_a_source() {
    let deploy = file("data-layer-of-unknown-type/net.prototxt");
    is_pushable(&inspected(&[&deploy, "--input-shape", "1,1,8,8"]), "c1", &[2, 6, 6]);
    let output = run(&["inspect", &deploy]);
    assert!(said(&output).contains("3 x 227 x 227 is assumed") && said(&output).contains("--input-shape"));
}

#[test]
fn values_of_forks_put_only_their_layer_in_doubt() {
    for name in ["loss", "engine", "v1bn"] {
        let layers = inspected(&[&file(&format!("enum-value-of-a-fork/{name}.prototxt"))]);
        is_pushable(&layers, "c1", &[2, 6, 6]);
    }
}

#[test]
fn a_bare_input_beside_a_layer_is_dropped() {
    let layers = inspected(&[&file("input-field-without-shape/net.prototxt")]);
    assert_eq!((layers[0].1.as_slice(), layers.len()), (&[1, 8, 8][..], 2));
    is_pushable(&layers, "c1", &[2, 6, 6]);
}

#[test]
fn inspect_says_what_optimize_does() {
    let case = |name: &str| file(&format!("inspect-says-yes-optimize-says-no/{name}"));
    let layers = inspected(&[&case("two.prototxt"), "--net-weights", &case("two.caffemodel")]);
    is_not_pushable(&layers, "h");
    is_not_pushable(&layers, "f");
    is_pushable(&layers, "p", &[2]);
    let layers = inspected(&[&case("inplace.prototxt"), "--net-weights", &case("short.caffemodel")]);
    is_not_pushable(&layers, "c1");
}

#[test]
fn a_metric_without_labels_stops_nothing() {
    is_pushable(
        &inspected(&[&file("metric-without-label/net.prototxt")]),
        "c1",
        &[2, 6, 6],
    );
}

#[test]
fn other_spellings_of_the_rounding_mode_count() {
    let case = |name: &str| file(&format!("pool-ceil-mode/{name}"));
    let layers = inspected(&[&case("net.prototxt"), "--net-weights", &case("w.caffemodel")]);
    is_pushable(&layers, "p1", &[2, 2, 2]);
    is_pushable(&layers, "fc", &[3]);
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(case("net.prototxt")).unwrap();
    let deploy = folder.path().join("net.prototxt");
    std::fs::write(&deploy, text.replace("ceil_mode: false", "round_below: true")).unwrap();
    is_pushable(&inspected(&[deploy.to_str().unwrap()]), "p1", &[2, 2, 2]);
}

#[test]
fn masks_of_pooling_lead_unpooling() {
    let layers = inspected(&[&file("pooling-mask-blocks-pooling/net.prototxt")]);
    is_pushable(&layers, "p1", &[2, 3, 3]);
    is_pushable(&layers, "c2", &[2, 3, 3]);
    is_pushable(&layers, "up", &[2, 6, 6]);
}

#[test]
fn training_prototxts_take_a_shape() {
    for (name, layer) in [("train", "c1"), ("digits", "c1")] {
        let deploy = file(&format!("training-prototxt-without-test-data/{name}.prototxt"));
        is_pushable(&inspected(&[&deploy, "--input-shape", "1,1,8,8"]), layer, &[2, 6, 6]);
        refused(
            &run(&["inspect", &deploy]),
            &["rules leave out", "data\"", "--input-shape"],
        );
    }
}

#[test]
fn generations_mixed_up_are_told_with_the_remedy() {
    for name in ["a", "b"] {
        let output = run(&["inspect", &file(&format!("v1-and-current-mixed/{name}.prototxt"))]);
        refused(&output, &["as type: CONVOLUTION", "as type: \"Convolution\""]);
    }
}

#[test]
fn wrong_files_are_named() {
    let case = |name: &str| file(&format!("wrong-file-hints/{name}"));
    let net = case("net.prototxt");
    for (weights, expected) in [
        ("lfs.caffemodel", "git lfs pull"),
        ("page.caffemodel", "a web page"),
        ("weights.h5", "an HDF5 file"),
        ("net.prototxt", "swapped"),
    ] {
        refused(
            &run(&["inspect", "--deploy-proto", &net, "--net-weights", &case(weights)]),
            &[expected],
        );
    }
    for (deploy, expected) in [
        ("w.caffemodel", "swapped"),
        ("page.prototxt", "a web page"),
        ("solver.prototxt", "a solver's prototxt"),
    ] {
        refused(&run(&["inspect", "--deploy-proto", &case(deploy)]), &[expected]);
    }
}

/// A bias that the prototxt has not is refused as in Caffe, and taken when told.
#[test]
fn surplus_blobs_are_refused_or_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let deploy = folder.path().join("net.prototxt");
    let text = std::fs::read_to_string(file("pool-ceil-mode/net.prototxt")).unwrap();
    std::fs::write(&deploy, text.replace("num_output: 2", "num_output: 2 bias_term: false")).unwrap();
    let weights = file("pool-ceil-mode/w.caffemodel");
    let all = [
        "inspect",
        "--deploy-proto",
        deploy.to_str().unwrap(),
        "--net-weights",
        &weights,
    ];
    refused(
        &run(&all),
        &["layer \"c1\" (Convolution)", "1 blob", "2 blobs", "--lenient"],
    );
    let output = run(&[&all[..], &["--lenient"]].concat());
    worked(&output);
    assert!(said(&output).contains("the rest is not used"), "{}", said(&output));
}

#[test]
fn unknown_settings_are_shown_beside_the_layer_and_strictly_refused() {
    let folder: &Path = &tempfile::tempdir().unwrap().keep();
    let deploy = folder.join("net.prototxt");
    let text = std::fs::read_to_string(file("pool-ceil-mode/net.prototxt")).unwrap();
    std::fs::write(&deploy, text.replace("stride: 2", "stride: 2 twist: 7")).unwrap();
    let output = run(&["inspect", deploy.to_str().unwrap()]);
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        table.contains("it may compute otherwise: pooling_param.twist"),
        "{table}"
    );
    refused(
        &run(&["inspect", deploy.to_str().unwrap(), "--strict"]),
        &["pooling_param.twist"],
    );
    std::fs::remove_dir_all(folder).unwrap();
}

/// What does not fit the memory that may be used is refused before it is taken: unfolded patches, transforms, and all images
/// that climb together; and nothing large is made to learn a shape.
#[test]
fn memory_is_one_number() {
    let folder = tempfile::tempdir().unwrap();
    let net = |name: &str, layer: &str| {
        let path = folder.path().join(name);
        let text = format!("layer {{ name: 'data' type: 'Input' top: 'data' input_param {{ shape {{ {layer}\n");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let conv = net(
        "conv.prototxt",
        "dim: 1 dim: 1 dim: 2000 dim: 2000 } } } layer { name: 'y' type: 'Convolution' bottom: 'data' top: 'y' \
         convolution_param { num_output: 1 kernel_size: 31 pad: 15 bias_term: false } }",
    );
    // 961 weights of 0, as a caffemodel: NetParameter.layer (100) { name (1), type (2), blobs (7) { data (5), shape (7) } }.
    let field = |number: u8, bytes: &[u8]| {
        let mut all = vec![number << 3 | 2];
        let mut len = bytes.len();
        while len > 127 {
            all.push(u8::try_from(len & 127).unwrap() | 128);
            len >>= 7;
        }
        all.push(u8::try_from(len).unwrap());
        all.extend(bytes);
        all
    };
    let shape = field(7, &field(1, &[1, 1, 31, 31]));
    let blob = [shape, field(5, &[0; 961 * 4])].concat();
    let layer = [field(1, b"y"), field(2, b"Convolution"), field(7, &blob)].concat();
    let mut weights = vec![0xa2, 0x06];
    weights.extend(&field(0, &layer)[1..]);
    let weights_path = folder.path().join("y.caffemodel");
    std::fs::write(&weights_path, weights).unwrap();
    let weights = weights_path.to_str().unwrap();
    let all = [
        "--deploy-proto",
        &conv,
        "--net-weights",
        weights,
        "--backend",
        "flex",
        "--max-memory",
    ];
    let climb = [
        "--push-layer",
        "y",
        "--push-channel",
        "0",
        "--max-iter",
        "1",
        "--mean",
        "None",
    ];
    let optimize = |memory: &str| {
        let words = [&["optimize"], &all[..], &[memory], &climb[..]].concat();
        deepvis(folder.path(), &words)
    };
    // Unfolded, an image has 31 x 31 times as many entries: 15 GB.
    refused(&optimize("8G"), &["does not fit the memory", "15.5 GB", "--max-memory"]);
    refused(&optimize("64M"), &["does not fit the memory", "--max-memory"]);

    let pool = net(
        "pool.prototxt",
        "dim: 1 dim: 4 dim: 13 dim: 14 } } } layer { name: 'y' type: 'Pooling' bottom: 'data' top: 'y' \
         pooling_param { pool: MAX kernel_size: 2 stride: 16777216 } }",
    );
    is_pushable(&inspected(&[&pool]), "y", &[4, 2, 2]);

    let transposed = net(
        "transposed.prototxt",
        "dim: 1 dim: 16777216 dim: 1 dim: 1 } } } layer { name: 'y' type: 'InnerProduct' bottom: 'data' top: 'y' \
         inner_product_param { num_output: 100 bias_term: false transpose: true } }",
    );
    let output = run(&[
        "inspect",
        "--json",
        "--max-memory",
        "16G",
        "--deploy-proto",
        &transposed,
    ]);
    worked(&output);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let bytes = report["bytes"]["one"].as_u64().unwrap();
    // 1,677,721,600 weights of 4 bytes.
    assert!((6_700_000_000..10_000_000_000).contains(&bytes), "{bytes}");
    let table = String::from_utf8(run(&["inspect", "--deploy-proto", &transposed]).stdout).unwrap();
    assert!(table.contains("memory: about"), "{table}");
}

/// Images are taken as the network's own data layer says, (128 - 28) * 0.00390625, unless something else is said; an import keeps
/// it.
#[test]
fn images_are_taken_as_the_data_layer_says() {
    let case = |name: &str| file(&format!("input-scale/{name}"));
    let folder = tempfile::tempdir().unwrap();
    let (deploy, weights, grey) = (case("net.prototxt"), case("w.caffemodel"), case("g128.png"));
    let seen = |network: &[&str], more: &[&str]| {
        let rest = [
            "--input",
            &grey,
            "--layer",
            "c1",
            "--output-dir",
            "out",
            "--backend",
            "flex",
            "--brave",
        ];
        let output = deepvis(folder.path(), &[&["forward"], network, &rest[..], more].concat());
        worked(&output);
        (
            npy32(&folder.path().join("out/output.npy")).into_iter().next().unwrap(),
            said(&output),
        )
    };
    let caffe = ["--deploy-proto", &deploy, "--net-weights", &weights];
    let (value, said_of_it) = seen(&caffe, &[]);
    assert_eq!(value, 0.390_625);
    assert!(
        said_of_it.contains("as layer \"data\" says: less the mean 28, times 0.00390625"),
        "{said_of_it}"
    );
    assert_eq!(seen(&caffe, &["--input-scale", "1"]).0, 100.0);
    assert_eq!(seen(&caffe, &["--mean", "None"]).0, 0.5);
    assert_eq!(seen(&caffe, &["--mean", "None", "--input-scale", "1"]).0, 128.0);
    worked(&deepvis(folder.path(), &["import", &deploy, &weights, "-o", "net.bpk"]));
    assert_eq!(seen(&["--net-weights", "net.bpk"], &[]).0, 0.390_625);
    let output = run(&["inspect", &deploy, "--net-weights", &weights]);
    assert!(said(&output).contains("less the mean 28"), "{}", said(&output));

    // A mean's file is looked for beside the prototxt, by its name.
    let text = std::fs::read_to_string(&deploy).unwrap();
    let other = folder.path().join("net.prototxt");
    std::fs::write(
        &other,
        text.replace("mean_value: 28", "mean_file: 'data/ilsvrc12/one.npy'"),
    )
    .unwrap();
    let caffe = ["--deploy-proto", other.to_str().unwrap(), "--net-weights", &weights];
    let (value, said_of_it) = seen(&caffe, &[]);
    assert_eq!(value, 0.5);
    assert!(
        said_of_it.contains("data/ilsvrc12/one.npy, which is not here"),
        "{said_of_it}"
    );
    ndarray_npy::write_npy(folder.path().join("one.npy"), &ndarray::arr1(&[64.0f64])).unwrap();
    assert_eq!(seen(&caffe, &[]).0, 0.25);
}

/// A layer is named once.
#[test]
fn a_message_says_it_once() {
    let case = |name: &str| file(&format!("message-says-it-twice/{name}"));
    let output = run(&[
        "optimize",
        "--backend",
        "flex",
        "--deploy-proto",
        &case("net.prototxt"),
        "--net-weights",
        &case("w.caffemodel"),
        "--data-size",
        "(10,10)",
        "--push-layer",
        "fc",
        "--push-channel",
        "0",
        "--mean",
        "None",
    ]);
    refused(
        &output,
        &["its weight should have shape", "fixes the size of the image"],
    );
    assert_eq!(said(&output).matches("layer \"fc\"").count(), 1, "{}", said(&output));
}

/// A mean as pycaffe's `Transformer` takes it: rows x columns for one channel, one value a channel as an array; a picture is none.
#[test]
fn means_come_in_many_forms() {
    let case = |name: &str| file(&format!("mean-forms/{name}"));
    use deepvis::model::Mean;
    let rows = Mean::parse(&case("hw28.npy")).unwrap();
    assert_eq!(rows.for_image([1, 28, 28]).unwrap().len(), 784);
    for name in ["c11.npy", "one.binaryproto"] {
        let mean = Mean::parse(&case(name)).unwrap().for_image([3, 2, 2]).unwrap();
        assert_eq!(mean.len(), 12, "{name}");
        assert!(mean[..4].iter().all(|value| *value == mean[0]), "{name}");
    }
    let error = Mean::parse(&file("input-scale/g128.png")).unwrap_err().to_string();
    assert!(error.contains("picture") && error.contains(".npy"), "{error}");
}

/// Any number of units may be asked for at once; that crops take the place of units is no lack of memory.
#[test]
fn a_batch_is_as_large_as_fits() {
    let folder = tempfile::tempdir().unwrap();
    let fc7 = "optimize --model demo --backend flex --push-layer fc7 --push-channel 0 --skipbig";
    let climb = |rest: &str| {
        let output = deepvis(folder.path(), &words(&format!("{fc7} {rest}")));
        worked(&output);
        said(&output)
    };
    let most = usize::MAX.to_string();
    let much = climb(&format!(
        "--max-iter 1 --max-memory 1G --batch-size {most} --output-prefix a/x"
    ));
    assert!(much.contains(&format!("{most} units at once are too much")), "{much}");
    let crops = climb("--preset maco --max-iter 1 --batch-size 8 --output-prefix b/x");
    assert!(!crops.contains("too much"), "{crops}");
}
