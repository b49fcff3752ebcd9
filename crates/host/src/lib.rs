//! Spin, seen from the contexts: the only crate in which a type of Spin's stands.
//!
//! [`Spin`] is the platform ([`work::Platform`]) on Spin's stores, clocks, service chaining and Redis; [`serve`] turns
//! Spin's requests into [`web::Request`]s and back; [`hear`] is for the messages of the bus; [`dial`] asks other servers.

#![deny(missing_docs)]
#![allow(async_fn_in_trait, reason = "wasm has one thread")]

mod bus;
pub mod dial;
mod http_bridge;
mod platform;

pub use bus::{STAY, hear};
pub use http_bridge::{Reply, serve};
pub use platform::{Spin, backpressure, spawn};
