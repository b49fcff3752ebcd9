//! Many assets in one request: a JSON document a line in, a result a line out, as they come.

use bytes::{Bytes, BytesMut};
use http::{StatusCode, header};
use serde_json::json;
use web::body::Incoming;
use web::json::unsupported_content_type;
use web::query::Query;
use web::{Problem, Request, Response, idempotency};
use work::{Platform, Trace, trace};

use crate::config::{Config, config};
use crate::create;

/// Lines in a batch.
const MOST_LINES: u64 = 10_000;

/// Bytes in a line.
const MOST_LINE_BYTES: usize = 64 * 1024;

/// Accepts an asset for each line. A line's failure is that line's.
///
/// # Responses
/// - 200 `application/x-ndjson`: for each line its number, a status, and the asset's id or a problem.
/// - 400 `idempotency-key-invalid`, 415 `content-type-unsupported`, 503 `overloaded`.
///
/// With an `Idempotency-Key` each line has a key of its own, so a batch that broke off can be sent again whole.
pub async fn create_many<P: Platform + 'static>(platform: P, request: Request) -> Result<Response, Problem> {
    Query::parse(&request.query, &[])?;
    let key = idempotency::key(&request)?;
    match request.content_type().as_deref() {
        Some("application/x-ndjson" | "application/ndjson" | "application/jsonl") => {}
        other => {
            let found = other.unwrap_or("no named type");
            return Err(unsupported_content_type(found, "application/x-ndjson"));
        }
    }
    let config = config(&platform).await?;
    create::check_backlog(&platform, &config).await?;
    let trace = trace(request.traceparent(), &platform);
    let batch = Batch {
        platform,
        trace,
        config,
        key,
        instance: request.path.clone(),
        request_id: request.id.clone(),
        lines: Lines { body: request.body, buffer: BytesMut::new(), is_over: false },
        number: 0,
    };
    let results = futures::stream::unfold(batch, |mut batch| async {
        let result = batch.next().await?;
        Some((Ok(result), batch))
    });
    Ok(Response::new(StatusCode::OK)
        .with_header(header::CONTENT_TYPE, "application/x-ndjson")
        .with_header(header::CACHE_CONTROL, "no-store")
        .with_stream(results))
}

struct Batch<P> {
    platform: P,
    trace: Trace,
    config: Config,
    key: Option<String>,
    instance: String,
    request_id: String,
    lines: Lines,
    number: u64,
}

impl<P: Platform> Batch<P> {
    /// The next line of the answer.
    async fn next(&mut self) -> Option<Bytes> {
        let line = loop {
            match self.lines.next().await? {
                Ok(line) if line.trim_ascii().is_empty() => {}
                line => break line,
            }
        };
        self.number += 1;
        let result = match line {
            Ok(_) if self.number > MOST_LINES => {
                self.lines.is_over = true;
                let detail = format!("a batch has at most {MOST_LINES} lines; this one and all after it were not read");
                let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "batch-too-long", detail);
                Err(problem.over(MOST_LINES, None))
            }
            Ok(line) => self.accept(&line).await,
            Err(problem) => Err(problem),
        };
        let result = match result {
            Ok(response) => {
                let asset: serde_json::Value =
                    response.full_body().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
                json!({
                    "line": self.number,
                    "status": response.status.as_u16(),
                    "id": asset["id"],
                    "location": response.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()),
                })
            }
            Err(problem) => {
                if let Some(cause) = &problem.cause {
                    self.platform.log(&format!("{} line {}: {cause}", self.request_id, self.number));
                }
                let status = problem.status.as_u16();
                let response = problem.into_response(&self.instance, &self.request_id);
                let problem: serde_json::Value =
                    response.full_body().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
                json!({ "line": self.number, "status": status, "problem": problem })
            }
        };
        Some(Bytes::from(format!("{result}\n")))
    }

    async fn accept(&self, line: &[u8]) -> Result<Response, Problem> {
        let key = self.key.as_ref().map(|key| format!("{key}#{}", self.number));
        create::from_json(&self.platform, &self.config, line, key.as_deref(), self.trace).await
    }
}

/// The lines of a body as they come.
struct Lines {
    body: Incoming,
    buffer: BytesMut,
    is_over: bool,
}

impl Lines {
    async fn next(&mut self) -> Option<Result<Bytes, Problem>> {
        loop {
            if self.is_over {
                return None;
            }
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let mut line = self.buffer.split_to(end + 1);
                line.truncate(end);
                return Some(if end > MOST_LINE_BYTES { Err(too_long()) } else { Ok(line.freeze()) });
            }
            if self.buffer.len() > MOST_LINE_BYTES {
                self.is_over = true;
                return Some(Err(too_long()));
            }
            match self.body.next().await {
                Some(Ok(piece)) => self.buffer.extend_from_slice(&piece),
                Some(Err(problem)) => {
                    self.is_over = true;
                    return Some(Err(problem));
                }
                None => {
                    self.is_over = true;
                    let rest = self.buffer.split().freeze();
                    return if rest.is_empty() { None } else { Some(Ok(rest)) };
                }
            }
        }
    }
}

fn too_long() -> Problem {
    let detail = format!("a line has at most {MOST_LINE_BYTES} bytes; where it ends is not looked for");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail).over(MOST_LINE_BYTES as u64, None)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    fn lines(pieces: &[&str]) -> Vec<Result<String, &'static str>> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from((*piece).to_owned()))).collect();
        let body = Incoming::new(futures::stream::iter(pieces));
        let mut lines = Lines { body, buffer: BytesMut::new(), is_over: false };
        let mut found = Vec::new();
        while let Some(line) = block_on(lines.next()) {
            found.push(line.map(|line| String::from_utf8(line.to_vec()).unwrap()).map_err(|problem| problem.code));
        }
        found
    }

    #[test]
    fn lines_are_whole_wherever_the_pieces_end() {
        let expected = [Ok("one".to_owned()), Ok("two".to_owned()), Ok("three".to_owned())];
        assert_eq!(lines(&["one\ntwo\nthree"]), expected);
        assert_eq!(lines(&["o", "ne\nt", "wo\n", "three\n"]), expected);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        assert_eq!(lines(&["ok\n", &"x".repeat(MOST_LINE_BYTES + 1)]), [Ok("ok".to_owned()), Err("body-too-large")]);
    }
}
