//! Any bytes: indexing a caffemodel ends in an index or in an error, and never holds more numbers than there are bytes.

#![no_main]

use std::io::Cursor;
use std::path::Path;

use deepvis_importer::caffe::Caffemodel;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(weights) = Caffemodel::index(Cursor::new(bytes), bytes.len() as u64, Path::new("fuzzed")) {
        let held: usize = weights.layers().flat_map(|(_, blobs)| blobs).map(|blob| blob.count()).sum();
        assert!(held <= bytes.len());
    }
});
