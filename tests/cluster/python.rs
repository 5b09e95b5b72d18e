//! An environment of Python with HyperQueue and the schemas of Kubernetes, below the target folder.

use crate::bench::{own_file, succeed};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The interpreter of an environment with what `requirements.txt` lists. Made anew where that has changed.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster");
        let requirements = own_file("requirements.txt");
        let wanted = fs::read_to_string(&requirements).expect("requirements");
        let installed = folder.join("installed.txt");
        let python = folder.join("bin/python");
        if fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
            return python;
        }
        succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        let mut pip = Command::new(&python);
        // What is compiled is what is imported, when it is.
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "-r"]);
        succeed(pip.arg(&requirements));
        fs::write(&installed, wanted).expect("noted");
        python
    })
}
