//! What is said about the flags: `-h` on one screen, `--help` with the defaults that settings give, examples, completions for
//! shells, manual pages.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory};

use super::error::Error;
use super::flags::{Cli, CompletionsFlags, ManFlags};
use super::stdout::out;
use crate::ascent::{Method, Preset, Recipe};
use crate::model::{Settings, bundled, folder, named};
use crate::output::original::Spelling;

/// What `deepvis optimize -h` shows, so shortly that it fits 24 lines of 80 columns; `--help` shows all.
const SHORT: [(&str, &str); 5] = [
    ("net", "A network by name, folder or file (default: the bundled one)"),
    ("push_layer", "Layer of the unit"),
    ("push_channel", "7, 0-99, \"*dog*\", all"),
    ("preset", "fourier, maco, deepdream, paper-3, demo ..."),
    ("output_prefix", "Start of names"),
];

/// Commands that load a network or compute, whose `-h` would else take screens.
const LOADING: [&str; 4] = ["explore", "inspect", "classify", "forward"];

/// Their flags about network and device that `-h` shows, shortly; it hides the others of [`RARE`].
const SHORT_OF_NETWORKS: [(&str, &str); 7] = [
    ("net", "A network by name, folder or file"),
    ("deploy_proto", "Its prototxt, where it is not beside its weights"),
    ("net_weights", "Its .caffemodel, .onnx or .bpk"),
    ("mean", "What is subtracted from images, such as \"(104,117,123)\""),
    ("labels", "A text file with one label a line"),
    ("backend", "What computes: auto, flex, ndarray or wgpu"),
    ("output_prefix", "What files begin with"),
];

/// Their flags that few need.
const RARE: [&str; 13] = [
    "model",
    "caffe_root",
    "preprocess",
    "input_std",
    "input_scale",
    "channel_order",
    "channel_swap_to_rgb",
    "data_size",
    "input_shape",
    "strict",
    "lenient",
    "device",
    "max_memory",
];

/// Words that other programs have for flags of `optimize`: hidden aliases of these.
const RIGHT_FLAGS: [(&str, &str); 6] = [
    ("--layer", "--push-layer"),
    ("--channel", "--push-channel"),
    ("--seed", "--rand-seed"),
    ("--iterations", "--max-iter"),
    ("--lr", "--lr-params"),
    ("--out", "--output-prefix"),
];

/// What each command is used for.
const EXAMPLES: [(&str, &str); 13] = [
    (
        "optimize",
        "deepvis optimize --push-channel face
deepvis optimize bvlc-googlenet --push-channel 130 --preset paper-3
deepvis optimize net.caffemodel --push-layer \"conv*\" --push-channel all
deepvis optimize --push-channel 0-9 --rand-seed 0-8 --output-prefix out/opt",
    ),
    ("demo", "deepvis demo\ndeepvis demo --output-dir pictures"),
    (
        "explore",
        "deepvis explore --open\ndeepvis explore squeezenet-v1.1 --port 8080",
    ),
    (
        "gallery",
        "deepvis gallery\ndeepvis gallery results --title \"My network\"",
    ),
    (
        "fetch",
        "deepvis fetch\ndeepvis fetch bvlc-googlenet\ndeepvis fetch squeezenet-v1.1 --from /media/stick",
    ),
    (
        "import",
        "deepvis import deploy.prototxt net.caffemodel -o net.bpk
deepvis import resnet50.onnx -o resnet50.bpk",
    ),
    (
        "inspect",
        "deepvis inspect demo\ndeepvis inspect net.bpk --layer conv5\ndeepvis inspect net.bpk --json",
    ),
    (
        "classify",
        "deepvis classify net.bpk photo.jpg --mean \"(104,117,123)\" --labels labels.txt",
    ),
    (
        "forward",
        "deepvis forward net.bpk --input photo.jpg --layer fc8 --unit 130 --output-dir out",
    ),
    ("devices", "deepvis devices\ndeepvis devices --json"),
    (
        "init-settings",
        "deepvis init-settings\ndeepvis init-settings --from ~/deep-visualization-toolbox/settings_local.py",
    ),
    (
        "completions",
        "deepvis completions bash > ~/.local/share/bash-completion/completions/deepvis
deepvis completions zsh > ~/.zfunc/_deepvis
deepvis completions fish > ~/.config/fish/completions/deepvis.fish",
    ),
    (
        "man",
        "deepvis man | man -l -\ndeepvis man optimize > deepvis-optimize.1",
    ),
];

/// The commands and their flags, with examples. For `-h`, flags stand in one list.
pub(super) fn complete(for_short_help: bool) -> Command {
    let mut command = Cli::command();
    for (name, examples) in EXAMPLES {
        let lines: Vec<String> = examples.lines().map(|line| format!("  {line}")).collect();
        command = command.mut_subcommand(name, |command| {
            command.after_help(format!("Examples:\n{}", lines.join("\n")))
        });
    }
    if for_short_help {
        for name in LOADING {
            command = command.mut_subcommand(name, |command| command.mut_args(shortened));
        }
    }
    // What is wrong with a negative number is best said by whoever wanted the number.
    let command = command.mut_subcommands(|command| {
        command.mut_args(|argument| {
            let takes_number = argument.get_action().takes_values() && !argument.is_positional();
            argument.allow_negative_numbers(takes_number)
        })
    });
    command.mut_subcommand("optimize", |optimize| {
        optimize.mut_args(|argument| {
            let short = SHORT.iter().find(|(id, _)| argument.get_id() == *id);
            match short {
                Some((_, text)) if for_short_help && argument.is_positional() => argument.help(*text),
                Some((_, text)) if for_short_help => {
                    argument.help(*text).help_heading("Flags").hide_possible_values(true)
                }
                Some(_) => argument,
                None => argument.hide_short_help(true),
            }
        })
    })
}

/// A flag about network or device as `-h` shows it.
fn shortened(argument: clap::Arg) -> clap::Arg {
    let id = argument.get_id().as_str();
    if RARE.contains(&id) {
        return argument.hide_short_help(true);
    }
    match SHORT_OF_NETWORKS.iter().find(|(known, _)| *known == id) {
        Some((_, text)) => argument.help(*text).hide_possible_values(true),
        None => argument,
    }
}

/// Whether it is short help that is asked for.
pub(super) fn asks_for_short_help(mut arguments: impl Iterator<Item = OsString>) -> bool {
    arguments.any(|word| word == "-h")
}

/// Says which flag another program's word stands for.
pub(super) fn say_the_right_flags(arguments: impl Iterator<Item = OsString>) {
    let given: Vec<String> = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
    if given.get(1).is_none_or(|command| command != "optimize") {
        return;
    }
    for (word, right) in RIGHT_FLAGS {
        if given.iter().any(|given| given.split('=').next() == Some(word)) {
            eprintln!("note: {word} is called {right} here");
        }
    }
}

/// `deepvis completions`.
pub(super) fn completions(flags: &CompletionsFlags) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut complete(false), "deepvis", &mut script);
    out!("{}", String::from_utf8_lossy(&script));
    Ok(ExitCode::SUCCESS)
}

/// `deepvis man`.
pub(super) fn man(flags: &ManFlags) -> anyhow::Result<ExitCode> {
    let mut command = complete(false);
    command.build();
    if let Some(name) = &flags.command {
        let known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        let unknown = || {
            let known = deepvis_importer::names::suggest(name, &known, 20);
            Error::Usage(format!("man: there is no command {name}; {known}"))
        };
        command = command.find_subcommand(name).cloned().ok_or_else(unknown)?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    out!("{}", String::from_utf8_lossy(&page));
    Ok(ExitCode::SUCCESS)
}

/// The settings that apply to the model that is named on the command line, or to the bundled one.
pub(super) fn applying(settings: Settings, arguments: impl Iterator<Item = OsString>) -> Settings {
    let given: Vec<String> = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
    if !given.iter().any(|word| word == "--help") {
        return settings;
    }
    let value = |flag: &str| {
        given
            .iter()
            .enumerate()
            .rev()
            .find_map(|(at, word)| match word.strip_prefix(flag) {
                Some("") => given.get(at + 1).cloned(),
                Some(rest) => rest.strip_prefix('=').map(str::to_owned),
                None => None,
            })
    };
    let is_named = ["--deploy-proto", "--net-weights", "--caffe-root"]
        .into_iter()
        .any(|flag| value(flag).is_some());
    let folder = match value("--model") {
        Some(model) => named::folder(Path::new(&model)).ok(),
        None if is_named || settings.name_a_network() => None,
        None => bundled::folder().ok(),
    };
    let mut applying = match folder.and_then(|folder| folder::settings(&folder).ok()) {
        Some(of_folder) => of_folder.completed_by(&settings),
        None => settings,
    };
    applying.preset = value("--preset").or(applying.preset);
    applying
}

/// What a preset gives, by flag.
fn of_preset(settings: &Settings) -> Vec<(&'static str, String)> {
    let Some(preset) = settings.preset.as_deref().and_then(Preset::named) else {
        return Vec::new();
    };
    let mut given = vec![
        ("preset", preset.name.to_owned()),
        ("max_iter", preset.steps.to_string()),
    ];
    if let Method::Classic {
        regularizers: r,
        schedule,
    } = preset.method
    {
        let recipe = Recipe::of_unit("", 0).with_preset(preset);
        given.extend([
            ("decay", r.decay.to_string()),
            ("blur_radius", r.blur_radius.to_string()),
            ("blur_every", r.blur_every.to_string()),
            ("small_val_percentile", r.small_val_percentile.to_string()),
            ("small_norm_percentile", r.small_norm_percentile.to_string()),
            ("px_benefit_percentile", r.px_benefit_percentile.to_string()),
            ("px_abs_benefit_percentile", r.px_abs_benefit_percentile.to_string()),
            ("lr_policy", schedule.policy().to_owned()),
            ("lr_params", Spelling::plain(&recipe).lr_params.repr()),
        ]);
    }
    given
}

/// Adds to the help of `optimize` and its kin what each flag that may come from settings defaults to.
pub(super) fn with_defaults(command: Command, settings: &Settings) -> Command {
    let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(Path::display).map(|p| p.to_string());
    let none = || "none".to_owned();
    let mut defaults: Vec<(&str, String)> = vec![
        ("caffe_root", path(&settings.caffe_root).unwrap_or_else(none)),
        ("deploy_proto", path(&settings.deploy_proto).unwrap_or_else(none)),
        ("net_weights", path(&settings.net_weights).unwrap_or_else(none)),
        ("mean", settings.mean.clone().unwrap_or_else(|| "None".into())),
        (
            "channel_swap_to_rgb",
            settings.channel_swap_to_rgb.clone().unwrap_or_else(|| "(2,1,0)".into()),
        ),
        (
            "data_size",
            settings
                .data_size
                .clone()
                .unwrap_or_else(|| "the prototxt's own; (227,227) where it has none".into()),
        ),
        ("labels", path(&settings.labels).unwrap_or_else(none)),
        (
            "push_layer",
            settings.push_layer.clone().unwrap_or_else(|| "fc8; fc7 of demo".into()),
        ),
        (
            "push_channel",
            settings
                .push_channel
                .map_or_else(|| "130; 24 of demo".into(), |channel| channel.to_string()),
        ),
    ];
    defaults.extend(of_preset(settings));
    command.mut_subcommands(|subcommand| {
        let mut subcommand = subcommand;
        for (id, default) in &defaults {
            if subcommand.get_arguments().any(|argument| argument.get_id() == *id) {
                subcommand = subcommand.mut_arg(id, |argument| {
                    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                    // The original's default, where a preset gives another.
                    let help = help.split(" [default: ").next().unwrap_or(&help);
                    argument.help(format!("{help} [default: {default}]"))
                });
            }
        }
        subcommand
    })
}
