//! Damaged files of every kind that is read, by a seeded loop: it ends in a value or an error, never in a panic, and soon.
//!
//! `cargo test --release --test it fuzz -- --ignored` runs each for `DEEPVIS_FUZZ_SECONDS` (600 unless set). The importer's
//! readers have targets for `cargo fuzz` too (`importer/fuzz`).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use deepvis::ascent::{Recipe, Record};
use deepvis::model::{Settings, npy, toolbox};
use deepvis::objective::Expression;
use deepvis::output::checkpoint;
use deepvis::python::{Value, literal, template};
use deepvis::transform::Transforms;
use deepvis_importer::caffe::{Caffemodel, convert, text, upgrade};
use rand_mt::Mt;

use crate::support::repository;

/// Damages of the short run.
const FEW: u64 = 2000;
/// The longest that one input may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What damages are put together of: figures and signs that files of these kinds are made of.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x80\x80\x80\x80\x01",
    b"18446744073709551615",
    b"-1",
    b"1e999",
    b"nan",
    b"0",
    b"{",
    b"}",
    b"(",
    b")",
    b"[",
    b"]",
    b"'",
    b"\"",
    b"\\",
    b"%(p.x)d",
    b"dim: 0",
    b"layer {",
    b"shape",
    b"<f8",
    b"**",
    b"=",
    b"\n",
    b"#",
    b"..",
    b",",
    b"x",
    b"*",
    b"-",
    b" reflect",
    b", row=1",
    b", power=2",
    b", image=1",
];

/// Damages one of `corpus` in one to six places.
fn damaged(corpus: &[Vec<u8>], random: &mut Mt) -> Vec<u8> {
    let mut below = |sides: usize| random.next_u32() as usize % sides.max(1);
    let mut bytes = corpus[below(corpus.len())].clone();
    for _ in 0..=below(6) {
        let (at, len) = (below(bytes.len()), below(40));
        let end = (at + len).min(bytes.len());
        match below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << below(8),
            1 if !bytes.is_empty() => bytes[at] = below(256) as u8,
            2 => bytes.truncate(at),
            3 => {
                let part = bytes[at.min(end)..end].to_vec();
                bytes.splice(at..at, part);
            }
            4 => {
                bytes.drain(at.min(end)..end);
            }
            5 => {
                let other = &corpus[below(corpus.len())];
                let from = below(other.len());
                let part = other[from..(from + len).min(other.len())].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                bytes.splice(at..at, PIECES[below(PIECES.len())].iter().copied());
            }
        }
    }
    bytes
}

/// Runs `check` on damaged files: `FEW` of them, or for as long as the environment says.
fn fuzz(name: &str, long: bool, corpus: &[Vec<u8>], mut check: impl FnMut(&[u8]) -> bool) {
    let seconds = std::env::var("DEEPVIS_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let until = Duration::from_secs(seconds.unwrap_or(600));
    let mut random = Mt::new(20_151_119);
    let (begun, mut done, mut taken, mut longest) = (Instant::now(), 0u64, 0u64, Duration::ZERO);
    while if long { begun.elapsed() < until } else { done < FEW } {
        let bytes = damaged(corpus, &mut random);
        let at = Instant::now();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&bytes)));
        let took = at.elapsed();
        let is_taken = result.unwrap_or_else(|_| {
            let place = std::env::temp_dir().join(format!("deepvis-fuzz-{name}"));
            std::fs::write(&place, &bytes).unwrap();
            panic!("{name}: input {done} panics; it is in {}", place.display())
        });
        assert!(took < PATIENCE, "{name}: input {done} takes {took:?}");
        longest = longest.max(took);
        taken += u64::from(is_taken);
        done += 1;
    }
    eprintln!("{name}: {done} inputs, {taken} of them taken, the longest took {longest:?}");
    assert!(
        taken > 0 && taken < done,
        "{name}: {taken} of {done} inputs were taken: it damages too little or too much"
    );
}

/// The same of texts; what is none any more is refused.
fn fuzz_texts(name: &str, long: bool, corpus: &[&str], check: impl Fn(&str) -> bool) {
    let corpus: Vec<Vec<u8>> = corpus.iter().map(|text| text.as_bytes().to_vec()).collect();
    fuzz(name, long, &corpus, |bytes| {
        std::str::from_utf8(bytes).is_ok_and(&check)
    });
}

fn fixtures(file: &str) -> Vec<Vec<u8>> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(repository("tests/fixtures/layers"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join(file))
        .filter(|path| path.is_file())
        .collect();
    cases.sort();
    let read = |path: PathBuf| std::fs::read(path).unwrap();
    cases
        .into_iter()
        .map(read)
        .filter(|bytes| bytes.len() < 20_000)
        .collect()
}

fn prototxt(long: bool) {
    let path = Path::new("fuzzed");
    fuzz("prototxt", long, &fixtures("deploy.prototxt"), |bytes| {
        std::str::from_utf8(bytes).is_ok_and(|text| {
            text::parse_net(text.to_owned(), path)
                .and_then(|parsed| upgrade::to_current(parsed.net, path))
                .and_then(|net| convert::graph(&net))
                .is_ok()
        })
    });
}

fn caffemodel(long: bool) {
    fuzz("caffemodel", long, &fixtures("weights.caffemodel"), |bytes| {
        let index = Caffemodel::index(std::io::Cursor::new(bytes), bytes.len() as u64, Path::new("fuzzed"));
        index.is_ok_and(|weights| {
            let held: usize = weights
                .layers()
                .flat_map(|(_, blobs)| blobs)
                .map(|blob| blob.count())
                .sum();
            assert!(held <= bytes.len());
            true
        })
    });
}

fn burnpack(long: bool) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("fuzzed.bpk");
    let mut corpus = Vec::new();
    for case in [
        "conv_plain",
        "v1_alexnet_style",
        "crop",
        "lrn_within",
        "pool_rect",
        "reduction",
    ] {
        let case = repository("tests/fixtures/layers").join(case);
        let import = deepvis_importer::import(&case.join("deploy.prototxt"), &case.join("weights.caffemodel")).unwrap();
        deepvis_importer::record::write(&import, &place, true, |_| ()).unwrap();
        corpus.push(std::fs::read(&place).unwrap());
    }
    fuzz("burnpack", long, &corpus, |bytes| {
        std::fs::write(&place, bytes).unwrap();
        deepvis_importer::record::open(&place).is_ok_and(|import| {
            inspect(&import);
            true
        })
    });
}

/// Works out shapes of what was let through, as `deepvis inspect` does.
fn inspect(import: &deepvis_importer::Import) {
    let size = deepvis::network::InputSize::Declared;
    deepvis::network::survey(&import.graph, Some(&import.weights), size, 1 << 20);
}

/// Each is opened as `deepvis inspect` does, with all shapes, and the weights are read that are in it.
fn onnx(long: bool) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("fuzzed.onnx");
    let mut files: Vec<PathBuf> = std::fs::read_dir(repository("tests/fixtures/onnx"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "onnx"))
        .collect();
    if let Some(cases) = crate::support::shared("onnx/cases") {
        let cases = std::fs::read_dir(cases).unwrap();
        files.extend(cases.map(|entry| entry.unwrap().path().join("model.onnx")));
    }
    files.sort();
    let read = |path: &PathBuf| std::fs::read(path).ok();
    let corpus: Vec<Vec<u8>> = files
        .iter()
        .filter_map(read)
        .filter(|bytes| bytes.len() < 40_000)
        .collect();
    assert!(corpus.len() > 4);
    fuzz("onnx", long, &corpus, |bytes| {
        std::fs::write(&place, bytes).unwrap();
        deepvis_importer::open(&place, Some([8, 8])).is_ok_and(|import| {
            let held: usize = import
                .weights
                .tensors()
                .map(|(_, tensor)| tensor.bytes().map_or(0, |bytes| bytes.len()))
                .sum();
            assert!(held < 1 << 28);
            inspect(&import);
            true
        })
    });
}

fn arrays(long: bool) {
    let npy = |descr: &str, fortran: &str, shape: &str, data: usize| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
        let header = format!("{header:<117}\n");
        [b"\x93NUMPY\x01\x00\x76\x00", header.as_bytes(), &vec![1; data]].concat()
    };
    let corpus = [
        npy("<f4", "False", "(3, 2, 2)", 48),
        npy(">f8", "True", "(3,)", 24),
        npy("|u1", "False", "()", 1),
        npy("<i2", "False", "(1, 3, 1, 1)", 6),
        npy("<f2", "False", "(4,)", 8),
    ];
    fuzz("npy", long, &corpus, |bytes| npy::parse(bytes).is_ok());
}

fn checkpoints(long: bool) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("c.cbor");
    let image = [1, 2, 2];
    let state = |iteration| deepvis::ascent::State {
        x: vec![0.5; 4],
        iteration,
        record: Record::new(vec![0.25; 4], image),
        moments: Vec::new(),
        rate_changes: Vec::new(),
    };
    checkpoint::write(&place, "key", &state(0)).unwrap();
    let whole = std::fs::read(&place).unwrap();
    // The checksum keeps damage out of the state itself, which is fuzzed by itself.
    let mut inner = Vec::new();
    ciborium::into_writer(&state(0), &mut inner).unwrap();
    let mean: std::sync::Arc<[f64]> = vec![0.0; 4].into();
    fuzz("checkpoint", long, &[whole, inner], |bytes| {
        let outer = checkpoint::parse(bytes, Path::new("fuzzed"), "key");
        let inner: Result<deepvis::ascent::State, _> = ciborium::from_reader(bytes);
        let Some(state) = outer.ok().or(inner.ok()) else {
            return false;
        };
        let mut climb = deepvis::ascent::Climb::new(Recipe::of_unit("y", 0), mean.clone(), image, &[1, 1]).unwrap();
        climb.restore(state).is_ok()
    });
}

fn settings(long: bool) {
    let corpus = [
        std::fs::read(repository("models/demo/deepvis.toml")).unwrap(),
        std::fs::read(repository("src/model/settings_template.toml")).unwrap(),
        b"caffe_root = \"a\"\nmean = \"(1,2,3)\"\nlabel_layers = [\"a\"]\npush_channel = 3\n".to_vec(),
        b"caffevis_data_mean = (1,\n 2)\ncaffevis_labels = '%DVT_ROOT%/a' # b\n".to_vec(),
    ];
    fuzz("settings", long, &corpus, |bytes| {
        std::str::from_utf8(bytes).is_ok_and(|text| {
            let root = Path::new("/root");
            let (of_toolbox, _) = toolbox::read(text, root);
            let again = toolbox::text(&of_toolbox);
            assert!(Settings::parse(&again, &root.join("deepvis.toml")).is_ok(), "{again}");
            Settings::parse(text, Path::new("fuzzed")).is_ok()
        })
    });
}

fn flags(long: bool) {
    let corpus = [
        "{'lr': 100.0, 'a': (1, 2)}",
        "dict(lr=10**2, b=-1)",
        "(13/2,6)",
        "1/3. + 2 % 3 // 4",
        "r'a' 'b\\n'",
        "0x1f, 010, 1L",
        "None",
        "%(p.push_layer)s_%(p.push_channel)04d",
        "%(r.best_obj)-+012.3f%%",
    ];
    fuzz_texts("flags", long, &corpus, |text| {
        let values = [
            Value::Int(-7),
            Value::Float(1e300),
            Value::Float32(f32::NAN),
            Value::Str("é".into()),
            Value::None,
        ];
        let filled = values
            .iter()
            .filter(|value| template::fill(text, |_| Some((*value).clone())).is_ok())
            .count();
        let parsed = literal::parse(text).map(|value| (value.str(), value.repr(), value.shown()));
        parsed.is_ok() || filled > 0 && text.contains('%')
    });
}

/// What is taken is written again as what is read as the same.
fn objectives(long: bool) {
    let corpus = [
        "channel(inception_4a/output, 97) + 0.5*neuron(loss3/classifier, flamingo) - 100*diversity(inception_4a/output)",
        "neuron(conv-1, 3, row=2, column=5)",
        "-(channel(a, 1) + 2)*3 - -4",
        "direction_neuron(a, v.npy, row=0, column=1, power=0.5)",
        "caricature(a, photo.jpg, power=1) + inversion(a, photo.jpg) + difference(a, photo.jpg)",
    ];
    fuzz_texts("objectives", long, &corpus, |text| {
        Expression::parse(text).is_ok_and(|objective| {
            let again = objective.to_string();
            assert_eq!(
                Expression::parse(&again).as_ref(),
                Ok(&objective),
                "{text:?} is written {again:?}"
            );
            true
        })
    });
}

/// The same of transformations.
fn transforms(long: bool) {
    let corpus = [
        "pad 16, jitter 8, scale 0.9..1.1",
        "lucid, crop 224",
        "pad 12 reflect, rotate -10..10, jitter 4x8",
        "xplique, blur 3 0.5..1",
        "olah2017",
    ];
    fuzz_texts("transforms", long, &corpus, |text| {
        Transforms::parse(text, [224, 200]).is_ok_and(|transforms| {
            let again = transforms.to_string();
            let read = Transforms::parse(&again, [224, 200]);
            assert_eq!(read.as_ref(), Ok(&transforms), "{text:?} is written {again:?}");
            true
        })
    });
}

#[test]
fn damaged_files_of_every_kind_are_refused_or_read() {
    for run in [
        prototxt,
        caffemodel,
        burnpack,
        onnx,
        arrays,
        checkpoints,
        settings,
        flags,
        objectives,
        transforms,
    ] {
        run(false);
    }
}

macro_rules! for_minutes {
    ($($name:ident: $run:ident),*) => {$(
        #[test]
        #[ignore = "runs for ten minutes"]
        fn $name() {
            $run(true);
        }
    )*};
}

for_minutes! {
    prototxt_for_minutes: prototxt, caffemodel_for_minutes: caffemodel, burnpack_for_minutes: burnpack, onnx_for_minutes: onnx, npy_for_minutes: arrays,
    checkpoint_for_minutes: checkpoints, settings_for_minutes: settings, flags_for_minutes: flags,
    objectives_for_minutes: objectives, transforms_for_minutes: transforms
}
