//! Pictures on the way.

use std::sync::Arc;

use crate::ascent::Climb;
use crate::atomic_file::write_atomically;
use crate::output::images::{Picture, as_it_is, picture};
use crate::output::{Error, Result, ResultFiles, animation};

/// Frames of an animation, at most.
const MOST_FRAMES: usize = 100;

/// Which pictures are taken on the way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    /// Iterations from one saved picture to the next.
    pub(super) save_every: Option<usize>,
    /// Whether the ascent is written as a GIF.
    pub(super) animate: bool,
    /// Iterations of the whole ascent.
    pub(super) steps: usize,
}

impl Schedule {
    /// Whether a picture of this iteration (from 0) is wanted.
    pub(super) fn is_due(self, iteration: usize) -> bool {
        let is_due = |every: Option<usize>| every.is_some_and(|every| iteration.is_multiple_of(every));
        is_due(self.save_every) || is_due(self.frame_every()) || (self.animate && iteration + 1 == self.steps)
    }

    /// Iterations from one frame of an animation to the next.
    fn frame_every(self) -> Option<usize> {
        self.animate.then(|| self.steps.div_ceil(MOST_FRAMES))
    }
}

/// Takes pictures of one climb.
pub(super) struct Snapshots {
    mean: Arc<[f64]>,
    swap: [usize; 3],
    /// Iterations from one saved picture to the next.
    save_every: Option<usize>,
    /// Iterations from one frame to the next.
    frame_every: Option<usize>,
    frames: Vec<Picture>,
    /// The first picture that could not be written.
    failure: Option<Error>,
}

impl Snapshots {
    pub(super) fn new(schedule: Schedule, mean: Arc<[f64]>, swap: [usize; 3]) -> Self {
        Self {
            mean,
            swap,
            save_every: schedule.save_every,
            frame_every: schedule.frame_every(),
            frames: Vec::new(),
            failure: None,
        }
    }

    /// Looks at the iteration just done.
    pub(super) fn look(&mut self, climb: &Climb, files: &ResultFiles) {
        let record = climb.record();
        let Some(last) = &record.last else { return };
        let is_due = |every: Option<usize>| every.is_some_and(|every| last.ii.is_multiple_of(every));
        let is_frame = is_due(self.frame_every) || (self.frame_every.is_some() && climb.is_finished());
        if !is_frame && !is_due(self.save_every) {
            return;
        }
        let shown = picture(&as_it_is(&last.xx, &self.mean), record.image, self.swap);
        if is_due(self.save_every) && self.failure.is_none() {
            let path = files.path(&format!("iteration_{:06}.jpg", last.ii));
            let written = shown
                .jpeg()
                .map_err(|message| Error::Encode {
                    path: path.clone(),
                    message,
                })
                .and_then(|bytes| Ok(write_atomically(&path, &bytes)?));
            self.failure = written.err();
        }
        if is_frame {
            self.frames.push(shown);
        }
    }

    /// Writes the animation.
    ///
    /// # Errors
    /// When it, or one of the pictures before, cannot be written.
    pub(super) fn finish(self, files: &ResultFiles) -> Result<()> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.frames.is_empty() {
            return Ok(());
        }
        let path = files.path("climb.gif");
        let bytes = animation::gif(&self.frames).map_err(|message| Error::Encode {
            path: path.clone(),
            message,
        })?;
        Ok(write_atomically(&path, &bytes)?)
    }
}
