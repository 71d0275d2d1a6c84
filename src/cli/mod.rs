//! What the user sees: flags, settings, progress, messages.
//!
//! [`flags`] holds the command line as it is typed; each command resolves what it needs of it (with `model`,
//! `compute` and `literals`) before it does anything.

/// The standard library's, without its panic when nobody reads.
macro_rules! eprintln {
    ($($arguments:tt)*) => {
        $crate::cli::stdout::note(format_args!($($arguments)*))
    };
}

mod chatter;
mod classify;
mod compute;
mod demo;
mod devices;
pub mod error;
mod explore;
mod fetch;
pub mod flags;
mod forward;
mod gallery;
mod help;
mod hints;
mod import;
mod init_settings;
mod inspect;
mod literals;
mod model;
mod optimize;
mod progress;
mod shell;
mod show;
mod stdout;
mod threads;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches;

use crate::model::Settings;
use crate::network::is_in_trial;
use flags::{Cli, Command};

/// Exit code for mistakes on the command line and missing devices; anything else that fails gives 1.
const USAGE: u8 = 2;

/// A mistake of ours, or a GPU that fails under burn, is told in one line too.
fn tell_of_panics() {
    if std::env::var_os("RUST_BACKTRACE").is_some() {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        if is_in_trial() {
            return;
        }
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("it is not known why");
        eprintln!(
            "deepvis: internal error: {what} ({place}); RUST_BACKTRACE=1 shows more. If a GPU is the cause, --backend flex \
             goes around it"
        );
    }));
}

/// Runs the program on the arguments of the process.
pub fn run() -> ExitCode {
    run_with(&std::env::args_os().collect::<Vec<_>>())
}

/// Runs the program on arguments, the first of which is the program's name.
pub fn run_with(arguments: &[OsString]) -> ExitCode {
    tell_of_panics();
    optimize::listen_as_first_process();
    threads::bound();
    let settings = Settings::find();
    let shown = help::applying(
        settings.as_ref().map(Clone::clone).unwrap_or_default(),
        arguments.iter().cloned(),
    );
    help::say_the_right_flags(arguments.iter().cloned());
    let matches = help::with_defaults(
        help::complete(help::asks_for_short_help(arguments.iter().cloned())),
        &shown,
    )
    .get_matches_from(arguments);
    let result = match Cli::from_arg_matches(&matches) {
        Ok(cli) => dispatch(cli, settings),
        Err(error) => error.exit(),
    };
    match result {
        // Results went to a full disk: the commands have no other.
        Ok(code) if code == ExitCode::SUCCESS && stdout::is_lost() => ExitCode::FAILURE,
        Ok(code) => code,
        Err(error) => {
            eprintln!("deepvis: {}", hints::told(&error));
            if hints::is_usage(&error) {
                ExitCode::from(USAGE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Tells what the importer found odd.
fn warn(warnings: &[String]) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
}

/// What is said where neither the network nor the user tells how large its input is.
fn assumed_size(graph: &deepvis_importer::Graph, size: crate::network::InputSize) -> Option<String> {
    let [channels, rows, columns] = crate::network::assumed_image(graph, size)?;
    Some(format!(
        "the network does not say how large its input is; {channels} x {rows} x {columns} is assumed, and --input-shape (or \
         --data-size) gives another"
    ))
}

fn dispatch(cli: Cli, settings: crate::model::Result<Settings>) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Optimize(flags) => optimize::run(&flags, &settings?),
        Command::Demo(flags) => demo::run(&flags),
        Command::Explore(flags) => explore::run(&flags, &settings?),
        Command::Gallery(flags) => gallery::run(&flags),
        Command::Fetch(flags) => fetch::run(&flags),
        Command::Import(flags) => import::run(&flags),
        Command::Inspect(flags) => inspect::run(&flags, &settings?),
        Command::Classify(flags) => classify::run(&flags, &settings?),
        Command::Forward(flags) => forward::run(&flags, &settings?),
        Command::Devices(flags) => devices::run(&flags),
        Command::InitSettings(flags) => init_settings::run(&flags),
        Command::Completions(flags) => help::completions(&flags),
        Command::Man(flags) => help::man(&flags),
    }
}
