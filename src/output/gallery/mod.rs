//! A folder of results as a page and as pictures: `index.html`, and in `montages` one of everything, one of each layer and one
//! of each unit's seeds.

mod collect;
mod info;
mod montage;
mod page;

use std::path::{Path, PathBuf};

use super::error::Result;
use crate::atomic_file::write_atomically;
pub use collect::Item;

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// The page.
    pub page: PathBuf,
    /// The folder of the montages.
    pub folder: PathBuf,
    /// How many montages there are in it.
    pub montages: usize,
    /// Pictures shown.
    pub pictures: usize,
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
    for montage in montage::plan(&items) {
        let path = folder.join(&montage.file);
        match montage.draw(folder) {
            Ok(bytes) => {
                write_atomically(&path, &bytes)?;
                montages.push(montage);
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
        folder: folder.join(montage::FOLDER),
        montages: montages.len(),
        pictures: items.len(),
        warnings,
    })
}
