//! What the tests of faults share: how long they are, chance that can be repeated, and clients that don't give up.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use image::RgbImage;
use serde_json::json;

use crate::multipart::Form;
use crate::{Answer, Call, Source, fixtures};

/// `full` where the long form was asked for, `short` otherwise.
pub fn choose<T>(short: T, full: T) -> T {
    if std::env::var("SCALEHOSTER_FAULTS").is_ok_and(|form| form == "full") { full } else { short }
}

/// Chance that can be repeated: `SCALEHOSTER_SEED` takes the number that was printed.
pub struct Chance(u64);

impl Chance {
    /// Begins at a seed, and prints it.
    ///
    /// # Panics
    /// When the environment asks for a seed that is no number.
    pub fn seeded() -> Self {
        let seed = match std::env::var("SCALEHOSTER_SEED") {
            Ok(seed) => seed.parse().expect("SCALEHOSTER_SEED is a number"),
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| u64::from(now.subsec_nanos()) + 1),
        };
        eprintln!("SCALEHOSTER_SEED={seed}");
        Self(seed)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    /// A time below `end`.
    pub fn moment(&mut self, end: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(end.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// An asset that was accepted, and what was given.
pub struct Given {
    /// Its id.
    pub id: String,
    /// What it must look like.
    pub picture: RgbImage,
}

/// A client that gives picture after picture, by URL and by upload in turn, to one web process after the other, and
/// gives again what nobody took.
pub struct Giver<'a> {
    webs: Vec<SocketAddr>,
    category: Option<&'a str>,
    tag: Option<&'a str>,
    n_given: AtomicUsize,
    n_refused: AtomicUsize,
}

impl<'a> Giver<'a> {
    /// A client of these.
    pub fn to(webs: Vec<SocketAddr>) -> Self {
        Self { webs, category: None, tag: None, n_given: AtomicUsize::new(0), n_refused: AtomicUsize::new(0) }
    }

    /// Puts every picture into this category and under this tag.
    #[must_use]
    pub fn into(mut self, category: &'a str, tag: &'a str) -> Self {
        (self.category, self.tag) = (Some(category), Some(tag));
        self
    }

    /// How many requests came to nothing.
    pub fn n_refused(&self) -> usize {
        self.n_refused.load(Ordering::SeqCst)
    }

    /// Gives `count` pictures and returns those that were accepted, which is all of them.
    ///
    /// # Panics
    /// When one is refused for another reason than that the service or its store is gone for the moment.
    pub fn give(&self, count: usize) -> Vec<Given> {
        (0..count).map(|_| self.give_one()).collect()
    }

    fn give_one(&self) -> Given {
        let number = self.n_given.fetch_add(1, Ordering::SeqCst);
        let picture = fixtures::photo(240, 180);
        let bytes = fixtures::png(&picture);
        let url = number.is_multiple_of(2).then(|| Source::here().serve(bytes.clone()).url);
        let mut n_tries = number;
        let id = crate::poll::until("somebody takes the picture", || {
            n_tries += 1;
            let answer = self.post(self.webs[n_tries % self.webs.len()], url.as_deref(), &bytes);
            match answer.map(|answer| (answer.status, answer)) {
                Ok((202, answer)) => Some(answer.id()),
                // The store or the service is gone for the moment, and says so.
                Ok((503, answer)) => {
                    answer.must_have("retry-after");
                    self.refused()
                }
                Ok((_, answer)) => panic!("{answer}"),
                Err(_) => self.refused(),
            }
        });
        Given { id, picture }
    }

    fn refused<T>(&self) -> Option<T> {
        self.n_refused.fetch_add(1, Ordering::SeqCst);
        None
    }

    fn post(&self, web: SocketAddr, url: Option<&str>, bytes: &[u8]) -> std::io::Result<Answer> {
        let call = Call::new(web, "POST", "/v1/assets").patience(Duration::from_secs(30));
        let call = match url {
            Some(url) => {
                let mut body = json!({"source_url": url});
                if let Some(category) = self.category {
                    body["category"] = json!(category);
                }
                if let Some(tag) = self.tag {
                    body["tags"] = json!([tag]);
                }
                call.json(&body)
            }
            None => {
                let fields = [("category", self.category), ("tags", self.tag)];
                let add = |form: Form, (name, value): (&str, Option<&str>)| match value {
                    Some(value) => form.field(name, value),
                    None => form,
                };
                fields.into_iter().fold(Form::new(), add).file("image/png", bytes).into(call)
            }
        };
        call.try_send()
    }
}
