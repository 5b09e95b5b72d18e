//! The `mnist-study` command: parses, calls, prints. Everything it can do lives in the crates below it.

mod args;
mod bar;
#[cfg(test)]
mod book;
mod commands;
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

use args::Arguments;
use clap::{CommandFactory, FromArgMatches};
use std::{process::ExitCode, time::Instant};
use verb::Verb;

fn main() -> ExitCode {
    let process_start = Instant::now();
    std::panic::set_hook(Box::new(output::fault));
    interrupt::install();
    let matches = Arguments::command().try_get_matches();
    let parsed = matches.and_then(|matches| Ok((Verb::of(&matches), Arguments::from_arg_matches(&matches)?)));
    match parsed {
        Ok((verb, arguments)) => match commands::carry_out(arguments, process_start) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => output::failure(&failure, &verb),
        },
        Err(words) => output::usage(&words),
    }
}
