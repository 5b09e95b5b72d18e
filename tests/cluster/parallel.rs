//! GNU parallel.

use crate::bench::{Bench, needs, single, succeed};
use std::{fs::File, process::Stdio};

#[test]
fn failed_shards_are_resumed_with_the_same_bits() {
    needs("parallel");
    let bench = Bench::new();
    bench.script("parallel", "parallel.sh");
    let log = File::create(bench.path().join("first.log")).expect("a file");
    let mut first = bench.command("bash");
    first.arg("parallel.sh").stdin(Stdio::null());
    first.stdout(log.try_clone().expect("a file")).stderr(log);
    let mut first = first.spawn().expect("it runs");
    bench.interrupt(1, "KILL");
    bench.interrupt(2, "TERM");
    let failed = first.wait().expect("it ends").code();
    assert_eq!(failed, Some(1), "{}", bench.read_all(".log"));
    assert_eq!(bench.status("shared"), Some(75), "runs are missing");

    let resumed = succeed(bench.command("bash").arg("parallel.sh").stdin(Stdio::null()));
    assert_eq!(bench.status("shared"), Some(0), "{resumed}");
    assert_eq!(bench.fingerprints("shared"), single().fingerprints);
}
