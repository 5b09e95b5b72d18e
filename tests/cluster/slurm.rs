//! A Slurm of one node, which belongs to the test.

use crate::bench::{Bench, SHARDS, own_file, single, succeed, wait_for};
use std::{path::PathBuf, process::Command};
use tempfile::TempDir;

/// A running Slurm, stopped at the end.
struct Slurm {
    folder: TempDir,
}

impl Slurm {
    /// With a core for each shard, whatever the machine has.
    fn start() -> Self {
        // Sockets have short paths, so it is not below the target folder.
        let slurm = Self { folder: tempfile::tempdir().expect("a folder") };
        let numbers = [SHARDS.to_string(), std::process::id().to_string()];
        succeed(slurm.own("start").args(numbers));
        slurm
    }

    /// The script that starts and stops it.
    fn own(&self, verb: &str) -> Command {
        let mut command = Command::new(own_file("slurm-one-node"));
        command.arg(verb).arg(self.folder.path());
        command
    }

    /// One of Slurm's commands, in the folder of a bench.
    fn command(&self, bench: &Bench, program: &str, arguments: &[&str]) -> Command {
        let mut command = bench.command(program);
        command.args(arguments).env("SLURM_CONF", self.configuration());
        command
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("its path").join("slurm.conf")
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let _ = self.own("stop").output();
    }
}

#[test]
fn interrupted_tasks_are_repeated_with_the_same_bits() {
    let bench = Bench::new();
    bench.script("slurm", "slurm.sh");
    let slurm = Slurm::start();
    let job = succeed(&mut slurm.command(&bench, "sbatch", &["--parsable", "slurm.sh"])).trim().to_owned();
    bench.interrupt(2, "KILL");
    bench.interrupt(3, "TERM");

    // A task that a person cancels is not repeated by itself.
    let cancelled = format!("{job}_{SHARDS}");
    succeed(&mut slurm.command(&bench, "scancel", &[&cancelled]));
    let log = || bench.read_all(&format!("-{cancelled}.log"));
    wait_for(log, || {
        let tasks = succeed(&mut slurm.command(&bench, "squeue", &["--noheader", "--format=%i"]));
        (!tasks.lines().any(|task| task.trim() == cancelled)).then_some(())
    });
    assert!(log().contains("CANCELLED") && !log().contains("will repeat"), "{}", log());
    let again = format!("--array={SHARDS}");
    succeed(&mut slurm.command(&bench, "sbatch", &[&again, "slurm.sh"]));

    wait_for(|| bench.read_all(".log"), || (bench.status("shared") == Some(0)).then_some(()));
    for (task, code) in [(2, 137), (3, 143)] {
        let log = bench.read_all(&format!("-{job}_{task}.log"));
        assert!(log.contains(&format!("ended with {code}: Slurm will repeat this task")), "{log}");
    }
    assert_eq!(bench.fingerprints("shared"), single().fingerprints);
}
