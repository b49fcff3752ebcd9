//! `kill -9` in the middle of everything: what was accepted is finished, and served as it was given.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blackbox::app::Options;
use blackbox::{App, Call, Source, fixtures, fresh, poll};
use image::RgbImage;
use serde_json::json;

/// How many assets are given in each round.
const N_ASSETS: usize = 20;

/// An asset that was accepted, and what it must look like in the end.
struct Accepted {
    id: String,
    picture: RgbImage,
}

/// A moment between 0 and `most` that differs from run to run; printed, so that a failure can be told apart.
fn random_moment(most: Duration) -> Duration {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    let mixed = u64::from(nanos).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    let moment = Duration::from_micros(mixed % u64::try_from(most.as_micros()).unwrap_or(1));
    eprintln!("killing after {moment:?}");
    moment
}

/// Gives assets, by URL and by upload in turn, until all are given or the app is dead. Returns those accepted.
fn give(address: SocketAddr, is_dead: &AtomicBool) -> Vec<Accepted> {
    let post = || Call::new(address, "POST", "/v1/assets");
    let mut accepted = Vec::new();
    for n in 0..N_ASSETS {
        let picture = fixtures::photo(320, 240);
        let bytes = fixtures::png(&picture);
        let answer = if n % 2 == 0 {
            let url = Source::here().serve(bytes).url;
            post().json(&json!({"source_url": url})).try_send()
        } else {
            post().header("content-type", "image/png").body(bytes).try_send()
        };
        match answer {
            // A proxy lives on, and says that nobody is behind it.
            Ok(answer) if matches!(answer.status, 502 | 504) && is_dead.load(Ordering::SeqCst) => break,
            Ok(answer) => accepted.push(Accepted { id: answer.expect(202).id(), picture }),
            Err(error) => {
                assert!(is_dead.load(Ordering::SeqCst), "refused while alive: {error}");
                break;
            }
        }
    }
    accepted
}

fn is_intact(app: &App, accepted: &Accepted) {
    let Accepted { id, picture } = accepted;
    let asset = app.ready(id);
    assert_eq!((&asset["width"], &asset["height"]), (&json!(320), &json!(240)), "{asset:#}");
    let original = app.delivered(id, "original").picture();
    assert!(original.image.to_rgb8() == *picture, "the original of {id} is not what was given");
    for preset in ["thumb", "small", "medium", "large"] {
        app.delivered(id, preset).picture();
    }
    assert_eq!(app.delivered(id, "w=77").picture().size().0, 77);
    let image = app.get(&format!("/v1/images/{id}")).expect(200).json();
    assert!(image["thumbhash"].is_string(), "{image:#}");
}

#[test]
fn what_was_accepted_survives_being_killed() {
    let mut app = App::start(Options::for_tests());
    let mut all: Vec<Accepted> = Vec::new();
    // Longer and longer: in the first rounds while assets are being given, in the last while they are being worked.
    for most in [300, 800, 2500, 5000].map(Duration::from_millis) {
        let moment = random_moment(most);
        let is_dead = AtomicBool::new(false);
        let address = app.address();
        let accepted = std::thread::scope(|scope| {
            let giver = scope.spawn(|| give(address, &is_dead));
            std::thread::sleep(moment);
            is_dead.store(true, Ordering::SeqCst);
            app.kill();
            giver.join().expect("no panic")
        });
        eprintln!("{} were accepted before the end", accepted.len());
        all.extend(accepted);
        app.start_again();
    }
    for accepted in &all {
        is_intact(&app, accepted);
    }
    let listed = poll::until("the listing is complete", || {
        let listed = app.listed("limit=100");
        all.iter().all(|accepted| listed.contains(&accepted.id)).then_some(listed)
    });
    let mut unique = listed.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), listed.len(), "an image is listed twice");
    poll::until("no work is left", || (app.stat("/queue_depth") == 0).then_some(()));
}

#[test]
fn a_key_is_remembered_beyond_death() {
    let mut app = App::start(Options::for_tests());
    let key = fresh("key");
    let body = json!({"source_url": Source::here().serve(fixtures::png(&fixtures::photo(30, 20))).url});
    let post = |app: &App| app.call("POST", "/v1/assets").header("idempotency-key", &key).json(&body).send();
    let first = post(&app).expect(202).id();
    app.start_again();
    assert_eq!(post(&app).expect(202).id(), first);
    app.ready(&first);
    assert_eq!(app.listed(""), [first]);
}

#[test]
fn categories_and_deletions_survive() {
    let mut app = App::start(Options::for_tests());
    let category = app.category("kept", None);
    let gone = app.category("gone", None);
    let (kept, deleted) = (fixtures::png(&fixtures::photo(30, 20)), fixtures::png(&fixtures::photo(30, 20)));
    let kept = app.image_with(&[("category", &category)], &kept);
    let deleted = app.image_with(&[("category", &category)], &deleted);
    app.delete(&format!("/v1/categories/{gone}")).expect(204);
    app.delete(&format!("/v1/assets/{deleted}")).expect(204);
    app.start_again();
    app.get(&format!("/v1/categories/{category}")).expect(200);
    app.get(&format!("/v1/categories/{gone}")).problem(404, "category-not-found");
    app.get(&format!("/v1/assets/{deleted}")).problem(410, "asset-deleted");
    app.until_listed(&format!("category={category}"), &[&kept]);
    poll::until("the deleted image is gone", || (app.delivered(&deleted, "original").status == 410).then_some(()));
    app.delivered(&kept, "w=11").expect(200);
}
