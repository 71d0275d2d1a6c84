//! A run and its units, as pages are told of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::ascent::RateChange;

/// Points of a curve, at most; beyond that every second one is dropped.
pub(super) const MOST_POINTS: usize = 600;
/// Notes that are kept.
const MOST_NOTES: usize = 20;

/// Where a climb is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// The network is being built.
    Preparing,
    /// On the way.
    Climbing,
    /// Halted until somebody says otherwise.
    Paused,
    /// All units are done.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// The program was asked to end; units at work go on another time.
    Interrupted,
    /// It came to nothing.
    Failed,
}

/// Where a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum UnitStatus {
    /// Its turn is to come.
    Waiting,
    /// On the way.
    Climbing,
    /// Written.
    Done,
    /// See its message.
    Failed,
}

/// One of the units of a climb.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) layer: String,
    pub(super) channel: usize,
    pub(super) seed: u32,
    pub(super) label: Option<String>,
    pub(super) status: UnitStatus,
    pub(super) iteration: usize,
    pub(super) objective: Option<f32>,
    pub(super) best: Option<f32>,
    pub(super) rate: Option<f64>,
    /// Channel of the largest unit of the layer, and its label.
    pub(super) largest: Option<(usize, Option<String>)>,
    pub(super) message: Option<String>,
    /// Where its rate was changed on the way, also before this run.
    pub(super) rate_changes: Vec<RateChange>,
    pub(super) curve: Curve,
    /// A data URI, and its number.
    pub(super) frame: Option<(u64, Arc<str>)>,
    /// When it last changed.
    pub(super) version: u64,
}

impl Unit {
    pub(super) fn new(layer: String, channel: usize, seed: u32, label: Option<String>) -> Self {
        Self {
            layer,
            channel,
            seed,
            label,
            status: UnitStatus::Waiting,
            iteration: 0,
            objective: None,
            best: None,
            rate: None,
            largest: None,
            message: None,
            rate_changes: Vec::new(),
            curve: Curve::default(),
            frame: None,
            version: 0,
        }
    }
}

/// An objective by iteration, thinned out as it grows.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    pub(super) points: Vec<(usize, f32)>,
    stride: usize,
    /// How often it was thinned out.
    pub(super) generation: usize,
}

impl Default for Curve {
    fn default() -> Self {
        Self {
            points: Vec::new(),
            stride: 1,
            generation: 0,
        }
    }
}

impl Curve {
    pub(super) fn add(&mut self, iteration: usize, objective: f32) {
        if !iteration.is_multiple_of(self.stride) {
            return;
        }
        self.points.push((iteration, objective));
        if self.points.len() >= MOST_POINTS {
            self.stride *= 2;
            self.generation += 1;
            let stride = self.stride;
            self.points.retain(|(iteration, _)| iteration.is_multiple_of(stride));
        }
    }
}

/// A climb.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) id: u64,
    pub(super) status: Status,
    pub(super) command: String,
    pub(super) steps: usize,
    pub(super) units: Vec<Unit>,
    pub(super) notes: Vec<String>,
    pub(super) error: Option<String>,
    pub(super) factor: f64,
    /// Iterations of all units: done in this run.
    counted: usize,
    /// When the first iteration began, and how long it was paused since.
    begun: Option<Instant>,
    paused: Duration,
    paused_since: Option<Instant>,
    ended_after: Option<Duration>,
}

impl Run {
    pub(super) fn new(id: u64, command: String, steps: usize, units: Vec<Unit>) -> Self {
        Self {
            id,
            status: Status::Preparing,
            command,
            steps,
            units,
            notes: Vec::new(),
            error: None,
            factor: 1.0,
            counted: 0,
            begun: None,
            paused: Duration::ZERO,
            paused_since: None,
            ended_after: None,
        }
    }

    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(note);
        }
    }

    /// Counts an iteration of a unit.
    pub(super) fn count(&mut self) {
        self.begun.get_or_insert_with(Instant::now);
        self.counted += 1;
    }

    pub(super) fn pause(&mut self, pause: bool) {
        if pause {
            self.paused_since.get_or_insert_with(Instant::now);
            self.status = Status::Paused;
        } else if let Some(since) = self.paused_since.take() {
            self.paused += since.elapsed();
            self.status = Status::Climbing;
        }
    }

    pub(super) fn end(&mut self, status: Status) {
        if let Some(since) = self.paused_since.take() {
            self.paused += since.elapsed();
        }
        self.ended_after = Some(self.elapsed());
        self.status = status;
    }

    pub(super) fn is_over(&self) -> bool {
        self.ended_after.is_some()
    }

    pub(super) fn elapsed(&self) -> Duration {
        let halted = self.paused + self.paused_since.map_or(Duration::ZERO, |since| since.elapsed());
        self.ended_after.unwrap_or_else(|| {
            self.begun
                .map_or(Duration::ZERO, |begun| begun.elapsed().saturating_sub(halted))
        })
    }

    /// Seconds until all units are done, by those that it took so far.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn left(&self) -> Option<f64> {
        let waiting = |unit: &&Unit| matches!(unit.status, UnitStatus::Waiting | UnitStatus::Climbing);
        let left: usize = self
            .units
            .iter()
            .filter(waiting)
            .map(|unit| self.steps.saturating_sub(unit.iteration))
            .sum();
        (self.counted > 1 && !self.is_over()).then(|| self.elapsed().as_secs_f64() * left as f64 / self.counted as f64)
    }
}
