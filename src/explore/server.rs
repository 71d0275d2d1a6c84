//! The HTTP interface. Everything a page can ask is in [`router`].

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Json, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_stream::wrappers::ReceiverStream;

use super::description::{LayerRow, description, layers};
use super::guard::Guard;
use super::live::{Live, Told};
use super::planner::{Plan, Wish};
use super::work::{Job, Worker};
use super::{Explorer, names, page, photo, photos, results};
use crate::session::{Fingerprint, Todo, Unfinished};

/// From one message to a page to the next, at least.
const NEWS: Duration = Duration::from_millis(100);
/// How often it is looked whether the program is to end.
const LOOK: Duration = Duration::from_millis(100);
/// How long pages have to hear of the end.
const FAREWELL: Duration = Duration::from_secs(2);
/// Bytes of a photograph, and of any other request.
const LARGEST_PHOTO: usize = 32 << 20;
const LARGEST_REQUEST: usize = 64 << 10;
/// Pages that listen at once.
const MOST_PAGES: usize = 32;
/// Factors of the learning rate.
const FACTORS: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

/// What all requests share.
struct Site {
    explorer: Explorer,
    guard: Guard,
    layers: Vec<LayerRow>,
    live: Arc<Live>,
    worker: Arc<Worker>,
    /// The network's, for the last size of image that was asked for.
    fingerprint: Mutex<Option<([usize; 3], Fingerprint)>>,
    /// One photograph at a time.
    photos: Semaphore,
    pages: AtomicUsize,
}

type Shared = State<Arc<Site>>;

/// A request that cannot be met: why, as the page shows it.
struct Refusal(StatusCode, String);

impl Refusal {
    fn wrong(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, message.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

/// See [`super::serve`].
pub(super) fn serve(listener: TcpListener, explorer: Explorer, is_ended: fn() -> bool) -> std::io::Result<bool> {
    listener.set_nonblocking(true)?;
    let guard = Guard {
        port: listener.local_addr()?.port(),
        host: explorer.host,
        token: explorer.token.clone(),
    };
    let live = Arc::new(Live::new());
    let worker = Arc::new(Worker::new(
        explorer.model.clone(),
        explorer.compute.clone(),
        live.clone(),
        is_ended,
    ));
    let frames = worker.frames();
    let painter = {
        let (frames, live) = (frames.clone(), live.clone());
        std::thread::Builder::new()
            .name("pictures".into())
            .spawn(move || frames.make(&live))?
    };
    let work = {
        let worker = worker.clone();
        std::thread::Builder::new()
            .name("climbs".into())
            .spawn(move || worker.work())?
    };
    let site = Arc::new(Site {
        guard,
        layers: layers(&explorer),
        explorer,
        live: live.clone(),
        worker,
        fingerprint: Mutex::default(),
        photos: Semaphore::new(1),
        pages: AtomicUsize::new(0),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let ahead = site.clone();
    // So that the first climb does not wait for it.
    runtime.spawn_blocking(move || ahead.first_fingerprint());
    let is_interrupted = runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let served = axum::serve(listener, router(site)).into_future();
        let ended = async move {
            while !is_ended() {
                tokio::time::sleep(LOOK).await;
            }
            let interrupted = tokio::task::spawn_blocking(move || work.join().unwrap_or(false)).await;
            live.end();
            tokio::time::sleep(2 * NEWS).await;
            interrupted.unwrap_or(false)
        };
        tokio::select! {
            served = served => served.map(|()| false),
            interrupted = ended => Ok(interrupted),
        }
    });
    frames.end();
    let _ = painter.join();
    runtime.shutdown_timeout(FAREWELL);
    is_interrupted
}

fn router(site: Arc<Site>) -> Router {
    let posts = Router::new()
        .route("/api/plan", post(plan))
        .route("/api/start", post(start))
        .route("/api/pause", post(pause))
        .route("/api/resume", post(resume))
        .route("/api/stop", post(stop))
        .route("/api/rate", post(rate))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST));
    let photos = Router::new()
        .route("/api/photo", post(photo))
        .route("/api/photo/keep", post(keep_photo))
        .layer(DefaultBodyLimit::max(LARGEST_PHOTO));
    Router::new()
        .route("/", get(async || Html(page::HTML.as_str())))
        .route("/api/model", get(model))
        .route("/api/events", get(events))
        .route("/api/results", get(list))
        .route("/api/results/file", get(file))
        .merge(posts)
        .merge(photos)
        .layer(from_fn_with_state(site.clone(), guarded))
        .with_state(site)
}

/// Refuses what the page itself did not ask, and says what a browser may do with the answer.
async fn guarded(State(site): Shared, request: Request, next: Next) -> Response {
    let mut response = match site.guard.check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(why) => Refusal(StatusCode::FORBIDDEN, why.to_owned()).into_response(),
    };
    let policy = HeaderValue::from_str(&page::POLICY).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let alone = HeaderValue::from_static("same-origin");
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), alone.clone());
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), alone);
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Runs what takes time where it keeps nobody waiting.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            "an internal error, which the terminal tells more about".into(),
        ))
    })
}

async fn model(State(site): Shared) -> Response {
    Json(description(&site.explorer, &site.layers)).into_response()
}

impl Site {
    /// A wish as a plan with names for its results.
    fn plan(&self, wish: &Wish) -> Result<(Plan, Fingerprint), Refusal> {
        let mut plan = self.explorer.planner.plan(wish).map_err(Refusal::wrong)?;
        let fingerprint = self.fingerprint(plan.image)?;
        names::choose(&mut plan, fingerprint).map_err(Refusal::wrong)?;
        Ok((plan, fingerprint))
    }

    fn fingerprint(&self, image: [usize; 3]) -> Result<Fingerprint, Refusal> {
        let mut known = self.fingerprint.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = known.filter(|(of, _)| *of == image) {
            return Ok(known);
        }
        let new = Fingerprint::of(&self.explorer.model, image).map_err(|error| Refusal::wrong(error.to_string()))?;
        *known = Some((image, new));
        Ok(new)
    }

    fn first_fingerprint(&self) {
        let layer = self.layers.iter().find_map(|row| row.push.as_deref());
        let most = self.explorer.compute.most_entries;
        if let Some(image) = layer.and_then(|layer| self.explorer.model.image(layer, most).ok()) {
            // Where it cannot be had, the first climb says why.
            let _ = self.fingerprint(image);
        }
    }

    /// The folder of the results: a template of names may go deeper, never elsewhere.
    fn folder(&self) -> PathBuf {
        self.explorer.folder.clone()
    }
}

async fn plan(State(site): Shared, Json(wish): Json<Wish>) -> Result<Json<Value>, Refusal> {
    aside(move || {
        let (plan, _) = site.plan(&wish)?;
        let units: usize = plan.layers.iter().map(|layer| layer.recipes.len()).sum();
        let command = site
            .explorer
            .planner
            .command(&wish, &plan.keeper.prefix, plan.keeper.overwrite);
        Ok(Json(
            json!({"command": command, "units": units, "warnings": plan.warnings}),
        ))
    })
    .await
}

#[derive(Deserialize)]
struct Start {
    wish: Wish,
    /// Whether a climb at work is stopped for it.
    #[serde(default)]
    replace: bool,
}

async fn start(State(site): Shared, Json(start): Json<Start>) -> Result<Json<Value>, Refusal> {
    aside(move || {
        let (mut plan, fingerprint) = site.plan(&start.wish)?;
        let command = site
            .explorer
            .planner
            .command(&start.wish, &plan.keeper.prefix, plan.keeper.overwrite);
        let mut todo = Todo::find(&plan.keeper, &mut plan.layers, fingerprint, true, plan.image)
            .map_err(|error| Refusal::wrong(error.to_string()))?;
        todo.keep_folders();
        if todo.done > 0 {
            plan.warnings.push(format!(
                "{} of {} units are done already: they are among the results",
                todo.done, todo.all
            ));
        }
        plan.warnings.extend(todo.notes);
        let job = Job {
            plan,
            fingerprint,
            command: command.clone(),
        };
        if !site.worker.start(job, start.replace.then_some(Unfinished::Written)) {
            let why = "a climb is at work; stop it first".to_owned();
            return Err(Refusal(StatusCode::CONFLICT, why));
        }
        Ok(Json(json!({"command": command})))
    })
    .await
}

// A body is asked for even where nothing is in it: a browser sends JSON to no other site without asking there.
async fn pause(State(site): Shared, Json(_): Json<Value>) -> Json<Value> {
    site.worker.pause(true);
    Json(json!({}))
}

async fn resume(State(site): Shared, Json(_): Json<Value>) -> Json<Value> {
    site.worker.pause(false);
    Json(json!({}))
}

#[derive(Deserialize)]
struct Stop {
    /// Whether units are written as they are.
    keep: bool,
}

async fn stop(State(site): Shared, Json(stop): Json<Stop>) -> Json<Value> {
    site.worker.stop(if stop.keep {
        Unfinished::Written
    } else {
        Unfinished::Dropped
    });
    Json(json!({}))
}

#[derive(Deserialize)]
struct Rate {
    factor: f64,
}

async fn rate(State(site): Shared, Json(rate): Json<Rate>) -> Result<Json<Value>, Refusal> {
    if !FACTORS.contains(&rate.factor) {
        return Err(Refusal::wrong(format!(
            "{}: the learning rate is multiplied by {} to {}",
            rate.factor,
            FACTORS.start(),
            FACTORS.end()
        )));
    }
    site.worker.set_rate_factor(rate.factor);
    Ok(Json(json!({})))
}

/// Counts a page as long as it listens.
struct Listening(Arc<Site>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.pages.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn events(State(site): Shared) -> Result<Response, Refusal> {
    let listening = Listening(site.clone());
    if site.pages.fetch_add(1, Ordering::Relaxed) >= MOST_PAGES {
        let why = "too many pages are open".to_owned();
        return Err(Refusal(StatusCode::SERVICE_UNAVAILABLE, why));
    }
    // One message at a time, made when the page has taken the one before.
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Event, std::convert::Infallible>>(1);
    let mut changed = site.live.subscribe();
    tokio::spawn(async move {
        let mut told = Told::default();
        loop {
            changed.mark_unchanged();
            let Ok(place) = sender.reserve().await else { break };
            let (news, is_last) = listening.0.live.news(&mut told);
            place.send(Ok(Event::default().data(news.to_string())));
            if is_last {
                break;
            }
            tokio::time::sleep(NEWS).await;
            tokio::select! {
                heard = changed.changed() => if heard.is_err() { break },
                () = sender.closed() => break,
            }
        }
    });
    Ok(Sse::new(ReceiverStream::new(receiver))
        .keep_alive(KeepAlive::default())
        .into_response())
}

async fn list(State(site): Shared) -> Result<Response, Refusal> {
    aside(move || Ok(Json(results::list(&site.folder())).into_response())).await
}

#[derive(Deserialize)]
struct Named {
    files: String,
    ending: String,
}

async fn file(State(site): Shared, Query(named): Query<Named>) -> Result<Response, Refusal> {
    aside(move || {
        let missing = || Refusal(StatusCode::NOT_FOUND, "there is no such result".into());
        let (path, kind) = results::find(&site.folder(), &named.files, &named.ending).ok_or_else(missing)?;
        let bytes = std::fs::read(path).map_err(|_| missing())?;
        Ok(([(CONTENT_TYPE, kind)], bytes).into_response())
    })
    .await
}

#[derive(Deserialize)]
struct Looked {
    layer: String,
}

async fn photo(State(site): Shared, Query(looked): Query<Looked>, bytes: Bytes) -> Result<Response, Refusal> {
    let _one = site.photos.acquire().await;
    let inner = site.clone();
    aside(move || {
        let answer = photo::look(&inner.explorer, &inner.layers, &looked.layer, &bytes).map_err(Refusal::wrong)?;
        Ok(Json(answer).into_response())
    })
    .await
}

/// Keeps a photograph, for climbs to begin with.
async fn keep_photo(State(site): Shared, bytes: Bytes) -> Result<Json<Value>, Refusal> {
    let _one = site.photos.acquire().await;
    let inner = site.clone();
    aside(move || {
        let name = photos::keep(&inner.folder(), &bytes).map_err(Refusal::wrong)?;
        Ok(Json(json!({"name": name})))
    })
    .await
}
