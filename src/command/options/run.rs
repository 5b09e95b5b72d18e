//! How the runs of a comparison are made.

use super::values::{Show, threads};
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// How the runs of a comparison are made, and where their results go.
#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// Folder that the results go to
    #[arg(long, value_name = "DIR", default_value = "Results", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Train every run again, even where its record is in the folder
    #[arg(long)]
    pub(crate) fresh: bool,
    /// List the runs, which of them are recorded, and how long the others will take; train nothing, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Begin without asking, also where the runs will take longer than an hour
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Whether to show the plots: auto shows them when at a terminal
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Show::Auto)]
    pub(crate) show: Show,
    /// Also write what happens to this file or pipe, one JSON object a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) json_events: Option<PathBuf>,
    /// Threads to compute with; the results do not depend on it [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
}
