//! The network that comes with the program, so that it can show something before anything is downloaded.

use std::path::{Path, PathBuf};

use super::named;
use crate::cli::error::{Error, Result};
use crate::output::files::write_atomically;

/// The name that `--model` knows it by.
pub(super) const NAME: &str = "demo";

/// Its files: see `models/demo/README.md`.
const FILES: [(&str, &[u8]); 4] = [
    (
        "deploy.prototxt",
        include_bytes!("../../../models/demo/deploy.prototxt"),
    ),
    (
        "weights.caffemodel",
        include_bytes!("../../../models/demo/weights.caffemodel"),
    ),
    ("labels.txt", include_bytes!("../../../models/demo/labels.txt")),
    ("deepvis.toml", include_bytes!("../../../models/demo/deepvis.toml")),
];

/// The folder of the bundled network: in the user's data folder, or, where one may not write there, in the system's
/// temporary one. It is written when it is not there or of another version.
pub(super) fn folder() -> Result<PathBuf> {
    let temporary = std::env::temp_dir()
        .join(format!("deepvis-{}", env!("CARGO_PKG_VERSION")))
        .join(NAME);
    let of_user = named::data_folder().map(|folder| folder.join(NAME));
    let mut last = None;
    for folder in of_user.into_iter().chain([temporary]) {
        match unpack(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) => last = Some(error),
        }
    }
    Err(Error::Usage(format!(
        "the bundled network could not be unpacked{}; name another with --model, or --deploy-proto and --net-weights",
        last.map(|error| format!(": {error}")).unwrap_or_default()
    )))
}

fn unpack(folder: &Path) -> crate::output::Result<()> {
    for (name, bytes) in FILES {
        let path = folder.join(name);
        if std::fs::read(&path).ok().as_deref() != Some(bytes) {
            write_atomically(&path, bytes)?;
        }
    }
    Ok(())
}
