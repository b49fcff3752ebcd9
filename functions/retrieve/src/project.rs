//! Projecting an asset: its image document, and one entry in each listing that the image appears in.
//!
//! A listing's entry counts only if the image's document names its position. So entries are written first and the
//! document decides: an entry whose writer died, or lost a race, is skipped by every reader.

use kv_schema::asset::{self, Asset, State};
use kv_schema::content;
use kv_schema::image::{self, Image, Listed, Listing, Place};
use kv_schema::job::{self, IngestJob};
use kv_schema::shape::{Entry, Log, Versioned};
use kv_schema::{Id, Millis};
use store::document::Updated;
use store::{Store, StoreError, document, log, pair, read};
use web::Problem;
use work::{Context, Platform, queue};

use crate::{categories, find};

/// Entries may always be this late without being noted as late, as a power of two of milliseconds: about a minute.
const USUAL_LATENESS: u32 = 16;

/// The greatest lateness that is told apart: 2^40 ms are 35 years.
const MOST_LATENESS: u32 = 40;

/// What a projection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projected {
    /// The image says what the asset says.
    UpToDate,
    /// The asset's bytes are still on the way.
    NotYet,
}

/// Projects the asset whose id stands in a URL.
///
/// # Errors
/// `404 image-not-found`, `503 store-unavailable`.
pub async fn project_by_text(platform: &impl Platform, id: &str) -> Result<(), Problem> {
    project(platform, &find::image_id(id)?).await?;
    Ok(())
}

/// Brings an asset's image up to date. Doing it twice, or two at once, is the same as once.
///
/// # Errors
/// [`StoreError`].
pub async fn project(platform: &impl Platform, id: &Id) -> Result<Projected, StoreError> {
    loop {
        let Some(asset) = document::get(platform, &asset::document(id)).await? else { return Ok(Projected::NotYet) };
        if asset.value.deleted_at.is_some() {
            withdraw(platform, &asset).await?;
            return Ok(Projected::UpToDate);
        }
        let blob = match (&asset.value.content, asset.value.state) {
            (Some(content), State::Processing | State::Ready) => content.blob.clone(),
            (_, State::Failed) => return Ok(Projected::UpToDate),
            _ => return Ok(Projected::NotYet),
        };
        if read(platform, &content::derived(&blob)).await?.is_none() {
            return Ok(Projected::NotYet);
        }
        if !publish(platform, &asset).await? {
            continue;
        }
        if asset.value.state == State::Processing {
            let task = IngestJob::Settle { asset: id.clone(), blob, failure: None };
            queue::push(platform, platform, &job::ingest(), task, Vec::new()).await?;
            platform.ring(Context::Ingest).await;
        }
        return Ok(Projected::UpToDate);
    }
}

/// Writes the image of an asset. False: something it was made from changed meanwhile, and it is to be done again.
async fn publish(platform: &impl Platform, asset: &Versioned<Asset>) -> Result<bool, StoreError> {
    let Some(wanted) = draw(platform, asset).await? else { return Ok(false) };
    let document = image::document(&asset.value.id);
    let before = document::get(platform, &document).await?;
    if let Some(before) = &before
        && (before.value.asset_version > asset.version || is_same(&before.value, &wanted))
    {
        return Ok(true);
    }
    let old_places = before.as_ref().map_or(&[][..], |before| &before.value.places);
    let places = take_places(platform, &wanted, old_places).await?;
    let version = before.as_ref().map_or(0, |before| before.version);
    let image = Image { places: places.clone(), ..wanted.image };
    let updated = document::update(platform, platform, &document, |current| {
        let is_unchanged = current.map_or(0, |current| current.version) == version;
        Ok::<_, StoreError>(is_unchanged.then(|| image.clone()))
    })
    .await?;
    match updated {
        Updated::Written(_) => {
            leave(platform, old_places, &places).await?;
            // A category that moved between reading its path and now has looked for its images too early.
            Ok(draw(platform, asset).await?.is_some_and(|now| now.listings == wanted.listings))
        }
        Updated::Unchanged(_) => {
            leave(platform, &places, old_places).await?;
            Ok(false)
        }
    }
}

/// An image as it should be, its places aside.
struct Drawn {
    image: Image,
    listings: Vec<Listing>,
}

async fn draw(platform: &impl Platform, asset: &Versioned<Asset>) -> Result<Option<Drawn>, StoreError> {
    let Asset { id, details, content, created_at, .. } = &asset.value;
    let Some(content) = content else { return Ok(None) };
    let Some(derived) = read(platform, &content::derived(&content.blob)).await? else { return Ok(None) };
    let path = match &details.category {
        None => Vec::new(),
        Some(category) => categories::path(platform, category).await?,
    };
    let mut listings = vec![Listing::All];
    listings.extend(path.last().map(|category| Listing::Category(category.id.clone())));
    listings.extend(path.iter().map(|category| Listing::Tree(category.id.clone())));
    listings.extend(details.tags.iter().cloned().map(Listing::Tag));
    let mut details = details.clone();
    details.category = path.last().map(|category| category.id.clone());
    let image = Image {
        id: id.clone(),
        asset_version: asset.version,
        details,
        blob: content.blob.clone(),
        bytes: content.bytes,
        derived,
        created_at: *created_at,
        updated_at: asset.value.updated_at,
        places: Vec::new(),
        deleted_at: None,
    };
    Ok(Some(Drawn { image, listings }))
}

/// Whether an image already says what is wanted. The asset's later versions may say nothing new of it.
fn is_same(image: &Image, wanted: &Drawn) -> bool {
    let mut listings: Vec<&Listing> = image.places.iter().map(|place| &place.listing).collect();
    let mut wanted_listings: Vec<&Listing> = wanted.listings.iter().collect();
    listings.sort();
    wanted_listings.sort();
    listings == wanted_listings
        && image.deleted_at.is_none()
        && image.details == wanted.image.details
        && image.blob == wanted.image.blob
        && image.derived == wanted.image.derived
}

/// The places of an image: those it has already, and new entries where it has none.
async fn take_places(platform: &impl Platform, wanted: &Drawn, old: &[Place]) -> Result<Vec<Place>, StoreError> {
    let entry = Listed { id: wanted.image.id.clone(), at: platform.now() };
    let mut places = Vec::with_capacity(wanted.listings.len());
    let mut entries = Vec::new();
    for listing in &wanted.listings {
        if let Some(place) = old.iter().find(|place| place.listing == *listing) {
            places.push(place.clone());
            continue;
        }
        let log = listing.log();
        note_lateness(platform, &log, entry.at - wanted.image.created_at).await?;
        let position = log::allocate(platform, &log).await?;
        entries.push(pair(&log.entry(position), &Entry::Live(entry.clone()))?);
        places.push(Place { listing: listing.clone(), position });
    }
    platform.set_many(entries).await?;
    Ok(places)
}

/// Removes the entries of `from` that are not in `to`.
async fn leave(store: &impl Store, from: &[Place], to: &[Place]) -> Result<(), StoreError> {
    for place in from.iter().filter(|place| !to.contains(place)) {
        log::remove(store, &place.listing.log(), place.position).await?;
    }
    Ok(())
}

/// Takes a deleted asset's image out of every listing. The document stays, and says that it is gone.
async fn withdraw(platform: &impl Platform, asset: &Versioned<Asset>) -> Result<(), StoreError> {
    let mut left = Vec::new();
    document::update(platform, platform, &image::document(&asset.value.id), |current| {
        let Some(current) = current else { return Ok::<_, StoreError>(None) };
        left.clone_from(&current.value.places);
        if current.value.deleted_at.is_some() {
            return Ok(None);
        }
        // The places stay in the document until they are left: a withdrawal that dies here goes on from them.
        let mut image = current.value.clone();
        image.deleted_at = asset.value.deleted_at;
        image.asset_version = asset.version;
        Ok(Some(image))
    })
    .await?;
    leave(platform, &left, &[]).await
}

/// Writes down that an entry is unusually late, once for each power of two.
async fn note_lateness(store: &impl Store, log: &Log<Listed>, lateness: Millis) -> Result<(), StoreError> {
    let exponent = u64::try_from(lateness).unwrap_or(0).max(1).next_power_of_two().ilog2().min(MOST_LATENESS);
    let counter = log.late(exponent);
    if exponent > USUAL_LATENESS && store.get(counter.name()).await?.is_none() {
        store.increment(counter.name(), 1).await?;
    }
    Ok(())
}

/// The greatest lateness of any entry of a log, in milliseconds, rounded up.
///
/// # Errors
/// [`StoreError`].
pub async fn lateness(store: &impl Store, log: &Log<Listed>) -> Result<Millis, StoreError> {
    let exponents = USUAL_LATENESS + 1..=MOST_LATENESS;
    let keys: Vec<String> = exponents.clone().map(|exponent| log.late(exponent).name().to_owned()).collect();
    let noted = store.get_many(&keys).await?;
    let greatest = exponents.zip(noted).filter(|(_, noted)| noted.is_some()).map(|(exponent, _)| exponent).max();
    Ok(1 << greatest.unwrap_or(USUAL_LATENESS))
}
