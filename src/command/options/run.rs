//! How the runs of a comparison are made.

use super::{
    ShardChoice,
    values::{KeepModels, Show, threads},
};
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
    /// List the runs with their identities, which of them are recorded, and how long the others will take; train nothing, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Train only shard I of N (counted from 1); all shards together make up the study. auto: take the shard from the variables of a
    /// task of Slurm, HyperQueue or Kubernetes; the verb `script` prints job files
    #[arg(long, value_name = "I/N|auto", conflicts_with_all = ["only", "fresh"])]
    pub(crate) shard: Option<ShardChoice>,
    /// Train only this run, by its identity or the beginning of it, as --dry-run lists them; may be given several times
    #[arg(long, value_name = "ID")]
    pub(crate) only: Vec<String>,
    /// Train N runs at a time, each on its share of the threads. The results are the same, and each run takes longer: for machines with
    /// more processors than a small network can use
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), default_value_t = 1)]
    pub(crate) jobs: u16,
    /// Which of the runs trained here keep their final weights, in DIR/models, for `predict`, `evaluate` and `export`
    #[arg(long, value_enum, value_name = "RUNS", default_value_t = KeepModels::Last)]
    pub(crate) keep_models: KeepModels,
    /// Begin without asking, also where the runs will take longer than an hour
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Whether to show the plots: auto shows them when at a terminal
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Show::Auto)]
    pub(crate) show: Show,
    /// Also write what happens to this file or pipe, one JSON object a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) json_events: Option<PathBuf>,
    /// Threads to compute with; the results do not depend on it [default: as OMP_NUM_THREADS or SLURM_CPUS_PER_TASK says, else one for
    /// each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
}
