//! Lists, ranges, labels and "all" in `--push-channel` and `--rand-seed`.

use std::collections::HashSet;

use deepvis_importer::names::{counted, nearest};
use globset::Glob;

use crate::cli::error::{Error, Result};
use crate::cli::literals::wrong;
use crate::model::Labels;

/// Longest list that a range is expanded to.
const MOST: usize = 1 << 20;

/// `0-3,7` as numbers; `None` for an item that is neither a number nor a range.
fn numbers(item: &str) -> Option<std::ops::RangeInclusive<usize>> {
    let item = item.trim();
    if let Ok(number) = item.parse() {
        return Some(number..=number);
    }
    let (first, last) = item.split_once('-')?;
    Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
}

/// `--rand-seed`: one seed, or several.
pub(super) fn seeds(given: &str) -> Result<Vec<u32>> {
    const EXPECTED: &str = "a seed from 0 to 4294967295, or several as 0-8 or 0,3,7";
    let flag = "--rand-seed";
    let (mut seeds, mut seen) = (Vec::new(), HashSet::new());
    for item in given.split(',') {
        let range = numbers(item).ok_or_else(|| wrong(flag, given, format!("\"{item}\" is no seed"), EXPECTED))?;
        if range.is_empty() || range.end() - range.start() > MOST {
            return Err(wrong(
                flag,
                given,
                format!("the range {item} is empty or endless"),
                EXPECTED,
            ));
        }
        for seed in range {
            let seed = u32::try_from(seed).map_err(|_| wrong(flag, given, format!("{seed} is too large"), EXPECTED))?;
            if seen.insert(seed) {
                seeds.push(seed);
            }
        }
    }
    Ok(seeds)
}

/// `--push-channel` for a layer of `channels`: numbers, ranges, `all`, labels and label patterns.
pub(super) fn channels(given: &str, layer: &str, channels: usize, labels: &Labels) -> Result<Vec<usize>> {
    const EXPECTED: &str = "a channel, several as 0-99,130, a label such as \"flamingo\" or \"*dog*\", or all";
    let flag = "--push-channel";
    let mut chosen = Vec::new();
    for item in given.split(',').map(str::trim) {
        if item == "all" {
            chosen.extend(0..channels);
        } else if let Some(range) = numbers(item) {
            if range.is_empty() {
                return Err(wrong(flag, given, format!("the range {item} is empty"), EXPECTED));
            }
            if *range.end() >= channels {
                return Err(Error::Usage(format!(
                    "--push-channel {item}: layer \"{layer}\" has {} (from 0 to {})",
                    counted(channels, "channel"),
                    channels.saturating_sub(1)
                )));
            }
            chosen.extend(range);
        } else {
            chosen.extend(labelled(item, given, layer, channels, labels)?);
        }
    }
    let mut seen = HashSet::new();
    chosen.retain(|channel| seen.insert(*channel));
    Ok(chosen)
}

fn labelled(item: &str, given: &str, layer: &str, channels: usize, labels: &Labels) -> Result<Vec<usize>> {
    const EXPECTED: &str = "a channel, several as 0-99,130, a label such as \"flamingo\" or \"*dog*\", or all";
    let flag = "--push-channel";
    if item.parse::<i64>().is_ok() {
        return Err(wrong(flag, given, "channels are counted from 0", EXPECTED));
    }
    let named = labels.of_layer(layer, channels);
    if named.is_empty() {
        let message = match labels.misfit(layer, channels) {
            None => format!("\"{item}\" is no number, and there are no labels for layer \"{layer}\"; give --labels"),
            Some(why) => format!("\"{item}\" is no number, and the labels do not name these units: {why}"),
        };
        return Err(wrong(flag, given, message, EXPECTED));
    }
    let glob = Glob::new(&item.to_lowercase())
        .map_err(|e| wrong(flag, given, format!("the pattern {item}: {}", e.kind()), EXPECTED))?
        .compile_matcher();
    let matching: Vec<usize> = named
        .iter()
        .enumerate()
        .filter(|(_, label)| glob.is_match(label.to_lowercase()))
        .map(|(channel, _)| channel)
        .collect();
    if matching.is_empty() {
        let known: Vec<&str> = named.iter().map(String::as_str).collect();
        let near = nearest(item.trim_matches('*'), known, 5);
        let hint = if near.is_empty() {
            String::new()
        } else {
            format!("; did you mean {}?", near.join(" or "))
        };
        return Err(wrong(
            flag,
            given,
            format!("no label matches \"{item}\"{hint}"),
            EXPECTED,
        ));
    }
    Ok(matching)
}
