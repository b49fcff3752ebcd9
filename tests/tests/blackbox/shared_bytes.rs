//! The same bytes, given more than once: stored once, and there until the last who needs them is gone.

use blackbox::{App, Source, fixtures, poll};

fn photo() -> Vec<u8> {
    fixtures::jpeg(&fixtures::photo(60, 40))
}

#[test]
fn deleting_one_leaves_the_other_its_bytes() {
    let app = App::shared();
    let bytes = photo();
    let (first, second) = (app.image(&bytes), app.image(&bytes));
    assert_ne!(first, second);
    assert_eq!(app.asset(&first)["sha256"], app.asset(&second)["sha256"]);
    let before = app.delivered(&second, "original").expect(200);
    app.delete(&format!("/v1/assets/{first}")).expect(204);
    poll::until("the first image is gone", || (app.delivered(&first, "original").status == 410).then_some(()));
    // Something else goes the whole way through the queue of deletions after it.
    let other = app.image(&photo());
    app.delete(&format!("/v1/assets/{other}")).expect(204);
    poll::until("the other is gone", || (app.delivered(&other, "original").status == 410).then_some(()));
    assert_eq!(app.delivered(&second, "original").expect(200).body, before.body);
    // A size that nobody has asked for yet has to be made from what is still there.
    assert_eq!(app.delivered(&second, "w=23").picture().size().0, 23);
    for preset in ["thumb", "small", "medium", "large"] {
        app.delivered(&second, preset).expect(200);
    }
}

#[test]
fn bytes_that_all_have_left_may_come_again() {
    let app = App::shared();
    let bytes = photo();
    let first = app.image(&bytes);
    app.delete(&format!("/v1/assets/{first}")).expect(204);
    let second = app.image(&bytes);
    assert_eq!(app.delivered(&second, "w=21").picture().size().0, 21);
    app.delivered(&second, "original").expect(200);
    app.delivered(&first, "original").problem(410, "image-deleted");
}

#[test]
fn many_may_come_and_go_at_once() {
    let app = App::shared();
    let bytes = photo();
    let url = Source::here().serve(bytes.clone()).url;
    let ids: Vec<String> = std::thread::scope(|scope| {
        let (bytes, url) = (&bytes, &url);
        let give =
            |n: usize| move || if n.is_multiple_of(2) { app.upload(bytes).expect(202).id() } else { app.ingest(url) };
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(give(n))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    ids.iter().for_each(|id| drop(app.ready(id)));
    let (kept, gone) = ids.split_first().expect("eight");
    std::thread::scope(|scope| {
        for id in gone {
            scope.spawn(move || app.delete(&format!("/v1/assets/{id}")).expect(204));
        }
    });
    for id in gone {
        poll::until("a deleted image is gone", || (app.delivered(id, "original").status == 410).then_some(()));
    }
    app.delivered(kept, "original").expect(200);
    assert_eq!(app.delivered(kept, "w=19").picture().size().0, 19);
    let again = app.image(&bytes);
    app.delete(&format!("/v1/assets/{kept}")).expect(204);
    poll::until("the kept one is gone", || (app.delivered(kept, "original").status == 410).then_some(()));
    assert_eq!(app.delivered(&again, "w=18").picture().size().0, 18);
}

#[test]
fn deleting_while_the_same_bytes_arrive_loses_nothing() {
    let app = App::shared();
    for _ in 0..5 {
        let bytes = photo();
        let first = app.image(&bytes);
        let second = std::thread::scope(|scope| {
            let delete = scope.spawn(|| app.delete(&format!("/v1/assets/{first}")).expect(204));
            let second = app.upload(&bytes).expect(202).id();
            delete.join().expect("no panic");
            second
        });
        app.ready(&second);
        app.delivered(&second, "original").expect(200);
        assert_eq!(app.delivered(&second, "w=22").picture().size().0, 22);
    }
}

#[test]
fn the_bytes_are_counted_once_and_go_with_the_last() {
    let app = App::start(blackbox::app::Options::for_tests());
    let n_bytes = || app.stat("/original_bytes");
    assert_eq!(n_bytes(), 0);
    let bytes = photo();
    let length = bytes.len() as u64;
    let ids = [(); 3].map(|()| app.image(&bytes));
    assert_eq!(n_bytes(), length);
    for id in &ids[..2] {
        app.delete(&format!("/v1/assets/{id}")).expect(204);
    }
    app.delivered(&ids[2], "original").expect(200);
    assert_eq!(n_bytes(), length);
    app.delete(&format!("/v1/assets/{}", ids[2])).expect(204);
    poll::until("the bytes are gone", || (n_bytes() == 0).then_some(()));
}
