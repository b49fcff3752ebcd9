//! Making a variant that was asked for and is not stored yet. One of several simultaneous requests makes it.

use http::StatusCode;
use kv_schema::Id;
use kv_schema::content::{self, BlobId};
use kv_schema::image::{self, Projection};
use kv_schema::shape::{Counter, Entry, Object};
use store::object::{self, Opened};
use store::{Store, StoreError, document, log, pair, read};
use transform::{Plan, PlannedFilter, Render, Watermark};
use web::{Problem, Response};
use work::Platform;
use work::admission::{self, Pass, RENDERS};

use crate::derive::{blob_not_found, description, object_entries};
use crate::filter::{FilterError, Installed};
use crate::pixels::{self, Encoded, Extras, PixelError, Stripped};
use crate::settings::limits;

/// A renderer has at least one of these windows of time to itself and at most two, in milliseconds.
const WINDOW: u64 = 8_000;

/// A variant, and what is left to do: whoever waits for the picture need not wait for that.
pub struct Made {
    blob: BlobId,
    plan: Plan,
    object: Object,
    /// The picture, unless it is stored already.
    encoded: Option<Encoded>,
    take: Counter,
    /// None for what is made in the background, one after the other.
    pass: Option<Pass>,
}

impl Made {
    /// The answer: 200 with the packed object as the body, which is empty where the object is stored.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a description that is too long.
    pub fn answer(&self) -> Result<Response, StoreError> {
        let response = Response::new(StatusCode::OK);
        let Some(encoded) = &self.encoded else { return Ok(response) };
        Ok(response.with_body(object::pack(&self.object, description(encoded), &encoded.bytes)?))
    }

    /// Stores the variant and gives back the place and the claim. Says whether the variant was rendered just now.
    ///
    /// # Errors
    /// As [`render`]. Place and claim are void after a moment then.
    pub async fn finish(self, platform: &impl Platform) -> Result<bool, Problem> {
        let kept = match &self.encoded {
            None => Ok(()),
            Some(encoded) => {
                let entries = object_entries(&self.object, encoded)?;
                keep(platform, &self.blob, &self.plan, &self.object, entries).await
            }
        };
        self.release(platform).await?;
        kept.map(|()| self.encoded.is_some())
    }

    async fn release(&self, store: &impl Store) -> Result<(), StoreError> {
        if let Some(pass) = &self.pass {
            admission::leave(store, pass).await?;
        }
        store::delete(store, self.take.name()).await
    }
}

/// Makes a variant that somebody waits for; none when another request is making it.
///
/// # Errors
/// 404 `blob-not-found`; 422 `image-corrupt`, `output-too-large`, `watermark-not-found`, `filter-refused`;
/// 503 `overloaded`.
pub async fn render(platform: &impl Platform, blob: &str, plan: &str) -> Result<Option<Made>, Problem> {
    let Some(claimed) = Claimed::take(platform, blob, plan).await? else { return Ok(None) };
    let Some(pass) = admission::enter(platform, RENDERS).await? else {
        store::delete(platform, claimed.take.name()).await?;
        return Err(Problem::overloaded("pictures are being made"));
    };
    claimed.make(platform, Some(pass)).await.map(Some)
}

/// Makes a variant that nobody waits for, and stores it; says whether it is there now, or another is making it.
///
/// # Errors
/// As [`render`], without 503 `overloaded`.
pub async fn refine(platform: &impl Platform, blob: &str, plan: &str) -> Result<bool, Problem> {
    let Some(claimed) = Claimed::take(platform, blob, plan).await? else { return Ok(false) };
    claimed.make(platform, None).await?.finish(platform).await.map(|_| true)
}

/// The right to make a variant.
///
/// Who has it is decided by a counter for each window of time. A taken window holds for the one after it, too: so a
/// renderer that takes one late has time, and one that died is replaced after two windows at the most.
struct Claimed {
    blob: BlobId,
    plan: Plan,
    object: Object,
    take: Counter,
}

impl Claimed {
    async fn take(platform: &impl Platform, blob: &str, plan: &str) -> Result<Option<Self>, Problem> {
        let blob = BlobId::parse(blob).ok_or_else(Problem::no_route)?;
        let plan: Plan = plan.parse().map_err(|_| Problem::no_route())?;
        let object = content::variant(&blob, &plan.to_string());
        let window = platform.now().unsigned_abs() / WINDOW;
        let (before, take) = (object.take(window - 1), object.take(window));
        if platform.get(before.name()).await?.is_some() || platform.increment(take.name(), 1).await? != 1 {
            return Ok(None);
        }
        Ok(Some(Self { blob, plan, object, take }))
    }

    async fn make(self, platform: &impl Platform, pass: Option<Pass>) -> Result<Made, Problem> {
        let Self { blob, plan, object, take } = self;
        let mut made = Made { blob, plan, object, encoded: None, take, pass };
        match make(platform, &made).await {
            Ok(encoded) => {
                made.encoded = encoded;
                Ok(made)
            }
            Err(problem) => {
                // Before the answer: whoever asks again at once is not to wait for this one.
                made.release(platform).await?;
                Err(problem)
            }
        }
    }
}

/// Makes a variant; none where it is stored, by another meanwhile or as a note that it is the original.
async fn make(platform: &impl Platform, wanted: &Made) -> Result<Option<Encoded>, Problem> {
    let Made { blob, plan, object, .. } = wanted;
    if platform.get(object.head()).await?.is_some() {
        return Ok(None);
    }
    match plan {
        Plan::Original => original(platform, blob, object).await,
        Plan::Render(render) => {
            if let Some(filter) = render.filter() {
                check_filter(platform, filter).await?;
            }
            let input = source(platform, blob, plan).await?;
            let watermark = match render.watermark() {
                Some(watermark) => Some(watermark_file(platform, watermark, render).await?),
                None => None,
            };
            let extras = Extras { watermark: watermark.as_deref(), filter: Some(&Installed) };
            pixels::render(&input, plan, &extras, &limits(platform).await?).map_err(refused).map(Some)
        }
    }
}

/// The original without its metadata, upright. Where there is nothing to change, a note that says so is stored.
async fn original(platform: &impl Platform, blob: &BlobId, object: &Object) -> Result<Option<Encoded>, Problem> {
    let original = object::read(platform, &content::original(blob)).await?;
    let (head, bytes) = original.ok_or_else(blob_not_found)?;
    match pixels::strip(&bytes) {
        Stripped::Same => {
            keep(platform, blob, &Plan::Original, object, vec![object::stand_in(object, &head)?]).await?;
            Ok(None)
        }
        Stripped::Rewritten(_) | Stripped::NeedsRender => {
            pixels::render(&bytes, &Plan::Original, &Extras::default(), &limits(platform).await?)
                .map_err(refused)
                .map(Some)
        }
    }
}

/// The smallest stored picture that is good enough for a plan.
async fn source(platform: &impl Platform, blob: &BlobId, plan: &Plan) -> Result<Vec<u8>, Problem> {
    let derived = read(platform, &content::derived(blob)).await?.ok_or_else(blob_not_found)?;
    if let Some(&(width, height)) = pixels::pick_rung(plan, &derived.rungs).and_then(|idx| derived.rungs.get(idx))
        && let Some((_, bytes)) = object::read(platform, &content::rung(blob, width, height)).await?
    {
        return Ok(bytes);
    }
    let original = object::read(platform, &content::original(blob)).await?;
    original.map(|(_, bytes)| bytes).ok_or_else(blob_not_found)
}

/// Whether the filters are still those that the plan was made with. What others make must not be stored under its key.
async fn check_filter(platform: &impl Platform, filter: &PlannedFilter) -> Result<(), Problem> {
    let digest = platform.variable("filter_digest").await.unwrap_or_default();
    if digest.starts_with(filter.digest()) {
        return Ok(());
    }
    Err(Problem::unprocessable(FilterError::CODE, "the filters have changed meanwhile; ask again"))
}

/// The picture that is laid over another: the smallest stored one that need not be enlarged.
async fn watermark_file(platform: &impl Platform, watermark: &Watermark, render: &Render) -> Result<Vec<u8>, Problem> {
    let missing = || Problem::unprocessable("watermark-not-found", "the image of the watermark is not there");
    let id = Id::parse(watermark.image()).map_err(|_| missing())?;
    let image = document::get(platform, &image::document(&id)).await?.ok_or_else(missing)?;
    let Projection::Shown(image) = image.value else { return Err(missing()) };
    // What a trim leaves is not known yet.
    let width = render.geometry().map_or(u32::MAX, |geometry| geometry.canvas.width);
    let wanted = u64::from(width) * u64::from(watermark.scale()) / 100;
    let large_enough = |&&(width, _): &&(u32, u32)| u64::from(width) >= wanted;
    let rung = image.derived.rungs.iter().filter(large_enough).min_by_key(|(width, _)| *width);
    let object = match rung {
        Some(&(width, height)) => content::rung(&image.blob, width, height),
        None => content::original(&image.blob),
    };
    object::read(platform, &object).await?.map(|(_, bytes)| bytes).ok_or_else(missing)
}

/// Stores a variant, and on record that it is there: so that it goes when the original goes.
async fn keep(
    platform: &impl Platform,
    blob: &BlobId,
    plan: &Plan,
    object: &Object,
    entries: Vec<(String, Vec<u8>)>,
) -> Result<(), Problem> {
    let products = content::products(blob);
    let position = log::allocate(platform, &products).await?;
    let mut all = vec![pair(&products.entry(position), &Entry::Live(plan.to_string()))?];
    all.extend(entries);
    platform.set_many(all).await?;
    if read(platform, &content::blob(blob)).await?.is_none() {
        delete(platform, object).await?;
        return Err(blob_not_found());
    }
    Ok(())
}

/// Deletes a stored object, whatever its size.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(platform: &impl Platform, object: &Object) -> Result<(), StoreError> {
    if let Some(Opened { head, .. }) = object::open(platform, object).await? {
        object::delete(platform, object, head.bytes).await?;
    }
    Ok(())
}

fn refused(error: PixelError) -> Problem {
    let detail = error.to_string();
    match error {
        PixelError::Encode { .. } => Problem::internal(detail),
        PixelError::Filter { .. } => Problem::unprocessable(FilterError::CODE, detail),
        PixelError::Unsupported { .. } | PixelError::Corrupt { .. } => Problem::unprocessable("image-corrupt", detail),
        PixelError::Limit(error) => {
            let (limit, actual) = error.limit_and_actual();
            Problem::unprocessable("output-too-large", detail).over(limit, Some(actual))
        }
    }
}
