//! Streamed answers: one event a token, each in a write of its own, heartbeats
//! while nothing is said, and the faults that strike in the middle.

mod write;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http_body::Frame;
use tokio::time::{Instant, Sleep, sleep};

use super::app::{App, COMPUTE_TYPE};
use super::error::ApiError;
use super::generation::Generation;
use super::incoming::Context;
use crate::faults::Kind;
pub(super) use write::Form;
use write::Writer;

/// Silence after which a comment says that the server is still there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Room for some dozen events; more is taken as needed.
const BUFFER: usize = 4 * 1024;

/// A stream of one answer, or of one for each prompt, as TGI sends it. Refusals become events.
pub(super) fn respond(
    app: Arc<App>,
    generations: Vec<Result<Generation, ApiError>>,
    form: Form,
    context: Context,
    characters: usize,
) -> Response {
    let mut response = stream(app, generations, form, context);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-compute-type", HeaderValue::from_static(COMPUTE_TYPE));
    headers.insert("x-compute-characters", characters.into());
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// The stream without headers.
pub(super) fn stream(
    app: Arc<App>,
    generations: Vec<Result<Generation, ApiError>>,
    form: Form,
    context: Context,
) -> Response {
    let events = Events {
        lanes: generations.into_iter().map(Lane::from).collect(),
        turn: 0,
        writer: Writer::new(form),
        buffer: BytesMut::with_capacity(BUFFER),
        unflushed: false,
        ended: false,
        heartbeat: Box::pin(sleep(HEARTBEAT)),
        last_event: Instant::now(),
        context,
        app,
    };
    Response::new(Body::new(events))
}

/// The events of one prompt.
enum Lane {
    Telling(Box<Generation>),
    Refused(ApiError),
    Over,
}

impl From<Result<Generation, ApiError>> for Lane {
    fn from(admitted: Result<Generation, ApiError>) -> Self {
        match admitted {
            Ok(generation) => Self::Telling(Box::new(generation)),
            Err(error) => Self::Refused(error),
        }
    }
}

impl Lane {
    /// Ready when the lane has something to say.
    fn poll_ready(&self, task: &mut TaskContext<'_>) -> Poll<()> {
        match self {
            Self::Telling(generation) => generation
                .ticket
                .poll_tokens(task, generation.script.said() + 1),
            Self::Refused(_) => Poll::Ready(()),
            Self::Over => Poll::Pending,
        }
    }
}

struct Events {
    lanes: Vec<Lane>,
    /// The lane that is asked first.
    turn: usize,
    writer: Writer,
    buffer: BytesMut,
    /// The last event has not yet been handed to the socket.
    unflushed: bool,
    ended: bool,
    heartbeat: Pin<Box<Sleep>>,
    last_event: Instant,
    context: Context,
    app: Arc<App>,
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let Poll::Ready(index) = self.poll_lane(task) else {
            self.unflushed = false;
            ready!(self.poll_heartbeat(task));
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b":\n\n")))));
        };
        if std::mem::take(&mut self.unflushed) {
            // The server writes out what it has when the body is pending.
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.tell(index);
        self.unflushed = true;
        self.last_event = Instant::now();
        Poll::Ready(Some(Ok(Frame::data(self.buffer.split().freeze()))))
    }
}

impl Events {
    /// The next lane that has something to say; prompts take turns.
    fn poll_lane(&self, task: &mut TaskContext<'_>) -> Poll<usize> {
        let lanes = self.lanes.len();
        let found = (0..lanes)
            .map(|step| (self.turn + step) % lanes)
            .find(|index| self.lanes[*index].poll_ready(task).is_ready());
        found.map_or(Poll::Pending, Poll::Ready)
    }

    fn poll_heartbeat(&mut self, task: &mut TaskContext<'_>) -> Poll<()> {
        loop {
            ready!(self.heartbeat.as_mut().poll(task));
            let quiet = self.last_event.elapsed() >= HEARTBEAT;
            if quiet {
                self.last_event = Instant::now();
            }
            // The timer is set anew when it fires, not at each event.
            let next = self.last_event + HEARTBEAT;
            self.heartbeat.as_mut().reset(next);
            if quiet {
                return Poll::Ready(());
            }
        }
    }

    /// Writes what the lane has to say, and the end of the stream after the last one.
    fn tell(&mut self, index: usize) {
        let lane = std::mem::replace(&mut self.lanes[index], Lane::Over);
        self.lanes[index] = match lane {
            Lane::Telling(generation) => self.tell_token(generation, index),
            Lane::Refused(error) => {
                self.writer.error(&mut self.buffer, &error);
                Lane::Over
            }
            Lane::Over => Lane::Over,
        };
        self.turn = index + 1;
        if self.lanes.iter().all(|lane| matches!(lane, Lane::Over)) {
            self.writer.end(&mut self.buffer);
            self.ended = true;
        }
    }

    fn tell_token(&mut self, mut generation: Box<Generation>, index: usize) -> Lane {
        if let Some(fault) = self.strike(&generation) {
            return self.break_stream(fault, generation);
        }
        if generation.script.said() == 0 {
            self.app.stats.told_prompts.add(generation.prompt_tokens);
        }
        self.app.stats.told_tokens.add_one();
        self.writer.token(&mut self.buffer, &mut generation, index);
        if generation.script.is_over() {
            generation.succeeded(&self.app);
            return Lane::Over;
        }
        Lane::Telling(generation)
    }

    /// The fault that is due before the next token; a short answer meets it at its last.
    fn strike(&mut self, generation: &Generation) -> Option<Kind> {
        let tokens = match self.context.fault {
            Some(
                Kind::ResetAfter { tokens }
                | Kind::Garbage { tokens }
                | Kind::ErrorEvent { tokens },
            ) => tokens,
            _ => return None,
        };
        let script = &generation.script;
        let due = script.said() >= tokens || script.said() + 1 == script.length();
        if due { self.context.fault.take() } else { None }
    }

    fn break_stream(&mut self, fault: Kind, generation: Box<Generation>) -> Lane {
        match fault {
            Kind::Garbage { .. } => {
                self.buffer
                    .extend_from_slice(b"data: {\"index\":\xff\xfe,\"tok\n\n");
                Lane::Telling(generation)
            }
            Kind::ErrorEvent { .. } => {
                let error = ApiError::Generation("injected fault");
                self.app
                    .metrics
                    .count("tgi_request_failure", error.metric_label());
                self.writer.error(&mut self.buffer, &error);
                Lane::Over
            }
            _ => {
                // What is in the buffer is what makes the server write, and so reset.
                self.buffer.extend_from_slice(b":\n\n");
                self.context.socket.reset();
                Lane::Over
            }
        }
    }
}
