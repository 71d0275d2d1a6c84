//! `deepvis explore`: a live page for looking into a network.

mod line;
mod settings;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;

use super::error::Error;
use super::flags::{Cli, Command, ExploreFlags, OptimizeFlags};
use super::model::ModelOptions;
use super::optimize::interrupt;
use super::stdout::out;
use super::{compute, hints, optimize};
use crate::backend::Compute;
use crate::explore::{self, Explorer, First, Plan, Planner, Preset, Setting, Wish};
use crate::heap::keep_freed_memory;
use crate::model::{Model, Settings};

pub(super) fn run(flags: &ExploreFlags, settings: &Settings) -> anyhow::Result<ExitCode> {
    let options = ModelOptions::resolve(&flags.model, settings, flags.net.as_deref())?;
    let compute = compute::resolve(&flags.device)?;
    let model = Arc::new(options.source.clone().load()?);
    super::warn(&model.import.warnings);
    if options.is_bundled {
        eprintln!(
            "no network was named, so this is the bundled one (`deepvis explore NET` names another, `deepvis fetch` lists some)"
        );
    }
    let address = SocketAddr::new(flags.host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), flags.port);
    let listener = TcpListener::bind(address)
        .map_err(|error| Error::Usage(format!("--port {}: cannot listen on {address}: {error}", flags.port)))?;
    let is_elsewhere = flags.host.filter(|host| !host.is_loopback());
    let token = match flags.host {
        Some(_) => Some(explore::token().context("no token could be drawn")?),
        None => None,
    };
    let url = url(listener.local_addr()?, token.as_deref());
    let planner = Wishes {
        flags: line::optimize_flags(flags)?,
        line: line::given(flags),
        settings: settings.clone(),
        model: model.clone(),
        compute: compute.clone(),
    };
    let explorer = Explorer {
        folder: planner.keeper_folder(),
        planner: Arc::new(planner),
        first: First {
            layer: options.settings.push_layer.clone(),
            channel: options.settings.push_channel,
            preset: options.settings.preset.clone(),
        },
        model,
        compute,
        host: is_elsewhere,
        token,
    };
    interrupt::listen(true);
    keep_freed_memory();
    out!("{url}");
    eprintln!("Ctrl-C ends it");
    if flags.open && open::that_detached(&url).is_err() {
        eprintln!("no browser could be opened; open the address above");
    }
    if explore::serve(listener, explorer, interrupt::came)? {
        eprintln!("interrupted: starting the same units on the page again goes on from where they are");
    }
    Ok(ExitCode::SUCCESS)
}

/// The page's address, as a person on this machine opens it.
fn url(listening: SocketAddr, token: Option<&str>) -> String {
    let host = match listening.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    let place = SocketAddr::new(host, listening.port());
    match token {
        Some(token) => format!("http://{place}/?token={token}"),
        None => format!("http://{place}/"),
    }
}

/// Understands what the page asks for: as the command line that does the same.
struct Wishes {
    /// What `deepvis optimize` is given beside a wish: model, device and place of results.
    flags: OptimizeFlags,
    /// The same as words of a command line, without the place of results.
    line: Vec<String>,
    settings: Settings,
    model: Arc<Model>,
    compute: Compute,
}

impl Wishes {
    fn keeper_folder(&self) -> std::path::PathBuf {
        let prefix = &self.flags.output.output_prefix;
        let folder = if prefix.ends_with('/') {
            Some(std::path::Path::new(prefix))
        } else {
            std::path::Path::new(prefix).parent()
        };
        folder.map(std::path::Path::to_owned).unwrap_or_default()
    }
}

impl Planner for Wishes {
    fn settings(&self) -> Vec<Setting> {
        settings::settings()
    }

    fn presets(&self) -> Vec<Preset> {
        settings::presets()
    }

    fn plan(&self, wish: &Wish) -> Result<Plan, String> {
        let words = ["deepvis", "optimize"].map(str::to_owned).into_iter();
        let parsed =
            Cli::try_parse_from(words.chain(line::of_wish(wish, &self.keeper_folder())?)).map_err(|error| {
                let text = error.to_string();
                let first = text.lines().next().unwrap_or_default();
                first.trim_start_matches("error: ").to_owned()
            })?;
        let Command::Optimize(mut flags) = parsed.command else {
            return Err("that is no recipe".into());
        };
        flags.net.clone_from(&self.flags.net);
        flags.model = self.flags.model.clone();
        flags.device = self.flags.device.clone();
        flags.output = self.flags.output.clone();
        let planned = optimize::planned(&flags, &self.settings, &self.model, &self.compute)
            .map_err(|error| hints::told(&error))?;
        let mut keeper = planned.keeper;
        // No checkpoints on the way, but one when the program is asked to end.
        keeper.checkpoint_every = Some(usize::MAX);
        Ok(Plan {
            layers: planned.layers,
            image: planned.image,
            precision: planned.precision,
            keeper,
            warnings: planned.warnings,
        })
    }

    fn command(&self, wish: &Wish, prefix: &str, overwrite: bool) -> String {
        let mut words = vec!["deepvis".to_owned(), "optimize".to_owned()];
        words.extend(self.line.clone());
        words.extend(line::of_wish(wish, &self.keeper_folder()).unwrap_or_default());
        if prefix != line::PREFIX {
            words.extend(["--output-prefix".into(), prefix.to_owned()]);
        }
        if self.flags.output.skipbig {
            words.push("--skipbig".into());
        }
        if overwrite {
            words.push("--brave".into());
        }
        words
            .iter()
            .map(|word| line::quoted(word))
            .collect::<Vec<_>>()
            .join(" ")
    }
}
