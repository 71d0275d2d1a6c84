//! Names and numbers in messages: suggestions for a misspelt name.

use std::collections::HashSet;

/// Characters of a name that are compared: the time taken grows with their square.
const COMPARED: usize = 100;
/// Names that are compared.
const MOST_COMPARED: usize = 20_000;

/// `1 channel`, `3 channels`: a number of things that an s makes several of, or which are axes.
///
/// ```
/// use deepvis_importer::names::counted;
/// assert_eq!((counted(1, "channel"), counted(0, "channel")), ("1 channel".into(), "0 channels".into()));
/// ```
pub fn counted(count: usize, thing: &str) -> String {
    match (count, thing) {
        (1, _) => format!("1 {thing}"),
        (_, "axis") => format!("{count} axes"),
        _ => format!("{count} {thing}s"),
    }
}

/// At most `count` of `known`, the nearest in spelling to `wanted` first, those too far away left out.
///
/// ```
/// let layers = ["conv1", "conv2", "fc8", "prob"];
/// assert_eq!(deepvis_importer::names::nearest("fc9", layers, 2), ["fc8"]);
/// ```
///
/// Only the first characters of names count, and of very many names the first ones.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>, count: usize) -> Vec<&'a str> {
    let begin = |name: &str| name.chars().take(COMPARED).collect::<String>().to_lowercase();
    let lower = begin(wanted);
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .take(MOST_COMPARED)
        .map(|name| {
            let name_lower = begin(name);
            let within = !lower.is_empty() && (name_lower.contains(&lower) || lower.contains(&name_lower));
            let likeness = strsim::jaro_winkler(&lower, &name_lower);
            (if within { likeness.max(0.85) } else { likeness }, name)
        })
        .filter(|(score, _)| *score > 0.7)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(count).map(|(_, name)| name).collect()
}

/// "`did you mean a, b or c?`", or a list of all names when none is near.
///
/// Each name is listed once, and long lists are cut after `most` names:
///
/// ```
/// let layers = ["conv1", "conv1", "conv2", "fc8"];
/// assert_eq!(deepvis_importer::names::suggest("zz", &layers, 2), "it has conv1, conv2 and 1 more");
/// assert_eq!(deepvis_importer::names::suggest("zz", &layers, 3), "it has conv1, conv2, fc8");
/// assert_eq!(deepvis_importer::names::suggest("conv3", &layers, 3), "did you mean conv1 or conv2?");
/// ```
pub fn suggest(wanted: &str, known: &[&str], most: usize) -> String {
    let near = nearest(wanted, known.iter().copied(), 5);
    if near.is_empty() {
        let mut seen = HashSet::new();
        let each = known.iter().copied().filter(|name| seen.insert(*name));
        let mut shown: Vec<&str> = each.collect();
        let rest = shown.len().saturating_sub(most);
        shown.truncate(most);
        let more = if rest > 0 {
            format!(" and {rest} more")
        } else {
            String::new()
        };
        return format!("it has {}{more}", shown.join(", "));
    }
    format!("did you mean {}?", near.join(" or "))
}
