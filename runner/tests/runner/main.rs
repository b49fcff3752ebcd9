//! The runner as a program: started with a manifest, spoken to over HTTP, told to stop.

mod config;
mod dependencies;
mod filters;
mod http;
mod instances;
mod key_value;
mod outbound;
mod redis;
mod stopping;
mod support;
