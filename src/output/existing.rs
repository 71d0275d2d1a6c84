//! What is there already of an optimization that is asked for again.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::files::ResultFiles;
use super::text;
use crate::optimizer::Params;

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existing {
    /// Not all files.
    Incomplete,
    /// All files, but this one is cut off or of another kind.
    Damaged(PathBuf),
    /// All files, of other settings: this file says the first instead of the second.
    Other(PathBuf, String, String),
    /// All files, whole.
    Complete,
}

impl Existing {
    /// Looks.
    pub fn look(files: &ResultFiles, params: &Params, skip_big: bool) -> Self {
        let all = files.all(skip_big);
        if !all.iter().all(|path| path.exists()) {
            return Self::Incomplete;
        }
        if let Some(path) = all.iter().find(|path| !is_whole(path)) {
            return Self::Damaged(path.clone());
        }
        let info = files.path("info.txt");
        let was = std::fs::read_to_string(&info).unwrap_or_default();
        let asked = text::params(params);
        let differing = was.lines().zip(asked.lines()).find(|(was, asked)| was != asked);
        match differing {
            Some((was, asked)) => Self::Other(info, was.trim().into(), asked.trim().into()),
            None => Self::Complete,
        }
    }
}

/// Whether a file begins and ends as its kind does.
fn is_whole(path: &Path) -> bool {
    let (begin, end): (&[u8], &[u8]) = match path.extension().and_then(|ending| ending.to_str()) {
        Some("jpg") => (&[0xff, 0xd8], &[0xff, 0xd9]),
        Some("pkl") => (&[0x80], b"."),
        _ => (b"FindParams", b"\n"),
    };
    ends(path, begin.len(), end.len()).is_ok_and(|(first, last)| first == begin && last == end)
}

fn ends(path: &Path, begin: usize, end: usize) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let mut file = std::fs::File::open(path)?;
    let mut first = vec![0; begin];
    file.read_exact(&mut first)?;
    let back = i64::try_from(end).map_err(std::io::Error::other)?;
    file.seek(SeekFrom::End(-back))?;
    let mut last = vec![0; end];
    file.read_exact(&mut last)?;
    Ok((first, last))
}
