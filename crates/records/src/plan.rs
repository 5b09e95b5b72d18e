//! Which runs a study has and what it asks: what its file says.

use crate::{
    identity::{run_id, seedless, short_hash},
    imported::Imports,
    question::Question,
    record::{Environment, RunSpec},
    sealed::{self, Sealable},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Version of the plan file's layout.
const PLAN_SCHEMA: u32 = 3;

/// A run takes some hundred bytes of the file.
pub(crate) const MAXIMUM_PLAN_BYTES: u64 = 256 << 20;

/// The text of the `plan.json` of a study that trains these runs in that environment.
pub fn plan_text(question: &Question, runs: &[RunSpec], environment: &Environment) -> String {
    sealed::text(&Plan::of(question, Some((runs, environment)), Imports::default()))
}

/// What a results folder is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    schema: u32,
    /// Identity of the study: commands that differ in seeds alone are of one study.
    pub(crate) study: String,
    /// What the study is made with, where it trains anything; none in plans of earlier programs. Its runs' bits depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) engine: Option<Engine>,
    /// Identity of the study but for that; empty in plans of earlier programs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) design: String,
    /// In its author's words, else which models it compares.
    pub(crate) name: String,
    /// What it asks.
    pub(crate) question: Question,
    /// Its runs, in the order of the report.
    pub(crate) runs: Vec<PlannedRun>,
    /// The runs of other programs that are compared with them, in the order of the report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) imported: Vec<PlannedImport>,
    /// What was noticed when those were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// What the bits of a result depend on beside its specification. The later revision is the greater one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// As [`Environment::engine_revision`].
    pub revision: u32,
    /// As [`Environment::kernels`].
    pub kernels: String,
}

impl Engine {
    /// That of an environment.
    pub fn of(environment: &Environment) -> Self {
        Self { revision: environment.engine_revision, kernels: environment.kernels.clone() }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{} kernels of engine revision {}", self.kernels, self.revision)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlannedImport {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) run: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlannedRun {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) seed: u64,
}

impl Plan {
    /// Of runs that are to be made in an environment, where there are some, and runs of other programs.
    pub(crate) fn of(
        question: &Question,
        trained: Option<(&[RunSpec], &Environment)>,
        imported: Imports,
    ) -> Self {
        let runs = trained.map_or(&[][..], |(runs, _)| runs);
        let mut models: Vec<RunSpec> = Vec::new();
        for run in runs {
            if !models.iter().any(|model| model.model == run.model) {
                models.push(seedless(run));
            }
        }
        let mut text = serde_json::to_string(&(question, &models)).expect("a study has only plain values");
        for run in imported.runs {
            text.push_str(&format!("\n{}", run.id));
        }
        let engine = trained.map(|(_, environment)| Engine::of(environment));
        let stated = engine
            .as_ref()
            .map_or_else(String::new, |Engine { revision, kernels }| format!("{revision} {kernels}"));
        let (study, design) = (short_hash(&format!("{stated}\n{text}")), short_hash(&text));
        let mut names: Vec<&str> = models.iter().map(|model| model.model.as_str()).collect();
        for run in imported.runs {
            if !names.contains(&run.model.as_str()) {
                names.push(&run.model);
            }
        }
        Self {
            schema: PLAN_SCHEMA,
            study,
            engine,
            design,
            name: question.title.clone().unwrap_or_else(|| format!("compare {}", names.join(" "))),
            question: question.clone(),
            runs: trained
                .into_iter()
                .flat_map(|(runs, environment)| runs.iter().map(move |run| (run, environment)))
                .map(|(run, environment)| PlannedRun {
                    id: run_id(run, environment),
                    model: run.model.clone(),
                    seed: run.seed,
                })
                .collect(),
            notes: imported.notes.to_vec(),
            imported: imported
                .runs
                .iter()
                .map(|run| PlannedImport {
                    id: run.id.clone(),
                    model: run.model.clone(),
                    run: run.run.clone(),
                })
                .collect(),
        }
    }
}

impl Sealable for Plan {
    const NAME: &'static str = "plan";
    const LAYOUT: u32 = PLAN_SCHEMA;
    const MAXIMUM_BYTES: u64 = MAXIMUM_PLAN_BYTES;
}
