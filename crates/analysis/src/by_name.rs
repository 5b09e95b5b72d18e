//! Runs gathered by their model.

use records::record::RunRecord;

/// Runs by the name of their model, in the order of the records.
pub(crate) fn by_name(records: &[RunRecord]) -> Vec<(&str, Vec<&RunRecord>)> {
    let mut models: Vec<(&str, Vec<&RunRecord>)> = Vec::new();
    for record in records {
        let name = record.specification.model.as_str();
        match models.iter_mut().find(|(known, _)| *known == name) {
            Some((_, runs)) => runs.push(record),
            None => models.push((name, vec![record])),
        }
    }
    models
}
