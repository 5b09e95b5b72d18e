//! The `mnist-study` command, which is [`mnist_study::command`].

use std::process::ExitCode;

fn main() -> ExitCode {
    mnist_study::command::main(std::env::args_os())
}
