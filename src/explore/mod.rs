//! `deepvis explore`: a local page on which a person picks units of a network, watches them climb, and keeps the pictures.
//!
//! - `planner` is what the page asks for, and who understands it;
//! - `progress` is a climb at work, as numbers and small pictures, and `live` tells all pages of it;
//! - `work` lets it climb, in a thread of its own, by a [`Session`](crate::session::Session);
//! - `server` answers the page: `guard` says who may ask.
//!
//! Pages are told the latest state, as often as they take it in: nothing waits for a page, and nothing is kept for one.

mod description;
mod frames;
mod guard;
mod live;
mod names;
mod page;
mod photo;
mod photos;
mod planner;
mod progress;
mod results;
mod server;
mod work;

use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use crate::backend::Compute;
use crate::hexadecimal::hexadecimal;
use crate::model::Model;

pub use photos::place as place_of_photo;
pub use planner::{Kind, ON, Photo, Plan, Planner, Preset, Setting, Wish};

/// What is explored, and who may look.
pub struct Explorer {
    /// The network.
    pub model: Arc<Model>,
    /// Where it is computed.
    pub compute: Compute,
    /// Who understands what the page asks for.
    pub planner: Arc<dyn Planner>,
    /// The folder of the results.
    pub folder: PathBuf,
    /// Layer, channel and preset to begin with, where settings name some.
    pub first: First,
    /// The address that was asked for, when it was not this machine's own.
    pub host: Option<IpAddr>,
    /// What must stand in the address of every request; without one, everybody on this machine may ask.
    pub token: Option<String>,
}

/// What the page begins with.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct First {
    /// The layer.
    pub layer: Option<String>,
    /// The channel.
    pub channel: Option<usize>,
    /// The preset.
    pub preset: Option<String>,
}

/// Serves the page until `is_ended` says so; units at work are then left where they go on another time. Gives whether there
/// were any.
///
/// # Errors
/// When the system refuses a thread or a connection.
pub fn serve(listener: TcpListener, explorer: Explorer, is_ended: fn() -> bool) -> std::io::Result<bool> {
    server::serve(listener, explorer, is_ended)
}

/// 128 random bits, as hexadecimal digits.
///
/// # Errors
/// When the system has no random numbers.
pub fn token() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(hexadecimal(&bytes))
}
