//! Files of weights, as the verbs read them.

use crate::failure::Failure;
use interchange::Description;
use nn::Model;
use std::{fs, io, path::Path};

/// A weights file of this many bytes is larger than any network of this program.
const MAXIMUM_FILE_BYTES: u64 = 1 << 30;

/// A file's bytes and what they say of themselves.
pub(super) fn read(path: &Path) -> Result<(Vec<u8>, Description), Failure> {
    let read = || {
        let bytes = fs::metadata(path)?.len();
        if bytes > MAXIMUM_FILE_BYTES {
            return Err(io::Error::other(format!(
                "{MAXIMUM_FILE_BYTES} bytes at most expected, {bytes} found"
            )));
        }
        fs::read(path)
    };
    let bytes = read().map_err(|error| {
        Failure::new(
            format!("{}: {error}", path.display()),
            "make one with `mnist-study train MODEL --save FILE`",
        )
    })?;
    let description = interchange::describe(&bytes).map_err(|error| wrong(&path.display(), error))?;
    Ok((bytes, description))
}

/// Sets the model's parameters from the file's.
pub(super) fn load(name: &str, bytes: &[u8], model: &mut Model<f32>) -> Result<(), Failure> {
    interchange::load(bytes, model).map_err(|error| wrong(&name, error))
}

fn wrong(name: &impl std::fmt::Display, error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("{name}: {error}"), "pass a file that `mnist-study train MODEL --save FILE` made")
}
