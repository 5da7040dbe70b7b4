#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ccxray_fuzz_targets::answer::responses(data));
