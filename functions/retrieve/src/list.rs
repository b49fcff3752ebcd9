//! Listing images: newest first, by category, tag and date. What a page costs does not depend on how many there are.

use std::collections::BTreeMap;

use kv_schema::category::{self, Category};
use kv_schema::image::{self, Image, Listed, Listing};
use kv_schema::shape::{Entry, Log};
use kv_schema::{Id, Millis, preset};
use store::{Store, StoreError, count, count_many, document, log, read, read_many};
use web::page::{PageRequest, time_parameter};
use web::query::{Query, invalid};
use web::{Problem, Request, Response};
use work::Platform;

use crate::find::stands_at;
use crate::view::ImageView;
use crate::{categories, project};

/// Entries that one request looks at when filters leave few of them. A page may then be short, and is not the last.
const MOST_EXAMINED: usize = 1_000;

/// Lists images.
///
/// # Responses
/// - 200.
/// - 400 `parameter-unknown`, `parameter-invalid`, `cursor-invalid`; 404 `category-not-found`.
pub async fn list(platform: &impl Platform, request: &Request) -> Result<Response, Problem> {
    const KNOWN: [&str; 7] = ["category", "descendants", "tag", "created_after", "created_before", "limit", "cursor"];
    let query = Query::parse(&request.query, &KNOWN)?;
    let filter = Filter::parse(platform, &query).await?;
    let page = PageRequest::parse(&query, filter.name())?;
    let found = find(platform, &filter, page.position, page.limit).await?;

    let presets = document::get(platform, &preset::document()).await?;
    let presets = presets.map_or_else(preset::Presets::built_in, |presets| presets.value);
    let paths = paths(platform, &found.images).await?;
    let none = Vec::new();
    let path_of = |image: &Image| image.details.category.as_ref().and_then(|id| paths.get(id)).unwrap_or(&none);
    let views: Vec<ImageView> =
        found.images.iter().map(|image| ImageView::new(image, path_of(image), &presets)).collect();
    Ok(page.respond(&request.path, &request.query, &views, found.next))
}

/// Which images are asked for.
#[derive(Debug)]
pub struct Filter {
    listing: Listing,
    tag: Option<String>,
    after: Option<Millis>,
    before: Option<Millis>,
}

impl Filter {
    async fn parse(store: &impl Store, query: &Query) -> Result<Self, Problem> {
        let tag = query.get("tag").map(|tag| tag.trim().to_lowercase());
        if tag.as_ref().is_some_and(|tag| tag.is_empty() || tag.len() > 64) {
            return Err(invalid("tag", "1 to 64 bytes are expected"));
        }
        let descendants = query.flag("descendants")?;
        let listing = match (query.get("category"), &tag) {
            (Some(text), _) => {
                let id = known_category(store, text).await?;
                if descendants { Listing::Tree(id) } else { Listing::Category(id) }
            }
            (None, _) if descendants => return Err(invalid("descendants", "it goes with category")),
            (None, Some(tag)) => Listing::Tag(tag.clone()),
            (None, None) => Listing::All,
        };
        Ok(Self {
            listing,
            tag,
            after: time_parameter(query, "created_after")?,
            before: time_parameter(query, "created_before")?,
        })
    }

    /// Names the list, for its cursors.
    fn name(&self) -> String {
        format!("{}|{:?}|{:?}|{:?}", self.listing.log().name(), self.tag, self.after, self.before)
    }

    fn takes(&self, image: &Image) -> bool {
        self.tag.as_ref().is_none_or(|tag| image.details.tags.contains(tag))
            && self.after.is_none_or(|after| image.created_at > after)
            && self.before.is_none_or(|before| image.created_at < before)
    }
}

async fn known_category(store: &impl Store, text: &str) -> Result<Id, Problem> {
    let unknown = || Problem::not_found("category-not-found", "no such category");
    let id = Id::parse(text).map_err(|_| unknown())?;
    let found = document::get(store, &category::document(&id)).await?;
    if found.is_some_and(|found| found.value.deleted.is_none()) { Ok(id) } else { Err(unknown()) }
}

/// A page of images, and where to go on.
struct Found {
    images: Vec<Image>,
    next: Option<u64>,
}

async fn find(store: &impl Store, filter: &Filter, from: Option<u64>, limit: usize) -> Result<Found, StoreError> {
    let entries = filter.listing.log();
    let mut position = match (from, filter.before) {
        (Some(from), _) => Some(from),
        (None, Some(before)) => Some(first_not_before(store, &entries, before).await?),
        (None, None) => None,
    };
    let mut images = Vec::with_capacity(limit);
    let mut n_examined = 0;
    loop {
        let page = log::page(store, &entries, position, limit).await?;
        n_examined += page.entries.len();
        let keys: Vec<_> = page.entries.iter().map(|(_, entry)| image::document(&entry.id).current()).collect();
        let documents = read_many(store, &keys).await?;
        for ((at, entry), document) in page.entries.into_iter().zip(documents) {
            // An image is never listed before it was created: below this there is nothing that is new enough.
            if filter.after.is_some_and(|after| entry.at <= after) {
                return Ok(Found { images, next: None });
            }
            let image = document.map(|document| document.value);
            images.extend(image.filter(|image| stands_at(image, &filter.listing, at) && filter.takes(image)));
            if images.len() == limit {
                return Ok(Found { images, next: (at > 1).then_some(at) });
            }
        }
        if page.next == 0 {
            return Ok(Found { images, next: None });
        }
        if n_examined >= MOST_EXAMINED {
            return Ok(Found { images, next: Some(page.next) });
        }
        position = Some(page.next);
    }
}

/// The lowest position from which on upwards no entry was created before `before`, by halving: entries stand in the
/// order in which they were listed, and none was listed later after its creation than the log's lateness says.
async fn first_not_before(store: &impl Store, entries: &Log<Listed>, before: Millis) -> Result<u64, StoreError> {
    let lateness = project::lateness(store, entries).await?;
    let is_late_enough = |entry: &Listed| entry.at.saturating_sub(lateness) >= before;
    let (mut low, mut high) = (0, count(store, &entries.length()).await?);
    // Invariant: every live entry above `high` is late enough; the entry at `low` is not, or there is none.
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match live_at_or_below(store, entries, middle, low).await? {
            Some((_, entry)) if is_late_enough(&entry) => high = middle - 1,
            Some((position, _)) => low = position.max(low + 1),
            None => high = middle - 1,
        }
        if low >= middle {
            low = middle;
        }
    }
    Ok(high + 1)
}

/// The nearest live entry at or below `position` and above `floor`.
async fn live_at_or_below(
    store: &impl Store,
    entries: &Log<Listed>,
    position: u64,
    floor: u64,
) -> Result<Option<(u64, Listed)>, StoreError> {
    if let Some(Entry::Live(entry)) = read(store, &entries.entry(position)).await? {
        return Ok(Some((position, entry)));
    }
    let page = log::page(store, entries, Some(position), 1).await?;
    Ok(page.entries.into_iter().next().filter(|(found, _)| *found > floor))
}

/// The category path of each category that these images are in, each read once.
async fn paths(store: &impl Store, images: &[Image]) -> Result<BTreeMap<Id, Vec<Category>>, StoreError> {
    let mut paths = BTreeMap::new();
    for id in images.iter().filter_map(|image| image.details.category.as_ref()) {
        if !paths.contains_key(id) {
            paths.insert(id.clone(), categories::path(store, id).await?);
        }
    }
    Ok(paths)
}

/// How many images a listing has.
///
/// # Errors
/// [`StoreError`].
pub async fn size(store: &impl Store, listing: &Listing) -> Result<u64, StoreError> {
    let entries = listing.log();
    let counts = count_many(store, &[entries.length(), entries.removed()]).await?;
    Ok(counts[0].saturating_sub(counts[1]))
}
