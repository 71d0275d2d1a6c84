//! What a prototxt says that Caffe's schema does not know: blanked out before the parser sees it, and remembered.
//!
//! One walk over the text, along the schema. Forks of Caffe add fields and values of their own; none of them may stop a net,
//! and each is kept with the layer that it stands in, so that only this layer is in doubt.

use prost_reflect::{Kind, MessageDescriptor};

use super::scan::{skip_blank, value_end, word_end};

/// The name under which a layer keeps what was left out of it; see `caffe.proto`.
const LEFT_OUT: &str = "deepvis_left_out";

/// Something unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unknown {
    /// Which of the net's `layer` or `layers` it stands in; `None` beside them.
    pub(super) layer: Option<usize>,
    /// The fields that lead to it, as `pooling_param.ceil`; with the value, as `pooling_param.pool: LP`, where only this is
    /// unknown.
    pub(super) path: String,
}

/// Blanks out what `schema` does not know, lengths and line breaks left as they are. Where the text is no protobuf text the
/// walk ends, and the parser will say what is wrong. Also tells how many layers there are.
pub(super) fn blank_unknown(text: &mut String, schema: &MessageDescriptor) -> (usize, Vec<Unknown>) {
    let mut walk = Walk {
        bytes: text.as_bytes(),
        layers: 0,
        layer: None,
        path: Vec::new(),
        unknown: Vec::new(),
        blanks: Vec::new(),
    };
    let _ = walk.message(0, schema, None);
    let (layers, unknown, blanks) = (walk.layers, walk.unknown, walk.blanks);
    let mut bytes = std::mem::take(text).into_bytes();
    for (start, end) in blanks {
        for byte in &mut bytes[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    // Whole tokens became spaces, so that it is UTF-8 as before.
    *text = String::from_utf8_lossy(&bytes).into_owned();
    (layers, unknown)
}

struct Walk<'a> {
    bytes: &'a [u8],
    /// Layers met so far.
    layers: usize,
    layer: Option<usize>,
    path: Vec<String>,
    unknown: Vec<Unknown>,
    blanks: Vec<(usize, usize)>,
}

impl Walk<'_> {
    /// Walks the fields of a message from `at` to `close`, or to the end; tells where what follows it begins.
    fn message(&mut self, mut at: usize, schema: &MessageDescriptor, close: Option<u8>) -> Option<usize> {
        loop {
            at = skip_blank(self.bytes, at);
            match self.bytes.get(at) {
                None => return close.is_none().then_some(at),
                Some(byte) if Some(*byte) == close => return Some(at + 1),
                Some(b';' | b',') => at += 1,
                Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => at = self.field(at, schema)?,
                Some(_) => return None,
            }
        }
    }

    fn field(&mut self, start: usize, schema: &MessageDescriptor) -> Option<usize> {
        let name_end = word_end(self.bytes, start);
        let name = std::str::from_utf8(&self.bytes[start..name_end]).ok()?.to_owned();
        let mut at = skip_blank(self.bytes, name_end);
        if self.bytes.get(at) == Some(&b':') {
            at = skip_blank(self.bytes, at + 1);
        }
        let known = schema.get_field_by_name(&name).filter(|_| name != LEFT_OUT);
        let Some(field) = known else {
            let end = value_end(self.bytes, at)?;
            self.leave_out(&name, None, (start, end));
            return Some(end);
        };
        let is_layer = self.path.is_empty() && self.layer.is_none() && (name == "layer" || name == "layers");
        if !is_layer {
            self.path.push(name.clone());
        }
        let end = match field.kind() {
            Kind::Message(inner) => self.messages(at, &inner, is_layer),
            Kind::Enum(values) => self.values(at, (start, &name), |word| values.get_value_by_name(word).is_some()),
            _ => value_end(self.bytes, at),
        };
        if is_layer {
            self.layer = None;
        } else {
            self.path.pop();
        }
        end
    }

    /// A message, or a list of them; whether each is a layer.
    fn messages(&mut self, at: usize, schema: &MessageDescriptor, is_layer: bool) -> Option<usize> {
        let bytes = self.bytes;
        let mut inner = |at: usize, close: u8| {
            if is_layer {
                self.layer = Some(self.layers);
                self.layers += 1;
            }
            self.message(at + 1, schema, Some(close))
        };
        match bytes.get(at)? {
            b'{' => inner(at, b'}'),
            b'<' => inner(at, b'>'),
            b'[' => {
                let mut at = at + 1;
                loop {
                    at = skip_blank(bytes, at);
                    match bytes.get(at)? {
                        b']' => return Some(at + 1),
                        b',' => at += 1,
                        b'{' => at = inner(at, b'}')?,
                        b'<' => at = inner(at, b'>')?,
                        _ => return None,
                    }
                }
            }
            _ => None,
        }
    }

    /// A word that must be one of an enumeration's, or a list of such. A list with an unknown word is left out as a whole.
    fn values(&mut self, at: usize, (start, name): (usize, &str), is_known: impl Fn(&str) -> bool) -> Option<usize> {
        let end = value_end(self.bytes, at)?;
        let value = std::str::from_utf8(&self.bytes[at..end]).ok()?.to_owned();
        let words = value.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let unknown = words
            .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
            .find(|word| !is_known(word));
        // A string in an enumeration's place is a mistake of another kind.
        if let Some(word) = unknown
            && !value.starts_with(['"', '\''])
        {
            let word = word.to_owned();
            self.path.pop();
            self.leave_out(name, Some(&word), (start, end));
            self.path.push(name.to_owned());
        }
        Some(end)
    }

    fn leave_out(&mut self, name: &str, value: Option<&str>, extent: (usize, usize)) {
        let mut path = self.path.join(".");
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        if let Some(value) = value {
            path.push_str(": ");
            path.push_str(value);
        }
        self.unknown.push(Unknown {
            layer: self.layer,
            path,
        });
        self.blanks.push(extent);
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::parse_net;

    fn left_out(text: &str) -> (Vec<Vec<String>>, Vec<String>) {
        let parsed = parse_net(text.into(), std::path::Path::new("net.prototxt")).unwrap();
        let layers = parsed
            .net
            .layer
            .into_iter()
            .map(|layer| layer.deepvis_left_out)
            .collect();
        (layers, parsed.unknown)
    }

    #[test]
    fn what_is_unknown_stays_with_its_layer() {
        let (layers, beside) = left_out(
            "layer { name: 'a' fork_param { x: 1 y { z: \"}\" } } pooling_param { pool: LP odd: [1, 2] engine: X } }
             layer { name: 'b' } debug: 'a' 'b' layer < name: 'c' include { phase: VALIDATE } deepvis_left_out: 'no' >",
        );
        assert_eq!(beside, ["debug"]);
        assert_eq!(
            layers,
            [
                vec![
                    "fork_param",
                    "pooling_param.pool: LP",
                    "pooling_param.odd",
                    "pooling_param.engine: X"
                ],
                vec![],
                vec!["include.phase: VALIDATE", "deepvis_left_out"],
            ]
        );
    }

    #[test]
    fn layers_of_a_list_are_told_apart() {
        let (layers, _) = left_out("layer: [{ name: 'a' }, { name: 'b' odd: 1 }, < name: 'c' >] layer { even: 2 }");
        assert_eq!(layers, [vec![], vec!["odd"], vec![], vec!["even"]]);
    }
}
