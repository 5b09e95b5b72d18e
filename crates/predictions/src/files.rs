//! Files that are read whole.

use crate::error::Error;
use std::{fs::File, io::Read, path::Path};

/// The bytes of a file, of which there may be so many.
///
/// # Errors
/// When it cannot be read or is larger; `advice` says what to do then.
pub(crate) fn read_whole(path: &Path, maximum: u64, advice: &str) -> Result<Vec<u8>, Error> {
    let file = path.display().to_string();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|opened| opened.take(maximum + 1).read_to_end(&mut bytes));
    read.map_err(|problem| unreadable(&file, &problem))?;
    match bytes.len() as u64 > maximum {
        true => Err(Error::new(&file, format!("at most {maximum} bytes"), "more", advice)),
        false => Ok(bytes),
    }
}

/// What the system says of a file that it does not open.
pub(crate) fn unreadable(file: &str, problem: &std::io::Error) -> Error {
    Error::new(file, "a file that can be read", problem.to_string(), "check its path and its rights")
}
