//! Messages that come twice, in the wrong order, or not at all: work is done once, and none is lost.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use blackbox::App;
use blackbox::app::Options;
use blackbox::faults::{Given, Giver, choose};
use redis::{Connection, Msg};

/// What becomes of messages on their way.
#[derive(Clone, Copy, PartialEq)]
enum Mischief {
    Twice,
    /// The last of so many comes first.
    Reversed(usize),
    /// One in so many is lost.
    Dropped(usize),
}

/// Hands on what is published on one server to those who listen on the other, until `end` is dropped.
fn bridge(mut from: Connection, to: &mut Connection, mischief: Mischief, end: &Receiver<()>, n_passed: &AtomicUsize) {
    let mut listening = from.as_pubsub();
    listening.psubscribe("scalehoster.*").expect("the server answers");
    listening.set_read_timeout(Some(Duration::from_millis(50))).expect("a time that is not 0");
    let mut waiting: Vec<Msg> = Vec::new();
    let mut n_seen = 0;
    let mut pass = |message: &Msg| {
        let (channel, payload) = (message.get_channel_name(), message.get_payload_bytes());
        redis::cmd("PUBLISH").arg(channel).arg(payload).exec(to).expect("the server answers");
        n_passed.fetch_add(1, Ordering::SeqCst);
    };
    while end.try_recv() == Err(TryRecvError::Empty) {
        match listening.get_message() {
            Ok(message) => {
                n_seen += 1;
                match mischief {
                    Mischief::Twice => [&message, &message].into_iter().for_each(&mut pass),
                    Mischief::Dropped(every) if n_seen % every == 0 => {}
                    Mischief::Dropped(_) => pass(&message),
                    Mischief::Reversed(window) => {
                        waiting.push(message);
                        if waiting.len() == window {
                            waiting.drain(..).rev().for_each(|message| pass(&message));
                        }
                    }
                }
            }
            // A silence: what waits for others to come goes on its way.
            Err(error) if error.is_timeout() => waiting.drain(..).rev().for_each(|message| pass(&message)),
            Err(error) => panic!("{error}"),
        }
    }
}

fn check(mischief: Mischief) {
    let app = App::start(Options::for_tests().on_redis(2, 2).own_bus());
    let (category, tag) = (app.category("messages", None), "messages");
    let giver = Giver::to(app.webs().iter().map(|web| web.address()).collect()).into(&category, tag);
    let n_passed = AtomicUsize::new(0);
    let (end, ended) = channel();
    std::thread::scope(|scope| {
        let (from, mut to) = (app.redis().connection(), app.bus().connection());
        let n_passed = &n_passed;
        scope.spawn(move || bridge(from, &mut to, mischief, &ended, n_passed));
        // Dropped with the closure, also when the audit fails.
        let _end = end;
        let given = giver.give(choose(16, 100));
        let audited = app.audit(&given);
        assert_eq!(audited.in_state("ready").len(), given.len());
        for Given { id, .. } in &given {
            let n_attempts = &audited.assets[id]["attempts"];
            assert!(n_attempts.as_u64().is_some_and(|count| count <= 1), "{:#}", audited.assets[id]);
        }
    });
    assert!(n_passed.load(Ordering::SeqCst) > 0, "no message came over the bus");
}

#[test]
fn faults_messages_that_come_twice_do_no_harm() {
    check(Mischief::Twice);
}

#[test]
fn faults_messages_in_reverse_do_no_harm() {
    check(Mischief::Reversed(5));
}

#[test]
fn faults_messages_that_are_lost_lose_no_work() {
    check(Mischief::Dropped(10));
}
