//! What all pages see. Each page is told what is newer than what it was told before, when it is ready for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::progress::{Run, Unit};

#[derive(Debug, Default)]
struct State {
    version: u64,
    run: Option<Run>,
    /// How many results were written.
    results: u64,
    runs: u64,
    frames: u64,
    ended: bool,
}

/// What all pages see.
#[derive(Debug)]
pub(super) struct Live {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

/// What one page was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    run: u64,
    version: u64,
    frames: HashMap<usize, u64>,
    curves: HashMap<usize, (usize, usize)>,
    begun: bool,
}

impl Live {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that failed left numbers behind that are good enough to be shown.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pages that listen.
    pub(super) fn listeners(&self) -> usize {
        self.changed.receiver_count()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Changes the climb at work, if there is one.
    pub(super) fn change(&self, change: impl FnOnce(&mut Run)) {
        let mut state = self.lock();
        if let Some(run) = &mut state.run {
            change(run);
        }
        Self::tell(&self.changed, &mut state);
    }

    /// Changes a unit of it.
    pub(super) fn change_unit(&self, index: usize, change: impl FnOnce(&mut Unit)) {
        let mut change = Some(change);
        self.change_units([index], |unit| {
            if let Some(change) = change.take() {
                change(unit);
            }
        });
    }

    /// Changes units of it.
    pub(super) fn change_units(&self, indices: impl IntoIterator<Item = usize>, mut change: impl FnMut(&mut Unit)) {
        let mut state = self.lock();
        let version = state.version + 1;
        for index in indices {
            if let Some(unit) = state.run.as_mut().and_then(|run| run.units.get_mut(index)) {
                change(unit);
                unit.version = version;
            }
        }
        Self::tell(&self.changed, &mut state);
    }

    /// Shows a picture of a unit of climb `run`.
    pub(super) fn show(&self, run: u64, index: usize, frame: Arc<str>) {
        let mut state = self.lock();
        state.frames += 1;
        let (number, version) = (state.frames, state.version + 1);
        let shown = state.run.as_mut().filter(|shown| shown.id == run);
        if let Some(unit) = shown.and_then(|run| run.units.get_mut(index)) {
            unit.frame = Some((number, frame));
            unit.version = version;
        }
        Self::tell(&self.changed, &mut state);
    }

    /// Begins a climb; gives its number.
    pub(super) fn begin(&self, make: impl FnOnce(u64) -> Run) -> u64 {
        let mut state = self.lock();
        state.runs += 1;
        let id = state.runs;
        state.run = Some(make(id));
        Self::tell(&self.changed, &mut state);
        id
    }

    /// Says that the folder of results has a new one.
    pub(super) fn written(&self) {
        let mut state = self.lock();
        state.results += 1;
        Self::tell(&self.changed, &mut state);
    }

    /// Says that the program ends.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        Self::tell(&self.changed, &mut state);
    }

    /// Whether a climb is at work.
    pub(super) fn is_climbing(&self) -> bool {
        self.lock().run.as_ref().is_some_and(|run| !run.is_over())
    }

    fn tell(changed: &watch::Sender<u64>, state: &mut State) {
        state.version += 1;
        changed.send_replace(state.version);
    }

    /// What is newer than what was told, and whether it is the last.
    pub(super) fn news(&self, told: &mut Told) -> (Value, bool) {
        let state = self.lock();
        let run = state.run.as_ref().map(|run| {
            if run.id != told.run || !told.begun {
                *told = Told {
                    run: run.id,
                    ..Told::default()
                };
            }
            let is_new = !told.begun;
            let newer = run.units.iter().enumerate();
            let before = told.version;
            let newer = newer.filter(|(_, unit)| is_new || unit.version > before);
            let units: Vec<Value> = newer
                .map(|(index, unit)| unit_news(index, unit, is_new, told))
                .collect();
            json!({
                "id": run.id,
                "status": run.status,
                "steps": run.steps,
                "count": run.units.len(),
                "command": run.command,
                "notes": run.notes,
                "error": run.error,
                "factor": run.factor,
                "elapsed": run.elapsed().as_secs_f64(),
                "left": run.left(),
                "is_over": run.is_over(),
                "units": units,
            })
        });
        told.begun |= run.is_some();
        told.version = state.version;
        let news = json!({"run": run, "results": state.results, "ended": state.ended});
        (news, state.ended)
    }
}

fn unit_news(index: usize, unit: &Unit, is_new: bool, told: &mut Told) -> Value {
    let mut news = json!({
        "index": index,
        "status": unit.status,
        "iteration": unit.iteration,
        "objective": unit.objective,
        "best": unit.best,
        "rate": unit.rate,
        "largest": unit.largest.as_ref().map(|(channel, label)| json!({"channel": channel, "label": label})),
        "message": unit.message,
        "rate_changes": unit.rate_changes,
    });
    if is_new {
        news["layer"] = json!(unit.layer);
        news["channel"] = json!(unit.channel);
        news["seed"] = json!(unit.seed);
        news["label"] = json!(unit.label);
    }
    let (generation, from) = told.curves.get(&index).copied().unwrap_or_default();
    let from = if generation == unit.curve.generation { from } else { 0 };
    if unit.curve.points.len() > from || from == 0 {
        news["curve"] = json!({"from": from, "points": unit.curve.points[from..]});
    }
    told.curves
        .insert(index, (unit.curve.generation, unit.curve.points.len()));
    if let Some((number, frame)) = &unit.frame
        && told.frames.insert(index, *number) != Some(*number)
    {
        news["frame"] = json!(**frame);
        news["frame_number"] = json!(number);
    }
    news
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::progress::MOST_POINTS;

    fn live() -> Live {
        let live = Live::new();
        let units = (0..3).map(|channel| Unit::new("a".into(), channel, 0, None)).collect();
        live.begin(|id| Run::new(id, "deepvis".into(), 10_000, units));
        live
    }

    #[test]
    fn a_page_is_told_what_is_new_to_it_and_nothing_twice() {
        let live = live();
        let mut told = Told::default();
        let first = live.news(&mut told).0;
        assert_eq!(first["run"]["units"].as_array().map(Vec::len), Some(3));
        assert_eq!(live.news(&mut told).0["run"]["units"], json!([]));
        for number in 0..100 {
            live.show(1, 1, format!("frame {number}").into());
        }
        // Another run's picture comes too late.
        live.show(2, 1, "other".into());
        let news = live.news(&mut told).0;
        assert_eq!(news["run"]["units"].as_array().map(Vec::len), Some(1));
        assert_eq!(news["run"]["units"][0]["frame"], "frame 99");
        live.change_unit(1, |unit| unit.iteration = 5);
        let news = live.news(&mut told).0;
        assert_eq!(news["run"]["units"][0]["iteration"], 5);
        assert!(news["run"]["units"][0].get("frame").is_none());
    }

    #[test]
    fn a_long_curve_is_thinned_out_and_told_anew() {
        let live = live();
        let mut told = Told::default();
        let mut seen: Vec<Value> = Vec::new();
        for iteration in 0..5000u16 {
            live.change_unit(0, |unit| unit.curve.add(iteration.into(), f32::from(iteration)));
            if iteration % 97 == 0 || iteration == 4999 {
                let curve = live.news(&mut told).0["run"]["units"][0]["curve"].take();
                if let (Some(from), Some(points)) = (curve["from"].as_u64(), curve["points"].as_array()) {
                    seen.truncate(usize::try_from(from).unwrap());
                    seen.extend(points.iter().cloned());
                }
            }
        }
        assert!(
            seen.len() < MOST_POINTS && seen.len() > MOST_POINTS / 4,
            "{}",
            seen.len()
        );
        let at: Vec<u64> = seen.iter().filter_map(|point| point[0].as_u64()).collect();
        assert_eq!(at.len(), seen.len());
        assert!(at.windows(2).all(|pair| pair[1] - pair[0] == at[1] - at[0]), "{at:?}");
        assert!(seen.iter().all(|point| point[0].as_f64() == point[1].as_f64()));
    }
}
