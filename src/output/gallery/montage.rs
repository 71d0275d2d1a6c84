//! Pictures of many pictures: a grid of units with their names, and of the seeds of one unit.

use std::collections::HashSet;
use std::io::Cursor;
use std::path::Path;

use image::imageops::{FilterType, overlay, resize};
use image::{ImageFormat, Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, RasterizedChar, get_raster, get_raster_width};
use serde::Serialize;

use super::collect::Item;

/// Largest side of a montage, in pixels; with more pictures each becomes smaller.
const LARGEST: u32 = 8000;
/// Smallest and largest side of a picture in it.
const CELL: std::ops::RangeInclusive<u32> = 32..=224;
/// A picture that is smaller is enlarged up to this.
const ENLARGED: u32 = 96;
/// Pixels between pictures.
const GAP: u32 = 4;
/// Around the writing.
const PAPER: Rgb<u8> = Rgb([255, 255, 255]);

/// Where montages are written, below the folder of results.
pub(super) const FOLDER: &str = "montages";

/// A picture of a montage, and what is written below it.
struct Cell<'a> {
    item: &'a Item,
    caption: Option<String>,
}

/// A grid of pictures: of everything, of a layer, or of the seeds of a unit.
#[derive(Serialize)]
pub(super) struct Montage<'a> {
    /// Its file, relative to the folder of results, with slashes.
    pub(super) file: String,
    /// The network that the layer is of.
    network: Option<&'a str>,
    /// The layer; `None` for everything.
    layer: Option<&'a str>,
    /// The unit's channel; `None` for the whole layer.
    channel: Option<u64>,
    /// The unit's place, as [`Item::spatial`].
    spatial: &'a str,
    #[serde(skip)]
    cells: Vec<Cell<'a>>,
}

/// The montages of a gallery, no two of one name; `items` are in the order that they are shown in.
pub(super) fn plan(items: &[Item]) -> Vec<Montage<'_>> {
    let layers: Vec<&[Item]> = items.chunk_by(|a, b| layer(a) == layer(b)).collect();
    let several_networks = items.iter().any(|item| item.network != items[0].network);
    let mut montages = vec![Montage {
        file: "all".into(),
        network: None,
        layer: None,
        channel: None,
        spatial: "",
        cells: firsts(items, layers.len() > 1),
    }];
    let begun = |item: &Item| match &item.network {
        Some(network) if several_networks => format!("{network}_{}", item.layer),
        _ => item.layer.clone(),
    };
    for some in layers.iter().filter(|_| layers.len() > 1) {
        montages.push(Montage {
            file: begun(&some[0]),
            network: some[0].network.as_deref(),
            layer: Some(&some[0].layer),
            channel: None,
            spatial: "",
            cells: firsts(some, false),
        });
    }
    for seeds in items
        .chunk_by(|a, b| unit(a) == unit(b))
        .filter(|seeds| seeds.len() > 1)
    {
        let first = &seeds[0];
        montages.push(Montage {
            file: format!(
                "{}_{:04}{}",
                begun(first),
                first.channel,
                first.spatial.replace(", ", "-")
            ),
            network: first.network.as_deref(),
            layer: Some(&first.layer),
            channel: Some(first.channel),
            spatial: &first.spatial,
            cells: seeds.iter().map(|item| Cell { item, caption: None }).collect(),
        });
    }
    let mut taken = HashSet::new();
    for montage in &mut montages {
        let name = file_name(&montage.file);
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone())
            .chain(numbered)
            .find(|name| taken.insert(name.to_lowercase()));
        montage.file = format!("{FOLDER}/{}.png", free.unwrap_or(name));
    }
    montages
}

/// The first picture of each unit; `name_layers` where they are of several.
fn firsts(items: &[Item], name_layers: bool) -> Vec<Cell<'_>> {
    let units = items.chunk_by(|a, b| unit(a) == unit(b));
    let caption = |item: &Item| {
        let label = item.label.as_ref().filter(|label| can_be_written(label));
        match label {
            Some(label) => label.clone(),
            None if name_layers => format!("{} {}", item.layer, item.channel),
            None => item.channel.to_string(),
        }
    };
    units
        .map(|seeds| Cell {
            item: &seeds[0],
            caption: Some(caption(&seeds[0])),
        })
        .collect()
}

fn layer(item: &Item) -> (&Option<String>, &str) {
    (&item.network, &item.layer)
}

fn unit(item: &Item) -> (&Option<String>, &str, u64, &str) {
    (&item.network, &item.layer, item.channel, &item.spatial)
}

/// Bytes of the longest name that a montage gets, without number and ending; file systems take 255.
const LONGEST_NAME: usize = 200;

fn file_name(text: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || ['-', '.', '_'].contains(&c);
    let mut name = String::new();
    for c in text.chars().filter(|c| !['(', ')'].contains(c)) {
        let c = if kept(c) { c } else { '-' };
        if name.len() + c.len_utf8() > LONGEST_NAME {
            break;
        }
        name.push(c);
    }
    name
}

/// Whether the font has every letter of a text.
fn can_be_written(text: &str) -> bool {
    text.chars().all(|c| glyph(c).is_some())
}

fn glyph(character: char) -> Option<RasterizedChar> {
    get_raster(character, FontWeight::Regular, RasterHeight::Size16)
}

impl Montage<'_> {
    /// The bytes of a montage's PNG: as square a grid as the number of pictures allows, nine being 3 x 3.
    ///
    /// # Errors
    /// When none of the pictures can be read.
    pub(super) fn draw(&self, folder: &Path) -> Result<Vec<u8>, String> {
        let cells = &self.cells;
        let count = u32::try_from(cells.len()).map_err(|_| "there are too many pictures")?;
        let across = (1..=count).find(|across| across * across >= count).unwrap_or(1);
        let pictures: Vec<Option<RgbImage>> = cells.iter().map(|cell| read(folder, cell.item)).collect();
        let natural = pictures
            .iter()
            .flatten()
            .map(|picture| picture.width().max(picture.height()))
            .max();
        let natural = natural.ok_or("none of the pictures can be read")?;
        let room = (LARGEST / across).saturating_sub(GAP);
        let side = natural.max(ENLARGED).min(room).clamp(*CELL.start(), *CELL.end());
        let has_captions = cells.iter().any(|cell| cell.caption.is_some());
        let below = if has_captions {
            RasterHeight::Size16.val() as u32
        } else {
            0
        };
        let (width, height) = (side + GAP, side + below + GAP);
        let mut montage = RgbImage::from_pixel(across * width + GAP, count.div_ceil(across) * height + GAP, PAPER);
        for ((place, cell), picture) in (0..).zip(cells).zip(&pictures) {
            let (x, y) = (place % across * width + GAP, place / across * height + GAP);
            if let Some(picture) = picture {
                let filter = if picture.width() < side {
                    FilterType::CatmullRom
                } else {
                    FilterType::Lanczos3
                };
                let scale = f64::from(side) / f64::from(picture.width().max(picture.height()));
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sides are small")]
                let scaled = |extent: u32| ((f64::from(extent) * scale).round() as u32).max(1);
                let scaled = resize(picture, scaled(picture.width()), scaled(picture.height()), filter);
                overlay(&mut montage, &scaled, i64::from(x), i64::from(y));
            }
            if let Some(caption) = &cell.caption {
                write(&mut montage, caption, [x, y + side], side);
            }
        }
        let mut bytes = Cursor::new(Vec::new());
        montage
            .write_to(&mut bytes, ImageFormat::Png)
            .map_err(|e| e.to_string())?;
        Ok(bytes.into_inner())
    }
}

fn read(folder: &Path, item: &Item) -> Option<RgbImage> {
    let path = folder.join(format!("{}_best_Xpm.jpg", item.files));
    Some(image::open(path).ok()?.into_rgb8())
}

/// Writes a line of text, cut where the room ends.
fn write(montage: &mut RgbImage, text: &str, [left, top]: [u32; 2], room: u32) {
    let advance = get_raster_width(FontWeight::Regular, RasterHeight::Size16) as u32;
    for (place, character) in (0..room / advance).zip(text.chars()) {
        // Captions hold nothing else, but layers may be named in any script.
        let Some(glyph) = glyph(character).or_else(|| glyph('?')) else {
            continue;
        };
        for (y, row) in (top..).zip(glyph.rows()) {
            for (x, ink) in (left + place * advance..).zip(row.iter()) {
                if let Some(pixel) = montage.get_pixel_mut_checked(x, y) {
                    *pixel = Rgb([255 - ink; 3]);
                }
            }
        }
    }
}
