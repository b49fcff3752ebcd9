//! `cargo fuzz run webp`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::webp(data));
