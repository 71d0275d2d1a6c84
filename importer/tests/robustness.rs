//! Damaged files: whatever is flipped, cut or repeated, reading ends in a network or in an error, and never allocates more
//! than the file is long.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use deepvis_importer::{Graph, Weights, text, upgrade};
use proptest::prelude::*;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/layers");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    cases
}

/// A way to damage a file.
#[derive(Debug, Clone)]
enum Damage {
    Flip(usize, u8),
    Cut(usize),
    Repeat(usize, usize),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        any::<usize>().prop_map(Damage::Cut),
        (any::<usize>(), 0..200usize).prop_map(|(at, len)| Damage::Repeat(at, len)),
        (any::<usize>(), 0..200usize).prop_map(|(at, len)| Damage::Remove(at, len)),
        (any::<usize>(), prop::collection::vec(any::<u8>(), 0..12)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let len = bytes.len();
    match damage {
        Damage::Flip(at, byte) => bytes[at % len] ^= byte,
        Damage::Cut(at) => bytes.truncate(at % len),
        Damage::Repeat(at, count) => {
            let at = at % len;
            let part = bytes[at..(at + count).min(len)].to_vec();
            bytes.splice(at..at, part);
        }
        Damage::Remove(at, count) => {
            let at = at % len;
            bytes.drain(at..(at + count).min(len));
        }
        Damage::Insert(at, more) => {
            let at = at % len;
            bytes.splice(at..at, more.iter().copied());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_damaged_caffemodel_is_read_or_refused(which in any::<prop::sample::Index>(), damages in prop::collection::vec(damage(), 1..5)) {
        let cases = cases();
        let mut bytes = std::fs::read(which.get(&cases).join("weights.caffemodel")).unwrap();
        damages.iter().for_each(|damage| apply(&mut bytes, damage));
        if let Ok(weights) = Weights::index(Cursor::new(&bytes), bytes.len() as u64, Path::new("damaged")) {
            let held: usize = weights.layers().flat_map(|(_, blobs)| blobs).map(|blob| blob.count()).sum();
            prop_assert!(held <= bytes.len(), "{held} numbers in {} bytes", bytes.len());
        }
    }

    #[test]
    fn a_damaged_prototxt_is_read_or_refused(which in any::<prop::sample::Index>(), damages in prop::collection::vec(damage(), 1..5)) {
        let cases = cases();
        let mut bytes = std::fs::read(which.get(&cases).join("deploy.prototxt")).unwrap();
        damages.iter().for_each(|damage| apply(&mut bytes, damage));
        let path = Path::new("damaged");
        if let Ok(parsed) = text::parse_net(String::from_utf8_lossy(&bytes).into_owned(), path)
            && let Ok(net) = upgrade::to_current(parsed.net, path)
        {
            let _ = Graph::from_proto(&net);
        }
    }
}

#[test]
fn every_truncation_of_a_caffemodel_is_noticed_or_whole() {
    for case in cases().iter().step_by(9) {
        let bytes = std::fs::read(case.join("weights.caffemodel")).unwrap();
        for len in 0..bytes.len() {
            let _ = Weights::index(Cursor::new(&bytes[..len]), len as u64, Path::new("cut"));
        }
    }
}

#[test]
fn a_declared_length_beyond_the_file_is_refused() {
    // layer (100) of 2^60 bytes.
    let mut bytes = vec![0xa2, 0x06];
    bytes.extend([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    let error = Weights::index(Cursor::new(&bytes), bytes.len() as u64, Path::new("long"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("1152921504606846976 bytes is declared, 0 are left"),
        "{error}"
    );
}
