//! Protobuf text form: a prototxt into a [`NetParameter`].
//!
//! The parser is prost-reflect's. Fields it does not know are blanked out, one at a time, and reported once each: forks
//! of Caffe add their own, and none of them may stop a net that does not depend on it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use miette::Diagnostic;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use crate::error::{Error, Result};
use crate::proto::{DESCRIPTORS, NetParameter};

/// Fields of Caffe's own schema that say how a net is trained or fed, and which a forward pass never reads.
const TRAINING_ONLY: &[&str] = &[
    "accuracy_param",
    "annotated_data_param",
    "contrastive_loss_param",
    "data_param",
    "dummy_data_param",
    "hdf5_data_param",
    "hdf5_output_param",
    "hinge_loss_param",
    "image_data_param",
    "infogain_loss_param",
    "memory_data_param",
    "python_param",
    "recurrent_param",
    "window_data_param",
];

/// The descriptor of `NetParameter`, decoded once.
static SCHEMA: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    DescriptorPool::decode(DESCRIPTORS)
        .ok()?
        .get_message_by_name("caffe.NetParameter")
});

/// The most bytes that are parsed, over and over as unknown fields are blanked out, before the text is held to be something
/// else than a network: thousands of times those of any known net, and seconds of work.
const MOST_WORK: usize = 1 << 30;

/// A parsed prototxt.
#[derive(Debug)]
pub struct ParsedNet {
    /// The net as written: neither upgraded nor filtered by phase.
    pub net: NetParameter,
    /// One line for each name of an unknown field.
    pub warnings: Vec<String>,
}

/// Reads and parses a prototxt.
///
/// # Errors
/// When the file cannot be read, is not UTF-8, or is not protobuf text; the message gives line and column.
pub fn read_net(path: &Path) -> Result<ParsedNet> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let offset = e.utf8_error().valid_up_to();
        Error::Binary {
            path: path.to_owned(),
            offset: offset as u64,
            message: "not text".into(),
            expected: "prototxt",
        }
    })?;
    parse_net(text, path)
}

/// Parses the text of a prototxt; `path` is only for messages.
///
/// # Errors
/// As [`read_net`].
pub fn parse_net(text: String, path: &Path) -> Result<ParsedNet> {
    let descriptor = SCHEMA
        .clone()
        .ok_or_else(|| Error::Net("the schema of this build is damaged".into()))?;
    let mut text = text;
    let mut unknown = BTreeSet::new();
    for _ in 0..(MOST_WORK / text.len().max(1)).max(1) {
        match DynamicMessage::parse_text_format(descriptor.clone(), &text) {
            Ok(message) => {
                let net = message
                    .transcode_to::<NetParameter>()
                    .map_err(|e| Error::Net(e.to_string()))?;
                let warnings = unknown
                    .iter()
                    .filter(|name: &&String| !TRAINING_ONLY.contains(&name.as_str()))
                    .map(|name| format!("{}: the field \"{name}\" is not Caffe's; skipped", path.display()))
                    .collect();
                return Ok(ParsedNet { net, warnings });
            }
            Err(error) => {
                let message = error.to_string();
                let at = error
                    .labels()
                    .and_then(|mut labels| labels.next())
                    .map_or(text.len(), |label| label.offset().min(text.len()));
                let is_unknown_field = message.starts_with("field '") && message.contains("not found");
                let field = is_unknown_field.then(|| field_extent(&text, at)).flatten();
                let Some((name, end)) = field else {
                    return Err(located(&text, at, message, path));
                };
                unknown.insert(name);
                blank(&mut text, at, end);
            }
        }
    }
    Err(Error::Net(format!(
        "{}: too many fields are not Caffe's ({}, ...); is this a network's prototxt?",
        path.display(),
        unknown.iter().take(3).cloned().collect::<Vec<_>>().join(", ")
    )))
}

fn located(text: &str, at: usize, message: String, path: &Path) -> Error {
    let before = text.as_bytes()[..at].to_vec();
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = at - before.iter().rposition(|b| *b == b'\n').map_or(0, |p| p + 1) + 1;
    Error::Text {
        path: path.to_owned(),
        line,
        column,
        message,
    }
}

/// Overwrites `[start, end)` with spaces, keeping line breaks so that later messages still point at the right line.
fn blank(text: &mut String, start: usize, end: usize) {
    let blanks: String = text[start..end]
        .chars()
        .map(|c| if c == '\n' { '\n' } else { ' ' })
        .collect();
    text.replace_range(start..end, &blanks);
}

/// The name of the field that starts at `start`, and where its value ends.
fn field_extent(text: &str, start: usize) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    let name_end = (start..bytes.len())
        .find(|&i| !(bytes[i].is_ascii_alphanumeric() || bytes[i] == b'_'))
        .unwrap_or(bytes.len());
    if name_end == start {
        return None;
    }
    let mut at = skip_blank(bytes, name_end);
    if bytes.get(at) == Some(&b':') {
        at = skip_blank(bytes, at + 1);
    }
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
    (end > start).then(|| (text[start..name_end].to_owned(), end))
}

fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ParsedNet> {
        parse_net(text.into(), Path::new("net.prototxt"))
    }

    #[test]
    fn comments_and_dos_line_ends_are_read() {
        let net = parse("name: \"a\" # c\r\nlayer { name: 'x' type: \"ReLU\" }\r\n")
            .unwrap()
            .net;
        assert_eq!(net.name(), "a");
        assert_eq!(net.layer[0].r#type(), "ReLU");
    }

    #[test]
    fn fields_of_forks_are_skipped_and_named_once() {
        let parsed = parse(
            "layer { name: 'x' fork_param { a: 1 b { c: \"}\" } } other: 3 data_param { source: 'x' } }\n\
             layer { name: 'y' fork_param < a: 2 > other: 'q' 'r' name2: [1, 2] }",
        )
        .unwrap();
        assert_eq!(parsed.net.layer.len(), 2);
        assert_eq!(parsed.warnings.len(), 3, "{:?}", parsed.warnings);
        assert!(parsed.warnings[0].contains("fork_param"));
    }

    #[test]
    fn a_syntax_error_has_a_place() {
        let error = parse("name: \"a\"\nlayer { name: }").unwrap_err().to_string();
        assert!(error.starts_with("net.prototxt:2:"), "{error}");
    }

    #[test]
    fn an_unclosed_unknown_field_is_an_error() {
        assert!(parse("fork { a: 1").is_err());
    }
}
