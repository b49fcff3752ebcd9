//! `cargo fuzz run bitmap`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::bitmap(data));
