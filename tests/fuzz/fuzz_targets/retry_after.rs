#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ccxray_fuzz_targets::exporter::retry_after(data));
