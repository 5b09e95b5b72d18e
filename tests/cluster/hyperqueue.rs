//! A HyperQueue of one worker, which belongs to the test.

use crate::{
    bench::{Bench, SHARDS, own_file, single, succeed},
    python::python,
};
use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

/// A running server with a worker, stopped at the end.
struct HyperQueue {
    process: Child,
    /// Open, so that the server can go on writing.
    output: BufReader<ChildStdout>,
}

impl HyperQueue {
    /// With a core for each shard, whatever the machine has. Tasks find on their path what the worker finds.
    fn start(bench: &Bench) -> Self {
        let mut serve = script(bench, "serve");
        serve.arg(SHARDS.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = serve.spawn().expect("HyperQueue");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut started = Self { process, output };
        let mut said = String::new();
        while !said.ends_with("ready\n") {
            let read = started.output.read_line(&mut said).expect("text");
            assert!(read > 0, "HyperQueue did not start: {said}");
        }
        started
    }
}

impl Drop for HyperQueue {
    /// It ends when its standard input does.
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// The script that serves and submits, in the folder of a bench, with the server's folder in that.
fn script(bench: &Bench, verb: &str) -> Command {
    let mut command = bench.command(python());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg(own_file("one_worker.py")).arg(verb).arg(bench.path().join("server"));
    command
}

#[test]
fn failed_tasks_are_submitted_again_with_the_same_bits() {
    let bench = Bench::new();
    bench.script("hyperqueue", "hyperqueue.sh");
    let _running = HyperQueue::start(&bench);
    let mut submit = script(&bench, "submit");
    let submitted = submit.arg("hyperqueue.sh").stdout(Stdio::piped()).spawn().expect("it runs");
    bench.interrupt(2, "KILL");
    bench.interrupt(3, "TERM");
    let output = submitted.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2\n3\n", "the tasks that failed");
    assert_eq!(bench.status("shared"), Some(75), "runs are missing");

    let failed = succeed(script(&bench, "submit").args(["hyperqueue.sh", "--array=2,3"]));
    assert_eq!(failed, "");
    assert_eq!(bench.status("shared"), Some(0));
    assert_eq!(bench.fingerprints("shared"), single().fingerprints);
}
