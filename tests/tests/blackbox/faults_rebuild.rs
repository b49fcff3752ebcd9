//! The read model, lost and made again: it shows what it showed, to the byte, and serves meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use blackbox::app::Options;
use blackbox::faults::{Given, Giver, choose};
use blackbox::{App, Call, poll};
use serde_json::{Value, json};

/// The body of every page of these listings, and of every image's document.
fn dump(app: &App, listings: &[String], ids: &[String]) -> BTreeMap<String, Vec<u8>> {
    let mut dump = BTreeMap::new();
    for listing in listings {
        let mut next = format!("/v1/images?{listing}limit=5");
        loop {
            let page = app.get(&next).expect(200);
            let cursor = page.json()["next_cursor"].as_str().map(str::to_owned);
            dump.insert(format!("{listing} {}", dump.len()), items(&page.json()));
            let Some(cursor) = cursor else { break };
            next = format!("/v1/images?{listing}limit=5&cursor={cursor}");
        }
    }
    for id in ids {
        let image = app.get(&format!("/v1/images/{id}"));
        let body = if image.status == 200 { image.body.clone() } else { image.status.to_string().into_bytes() };
        dump.insert(id.clone(), body);
    }
    dump
}

/// The items of a page as they stand there. Where the next one begins is the store's affair.
fn items(page: &Value) -> Vec<u8> {
    page["items"].to_string().into_bytes()
}

fn rebuild(app: &App, while_running: impl Fn()) {
    let started = app.call("POST", "/v1/rebuild").send().expect(202).json();
    assert!(started["id"].is_string(), "{started}");
    let mut last = Value::Null;
    poll::until("the read model is made again", || {
        while_running();
        last = app.get("/v1/rebuild").expect(200).json();
        assert_eq!(last["id"], started["id"], "{last}");
        (last["state"] == "done").then_some(())
    });
    assert_eq!(last["done"], last["total"], "{last}");
}

#[test]
fn faults_a_lost_read_model_is_made_again_to_the_byte() {
    let app = App::start(Options::for_tests().on_redis(2, 2));
    let webs = || app.webs().iter().map(|web| web.address()).collect::<Vec<_>>();
    let parent = app.category("parent", None);
    let (left, right) = (app.category("left", Some(&parent)), app.category("right", None));
    let count = choose(8, 60);
    let mut given: Vec<Given> = Giver::to(webs()).into(&left, "one").give(count);
    given.extend(Giver::to(webs()).into(&right, "two").give(count));
    given.iter().for_each(|given| drop(app.ready(&given.id)));

    // Edits, moves, deletions.
    let patch = |path: String, body: Value| app.call("PATCH", &path).json(&body).send().expect(200);
    for (number, Given { id, .. }) in given.iter().enumerate() {
        match number % 5 {
            0 => {
                drop(patch(format!("/v1/assets/{id}"), json!({"title": format!("nr {number}"), "tags": ["one", "x"]})))
            }
            1 => drop(patch(format!("/v1/assets/{id}"), json!({"category": left, "alt": "moved"}))),
            2 if number > 5 => drop(app.delete(&format!("/v1/assets/{id}")).expect(204)),
            _ => {}
        }
    }
    patch(format!("/v1/categories/{left}"), json!({"parent": right}));
    let is_deleted = |id: &str| app.get(&format!("/v1/assets/{id}")).status == 410;
    let ids: Vec<String> = given.iter().map(|given| given.id.clone()).collect();
    given.retain(|given| !is_deleted(&given.id));
    app.audit(&given);
    let listings = [
        String::new(),
        format!("category={left}&"),
        format!("category={right}&"),
        format!("category={right}&descendants=true&"),
        format!("category={parent}&descendants=true&"),
        "tag=one&".to_owned(),
        "tag=two&".to_owned(),
        "tag=x&".to_owned(),
    ];
    let before = dump(&app, &listings, &ids);

    assert!(app.redis().delete_all(&["image:*", "list:*"]) > 0);
    rebuild(&app, || ());
    let after = dump(&app, &listings, &ids);
    for (name, before) in &before {
        let [before, after] =
            [Some(before), after.get(name)].map(|body| body.map(|body| String::from_utf8_lossy(body)));
        assert_eq!(after, before, "{name}");
    }
    assert_eq!(after.len(), before.len());
    app.audit(&given);

    // Once more, with nothing lost, while others read and give.
    let is_done = AtomicBool::new(false);
    given.extend(std::thread::scope(|scope| {
        let gives = scope.spawn(|| {
            let giver = Giver::to(webs()).into(&parent, "three");
            let mut given = giver.give(1);
            while !is_done.load(Ordering::SeqCst) {
                given.extend(giver.give(1));
            }
            given
        });
        let reads = scope.spawn(|| {
            while !is_done.load(Ordering::SeqCst) {
                for target in ["/v1/images".to_owned(), format!("/v1/images/{}", given[0].id)] {
                    let answer = Call::new(webs()[1], "GET", &target).send();
                    assert_eq!(answer.status, 200, "{answer}");
                }
            }
        });
        let rebuilt = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rebuild(&app, || ())));
        is_done.store(true, Ordering::SeqCst);
        reads.join().expect("reads go on");
        rebuilt.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        gives.join().expect("what it gives is taken in the end")
    }));
    app.audit(&given);
}
