//! Networks whose parts are each in order, and that hurt nevertheless: little that asks for much, and what a front end would not
//! write but a file may hold.

use std::path::Path;

use deepvis_importer::graph::{Convolution, Layer, LayerKind, Origin, Pads, Target, Unary};
use deepvis_importer::{Graph, Import, StoredTensor, Weights};

use crate::program::{deepvis, refused, said, words, worked};

/// A network of an image of 4 x 13 x 14 and one layer `y`, as one file.
fn pack(folder: &Path, kind: LayerKind, targets: &[(&str, usize, usize)], weights: &[(&str, &[usize])]) {
    let layer = |name: &str, kind, inputs: &[usize], output| Layer {
        name: name.into(),
        type_name: name.into(),
        kind,
        inputs: inputs.to_vec(),
        outputs: vec![output],
    };
    let input = LayerKind::Input {
        shape: Some([1, 4, 13, 14].map(Some).to_vec()),
    };
    let graph = Graph {
        values: vec!["data".into(), "y".into()],
        layers: vec![layer("data", input, &[], 0), layer("y", kind, &[0], 1)],
        targets: targets
            .iter()
            .map(|(name, value, pushed)| Target {
                name: (*name).into(),
                value: *value,
                pushed: *pushed,
            })
            .collect(),
        ..Graph::default()
    };
    let tensors = weights.iter().map(|(name, shape)| {
        let values = (0..shape.iter().product()).map(|i| (i % 7) as f32 * 0.1).collect();
        ((*name).to_owned(), StoredTensor::from_values(shape.to_vec(), values))
    });
    let import = Import {
        graph,
        weights: Weights::new(tensors.collect(), "crafted".into()),
        warnings: Vec::new(),
        doubts: Vec::new(),
        transform: None,
    };
    deepvis_importer::record::write(&import, &folder.join("n.bpk"), true, |_| ()).unwrap();
}

const CLIMB: &str = "optimize --backend flex --net-weights n.bpk --push-layer y --push-channel 0 --rand-seed 0-2 --max-iter 2 \
                     --output-prefix r/x";

/// What is constant in steps has no way back: its gradient is 0, and that is said.
#[test]
fn a_unit_without_a_way_back_is_flat() {
    let folder = tempfile::tempdir().unwrap();
    for function in [Unary::Not, Unary::Sign, Unary::Floor] {
        pack(folder.path(), LayerKind::Unary(function), &[("y", 1, 1)], &[]);
        let output = deepvis(folder.path(), &words(&format!("{CLIMB} --brave")));
        assert_eq!(output.status.code(), Some(1), "{function:?}: {}", said(&output));
        assert_eq!(
            said(&output).matches("the gradient is 0").count(),
            3,
            "{}",
            said(&output)
        );
    }
}

/// A convolution of single pixels with zeros behind the last one alone.
#[test]
fn zeros_on_one_side_of_single_pixels_are_computed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Convolution {
        weight: "w".into(),
        bias: None,
        num_output: 2,
        kernel: [1, 1],
        stride: [1, 1],
        pads: Pads {
            begin: [0, 0],
            end: [2, 1],
        },
        dilation: [1, 1],
        group: 1,
    };
    let weights: &[(&str, &[usize])] = &[("w", &[2, 4, 1, 1])];
    pack(folder.path(), LayerKind::Convolution(settings), &[("y", 1, 1)], weights);
    worked(&deepvis(folder.path(), &words(CLIMB)));
}

/// A name that stands for a value of one shape, and is pushed at one of another.
#[test]
fn what_is_read_is_of_the_shape_that_is_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let kind = LayerKind::Flatten { axis: 1, end_axis: -1 };
    pack(folder.path(), kind, &[("y", 1, 0)], &[]);
    refused(
        &deepvis(folder.path(), &words(CLIMB)),
        &["\"y\"", "[1, 4, 13, 14]", "[1, 728]", "another layer"],
    );
}

/// The mean of an image that does not fit is not made before it is refused.
#[cfg(target_os = "linux")]
#[test]
fn an_image_that_does_not_fit_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let net = "input: 'data' input_shape { dim: 1 dim: 4 dim: 13 dim: 1048576 } \
               layer { name: 'y' type: 'ReLU' bottom: 'data' top: 'y' }";
    std::fs::write(folder.path().join("d.prototxt"), net).unwrap();
    std::fs::write(folder.path().join("w.caffemodel"), b"\x0a\x01n").unwrap();
    let line = "optimize --backend flex --max-memory 256M --deploy-proto d.prototxt --net-weights w.caffemodel --push-layer y \
                --push-channel 0 --max-iter 1 --output-prefix r/x";
    // 218 MB of numbers: their mean in float64 alone is beyond what the shell lets it have.
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 700000; exec \"$@\"", "sh"])
        .arg(assert_cmd::cargo::cargo_bin("deepvis"))
        .args(words(line))
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .unwrap();
    refused(&output, &["an input of [4, 13, 1048576]", "does not fit"]);
}

/// What a file says of its images is believed where it is seen to be so: here, that they can go together through layers that mix
/// them, or put them in another order.
#[test]
fn images_go_together_where_they_are_seen_to() {
    let kinds = [
        (
            "the batch as channels",
            LayerKind::Permute {
                order: vec![1, 0, 2, 3],
            },
            false,
        ),
        ("the batch over and over", LayerKind::Tile { axis: 0, tiles: 3 }, false),
        ("each by itself", LayerKind::BatchStatistics { eps: 1e-5 }, true),
    ];
    for (what, kind, is_apart) in kinds {
        let folder = tempfile::tempdir().unwrap();
        pack(folder.path(), kind, &[("y", 1, 1)], &[]);
        let path = folder.path().join("n.bpk");
        let mut import = deepvis_importer::record::open(&path).unwrap();
        import.graph.origin = Origin::Onnx;
        deepvis_importer::record::write(&import, &path, true, |_| ()).unwrap();
        let output = deepvis(folder.path(), &words(CLIMB));
        worked(&output);
        let is_told = said(&output).contains("mixes the images of a batch, so units climb one at a time");
        assert_eq!(is_told, !is_apart, "{what}: {}", said(&output));
        assert!(!said(&output).contains("internal error"), "{what}: {}", said(&output));
        // Crops of one image would be mixed, too.
        let crops = format!(
            "{} --preset maco --crops 2",
            CLIMB.replace("0-2", "0").replace("r/x", "r/crops")
        );
        let crops = deepvis(folder.path(), &words(&crops));
        if is_apart {
            worked(&crops);
        } else {
            refused(&crops, &["mixes the images of a batch", "one crop"]);
        }
        let alone = CLIMB.replace("0-2", "1").replace("r/x", "r/alone");
        worked(&deepvis(folder.path(), &words(&alone)));
        let picture =
            |prefix: &str| std::fs::read(folder.path().join(format!("r/{prefix}_y_0000_1_best_X.jpg"))).unwrap();
        assert_eq!(picture("x"), picture("alone"), "{what}");
    }
}
