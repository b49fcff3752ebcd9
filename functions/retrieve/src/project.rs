//! Projecting an asset: its image document, and its id in each listing that the image appears in.
//!
//! What is projected is a function of what others own: the asset, what was derived from its bytes, the categories. So
//! it can be made again from them at any time, and comes out the same ([`crate::rebuild`]). An entry of a listing counts
//! only if the image's document names the listing; so entries are made before the document, and taken out after it.
//!
//! Two projections of one image may overlap, and what one takes out the other may just have found in place. So each looks
//! again after it has written: who wrote the document makes sure of the entries, who took entries out makes sure of the
//! document. At least one of the two sees the other. A process that dies in between leaves a job, and a job believes
//! nothing of what is there.

use kv_schema::Id;
use kv_schema::asset::{self, Asset, State};
use kv_schema::content::{self, BlobId, Derived};
use kv_schema::image::{self, Image, Listing, Projection};
use kv_schema::job::{self, IngestJob};
use kv_schema::shape::Versioned;
use store::{StoreError, document, index, read, write};
use web::Problem;
use work::{Context, Platform, queue};

use crate::{categories, find};

/// What a projection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projected {
    /// The image says what the asset says.
    UpToDate,
    /// The asset's bytes are still on the way.
    NotYet,
}

/// How much of what is there is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// An image that says what it should is in the listings that it names.
    Usual,
    /// Anything may have been lost.
    Nothing,
}

/// Projects the asset whose id stands in a URL.
///
/// # Errors
/// `404 image-not-found`, `503 store-unavailable`.
pub async fn project_by_text(platform: &impl Platform, id: &str) -> Result<(), Problem> {
    project(platform, &find::image_id(id)?, Trust::Usual).await?;
    Ok(())
}

/// Brings an asset's image up to date. Doing it twice, or two at once, is the same as once.
///
/// # Errors
/// [`StoreError`].
pub async fn project(platform: &impl Platform, id: &Id, trust: Trust) -> Result<Projected, StoreError> {
    let mut touched = Vec::new();
    loop {
        // The image is read before the asset: should another write it meanwhile, from an asset that is perhaps newer,
        // then this does not replace it but begins again.
        let before = document::get(platform, &image::document(id)).await?;
        let Some(asset) = document::get(platform, &asset::document(id)).await? else { return Ok(Projected::NotYet) };
        let asset = asset.value;
        let Some(wanted) = draw(platform, &asset).await? else {
            let is_over = asset.state == State::Failed;
            return Ok(if is_over { Projected::UpToDate } else { Projected::NotYet });
        };
        if !bring(platform, id, before, &wanted, trust, &mut touched).await? {
            continue;
        }
        // An edit that came meanwhile may have found the image as it should be, just before this changed it; a category
        // that moved may have looked for its images before this one was there. Who wrote looks again.
        let Some(now) = document::get(platform, &asset::document(id)).await? else { return Ok(Projected::NotYet) };
        if draw(platform, &now.value).await?.as_ref() != Some(&wanted) {
            continue;
        }
        if let (State::Processing, Projection::Shown(image)) = (asset.state, wanted) {
            let task = IngestJob::Settle { asset: id.clone(), blob: image.blob, failure: None };
            queue::push(platform, platform, &job::ingest(), task, Vec::new()).await?;
            platform.ring(Context::Ingest).await;
        }
        return Ok(Projected::UpToDate);
    }
}

fn listings(projection: &Projection) -> &[Listing] {
    match projection {
        Projection::Shown(image) => &image.listings,
        Projection::Deleted { .. } => &[],
    }
}

/// Writes the image and its entries. False: another wrote the image meanwhile. `touched` keeps the listings in which
/// this caller may have left an entry that is not to be, or taken out one that is.
async fn bring(
    platform: &impl Platform,
    id: &Id,
    before: Option<Versioned<Projection>>,
    wanted: &Projection,
    trust: Trust,
    touched: &mut Vec<Listing>,
) -> Result<bool, StoreError> {
    let listed = image::listed(id);
    let noted = read(platform, &listed).await?.unwrap_or_default();
    let is_same = before.as_ref().is_some_and(|before| before.value == *wanted);
    if is_same && touched.is_empty() && noted == listings(wanted) && trust == Trust::Usual {
        return Ok(true);
    }
    let mut possible = [noted.as_slice(), touched.as_slice(), listings(wanted)].concat();
    possible.sort();
    possible.dedup();
    if possible != noted {
        write(platform, &listed, &possible).await?;
    }
    touched.clone_from(&possible);
    insert(platform, id, wanted).await?;
    let mut version = before.map_or(0, |before| before.version);
    if !is_same {
        let is_first = version == 0;
        version += 1;
        let next = Versioned { version, value: wanted.clone() };
        if document::write_next(platform, platform, &image::document(id), next, &[]).await?.is_none() {
            return Ok(false);
        }
        // Before there was an image nobody took an entry out.
        if !is_first {
            insert(platform, id, wanted).await?;
        }
    }
    let superfluous: Vec<&Listing> = possible.iter().filter(|listing| !listings(wanted).contains(listing)).collect();
    for listing in &superfluous {
        index::remove(platform, platform, &listing.index(), id.as_str()).await?;
    }
    if !superfluous.is_empty() {
        let now = document::get(platform, &image::document(id)).await?;
        if now.is_none_or(|now| now.version != version) {
            return Ok(false);
        }
        write(platform, &listed, &listings(wanted).to_vec()).await?;
    }
    touched.clear();
    Ok(true)
}

/// Sees to an entry in each listing that the image names.
async fn insert(platform: &impl Platform, id: &Id, wanted: &Projection) -> Result<(), StoreError> {
    for listing in listings(wanted) {
        index::insert(platform, platform, &listing.index(), id.as_str(), 0).await?;
    }
    Ok(())
}

/// An asset's image as it should be; none while there is none to be.
async fn draw(platform: &impl Platform, asset: &Asset) -> Result<Option<Projection>, StoreError> {
    if let Some(at) = asset.deleted_at {
        return Ok(Some(Projection::Deleted { at }));
    }
    let (Some(content), State::Processing | State::Ready) = (&asset.content, asset.state) else { return Ok(None) };
    let Some(derived) = read(platform, &content::derived(&content.blob)).await? else { return Ok(None) };
    let image = draw_image(platform, asset, &content.blob, content.bytes, derived).await?;
    Ok(Some(Projection::Shown(Box::new(image))))
}

async fn draw_image(
    platform: &impl Platform,
    asset: &Asset,
    blob: &BlobId,
    bytes: u64,
    derived: Derived,
) -> Result<Image, StoreError> {
    let mut details = asset.details.clone();
    let path = match &details.category {
        None => Vec::new(),
        Some(category) => categories::path(platform, category).await?,
    };
    details.category = path.last().map(|category| category.id.clone());
    let mut listings = vec![Listing::All];
    listings.extend(details.category.iter().cloned().map(Listing::Category));
    listings.extend(path.iter().map(|category| Listing::Tree(category.id.clone())));
    listings.extend(details.tags.iter().cloned().map(Listing::Tag));
    listings.sort();
    Ok(Image {
        id: asset.id.clone(),
        details,
        blob: blob.clone(),
        bytes,
        derived,
        created_at: asset.created_at,
        updated_at: asset.edited_at,
        listings,
    })
}
