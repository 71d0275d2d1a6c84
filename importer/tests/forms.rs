//! The forms that Caffe's files come in, written here with Caffe's own messages or byte by byte.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use deepvis_importer::caffe::Caffemodel;
use deepvis_importer::caffe::proto::{
    BlobProto, BlobShape, LayerParameter, NetParameter, V0LayerParameter, V1LayerParameter,
};
use deepvis_importer::graph::Rounding;
use deepvis_importer::{Error, LayerKind, import, read_graph, record};
use prost::Message;

const VALUES: [f32; 6] = [1.0, -2.5, 0.375, 4.0, -0.0625, 6.0];

fn with_shape(blob: BlobProto) -> BlobProto {
    BlobProto {
        shape: Some(BlobShape { dim: vec![2, 3] }),
        ..blob
    }
}

fn packed() -> BlobProto {
    with_shape(BlobProto {
        data: VALUES.to_vec(),
        ..BlobProto::default()
    })
}

fn current(name: &str, blob: BlobProto) -> NetParameter {
    NetParameter {
        layer: vec![LayerParameter {
            name: Some(name.into()),
            blobs: vec![blob],
            ..LayerParameter::default()
        }],
        ..NetParameter::default()
    }
}

fn written(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("net.caffemodel");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn values(bytes: &[u8]) -> (Vec<usize>, Vec<f32>) {
    let folder = tempfile::tempdir().unwrap();
    let weights = Caffemodel::open(&written(folder.path(), bytes)).unwrap();
    let blob = &weights.of("fc")[0];
    assert_eq!(burn_floats(blob), blob.values().unwrap());
    (blob.shape().to_vec(), blob.values().unwrap())
}

/// The blob as burn gets it.
fn burn_floats(blob: &deepvis_importer::StoredTensor) -> Vec<f32> {
    blob.bytes()
        .unwrap()
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_ne_bytes(*b))
        .collect()
}

#[test]
fn numbers_are_read_in_every_precision() {
    let double = with_shape(BlobProto {
        double_data: VALUES.iter().map(|v| f64::from(*v)).collect(),
        ..BlobProto::default()
    });
    let half = with_shape(BlobProto {
        raw_data_type: Some(2),
        raw_data: Some(
            VALUES
                .iter()
                .flat_map(|v| half::f16::from_f32(*v).to_le_bytes())
                .collect(),
        ),
        ..BlobProto::default()
    });
    for blob in [packed(), double, half] {
        assert_eq!(
            values(&current("fc", blob).encode_to_vec()),
            (vec![2, 3], VALUES.to_vec())
        );
    }
}

#[test]
fn old_shapes_and_old_layers_are_read() {
    let legacy = BlobProto {
        num: Some(1),
        channels: Some(1),
        height: Some(2),
        width: Some(3),
        data: VALUES.to_vec(),
        ..BlobProto::default()
    };
    let v1 = NetParameter {
        layers: vec![V1LayerParameter {
            name: Some("fc".into()),
            blobs: vec![legacy.clone()],
            ..V1LayerParameter::default()
        }],
        ..NetParameter::default()
    };
    let v0 = NetParameter {
        layers: vec![V1LayerParameter {
            layer: Some(V0LayerParameter {
                name: Some("fc".into()),
                blobs: vec![legacy],
                ..V0LayerParameter::default()
            }),
            ..V1LayerParameter::default()
        }],
        ..NetParameter::default()
    };
    for net in [v1, v0] {
        assert_eq!(values(&net.encode_to_vec()), (vec![1, 1, 2, 3], VALUES.to_vec()));
    }
}

/// A length-delimited field.
fn field(number: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_varint(u64::from(number << 3 | 2), &mut bytes);
    prost::encoding::encode_varint(payload.len() as u64, &mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

#[test]
fn numbers_written_one_by_one_are_read() {
    let mut blob = field(7, &[0x08, 2, 0x08, 3]);
    for value in VALUES {
        blob.push(5 << 3 | 5);
        blob.extend(value.to_le_bytes());
    }
    let layer = [field(1, b"fc"), field(7, &blob)].concat();
    assert_eq!(values(&field(100, &layer)), (vec![2, 3], VALUES.to_vec()));
}

#[test]
fn a_packed_field_may_come_in_parts() {
    let bytes: Vec<u8> = VALUES.iter().flat_map(|value| value.to_le_bytes()).collect();
    let blob = [field(7, &[0x0a, 2, 2, 3]), field(5, &bytes[..8]), field(5, &bytes[8..])].concat();
    let layer = [field(1, b"fc"), field(7, &blob)].concat();
    assert_eq!(values(&field(100, &layer)), (vec![2, 3], VALUES.to_vec()));
}

#[test]
fn of_two_layers_of_one_name_the_last_counts() {
    let mut net = current(
        "fc",
        with_shape(BlobProto {
            data: vec![0.0; 6],
            ..BlobProto::default()
        }),
    );
    net.layer.extend(current("fc", packed()).layer);
    assert_eq!(values(&net.encode_to_vec()).1, VALUES);
}

#[test]
fn shapes_and_numbers_must_agree() {
    let folder = tempfile::tempdir().unwrap();
    let short = with_shape(BlobProto {
        data: vec![0.0; 5],
        ..BlobProto::default()
    });
    let path = written(folder.path(), &current("fc", short).encode_to_vec());
    let error = Caffemodel::open(&path).unwrap_err().to_string();
    assert!(error.contains("shape [2, 3] with 5 numbers"), "{error}");
}

/// A sparse file of over 4 GiB: what lies before the last layer is skipped, not read.
#[test]
fn files_over_two_gib_are_read() {
    const HOLE: u64 = 5 << 30;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.caffemodel");
    let mut file = std::fs::File::create(&path).unwrap();
    let mut head = Vec::new();
    prost::encoding::encode_varint(u64::from(999u32 << 3 | 2), &mut head);
    prost::encoding::encode_varint(HOLE, &mut head);
    file.write_all(&head).unwrap();
    file.seek(SeekFrom::Current(i64::try_from(HOLE).unwrap())).unwrap();
    file.write_all(&current("fc", packed()).encode_to_vec()).unwrap();
    drop(file);
    let weights = Caffemodel::open(&path).unwrap();
    assert_eq!(weights.of("fc")[0].values().unwrap(), VALUES);
}

const DEPLOY: &str = "input: 'data' input_shape { dim: 1 dim: 3 }
    layer { name: 'fc' type: 'InnerProduct' bottom: 'data' top: 'fc' inner_product_param { num_output: 2 bias_term: false } }
    layer { name: 'other' type: 'InnerProduct' bottom: 'fc' top: 'other' inner_product_param { num_output: 2 } }";

#[test]
fn what_prototxt_and_weights_do_not_share_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let deploy = folder.path().join("deploy.prototxt");
    std::fs::write(&deploy, DEPLOY).unwrap();
    let mut net = current("fc", packed());
    net.layer.extend(current("loss1/fc", packed()).layer);
    let warnings = import(&deploy, &written(folder.path(), &net.encode_to_vec()))
        .unwrap()
        .warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("no weights for other") && warnings[1].contains("weights for loss1/fc"),
        "{warnings:?}"
    );
    let foreign = written(folder.path(), &current("conv1", packed()).encode_to_vec());
    let error = import(&deploy, &foreign).unwrap_err();
    assert!(
        matches!(error, Error::OtherNet { .. }) && error.to_string().contains("conv1"),
        "{error}"
    );
}

#[test]
fn a_burnpack_gives_back_graph_and_weights() {
    let folder = tempfile::tempdir().unwrap();
    let deploy = folder.path().join("deploy.prototxt");
    std::fs::write(&deploy, DEPLOY).unwrap();
    let imported = import(
        &deploy,
        &written(folder.path(), &current("fc", packed()).encode_to_vec()),
    )
    .unwrap();
    let pack = folder.path().join("net.bpk");
    record::write(&imported, &pack, false, |_| ()).unwrap();
    let read = record::open(&pack).unwrap();
    assert_eq!(read.graph, imported.graph);
    assert_eq!(
        (
            read.weights.get("fc.weight").unwrap().shape(),
            read.weights.get("fc.weight").unwrap().values().unwrap()
        ),
        (&[2, 3][..], VALUES.to_vec())
    );
    assert!(
        record::write(&imported, &pack, false, |_| ())
            .unwrap_err()
            .to_string()
            .contains("exists already")
    );
    let whole = std::fs::read(&pack).unwrap();
    for len in [0, 9, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&pack, &whole[..len]).unwrap();
        assert!(record::open(&pack).is_err(), "{len} of {} bytes", whole.len());
    }
}

#[test]
fn a_training_prototxt_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train_val.prototxt");
    let text = "
        layer { name: 'data' type: 'Data' top: 'data' top: 'label' include { phase: TRAIN }
                transform_param { mirror: true crop_size: 24 } data_param { source: 'x' batch_size: 256 backend: LMDB } }
        layer { name: 'data' type: 'Data' top: 'data' top: 'label' include { phase: TEST }
                data_param { source: 'y' batch_size: 50 backend: LMDB } }
        layer { name: 'fc' type: 'InnerProduct' bottom: 'data' top: 'fc' param { lr_mult: 1 }
                inner_product_param { num_output: 2 weight_filler { type: 'gaussian' std: 0.01 } } }
        layer { name: 'accuracy' type: 'Accuracy' bottom: 'fc' bottom: 'label' top: 'accuracy' include { phase: TEST }
                accuracy_param { top_k: 5 } }
        layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'fc' bottom: 'label' top: 'loss' }";
    std::fs::write(&path, text).unwrap();
    let (mut graph, warnings) = read_graph(&path).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let kinds: Vec<&LayerKind> = graph.layers.iter().map(|layer| &layer.kind).collect();
    assert!(matches!(kinds[0], LayerKind::Input { shape: None }));
    assert!(matches!(kinds[3], LayerKind::Softmax { axis: 1 }));
    graph.set_input_shape(&[1, 3, 32, 32]);
    assert_eq!(
        graph.layers[0].kind,
        LayerKind::Input {
            shape: Some([1, 3, 32, 32].map(Some).to_vec())
        }
    );
}

#[test]
fn a_dangling_bottom_is_named_with_the_nearest_blob() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deploy.prototxt");
    std::fs::write(&path, DEPLOY.replace("bottom: 'fc'", "bottom: 'fcc'")).unwrap();
    let (graph, warnings) = read_graph(&path).unwrap();
    let told = warnings.join("\n");
    assert!(told.contains("1 layer") && told.contains("left out"), "{told}");
    let other = graph.layers.iter().find(|layer| layer.name == "other").unwrap();
    let LayerKind::Unsupported { reason: Some(reason) } = &other.kind else {
        panic!("{other:?}");
    };
    assert!(
        reason.contains("\"fcc\"") && reason.contains("did you mean fc"),
        "{reason}"
    );
}

#[test]
fn layers_of_one_name_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deploy.prototxt");
    std::fs::write(&path, DEPLOY.replace("name: 'other'", "name: 'fc'")).unwrap();
    let (_, warnings) = read_graph(&path).unwrap();
    assert!(
        warnings.len() == 1 && warnings[0].contains("several layers are named \"fc\""),
        "{warnings:?}"
    );
}

/// Unknown fields are found in one walk, however many there are.
#[test]
fn very_many_unknown_fields_are_refused_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deploy.prototxt");
    std::fs::write(&path, "odd: 1\n".repeat(1 << 20)).unwrap();
    let error = read_graph(&path).unwrap_err().to_string();
    assert!(error.contains("no layers"), "{error}");
}

/// How Caffe rounds the size of what is pooled: up, unless `round_mode` says otherwise.
#[test]
fn pooled_sizes_are_rounded_as_the_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deploy.prototxt");
    for (said, expected) in [
        ("", Rounding::Ceil),
        ("round_mode: CEIL", Rounding::Ceil),
        ("round_mode: FLOOR", Rounding::Floor),
    ] {
        let text = format!(
            "layer {{ name: 'data' type: 'Input' top: 'data' input_param {{ shape {{ dim: 1 dim: 1 dim: 5 dim: 5 }} }} }}
             layer {{ name: 'pool' type: 'Pooling' bottom: 'data' top: 'pool' pooling_param {{ kernel_size: 2 stride: 2 {said} }} }}"
        );
        std::fs::write(&path, text).unwrap();
        let (graph, warnings) = read_graph(&path).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let LayerKind::Pooling(pooling) = &graph.layers[1].kind else {
            panic!("{:?}", graph.layers[1].kind)
        };
        assert_eq!(pooling.rounding, expected, "{said}");
    }
}
