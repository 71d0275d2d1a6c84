//! Protobuf text form: a prototxt into a [`NetParameter`].
//!
//! The parser is prost-reflect's. What it does not know is blanked out before (`tolerate`): forks of Caffe add fields
//! and values of their own, and none of them may stop a net that does not depend on it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use miette::Diagnostic;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use super::proto::{DESCRIPTORS, NetParameter};
use super::scan::skip_blank;
use super::sniff;
use super::tolerate::{Unknown, blank_unknown};
use crate::error::{Error, Result};
use crate::graph::{LONGEST_NAME, too_long};

/// The descriptor of `NetParameter`, decoded once.
static SCHEMA: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    DescriptorPool::decode(DESCRIPTORS)
        .ok()?
        .get_message_by_name("caffe.NetParameter")
});

/// Bytes of the longest prototxt that is read; those of networks of a thousand layers are a tenth as long.
const LONGEST: u64 = 8 << 20;

/// Most layers of a net: a ResNet of a thousand convolutions has 5000. Each takes some kilobytes, however short it is written.
const MOST_LAYERS: usize = 1 << 14;

/// Deepest nesting that is parsed, the parser being a recursive one. Caffe's own schema has six levels.
const DEEPEST: usize = 100;

/// How many unknown fields of a text without layers are kept.
const MOST_UNKNOWN: usize = 20;

/// A parsed prototxt.
#[derive(Debug)]
pub struct ParsedNet {
    /// The net as written: neither upgraded nor filtered by phase. What was left out of a layer stands in it.
    pub net: NetParameter,
    /// What stands beside the layers and is not Caffe's, each once.
    pub unknown: Vec<String>,
}

/// Reads and parses a prototxt.
///
/// # Errors
/// When the file cannot be read, is another kind of file, or is not protobuf text; the message gives line and column.
pub fn read_net(path: &Path) -> Result<ParsedNet> {
    let bytes = crate::input::read(path, LONGEST).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    if let Some(found) = sniff::instead_of_prototxt(&bytes) {
        return Err(Error::OtherFile {
            path: path.to_owned(),
            expected: "a network's prototxt",
            found,
        });
    }
    parse_net(decode(&bytes), path)
}

/// The text of a file. A byte order mark is left out, ends of lines as on old Macs are made today's, and bytes that are no
/// UTF-8, as in comments of other encodings, are replaced.
fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.into_owned()
    }
}

/// Parses the text of a prototxt; `path` is only for messages.
///
/// # Errors
/// As [`read_net`].
pub fn parse_net(mut text: String, path: &Path) -> Result<ParsedNet> {
    let descriptor = SCHEMA
        .clone()
        .ok_or_else(|| Error::Net("the schema of this build is damaged".into()))?;
    if let Some(at) = too_deep(&text) {
        let message = format!("it is nested more than {DEEPEST} levels deep; is this a network's prototxt?");
        return Err(located(&text, at, message, path));
    }
    let (layers, found) = blank_unknown(&mut text, &descriptor);
    if layers > MOST_LAYERS {
        return Err(Error::Net(format!("it has {layers} layers; at most {MOST_LAYERS} are read")).in_file(path));
    }
    let mut net = match DynamicMessage::parse_text_format(descriptor, &text) {
        Ok(message) => message
            .transcode_to::<NetParameter>()
            .map_err(|e| Error::Net(e.to_string()))?,
        Err(error) => {
            let at = error
                .labels()
                .and_then(|mut labels| labels.next())
                .map_or(text.len(), |label| label.offset().min(text.len()));
            return Err(located(&text, at, with_remedy(error.to_string()), path));
        }
    };
    check_names(&net).map_err(|e| e.in_file(path))?;
    let mut unknown = BTreeSet::new();
    for Unknown { layer, path } in found {
        let of_layer = layer.and_then(|layer| {
            let current = net.layer.get_mut(layer).map(|layer| &mut layer.deepvis_left_out);
            current.or(net.layers.get_mut(layer).map(|layer| &mut layer.deepvis_left_out))
        });
        match of_layer {
            Some(left_out) => left_out.push(path),
            None => {
                unknown.insert(path);
            }
        }
    }
    let mut unknown: Vec<String> = unknown.into_iter().collect();
    if net.layer.is_empty() && net.layers.is_empty() {
        if let Some(found) = sniff::solver(&unknown) {
            return Err(Error::OtherFile {
                path: path.to_owned(),
                expected: "a network's prototxt",
                found,
            });
        }
        unknown.truncate(MOST_UNKNOWN);
    }
    Ok(ParsedNet { net, unknown })
}

/// The parser's message, and what helps where the two generations of layers are mixed up.
fn with_remedy(message: String) -> String {
    if message.starts_with("expected a string, but found") {
        format!(
            "{message}; \"layer\" takes names of types in quotes, as type: \"Convolution\", and \"layers\" the older ones, \
                 as type: CONVOLUTION"
        )
    } else if message.starts_with("expected an enum value, but found '\"") {
        format!(
            "{message}; \"layers\" takes the older names of types, as type: CONVOLUTION, and \"layer\" those in quotes, as \
                 type: \"Convolution\""
        )
    } else {
        message
    }
}

/// Where brackets of any kind are nested too deeply. Strings end with their line at the latest, as for the parser.
fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0usize, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'<' | b'[' => depth += 1,
            b'}' | b'>' | b']' => depth = depth.saturating_sub(1),
            b'#' => {
                at = skip_blank(bytes, at);
                continue;
            }
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
                    at += if bytes[at] == b'\\' && bytes.get(at + 1) != Some(&b'\n') {
                        2
                    } else {
                        1
                    };
                }
            }
            _ => {}
        }
        if depth > DEEPEST {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn check_names(net: &NetParameter) -> Result<()> {
    let current = net
        .layer
        .iter()
        .flat_map(|layer| layer.name.iter().chain(&layer.bottom).chain(&layer.top));
    let older = net
        .layers
        .iter()
        .flat_map(|layer| layer.name.iter().chain(&layer.bottom).chain(&layer.top));
    match net
        .input
        .iter()
        .chain(current)
        .chain(older)
        .find(|name| name.len() > LONGEST_NAME)
    {
        Some(name) => Err(too_long(name)),
        None => Ok(()),
    }
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
    fn bytes_of_other_encodings_and_old_line_ends_are_read() {
        let bytes = b"\xef\xbb\xbfname: 'a' # caf\xe9\rlayer { name: 'x' }\r";
        let net = parse(&decode(bytes)).unwrap().net;
        assert_eq!((net.name(), net.layer.len()), ("a", 1));
    }

    #[test]
    fn generations_mixed_up_are_told() {
        for text in [
            "layer { type: CONVOLUTION }",
            "layers { type: 'Convolution' }",
            "layers { type: \"Input\" }",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(
                error.contains("as type: CONVOLUTION") && error.contains("as type: \"Convolution\""),
                "{error}"
            );
        }
    }

    #[test]
    fn a_syntax_error_has_a_place() {
        let error = parse("name: \"a\"\nlayer { name: }").unwrap_err().to_string();
        assert!(error.starts_with("net.prototxt:2:"), "{error}");
    }

    #[test]
    fn very_many_layers_are_refused_in_every_form() {
        let many = MOST_LAYERS + 1;
        let error = |text: String| parse(&text).unwrap_err().to_string();
        for one in ["layer {}", "layer <>", "layers: {}", "layer: [{}] "] {
            assert!(error(one.repeat(many)).contains("it has 16385 layers"), "{one}");
            assert!(parse(&one.repeat(10)).is_ok(), "{one}");
        }
        assert!(error(format!("layer: [{}]", vec!["{}"; many].join(","))).contains("it has 16385 layers"));
    }

    /// Each way to nest that the text format has, among them those that the parser takes itself through without a limit.
    #[test]
    fn deep_nesting_is_refused_in_every_form() {
        for (open, close) in [
            ("layer {", "}"),
            ("layer <", ">"),
            ("layer: {", "}"),
            ("layer: [{", "}]"),
            ("[a/caffe.NetState] {", "}"),
            ("[a/caffe.NetState] <", ">"),
            ("[", "]"),
            ("{", "}"),
            ("<", ">"),
            ("x: [", "]"),
            ("fork { \"", "\n}"),
        ] {
            let net = format!("name: 'a'\n{}{}", open.repeat(50_000), close.repeat(50_000));
            let error = parse(&net).unwrap_err().to_string();
            assert!(error.starts_with("net.prototxt:"), "{open}: {error}");
        }
        let shallow = "fork { a { b: [1, 2] } } ".repeat(300);
        assert!(parse(&format!("{shallow} name: '{}'", "{".repeat(500))).is_ok());
    }

    #[test]
    fn a_name_out_of_all_proportion_is_refused() {
        let long = "x".repeat(5000);
        for net in [
            format!("layer {{ name: '{long}' type: 'ReLU' }}"),
            format!("layer {{ name: 'a' type: 'ReLU' bottom: '{long}' }}"),
            format!("layers {{ name: 'a' type: RELU top: '{long}' }}"),
            format!("input: '{long}'"),
        ] {
            let error = parse(&net).unwrap_err().to_string();
            assert!(error.contains("a name of 5000 bytes") && error.len() < 200, "{error}");
        }
    }

    #[test]
    fn an_unclosed_unknown_field_is_an_error() {
        assert!(parse("fork { a: 1").is_err());
    }
}
