//! A folder of results as a page and as pictures: `index.html`, `montage.png`, a montage a layer, a montage of seeds a unit.

mod collect;
mod info;
mod montage;
mod page;

use std::path::{Path, PathBuf};

use super::error::Result;
use super::files::write_atomically;
pub use collect::Item;

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// The page.
    pub page: PathBuf,
    /// The montages.
    pub montages: Vec<PathBuf>,
    /// Pictures shown.
    pub units: usize,
    /// What was left out, and why.
    pub warnings: Vec<String>,
}

/// Makes the gallery of a folder and what is below it.
///
/// # Errors
/// When there are no results in it, or a file cannot be read or written.
pub fn write(folder: &Path, title: Option<&str>) -> Result<Written> {
    let (items, mut warnings) = collect::collect(folder)?;
    let mut montages = Vec::new();
    for (name, cells) in montage::plan(&items) {
        let path = folder.join(name);
        match montage::draw(folder, &cells) {
            Ok(bytes) => {
                write_atomically(&path, &bytes)?;
                montages.push(path);
            }
            Err(message) => warnings.push(format!("{}: {message}", path.display())),
        }
    }
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let title = title.map(str::to_owned).or(name).unwrap_or_else(|| "deepvis".into());
    let page = folder.join("index.html");
    let (html, missing) = page::html(folder, &title, &items, &montages);
    warnings.extend(missing);
    write_atomically(&page, html.as_bytes())?;
    Ok(Written {
        page,
        montages,
        units: items.len(),
        warnings,
    })
}
