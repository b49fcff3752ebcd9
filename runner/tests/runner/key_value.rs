//! Key-value stores, as guests see them, on every backend.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::redis::Server;
use crate::support::{App, Setup, one_component};

/// Runs `check` against an application on each backend.
fn on_every_backend(check: impl Fn(&App)) {
    let manifest = one_component("");
    check(&Setup::new(&manifest).start());
    check(&Setup::new(&manifest).runtime_config("[key_value_store.default]\ntype = \"spin\"").start());
    let redis = Server::start();
    check(&Setup::new(&manifest).runtime_config(&redis.as_default_store()).start());
}

#[test]
fn a_value_is_there_from_set_to_delete() {
    on_every_backend(|app| {
        assert_eq!(app.get("/kv/get?key=a").status, 404);
        assert_eq!(app.get("/kv/exists?key=a").ok(), "false");
        app.post("/kv/set?key=a", b"one\0\xff").ok_bytes(b"");
        app.get("/kv/get?key=a").ok_bytes(b"one\0\xff");
        app.post("/kv/set?key=a", "two").ok();
        assert_eq!(app.get("/kv/get?key=a").ok(), "two");
        assert_eq!(app.get("/kv/exists?key=a").ok(), "true");
        app.post("/kv/delete?key=a", "").ok();
        app.post("/kv/delete?key=a", "").ok();
        assert_eq!(app.get("/kv/get?key=a").status, 404);
    });
}

#[test]
fn an_empty_value_is_a_value() {
    on_every_backend(|app| {
        app.post("/kv/set?key=a", "").ok();
        assert_eq!(app.get("/kv/get?key=a").ok(), "");
        assert_eq!(app.get("/kv/exists?key=a").ok(), "true");
    });
}

#[test]
fn large_values_come_back_whole() {
    on_every_backend(|app| {
        let value: Vec<u8> = (0..384 << 10).map(|number: u32| (number % 251) as u8).collect();
        app.post("/kv/set?key=large", &value).ok();
        app.get("/kv/get?key=large").ok_bytes(&value);
    });
}

#[test]
fn keys_are_listed_by_both_interfaces_and_read_meanwhile() {
    on_every_backend(|app| {
        assert_eq!(app.get("/kv/keys").ok(), "");
        app.post("/kv/set-many?keys=b,a,c:d", "x").ok();
        assert_eq!(app.get("/kv/keys").ok(), "a\nb\nc:d");
        assert_eq!(app.get("/kv/wasi-keys").ok(), "a\nb\nc:d");
        assert_eq!(app.get("/kv/keys-and-values").ok(), "a=x\nb=x\nc:d=x");
        assert!(app.get("/kv/wasi-keys?cursor=x").error().contains("takes no cursor"));
    });
}

#[test]
fn many_are_set_and_deleted_at_once() {
    on_every_backend(|app| {
        app.post("/kv/set-many?keys=a,b,c", "x").ok();
        assert_eq!(app.get("/kv/wasi-get?key=b").ok(), "x");
        app.post("/kv/delete-many?keys=a,b,none", "").ok();
        assert_eq!(app.get("/kv/keys").ok(), "c");
    });
}

#[test]
fn get_many_leaves_out_what_is_missing() {
    let app = Setup::new(&one_component("")).start();
    app.post("/kv/set-many?keys=a,b", "x").ok();
    assert_eq!(app.get("/kv/get-many?keys=b,none,a").ok(), "b=x\na=x\n");
}

#[test]
fn get_many_fails_on_redis_as_on_spin() {
    let redis = Server::start();
    let app = Setup::new(&one_component("")).runtime_config(&redis.as_default_store()).start();
    assert!(app.get("/kv/get-many?keys=a").error().contains("not supported on Redis"));
}

#[test]
fn increments_start_at_zero_and_go_both_ways() {
    on_every_backend(|app| {
        assert_eq!(app.get("/kv/increment?key=n&delta=0").ok(), "0");
        assert_eq!(app.get("/kv/increment?key=n&delta=5").ok(), "5");
        assert_eq!(app.get("/kv/increment?key=n&delta=-7").ok(), "-2");
        app.post("/kv/set?key=text", "no number").ok();
        app.get("/kv/increment?key=text&delta=1").error();
    });
}

#[test]
fn increments_from_64_tasks_at_once_are_all_counted() {
    on_every_backend(|app| {
        let mut sums: Vec<i64> =
            app.get("/kv/increment-at-once?key=n&tasks=64").ok().split(' ').map(|sum| sum.parse().unwrap()).collect();
        sums.sort_unstable();
        assert_eq!(sums, (1..=64).collect::<Vec<_>>());
    });
}

#[test]
fn increments_from_64_instances_at_once_are_all_counted() {
    on_every_backend(|app| {
        let mut sums: Vec<i64> = std::thread::scope(|scope| {
            let increment = || app.get("/kv/increment?key=n&delta=1").ok().parse().expect("a number");
            let tasks: Vec<_> = (0..64).map(|_| scope.spawn(increment)).collect();
            tasks.into_iter().map(|task| task.join().expect("no panic")).collect()
        });
        sums.sort_unstable();
        assert_eq!(sums, (1..=64).collect::<Vec<_>>());
    });
}

#[test]
fn compare_and_swap_is_refused() {
    on_every_backend(|app| {
        assert!(app.post("/kv/swap?key=a", "x").error().contains("compare-and-swap is not supported"));
    });
}

#[test]
fn a_component_opens_only_the_stores_that_it_is_granted() {
    let setup = Setup::new(&one_component("")).runtime_config("[key_value_store.other]\ntype = \"spin\"");
    let app = setup.start();
    assert_eq!(app.get("/kv/get?store=other&key=a").error(), "Error::AccessDenied");
    assert_eq!(app.get("/kv/wasi-get?store=other&key=a").error(), "Error::AccessDenied");
    let app = Setup::new(&one_component("").replace("[\"default\"]", "[]")).start();
    assert_eq!(app.get("/kv/get?key=a").error(), "Error::AccessDenied");
}

#[test]
fn refuses_labels_that_nobody_defined() {
    let refusal = Setup::new(&one_component("").replace("[\"default\"]", "[\"other\"]")).refusal();
    assert!(refusal.contains("component guest uses the key-value store \"other\""), "{refusal}");
}

#[test]
fn labels_are_stores_of_their_own() {
    let manifest = one_component("").replace("[\"default\"]", "[\"default\", \"one\", \"two\"]");
    let config =
        "key_value_store = { one = { type = \"spin\", path = \"x.db\" }, two = { type = \"spin\", path = \"x.db\" } }";
    let app = Setup::new(&manifest).runtime_config(config).start();
    app.post("/kv/set?store=one&key=a", "x").ok();
    assert_eq!(app.get("/kv/get?store=one&key=a").ok(), "x");
    assert_eq!(app.get("/kv/get?store=two&key=a").status, 404);
    assert_eq!(app.get("/kv/get?key=a").status, 404);
}

#[test]
fn an_instance_holds_256_stores_at_once_and_no_more() {
    let app = Setup::new(&one_component("")).start();
    for _ in 0..2 {
        app.get("/kv/open-many?count=256").ok();
    }
    assert_eq!(app.get("/kv/open-many?count=257").error(), "Error::StoreTableFull");
}

#[test]
fn what_was_answered_survives_a_kill() {
    let app = Setup::new(&one_component("")).start();
    app.post("/kv/set?key=a", "kept").ok();
    let answered = AtomicI64::new(0);
    let app = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // Until the connection is refused or broken, which is a panic of the helper's.
                let _ = std::panic::catch_unwind(|| {
                    loop {
                        let sum = app.get("/kv/increment?key=n&delta=1").ok().parse().expect("a number");
                        answered.fetch_max(sum, Ordering::Relaxed);
                    }
                });
            });
        }
        crate::support::wait_for(|| (answered.load(Ordering::Relaxed) > 100).then_some(()));
        app.signal("KILL");
        &app
    });
    let database = rusqlite::Connection::open(app.state("sqlite_key_value.db")).expect("it opens");
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a result");
    assert_eq!(check, "ok");
    let value: Vec<u8> =
        database.query_row("SELECT value FROM spin_key_value WHERE key = 'n'", [], |row| row.get(0)).expect("a row");
    let counted = i64::from_le_bytes(value.try_into().expect("eight bytes"));
    assert!(counted >= answered.load(Ordering::Relaxed), "{counted} were kept of {answered:?}");
}

#[test]
fn what_was_answered_is_there_after_a_restart() {
    let app = Setup::new(&one_component("")).start();
    app.post("/kv/set?key=a", "one").ok();
    let app = app.kill_and_restart();
    assert_eq!(app.get("/kv/get?key=a").ok(), "one");
    app.post("/kv/set?key=b", "two").ok();
    let app = app.restart();
    assert_eq!(app.get("/kv/get?key=a").ok(), "one");
    assert_eq!(app.get("/kv/get?key=b").ok(), "two");
}

#[test]
fn the_table_is_the_same_as_spins() {
    let mut app = Setup::new(&one_component("")).start();
    app.post("/kv/set?key=a", "value").ok();
    app.get("/kv/increment?key=n&delta=258").ok();
    app.signal("TERM");
    assert!(app.ended().success());
    let files = std::fs::read_dir(app.state("")).expect("a folder").count();
    assert_eq!(files, 1, "a clean end leaves no journal");
    let database = rusqlite::Connection::open(app.state("sqlite_key_value.db")).expect("it opens");
    let mut rows = database.prepare("SELECT store, key, value FROM spin_key_value ORDER BY key").expect("the table");
    let rows: Vec<(String, String, Vec<u8>)> =
        rows.query_map([], |row| row.try_into()).expect("rows").collect::<Result<_, _>>().expect("rows");
    let row = |key: &str, value: &[u8]| ("default".to_owned(), key.to_owned(), value.to_vec());
    assert_eq!(rows, [row("a", b"value"), row("n", &[2, 1, 0, 0, 0, 0, 0, 0])]);
}
