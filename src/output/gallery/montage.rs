//! Pictures of many pictures: a grid of units with their names, and of the seeds of one unit.

use std::io::Cursor;
use std::path::Path;

use image::imageops::{FilterType, overlay, resize};
use image::{ImageFormat, Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

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

/// A picture of a montage, and what is written below it.
pub(super) struct Cell<'a> {
    item: &'a Item,
    caption: Option<String>,
}

/// The montages of a gallery: their file names, and what is in each.
pub(super) fn plan(items: &[Item]) -> Vec<(String, Vec<Cell<'_>>)> {
    let mut layers: Vec<&str> = Vec::new();
    for item in items {
        if !layers.contains(&item.layer.as_str()) {
            layers.push(&item.layer);
        }
    }
    let several = layers.len() > 1;
    let firsts = |layer: Option<&str>| -> Vec<Cell<'_>> {
        let mut cells: Vec<Cell<'_>> = Vec::new();
        for item in items
            .iter()
            .filter(|item| layer.is_none_or(|layer| item.layer == layer))
        {
            if cells.last().is_none_or(|last| unit(last.item) != unit(item)) {
                let name = item.label.clone().unwrap_or_else(|| item.channel.to_string());
                let caption = if several && layer.is_none() && item.label.is_none() {
                    format!("{} {name}", item.layer)
                } else {
                    name
                };
                cells.push(Cell {
                    item,
                    caption: Some(caption),
                });
            }
        }
        cells
    };
    let mut montages = vec![("montage.png".to_owned(), firsts(None))];
    if several {
        montages.extend(layers.iter().map(|layer| (name(layer, None), firsts(Some(layer)))));
    }
    for seeds in items
        .chunk_by(|a, b| unit(a) == unit(b))
        .filter(|seeds| seeds.len() > 1)
    {
        let cells = seeds.iter().map(|item| Cell { item, caption: None }).collect();
        montages.push((name(&seeds[0].layer, Some(&seeds[0])), cells));
    }
    montages
}

fn unit(item: &Item) -> (&str, u64, &str) {
    (&item.layer, item.channel, &item.spatial)
}

fn name(layer: &str, item: Option<&Item>) -> String {
    let layer: String = layer
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '-' || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    item.map_or_else(
        || format!("montage_{layer}.png"),
        |item| format!("montage_{layer}_{:04}.png", item.channel),
    )
}

/// The bytes of a montage's PNG: as square a grid as the number of pictures allows, nine being 3 x 3.
///
/// # Errors
/// When none of the pictures can be read.
pub(super) fn draw(folder: &Path, cells: &[Cell<'_>]) -> Result<Vec<u8>, String> {
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

fn read(folder: &Path, item: &Item) -> Option<RgbImage> {
    let path = folder.join(format!("{}_best_Xpm.jpg", item.files));
    Some(image::open(path).ok()?.into_rgb8())
}

/// Writes a line of text, cut where the room ends.
fn write(montage: &mut RgbImage, text: &str, [left, top]: [u32; 2], room: u32) {
    let advance = get_raster_width(FontWeight::Regular, RasterHeight::Size16) as u32;
    for (place, character) in (0..room / advance).zip(text.chars()) {
        let glyph = get_raster(character, FontWeight::Regular, RasterHeight::Size16)
            .or_else(|| get_raster('?', FontWeight::Regular, RasterHeight::Size16));
        let Some(glyph) = glyph else { continue };
        for (y, row) in (top..).zip(glyph.rows()) {
            for (x, ink) in (left + place * advance..).zip(row.iter()) {
                if let Some(pixel) = montage.get_pixel_mut_checked(x, y) {
                    *pixel = Rgb([255 - ink; 3]);
                }
            }
        }
    }
}
