//! `info.txt` read back: names and values as they were printed.

/// The two blocks of an `info.txt`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) params: Vec<(String, String)>,
    pub(super) results: Vec<(String, String)>,
}

impl Info {
    /// Parses the text; what is no `name: value` is left out.
    pub(super) fn parse(text: &str) -> Self {
        let mut info = Self::default();
        let mut in_results = false;
        for line in text.lines() {
            if line.starts_with("FindResults") {
                in_results = true;
            } else if let Some((name, value)) = line.split_once(": ").filter(|_| line.starts_with(' ')) {
                let block = if in_results {
                    &mut info.results
                } else {
                    &mut info.params
                };
                block.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        info
    }

    /// A value of the first block.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        find(&self.params, name)
    }

    /// A value of the second block; `None` stands for none.
    pub(super) fn result(&self, name: &str) -> Option<&str> {
        find(&self.results, name).filter(|value| *value != "None")
    }
}

fn find<'a>(block: &'a [(String, String)], name: &str) -> Option<&'a str> {
    block
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}
