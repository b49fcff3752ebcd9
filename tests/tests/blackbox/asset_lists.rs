//! Listing assets, and trying all that failed again.

use blackbox::app::Options;
use blackbox::{App, Source, fixtures, poll};
use serde_json::json;

fn upload(app: &App) -> String {
    app.image(&fixtures::png(&fixtures::photo(20, 10)))
}

#[test]
fn pages_hold_every_asset_once_newest_first() {
    let app = App::start(Options::for_tests());
    let mut ids: Vec<String> = (0..5).map(|_| upload(&app)).collect();
    ids.push(app.ingest(&Source::here().status("404 Not Found").url));
    app.settled(&ids[5]);
    ids.reverse();
    poll::until("all are entered", || (app.stat("/assets") == 6 && app.stat("/failed") == 1).then_some(()));
    assert_eq!(app.pages("/v1/assets?limit=4"), [ids[..4].to_vec(), ids[4..].to_vec()]);
    assert_eq!(app.pages("/v1/assets?status=failed"), [vec![ids[0].clone()]]);
    assert_eq!(app.pages("/v1/assets?status=ready&limit=5"), [ids[1..].to_vec()]);
    assert_eq!(app.pages("/v1/assets?status=processing"), [Vec::<String>::new()]);

    app.delete(&format!("/v1/assets/{}", ids[0])).expect(204);
    app.delete(&format!("/v1/assets/{}", ids[3])).expect(204);
    poll::until("they are taken out", || (app.stat("/assets") == 4 && app.stat("/failed") == 0).then_some(()));
    let left = [&ids[1], &ids[2], &ids[4], &ids[5]].map(String::clone).to_vec();
    assert_eq!(app.pages("/v1/assets"), [left]);
}

#[test]
fn an_item_is_the_asset_as_it_is_shown_alone() {
    let app = App::shared();
    let id = upload(app);
    let item = poll::until("it is listed", || {
        let page = app.get("/v1/assets?limit=100").expect(200).json();
        page["items"].as_array()?.iter().find(|item| item["id"] == json!(id)).cloned()
    });
    assert_eq!(item, app.asset(&id));
}

#[test]
fn what_is_no_state_is_refused() {
    let app = App::shared();
    app.get("/v1/assets?status=lost").problem(400, "parameter-invalid");
    app.get("/v1/assets?state=failed").problem(400, "parameter-unknown");
    app.get("/v1/assets?cursor=x").problem(400, "cursor-invalid");
    app.get("/v1/assets/retry").problem(405, "method-not-allowed");
}

#[test]
fn all_that_failed_is_tried_again_once_for_one_key() {
    let app = App::start(Options::for_tests());
    let bytes = fixtures::png(&fixtures::photo(20, 10));
    let offers: Vec<_> = (0..3)
        .map(|_| {
            let bytes = bytes.clone();
            Source::here().offer(move |peer, number| match number {
                1 => peer.respond("404 Not Found", &[], b""),
                _ => peer.respond("200 OK", &[], &bytes),
            })
        })
        .collect();
    let ids: Vec<String> = offers.iter().map(|offer| app.ingest(&offer.url)).collect();
    ids.iter().for_each(|id| drop(app.settled(id)));
    poll::until("all are entered", || (app.stat("/failed") == 3).then_some(()));
    let retry = || app.call("POST", "/v1/assets/retry").header("idempotency-key", "again").send();
    assert_eq!(retry().expect(202).json(), json!({"retrying": 3}));
    for id in &ids {
        poll::until(&format!("asset {id} is ready"), || (app.asset(id)["state"] == "ready").then_some(()));
    }
    assert_eq!(retry().expect(202).json(), json!({"retrying": 3}));
    assert!(offers.iter().all(|offer| offer.n_hits() == 2));
    poll::until("none is left", || (app.stat("/failed") == 0).then_some(()));
}
