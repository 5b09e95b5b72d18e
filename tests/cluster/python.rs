//! An environment of Python with HyperQueue and the schemas of Kubernetes, below the target folder.

use crate::environment::with_requirements;
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Its interpreter.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| with_requirements("cluster"))
}
