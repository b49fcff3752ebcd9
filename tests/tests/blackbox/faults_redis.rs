//! The store and the bus go away, and come back with what they had or without.

use std::time::{Duration, Instant};

use blackbox::app::Options;
use blackbox::faults::{Chance, Giver, choose};
use blackbox::{App, Call, fixtures, poll};

/// How long a read may take before it says that the store is gone.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

fn giver(app: &App) -> Giver<'static> {
    Giver::to(app.webs().iter().map(|web| web.address()).collect())
}

#[track_caller]
fn is_unavailable(app: &App, target: &str) {
    let asked = Instant::now();
    let answer = Call::new(app.address(), "GET", target).patience(2 * ANSWERED_WITHIN).send();
    answer.problem(503, "store-unavailable");
    assert!(asked.elapsed() < ANSWERED_WITHIN, "{target} took {:?}", asked.elapsed());
    let wait = answer.must_have("retry-after").parse::<u64>();
    assert!(wait.is_ok_and(|seconds| seconds > 0), "{answer}");
}

#[test]
fn faults_a_store_that_is_gone_for_a_while_is_missed_and_found_again() {
    let app = App::start(Options::for_tests().on_redis(1, 2));
    let giver = giver(&app);
    let mut given = giver.give(4);
    let category = app.category("reads", None);
    let id = given[0].id.clone();
    app.ready(&id);
    given.extend(giver.give(4));

    app.redis().kill();
    let end = Instant::now() + choose(Duration::from_secs(3), Duration::from_secs(10));
    while Instant::now() < end {
        for target in [
            "/v1/images".to_owned(),
            format!("/v1/images?category={category}"),
            format!("/v1/images/{id}"),
            format!("/v1/assets/{id}"),
            "/v1/categories".to_owned(),
            format!("/v1/categories/{category}"),
            format!("/i/{id}/thumb"),
            format!("/i/{id}/original"),
            "/v1/presets".to_owned(),
            "/v1/stats".to_owned(),
            "/healthz".to_owned(),
        ] {
            is_unavailable(&app, &target);
        }
    }

    app.redis().start_again();
    poll::until("the app has found its store", || (app.get("/v1/images").status == 200).then_some(()));
    app.await_workers();
    given.extend(giver.give(4));
    app.audit(&given);
}

#[test]
fn faults_a_store_that_forgot_everything_is_an_empty_one() {
    let app = App::start(Options::for_tests().on_redis(1, 1));
    let giver = giver(&app);
    let lost: Vec<String> = giver.give(3).into_iter().map(|given| given.id).collect();
    lost.iter().for_each(|id| drop(app.ready(id)));
    app.category("lost", None);

    app.redis().kill();
    app.redis().forget();
    app.redis().start_again();
    poll::until("the app has found its store", || (app.get("/v1/images").status == 200).then_some(()));
    app.await_workers();
    for id in &lost {
        app.get(&format!("/v1/assets/{id}")).problem(404, "asset-not-found");
        app.shows_nothing_of(id);
    }
    assert_eq!(app.listed(""), Vec::<String>::new());
    assert_eq!(app.pages("/v1/categories").concat(), Vec::<String>::new());
    for count in ["/assets", "/failed", "/images", "/original_bytes", "/queue_depth"] {
        assert_eq!(app.stat(count), 0, "{count}");
    }
    app.category("lost", None);
    let given = giver.give(4);
    let audited = app.audit(&given);
    assert_eq!(audited.in_state("ready").len(), 4);
}

#[test]
fn faults_cutting_every_connection_loses_nothing() {
    let app = App::start(Options::for_tests().on_redis(2, 2));
    let giver = giver(&app);
    let mut chance = Chance::seeded();
    let mut n_cut = 0;
    let mut given = Vec::new();
    for number in 0..choose(6, 30) {
        let moment = chance.moment(Duration::from_millis(500));
        given.extend(std::thread::scope(|scope| {
            let gives = scope.spawn(|| giver.give(4));
            std::thread::sleep(moment);
            n_cut += app.redis().cut(["normal", "pubsub"][number % 2]);
            gives.join().expect("what it gives is taken in the end")
        }));
    }
    assert!(n_cut > 0, "no connection was cut");
    eprintln!("{n_cut} connections were cut, {} requests came to nothing", giver.n_refused());
    app.await_workers();
    app.audit(&given);
}

/// An audit that finds nothing proves something only if it finds what is there.
#[test]
fn faults_that_are_hidden_in_the_store_are_found() {
    let app = App::start(Options::for_tests().on_redis(1, 1));
    let given = giver(&app).give(2);
    let audited = app.audit(&given);
    let [id, sha256] = [&given[0].id, audited.assets[&given[0].id]["sha256"].as_str().expect("it is ready")];
    let mut connection = app.redis().connection();
    let mut redis = |command: &str, arguments: &[&str]| {
        redis::cmd(command).arg(arguments).exec(&mut connection).expect("the server answers");
    };
    let finds = |what: &str| {
        let audit = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(app.audit(&given))));
        assert!(audit.is_err(), "{what} was not found");
    };
    let orphan = format!("rung:{}.0:10x10", "a".repeat(64));
    redis("SET", &[&orphan, "x"]);
    finds("what belongs to nobody");
    redis("DEL", &[&orphan]);
    app.audit(&given);
    for key in [format!("image:{id}"), "list:all".to_owned(), format!("blob:{sha256}.0:data"), "assets:all".to_owned()]
    {
        redis("RENAME", &[&key, "elsewhere"]);
        finds(&format!("that {key} is missing"));
        redis("RENAME", &["elsewhere", &key]);
        app.audit(&given);
    }
}

/// Before anything else can go wrong: the harness kills, stops and starts what it says it does.
#[test]
fn faults_are_made_as_they_are_ordered() {
    let app = App::start(Options::for_tests().on_redis(2, 1));
    let web = &app.webs()[1];
    let health = || Call::new(web.address(), "GET", "/healthz").patience(Duration::from_millis(300)).try_send();
    assert_eq!(health().expect("it is up").status, 200);
    web.stop();
    assert!(health().is_err(), "a stopped process answers");
    web.cont();
    poll::until("it goes on", || health().ok());
    let first = web.id();
    web.kill();
    poll::until("it is gone", || (!web.is_running()).then_some(()));
    web.start();
    assert_ne!(web.id(), first);

    let worker = &app.workers()[0];
    let first = worker.id();
    worker.kill();
    poll::until("its supervisor has started it again", || (worker.is_running() && worker.id() != first).then_some(()));
    worker.halt();
    assert!(!worker.is_running());
    let id = app.upload(&fixtures::png(&fixtures::photo(20, 20))).expect(202).id();
    worker.start();
    app.ready(&id);
}

#[test]
fn faults_a_server_at_its_memory_limit_is_a_full_store() {
    let app = App::start(Options::for_tests().on_redis(1, 1));
    let giver = giver(&app);
    let mut given = giver.give(2);
    given.iter().for_each(|given| drop(app.ready(&given.id)));
    let mut connection = app.redis().connection();
    let mut limit = |bytes: &str| {
        redis::cmd("CONFIG").arg(&["SET", "maxmemory", bytes]).exec(&mut connection).expect("the server answers");
    };
    limit("1");
    app.upload(&fixtures::png(&fixtures::photo(64, 48))).problem(507, "store-full");
    app.post("/v1/categories", &serde_json::json!({"name": "late"})).problem(507, "store-full");
    app.delivered(&given[0].id, "thumb").expect(200);
    app.get("/v1/images").expect(200);
    limit("0");
    given.extend(giver.give(2));
    app.audit(&given);
}
