//! `cargo fuzz run tiff`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::tiff(data));
