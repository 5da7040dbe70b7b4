//! A panic is not survived by half.

use std::{env, process::Command, thread};

/// Says to the test's own program that it is the one that shall panic.
const CHILD: &str = "CCXRAY_TEST_PANICS";

#[test]
fn a_panic_on_any_thread_ends_the_process() {
    if env::var_os(CHILD).is_some() {
        ccxray_exporter::run::end_on_panic();
        let _ = thread::spawn(|| panic!("as a test")).join();
        // Not reached: the process has ended with 1, and a passed test would end it with 0.
        return;
    }
    let test = "a_panic_on_any_thread_ends_the_process";
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .env(CHILD, "1")
        .output()
        .unwrap()
        .status;
    assert_eq!(status.code(), Some(1));
}
