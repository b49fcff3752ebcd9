//! Listing assets: newest first, all of them or those in one state.

use kv_schema::Id;
use kv_schema::asset::{self, Asset, State};
use store::index::{self, Chosen};
use store::{Store, StoreError, read_many};
use web::page::PageRequest;
use web::query::{Query, invalid};
use web::{Problem, Request, Response};
use work::Platform;

use crate::view::AssetView;

/// Lists assets.
///
/// # Responses
/// - 200.
/// - 400 `parameter-unknown`, `parameter-invalid`, `cursor-invalid`.
pub async fn list(platform: &impl Platform, request: &Request) -> Result<Response, Problem> {
    let query = Query::parse(&request.query, &["status", "limit", "cursor"])?;
    let state = query.get("status").map(state).transpose()?;
    let page = PageRequest::parse(&query, format!("assets|{state:?}"))?;
    let found = find(platform, state, &page).await?;
    let views: Vec<AssetView> = found.items.iter().map(AssetView::from).collect();
    Ok(page.respond(&request.path, &request.query, &views, found.next.map(|next| next.number())))
}

fn state(text: &str) -> Result<State, Problem> {
    let states = [State::Accepted, State::Downloading, State::Processing, State::Ready, State::Failed];
    let known = states.into_iter().find(|state| state.as_str() == text);
    known.ok_or_else(|| invalid("status", "accepted, downloading, processing, ready or failed is expected"))
}

/// The assets of a page. The index may be a moment behind the documents, which decide.
async fn find(store: &impl Store, state: Option<State>, page: &PageRequest) -> Result<Chosen<Asset>, StoreError> {
    let entries = if state == Some(State::Failed) { asset::failed() } else { asset::all() };
    let is_wanted = |asset: &Asset| asset.deleted_at.is_none() && state.is_none_or(|state| asset.state == state);
    let before = page.position.map(Id::from_number);
    index::choose(
        store,
        &entries,
        before,
        page.limit,
        |_| false,
        async |ids: &[Id]| {
            let keys: Vec<_> = ids.iter().map(|id| asset::document(id).current()).collect();
            let documents = read_many(store, &keys).await?.into_iter();
            Ok(documents.map(|document| document.map(|document| document.value).filter(is_wanted)).collect())
        },
    )
    .await
}
