//! What the user sees: flags, settings, progress, messages.
//!
//! [`flags`] holds the command line as it is typed; each command resolves what it needs of it (with [`settings`],
//! [`model`], [`device`] and [`literals`]) before it does anything.

mod classify;
mod demo;
mod device;
mod devices;
pub mod error;
mod fetch;
pub mod flags;
mod forward;
mod gallery;
pub mod heap;
mod help;
mod import;
mod init_settings;
mod inspect;
mod labels;
mod literals;
mod mean;
mod model;
mod optimize;
mod photo;
mod settings;
mod show;
mod stdout;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use flags::{Cli, Command};
use settings::Settings;

/// Exit code for mistakes on the command line and missing devices; anything else that fails gives 1.
const USAGE: u8 = 2;

/// A mistake of ours, or a GPU that fails under burn, is told in one line too.
fn tell_of_panics() {
    if std::env::var_os("RUST_BACKTRACE").is_some() {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("it is not known why");
        eprintln!(
            "deepvis: internal error: {what} ({place}); RUST_BACKTRACE=1 shows more. If a GPU is the cause, --backend flex \
             goes around it"
        );
    }));
}

/// Runs the program.
pub fn run() -> ExitCode {
    tell_of_panics();
    let settings = Settings::find();
    let shown = settings.as_ref().map(Clone::clone).unwrap_or_default();
    let matches = help::with_defaults(Cli::command(), &shown).get_matches();
    let result = match Cli::from_arg_matches(&matches) {
        Ok(cli) => dispatch(cli, settings),
        Err(error) => error.exit(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("deepvis: {}", told(&error));
            match error.downcast_ref::<error::Error>() {
                Some(_) => ExitCode::from(USAGE),
                None => ExitCode::FAILURE,
            }
        }
    }
}

/// An error with its causes, each said once: many of our messages hold their cause already.
fn told(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |text, cause| {
        let cause = cause.to_string();
        match text.as_str() {
            "" => cause,
            said if said.contains(&cause) => text,
            said => format!("{said}: {cause}"),
        }
    })
}

fn dispatch(cli: Cli, settings: error::Result<Settings>) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Optimize(flags) => optimize::run(&flags, &settings?),
        Command::Demo(flags) => demo::run(&flags),
        Command::Gallery(flags) => gallery::run(&flags),
        Command::Fetch(flags) => fetch::run(&flags),
        Command::Import(flags) => import::run(&flags),
        Command::Inspect(flags) => inspect::run(&flags, &settings?),
        Command::Classify(flags) => classify::run(&flags, &settings?),
        Command::Forward(flags) => forward::run(&flags, &settings?),
        Command::Devices(flags) => devices::run(&flags),
        Command::InitSettings(flags) => init_settings::run(&flags),
    }
}
