//! Study files where there are files.

use super::{StudyFile, StudyFileError, limits};
use records::store::read_at_most;
use std::{fs, path::Path};

impl StudyFile {
    /// Reads a study file.
    ///
    /// # Errors
    /// Names the file, the line, and what is wrong there.
    pub fn read(path: &Path) -> Result<Self, StudyFileError> {
        let file = path.display().to_string();
        let unreadable =
            |problem: String, hint: &str| StudyFileError::new(&file, 0, problem, hint.to_owned());
        // Also of a pipe, such as a shell's `<(…)`, or of a device that never ends.
        let bytes = fs::File::open(path).and_then(|opened| read_at_most(opened, limits::FILE_BYTES));
        let bytes = bytes.map_err(|error| {
            unreadable(error.to_string(), "pass a study file; those in studies/ are there to be copied")
        })?;
        let text = String::from_utf8(bytes).map_err(|_| {
            unreadable("text in UTF-8 expected, other bytes found".into(), "save it as plain text in UTF-8")
        })?;
        Self::parse(&text, &file)
    }
}
