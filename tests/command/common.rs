//! A small data set and the command.

use assert_cmd::Command;
use std::{
    path::Path,
    process::{Child, Stdio},
};
use tempfile::TempDir;

/// A folder with a small learnable set in `data`, removed at the end.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let corpus = data::synthetic(5, 240, 60, 14, 12, 3);
        data::write_directory(&corpus, &folder.path().join("data")).expect("the set is written");
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The command in this folder, as a script would call it; it keeps data sets in `cache` and reaches no network.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("mnist-study").expect("the command is built");
        command.current_dir(self.path()).env_remove("MNIST_STUDY_KERNELS").args(arguments);
        // Port 9 is for throwing bytes away: where anybody listens at all, it is not to HTTP.
        command.env("MNIST_STUDY_DATA", "cache").env("MNIST_STUDY_MIRROR", "http://127.0.0.1:9/copies");
        command
    }

    /// A comparison of a few seconds at most, into `out`.
    pub(crate) fn compare(&self, out: &str, more: &[&str]) -> Command {
        let mut command =
            self.command(&["compare", "--dataset", "data", "--epochs", "2", "--batch-size", "32"]);
        command.args(["--seeds", "2", "--out", out]).args(more);
        command
    }

    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.path().join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn json(&self, path: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(path)).expect("JSON")
    }

    /// Each run's model, seed and fingerprint.
    pub(crate) fn fingerprints(&self, out: &str) -> Vec<(String, u64, String)> {
        let summary = self.json(&format!("{out}/summary.json"));
        let models = summary["models"].as_array().expect("models");
        models
            .iter()
            .flat_map(|model| model["runs"].as_array().expect("runs").iter().map(move |run| (model, run)))
            .map(|(model, run)| {
                let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
                (text(&model["name"]), run["seed"].as_u64().expect("a seed"), text(&run["fingerprint"]))
            })
            .collect()
    }

    /// The files of a folder, sorted.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path().join(folder)).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// What a finished command said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What a command said that went on beside others, once it has ended.
pub(crate) fn end(child: Child) -> Said {
    let output = child.wait_with_output().expect("it ends");
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Begins a command that goes on beside others.
pub(crate) fn start(bench: &Bench, arguments: &[&[&str]]) -> Child {
    std::process::Command::new(assert_cmd::cargo::cargo_bin("mnist-study"))
        .current_dir(bench.path())
        .env_remove("MNIST_STUDY_KERNELS")
        .args(arguments.concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs")
}

/// Sends a signal to a command that goes on beside others.
pub(crate) fn send(signal: &str, process: &Child) {
    let sent =
        std::process::Command::new("kill").args([format!("-{signal}"), process.id().to_string()]).status();
    assert!(sent.expect("kill").success(), "SIG{signal}: the process is there");
}

/// Runs the command. Whatever test it is called by, a hint that comes out of it names only options that there are.
pub(crate) fn said(command: &mut Command) -> Said {
    let output = command.output().expect("the command runs");
    let said = Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    };
    if let Some((_, hint)) = said.stderr.split_once("\nhint: ") {
        let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
        if command.get_program() == assert_cmd::cargo::cargo_bin("mnist-study") {
            check_hint(hint, &arguments.collect::<Vec<_>>());
        }
    }
    said
}

/// The options of a hint are those of the verb that failed, but in commands between backticks, which name their verb.
fn check_hint(hint: &str, arguments: &[String]) {
    let failed = verb(arguments.iter().map(String::as_str));
    for (index, part) in hint.split('`').enumerate() {
        let words = || part.split_whitespace();
        let verb = match words().next() {
            Some("mnist-study") if index % 2 == 1 => verb(words().skip(1)),
            _ => failed.clone(),
        };
        let help = |verb: &[&str]| {
            let mut command = Command::cargo_bin("mnist-study").expect("the command is built");
            let output = command.args(verb).arg("--help").output().expect("the command runs");
            String::from_utf8(output.stdout).expect("text")
        };
        for option in words().filter(|word| word.starts_with("--")) {
            let option = option.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let verb: Vec<&str> = verb.iter().map(String::as_str).collect();
            let there = help(&verb).split_whitespace().any(|word| word.trim_end_matches(',') == option);
            assert!(option == "--help" || there, "`{}` has no {option}: hint: {hint}", verb.join(" "));
        }
    }
}

/// The verb at the head of a command's arguments; none where they are those of `compare`, which needs none.
fn verb<'a>(arguments: impl Iterator<Item = &'a str>) -> Vec<String> {
    const VERBS: [&str; 19] = [
        "compare",
        "train",
        "evaluate",
        "predict",
        "export",
        "run",
        "judge",
        "import",
        "report",
        "status",
        "merge",
        "script",
        "verify",
        "tune",
        "speedrun",
        "bench",
        "models",
        "datasets",
        "completions",
    ];
    let mut arguments = arguments.map(str::to_owned).peekable();
    let mut verb: Vec<String> =
        arguments.next_if(|word| VERBS.contains(&word.as_str())).into_iter().collect();
    if verb == ["datasets"] {
        verb.extend(arguments.next_if(|word| word == "fetch" || word == "inspect"));
    }
    verb
}
