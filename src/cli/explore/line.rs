//! Wishes of the page as words of a command line.

use std::path::Path;

use clap::Parser;

use super::settings;
use crate::cli::error::{Error, Result};
use crate::cli::flags::{Backend, Cli, Command, DeviceFlags, ExploreFlags, ModelFlags, OptimizeFlags};
use crate::explore::{Kind, ON, Wish, place_of_photo};
use crate::objective::Expression;

/// Where results go unless it is said otherwise.
pub(super) const PREFIX: &str = "optimize_results/opt";

/// The flags of `deepvis optimize` with the model, device and place of results of these.
///
/// # Errors
/// Never: the command line without flags is right.
pub(super) fn optimize_flags(flags: &ExploreFlags) -> Result<OptimizeFlags> {
    let parsed = Cli::try_parse_from(["deepvis", "optimize"]).map_err(|error| Error::Usage(error.to_string()))?;
    let Command::Optimize(mut optimize) = parsed.command else {
        return Err(Error::Usage("optimize is no command".into()));
    };
    optimize.net.clone_from(&flags.net);
    optimize.model = flags.model.clone();
    optimize.device = flags.device.clone();
    optimize.output.output_prefix.clone_from(&flags.output_prefix);
    optimize.output.skipbig = flags.skipbig;
    Ok(*optimize)
}

/// The words that name model and device.
pub(super) fn given(flags: &ExploreFlags) -> Vec<String> {
    let ModelFlags {
        model,
        caffe_root,
        deploy_proto,
        net_weights,
        mean,
        preprocess,
        input_std,
        input_scale,
        channel_order,
        channel_swap_to_rgb,
        data_size,
        labels,
        input_shape,
        strict,
        lenient,
    } = &flags.model;
    let DeviceFlags {
        backend,
        device,
        max_memory,
    } = &flags.device;
    let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(Path::display).map(|path| path.to_string());
    let backend = match backend {
        Backend::Auto => None,
        Backend::Flex => Some("flex".to_owned()),
        Backend::Ndarray => Some("ndarray".to_owned()),
        Backend::Wgpu => Some("wgpu".to_owned()),
    };
    let all = [
        ("--model", path(model)),
        ("--caffe-root", path(caffe_root)),
        ("--deploy-proto", path(deploy_proto)),
        ("--net-weights", path(net_weights)),
        ("--mean", mean.clone()),
        ("--preprocess", preprocess.map(|scheme| scheme.name().to_owned())),
        ("--input-std", input_std.clone()),
        ("--input-scale", input_scale.clone()),
        ("--channel-order", channel_order.map(|order| order.name().to_owned())),
        ("--channel-swap-to-rgb", channel_swap_to_rgb.clone()),
        ("--data-size", data_size.clone()),
        ("--labels", path(labels)),
        ("--input-shape", input_shape.clone()),
        ("--backend", backend),
        ("--device", device.map(|device| device.to_string())),
        ("--max-memory", max_memory.clone()),
    ];
    let net = path(&flags.net);
    let words = all
        .into_iter()
        .filter_map(|(flag, value)| Some([flag.to_owned(), value?]));
    let switches = [("--strict", *strict), ("--lenient", *lenient)];
    let switches = switches.into_iter().filter(|(_, is_on)| *is_on);
    net.into_iter()
        .chain(words.flatten())
        .chain(switches.map(|(flag, _)| flag.to_owned()))
        .collect()
}

/// The words of a wish; photographs are kept beside the results, in `folder`.
///
/// # Errors
/// When it has a setting that the page does not offer, or a photograph that is not kept.
pub(super) fn of_wish(wish: &Wish, folder: &Path) -> std::result::Result<Vec<String>, String> {
    // Joined by a sign of equality, no value can be taken for a flag.
    let mut words = Vec::new();
    match wish.settings.get("objective") {
        Some(objective) => no_files(objective)?,
        None => {
            words.push(format!("--push-layer={}", wish.layer));
            words.push(format!("--push-channel={}", wish.channels));
        }
    }
    if wish.seeds != "0" {
        words.push(format!("--rand-seed={}", wish.seeds));
    }
    for (name, value) in &wish.settings {
        match settings::kind(name) {
            None => return Err(format!("there is no setting {name}")),
            Some(Kind::Switch) if value == ON => words.push(format!("--{name}")),
            Some(Kind::Switch) => return Err(format!("{name}: it is {ON}, or not given")),
            Some(Kind::Number { .. } | Kind::Choice { .. } | Kind::Text) => words.push(format!("--{name}={value}")),
        }
    }
    if let Some(name) = &wish.start_from {
        let path = place_of_photo(folder, name).ok_or("that photograph is not kept here; drop it on the page again")?;
        words.push(format!("--start-from={}", path.display()));
    }
    Ok(words)
}

/// Refuses objectives that read files: a page has no business with those of this machine. What cannot be parsed is refused later.
fn no_files(objective: &str) -> std::result::Result<(), String> {
    match Expression::parse(objective) {
        Ok(expression) if !expression.files().is_empty() => Err(format!(
            "the objective reads {}, and a page may not read files; `deepvis optimize --objective` does",
            expression.files().join(" and ")
        )),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A word as a POSIX shell reads it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let quoted = |word: &str| format!("'{}'", word.replace('\'', "'\\''"));
    match word.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") && flag.chars().all(is_plain) => {
            format!("{flag}={}", quoted(value))
        }
        _ => quoted(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("--push-channel=0-8,24"), "--push-channel=0-8,24");
        assert_eq!(quoted("--lr-params={'lr': 1}"), r"--lr-params='{'\''lr'\'': 1}'");
        assert_eq!(quoted("$(rm)"), "'$(rm)'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn an_objective_takes_the_place_of_a_unit_and_reads_no_files() {
        let wish = |objective: &str| Wish {
            layer: "conv3".into(),
            channels: "1".into(),
            seeds: "0".into(),
            settings: [("objective".to_owned(), objective.to_owned())].into(),
            start_from: None,
        };
        let of_wish = |wish: &Wish| of_wish(wish, Path::new("results"));
        let words = of_wish(&wish("channel(conv3, 1) - 0.1*l2()")).unwrap();
        assert_eq!(words, ["--objective=channel(conv3, 1) - 0.1*l2()"]);
        for objective in [
            "direction(conv3, v.npy)",
            "mean(conv3) - 2*cosine(conv3, /etc/passwd)",
            "caricature(conv3, photo.jpg)",
            "-(1 + inversion(conv3, \"a b.jpg\"))",
        ] {
            assert!(
                of_wish(&wish(objective)).unwrap_err().contains("may not read files"),
                "{objective}"
            );
        }
    }

    #[test]
    fn a_wish_cannot_smuggle_flags_in() {
        let mut wish = Wish {
            layer: "--brave".into(),
            channels: "--output-prefix=/etc/x".into(),
            seeds: "--x".into(),
            ..Wish::default()
        };
        let of_wish = |wish: &Wish| of_wish(wish, Path::new("results"));
        let words = of_wish(&wish).unwrap();
        assert_eq!(
            words,
            [
                "--push-layer=--brave",
                "--push-channel=--output-prefix=/etc/x",
                "--rand-seed=--x"
            ]
        );
        for name in [
            "brave",
            "output-prefix",
            "output-template",
            "mean",
            "decay=1 --brave",
            "",
        ] {
            wish.settings = [(name.to_owned(), String::new())].into();
            assert!(of_wish(&wish).is_err(), "{name}");
        }
        wish.settings = [("alpha".to_owned(), "on --brave".to_owned())].into();
        assert!(of_wish(&wish).is_err());
        wish.settings = [("alpha".to_owned(), ON.to_owned())].into();
        assert_eq!(of_wish(&wish).unwrap().last().unwrap(), "--alpha");
        for name in ["/etc/passwd", "../photo.jpg", "0123456789abcdef.jpg"] {
            wish.start_from = Some(name.to_owned());
            assert!(of_wish(&wish).is_err(), "{name}");
        }
    }
}
