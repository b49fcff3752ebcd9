//! Listing images: newest first, by category, tag and date. What a page costs does not depend on how many there are.

use std::collections::BTreeMap;

use kv_schema::category::{self, Category};
use kv_schema::image::{self, Image, Listing, Projection};
use kv_schema::{Id, Millis, preset};
use store::index::{self, Chosen};
use store::{Store, StoreError, document, read_many};
use web::page::{PageRequest, time_parameter};
use web::query::{Query, invalid};
use web::{Problem, Request, Response};
use work::Platform;

use crate::categories;
use crate::view::ImageView;

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
    let found = find(platform, &filter, &page).await?;

    let presets = document::get(platform, &preset::document()).await?;
    let presets = presets.map_or_else(preset::Presets::built_in, |presets| presets.value);
    let paths = paths(platform, &found.items).await?;
    let none = Vec::new();
    let path_of = |image: &Image| image.details.category.as_ref().and_then(|id| paths.get(id)).unwrap_or(&none);
    let views: Vec<ImageView> =
        found.items.iter().map(|image| ImageView::new(image, path_of(image), &presets)).collect();
    Ok(page.respond(&request.path, &request.query, &views, found.next.map(|next| next.number())))
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
        format!("{}|{:?}|{:?}|{:?}", self.listing.index().name(), self.tag, self.after, self.before)
    }

    /// Whether an image is what is asked for, and stands where an entry says it does: its document decides.
    fn takes(&self, image: &Image) -> bool {
        image.listings.contains(&self.listing) && self.tag.as_ref().is_none_or(|tag| image.details.tags.contains(tag))
    }
}

async fn known_category(store: &impl Store, text: &str) -> Result<Id, Problem> {
    let unknown = || Problem::not_found("category-not-found", "no such category");
    let id = Id::parse(text).map_err(|_| unknown())?;
    let found = document::get(store, &category::document(&id)).await?;
    if found.is_some_and(|found| found.value.deleted.is_none()) { Ok(id) } else { Err(unknown()) }
}

/// The images of a page. Entries are in the order of their ids, and so of their making: dates are bounds of the walk.
async fn find(store: &impl Store, filter: &Filter, page: &PageRequest) -> Result<Chosen<Image>, StoreError> {
    let first_of = |millis: Millis| Id::from_parts(u64::try_from(millis).unwrap_or(0), 0);
    let before = page.position.map(Id::from_number).or(filter.before.map(first_of));
    let is_over = |id: &Id| filter.after.is_some_and(|after| id.millis() <= after);
    let shown = |projection| match projection {
        Projection::Shown(image) if filter.takes(&image) => Some(*image),
        Projection::Shown(_) | Projection::Deleted { .. } => None,
    };
    index::choose(store, &filter.listing.index(), before, page.limit, is_over, async |ids: &[Id]| {
        let keys: Vec<_> = ids.iter().map(|id| image::document(id).current()).collect();
        let documents = read_many(store, &keys).await?.into_iter();
        Ok(documents.map(|document| document.and_then(|document| shown(document.value))).collect())
    })
    .await
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
