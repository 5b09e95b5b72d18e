//! The `mnist-study` command: parses, calls, prints. Everything it can do lives in the crates below it.

mod args;
mod bar;
#[cfg(test)]
mod book;
mod curves;
mod download;
mod events;
mod failure;
mod hints;
mod interrupt;
mod options;
mod output;
mod progress;
mod reproduce;
mod show;
mod targets;
mod trials;
mod verb;
mod verbs;

use args::Arguments;
use clap::{CommandFactory, FromArgMatches};
use std::{ffi::OsString, process::ExitCode, time::Instant};
use verb::Verb;

/// Carries out a command line, whose first word is the program's name, and says what the process is to end with. It sets the process's
/// hook for panics and its handlers of signals: a caller that is a library to others does not call it.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let process_start = Instant::now();
    std::panic::set_hook(Box::new(output::fault));
    interrupt::install();
    let matches = Arguments::command().try_get_matches_from(words);
    let parsed = matches.and_then(|matches| Ok((Verb::of(&matches), Arguments::from_arg_matches(&matches)?)));
    match parsed {
        Ok((verb, arguments)) => match verbs::carry_out(arguments, process_start) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => output::failure(&failure, &verb),
        },
        Err(words) => output::usage(&words),
    }
}
