//! Which clocks may be compared.

use records::record::{Environment, RunRecord};
use serde::Serialize;

/// What two clocks must share to be compared: processor, threads, kernels, operating system and version of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MachineKind<'a> {
    /// The processor's name.
    pub cpu: &'a str,
    /// Threads that computed.
    pub threads: usize,
    /// The instruction set of the kernels.
    pub kernels: &'a str,
    /// The operating system.
    pub operating_system: &'a str,
    /// Of this program.
    pub version: &'a str,
}

impl<'a> MachineKind<'a> {
    /// That of a run.
    pub fn of(run: &'a RunRecord) -> Self {
        let Environment { cpu, threads, kernels, operating_system, version, .. } = &run.environment;
        Self { cpu, threads: *threads, kernels, operating_system, version }
    }

    /// Each once, in the order of the runs.
    pub fn all(runs: impl IntoIterator<Item = &'a RunRecord>) -> Vec<Self> {
        let mut kinds = Vec::new();
        for kind in runs.into_iter().map(Self::of) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }
}
