//! What happens in a session, who hears of it, and how it ended.

use super::error::Error;
use super::plan::LayerPlan;
use crate::ascent::{Climb, Progress, Recipe, Record};
use crate::network::Network;
use crate::output::ResultFiles;
use crate::output::runs::Run;

/// What happens in a session.
#[derive(Debug)]
pub enum Event<'a> {
    /// The network up to a layer is ready.
    Begun {
        /// The layer and its units.
        plan: &'a LayerPlan,
        /// The network.
        network: &'a Network,
    },
    /// Units begin to climb together.
    BatchBegun {
        /// Their layer.
        plan: &'a LayerPlan,
        /// The units, each where it starts or goes on.
        climbs: &'a [Climb],
        /// Whether units climb one at a time because the network would mix the images of a batch.
        one_at_a_time: bool,
    },
    /// One iteration of one unit.
    Iterated(&'a Progress<'a>),
    /// A batch was too much for the device.
    TooMuch {
        /// Units in it.
        units: usize,
        /// Units at once from now on.
        now: usize,
    },
    /// A unit is done and written.
    UnitDone {
        /// What was climbed.
        recipe: &'a Recipe,
        /// What was found.
        record: &'a Record,
        /// Its name.
        label: Option<&'a str>,
        /// Where it is.
        files: &'a ResultFiles,
        /// What the log says of it.
        run: &'a Run,
    },
    /// A unit failed; the others go on.
    Failed(&'a Failure),
}

/// Who hears of a session's events.
pub trait Watcher {
    /// Whether images and gradients of this iteration are wanted.
    fn wants_images(&self, iteration: usize) -> bool {
        let _ = iteration;
        false
    }

    /// Hears of an event.
    fn hear(&mut self, event: &Event<'_>);

    /// Whether the session is to stop after the iteration at work.
    fn is_stopped(&self) -> bool {
        false
    }

    /// What becomes of units that a stop cuts short.
    fn unfinished(&self) -> Unfinished {
        Unfinished::Later
    }

    /// Asked before each iteration: see [`Listener::new_rate_factor`](crate::ascent::Listener::new_rate_factor).
    fn new_rate_factor(&mut self) -> Option<f64> {
        None
    }
}

/// What becomes of units that a stop cuts short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// They go on another time, from a checkpoint where these are asked for. A single unit without one is written as it is.
    Later,
    /// They are written as they are.
    Written,
    /// They are forgotten.
    Dropped,
}

/// A unit that failed, and why.
#[derive(Debug)]
pub struct Failure {
    /// The unit.
    pub recipe: Recipe,
    /// Why.
    pub error: Error,
}

/// How a session ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Units that were written.
    pub written: usize,
    /// Units without a gradient among them: they are written, but are no pictures.
    pub flat: Vec<Recipe>,
    /// Units that failed.
    pub failed: Vec<Failure>,
    /// Whether it was stopped before all were done.
    pub is_interrupted: bool,
}

impl Outcome {
    pub(super) fn fail(&mut self, recipe: Recipe, error: Error, watcher: &mut dyn Watcher) {
        let failure = Failure { recipe, error };
        watcher.hear(&Event::Failed(&failure));
        self.failed.push(failure);
    }
}
