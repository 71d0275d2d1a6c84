//! Photographs that climbs begin with: files beside the results, named by what is in them, so that the command that is shown
//! finds them another time.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::atomic_file::write_atomically;
use crate::hexadecimal::hexadecimal;
use crate::model::photo;

/// Where they lie, in the folder of the results.
const FOLDER: &str = "photos";
/// Digits of a name.
const DIGITS: usize = 16;
/// Photographs that are kept, at most: a page must not fill the disk.
const MOST: usize = 200;

/// Keeps a picture; gives its name.
///
/// # Errors
/// When it is no picture, or cannot be kept.
pub(super) fn keep(results: &Path, bytes: &[u8]) -> Result<String, String> {
    let ending = photo::ending(bytes)?;
    let digest = hexadecimal(&Sha256::digest(bytes));
    let name = format!("{}.{ending}", &digest[..DIGITS]);
    let folder = results.join(FOLDER);
    let path = folder.join(&name);
    if std::fs::read(&path).is_ok_and(|known| known == bytes) {
        return Ok(name);
    }
    let kept = std::fs::read_dir(&folder).map_or(0, Iterator::count);
    if kept >= MOST {
        return Err(format!(
            "{} holds {kept} photographs already; take some away",
            folder.display()
        ));
    }
    write_atomically(&path, bytes).map_err(|error| error.to_string())?;
    Ok(name)
}

/// The path of a photograph that was kept; `None` for what is no name of one. The name comes from a page.
pub fn place(results: &Path, name: &str) -> Option<PathBuf> {
    let (digits, ending) = name.split_once('.')?;
    let is_one = digits.len() == DIGITS
        && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && photo::ENDINGS.contains(&ending);
    let path = results.join(FOLDER).join(name);
    (is_one && path.is_file()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_kept_is_found() {
        let place_of_all = tempfile::tempdir().unwrap();
        let results = place_of_all.path().join("results");
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = image::RgbImage::from_pixel(3, 2, image::Rgb([10, 20, 30]));
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        let name = keep(&results, bytes.get_ref()).unwrap();
        assert_eq!(keep(&results, bytes.get_ref()).unwrap(), name);
        let path = place(&results, &name).unwrap();
        assert_eq!(path, results.join("photos").join(&name));
        assert_eq!(std::fs::read(path).unwrap(), *bytes.get_ref());
        for path in ["secret.png", "results/0123456789abcdef.png", "results/photos/a.png"] {
            std::fs::write(place_of_all.path().join(path), "x").unwrap();
        }
        let absolute = results.join("photos").join(&name).display().to_string();
        for wrong in [
            "../secret.png",
            "../0123456789abcdef.png",
            "a.png",
            "0123456789abcdef.png",
            &absolute,
            "",
            ".",
            "..",
        ] {
            assert_eq!(place(&results, wrong), None, "{wrong}");
        }
        assert!(keep(&results, b"no picture").is_err());
        for number in 0..MOST {
            std::fs::write(results.join("photos").join(number.to_string()), "x").unwrap();
        }
        // One that is there is found; another has no room.
        assert_eq!(keep(&results, bytes.get_ref()).unwrap(), name);
        let mut other = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut other, image::ImageFormat::Gif).unwrap();
        assert!(keep(&results, other.get_ref()).unwrap_err().contains("take some away"));
    }
}
