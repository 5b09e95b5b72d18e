//! Runs gathered by their model.

use crate::Run;

/// Runs by the name of their model, in the order of the records.
pub(crate) fn by_name<'a>(records: &[Run<'a>]) -> Vec<(&'a str, Vec<Run<'a>>)> {
    let mut models: Vec<(&str, Vec<Run>)> = Vec::new();
    for &record in records {
        let name = record.model;
        match models.iter_mut().find(|(known, _)| *known == name) {
            Some((_, runs)) => runs.push(record),
            None => models.push((name, vec![record])),
        }
    }
    models
}
