//! Checkpoints that are not what was written: one damaged bit, and states put together by hand with a right checksum.

use std::path::Path;

use ciborium::Value;
use deepvis::ascent::{Record, State};
use deepvis::output::checkpoint;
use sha2::{Digest, Sha256};

use crate::program::{said, started, words};

/// Whatever bit is damaged, it is noticed, unless the same is read all the same: a name may be a text or bytes.
#[test]
fn every_damaged_bit_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.cbor");
    let state = State {
        x: vec![0.5, -1.0, 255.0, 1e-3],
        iteration: 0,
        record: Record::new(vec![0.25; 4], [1, 2, 2]),
        moments: Vec::new(),
        rate_changes: Vec::new(),
    };
    checkpoint::write(&path, "key", &state).unwrap();
    let whole = std::fs::read(&path).unwrap();
    assert!(checkpoint::parse(&whole, &path, "key").is_ok());
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << bit;
            if let Ok(read) = checkpoint::parse(&bytes, &path, "key") {
                let again = folder.path().join("again.cbor");
                checkpoint::write(&again, "key", &read).unwrap();
                assert!(std::fs::read(&again).unwrap() == whole, "bit {bit} of byte {place}");
            }
        }
    }
}

/// Neither a folder nor a pipe that nobody writes to is read.
#[test]
fn what_is_no_file_is_no_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let told = checkpoint::read(folder.path(), "key").unwrap_err().to_string();
    assert!(told.contains("it is no file"), "{told}");
}

fn entry<'a>(map: &'a mut Value, name: &str) -> &'a mut Value {
    let entries = map.as_map_mut().unwrap();
    let found = entries.iter_mut().find(|(key, _)| key.as_text() == Some(name));
    &mut found.unwrap().1
}

/// A checkpoint with another state, and the checksum of that.
fn crafted(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let numbers = |bytes: &[u8]| Value::Array(bytes.iter().map(|byte| Value::from(*byte)).collect());
    let mut outer: Value = ciborium::from_reader(bytes).unwrap();
    let held = entry(&mut outer, "state").as_array().unwrap().iter();
    let held: Vec<u8> = held
        .map(|byte| u8::try_from(byte.as_integer().unwrap()).unwrap())
        .collect();
    let mut state: Value = ciborium::from_reader(held.as_slice()).unwrap();
    change(&mut state);
    let mut inner = Vec::new();
    ciborium::into_writer(&state, &mut inner).unwrap();
    *entry(&mut outer, "checksum") = numbers(&Sha256::digest(&inner));
    *entry(&mut outer, "state") = numbers(&inner);
    let mut all = Vec::new();
    ciborium::into_writer(&outer, &mut all).unwrap();
    all
}

/// Lengths within the state that do not fit each other, of what Adam remembers among them, end in one message and cost only their
/// unit.
#[test]
fn states_that_contradict_themselves_cost_their_unit() {
    let folder = tempfile::tempdir().unwrap();
    let line = "--push-layer y --push-channel 0,1 --preset fourier --max-iter 400 --checkpoint-every 1 --batch-size 1 \
                --output-prefix r/x";
    let checkpoint = folder.path().join("r/x_y_0000_0_checkpoint.cbor");
    let mut child = started(folder.path(), &words(line)).spawn().unwrap();
    while !checkpoint.exists() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before its first checkpoint"
        );
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let whole = std::fs::read(&checkpoint).unwrap();
    let shortened = |name: &'static str| {
        move |state: &mut Value| {
            entry(state, name).as_array_mut().unwrap().pop();
        }
    };
    let first = |state: &mut Value| {
        entry(state, "moments").as_array_mut().unwrap()[0]
            .as_array_mut()
            .unwrap()
            .pop();
    };
    let nothing = |state: &mut Value| entry(state, "moments").as_array_mut().unwrap().clear();
    let many = |state: &mut Value| *entry(state, "iteration") = Value::from(u64::MAX);
    let files = [
        crafted(&whole, shortened("x")),
        crafted(&whole, shortened("moments")),
        crafted(&whole, first),
        crafted(&whole, nothing),
        crafted(&whole, many),
    ];
    for (number, bytes) in files.iter().enumerate() {
        clear(&folder.path().join("r"));
        std::fs::write(&checkpoint, bytes).unwrap();
        let output = started(folder.path(), &words(line)).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{number}: {}", said(&output));
        let text = said(&output);
        assert!(
            text.contains("x_y_0000_0_checkpoint.cbor") && text.contains("1 of 2 units failed"),
            "{number}: {text}"
        );
        assert!(folder.path().join("r/x_y_0001_0_info.txt").is_file(), "{number}");
    }
    // As it was written, it goes on.
    clear(&folder.path().join("r"));
    std::fs::write(&checkpoint, crafted(&whole, |_| ())).unwrap();
    let output = started(folder.path(), &words(line)).output().unwrap();
    assert!(
        output.status.success() && said(&output).contains("goes on at iteration"),
        "{}",
        said(&output)
    );
}

fn clear(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
}
