//! The filter component of those who bring none: it has no filters.
//!
//! A component's imports must all be met before it starts, and `resize` imports filters. So something has to stand there
//! until the operator brings some.

#![cfg(target_arch = "wasm32")]
#![expect(unsafe_code, missing_docs, reason = "`generate` makes the export's glue here")]

use exports::scalehoster::imaging::filter::{FilterError, FilterInfo, Guest, Image};

wit_bindgen::generate!({ path: "../../wit", world: "user-filter" });

struct None;

impl Guest for None {
    fn describe() -> Vec<FilterInfo> {
        Vec::new()
    }

    fn apply(_name: String, _args: Vec<String>, _image: Image) -> Result<Image, FilterError> {
        Err(FilterError::Unknown)
    }
}

export!(None);
