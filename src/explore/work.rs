//! Climbs, one after the other, in a thread of their own.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::frames::{Frames, Raw};
use super::live::Live;
use super::planner::Plan;
use super::progress::{Run, Status, Unit, UnitStatus};
use crate::ascent::{Ending, Image, Progress, Recipe, Record};
use crate::backend::Compute;
use crate::model::Model;
use crate::session::{Event, Fingerprint, Session, Unfinished, Watcher};

/// From one picture to the next, at least.
const FRAME: Duration = Duration::from_millis(100);
/// Making pictures may take this part of the time; a climb loses twice that, since threads wait for the core that a picture took.
const SHARE: u32 = 100;
/// How often a pause looks whether the program is to end.
const LOOK: Duration = Duration::from_millis(100);
/// On a GPU: iterations from one fetching of figures to the next.
const READ_EVERY: usize = 10;

/// A climb that is to begin.
pub(super) struct Job {
    pub(super) plan: Plan,
    pub(super) fingerprint: Fingerprint,
    pub(super) command: String,
}

/// What people asked the climb for.
#[derive(Default)]
struct Asked {
    paused: bool,
    stop: Option<Unfinished>,
    factor: Option<f64>,
    next: Option<Job>,
}

/// The thread of climbs, from outside.
pub(super) struct Worker {
    model: Arc<Model>,
    compute: Compute,
    live: Arc<Live>,
    frames: Arc<Frames>,
    asked: Mutex<Asked>,
    changed: Condvar,
    is_ended: fn() -> bool,
}

impl Worker {
    pub(super) fn new(model: Arc<Model>, compute: Compute, live: Arc<Live>, is_ended: fn() -> bool) -> Self {
        Self {
            model,
            compute,
            live,
            frames: Arc::default(),
            asked: Mutex::default(),
            changed: Condvar::new(),
            is_ended,
        }
    }

    pub(super) fn frames(&self) -> Arc<Frames> {
        self.frames.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a job climb, after the one at work, which is stopped with its units as `unfinished` says; whether it took it: while
    /// one is at work it takes none unless it may be stopped.
    pub(super) fn start(&self, job: Job, unfinished: Option<Unfinished>) -> bool {
        let mut asked = self.lock();
        if self.live.is_climbing() || asked.next.is_some() {
            if unfinished.is_none() {
                return false;
            }
            asked.stop = unfinished;
        }
        asked.next = Some(job);
        self.changed.notify_all();
        true
    }

    /// Pauses, or goes on.
    pub(super) fn pause(&self, pause: bool) {
        self.lock().paused = pause;
        self.changed.notify_all();
        self.live.change(|run| {
            if !run.is_over() && run.status != Status::Preparing {
                run.pause(pause);
            }
        });
    }

    /// Stops.
    pub(super) fn stop(&self, unfinished: Unfinished) {
        if self.live.is_climbing() {
            self.lock().stop = Some(unfinished);
            self.changed.notify_all();
        }
    }

    /// From the next iteration on, steps are so many times as long.
    pub(super) fn set_rate_factor(&self, factor: f64) {
        if self.live.is_climbing() {
            self.lock().factor = Some(factor);
            self.live.change(|run| run.factor = factor);
        }
    }

    /// Climbs until the program ends; gives whether units were left for another time.
    pub(super) fn work(&self) -> bool {
        loop {
            let mut asked = self.lock();
            let job = loop {
                if (self.is_ended)() {
                    return false;
                }
                if let Some(job) = asked.next.take() {
                    break job;
                }
                asked = self
                    .changed
                    .wait_timeout(asked, LOOK)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            };
            // What was asked of the climb before is not meant for this one.
            (asked.stop, asked.factor, asked.paused) = (None, None, false);
            self.begin(&job);
            drop(asked);
            let ended = catch_unwind(AssertUnwindSafe(|| self.climb(&job)));
            match ended {
                Ok(true) => return true,
                Ok(false) => {}
                Err(_) => self.fail("an internal error, which the terminal tells more about".into()),
            }
        }
    }

    fn fail(&self, message: String) {
        self.live.change(|run| {
            run.error = Some(message);
            run.end(Status::Failed);
        });
    }

    fn begin(&self, job: &Job) {
        let recipes = job.plan.layers.iter().flat_map(|plan| &plan.recipes);
        let steps = recipes.clone().map(|recipe| recipe.steps).max().unwrap_or(0);
        let units = job.plan.layers.iter().flat_map(|plan| {
            plan.recipes.iter().map(|recipe| {
                let channel = recipe.objective.unit.channel;
                let label = self.model.labels.name(&plan.layer, plan.extents[0], channel);
                Unit::new(plan.layer.clone(), channel, recipe.seed, label.map(str::to_owned))
            })
        });
        self.live.begin(|id| {
            let mut run = Run::new(id, job.command.clone(), steps, units.collect());
            job.plan.warnings.iter().for_each(|warning| run.note(warning.clone()));
            run
        });
    }

    /// Lets a job climb; whether the program is to end with units left.
    fn climb(&self, job: &Job) -> bool {
        let mut run = 0;
        self.live.change(|at_work| run = at_work.id);
        let recipes = job.plan.layers.iter().flat_map(|plan| &plan.recipes);
        let mut watch = Watch {
            worker: self,
            run,
            places: recipes
                .enumerate()
                .map(|(index, recipe)| (key(recipe), index))
                .collect(),
            batch: Vec::new(),
            is_alone: job.plan.layers.iter().map(|plan| plan.recipes.len()).sum::<usize>() == 1,
            shown: None,
            channels: 0,
            network: None,
            mean: Arc::from([]),
        };
        let session = Session {
            model: &self.model,
            compute: &self.compute,
            precision: job.plan.precision,
            batch: None,
            read_every: READ_EVERY,
            keeper: &job.plan.keeper,
            fingerprint: job.fingerprint,
            several: true,
        };
        let outcome = session.run(&job.plan.layers, &mut watch);
        let is_stopped = self.lock().stop.is_some();
        match outcome {
            Err(error) => self.fail(error.to_string()),
            Ok(outcome) => self.live.change(|run| {
                if !outcome.failed.is_empty() && outcome.written == 0 {
                    run.error = Some(outcome.failed[0].error.to_string());
                }
                run.end(match (&run.error, outcome.is_interrupted, is_stopped) {
                    (Some(_), _, _) => Status::Failed,
                    (None, true, true) => Status::Stopped,
                    (None, true, false) => Status::Interrupted,
                    (None, false, _) => Status::Done,
                });
            }),
        }
        let mut is_interrupted = false;
        self.live
            .change(|run| is_interrupted = run.status == Status::Interrupted);
        is_interrupted
    }
}

/// What tells the units of a climb apart.
type Key = (String, usize, u32);

fn key(recipe: &Recipe) -> Key {
    let unit = &recipe.objective.unit;
    (unit.layer.clone(), unit.channel, recipe.seed)
}

/// Listens to the session at work.
struct Watch<'a> {
    worker: &'a Worker,
    run: u64,
    places: HashMap<Key, usize>,
    /// Places of the units that climb together.
    batch: Vec<usize>,
    /// Whether the climb is of one unit.
    is_alone: bool,
    /// When the last pictures were taken.
    shown: Option<Instant>,
    /// Of the layer at work.
    channels: usize,
    /// Channels, rows and columns of the images that the network takes.
    network: Option<[usize; 3]>,
    /// An entry for each of theirs.
    mean: Arc<[f64]>,
}

impl Watch<'_> {
    /// Shows what was written, in the place of the last picture on the way.
    fn show_result(&self, index: usize, recipe: &Recipe, record: &Record) {
        let image = match recipe.image {
            Image::GreyLevels => &record.best,
            Image::Parameterized(_) => &record.last,
        };
        let Some(network) = self
            .network
            .filter(|network| network.iter().product::<usize>() == self.mean.len())
        else {
            return;
        };
        let mean = recipe.mean_of_picture(&self.mean, network);
        let Some(image) = image.as_ref().filter(|image| image.xx.len() == mean.len()) else {
            return;
        };
        let raw = Raw {
            x: image.xx.clone(),
            mean,
            image: record.image,
            swap: self.worker.model.source.preprocessing.swap,
            of: recipe.image.clone(),
            is_alone: self.is_alone,
        };
        self.worker.frames.put(self.run, index, raw);
    }

    fn iterated(&mut self, progress: &Progress<'_>) {
        let Some(index) = self.batch.get(progress.place).copied() else {
            return;
        };
        let (climb, found) = (progress.climb, &progress.found);
        let record = climb.record();
        let largest = found.largest[0];
        let layer = &climb.recipe().objective.unit.layer;
        let label = self.worker.model.labels.name(layer, self.channels, largest);
        self.worker.live.change(Run::count);
        self.worker.live.change_unit(index, |unit| {
            unit.iteration = record.ii.len();
            unit.objective = Some(found.objective);
            unit.best = record.best.as_ref().map(|best| best.obj);
            unit.rate = record.lr.last().copied();
            unit.largest = Some((largest, label.map(str::to_owned)));
            unit.rate_changes = climb.rate_changes().to_vec();
            unit.curve.add(record.ii.len().saturating_sub(1), found.objective);
        });
        if progress.gradient.is_none() {
            return;
        }
        self.shown = Some(Instant::now());
        if let Some(last) = &record.last {
            let raw = Raw {
                x: last.xx.clone(),
                mean: climb.mean().clone(),
                image: record.image,
                swap: climb.swap(),
                of: climb.recipe().image.clone(),
                is_alone: self.is_alone,
            };
            self.worker.frames.put(self.run, index, raw);
        }
    }
}

impl Watcher for Watch<'_> {
    fn wants_images(&self, _: usize) -> bool {
        if self.worker.live.listeners() == 0 {
            return false;
        }
        let Some(shown) = self.shown else { return true };
        let (is_idle, cost) = self.worker.frames.is_idle();
        let units = u32::try_from(self.batch.len()).unwrap_or(u32::MAX);
        is_idle && shown.elapsed() >= FRAME.max(cost.saturating_mul(units).saturating_mul(SHARE))
    }

    fn hear(&mut self, event: &Event<'_>) {
        let live = &self.worker.live;
        match event {
            Event::Begun { plan, network } => {
                self.channels = plan.extents[0];
                self.network = Some(network.image());
                self.mean = self
                    .worker
                    .model
                    .mean(network.image())
                    .unwrap_or_else(|_| Arc::from([]));
            }
            Event::BatchBegun { climbs, .. } => {
                let places = climbs.iter().filter_map(|climb| self.places.get(&key(climb.recipe())));
                self.batch = places.copied().collect();
                self.shown = None;
                live.change(|run| {
                    if run.status == Status::Preparing {
                        run.status = Status::Climbing;
                    }
                    for climb in climbs.iter().filter(|climb| climb.iteration() > 0) {
                        let unit = &climb.recipe().objective.unit;
                        run.note(format!("{unit} goes on at iteration {}", climb.iteration()));
                    }
                });
                live.change_units(self.batch.iter().copied(), |unit| unit.status = UnitStatus::Climbing);
                let paused = self.worker.lock().paused;
                if paused {
                    self.worker.pause(true);
                }
            }
            Event::Iterated(progress) => self.iterated(progress),
            Event::TooMuch { units, now } => live.change(|run| {
                run.note(format!("{units} units at once are too much for the device; now {now}"));
            }),
            Event::UnitDone { recipe, record, .. } => {
                if let Some(index) = self.places.get(&key(recipe)) {
                    live.change_unit(*index, |unit| {
                        unit.status = UnitStatus::Done;
                        unit.message = (record.ending == Some(Ending::GradZeroFailure))
                            .then(|| "the gradient is 0: there is nothing to climb".into());
                    });
                    self.show_result(*index, recipe, record);
                }
                live.written();
            }
            Event::Failed(failure) => {
                if let Some(index) = self.places.get(&key(&failure.recipe)) {
                    live.change_unit(*index, |unit| {
                        unit.status = UnitStatus::Failed;
                        unit.message = Some(failure.error.to_string());
                    });
                }
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.worker.lock().stop.is_some() || (self.worker.is_ended)()
    }

    fn unfinished(&self) -> Unfinished {
        self.worker.lock().stop.unwrap_or(Unfinished::Later)
    }

    fn new_rate_factor(&mut self) -> Option<f64> {
        let mut asked = self.worker.lock();
        while asked.paused && asked.stop.is_none() && !(self.worker.is_ended)() {
            asked = self
                .worker
                .changed
                .wait_timeout(asked, LOOK)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        asked.factor.take()
    }
}
