//! `cargo fuzz run dialects`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::dialects(data));
