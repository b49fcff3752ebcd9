//! Which requests share an instance, and what becomes of one that fails.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{App, Setup, one_component, wait_for};

fn start(argument: &str) -> App {
    let setup = Setup::new(&one_component(""));
    if argument.is_empty() { setup.start() } else { setup.argument(argument).start() }
}

/// Two instances: that of a request which waits, and that of one which comes while it does.
fn while_waiting(app: &App, alone: &str) -> (String, String) {
    app.post("/kv/delete-many?keys=started,go", "").ok();
    let waiting = app.request("GET", &format!("/wait?started=started&key=go{alone}"), "").open();
    app.wait_for("/kv/get?key=started");
    let second = app.get("/hello").instance().to_owned();
    app.post("/kv/set?key=go", "now");
    let first = waiting.finish();
    assert_eq!(first.ok(), "now");
    (first.instance().to_owned(), second)
}

#[test]
fn requests_one_after_the_other_share_an_instance() {
    let app = start("");
    // The second may come before the instance has said that it is free: so not always, but nearly.
    wait_for(|| (app.get("/hello").instance() == app.get("/hello").instance()).then_some(()));
}

/// How many requests the busiest instance got, once there was one that got `enough`.
fn busiest(app: &App, enough: usize) -> usize {
    let mut counts = HashMap::new();
    let mut count = || {
        let count = counts.entry(app.get("/hello").instance().to_owned()).or_insert(0);
        *count += 1;
        (*count == enough).then_some(())
    };
    wait_for(&mut count);
    for _ in 0..enough {
        count();
    }
    counts.into_values().max().expect("there were some")
}

#[test]
fn an_instance_takes_no_more_requests_than_it_may() {
    assert_eq!(busiest(&start("--max-instance-reuse-count=2"), 2), 2);
    assert_eq!(busiest(&start("--max-instance-reuse-count=1"), 1), 1);
}

#[test]
fn an_instance_lives_for_128_requests() {
    assert_eq!(busiest(&start(""), 128), 128);
}

#[test]
fn requests_at_the_same_time_share_an_instance() {
    let app = start("");
    wait_for(|| {
        let (first, second) = while_waiting(&app, "");
        (first == second).then_some(())
    });
}

#[test]
fn requests_at_the_same_time_do_not_share_an_instance_when_told_so() {
    let (first, second) = while_waiting(&start("--max-instance-concurrent-reuse-count=1"), "");
    assert_ne!(first, second);
}

#[test]
fn backpressure_keeps_others_out_of_an_instance() {
    let (first, second) = while_waiting(&start(""), "&alone=1");
    assert_ne!(first, second);
}

#[test]
fn requests_that_compute_leave_time_for_others() {
    let app = start("");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let finished = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 * cores {
            scope.spawn(|| {
                app.get("/burn?ms=5000&alone=1").ok();
                finished.store(true, Ordering::Relaxed);
            });
        }
        app.get("/hello").ok();
        assert!(!finished.load(Ordering::Relaxed), "there was no answer before the first had done computing");
    });
}

#[test]
fn requests_wait_when_there_are_as_many_instances_as_there_can_be() {
    let app = Setup::new(&one_component(""))
        .environment("SPIN_MAX_INSTANCE_COUNT", "2")
        .argument("--max-instance-concurrent-reuse-count=1")
        .start();
    let burning: Vec<_> = (0..8).map(|_| app.request("GET", "/burn?ms=50", "").open()).collect();
    for response in burning {
        response.finish().ok();
    }
}

#[test]
fn a_task_goes_on_after_the_response() {
    for reuse in ["--max-instance-reuse-count=128", "--max-instance-reuse-count=1"] {
        let app = start(reuse);
        assert_eq!(app.get("/later?key=later&ms=100").ok(), "accepted");
        assert_eq!(app.wait_for("/kv/get?key=later").ok(), "done");
    }
}

#[test]
fn a_task_outlives_the_idle_time_of_an_instance() {
    let app = start("");
    // An idle instance is dropped after a second.
    app.get("/later?key=later&ms=1500").ok();
    assert_eq!(app.wait_for("/kv/get?key=later").ok(), "done");
}

#[test]
fn a_trap_is_a_500_for_every_request_of_the_instance_and_for_no_other() {
    let app = start("");
    // This one shuts the door of its instance, so that the next are elsewhere.
    let bystander = app.request("GET", "/wait?started=bystander&key=go&alone=1", "").open();
    let bystander_at = app.wait_for("/kv/get?key=bystander");
    let victim = app.request("GET", "/wait?started=victim&key=die&trap=1", "").open();
    let victim_at = app.wait_for("/kv/get?key=victim");
    assert_ne!(victim_at.text(), bystander_at.text());
    let neighbour = wait_for(|| {
        app.post("/kv/delete?key=neighbour", "").ok();
        let neighbour = app.request("GET", "/wait?started=neighbour&key=never", "").open();
        let neighbour_at = app.wait_for("/kv/get?key=neighbour");
        (neighbour_at.text() == victim_at.text()).then_some(neighbour)
    });

    app.post("/kv/set?key=die", "now");
    for response in [victim.finish(), neighbour.finish()] {
        assert_eq!(response.status, 500);
        assert!(response.body.is_empty());
    }
    app.wait_for_log("[guest] trapped on request\n");
    app.wait_for_log("component guest failed, and every request in that instance with it");
    app.wait_for_log("unreachable");

    app.post("/kv/set?key=go", "now");
    assert_eq!(bystander.finish().ok(), "now");
    assert_eq!(app.get("/hello").ok(), "hello");
}

#[test]
fn a_guest_that_runs_out_of_memory_fails_alone() {
    let limit = (64 << 20).to_string();
    let argument = Setup::new(&one_component("")).argument(format!("--max-instance-memory={limit}"));
    let variable = Setup::new(&one_component("")).environment("SPIN_MAX_INSTANCE_MEMORY", &limit);
    for setup in [argument, variable] {
        let app = setup.start();
        assert_eq!(app.get("/allocate?bytes=1000000").ok(), "1000000");
        assert_eq!(app.get("/allocate?bytes=100000000").status, 500);
        app.wait_for_log("component guest failed");
        assert_eq!(app.get("/allocate?bytes=1000000").ok(), "1000000");
    }
}

#[test]
fn memory_is_not_limited_unless_told() {
    assert_eq!(start("").get("/allocate?bytes=600000000").ok(), "600000000");
}
