//! The states of an asset as they happen: server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::collections::VecDeque;

use bytes::Bytes;
use http::{StatusCode, header};
use kv_schema::asset::{Asset, State};
use kv_schema::{Millis, asset};
use store::document;
use web::query::Query;
use web::{Problem, Request, Response, time};
use work::Platform;

use crate::read::{find, nudge};

/// How often the asset is looked at, in milliseconds.
const EVERY: u64 = 100;

/// A comment is sent after so many milliseconds of silence, so that nothing in between takes the stream for dead.
const SILENCE: Millis = 15_000;

/// A stream ends after so many milliseconds; clients come back with `Last-Event-ID` by themselves.
const LONGEST: Millis = 10 * 60 * 1000;

/// Streams the states, those of the past first, and ends with `ready` or `failed`.
///
/// # Responses
/// - 200 `text/event-stream`: events named `state`, their ids counting the states from 1; `deleted` should it be.
/// - 404 `asset-not-found`, 410 `asset-deleted`.
pub async fn follow<P: Platform + 'static>(platform: P, request: &Request, id: &str) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let asset = find(&platform, id).await?;
    let seen = request.header("last-event-id")?.and_then(|id| id.parse().ok()).unwrap_or(0);
    let now = platform.now();
    let follower = Follower {
        platform,
        asset: asset.value,
        seen,
        pending: VecDeque::new(),
        last_sent: now,
        started: now,
        is_over: false,
    };
    let events = futures::stream::unfold(follower, |mut follower| async {
        let event = follower.next().await?;
        Some((event, follower))
    });
    Ok(Response::new(StatusCode::OK)
        .with_header(header::CONTENT_TYPE, "text/event-stream")
        .with_header(header::CACHE_CONTROL, "no-store")
        .with_stream(events))
}

struct Follower<P> {
    platform: P,
    asset: Asset,
    /// How many states of the history were sent.
    seen: usize,
    pending: VecDeque<String>,
    last_sent: Millis,
    started: Millis,
    is_over: bool,
}

impl<P: Platform> Follower<P> {
    /// The next piece of the stream.
    async fn next(&mut self) -> Option<Result<Bytes, String>> {
        loop {
            self.collect();
            if let Some(event) = self.pending.pop_front() {
                self.last_sent = self.platform.now();
                return Some(Ok(event.into()));
            }
            if self.is_over || self.platform.now() - self.started > LONGEST {
                return None;
            }
            if self.platform.now() - self.last_sent > SILENCE {
                self.pending.push_back(": still here\n\n".to_owned());
                continue;
            }
            self.platform.sleep(EVERY).await;
            nudge(&self.platform, &self.asset).await;
            match document::get(&self.platform, &asset::document(&self.asset.id)).await {
                Ok(Some(asset)) => self.asset = asset.value,
                Ok(None) => return None,
                Err(error) => return Some(Err(error.to_string())),
            }
        }
    }

    /// Turns states that were not sent yet into events.
    fn collect(&mut self) {
        let history = &self.asset.history;
        for (step, number) in history.iter().zip(1..).skip(self.seen) {
            let mut data = serde_json::json!({
                "id": self.asset.id,
                "state": step.state.as_str(),
                "at": time::format(step.at),
            });
            if step.state == State::Failed && number == history.len() {
                data["error"] = serde_json::json!(self.asset.error);
            }
            self.pending.push_back(format!("id: {number}\nevent: state\ndata: {data}\n\n"));
        }
        self.seen = self.seen.max(history.len());
        if self.asset.deleted_at.is_some() && !self.is_over {
            let data = serde_json::json!({ "id": self.asset.id });
            self.pending.push_back(format!("event: deleted\ndata: {data}\n\n"));
            self.is_over = true;
        }
        self.is_over |= matches!(self.asset.state, State::Ready | State::Failed);
    }
}
