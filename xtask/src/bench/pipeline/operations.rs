//! What of the store an asset and a delivery take, as Redis counts it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::super::app::{App, Start};
use super::super::client::Client;
use super::super::deployment::{Counts, Deployment, Size};
use super::super::report::table;
use super::super::server::{Server, free_address, server_command};
use super::super::{Bench, ingest};
use crate::redis_mode;

/// How many assets are posted at once: what is counted is their work, and not what waiting for each other costs.
const AT_ONCE: usize = 5;

/// How many of each are counted over.
const N_ASSETS: usize = 100;
const N_WARM_UP: usize = 10;
const N_DELIVERIES: usize = 1_000;
const N_NEW: usize = 50;
const N_LOOKS: usize = 20;

/// How long nothing is asked, to see what goes on by itself.
const IDLE: Duration = Duration::from_secs(6);

/// Between two looks whether the last asset is ready.
const PAUSE: Duration = Duration::from_millis(500);
const LIMIT: Duration = Duration::from_secs(300);

/// The scale that is reckoned for.
const MANY: f64 = 10e6;

/// Operations for one of each.
struct Operations {
    name: &'static str,
    asset: f64,
    delivery: f64,
    new_variant: f64,
    idle_per_second: f64,
    /// The commands for an asset, each with its number.
    commands: Vec<(String, f64)>,
}

/// Keys and bytes for an asset, by what they hold.
type Held = BTreeMap<&'static str, (f64, f64)>;

/// Measures; returns its part of the report.
///
/// # Errors
/// When something can't be measured.
pub fn measure(bench: &Bench, source: SocketAddr) -> Result<String> {
    eprintln!("=== operations, embedded");
    let (embedded, held) = embedded(bench, source)?;
    eprintln!("=== operations, Redis with a worker");
    let redis = on_redis(bench, source)?;
    Ok(report(&[embedded, redis], &held))
}

/// The components call each other, as with a store in a file, but their store is on Redis, which counts.
fn embedded(bench: &Bench, source: SocketAddr) -> Result<(Operations, Held)> {
    let folder = bench.folder("pipeline/operations")?;
    let (_redis, url) = redis_server(&folder)?;
    let start =
        Start { runner: bench.runner, folder: &folder, compiled: &bench.compiled, cpus: None, redis: Some(&url) };
    let app = App::start(&start)?;
    let mut connection = redis::Client::open(url.as_str())?.get_connection()?;
    let held_before = held(&mut connection)?;
    let (operations, ids) = count("embedded", &app.client, &mut connection, source)?;
    let held_after = held(&mut connection)?;
    let operations = deliveries(operations, &app.client, &mut connection, &ids)?;
    let n_assets = (N_ASSETS + N_WARM_UP) as f64;
    let each = |(name, (keys, bytes)): (&&'static str, &(f64, f64))| {
        let before = held_before.get(name).copied().unwrap_or_default();
        (*name, ((keys - before.0) / n_assets, (bytes - before.1) / n_assets))
    };
    Ok((operations, held_after.iter().map(each).collect()))
}

fn on_redis(bench: &Bench, source: SocketAddr) -> Result<Operations> {
    let folder = bench.folder("pipeline/operations-redis")?;
    let deployment = Deployment::start(&folder, bench.runner, Size { replicas: 1, workers: 1 })?;
    let mut connection = redis::Client::open(deployment.redis_url.as_str())?.get_connection()?;
    // Past nginx, which lets one address ask only so often.
    let client = Client::new(deployment.web_address()?);
    let (operations, ids) = count("Redis, 1 worker", &client, &mut connection, source)?;
    deliveries(operations, &client, &mut connection, &ids)
}

/// A Redis server that keeps nothing.
fn redis_server(folder: &Path) -> Result<(Server, String)> {
    let address = free_address()?;
    let mut command = server_command("redis-server", None);
    command.args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string(), "--save", ""]);
    let url = format!("redis://{address}");
    let mut server = Server::start("redis", command, folder)?;
    server.wait(Duration::from_secs(10), || redis_mode::check(&url).is_ok())?;
    Ok((server, url))
}

/// Counts what taking assets in takes; returns their ids too.
fn count(
    name: &'static str,
    client: &Client,
    redis: &mut redis::Connection,
    source: SocketAddr,
) -> Result<(Operations, Vec<String>)> {
    let warm_up = ingest::accept(client, source, 9_000_000..9_000_000 + N_WARM_UP)?;
    ingest::wait(client, &warm_up)?;
    std::thread::sleep(IDLE);
    let rest = || {
        std::thread::sleep(IDLE);
        Ok(())
    };
    let idle_per_second = operations(redis, rest)?.0 / IDLE.as_secs_f64();
    let path = format!("/v1/assets/{}", warm_up.ids[0]);
    let looks = operations(redis, || (0..N_LOOKS).try_for_each(|_| client.get(&path).map(drop)))?.0;
    let look = looks / N_LOOKS as f64;

    let before = Counts::of(redis)?;
    let started = Instant::now();
    let (mut ids, mut n_looks) = (Vec::new(), 0);
    for first in (0..N_ASSETS).step_by(AT_ONCE) {
        let accepted = ingest::accept(client, source, first..first + AT_ONCE)?;
        for id in &accepted.ids {
            loop {
                n_looks += 1;
                if client.json(&format!("/v1/assets/{id}"))?["state"] == "ready" {
                    break;
                }
                ensure!(started.elapsed() < LIMIT, "not ready after {} s", LIMIT.as_secs());
                std::thread::sleep(PAUSE);
            }
        }
        ids.extend(accepted.ids);
    }
    let after = Counts::of(redis)?;
    let all = (after.store() - before.store()) as f64;
    let beside = idle_per_second * started.elapsed().as_secs_f64() + look * f64::from(n_looks);
    let commands = after.since(&before).into_iter().map(|(name, n)| (name, n as f64 / N_ASSETS as f64)).collect();
    let asset = (all - beside) / N_ASSETS as f64;
    let operations = Operations { name, asset, delivery: 0.0, new_variant: 0.0, idle_per_second, commands };
    Ok((operations, ids))
}

fn deliveries(
    counted: Operations,
    client: &Client,
    redis: &mut redis::Connection,
    ids: &[String],
) -> Result<Operations> {
    std::thread::sleep(IDLE);
    let stored = |idx: usize| format!("/i/{}/thumb", ids[idx % ids.len()]);
    let new = |idx: usize| format!("/i/{}/w={},f=jpeg", ids[idx % ids.len()], 200 + idx);
    let mut each = |n: usize, path: &dyn Fn(usize) -> String| {
        let (all, seconds) = operations(redis, || (0..n).try_for_each(|idx| client.get(&path(idx)).map(drop)))?;
        anyhow::Ok((all - counted.idle_per_second * seconds) / n as f64)
    };
    let (delivery, new_variant) = (each(N_DELIVERIES, &stored)?, each(N_NEW, &new)?);
    Ok(Operations { delivery, new_variant, ..counted })
}

/// How many operations there are while something is done, and the seconds that it takes.
fn operations(redis: &mut redis::Connection, act: impl FnOnce() -> Result<()>) -> Result<(f64, f64)> {
    let before = Counts::of(redis)?.store();
    let started = Instant::now();
    act()?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(((Counts::of(redis)?.store() - before) as f64, seconds))
}

/// Keys, and bytes that Redis holds for them, by what they are.
fn held(redis: &mut redis::Connection) -> Result<Held> {
    let mut held = Held::new();
    let mut cursor = 0_u64;
    loop {
        let (next, keys): (u64, Vec<String>) =
            redis::cmd("SCAN").arg(cursor).arg("COUNT").arg(1_000).query(redis).context("walking over the keys")?;
        for key in keys {
            let bytes: Option<u64> = redis::cmd("MEMORY").arg("USAGE").arg(&key).query(redis)?;
            let entry = held.entry(holds(&key)).or_default();
            entry.0 += 1.0;
            entry.1 += bytes.unwrap_or_default() as f64;
        }
        cursor = next;
        if cursor == 0 {
            return Ok(held);
        }
    }
}

fn holds(key: &str) -> &'static str {
    match key.split(':').next().unwrap_or_default() {
        "blob" if key.contains(":data") => "originals",
        "rung" => "rungs",
        "variant" => "presets and other sizes",
        _ => "documents, listings, counters",
    }
}

fn report(all: &[Operations], held: &Held) -> String {
    let row = |operations: &Operations| {
        let numbers = [operations.asset, operations.delivery, operations.new_variant, operations.idle_per_second];
        std::iter::once(operations.name.to_owned()).chain(numbers.map(|number| format!("{number:.1}"))).collect()
    };
    let head = [
        "",
        "an asset, accepted to ready",
        "a stored variant delivered",
        "a new variant made and delivered",
        "a second, idle",
    ];
    let counts = table(&head, &all.iter().map(row).collect::<Vec<_>>());
    let commands = |operations: &Operations| {
        let shown = operations.commands.iter().filter(|(_, n)| *n >= 0.5).map(|(name, n)| format!("`{name}` {n:.1}"));
        format!("{}: {}", operations.name, shown.collect::<Vec<_>>().join(", "))
    };
    let row = |(name, (keys, bytes)): (&&str, &(f64, f64))| {
        let many = [format!("{:.0} million", keys * MANY / 1e6), format!("{:.0} GB", bytes * MANY / 1e9)];
        [(*name).to_owned(), format!("{keys:.1}"), format!("{:.1} kB", bytes / 1e3)].into_iter().chain(many).collect()
    };
    let total = held.values().fold((0.0, 0.0), |sum, held| (sum.0 + held.0, sum.1 + held.1));
    let mut rows: Vec<Vec<String>> = held.iter().map(row).collect();
    rows.push(row((&"**all**", &total)));
    let kept = table(&["what", "keys an asset", "bytes an asset", "keys of 10 million", "bytes of 10 million"], &rows);
    format!(
        "### Operations of the store\n\n{counts}\n\
         How: `INFO commandstats` of Redis before and after, over {N_ASSETS} assets in batches of {AT_ONCE}, {N_DELIVERIES} deliveries of \
         stored variants and {N_NEW} variants that nobody had asked for; what goes on by itself in that time and the looks \
         whether all is ready are taken off. A command counts as one, however many keys it names; publishing is not \
         counted. For *embedded* the components call each other as they do with a store in a file, and their store is on \
         Redis, so that the calls can be counted: they are the same calls.\n\n\
         The commands of an asset, with what goes on beside it. {commands}.\n\n\
         ### What 10 million assets take\n\n{kept}\n\
         The first two numbers of a row are measured over {N_ASSETS} assets (`MEMORY USAGE` of each key), the others are those times 10 \
         million: pictures grow with their pixels, documents do not.\n\n{reckoning}",
        commands = all.iter().map(commands).collect::<Vec<_>>().join("; "),
        reckoning = reckoning(all),
    )
}

fn reckoning(all: &[Operations]) -> String {
    let (a_year, day) = (MANY / 365.0, 86_400.0);
    let one = |operations: &Operations| {
        let (taken_in, delivered) = (operations.asset * a_year, operations.delivery * MANY);
        format!(
            "{}: {:.1} million a day for what comes in ({:.0} a second), {:.0} million a day for what goes out ({:.0} a second)",
            operations.name,
            taken_in / 1e6,
            taken_in / day,
            delivered / 1e6,
            delivered / day
        )
    };
    format!(
        "Operations a day, where 10 million assets come in over a year ({:.0} a day) and each is delivered once a day: {}. \
         Both are averages; the busiest hour of a day has some three times as much. A listing of 10 million has four levels \
         where the one measured has one or two, so that an asset costs some reads and writes more for each listing it is \
         in. Deliveries are what a cache before the app takes off: every answer under `/i/` may be kept for ever.",
        a_year,
        all.iter().map(one).collect::<Vec<_>>().join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_by_what_they_hold() {
        for (key, what) in [
            ("blob:ab.1:data", "originals"),
            ("blob:ab.1:data:c:1", "originals"),
            ("blob:ab.1:ref:1", "documents, listings, counters"),
            ("variant:ab.1:w_1", "presets and other sizes"),
            ("asset:01", "documents, listings, counters"),
        ] {
            assert_eq!(holds(key), what, "{key}");
        }
    }
}
