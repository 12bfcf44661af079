#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cronofy_webhook_fuzz::diagnosis(input));
