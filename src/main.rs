//! The `mnist-study` command: parses, calls, prints. Everything it can do lives in the crates below it.

mod args;
mod commands;
mod download;
mod failure;
mod interrupt;
mod output;
mod progress;
mod show;
mod trials;

use clap::Parser;
use std::{process::ExitCode, time::Instant};

fn main() -> ExitCode {
    let process_start = Instant::now();
    let arguments = args::Arguments::parse();
    interrupt::install();
    match commands::carry_out(arguments, process_start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::failure(&failure);
            failure.exit_code()
        }
    }
}
