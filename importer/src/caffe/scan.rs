//! Where the tokens of protobuf text end.

/// The end of the word that begins at `start`.
pub(super) fn word_end(bytes: &[u8], start: usize) -> usize {
    (start..bytes.len())
        .find(|&i| !(bytes[i].is_ascii_alphanumeric() || bytes[i] == b'_'))
        .unwrap_or(bytes.len())
}

/// Where the value that begins at `at` ends: a message, a list, strings that follow each other, or anything else up to the
/// next blank. `None` where there is none, or it does not end.
pub(super) fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    let end = match bytes.get(at)? {
        b'{' | b'<' | b'[' => matching_close(bytes, at)?,
        b'"' | b'\'' => {
            let mut end = at;
            while matches!(bytes.get(end), Some(b'"' | b'\'')) {
                end = string_end(bytes, end)?;
                let next = skip_blank(bytes, end);
                if !matches!(bytes.get(next), Some(b'"' | b'\'')) {
                    break;
                }
                end = next;
            }
            end
        }
        _ => (at..bytes.len())
            .find(|&i| bytes[i].is_ascii_whitespace() || b"{}<>;,#".contains(&bytes[i]))
            .unwrap_or(bytes.len()),
    };
    (end > at).then_some(end)
}

/// The first byte from `at` on that is neither blank nor in a comment.
pub(super) fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            Some(b) if b.is_ascii_whitespace() => at += 1,
            Some(b'#') => {
                while at < bytes.len() && bytes[at] != b'\n' {
                    at += 1;
                }
            }
            _ => return at,
        }
    }
}

fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = bytes[start];
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b if b == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

fn matching_close(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'<' | b'[' => depth += 1,
            b'}' | b'>' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'"' | b'\'' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'#' => {
                at = skip_blank(bytes, at);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}
