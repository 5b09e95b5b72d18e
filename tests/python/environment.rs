//! Virtual environments below the target folder; the tests of clusters and of exported models use them, too. `.ci/install` makes them as this
//! does, beside what is compiled.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The interpreter of an environment with what `requirements.txt` in `tests/NAME` lists, and nothing else. Made anew where that has changed.
pub(crate) fn with_requirements(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let requirements = root().join("tests").join(name).join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).expect("requirements");
    let installed = folder.join("installed.txt");
    let python = folder.join("bin/python");
    if !fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        fresh(&folder);
        succeed(pip(&python).arg("-r").arg(&requirements));
        fs::write(&installed, wanted).expect("noted");
    }
    python
}

/// A new environment, with nothing but Python, in the place of what is in `folder`; its interpreter.
pub(crate) fn fresh(folder: &Path) -> PathBuf {
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder));
    folder.join("bin/python")
}

/// `pip install` in an interpreter's environment.
pub(crate) fn pip(python: &Path) -> Command {
    let mut pip = Command::new(python);
    // What is compiled is what is imported, when it is.
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]);
    pip
}

/// Runs a command to its end; what it printed.
///
/// # Panics
/// With what it said, when it fails.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{said}\n{complained}", output.status);
    said
}
