//! What makes two searches the same one, and the file that says which one a folder is for.

use super::{Candidate, Question, TuneError};
use crate::{environment::VERSION, place::place, study_file::StudyFileError};
use records::{
    files::write_atomically,
    search_folder::{SEARCH, Search, SearchFolder},
};
use serde_json::{Map, Value, json};
use std::path::Path;

/// What a search writes to its folder beside that and its trials: without it, they are not this program's.
const OUTPUTS: [&str; 5] = ["best.toml", "tuning.json", "tuning.md", "tuning.html", "Search.png"];

impl Question {
    /// All that a trial depends on beside the trials before it.
    fn description(&self) -> Result<Value, StudyFileError> {
        let model = |candidate: &Candidate| {
            let model = candidate.make(&Map::new())?;
            let space: Vec<Value> =
                candidate.space.spelled().into_iter().map(|(name, domain)| json!([name, domain])).collect();
            Ok(json!({
                "name": model.architecture.name,
                "layers": model.architecture.layers,
                "recipe": model.recipe,
                "search": space,
            }))
        };
        // Two folders of the same data are the same data: their name does not count.
        let mut description = json!({
            "version": VERSION,
            "data": self.dataset.sha256,
            "protocol": self.protocol.name(),
            "sampler": self.sampler_name(),
            "halving": self.halving.map(|halving| json!({ "first": halving.first, "factor": halving.factor })),
            "seed": self.seed,
            "engine revision": train::ENGINE_REVISION,
            "kernels": self.kernels,
            "models": self.candidates.iter().map(model).collect::<Result<Vec<_>, _>>()?,
        });
        // Searches of rounds of one trial stay what they were.
        if let Some(round) = self.rounds() {
            description["round"] = round.into();
        }
        // Searches by accuracy stay what they were.
        if !self.decide_by.is_default() {
            description["measure"] = self.decide_by.name().into();
        }
        Ok(description)
    }

    /// The identity of the search: the first 16 hexadecimal digits of the SHA-256 of all that it depends on.
    ///
    /// # Errors
    /// When a candidate makes no model.
    pub fn identity(&self) -> Result<String, StudyFileError> {
        Ok(self.search()?.identity)
    }

    fn search(&self) -> Result<Search, StudyFileError> {
        Ok(Search::of(self.description()?))
    }

    /// Says in the folder what its search is about, or finds it said.
    ///
    /// # Errors
    /// When the folder holds another search or files that no search left there, when others work there on what is to be made afresh, or
    /// when the file cannot be read or written.
    pub fn declare(&self, results: &Path, fresh: bool) -> Result<(), TuneError> {
        let path = results.join(SEARCH);
        let search = self.search()?;
        let there = Search::read(results)?;
        if fresh && SearchFolder::of(results, &place()).is_at_work() {
            return Err(TuneError::InUse { folder: results.to_owned() });
        }
        if there.is_none() {
            let is_there = |name: &&str| results.join(name).symlink_metadata().is_ok();
            let foreign = [SEARCH].into_iter().chain(OUTPUTS).find(is_there);
            if let Some(name) = foreign.filter(|_| !fresh) {
                return Err(TuneError::Foreign { folder: results.to_owned(), name });
            }
        }
        match there {
            // Others may read it just now.
            Some(there) if there == search => Ok(()),
            Some(there) if !fresh => {
                let difference = format!("{} from what is asked for", search.difference(&there));
                Err(TuneError::OtherSearch { path, difference })
            }
            _ => Ok(write_atomically(&path, search.text().as_bytes())?),
        }
    }
}
