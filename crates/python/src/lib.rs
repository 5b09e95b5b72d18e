//! What Python calls: `mnist_study._native`, beneath the package of Python in `mnist_study/`, which gives arrays their shape and results their
//! looks.
//!
//! Nothing is computed here: each function converts what it is given, lets go of the interpreter, calls the library, and converts what comes.

mod arrays;
mod listening;
mod model;
mod pool;
mod verdict;

use pyo3::{create_exception, exceptions::PyValueError, prelude::*};
use std::{ffi::OsString, fmt::Display};

create_exception!(mnist_study, Error, PyValueError, "What mnist-study refuses, in the words of its command.");

/// The library's errors in the command's words.
fn refused(error: impl Display) -> PyErr {
    Error::new_err(error.to_string())
}

/// A file of answers has advice beside its error.
fn refused_answers(error: &mnist_study::predictions::Error) -> PyErr {
    Error::new_err(format!("{error}\nhint: {}", error.advice))
}

/// Where no built-in model has a name, those that there are.
fn refused_model(error: &mnist_study::Error) -> PyErr {
    let models = mnist_study::study::study_file::built_in_models();
    let names: Vec<String> = models.into_iter().map(|model| model.architecture.name).collect();
    refused(format!("{error}\nhint: choose from {}", names.join(", ")))
}

/// The command, in this process: for the script of the wheel alone.
#[pyfunction]
fn main(py: Python<'_>, words: Vec<OsString>) -> u8 {
    let code = py.detach(|| mnist_study::command::main(words));
    // An exit code does not give away its number but to the operating system.
    (0..=u8::MAX).find(|number| std::process::ExitCode::from(*number) == code).unwrap_or(1)
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{
        Error, main,
        model::{Model, train},
        verdict::{Comparison, compare, judge, judge_files, load_data, read},
    };
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(_module: &Bound<'_, PyModule>) {
        super::pool::loaded();
    }
}
