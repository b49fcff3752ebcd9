//! The way from the root to a category, and how deep a tree may be.

use kv_schema::Id;
use kv_schema::category::{self, Category};
use kv_schema::shape::Versioned;
use store::{Store, StoreError, document, log, read_many};
use web::Problem;

/// Levels that a tree may have. A path is read step by step, so this bounds what a request costs.
pub const MOST_LEVELS: u64 = 32;

/// Categories looked at when a subtree is measured.
const MOST_MEASURED: usize = 20_000;

/// The category of this id, unless it is deleted.
///
/// # Errors
/// `404 category-not-found`.
pub async fn find(store: &impl Store, id: &str) -> Result<Versioned<Category>, Problem> {
    let id = Id::parse(id).map_err(|_| not_found())?;
    live(store, &id).await?.ok_or_else(not_found)
}

/// `404 category-not-found`.
pub fn not_found() -> Problem {
    Problem::not_found("category-not-found", "no such category")
}

/// A category that is there and not deleted.
///
/// # Errors
/// [`StoreError`].
pub async fn live(store: &impl Store, id: &Id) -> Result<Option<Versioned<Category>>, StoreError> {
    let found = document::get(store, &category::document(id)).await?;
    Ok(found.filter(|found| found.value.deleted.is_none()))
}

/// The parent that a request names.
///
/// # Errors
/// `422 category-parent-unknown`.
pub async fn parent(store: &impl Store, text: &str) -> Result<Category, Problem> {
    let unknown = || {
        let mut problem = Problem::field("/parent", "no such category");
        problem.code = "category-parent-unknown";
        problem
    };
    let id = Id::parse(text).map_err(|_| unknown())?;
    Ok(live(store, &id).await?.ok_or_else(unknown)?.value)
}

/// The categories from the root down to `category`, which is the last.
///
/// # Errors
/// [`StoreError`].
pub async fn path(store: &impl Store, category: &Category) -> Result<Vec<Category>, StoreError> {
    let mut path = vec![category.clone()];
    // Two moves at once may make a circle for a moment, until one of them is undone.
    while let Some(parent) = path.last().and_then(|step| step.parent.clone()) {
        if path.len() as u64 > MOST_LEVELS || path.iter().any(|step| step.id == parent) {
            break;
        }
        let Some(parent) = live(store, &parent).await? else { break };
        path.push(parent.value);
    }
    path.reverse();
    Ok(path)
}

/// Refuses a category at `levels` levels below the roots, itself counted.
///
/// # Errors
/// `422 category-too-deep`.
pub fn check_depth(levels: u64) -> Result<(), Problem> {
    if levels <= MOST_LEVELS {
        return Ok(());
    }
    let detail = format!("a tree has at most {MOST_LEVELS} levels");
    Err(Problem::unprocessable("category-too-deep", detail).over(MOST_LEVELS, Some(levels)))
}

/// How many levels there are at and below a category: 1 for one without children.
///
/// # Errors
/// [`StoreError`].
pub async fn height(store: &impl Store, id: &Id) -> Result<u64, StoreError> {
    let mut level = vec![id.clone()];
    let mut height = 0;
    let mut n_measured = 0;
    while !level.is_empty() && height <= MOST_LEVELS && n_measured < MOST_MEASURED {
        height += 1;
        let mut below = Vec::new();
        for id in &level {
            below.extend(children(store, Some(id)).await?.into_iter().map(|child| child.id));
        }
        n_measured += below.len();
        level = below;
    }
    Ok(height)
}

/// All children of a category, the newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn children(store: &impl Store, parent: Option<&Id>) -> Result<Vec<Category>, StoreError> {
    let mut children = Vec::new();
    let mut before = None;
    loop {
        let (page, next) = child_page(store, parent, before, 100).await?;
        children.extend(page.into_iter().map(|(_, child)| child));
        if next == 0 {
            return Ok(children);
        }
        before = Some(next);
    }
}

/// Children with their positions, the newest first, and where to go on (0: nowhere).
///
/// # Errors
/// [`StoreError`].
pub async fn child_page(
    store: &impl Store,
    parent: Option<&Id>,
    before: Option<u64>,
    limit: usize,
) -> Result<(Vec<(u64, Category)>, u64), StoreError> {
    let page = log::page(store, &category::children(parent), before, limit).await?;
    let keys: Vec<_> = page.entries.iter().map(|(_, id)| category::document(id).current()).collect();
    let found = read_many(store, &keys).await?;
    let children = page.entries.iter().zip(found).filter_map(|((position, _), found)| {
        let child = found?.value;
        // An entry counts if its category says that it stands there.
        let stands_here = child.child_position == *position && child.parent.as_ref() == parent;
        (stands_here && child.deleted.is_none()).then_some((*position, child))
    });
    Ok((children.collect(), page.next))
}
