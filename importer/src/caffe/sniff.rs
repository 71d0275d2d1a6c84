//! What a file is instead of what was asked for, by its first bytes.

/// What the first bytes of a file say that it is, with what to do about it. `None` where they are those of none of the known
/// kinds; a caffemodel or binaryproto has none of its own.
fn known(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]).to_lowercase();
    let begin = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if begin.starts_with("version https://git-lfs") {
        return Some("a Git LFS pointer, not the file itself; `git lfs pull` fetches that");
    }
    if ["<!doctype html", "<html", "<head", "<!--", "<?xml"]
        .iter()
        .any(|tag| begin.starts_with(tag))
    {
        return Some("a web page, such as a log-in or download page; download the file itself");
    }
    let signatures: &[(&[u8], &str)] = &[
        (
            b"\x89HDF\r\n\x1a\n",
            "an HDF5 file, as Keras and Caffe's HDF5 snapshots are; in Caffe, net.save('net.caffemodel') writes the form that is \
             read",
        ),
        (
            b"PK\x03\x04",
            "a zip archive, as PyTorch's .pt and NumPy's .npz are; PyTorch's networks are read when exported to ONNX",
        ),
        (
            b"\x80\x02",
            "a Python pickle, as PyTorch's .pth is; PyTorch's networks are read when exported to ONNX",
        ),
        (
            b"\x80\x03",
            "a Python pickle; PyTorch's networks are read when exported to ONNX",
        ),
        (
            b"\x80\x04",
            "a Python pickle; PyTorch's networks are read when exported to ONNX",
        ),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"GIF8", "a GIF picture"),
        (b"BM", "a BMP picture"),
        (b"\x93NUMPY", "a NumPy array; its name must end in .npy"),
        (b"\x1f\x8b", "compressed by gzip; gunzip it"),
        (b"BZh", "compressed by bzip2; bunzip2 it"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it"),
        (b"Rar!", "a RAR archive; unpack it"),
        (b"%PDF", "a PDF document"),
        (b"BURN", "a burnpack; its name must end in .bpk"),
        (b"NRUB", "a burnpack; its name must end in .bpk"),
    ];
    let by_signature = signatures.iter().find(|(signature, _)| bytes.starts_with(signature));
    if let Some((_, found)) = by_signature {
        return Some(found);
    }
    // Eight bytes that count the bytes of a header in JSON.
    if bytes.len() > 9 && bytes[8] == b'{' && bytes[6] == 0 && bytes[7] == 0 {
        return Some("a safetensors file, which has weights without a network; export the network to ONNX");
    }
    None
}

/// What a file is that should be a prototxt.
pub(super) fn instead_of_prototxt(bytes: &[u8]) -> Option<&'static str> {
    known(bytes).or_else(|| {
        let begin = &bytes[..bytes.len().min(4096)];
        // Names in quotes may hold control characters, but no text holds the byte 0.
        let has_controls = begin.iter().any(|byte| matches!(byte, 0..=8 | 14..=31));
        let is_binary = begin.contains(&0) || (has_controls && is_message(bytes));
        is_binary.then_some(if is_message(bytes) {
            "binary, perhaps a caffemodel: are prototxt and weights swapped?"
        } else {
            "not text"
        })
    })
}

/// Whether the bytes begin as Caffe's binary messages do: a name, an older layer or a current one.
fn is_message(bytes: &[u8]) -> bool {
    matches!(bytes, [0x0a | 0x12, ..] | [0xa2, 0x06, ..])
}

/// What a file is that should be a caffemodel.
pub(super) fn instead_of_caffemodel(begin: &[u8]) -> Option<&'static str> {
    known(begin).or_else(|| is_prototxt(begin).then_some("a prototxt: are prototxt and weights swapped?"))
}

/// What a file is that should be a mean image.
pub(super) fn instead_of_mean(begin: &[u8]) -> Option<&'static str> {
    known(begin).or_else(|| is_prototxt(begin).then_some("a prototxt"))
}

/// Whether a file begins with the fields of a network in text.
fn is_prototxt(begin: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(&begin[..begin.len().min(256)]).or_else(|e| {
        // It may be cut within a character.
        std::str::from_utf8(&begin[..e.valid_up_to()])
    }) else {
        return false;
    };
    let lines = text.lines().map(str::trim);
    let first = lines
        .into_iter()
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| {
        [
            "name",
            "input",
            "layer",
            "layers",
            "net",
            "train_net",
            "state",
            "force_backward",
        ]
        .iter()
        .any(|field| {
            line.strip_prefix(field)
                .is_some_and(|rest| rest.trim_start().starts_with([':', '{']))
        })
    })
}

/// Whether a text without layers is a solver's, by its fields.
pub(super) fn solver(fields: &[String]) -> Option<&'static str> {
    let is_solver = [
        "net",
        "base_lr",
        "lr_policy",
        "max_iter",
        "solver_mode",
        "snapshot_prefix",
        "train_net",
        "test_iter",
    ];
    let count = fields
        .iter()
        .filter(|field| is_solver.contains(&field.as_str()))
        .count();
    (count >= 2).then_some("a solver's prototxt; its line net: (or train_net:) names that of the network")
}

/// Whether a binary message is a solver's state: an iteration, and the name of the net's weights.
pub(super) fn solver_state(begin: &[u8]) -> Option<&'static str> {
    // SolverState: 1 is the iteration, a varint; 2 the file of the weights.
    let [0x08, rest @ ..] = begin else {
        return None;
    };
    let end = rest.iter().position(|byte| *byte < 0x80)?;
    (rest.get(end + 1) == Some(&0x12)).then_some(
        "a solver's state (.solverstate), not the weights; the .caffemodel of the same iteration lies beside it",
    )
}
