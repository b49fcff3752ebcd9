//! What is written of it.

use super::cases::{N_COPIES, Picture, Stored, TARGET_OF_ORIGINALS, TARGET_OF_TWO};
use super::{N_ROUNDS, Outcome};
use crate::bench::Bench;
use crate::bench::report::{factor, table};

/// What the outcomes are from, in their order.
const SOURCES: [&str; 2] = ["a rung", "the original"];

const HEAD: [&str; 10] = [
    "picture",
    "becomes",
    "ours is made of",
    "ours, median",
    "sharp, median",
    "ratio",
    "target",
    "processor time, ours / sharp",
    "ratio",
    "bytes, ours / sharp",
];

/// The report. `outcomes` are those from rungs and those from originals.
pub fn report(bench: &Bench, stored: &[Stored], outcomes: &[Vec<Outcome>; 2], circumstances: &str) -> String {
    let sources = || SOURCES.into_iter().zip(outcomes);
    let rows: Vec<_> =
        sources().flat_map(|(source, outcomes)| outcomes.iter().map(move |outcome| row(source, outcome))).collect();
    let rows_of_two: Vec<_> =
        sources().flat_map(|(source, outcomes)| outcomes.iter().flat_map(move |one| of_two(source, one))).collect();
    let n_asked = N_ROUNDS * N_COPIES;
    format!(
        "## Images beside sharp, {runner} runner\n\n{table}\n\
         Two at a time, of the first picture, as pictures a second:\n\n{table_of_two}\n\
         How: {pictures}; made of {origin}, and each stored {N_COPIES} times as different assets whose bytes differ in a \
         note alone. {n_asked} requests to each server for each row, the servers in turns in {N_ROUNDS} rounds, each \
         request on a connection of its own; the time is from dialling to the last byte, the processor time that of the \
         server's process. Between the rounds our variants are taken out of the store, so that each request is for one \
         that has to be made; that they were made is checked. A ratio is sharp's time by ours, or at two at a time \
         the pictures a second by those at one. One process each, one thread to a picture (`sharp.concurrency(1)`, \
         `sharp.cache(false)`), any core. sharp encodes with `jpeg({{ quality: 80 }})`, \
         `webp({{ quality: 80, effort: 4 }})` and `png()`.\n\n\
         *A rung* is the usual case, a size of a stored picture that was never asked for: ours decodes the smallest \
         stored copy that is at least 1.4 times as large, made at ingest. For *the original* the rungs are taken out of \
         the store as well, and ours, which looks for one in vain, decodes the file that was uploaded, as sharp always \
         does. No ordinary request has to where a rung would do: these rows compare equal work.\n\n\
         What distorts it: from a rung, ours has done part of the work at ingest, which is what rungs are for. sharp \
         runs natively with whatever SIMD the processor has, ours as WebAssembly with 128 bits. Ours looks image, \
         variant and source up in the store, hands the work from one component to another, and writes the variant \
         durably after the answer, at the cost of the request that follows; sharp reads a file and stores nothing. The \
         encoders do not take the same pains: read the times beside the bytes, which in turn say nothing of the \
         quality. The client runs on the same processors, and other work on the machine would too: two at a time feel \
         that most, processor time least. Processor time is counted in hundredths of a second, over {N_COPIES} pictures \
         at a time, and without what follows the last answer of a round. Files and store lie in the page cache.\n\n{circumstances}",
        runner = bench.runner.name(),
        table = table(&HEAD, &rows),
        table_of_two = table(&["made of", "server", "one", "two", "ratio", "target"], &rows_of_two),
        pictures = sizes(stored),
        origin = bench.pictures.origin,
    )
}

fn sizes(stored: &[Stored]) -> String {
    let size = |(picture, stored): (Picture, &Stored)| format!("a {} ({} bytes)", picture.name(), stored.n_bytes);
    Picture::ALL.into_iter().zip(stored).map(size).collect::<Vec<_>>().join(", ")
}

fn row(source: &str, outcome: &Outcome) -> Vec<String> {
    let Outcome { case, results: [our_bytes, their_bytes], ours, theirs, .. } = outcome;
    let target = if source == SOURCES[0] { case.target } else { TARGET_OF_ORIGINALS };
    vec![
        case.picture.name().into(),
        format!("`{}`", case.transform),
        source.into(),
        format!("{:.1} ms", ours.median),
        format!("{:.1} ms", theirs.median),
        format!("**{}**", factor(theirs.median / ours.median)),
        at_least(target),
        format!("{:.1} / {:.1} ms", ours.cpu, theirs.cpu),
        factor(theirs.cpu / ours.cpu),
        format!("{} / {}", our_bytes.len(), their_bytes.len()),
    ]
}

/// A row for each server.
fn of_two(source: &str, outcome: &Outcome) -> Vec<Vec<String>> {
    let Some([our_two, their_two]) = &outcome.two else { return Vec::new() };
    // sharp makes everything of the original.
    let sides = [
        ("ScaleHoster", source, &outcome.ours, our_two, at_least(TARGET_OF_TWO)),
        ("Express + sharp", SOURCES[1], &outcome.theirs, their_two, "–".to_owned()),
    ];
    let row = |(server, source, one, two, target): (&str, &str, &super::Summary, &super::Summary, String)| {
        vec![
            source.to_owned(),
            server.to_owned(),
            format!("{:.1}", one.per_second),
            format!("{:.1}", two.per_second),
            format!("**{}**", factor(two.per_second / one.per_second)),
            target,
        ]
    };
    sides.into_iter().map(row).collect()
}

fn at_least(target: f64) -> String {
    format!("≥ {target}×")
}
