//! A study file: read, and each of its networks described.
#![no_main]

use libfuzzer_sys::fuzz_target;
use study::study_file::StudyFile;

fuzz_target!(|text: &str| {
    let Ok(study) = StudyFile::parse(text, "study.toml") else { return };
    for model in study.models {
        let _ = model.architecture.describe([28, 28], 10);
    }
});
