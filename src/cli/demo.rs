//! `deepvis demo`: a dozen units of the bundled network, and a gallery of them.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use super::flags::{Cli, Command, DemoFlags, GalleryFlags, OptimizeFlags};
use super::stdout::out;
use super::{gallery, optimize};
use crate::model::Settings;

/// Layers and channels, deepest last.
const UNITS: [(&str, &str); 3] = [
    ("conv3", "4,9"),
    ("conv5", "10,30"),
    ("fc7", "ring,square,letter H,target,face,house,sun,boat"),
];

pub(super) fn run(flags: &DemoFlags) -> anyhow::Result<ExitCode> {
    let prefix = flags.output_dir.join("demo");
    for (layer, channels) in UNITS {
        let optimize = optimization(flags, &prefix, layer, channels)?;
        let code = optimize::climb(&optimize, &Settings::default(), false)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    let gallery = GalleryFlags {
        folder: flags.output_dir.clone(),
        title: Some("deepvis demo".into()),
    };
    let code = gallery::run(&gallery)?;
    if !flags.quiet {
        out!(
            "each picture was made by a command like: deepvis optimize --model demo --push-layer fc7 --push-channel face --preset fourier"
        );
    }
    Ok(code)
}

/// The flags of one `deepvis optimize`, as if they were typed.
fn optimization(flags: &DemoFlags, prefix: &Path, layer: &str, channels: &str) -> anyhow::Result<OptimizeFlags> {
    let prefix = prefix.to_string_lossy();
    let mut typed = vec!["deepvis", "optimize", "--model", "demo", "--output-prefix", &prefix];
    typed.extend([
        "--push-layer",
        layer,
        "--push-channel",
        channels,
        "--preset",
        "fourier",
        "--skipbig",
    ]);
    typed.extend(flags.brave.then_some("--brave"));
    typed.extend(flags.quiet.then_some("--quiet"));
    match Cli::try_parse_from(typed)?.command {
        Command::Optimize(mut optimize) => {
            optimize.device = flags.device.clone();
            Ok(*optimize)
        }
        other => anyhow::bail!("{other:?} is not what was typed"),
    }
}
