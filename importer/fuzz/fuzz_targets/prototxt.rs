//! Any text: parsing, upgrading and building the graph end in a graph or in an error.

#![no_main]

use std::path::Path;

use deepvis_importer::caffe::{convert, text, upgrade};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("fuzzed");
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(parsed) = text::parse_net(text.to_owned(), path)
        && let Ok(net) = upgrade::to_current(parsed.net, path)
    {
        let _ = convert::graph(&net);
    }
});
