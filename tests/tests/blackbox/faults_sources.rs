//! Sources that fail for a while, or for ever: tried again so often and no more, and again when somebody asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blackbox::app::Options;
use blackbox::faults::choose;
use blackbox::source::Offer;
use blackbox::{App, Source, fixtures, poll};
use serde_json::json;

fn picture() -> Vec<u8> {
    fixtures::png(&fixtures::photo(40, 30))
}

/// A source that answers 503 until `is_healed`.
fn ill(is_healed: &Arc<AtomicBool>) -> Offer {
    let (is_healed, bytes) = (is_healed.clone(), picture());
    Source::here().offer(move |peer, _| {
        if is_healed.load(Ordering::SeqCst) {
            peer.respond("200 OK", &[], &bytes)
        } else {
            peer.respond("503 Service Unavailable", &[], b"not now")
        }
    })
}

fn failed(app: &App) -> Vec<String> {
    let mut ids = app.pages("/v1/assets?status=failed&limit=2").concat();
    ids.sort_unstable();
    ids
}

#[test]
fn faults_a_source_that_fails_twice_is_asked_three_times() {
    let app = App::start(Options::for_tests().on_redis(1, 2));
    let bytes = picture();
    let offers: Vec<Offer> = (0..choose(4, 20))
        .map(|_| {
            let bytes = bytes.clone();
            Source::here().offer(move |peer, number| match number {
                1 => peer.respond("503 Service Unavailable", &[], b"not now"),
                // Breaks off in the middle.
                2 => peer.head_only("200 OK", &[("content-length", "5000")]).and_then(|()| peer.send(&bytes[..50])),
                _ => peer.respond("200 OK", &[], &bytes),
            })
        })
        .collect();
    let ids: Vec<String> = offers.iter().map(|offer| app.ingest(&offer.url)).collect();
    for (id, offer) in ids.iter().zip(&offers) {
        assert_eq!(app.ready(id)["attempts"], 3);
        assert_eq!(offer.n_hits(), 3);
    }
    assert_eq!(failed(&app), Vec::<String>::new());
    app.audit(&[]);
}

#[test]
fn faults_a_source_that_always_fails_is_given_up_and_can_be_asked_again() {
    let app = App::start(Options::for_tests().on_redis(1, 2));
    let is_healed = Arc::new(AtomicBool::new(false));
    let offers: Vec<Offer> = (0..choose(4, 20)).map(|_| ill(&is_healed)).collect();
    let mut ids: Vec<String> = offers.iter().map(|offer| app.ingest(&offer.url)).collect();
    for (id, offer) in ids.iter().zip(&offers) {
        assert_eq!(app.failure(id), "source-status");
        assert_eq!(offer.n_hits(), 5);
        assert_eq!(app.asset(id)["attempts"], 5);
    }
    ids.sort_unstable();
    assert_eq!(failed(&app), ids);
    assert_eq!(app.stat("/failed"), ids.len() as u64);

    // One alone, while nothing has changed: it fails again, and is listed once.
    app.call("POST", &format!("/v1/assets/{}/retry", ids[0])).send().expect(202);
    assert_eq!(app.failure(&ids[0]), "source-status");
    assert_eq!(failed(&app), ids);
    assert_eq!(app.audit(&[]).in_state("failed").len(), ids.len());

    is_healed.store(true, Ordering::SeqCst);
    app.call("POST", &format!("/v1/assets/{}/retry", ids[0])).send().expect(202);
    app.ready(&ids[0]);
    assert_eq!(failed(&app), ids[1..]);

    // All that are left, at once.
    let answer = app.call("POST", "/v1/assets/retry").send().expect(202);
    assert_eq!(answer.json(), json!({"retrying": ids.len() - 1}), "{answer}");
    poll::until("none is failed any more", || failed(&app).is_empty().then_some(()));
    ids.iter().for_each(|id| drop(app.ready(id)));
    let answer = app.call("POST", "/v1/assets/retry").send().expect(202);
    assert_eq!(answer.json(), json!({"retrying": 0}), "{answer}");
    assert_eq!(app.audit(&[]).in_state("ready").len(), ids.len());
}
