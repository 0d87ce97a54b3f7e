#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| segrad_fuzz::distance::check(bytes));
