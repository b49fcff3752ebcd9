//! `kill -9` of single processes and of all, while assets are given and worked: nothing that was accepted is lost.

use std::time::Duration;

use blackbox::App;
use blackbox::app::Options;
use blackbox::faults::{Chance, Giver, choose};

/// How many give at once, each one asset for each time that something is killed.
const N_GIVERS: usize = 4;

#[test]
fn faults_killing_processes_at_any_moment_loses_nothing() {
    let app = App::start(Options::for_tests().on_redis(2, 2));
    let (category, tag) = (app.category("killed", None), "killed");
    let giver = Giver::to(app.webs().iter().map(|web| web.address()).collect()).into(&category, tag);
    let mut chance = Chance::seeded();
    let mut given = Vec::new();
    for number in 0..choose(8, 50) {
        // While they are given, while the first are worked on, or while the last are.
        let end = [20, 200, 700][usize::try_from(chance.below(3)).expect("a small number")];
        let moment = chance.moment(Duration::from_millis(end));
        let victim = usize::try_from(chance.below(2)).expect("0 or 1");
        given.extend(std::thread::scope(|scope| {
            let givers: Vec<_> = (0..N_GIVERS).map(|_| scope.spawn(|| giver.give(1))).collect();
            std::thread::sleep(moment);
            kill(&app, number % 3, victim);
            let given = givers.into_iter().map(|giver| giver.join().expect("what it gives is taken in the end"));
            given.flatten().collect::<Vec<_>>()
        }));
    }
    eprintln!("{} requests came to nothing", giver.n_refused());
    app.await_workers();
    app.audit(&given);
}

/// Kills a web process, a worker, or everything, and starts what is not started by its supervisor.
fn kill(app: &App, kind: usize, victim: usize) {
    match kind {
        0 => {
            eprintln!("killing web process {victim}");
            app.webs()[victim].kill();
            app.webs()[victim].start();
        }
        1 => {
            eprintln!("killing worker {victim}");
            app.workers()[victim].kill();
        }
        _ => {
            eprintln!("killing all");
            app.webs().iter().chain(app.workers()).for_each(|node| node.kill());
            app.webs().iter().for_each(|web| web.start());
        }
    }
}
