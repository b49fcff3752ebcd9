//! Many at once want the same: jobs, changes, renderings.

use std::collections::BTreeSet;

use blackbox::app::Options;
use blackbox::faults::{Giver, choose};
use blackbox::{Answer, App, Call, Source, fixtures, poll};
use serde_json::{Value, json};

const N_CLIENTS: usize = 32;

/// Runs `client` for each number at once, each on one of the web processes in turn.
fn at_once<T: Send>(app: &App, client: impl Fn(usize, std::net::SocketAddr) -> T + Sync) -> Vec<T> {
    let client = &client;
    std::thread::scope(|scope| {
        let start = |number: usize| {
            let web = app.webs()[number % app.webs().len()].address();
            scope.spawn(move || client(number, web))
        };
        let threads: Vec<_> = (0..N_CLIENTS).map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn faults_two_workers_never_do_one_job_twice() {
    let app = App::start(Options::for_tests().on_redis(1, 2));
    let n_assets = choose(12, 60);
    let offers: Vec<_> =
        (0..n_assets).map(|_| Source::here().serve(fixtures::png(&fixtures::photo(200, 150)))).collect();
    let ids: Vec<String> = offers.iter().map(|offer| app.ingest(&offer.url)).collect();
    let mut connection = app.redis().connection();
    poll::until("all are ready", || {
        // Both workers are told of every job, again and again.
        for context in ["ingest", "resize", "retrieve"] {
            redis::cmd("PUBLISH").arg(format!("scalehoster.bell.{context}")).arg("").exec(&mut connection).ok()?;
        }
        (app.stat("/queue_depth") == 0).then_some(())
    });
    for (offer, id) in offers.iter().zip(&ids) {
        assert_eq!(offer.n_hits(), 1, "{id} was downloaded more than once");
        assert_eq!(app.ready(id)["attempts"], 1);
    }
    assert_eq!(app.audit(&[]).in_state("ready").len(), n_assets);
}

#[test]
fn faults_no_change_with_a_condition_is_lost() {
    let app = App::start(Options::for_tests().on_redis(2, 1));
    let id = app.image(&fixtures::png(&fixtures::photo(30, 20)));
    let path = format!("/v1/assets/{id}");
    at_once(&app, |number, web| {
        poll::until("a change is taken", || {
            let current = Call::new(web, "GET", &path).send().expect(200);
            let mut document = current.json();
            let mut change = json!({"tags": document["tags"].take(), "metadata": document["metadata"].take()});
            change["tags"].as_array_mut().expect("tags are a list").push(json!(format!("tag-{number}")));
            change["metadata"][format!("key-{number}")] = json!(number.to_string());
            let etag = current.must_have("etag").to_owned();
            let answer = Call::new(web, "PATCH", &path).header("if-match", &etag).json(&change).send();
            assert!(answer.status == 200 || answer.status == 412, "{answer}");
            (answer.status == 200).then_some(())
        });
    });
    let asset = app.asset(&id);
    let tags: BTreeSet<&str> = asset["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert_eq!(tags.len(), N_CLIENTS, "{asset:#}");
    for number in 0..N_CLIENTS {
        assert!(tags.contains(format!("tag-{number}").as_str()), "{asset:#}");
        assert_eq!(asset["metadata"][format!("key-{number}")], number.to_string(), "{asset:#}");
    }
    poll::until("the image follows", || {
        let image = app.get(&format!("/v1/images/{id}")).expect(200).json();
        (image["tags"] == asset["tags"] && image["metadata"] == asset["metadata"]).then_some(())
    });
    app.audit(&[]);
}

#[test]
fn faults_of_many_changes_without_a_condition_one_is_the_last() {
    let app = App::start(Options::for_tests().on_redis(2, 1));
    let id = app.image(&fixtures::png(&fixtures::photo(30, 20)));
    let path = format!("/v1/assets/{id}");
    let change = |number: usize| {
        json!({"title": format!("title {number}"), "alt": format!("alt {number}"),
                                        "tags": [format!("tag-{number}")]})
    };
    let answers: Vec<Answer> =
        at_once(&app, |number, web| Call::new(web, "PATCH", &path).json(&change(number)).send().expect(200));
    let versions: BTreeSet<&str> = answers.iter().map(|answer| answer.must_have("etag")).collect();
    assert_eq!(versions.len(), N_CLIENTS, "two changes became one version");
    let asset = app.asset(&id);
    let whole = (0..N_CLIENTS)
        .map(change)
        .any(|change| ["title", "alt", "tags"].iter().all(|field| change[field] == asset[field]));
    assert!(whole, "nobody sent this: {asset:#}");
    poll::until("the image follows", || {
        let image = app.get(&format!("/v1/images/{id}")).expect(200).json();
        ["title", "alt", "tags"].iter().all(|field| image[field] == asset[field]).then_some(())
    });
    app.audit(&[]);
}

#[test]
fn faults_many_clients_of_two_web_processes_cause_one_render() {
    let app = App::start(Options::for_tests().on_redis(2, 1));
    let id = app.image(&fixtures::png(&fixtures::photo(800, 600)));
    for width in 300..300 + choose(3, 20) {
        let before = app.stat("/renders");
        let path = format!("/i/{id}/w={width}");
        let bodies = at_once(&app, |_, web| Call::new(web, "GET", &path).send().expect(200).body);
        assert!(bodies.iter().all(|body| *body == bodies[0]));
        poll::until("it is counted", || (app.stat("/renders") > before).then_some(()));
        assert_eq!(app.stat("/renders"), before + 1);
    }
    app.audit(&[]);
}

#[test]
fn faults_two_workers_share_the_work() {
    let app = App::start(Options::for_tests().on_redis(1, 2));
    let n_assets = choose(40, 200);
    let (sender, askers) = std::sync::mpsc::channel();
    let urls: Vec<String> = (0..n_assets)
        .map(|_| {
            let (sender, bytes) = (sender.clone(), fixtures::png(&fixtures::photo(320, 240)));
            let offer = Source::here().offer(move |peer, _| {
                let _ = sender.send(peer.process_group());
                peer.respond("200 OK", &[], &bytes)
            });
            offer.url
        })
        .collect();
    let ids: Vec<String> = urls.iter().map(|url| app.ingest(url)).collect();
    ids.iter().for_each(|id| drop(app.ready(id)));
    let askers: Vec<Option<u32>> = askers.try_iter().collect();
    let counts = app.workers().iter().map(|worker| askers.iter().filter(|asker| **asker == worker.id()).count());
    let counts: Vec<usize> = counts.collect();
    assert_eq!(counts.iter().sum::<usize>(), n_assets, "downloads by others than the workers, or twice: {askers:?}");
    eprintln!("downloads by each worker: {counts:?}");
    assert!(counts.iter().all(|count| *count >= n_assets / 3), "{counts:?}");
    app.audit(&[]);
}

#[test]
fn faults_assets_that_come_and_go_leave_nothing() {
    let app = App::start(Options::for_tests().on_redis(2, 2));
    let (category, tag) = (app.category("come and go", None), "come-and-go");
    let giver = Giver::to(app.webs().iter().map(|web| web.address()).collect()).into(&category, tag);
    let mut given = giver.give(choose(12, 60));
    for gone in given.split_off(given.len() / 2) {
        app.delete(&format!("/v1/assets/{}", gone.id)).expect(204);
    }
    let audited = app.audit(&given);
    assert_eq!(audited.in_state("ready").len(), given.len());
}
