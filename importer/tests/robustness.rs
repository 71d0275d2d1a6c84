//! Damaged files: whatever is flipped, cut or repeated, reading ends in a network or in an error, and never allocates more
//! than the file is long.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use deepvis_importer::caffe::{Caffemodel, convert, text, upgrade};
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
        if let Ok(weights) = Caffemodel::index(Cursor::new(&bytes), bytes.len() as u64, Path::new("damaged")) {
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
            let _ = convert::graph(&net);
        }
    }
}

/// Where each of the outermost fields of a message ends; the reference knows nothing of our reader.
fn field_ends(bytes: &[u8]) -> Vec<usize> {
    let varint = |at: &mut usize| -> usize {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = bytes[*at];
            *at += 1;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    };
    let (mut at, mut ends) = (0, Vec::new());
    while at < bytes.len() {
        match varint(&mut at) & 7 {
            0 => {
                varint(&mut at);
            }
            2 => at += varint(&mut at),
            other => panic!("wire type {other}"),
        }
        ends.push(at);
    }
    ends
}

/// A file that is cut within a field is refused; one that is cut between two is a whole file of fewer layers.
#[test]
fn every_truncation_of_a_caffemodel_is_noticed_or_whole() {
    let index = |bytes: &[u8]| Caffemodel::index(Cursor::new(bytes), bytes.len() as u64, Path::new("cut"));
    let held = |weights: &Caffemodel| -> Vec<(String, Vec<Vec<usize>>)> {
        let shapes =
            |blobs: &[deepvis_importer::StoredTensor]| blobs.iter().map(|blob| blob.shape().to_vec()).collect();
        weights
            .layers()
            .map(|(name, blobs)| (name.to_owned(), shapes(blobs)))
            .collect()
    };
    let mut accepted = 0;
    for case in cases().iter().step_by(9) {
        let bytes = std::fs::read(case.join("weights.caffemodel")).unwrap();
        let whole = held(&index(&bytes).unwrap());
        let ends = field_ends(&bytes);
        for len in 0..bytes.len() {
            let place = format!("{} cut after {len} bytes", case.display());
            let cut = index(&bytes[..len]);
            assert_eq!(cut.is_ok(), ends.contains(&len), "{place}");
            if let Ok(cut) = cut {
                accepted += 1;
                assert!(held(&cut).iter().all(|layer| whole.contains(layer)), "{place}");
            }
        }
    }
    assert!(accepted > 0, "no file has two fields");
}

#[test]
fn a_declared_length_beyond_the_file_is_refused() {
    // layer (100) of 2^60 bytes.
    let mut bytes = vec![0xa2, 0x06];
    bytes.extend([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    let error = Caffemodel::index(Cursor::new(&bytes), bytes.len() as u64, Path::new("long"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("1152921504606846976 bytes is declared, 0 are left"),
        "{error}"
    );
}
