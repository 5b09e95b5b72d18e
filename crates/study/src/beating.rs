//! Work that others can see goes on, and looks at what they do meanwhile.

use records::folder::{BEAT, Claim};
use std::{
    ops::ControlFlow,
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// How long to wait before looking again whether another program has made something, at first and at most.
pub(crate) const LOOK_AGAIN: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(3200)];

/// Does work while others are told that it goes on.
pub(crate) fn beating<R>(claim: &Claim, work: impl FnOnce() -> R) -> R {
    thread::scope(|scope| {
        let (done, end) = channel::<()>();
        scope.spawn(move || {
            while end.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                // Silence costs others nothing but the time of what they make as well.
                let _ = claim.beat();
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// Waits so long, and asks all the while whether to go on.
pub(crate) fn wait(length: Duration, mut ask: impl FnMut() -> ControlFlow<()>) -> ControlFlow<()> {
    let end = Instant::now() + length;
    loop {
        ask()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return ControlFlow::Continue(());
        }
        thread::sleep(left.min(LOOK_AGAIN[0]));
    }
}
