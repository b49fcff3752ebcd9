//! Starting again, and ending.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Setup, one_component};

#[test]
fn ends_on_either_signal() {
    for signal in ["INT", "TERM"] {
        let mut app = Setup::new(&one_component("")).start();
        app.get("/hello").ok();
        app.signal(signal);
        assert_eq!(app.ended().code(), Some(0), "{signal}");
    }
}

#[test]
fn what_is_in_flight_is_finished() {
    let mut app = Setup::new(&one_component("")).start();
    let pausing = app.request("GET", "/pause?started=started&ms=500", "").open();
    app.wait_for("/kv/get?key=started");
    app.signal("TERM");
    assert_eq!(pausing.finish().ok(), "rested");
    assert_eq!(app.ended().code(), Some(0));
}

#[test]
fn what_takes_too_long_is_not_waited_for() {
    let mut app = Setup::new(&one_component("")).start();
    let waiting = app.request("GET", "/wait?started=started&key=never", "").open();
    app.wait_for("/kv/get?key=started");
    app.signal("TERM");
    assert_eq!(app.ended().code(), Some(0));
    app.wait_for_log("stopping with requests in flight");
    drop(waiting);
}

#[test]
fn idle_connections_do_not_keep_it() {
    let mut app = Setup::new(&one_component("")).start();
    let mut idle = TcpStream::connect(app.address()).expect("it listens");
    idle.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").expect("sent");
    idle.read_exact(&mut [0; 20]).expect("an answer");
    app.signal("TERM");
    assert_eq!(app.ended().code(), Some(0));
    assert!(!app.log().contains("in flight"));
}

#[test]
fn the_second_start_finds_everything_compiled() {
    drop(Setup::new(&one_component("")).start());
    let start = Instant::now();
    let app = Setup::new(&one_component("")).start();
    app.get("/hello").ok();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}
