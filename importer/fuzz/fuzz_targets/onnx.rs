//! Any bytes: opening an ONNX file ends in a network, whose weights lie within the file, or in an error.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("deepvis-fuzz-{}.onnx", std::process::id()));
    if std::fs::write(&path, bytes).is_ok()
        && let Ok(import) = deepvis_importer::onnx::import(&path, Some([8, 8]))
    {
        for (_, tensor) in import.weights.tensors() {
            let _ = tensor.bytes();
        }
    }
});
