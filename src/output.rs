//! Writing to stdout, which carries results, and stderr, which carries everything else.

#![expect(clippy::print_stderr, reason = "the one place that prints diagnostics")]

use crate::failure::Failure;
use std::io::Write;

/// Results. A reader that has gone away, as in `mnist-study | head`, is not a failure of ours.
///
/// # Errors
/// When stdout takes no more for another reason, such as a full disk.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("standard output: {error}"), "send it elsewhere, or free some space"))
        }
        _ => Ok(()),
    }
}

/// A remark that is no failure.
pub(crate) fn note(text: &str) {
    eprintln!("note: {text}");
}

/// A question, whose answer follows on its line.
pub(crate) fn question(text: &str) {
    eprint!("{text}");
}

/// One `error:` line and one `hint:` line.
pub(crate) fn failure(failure: &Failure) {
    eprintln!("error: {}", failure.message);
    if let Some(hint) = &failure.hint {
        eprintln!("hint: {hint}");
    }
}
