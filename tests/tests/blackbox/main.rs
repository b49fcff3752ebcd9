//! The black-box suite: one binary, one module per subject, real HTTP, the app as it is built.
//!
//! Tests share running instances, so each uses names and pictures of its own and none counts on being alone, except
//! where it starts an instance for itself.

mod assets;
mod batch;
mod broken_files;
mod categories;
mod category_changes;
mod crash;
mod delivery;
mod downloads;
mod forbidden_sources;
mod idempotency;
mod images;
mod leftovers;
mod lists;
mod odd_files;
mod one_render;
mod presets;
mod progress;
mod service;
mod shared_bytes;
mod transforms;
mod uploads;
