//! A disk that is full passes: the task says so, and goes on when there is room.

use crate::bench::{Bench, SHARDS, single, succeed};
use std::{fs, path::PathBuf, process::Command};

/// A file system of so many KiB, gone with the test.
struct Disk(PathBuf);

impl Disk {
    fn of(folder: PathBuf, kib: usize) -> Self {
        fs::create_dir(&folder).expect("a folder");
        mount(&["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"], &folder);
        Self(folder)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], folder: &PathBuf) {
    succeed(Command::new("mount").args(arguments).arg(folder));
}

#[test]
fn a_full_disk_is_worth_repeating() {
    let bench = Bench::new();
    // Two records of some 150 KiB each, and not eight.
    let disk = Disk::of(bench.path().join("disk"), 500);
    let arguments = ["run", "study.toml", "--shard", "1/1", "--out", "disk/results", "--yes"];
    let full = bench.study(&arguments).output().expect("it runs");
    let told = String::from_utf8_lossy(&full.stderr);
    assert_eq!(full.status.code(), Some(75), "{told}");
    assert!(told.contains("No space left on device") && told.contains("hint: free some space"), "{told}");
    let there = |out: &str| fs::read_dir(bench.path().join(out).join("records")).map_or(0, Iterator::count);
    let before = there("disk/results");
    assert!((1..2 * SHARDS).contains(&before), "{before} records");
    mount(&["-o", "remount,size=64m"], &disk.0);
    succeed(&mut bench.study(&arguments));
    assert_eq!(there("disk/results"), 2 * SHARDS);
    assert_eq!(bench.fingerprints("disk/results"), single().fingerprints);
}
