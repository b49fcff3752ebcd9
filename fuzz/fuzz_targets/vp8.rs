//! `cargo fuzz run vp8`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::vp8(data));
