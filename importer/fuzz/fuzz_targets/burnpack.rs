//! Any bytes: opening a burnpack ends in a network or in an error.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("deepvis-fuzz-{}.bpk", std::process::id()));
    if std::fs::write(&path, bytes).is_ok() {
        let _ = deepvis_importer::record::open(&path);
    }
});
