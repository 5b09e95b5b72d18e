//! What lies in the folders of results.

use data::Corpus;
use interchange::FormatError;
use kernels::InstructionSet;
use page::folder_name;
use records::{record::RunSpec, store::FileError};
use std::path::Path;
use study::run::FinishedRun;

/// What becomes of results beside their records.
pub trait Folders: Send + Sync {
    /// Keeps the weights of a run, once its record is kept.
    ///
    /// # Errors
    /// When they cannot be written.
    fn keep(
        &self,
        folder: &Path,
        runs: &[RunSpec],
        corpus: &Corpus,
        run: usize,
        finished: &FinishedRun,
    ) -> Result<(), FileError>;

    /// Writes the reports of the runs that are there.
    ///
    /// # Errors
    /// In words, when it cannot.
    fn publish(&self, folder: &Path, corpus: &Corpus) -> Result<(), String>;
}

/// The weights in a file that the program wrote.
pub(crate) fn weights_of(bytes: &[u8]) -> Result<Vec<f32>, FormatError> {
    let description = interchange::describe(bytes)?;
    let mut model = description.model(InstructionSet::PORTABLE, 1).map_err(|_| FormatError::NoDescription)?;
    interchange::load(bytes, &description, &[], &mut model)?;
    Ok(model.parameters().to_vec())
}

/// The folder of a study with a title. What a results folder holds itself has other names.
pub(crate) fn study_folder(title: &str) -> String {
    const TAKEN: [&str; 7] = ["records", "models", "failed", "imported", "conflicts", "apart", "paper"];
    let name = folder_name(title);
    if TAKEN.contains(&name.to_lowercase().as_str()) { format!("{name}-study") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_no_folder_that_results_have() {
        assert_eq!(study_folder("Records"), "Records-study");
        assert_eq!(study_folder("models"), "models-study");
        assert_eq!(study_folder("A b"), "A-b");
    }
}
