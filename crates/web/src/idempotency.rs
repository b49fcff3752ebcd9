//! `Idempotency-Key`: the same key and request get the same answer, however often and whatever died in between.

use std::future::Future;

use http::{StatusCode, header};
use kv_schema::api::{Answer, Remembered, RememberedAt, forgotten, remembered, remembered_log, running};
use kv_schema::{Id, Millis};
use sha2::{Digest, Sha256};
use store::object::hex;
use store::{Clock, Store, StoreError, count, log, new_id, read, write};

use crate::{Problem, Request, Response};

/// How long an answer is kept, in milliseconds.
const KEPT: Millis = 24 * 60 * 60 * 1000;

/// A write that has not answered for so long is taken for dead, in milliseconds.
const DEAD_AFTER: Millis = 60_000;

/// Old answers that each new key sweeps away.
const SWEPT_AT_ONCE: u64 = 2;

/// The request's key.
///
/// # Errors
/// `400 idempotency-key-invalid` unless it is 1 to 255 printable ASCII characters.
pub fn key(request: &Request) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let is_one = request.headers.get_all("idempotency-key").iter().count() == 1;
    if is_one && (1..=255).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(Some(text.to_owned()));
    }
    Err(Problem::bad_request("idempotency-key-invalid", "Idempotency-Key takes 1 to 255 printable ASCII characters"))
}

/// Runs `write` for the first request with this key and answers every later one with its answer.
///
/// `write` is given the id of what it makes. A run that died is run again with the same id, so it must look whether
/// that thing exists. Answers of 500 and above, and refusals, are not kept: such a request may be sent again.
///
/// # Errors
/// `422 idempotency-key-reused` with another request, `409 idempotency-in-progress` while the first still runs, and
/// whatever `write` refuses.
pub async fn once<F>(
    platform: &(impl Store + Clock),
    scope: &str,
    key: Option<&str>,
    request_body: &[u8],
    run: impl FnOnce(Id) -> F,
) -> Result<Response, Problem>
where
    F: Future<Output = Result<Response, Problem>>,
{
    let Some(key) = key else { return run(new_id(platform)).await };
    let digest = hex(&Sha256::new().chain_update(scope).chain_update([0]).chain_update(key).finalize());
    let request = hex(&Sha256::new().chain_update(scope).chain_update([0]).chain_update(request_body).finalize());

    let started = match start(platform, &digest, &request).await? {
        Start::Answered(answer) => return Ok(answered(answer)),
        Start::Run(started) => started,
    };
    let result = run(started.id.clone()).await;
    match result {
        Ok(response) if response.status.is_success() => {
            let answer = answer_of(&response);
            write(platform, &remembered(&digest), &Remembered { answer, ..started }).await?;
            sweep(platform).await?;
            Ok(response)
        }
        refused => {
            let keys = [remembered(&digest).name().to_owned(), running(&digest, 0).name().to_owned()];
            platform.delete_many(&keys).await?;
            refused
        }
    }
}

enum Start {
    Answered(Answer),
    Run(Remembered),
}

async fn start(platform: &(impl Store + Clock), digest: &str, request: &str) -> Result<Start, Problem> {
    const MOST_ROUNDS: u32 = 16;
    for round in 0..MOST_ROUNDS {
        let is_first = platform.increment(running(digest, round).name(), 1).await? == 1;
        let known = read(platform, &remembered(digest)).await?;
        match known {
            Some(known) if known.request != request => {
                if is_first {
                    store::delete(platform, running(digest, round).name()).await?;
                }
                let detail = "this Idempotency-Key was used for another request";
                return Err(Problem::unprocessable("idempotency-key-reused", detail));
            }
            Some(Remembered { answer: Some(answer), .. }) => return Ok(Start::Answered(answer)),
            Some(known) if is_first => return Ok(Start::Run(known)),
            Some(known) if platform.now() - known.at > DEAD_AFTER => {}
            None if is_first => {
                let id = new_id(platform);
                let begun = Remembered { request: request.to_owned(), id, at: platform.now(), answer: None };
                write(platform, &remembered(digest), &begun).await?;
                let entry = RememberedAt { digest: digest.to_owned(), at: begun.at };
                log::append(platform, &remembered_log(), entry).await?;
                return Ok(Start::Run(begun));
            }
            _ => {
                let detail = "the first request with this Idempotency-Key is still running";
                let mut problem = Problem::conflict("idempotency-in-progress", detail);
                problem.headers.push((header::RETRY_AFTER, "1".to_owned()));
                return Err(problem);
            }
        }
    }
    Err(Problem::internal(format!("the idempotency record {digest} came to nothing too often")))
}

fn answer_of(response: &Response) -> Option<Answer> {
    let text = |name| response.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Some(Answer {
        status: response.status.as_u16(),
        location: text(header::LOCATION),
        content_type: text(header::CONTENT_TYPE).unwrap_or_default(),
        body: String::from_utf8(response.full_body()?.to_vec()).ok()?,
    })
}

fn answered(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let response = Response::new(status)
        .with_header(header::CONTENT_TYPE, answer.content_type)
        .with_header(header::CACHE_CONTROL, "no-store")
        .with_header(http::HeaderName::from_static("idempotency-replayed"), "true")
        .with_body(answer.body);
    match answer.location {
        Some(location) => response.with_header(header::LOCATION, location),
        None => response,
    }
}

/// Drops the oldest answers that are too old. Each new key does a little of it, so that nothing has to be scheduled.
async fn sweep(platform: &(impl Store + Clock)) -> Result<(), StoreError> {
    let log = remembered_log();
    let low = read(platform, &forgotten()).await?.unwrap_or(0);
    let length = count(platform, &log.length()).await?;
    let mut swept = low;
    for position in low + 1..=length.min(low + SWEPT_AT_ONCE) {
        use kv_schema::shape::Entry;
        match read(platform, &log.entry(position)).await? {
            Some(Entry::Live(entry)) if platform.now() - entry.at > KEPT => {
                let rounds = (0..16).map(|round| running(&entry.digest, round).name().to_owned());
                let mut keys: Vec<String> = rounds.collect();
                keys.push(remembered(&entry.digest).name().to_owned());
                keys.push(log.entry(position).name().to_owned());
                platform.delete_many(&keys).await?;
                swept = position;
            }
            Some(Entry::Live(_)) => break,
            Some(Entry::Dead { .. }) | None => swept = position,
        }
    }
    if swept > low {
        write(platform, &forgotten(), &swept).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures::executor::block_on;
    use futures::future::join;
    use store::memory::TestPlatform;

    use super::*;

    async fn create(platform: &TestPlatform, runs: &Cell<u32>, id: Id) -> Result<Response, Problem> {
        platform.sleep(10).await;
        runs.set(runs.get() + 1);
        Ok(Response::json(StatusCode::CREATED, &id).with_header(header::LOCATION, "/x"))
    }

    async fn post(platform: &TestPlatform, runs: &Cell<u32>, key: &str, body: &str) -> Result<Response, Problem> {
        once(platform, "things", Some(key), body.as_bytes(), |id| create(platform, runs, id)).await
    }

    #[test]
    fn answers_again_without_running_again() {
        let (platform, runs) = (TestPlatform::default(), Cell::new(0));
        let first = block_on(post(&platform, &runs, "k", "a")).unwrap();
        let second = block_on(post(&platform, &runs, "k", "a")).unwrap();
        assert_eq!((first.status, first.full_body()), (second.status, second.full_body()));
        assert_eq!(second.headers[header::LOCATION], "/x");
        assert_eq!(block_on(post(&platform, &runs, "k", "b")).err().unwrap().code, "idempotency-key-reused");
        assert_eq!(runs.get(), 1);
    }

    #[test]
    fn refuses_while_the_first_still_runs() {
        let (platform, runs) = (TestPlatform::default(), Cell::new(0));
        let both = join(post(&platform, &runs, "k", "a"), post(&platform, &runs, "k", "a"));
        let (first, second) = block_on(both);
        let codes = [first.map_err(|problem| problem.code).err(), second.map_err(|problem| problem.code).err()];
        assert!(codes.contains(&None) && codes.contains(&Some("idempotency-in-progress")), "{codes:?}");
        assert_eq!(runs.get(), 1);
    }

    #[test]
    fn a_run_that_died_is_run_again_with_the_same_id() {
        let (platform, runs) = (TestPlatform::default(), Cell::new(0));
        let ids = std::cell::RefCell::new(Vec::new());
        let dying = |id: Id| {
            ids.borrow_mut().push(id);
            platform.store.fail_after(Some(0));
            async { Ok(Response::no_content()) }
        };
        assert!(block_on(once(&platform, "things", Some("k"), b"a", dying)).is_err());
        platform.store.fail_after(None);
        assert_eq!(block_on(post(&platform, &runs, "k", "a")).err().unwrap().code, "idempotency-in-progress");
        platform.clock.advance(DEAD_AFTER + 1);
        let answer = block_on(post(&platform, &runs, "k", "a")).unwrap();
        let id: Id = serde_json::from_slice(answer.full_body().unwrap()).unwrap();
        assert_eq!(ids.into_inner(), [id]);
    }

    #[test]
    fn refusals_are_not_kept_and_old_answers_go() {
        let (platform, runs) = (TestPlatform::default(), Cell::new(0));
        let refuse = |_| async { Err(Problem::field("/name", "no")) };
        assert!(block_on(once(&platform, "things", Some("k"), b"a", refuse)).is_err());
        for number in 0..40 {
            block_on(post(&platform, &runs, &format!("k{number}"), "a")).unwrap();
            platform.clock.advance(KEPT / 4);
        }
        let kept = platform.store.keys("idempotency:");
        assert!(kept.len() < 30, "{kept:?}");
    }
}
