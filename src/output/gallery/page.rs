//! `index.html`: one file that needs nothing else, with small pictures inside; the large ones are loaded from beside it.

use std::io::Cursor;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::ImageFormat;
use serde::Serialize;

use super::collect::Item;
use super::montage::Montage;
use crate::output::files::INFO_JSON;
use crate::output::provenance::Provenance;

/// Largest side of a picture inside the page.
const THUMBNAIL: u32 = 160;

/// The page without what is in it, how it looks, and what it does.
const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    item: &'a Item,
    /// A data URI; empty when there is no picture.
    thumbnail: String,
    /// Whether there is an animation beside it.
    climb: bool,
    /// Beginning of the files of the first of the images that climbed with it, which have one picture of all; empty where none is.
    together: &'a str,
}

#[derive(Serialize)]
struct Data<'a> {
    units: Vec<Shown<'a>>,
    montages: &'a [Montage<'a>],
}

/// The page's text, and which pictures it lacks.
pub(super) fn html(folder: &Path, title: &str, items: &[Item], montages: &[Montage<'_>]) -> (String, Vec<String>) {
    let mut missing = Vec::new();
    let companies = Companies::of_items(folder, items);
    let units = items
        .iter()
        .map(|item| {
            let path = folder.join(format!("{}_best_Xpm.jpg", item.files));
            let thumbnail = thumbnail(&path).unwrap_or_else(|message| {
                missing.push(format!("{}: {message}", path.display()));
                String::new()
            });
            let has = |ending: &str| folder.join(format!("{}_{ending}", item.files)).is_file();
            Shown {
                item,
                thumbnail,
                climb: has("climb.gif"),
                together: companies.of(folder, item),
            }
        })
        .collect();
    let data = Data { units, montages };
    // Inside a script element only "<" could end the data before its time.
    let data = serde_json::to_string(&data).unwrap_or_default().replace('<', "\\u003c");
    let html = TEMPLATE.replace("{{style}}", STYLE).replace("{{script}}", SCRIPT);
    let html = html.replace("{{title}}", &escaped(title));
    (html.replace("{{data}}", &data), missing)
}

/// The first of the images of each company, where the picture of all of them lies: its files, and what was climbed.
struct Companies<'a>(Vec<(&'a str, Provenance)>);

impl<'a> Companies<'a> {
    fn of_items(folder: &Path, items: &'a [Item]) -> Self {
        let first = |item: &'a Item| {
            let files = item.files.as_str();
            folder.join(format!("{files}_together.png")).is_file().then_some(())?;
            Some((files, provenance(folder, files)?))
        };
        Self(items.iter().filter_map(first).collect())
    }

    /// The files of the first of the company that a unit climbed in; empty where it climbed by itself.
    fn of(&self, folder: &Path, item: &Item) -> &'a str {
        if self.0.is_empty() {
            return "";
        }
        let Some(own) = provenance(folder, &item.files).filter(|own| !own.recipe.company.is_empty()) else {
            return "";
        };
        let first = self.0.iter().find(|(files, first)| {
            let in_one_folder = Path::new(files).parent() == Path::new(&item.files).parent();
            in_one_folder && first.network == own.network && first.recipe.climbs_with(&own.recipe)
        });
        first.map_or("", |(files, _)| files)
    }
}

fn provenance(folder: &Path, files: &str) -> Option<Provenance> {
    Provenance::read(&folder.join(format!("{files}_{INFO_JSON}")))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn thumbnail(path: &Path) -> Result<String, String> {
    if !path.is_file() {
        return Err("it is not there, or no file".into());
    }
    let mut bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let picture = image::load_from_memory(&bytes).map_err(|e| e.to_string())?;
    if picture.width().max(picture.height()) > THUMBNAIL {
        let mut smaller = Cursor::new(Vec::new());
        picture
            .thumbnail(THUMBNAIL, THUMBNAIL)
            .write_to(&mut smaller, ImageFormat::Jpeg)
            .map_err(|e| e.to_string())?;
        bytes = smaller.into_inner();
    }
    Ok(format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(bytes)))
}
