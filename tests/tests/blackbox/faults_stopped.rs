//! A worker that stands still beyond its lease and goes on: nobody sees its work twice.

use blackbox::app::Options;
use blackbox::faults::{Given, choose};
use blackbox::source::Gate;
use blackbox::{App, Source, fixtures, poll};
use serde_json::Value;

/// What of an asset and its image anyone could have seen, and what is on record of its way: each end of it once.
fn seen(app: &App, id: &str) -> [Value; 5] {
    let (asset, image) = (format!("/v1/assets/{id}"), format!("/v1/images/{id}"));
    let (asset, image) = (app.get(&asset).expect(200), app.get(&image).expect(200));
    let history = app.redis().json(&format!("asset:{id}"))["value"]["history"].take();
    for state in ["accepted", "processing", "ready"] {
        let steps = history.as_array().into_iter().flatten().filter(|step| step["state"] == state);
        assert_eq!(steps.count(), 1, "{state} in {history:#}");
    }
    [asset.must_have("etag").into(), asset.json(), image.must_have("etag").into(), image.json(), history]
}

/// Stops the one worker there is as soon as the asset is in `state`, lets the other do the work, wakes the first.
fn check(state: &str) {
    let app = App::start(Options::for_tests().on_redis(1, 2));
    let [first, second] = app.workers() else { panic!("two workers") };
    second.halt();
    // Large enough that one can see it in the making.
    let picture = fixtures::photo(1200, 900);
    let bytes = fixtures::png(&picture);
    let gate = Gate::closed();
    let offer = {
        let (gate, is_gated) = (gate.clone(), state == "downloading");
        Source::here().offer(move |peer, number| {
            if is_gated && number == 1 {
                gate.pass();
            }
            peer.respond("200 OK", &[], &bytes)
        })
    };
    let id = app.ingest(&offer.url);
    poll::until("the work has come so far", || (app.asset(&id)["state"] == state).then_some(()));
    if state == "downloading" {
        poll::until("the source is asked", || (offer.n_hits() == 1).then_some(()));
    }
    first.stop();
    gate.open();
    second.start();
    app.ready(&id);
    let before = seen(&app, &id);
    first.cont();
    second.halt();
    // Only the first is left, and does this after all that it had.
    let other = fixtures::photo(40, 30);
    let last = app.image(&fixtures::png(&other));
    assert_eq!(seen(&app, &id), before);
    let audited = app.audit(&[Given { id: id.clone(), picture }, Given { id: last, picture: other }]);
    assert_eq!(audited.in_state("ready").len(), 2);
    assert_eq!(seen(&app, &id), before);
}

#[test]
fn faults_a_worker_that_slept_over_a_download_does_no_harm() {
    (0..choose(1, 4)).for_each(|_| check("downloading"));
}

#[test]
fn faults_a_worker_that_slept_over_a_decoding_does_no_harm() {
    (0..choose(1, 4)).for_each(|_| check("processing"));
}
