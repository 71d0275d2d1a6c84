//! `--show`: pictures in the terminal, two pixels a character: the upper one is the ink of a half block, the lower one its paper.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::Path;

use image::RgbImage;
use image::imageops::{FilterType, resize};

/// Columns that a picture takes.
const WIDTH: u32 = 48;

/// Shows a picture; if that is not possible, says why.
pub(super) fn picture(path: &Path) -> Option<String> {
    let mut stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return Some("--show: standard output is no terminal".into());
    }
    let colors = match std::env::var("COLORTERM").as_deref() {
        Ok("truecolor" | "24bit") => Colors::All,
        _ => Colors::Palette,
    };
    let shown = image::open(path)
        .map_err(|e| e.to_string())
        .and_then(|image| write!(stdout, "{}", blocks(&image.into_rgb8(), colors)).map_err(|e| e.to_string()));
    shown.err().map(|error| format!("--show: {error}"))
}

/// The colours that a terminal can show.
#[derive(Debug, Clone, Copy)]
enum Colors {
    /// 24 bits.
    All,
    /// The 6 x 6 x 6 colours and 24 greys of xterm's palette.
    Palette,
}

/// The picture, [`WIDTH`] characters wide, as lines of half blocks.
fn blocks(picture: &RgbImage, colors: Colors) -> String {
    let (width, height) = picture.dimensions();
    let columns = WIDTH.min(width.max(1));
    let rows = (u64::from(height) * u64::from(columns) / u64::from(width.max(1))).clamp(1, 4 * u64::from(WIDTH));
    let small = resize(picture, columns, u32::try_from(rows).unwrap_or(1), FilterType::Triangle);
    let mut text = String::new();
    for y in (0..small.height()).step_by(2) {
        for x in 0..columns {
            let ink = color(small.get_pixel(x, y).0, colors);
            // Writing to a string cannot fail.
            let _ = match small.get_pixel_checked(x, y + 1) {
                Some(below) => write!(text, "\x1b[38;{ink};48;{}m▀", color(below.0, colors)),
                None => write!(text, "\x1b[49;38;{ink}m▀"),
            };
        }
        text.push_str("\x1b[0m\n");
    }
    text
}

/// A colour as terminals are told it (ECMA-48 and ISO 8613-6: "select graphic rendition").
fn color([red, green, blue]: [u8; 3], colors: Colors) -> String {
    match colors {
        Colors::All => format!("2;{red};{green};{blue}"),
        Colors::Palette => format!("5;{}", nearest([red, green, blue])),
    }
}

/// The nearest colour of xterm's palette: a cube from 16 on, greys from 232 on.
fn nearest(color: [u8; 3]) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let distance = |other: [u8; 3]| -> u32 {
        color
            .iter()
            .zip(other)
            .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2))
            .sum()
    };
    let level = |value: u8| {
        (0u8..6)
            .min_by_key(|i| LEVELS[usize::from(*i)].abs_diff(value))
            .unwrap_or(0)
    };
    let steps = color.map(level);
    let in_cube = steps.map(|step| LEVELS[usize::from(step)]);
    let cube = 16 + 36 * steps[0] + 6 * steps[1] + steps[2];
    (0u8..24)
        .map(|step| (distance([8 + 10 * step; 3]), 232 + step))
        .chain([(distance(in_cube), cube)])
        .min()
        .map_or(cube, |(_, index)| index)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn two_pixels_are_one_character() {
        let picture = RgbImage::from_fn(1, 3, |_, y| Rgb([[255, 0, 0], [0, 255, 0], [0, 0, 255]][y as usize]));
        assert_eq!(
            blocks(&picture, Colors::All),
            "\x1b[38;2;255;0;0;48;2;0;255;0m▀\x1b[0m\n\x1b[49;38;2;0;0;255m▀\x1b[0m\n"
        );
        let wide = blocks(&RgbImage::new(480, 240), Colors::Palette);
        assert_eq!((wide.lines().count(), wide.matches('▀').count()), (12, 12 * 48));
    }

    /// Places of xterm's own table.
    #[test]
    fn the_palette_is_xterms() {
        for (color, index) in [
            ([0, 0, 0], 16),
            ([255, 255, 255], 231),
            ([255, 0, 0], 196),
            ([95, 135, 175], 67),
            ([8, 8, 8], 232),
            ([238, 238, 238], 255),
        ] {
            assert_eq!(nearest(color), index, "{color:?}");
        }
    }
}
