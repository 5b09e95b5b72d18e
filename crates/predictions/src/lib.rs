//! What other programs' classifiers answered, read from files to [`ImportedRun`]s, which are judged as this program's own runs are.
//!
//! [`find`] says which files a folder holds, [`read`] reads one, [`assemble`] holds all of them against each other and against the
//! labels: rows are aligned by ids where there are some, else by their order. Nothing is dropped, reordered or converted in silence: what was is a
//! sentence among the notes, and what cannot be right is an [`Error`] that names the first row which is wrong.
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! for (model, answers) in [("a", "label,prediction\n0,0\n1,1\n1,0\n"), ("b", "prediction\n0\n0\n0\n")] {
//!     std::fs::create_dir(folder.path().join(model))?;
//!     std::fs::write(folder.path().join(model).join("seed-3.csv"), answers)?;
//! }
//! let found = predictions::find(folder.path())?;
//! let assembled = predictions::assemble(found.sources, None, None)?;
//! let runs: Vec<_> = assembled.runs.iter().map(|run| (&*run.model, run.seed, run.test.accuracy)).collect();
//! assert_eq!(runs, [("a", Some(3), 2.0 / 3.0), ("b", Some(3), 1.0 / 3.0)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod about;
mod answers;
mod arrays;
mod assemble;
mod classes;
mod csv;
pub mod curves;
mod error;
mod files;
mod found;
mod images;
mod json;
mod layout;
mod names;
mod table;

pub use about::About;
pub use assemble::{Assembled, KnownImages, assemble, assemble_tables};
pub use error::Error;
pub use found::{Found, Source, about_file, find, find_runs, stem};
pub use records::imported::ImportedRun;
pub use table::{Column, Scores, Table};

use std::path::Path;

/// The kinds of files that are read, by the ends of their names.
pub const KINDS: [&str; 8] = [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".npy", ".npz", ".json", ".safetensors"];

/// Reads the answers of one run, or labels.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub fn read(path: &Path) -> Result<Table, Error> {
    if !path.is_file() {
        let found = if path.exists() { "a folder" } else { "nothing" };
        return Err(Error::new(&path.display().to_string(), "a file of answers", found, "check the path"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let ends = |kinds: &[&str]| kinds.iter().any(|kind| name.ends_with(kind));
    if ends(&[".npy"]) {
        arrays::of_npy(path)
    } else if ends(&[".npz"]) {
        arrays::of_npz(path)
    } else if ends(&[".safetensors"]) {
        arrays::of_safetensors(path)
    } else if ends(&[".json"]) {
        json::read(path)
    } else if ends(&[".csv", ".csv.gz", ".tsv", ".tsv.gz"]) {
        csv::read(path)
    } else {
        let shown = path.display().to_string();
        Err(Error::new(
            &shown,
            format!("a file of answers ({})", KINDS.join(", ")),
            "another name",
            "save the answers as one of these",
        ))
    }
}

/// Reads labels: as [`read`], and text files (`.txt`) of a class a line.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub fn read_labels(path: &Path) -> Result<Table, Error> {
    /// No such file is larger.
    const MAXIMUM_BYTES: u64 = 256 << 20;
    let is_text = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
    if !is_text || !path.is_file() {
        return read(path);
    }
    let file = path.display().to_string();
    let bytes = files::read_whole(path, MAXIMUM_BYTES, "save the labels as npy")?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Error::new(&file, "text in UTF-8", "other bytes", "save the labels as UTF-8, a class a line")
    })?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(|line| line.trim().to_owned()).collect();
    let labels = Some(Column::of_texts(lines, &file, "label")?);
    Table { file, labels, ..Table::default() }.checked()
}

/// Names, some of them where they are many.
pub(crate) fn listed(names: &[String]) -> String {
    const NAMED: usize = 6;
    let mut shown: Vec<String> = names.iter().take(NAMED).map(|name| error::quoted(name)).collect();
    if names.len() > NAMED {
        shown.push(format!("{} more", names.len() - NAMED));
    }
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}
