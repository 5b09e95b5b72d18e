//! Which clocks may be compared.

use crate::Run;
use records::record::Environment;
use serde::Serialize;
use std::fmt;

/// What two clocks must share to be compared: processor, threads, kernels, operating system, version of this program, and how many runs were
/// made side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MachineKind<'a> {
    /// The processor's name.
    pub cpu: &'a str,
    /// Threads that computed.
    pub threads: Option<usize>,
    /// The instruction set of the kernels.
    pub kernels: &'a str,
    /// The operating system.
    pub operating_system: &'a str,
    /// Of this program.
    pub version: &'a str,
    /// How many runs were made side by side, where they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<usize>,
}

impl fmt::Display for MachineKind<'_> {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self.threads {
            Some(threads) => write!(out, "{} with {threads} threads and {} kernels", self.cpu, self.kernels)?,
            None => out.write_str(self.cpu)?,
        }
        match self.jobs {
            Some(jobs) => write!(out, ", {jobs} runs side by side"),
            None => Ok(()),
        }
    }
}

impl<'a> MachineKind<'a> {
    /// That of a run of this program.
    pub fn of(environment: &'a Environment) -> Self {
        let Environment { cpu, threads, kernels, operating_system, version, jobs, .. } = environment;
        Self { cpu, threads: Some(*threads), kernels, operating_system, version, jobs: *jobs }
    }

    /// That of another program's run, as it was stated.
    pub fn named(cpu: &'a str) -> Self {
        Self { cpu, threads: None, kernels: "", operating_system: "", version: "", jobs: None }
    }

    /// Of a run whose seconds are known, and not where they were taken.
    pub const UNSTATED: Self =
        Self { cpu: "not stated", threads: None, kernels: "", operating_system: "", version: "", jobs: None };

    /// Each once, in the order of the runs; without that of runs of which it is not known.
    pub fn all<'b>(runs: impl IntoIterator<Item = &'b Run<'a>>) -> Vec<Self>
    where
        'a: 'b,
    {
        let mut kinds = Vec::new();
        for kind in runs.into_iter().filter_map(|run| run.machine) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }
}
