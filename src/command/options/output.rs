//! How results are printed.

use clap::Args;

/// How to print.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputArguments {
    /// Print the results as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress, only results and errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// `models` and `datasets`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Print JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}
