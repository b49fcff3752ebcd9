//! `cargo fuzz run jxl`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::jxl(data));
