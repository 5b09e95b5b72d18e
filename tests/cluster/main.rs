//! Shards of a study under the schedulers that people have: a Slurm of one node, a HyperQueue, a pod's command and GNU parallel, each
//! with the job file that `mnist-study script` prints. Tasks are killed in mid-run and repeated; the bits are those of one process.
//! `.ci/install` installs Slurm, munge and GNU parallel where they are missing; Python's packages go below the target folder, by
//! `requirements.txt`.
#![cfg(target_os = "linux")]

mod bench;
mod disk;
#[path = "../python/environment.rs"]
mod environment;
mod hyperqueue;
mod kubernetes;
mod merged;
mod parallel;
mod python;
mod slurm;
