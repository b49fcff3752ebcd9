//! HTTP as the API speaks it: requests, responses, problems, pages, conditions, ranges, idempotency.
//!
//! Nothing here knows of Spin; `host` turns Spin's requests and responses into these and back.

#![deny(missing_docs)]
#![allow(async_fn_in_trait, reason = "every executor here is single-threaded: wasm, and tests")]

pub mod body;
pub mod conditional;
pub mod dial;
pub mod idempotency;
pub mod json;
pub mod page;
pub mod problem;
pub mod query;
pub mod range;
pub mod request;
pub mod response;
pub mod time;

pub use problem::Problem;
pub use request::Request;
pub use response::{Body, Response};
