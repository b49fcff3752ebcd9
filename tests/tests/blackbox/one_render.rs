//! Many ask for the same new size at once, and it is made once.

use blackbox::app::Options;
use blackbox::{App, fixtures, poll};

/// The counter is for the whole app, so these steps have an instance to themselves and come one after another.
#[test]
fn thirty_two_clients_cause_one_render() {
    let app = App::start(Options::for_tests());
    let id = app.image(&fixtures::jpeg(&fixtures::photo(1600, 1200)));
    let renders = || app.stat("/renders");
    // A rendering is counted after its answer.
    let come_to = |expected: u64| {
        poll::until("it is counted", || (renders() >= expected).then_some(()));
        assert_eq!(renders(), expected);
    };

    let before = renders();
    let bodies: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let get = || app.delivered(&id, "w=333,h=222,fit=cover").expect(200).body;
        let threads: Vec<_> = (0..32).map(|_| scope.spawn(get)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    come_to(before + 1);

    // Stored: neither the same again, nor another spelling, nor a part, nor a HEAD makes it anew.
    app.delivered(&id, "w=333,h=222,fit=cover").expect(200);
    app.delivered(&id, "fit=cover,height=222,width=333,g=center,q=80").expect(200);
    let path = format!("/i/{id}/w=333,h=222,fit=cover");
    app.call("GET", &path).header("range", "bytes=0-9").send().expect(206);
    app.call("HEAD", &path).send().expect(200);
    assert_eq!(renders(), before + 1);

    // Presets are there from the start.
    for ready in ["thumb", "small", "medium", "large"] {
        app.delivered(&id, ready).expect(200);
    }
    assert_eq!(renders(), before + 1);

    // The same bytes under another id share what was made of them.
    let twin = app.image(&app.delivered(&id, "original").body);
    let before_twin = renders();
    app.delivered(&id, "w=331").expect(200);
    come_to(before_twin + 1);
    app.delivered(&twin, "thumb").expect(200);
    assert_eq!(renders(), before_twin + 1);

    // Refusals render nothing.
    app.delivered(&id, "w=0").problem(400, "transform-invalid");
    app.delivered(&id, "w=8192,h=8192,fit=contain").problem(422, "output-too-large");
    // What any of these had made would be counted before this last one is.
    app.delivered(&id, "w=332").expect(200);
    come_to(before_twin + 2);
}
