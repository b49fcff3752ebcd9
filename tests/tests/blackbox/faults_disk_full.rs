//! The disk under the embedded store is full: it says so, goes on with what it has, and recovers when there is room.

use std::path::PathBuf;
use std::process::Command;

use blackbox::app::{Options, Wiring};
use blackbox::faults::{Given, choose};
use blackbox::{App, Source, fixtures, poll};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

const MEGABYTE: usize = 1 << 20;

/// Whether this machine lets us mount a disk of our own, without which there is nothing to test.
fn may_mount() -> bool {
    let script = "mount -t tmpfs -o size=1m none /mnt";
    Command::new("unshare").args(["--mount", "sh", "-c", script]).output().is_ok_and(|output| output.status.success())
}

/// The folder of the store as the app's process sees it: the disk is mounted for that process alone, and goes with it.
fn state(app: &App) -> PathBuf {
    let process = app.webs()[0].id().expect("it runs");
    PathBuf::from(format!("/proc/{process}/root{}", app.state().display()))
}

/// Checks a copy of the store, made while its process stands still: what would be found if it had died at that moment.
fn is_sound(app: &App) {
    let copy = tempfile::tempdir().expect("there is a folder for it");
    app.webs()[0].stop();
    for file in std::fs::read_dir(state(app)).expect("it is there").flatten() {
        let name = file.file_name();
        // The index of the write-ahead log is made anew from the log.
        let is_plain = file.file_type().is_ok_and(|kind| kind.is_file());
        if is_plain && name != "ballast" && !name.to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), copy.path().join(name)).expect("there is room for it");
        }
    }
    app.webs()[0].cont();
    let files = std::fs::read_dir(copy.path()).expect("it is there").flatten().map(|file| file.path());
    let databases: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|kind| kind == "db")).collect();
    assert!(!databases.is_empty(), "no database in {}", app.state().display());
    for path in databases {
        let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("it opens");
        let found: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it answers");
        assert_eq!(found, "ok", "{}", path.display());
    }
}

/// Gives pictures until `enough` are refused because the disk is full; every answer is one or the other.
fn fill(app: &App, enough: usize) -> Vec<Given> {
    let (mut given, mut n_full, mut n_unavailable) = (Vec::new(), 0, 0);
    for number in 0.. {
        let picture = fixtures::photo(320, 240);
        let bytes = fixtures::png(&picture);
        let answer = if number % 4 == 3 {
            app.post("/v1/assets", &json!({"source_url": Source::here().serve(bytes).url}))
        } else {
            app.call("POST", "/v1/assets").header("content-type", "image/png").body(bytes).send()
        };
        match answer.status {
            202 => given.push(Given { id: answer.id(), picture }),
            507 => {
                answer.problem(507, "store-full");
                n_full += 1;
            }
            503 => {
                answer.must_have("retry-after");
                n_unavailable += 1;
                assert!(n_unavailable < 100, "the disk is full, and nobody says so: {answer}");
            }
            _ => panic!("{answer}"),
        }
        if n_full == enough {
            break;
        }
    }
    given
}

#[test]
fn faults_a_full_disk_is_survived() {
    if !may_mount() {
        let loudly = "NOT TESTED: a full disk, because this user may not mount one (`unshare --mount`)";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{loudly}\n").as_bytes());
        return;
    }
    // What is accepted before the disk is full has to be made when there is room again, however much of it had been made
    // before: that takes a multiple of what was left at first.
    const ROOM: u32 = 8;
    let ballast_size = ROOM * choose(10, 20);
    let options = Options::for_tests().wired(Wiring::Embedded).on_disk_of(ROOM + ballast_size);
    let app = App::start(options);
    let ballast = state(&app).join("ballast");
    std::fs::write(&ballast, vec![1; ballast_size as usize * MEGABYTE]).expect("there is room");
    let kept = fixtures::photo(64, 48);
    let kept = Given { id: app.image(&fixtures::png(&kept)), picture: kept };
    let stored = ["original", "thumb", "small", "w=31"];
    stored.iter().for_each(|stored| drop(app.delivered(&kept.id, stored).picture()));

    let mut given = fill(&app, choose(5, 50));
    eprintln!("{} were accepted before the disk was full", given.len());
    app.get("/healthz").expect(200);
    app.get(&format!("/v1/assets/{}", kept.id)).expect(200);
    app.get(&format!("/v1/images/{}", kept.id)).expect(200);
    assert!(app.listed("limit=100").contains(&kept.id));
    for stored in stored {
        app.delivered(&kept.id, stored).picture();
    }
    // What would have to be stored is refused, or delivered without being stored.
    let rendered = app.delivered(&kept.id, "w=33");
    assert!(matches!(rendered.status, 200 | 503 | 507), "{rendered}");
    is_sound(&app);

    std::fs::remove_file(&ballast).expect("it is ours");
    poll::until("there is room again", || {
        let picture = fixtures::photo(64, 48);
        let answer = app.upload(&fixtures::png(&picture));
        let id = (answer.status == 202).then(|| answer.id())?;
        given.push(Given { id, picture });
        Some(())
    });
    given.push(kept);
    let audited = app.audit(&given);
    let last = &given[given.len() - 2].id;
    assert!(audited.in_state("ready").contains(last.as_str()), "{:#}", audited.assets[last]);
    is_sound(&app);
    let log = app.whole_log();
    assert!(!log.contains("panicked"), "{log}");
}
