//! `--help` with the defaults that settings give.

use std::path::Path;

use clap::Command;

use super::settings::Settings;

/// Adds to the help of `optimize` and its kin what each flag that may come from settings defaults to.
pub(super) fn with_defaults(command: Command, settings: &Settings) -> Command {
    let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(Path::display).map(|p| p.to_string());
    let none = || "none".to_owned();
    let defaults: Vec<(&str, String)> = vec![
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
            settings.push_layer.clone().unwrap_or_else(|| "fc8".into()),
        ),
        ("push_channel", settings.push_channel.unwrap_or(130).to_string()),
    ];
    command.mut_subcommands(|subcommand| {
        let mut subcommand = subcommand;
        for (id, default) in &defaults {
            if subcommand.get_arguments().any(|argument| argument.get_id() == *id) {
                subcommand = subcommand.mut_arg(id, |argument| {
                    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                    argument.help(format!("{help} [default: {default}]"))
                });
            }
        }
        subcommand
    })
}
