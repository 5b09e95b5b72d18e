//! Ctrl-C: the first asks for an end after the current step, the second ends at once.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Exit code of a program that the user interrupted, by the shells' convention.
const INTERRUPTED: i32 = 130;

/// Begins to listen. Where the system does not allow it, Ctrl-C ends the program at once, as without this.
pub(crate) fn install() {
    let _ = ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
    });
}

/// Whether the user has asked for an end.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
