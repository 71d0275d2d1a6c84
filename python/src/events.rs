//! `deepvis.Events`: an ascent that is looked at while it climbs.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use deepvis::ascent::{Climb, Flow, Listener, Precision, Progress};
use deepvis::output::images::{Picture, as_it_is, picture};
use deepvis::output::original::Spelling;
use deepvis::session;
use numpy::PyArrayDyn;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::loaded::Loaded;
use crate::result::{self, Result as Found};
use crate::settings::Asked;
use crate::{convert, error};

/// How long an event is waited for before Ctrl-C is looked for.
const WAIT: Duration = Duration::from_millis(50);

/// An iteration of a unit.
#[pyclass(frozen, module = "deepvis")]
pub(crate) struct Event {
    /// The place of the unit among those that climb, from 0.
    #[pyo3(get)]
    place: usize,
    /// The channel.
    #[pyo3(get)]
    channel: usize,
    /// The iteration, from 0.
    #[pyo3(get)]
    iteration: usize,
    /// The objective.
    #[pyo3(get)]
    objective: f32,
    /// Norm of the gradient.
    #[pyo3(get)]
    gradient_norm: f32,
    picture: Option<Picture>,
}

#[pymethods]
impl Event {
    /// The image of this iteration as it is, uint8, rows x columns x 3; None with `images=False`.
    #[getter]
    fn image<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArrayDyn<u8>>>> {
        self.picture
            .clone()
            .map(|picture| convert::pixels(py, picture))
            .transpose()
    }

    /// The image as the bytes of a PNG file.
    fn _repr_png_<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let png = self.picture.as_ref().map(Picture::png).transpose();
        Ok(png.map_err(error::setting)?.map(|png| PyBytes::new(py, &png)))
    }

    fn __repr__(&self) -> String {
        format!(
            "<deepvis.Event: channel {}, iteration {}, objective {}>",
            self.channel, self.iteration, self.objective
        )
    }
}

/// What the thread that climbs has to say.
enum News {
    Event(Event),
    End(session::Result<Vec<deepvis::ascent::Result<Climb>>>, Duration),
}

/// Iterates over the events of an ascent; `results` has what it found when it is at its end.
#[pyclass(frozen, module = "deepvis")]
pub(crate) struct Events {
    loaded: Arc<Loaded>,
    spelling: Spelling,
    precision: Precision,
    /// Dropped to stop the ascent.
    news: Mutex<Option<Receiver<News>>>,
    results: Mutex<Option<Vec<Py<Found>>>>,
}

/// Sends events; a receiver that is gone ends the ascent.
struct Sender {
    sender: SyncSender<News>,
    every: usize,
    steps: usize,
    has_images: bool,
}

impl Sender {
    fn is_due(&self, iteration: usize) -> bool {
        iteration.is_multiple_of(self.every) || iteration + 1 == self.steps
    }
}

impl Listener for Sender {
    fn wants_images(&self, iteration: usize) -> bool {
        self.has_images && self.is_due(iteration)
    }

    fn iterated(&mut self, progress: &Progress<'_>) -> Flow {
        let record = progress.climb.record();
        let Some(last) = record.last.as_ref().filter(|last| self.is_due(last.ii)) else {
            return Flow::Continue;
        };
        let shown = self.has_images && progress.gradient.is_some();
        let event = Event {
            place: progress.place,
            channel: progress.climb.recipe().objective.unit.channel,
            iteration: last.ii,
            objective: progress.found.objective,
            gradient_norm: progress.found.gradient_norm,
            picture: shown.then(|| {
                let values = as_it_is(&last.xx, progress.climb.mean());
                picture(&values, record.image, progress.climb.swap())
            }),
        };
        match self.sender.send(News::Event(event)) {
            Ok(()) => Flow::Continue,
            Err(_) => Flow::Stop,
        }
    }
}

impl Events {
    /// Begins to climb on a thread of its own.
    pub(crate) fn begin(loaded: &Arc<Loaded>, asked: Asked) -> PyResult<Self> {
        // The ascent is at most a few events ahead of who looks.
        let (sender, receiver) = sync_channel(1);
        let mut listener = Sender {
            sender: sender.clone(),
            every: asked.every,
            steps: asked.recipes.first().map_or(0, |recipe| recipe.steps),
            has_images: asked.has_images,
        };
        let at_work = loaded.clone();
        let Asked {
            recipes,
            spelling,
            precision,
            batch,
            ..
        } = asked;
        thread::Builder::new().name("deepvis".into()).spawn(move || {
            let begun = Instant::now();
            let end = session::climb(
                &at_work.model,
                &at_work.compute,
                precision,
                &recipes,
                batch,
                &mut listener,
            );
            // Nobody may listen any more.
            let _ = sender.send(News::End(end, begun.elapsed()));
        })?;
        Ok(Self {
            loaded: loaded.clone(),
            spelling,
            precision,
            news: Mutex::new(Some(receiver)),
            results: Mutex::new(None),
        })
    }

    /// The next news; `None` when there are none yet.
    fn wait(&self) -> Option<News> {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        match news.as_ref()?.recv_timeout(WAIT) {
            Ok(next) => Some(next),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                *news = None;
                None
            }
        }
    }

    fn is_at_its_end(&self) -> bool {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

#[pymethods]
impl Events {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        loop {
            // Where events come fast, as in `list(events)`, nobody else looks.
            py.check_signals()?;
            match py.detach(|| self.wait()) {
                Some(News::Event(event)) => return Ok(Some(event)),
                Some(News::End(climbs, took)) => {
                    self.stop();
                    let climbs = climbs.map_err(|error| error::of_session(&error))?;
                    let found = result::collect(&self.loaded, climbs, &self.spelling, self.precision, took)?;
                    let found = found
                        .into_iter()
                        .map(|found| Py::new(py, found))
                        .collect::<PyResult<_>>()?;
                    *self.results.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
                    return Ok(None);
                }
                None if py.detach(|| self.is_at_its_end()) => return Ok(None),
                None => {}
            }
        }
    }

    /// Ends the ascent after the iteration at work.
    fn stop(&self) {
        *self.news.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What was found, a list, when the last event was given.
    #[getter]
    fn results(&self, py: Python<'_>) -> PyResult<Vec<Py<Found>>> {
        let results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        match results.as_ref() {
            Some(results) => Ok(results.iter().map(|found| found.clone_ref(py)).collect()),
            None => Err(PyRuntimeError::new_err(
                "there are results when all events were given; an ascent that was stopped has none",
            )),
        }
    }
}
