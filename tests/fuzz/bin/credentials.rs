#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| taskcluster_fuzz::run("credentials", input));
