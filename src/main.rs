//! The `mnist-study` command: parses, calls, prints. Everything it can do lives in the crates below it.

mod args;
mod commands;
mod failure;
mod interrupt;
mod output;
mod progress;
mod show;
mod trials;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    interrupt::install();
    match commands::carry_out(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::failure(&failure);
            failure.exit_code()
        }
    }
}
