//! The black-box suite: one binary, one module per subject, real HTTP, the app as it is built.
//!
//! Tests share running instances, so each uses names and pictures of its own and none counts on being alone, except
//! where it starts an instance for itself.

mod asset_lists;
mod assets;
mod batch;
mod broken_files;
mod categories;
mod category_changes;
mod crash;
mod delivery;
mod dialects;
mod downloads;
mod events;
mod faults_clients;
mod faults_disk_full;
mod faults_killed;
mod faults_messages;
mod faults_rebuild;
mod faults_redis;
mod faults_sources;
mod faults_stopped;
mod filters;
mod forbidden_sources;
mod formats_in;
mod formats_out;
mod geometry;
mod idempotency;
mod iiif;
mod images;
mod leftovers;
mod lists;
mod looks;
mod negotiation;
mod odd_files;
mod one_render;
mod overload;
mod presets;
mod progress;
mod same_bytes;
mod schema;
mod service;
mod shared_bytes;
mod transforms;
mod uploads;
