//! The wheel: built by maturin as tests are built, installed into environments that know no Rust, and used there.

use crate::environment::{fresh, pip, root, succeed, with_requirements};
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// What builds the wheel; a build tool, which the wheel's users do not need.
const MATURIN: &str = "maturin==1.16.0";

/// The features that the tests' wheel is built with.
const FEATURES: &[&str] = &["--features", "as-in-tests"];

/// The interpreter of an environment with everything in `requirements.txt`, the wheel not among it.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| with_requirements("python"))
}

/// The wheel of this state of the sources.
fn wheel() -> &'static Path {
    static WHEEL: OnceLock<PathBuf> = OnceLock::new();
    WHEEL.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheel");
        let tool = folder.join("maturin");
        let maturin = tool.join("bin/maturin");
        let version = Command::new(&maturin).arg("--version").output();
        let is_there = version
            .is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim().replace(' ', "==") == MATURIN);
        if !is_there {
            succeed(pip(&fresh(&tool)).arg(MATURIN));
        }
        let out = folder.join("out");
        let _ = fs::remove_dir_all(&out);
        // What the tests are made of is compiled already, by this profile.
        let mut build = Command::new(&maturin);
        build.args(["build", "--profile", "dev", "--locked"]).args(FEATURES).arg("--out").arg(&out);
        // What Cargo tells a test of its package: a build script that asks for such a variable (ring's does) would run again, and all
        // that rests on it be compiled again.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text == "OUT_DIR"
                || ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|start| text.starts_with(start))
            {
                build.env_remove(&name);
            }
        }
        succeed(build.current_dir(root().join("crates/python")));
        let mut wheels = fs::read_dir(&out).expect("a folder").map(|entry| entry.expect("an entry").path());
        let wheel = wheels.next().expect("a wheel");
        assert!(wheel.to_string_lossy().contains("-cp311-abi3-"), "{}", wheel.display());
        wheel
    })
}

/// A command of an environment without Rust: nothing of a path but the environment's own commands.
fn alone(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", program.parent().expect("a folder"))
        .env("HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Runs tests of pytest, in a folder of their own.
fn pytest(python: &Path, files: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut pytest = alone(python);
    pytest.args(["-m", "pytest", "-q", "-W", "error::UserWarning:mnist_study", "-p", "no:cacheprovider"]);
    pytest.args(files.iter().map(|file| root().join("tests/python").join(file)));
    pytest.env("MNIST_STUDY", env!("CARGO_BIN_EXE_mnist-study")).env("ROOT", root());
    succeed(pytest.current_dir(folder.path()));
}

/// The environment with everything, and this wheel in it.
fn everything() -> &'static Path {
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| {
        succeed(pip(python()).args(["--no-deps", "--force-reinstall"]).arg(wheel()));
    });
    python()
}

#[test]
fn it_needs_nothing_but_python() {
    let bare = fresh(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("bare"));
    succeed(pip(&bare).arg("--no-index").arg(wheel()));
    let said = succeed(alone(&bare).arg(root().join("tests/python/bare.py")));
    assert!(said.contains("all well"), "{said}");
    let command = bare.with_file_name("mnist-study");
    let help = succeed(alone(&command).arg("--help"));
    assert!(help.contains("judge") && help.contains("compare"), "{help}");
    let refused = alone(&command).args(["judge", "nowhere"]).output().expect("it runs");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("error: "), "{refused:?}");
}

#[test]
fn it_does_what_its_documentation_says() {
    pytest(
        everything(),
        &["test_arrays.py", "test_verdict.py", "test_run.py", "test_training.py", "test_docs.py"],
    );
}

/// What the wheel is made of is compiled already: a package with other features would be compiled again, and all that rests on it.
#[test]
fn it_is_built_from_what_the_tests_are() {
    let packages = |of: &[&str]| -> BTreeSet<String> {
        let mut tree = Command::new(env!("CARGO"));
        tree.args(["tree", "--locked", "--prefix", "none", "--format", "{p}, features: {f}"]).args(of);
        let tree = succeed(tree.current_dir(root()));
        tree.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
    };
    let tests = packages(&["--workspace", "--edges", "normal,build,dev"]);
    let wheel =
        packages(&[FEATURES, &["--edges", "normal,build", "--package", "mnist-study-python"]].concat());
    let others: Vec<_> =
        wheel.difference(&tests).filter(|line| !line.starts_with("mnist-study-python ")).collect();
    assert!(wheel.len() > 100 && others.is_empty(), "crates/python/Cargo.toml, as-in-tests: {others:#?}");
}

#[test]
fn its_types_hold() {
    let mut mypy = Command::new(everything());
    mypy.args(["-m", "mypy", "--strict", "--cache-dir", "/dev/null", "mnist_study"]);
    succeed(mypy.current_dir(root().join("crates/python")));
}
