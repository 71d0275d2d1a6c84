//! Settings of the Deep Visualization Toolbox (`settings_local.py`), read without running Python.

use std::path::Path;

use super::settings::Settings;
use crate::python::{Value, literal};

/// The toolbox's word for its own folder.
const ROOT: &str = "%DVT_ROOT%";

/// Settings that the toolbox's file gives, and what of it could not be taken over, a line each.
///
/// `root` is the folder of the file, which `%DVT_ROOT%` and relative paths stand for. Only assignments of literals are read,
/// the last one of a name counting, as when Python runs the file.
pub fn read(text: &str, root: &Path) -> (Settings, Vec<String>) {
    let (mut settings, mut notes) = (Settings::default(), Vec::new());
    for (number, name, value) in assignments(text) {
        let place = |value: &Value| match value {
            Value::Str(path) => Some(root.join(path.replace(ROOT, &root.to_string_lossy()))),
            _ => None,
        };
        let parsed = literal::parse(&value);
        let is_taken = match (name.as_str(), &parsed) {
            ("caffevis_caffe_root", Ok(value)) => set(&mut settings.caffe_root, place(value)),
            ("caffevis_deploy_prototxt", Ok(value)) => set(&mut settings.deploy_proto, place(value)),
            ("caffevis_network_weights", Ok(value)) => set(&mut settings.net_weights, place(value)),
            ("caffevis_labels", Ok(value)) => set(&mut settings.labels, place(value)),
            ("caffevis_label_layers", Ok(value)) => set(&mut settings.label_layers, names(value)),
            ("caffevis_data_hw", Ok(value)) => set(&mut settings.data_size, value.as_sizes().map(|_| value.repr())),
            ("caffevis_data_mean", Ok(value)) => {
                let mean = match place(value) {
                    Some(path) => path.to_string_lossy().into_owned(),
                    None => value.repr(),
                };
                set(&mut settings.mean, Some(mean))
            }
            (
                "caffevis_caffe_root"
                | "caffevis_deploy_prototxt"
                | "caffevis_network_weights"
                | "caffevis_labels"
                | "caffevis_label_layers"
                | "caffevis_data_hw"
                | "caffevis_data_mean",
                Err(_),
            ) => false,
            // The toolbox's window, its keys and its camera.
            _ => true,
        };
        if !is_taken {
            notes.push(format!(
                "line {number}: {name} = {value} is left out: it is not what a literal can say"
            ));
        }
    }
    (settings, notes)
}

/// Sets what there is a value for; whether there is.
fn set<T>(setting: &mut Option<T>, value: Option<T>) -> bool {
    let is_there = value.is_some();
    if is_there {
        *setting = value;
    }
    is_there
}

fn names(value: &Value) -> Option<Vec<String>> {
    let of = |value: &Value| match value {
        Value::Str(name) => Some(name.clone()),
        _ => None,
    };
    match value.as_sequence() {
        Some(values) => values.iter().map(of).collect(),
        None => of(value).map(|name| vec![name]),
    }
}

/// The assignments that begin a line: their line's number, from 1, their name, and their text up to the closing bracket.
fn assignments(text: &str) -> Vec<(usize, String, String)> {
    let mut found: Vec<(usize, String, String)> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let name = name.trim_end();
        let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.is_empty();
        if !is_name || value.starts_with('=') {
            continue;
        }
        let (mut value, mut depth) = without_comment(value);
        while depth > 0
            && let Some((_, more)) = lines.next()
        {
            let (more, deeper) = without_comment(more);
            value = format!("{value} {}", more.trim());
            depth += deeper;
        }
        found.push((number + 1, name.to_owned(), value.trim().to_owned()));
    }
    found
}

/// A line without its comment, and how many brackets it opens more than it closes.
fn without_comment(line: &str) -> (String, i32) {
    let (mut quote, mut depth, mut is_escaped) = (None, 0, false);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '#') => return (line[..at].to_owned(), depth),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, _) => {}
        }
    }
    (line.to_owned(), depth)
}

/// Settings as the text of a `deepvis.toml`.
pub fn text(settings: &Settings) -> String {
    let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(|path| path.to_string_lossy().into_owned());
    let quoted = |text: &String| toml::Value::String(text.clone()).to_string();
    let layers = settings.label_layers.as_ref().map(|layers| {
        let layers: Vec<String> = layers.iter().map(quoted).collect();
        format!("[{}]", layers.join(", "))
    });
    let entries = [
        ("caffe_root", path(&settings.caffe_root).as_ref().map(quoted)),
        ("deploy_proto", path(&settings.deploy_proto).as_ref().map(quoted)),
        ("net_weights", path(&settings.net_weights).as_ref().map(quoted)),
        ("mean", settings.mean.as_ref().map(quoted)),
        ("labels", path(&settings.labels).as_ref().map(quoted)),
        ("label_layers", layers),
        ("channel_swap_to_rgb", settings.channel_swap_to_rgb.as_ref().map(quoted)),
        ("data_size", settings.data_size.as_ref().map(quoted)),
        ("push_layer", settings.push_layer.as_ref().map(quoted)),
        ("push_channel", settings.push_channel.map(|channel| channel.to_string())),
        ("preset", settings.preset.as_ref().map(quoted)),
    ];
    entries
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key} = {}\n", value?)))
        .collect()
}
