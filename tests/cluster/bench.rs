//! A folder with a small study, and what one process makes of it.

pub(crate) use crate::environment::succeed;
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The command under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_mnist-study");

/// Shards of the study: a pair of runs each.
pub(crate) const SHARDS: usize = 4;

/// Eight runs of a second or less, on one core.
pub(crate) const STUDY: &str = r#"title = "Tasks of a cluster"
models = ["convolution", "another"]
seeds = 4

[recipe]
epochs = 1

[model.convolution]
layers = ["conv 8 3x3", "relu", "maxpool 2", "flatten", "dense classes"]

[model.another]
layers = ["conv 8 5x5 stride 2", "relu", "flatten", "dense classes"]
"#;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A signal that comes so long after a task's begin finds it in its first run.
const IN_MID_RUN: Duration = Duration::from_millis(300);

/// Each run's model, seed and fingerprint.
pub(crate) type Fingerprints = BTreeMap<(String, u64), String>;

/// What one process makes of the study.
#[derive(Debug)]
pub(crate) struct Single {
    /// Of each run.
    pub(crate) fingerprints: Fingerprints,
    /// What each record says of the test images, by the record's file name.
    pub(crate) tests: BTreeMap<String, serde_json::Value>,
}

/// A folder with the study in it, removed at the end.
#[derive(Debug)]
pub(crate) struct Bench {
    _folder: TempDir,
    /// Its path as processes have it.
    path: PathBuf,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().canonicalize().expect("its path");
        fs::write(path.join("study.toml"), STUDY).expect("the study");
        Self { _folder: folder, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A command in this folder, which finds `mnist-study` on its path.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let own = Path::new(PROGRAM).parent().expect("a folder").to_path_buf();
        let others = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(std::iter::once(own).chain(env::split_paths(&others))).expect("a path");
        let mut command = Command::new(program.as_ref());
        command.current_dir(&self.path).env("PATH", path);
        command.env_remove("MNIST_STUDY_KERNELS").env_remove("OMP_NUM_THREADS");
        command
    }

    /// `mnist-study` in this folder.
    pub(crate) fn study(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(PROGRAM);
        command.args(arguments);
        command
    }

    /// Has the job file of a scheduler printed into `file`, for results in `shared`.
    pub(crate) fn script(&self, scheduler: &str, file: &str) {
        let shards = SHARDS.to_string();
        let printed = succeed(&mut self.study(&[
            "script",
            scheduler,
            "study.toml",
            "--shards",
            &shards,
            "--threads",
            "1",
            "--out",
            "shared",
        ]));
        fs::write(self.path.join(file), printed).expect("the job file");
    }

    /// How `status` ends for a folder of results.
    pub(crate) fn status(&self, out: &str) -> Option<i32> {
        self.study(&["status", out]).output().expect("it runs").status.code()
    }

    /// Each run's fingerprint, as `report` tells them.
    pub(crate) fn fingerprints(&self, out: &str) -> Fingerprints {
        succeed(&mut self.study(&["report", out]));
        let summary = read_json(&self.path.join(out).join("summary.json"));
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
        let mut fingerprints = Fingerprints::new();
        for model in list(&summary["models"]) {
            for run in list(&model["runs"]) {
                let key = (text(&model["name"]), run["seed"].as_u64().expect("a seed"));
                fingerprints.insert(key, text(&run["fingerprint"]));
            }
        }
        fingerprints
    }

    /// What the records of a folder say of the test images, by their file names.
    pub(crate) fn tests(records: &Path) -> BTreeMap<String, serde_json::Value> {
        let entries = fs::read_dir(records).expect("records").map(|entry| entry.expect("an entry").path());
        let records = entries.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        records
            .map(|path| {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                (name, read_json(&path)["test"].clone())
            })
            .collect()
    }

    /// What is in the files of this folder whose names end so.
    pub(crate) fn read_all(&self, ending: &str) -> String {
        let entries = fs::read_dir(&self.path).expect("a folder");
        let found = entries.map(|entry| entry.expect("an entry").path());
        let found = found.filter(|path| path.to_string_lossy().ends_with(ending));
        found.map(|path| fs::read_to_string(path).expect("text")).collect()
    }

    /// Sends a signal to the program that trains a shard from this folder, in mid-run.
    pub(crate) fn interrupt(&self, shard: usize, signal: &str) {
        let shard = format!("{shard}/{SHARDS}");
        let process = wait_for(|| format!("shard {shard} begins"), || self.process(&shard));
        thread::sleep(IN_MID_RUN);
        let sent = Command::new("kill").args([format!("-{signal}"), process.to_string()]).status();
        assert!(sent.expect("kill").success(), "shard {shard} is still running");
    }

    /// The program that trains a shard from this folder.
    fn process(&self, shard: &str) -> Option<u32> {
        fs::read_dir("/proc").expect("processes").find_map(|entry| {
            let entry = entry.ok()?;
            let process = entry.file_name().to_str()?.parse().ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            let is_here = fs::read_link(entry.path().join("cwd")).is_ok_and(|folder| folder == self.path);
            let is_program = words.first().is_some_and(|word| word.ends_with(b"mnist-study"));
            let is_shard = words.windows(2).any(|pair| pair[0] == b"--shard" && pair[1] == shard.as_bytes());
            (is_here && is_program && is_shard).then_some(process)
        })
    }
}

/// What one process makes of the study, without a scheduler.
pub(crate) fn single() -> &'static Single {
    static SINGLE: OnceLock<Single> = OnceLock::new();
    SINGLE.get_or_init(|| {
        let bench = Bench::new();
        succeed(&mut bench.study(&["run", "study.toml", "--out", "single", "--quiet", "--yes"]));
        let fingerprints = bench.fingerprints("single");
        assert_eq!(fingerprints.len(), 2 * SHARDS, "{fingerprints:?}");
        Single { fingerprints, tests: Bench::tests(&bench.path().join("single/records")) }
    })
}

/// Waits until there is an answer.
///
/// # Panics
/// With what was waited for, when there is none in time.
pub(crate) fn wait_for<T>(what: impl Fn() -> String, mut answer: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {}", what());
        thread::sleep(Duration::from_millis(100));
    }
}

/// A program of Debian's, installed where it is not there.
///
/// # Panics
/// When it is missing all the same.
pub(crate) fn needs(program: &str) {
    let is_there = || Command::new(program).arg("--version").output().is_ok();
    if !is_there() {
        let install = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/install");
        let installed = Command::new(install).arg("cluster").status();
        assert!(
            installed.is_ok_and(|status| status.success()) && is_there(),
            "{program} is missing: run `.ci/install cluster` as root, on a system with Debian's packages"
        );
    }
}

/// A file of the repository's tests of clusters.
pub(crate) fn own_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster").join(name)
}

fn read_json(path: &Path) -> serde_json::Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}
