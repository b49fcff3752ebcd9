//! Telling of what happens to categories.

use events::{Data, Event};
use kv_schema::category::Category;
use kv_schema::shape::Versioned;
use work::{Platform, Trace};

/// Tells that `what` happened to a category, which is stored as it is here.
pub async fn tell(
    platform: &impl Platform,
    what: fn(events::Category) -> Data,
    category: &Versioned<Category>,
    trace: Trace,
) {
    let event = Event {
        subject: category.value.id.to_string(),
        sequence: category.version,
        time: category.value.deleted.as_ref().map_or(category.value.updated_at, |deleted| deleted.at),
        trace,
        data: what((&category.value).into()),
    };
    platform.emit(&event).await;
}
