//! Where an image stands in the tree of categories, which `category` owns and this only reads.

use kv_schema::Id;
use kv_schema::category::{self, Category};
use store::{Store, StoreError, document};

/// Steps up or along that are followed: more than any tree has levels, so that a damaged one ends too.
const MOST_STEPS: u32 = 128;

/// The categories from the root down to where an image of category `id` is now. A deleted category leads to the one
/// that took its images over. Empty when that leads nowhere.
pub async fn path(store: &impl Store, id: &Id) -> Result<Vec<Category>, StoreError> {
    let mut path = Vec::new();
    let mut next = Some(id.clone());
    for _ in 0..MOST_STEPS {
        let Some(id) = next else { break };
        let Some(found) = document::get(store, &category::document(&id)).await? else { break };
        let found = found.value;
        next = match &found.deleted {
            Some(deleted) => {
                path.clear();
                deleted.reassigned_to.clone()
            }
            None => {
                let parent = found.parent.clone();
                path.push(found);
                parent
            }
        };
    }
    path.reverse();
    Ok(path)
}
