//! Signals that ask for an end: Ctrl-C, and what terminals, service managers and batch systems send.
//!
//! A verb whose finished work is worth keeping holds a [`Finishing`] and asks [`requested`] after every step; it ends by
//! itself. Without one, the process ends at once, wherever it is. A second signal ends it at once in any case.

use crate::command::output;
use signal_hook::{consts::SIGINT, flag, low_level::signal_name};
use std::{
    ops::ControlFlow,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The signal that asked for an end; 0 before.
static SIGNAL: AtomicUsize = AtomicUsize::new(0);

/// Whether one did, set after [`SIGNAL`].
static REQUESTED: AtomicBool = AtomicBool::new(false);

static STATE: Mutex<State> = Mutex::new(State::AtOnce);

/// Who ends the process when it is asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The watcher.
    AtOnce,
    /// The verb, and the watcher where the verb takes longer than this.
    Finishing(Option<Duration>),
    /// The same, and it was asked to.
    Asked,
}

/// How often the watcher looks, a small part of the second within which a signal must be heard.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A verb that takes longer than this to end says that it has heard.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a process tells its parent when a signal ended it, by the shells' convention.
const EXIT_OFFSET: usize = 128;

/// Begins to listen. Where the system does not allow it, signals end the process at once, as without this.
pub(crate) fn install() {
    for signal in listened() {
        // In this order: the first signal must not yet find that one was there.
        let _ = flag::register_conditional_shutdown(signal, EXIT_OFFSET as i32 + signal, &REQUESTED);
        let _ = flag::register_usize(signal, &SIGNAL, signal as usize);
        let _ = flag::register(signal, &REQUESTED);
    }
    #[cfg(unix)]
    {
        // Heard by nobody: a write beyond the limit on file sizes then fails with an error that names the file.
        static BEYOND_LIMIT: AtomicBool = AtomicBool::new(false);
        let _ = flag::register(signal_hook::consts::SIGXFSZ, &BEYOND_LIMIT);
    }
    let _ = thread::Builder::new().name("signals".into()).spawn(watch);
}

/// Whether an end was asked for.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// What a listener answers: to stop where an end was asked for.
pub(crate) fn flow() -> ControlFlow<()> {
    if requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// 128 and the number of the signal.
pub(crate) fn exit_code() -> u8 {
    let signal = match SIGNAL.load(Ordering::SeqCst) {
        0 => SIGINT as usize,
        signal => signal,
    };
    u8::try_from(EXIT_OFFSET + signal).unwrap_or(u8::MAX)
}

/// While this is held, a verb ends by itself when it is asked to.
pub(crate) struct Finishing(());

/// The verb finishes its step, and what follows from those before, however long that takes.
pub(crate) fn finish_step() -> Finishing {
    finish(None)
}

/// The verb has so long to finish what it is at.
pub(crate) fn finish_within(limit: Duration) -> Finishing {
    finish(Some(limit))
}

fn finish(limit: Option<Duration>) -> Finishing {
    let mut state = state();
    if *state == State::AtOnce {
        *state = State::Finishing(limit);
    }
    Finishing(())
}

impl Drop for Finishing {
    fn drop(&mut self) {
        let mut state = state();
        // A verb that was asked to end is on its way to say so, also where the watcher has not looked since.
        if matches!(*state, State::Finishing(_)) {
            *state = if requested() { State::Asked } else { State::AtOnce };
        }
    }
}

/// The verb is about to say that it was interrupted: from now on the watcher does not, and if it does already, this waits
/// for the end.
pub(crate) fn last_words() {
    *state() = State::Asked;
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the signal, and sees to the end where the verb does not.
fn watch() {
    while !requested() {
        thread::sleep(LOOK_EVERY);
    }
    let heard = Instant::now();
    let limit = {
        let mut state = state();
        match *state {
            State::AtOnce => end(),
            State::Finishing(limit) => {
                *state = State::Asked;
                limit
            }
            State::Asked => None,
        }
    };
    thread::sleep(limit.unwrap_or(PATIENCE).saturating_sub(heard.elapsed()));
    if limit.is_some() {
        end();
    }
    output::note(&format!("{}: ending after the current step; a second signal ends at once", name()));
}

fn end() -> ! {
    output::error_line(&format!("interrupted by {}", name()));
    output::line("hint: run the same command again");
    std::process::exit(i32::from(exit_code()))
}

fn name() -> &'static str {
    let signal = SIGNAL.load(Ordering::SeqCst);
    i32::try_from(signal).ok().and_then(signal_name).unwrap_or("a signal")
}

/// What is listened for. What the parent had set to be ignored stays so, as under `nohup`, but for Ctrl-C: shells set
/// that for whatever a script begins in the background, where nobody has asked for it.
#[cfg(unix)]
fn listened() -> Vec<i32> {
    use signal_hook::consts::{SIGHUP, SIGTERM, SIGUSR1, SIGXCPU};
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let is_ignored: Box<dyn Fn(i32) -> bool> = match ignored(&status) {
        Some(mask) => Box::new(move |signal| mask >> (signal - 1) & 1 == 1),
        // Where the system does not tell, what `nohup` is about is left as it was found.
        None => Box::new(|signal| signal == SIGHUP),
    };
    let others = [SIGHUP, SIGTERM, SIGUSR1, SIGXCPU].into_iter().filter(|signal| !is_ignored(*signal));
    std::iter::once(SIGINT).chain(others).collect()
}

#[cfg(not(unix))]
fn listened() -> Vec<i32> {
    vec![SIGINT, signal_hook::consts::SIGTERM]
}

/// The ignored signals as bits, the first signal lowest, from the text of Linux's /proc/self/status.
#[cfg(unix)]
fn ignored(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::{REQUESTED, State, finish_step, ignored, state};
    use signal_hook::consts::{SIGHUP, SIGTERM};
    use std::sync::atomic::Ordering;

    /// Between a signal and the watcher's next look a verb may come to its end: it has the last word all the same.
    #[test]
    fn a_verb_that_ends_before_the_watcher_looks_has_the_last_word() {
        drop(finish_step());
        assert_eq!(*state(), State::AtOnce, "nobody asked");
        let finishing = finish_step();
        REQUESTED.store(true, Ordering::SeqCst);
        drop(finishing);
        assert_eq!(*state(), State::Asked);
        REQUESTED.store(false, Ordering::SeqCst);
        *state() = State::AtOnce;
    }

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        let mask = ignored("Name:\tsh\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0\n");
        assert_eq!(mask, Some(1 << (SIGHUP - 1) | 1 << 12));
        assert_eq!(mask.map(|mask| mask >> (SIGTERM - 1) & 1), Some(0));
        assert_eq!(ignored("Name:\tsh\n"), None);
    }
}
