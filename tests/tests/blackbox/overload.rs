//! More than can be done at once: what is over is refused at once, what was let in is done.

use std::time::Duration;

use blackbox::app::Options;
use blackbox::{Answer, App, Source, fixtures, poll};
use serde_json::json;

/// Sends requests at the same time and returns how many were served; the others must have been shed.
#[track_caller]
fn served(count: usize, send: impl Fn(usize) -> Answer + Sync, status: u16) -> usize {
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let send = &send;
        let threads: Vec<_> = (0..count).map(|number| scope.spawn(move || send(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let (served, shed): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == status);
    for answer in &shed {
        answer.problem(503, "overloaded");
        assert!(answer.header("retry-after").is_some_and(|value| value.parse::<u32>().is_ok()), "{answer}");
    }
    assert!(!shed.is_empty() && !served.is_empty(), "{} served, {} shed", served.len(), shed.len());
    served.len()
}

#[test]
fn renders_over_the_limit_are_shed_and_soon_let_in_again() {
    let app = App::start(Options::for_tests().variable("max_renders", 1));
    let id = app.image(&fixtures::jpeg(&fixtures::photo(2000, 1500)));
    served(60, |number| app.delivered(&id, &format!("w={}", 700 + number)), 200);
    // What is stored needs no leave.
    app.delivered(&id, "medium").expect(200);
    poll::within(Duration::from_secs(5), "a render is let in", || {
        (app.delivered(&id, "w=99").status == 200).then_some(())
    });
}

#[test]
fn uploads_over_the_limit_are_shed_and_leave_nothing() {
    let app = App::start(Options::for_tests().variable("max_uploads", 1));
    // More than three replicas have places, with those who wait.
    let pictures: Vec<Vec<u8>> = (0..48).map(|_| fixtures::png(&fixtures::photo(600, 400))).collect();
    let n_served = served(48, |number| app.upload(&pictures[number]), 202);
    poll::until("all are ready", || (app.stat("/images") == n_served as u64).then_some(()));
    assert_eq!(app.stat("/assets"), n_served as u64);
}

#[test]
fn nothing_is_accepted_when_too_much_waits() {
    let app = App::start(Options::for_tests().variable("max_queued", 0));
    let body = json!({"source_url": Source::here().serve(fixtures::png(&fixtures::photo(20, 10))).url});
    let refused = app.post("/v1/assets", &body);
    refused.problem(503, "overloaded");
    assert!(refused.header("retry-after").is_some(), "{refused}");
    app.upload(&fixtures::png(&fixtures::photo(20, 10))).problem(503, "overloaded");
    let batch = app.call("POST", "/v1/assets/batch").header("content-type", "application/x-ndjson");
    batch.body(format!("{body}\n").into_bytes()).send().problem(503, "overloaded");
    assert_eq!(app.stat("/assets"), 0);
}
