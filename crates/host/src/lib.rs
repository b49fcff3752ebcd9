//! Spin, seen from the contexts: the only crate in which a type of Spin's stands.
//!
//! [`Spin`] is the platform ([`work::Platform`]) on Spin's stores, clocks and service chaining; [`serve`] turns Spin's
//! requests into [`web::Request`]s and back; [`dial`] asks other servers.

#![deny(missing_docs)]
#![allow(async_fn_in_trait, reason = "wasm has one thread")]

pub mod dial;
mod http_bridge;
mod platform;

pub use http_bridge::{Reply, serve};
pub use platform::{Spin, backpressure, spawn};
