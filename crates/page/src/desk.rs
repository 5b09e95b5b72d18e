//! Who knows the study and answers.

use crate::{
    Message, Problem, RunProgress, RunState, StudyState, archive, bytes, draw, errors, inside,
    material::Material,
    network::{Board, Network, Weights},
    read,
};
use data::published;
use records::{
    event::{EpochEnd, Event, Kind, Run, Work},
    identity::run_id,
    plan::plan_text,
    question::Question,
    record::{FailedRun, RunRecord, RunSpec},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use study::{run::Session, study_file::built_in_models};

/// What computes, as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineDescription {
    /// `native` or `browser`.
    pub kind: &'static str,
    /// The instruction set of its kernels.
    pub kernels: String,
    /// How many threads compute a run.
    pub threads: usize,
    /// The processor, as far as it is known.
    pub processor: String,
}

/// Where data sets come from.
pub trait Sessions: Send {
    /// The data set of that name, and threads to answer questions about it on. A name from a page is never taken for a path.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    fn open(&mut self, dataset: &str) -> Result<Arc<Session>, Problem>;

    /// The names of those that there are.
    fn names(&self) -> Vec<String>;
}

/// A run that somebody is to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Its place in the plan, from 0.
    pub index: usize,
    /// Runs of the plan.
    pub total: usize,
    /// Its identity.
    pub id: String,
    /// What is asked for.
    pub specification: RunSpec,
}

/// The study that is planned.
struct Sheet {
    session: Arc<Session>,
    question: Question,
    runs: Vec<RunSpec>,
    state: StudyState,
    failed: Vec<FailedRun>,
}

/// Knows one study, and answers calls about it.
pub struct Desk {
    description: EngineDescription,
    sessions: Box<dyn Sessions>,
    /// The study that a page begins with.
    first: String,
    sheet: Option<Sheet>,
    /// Records of this and of earlier studies, by identity: equal runs are not made twice.
    known: BTreeMap<String, Arc<RunRecord>>,
    board: Arc<Board>,
    /// Networks that were asked, by the identity of their run.
    networks: HashMap<String, Network>,
}

impl Desk {
    /// A desk without a study; `first` is the study file that a page begins with.
    pub fn new(
        description: EngineDescription,
        sessions: Box<dyn Sessions>,
        first: impl Into<String>,
    ) -> Self {
        Self {
            description,
            sessions,
            first: first.into(),
            sheet: None,
            known: BTreeMap::new(),
            board: Arc::default(),
            networks: HashMap::new(),
        }
    }

    /// The study that a page begins with is another one.
    pub fn begin_with(&mut self, first: &str) {
        self.first = first.to_owned();
    }

    /// Where trainings leave their weights.
    pub fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    /// Answers a call of the protocol; none of those that make runs, which are for whoever makes them.
    ///
    /// # Errors
    /// In words for a person.
    pub fn call(&mut self, method: &str, parameters: Value) -> Result<Value, Problem> {
        match method {
            "catalogue" => self.catalogue(),
            "study" => read::study(&mut *self.sessions, &of::<Text>(parameters)?.text),
            "state" => Ok(value(&Message::State(self.state()))),
            "summary" => Ok(self.material().map_or(Value::Null, |material| material.summary())),
            "report" => self.report(),
            "download" => self.download(),
            "images" => errors::images(&*self.session()?, &of(parameters)?),
            "errors" => Ok(errors::errors(&*self.session()?, &self.records())),
            "answers_of" => errors::answers_of(&self.records(), &of(parameters)?),
            "prepare" => prepare(&*self.session()?, parameters),
            "answer" => {
                let (session, image) = self.image(parameters)?;
                let mut answers = Vec::new();
                for model in self.models() {
                    // What is still learning answers where nothing has ended yet.
                    if let Some((id, weights)) = self.board.ended(self.runs_of(&model)) {
                        answers.push(self.network(&session, &id, &weights)?.answer(&session, &image));
                    }
                }
                Ok(json!({ "models": answers }))
            }
            "inside" => {
                let (model, image) =
                    of::<Inside>(parameters).map(|Inside { model, image }| (model, image))?;
                let (session, image) = self.image(json!({ "image": image }))?;
                let set = session.instruction_set();
                let newest = self.board.newest(self.runs_of(&model));
                let (id, weights) = newest.ok_or_else(|| {
                    Problem::new(format!("model {model}: no weights yet"))
                        .hint("start a study with it, or wait for its first step")
                })?;
                let network = self.network(&session, &id, &weights)?;
                session.install(|| inside::inside(network, set, &image))
            }
            other => Err(Problem::new(format!("no method `{other}`"))),
        }
    }

    /// Takes up a study: what is to be made of it, in its order, without the runs that are known or being made.
    ///
    /// # Errors
    /// When the text is no study, or does not fit the data.
    pub fn plan(&mut self, text: &str) -> Result<Vec<Assignment>, Problem> {
        let planned = read::planned(&mut *self.sessions, text)?;
        let environment = planned.session.environment();
        let progress = planned.runs.iter().enumerate().map(|(index, run)| RunProgress {
            index,
            id: run_id(run, &environment),
            model: run.model.clone(),
            seed: run.seed,
            state: RunState::Waiting,
            total_epochs: run.recipe.epochs,
            epochs: Vec::new(),
            step: None,
            test_accuracy: None,
            test_loss: None,
            train_seconds: None,
            problem: None,
        });
        let state = StudyState {
            text: text.to_owned(),
            title: planned.question.title.clone(),
            runs: progress.collect(),
            ..StudyState::default()
        };
        self.networks.clear();
        let (failed, before) =
            self.sheet.take().map_or_else(Default::default, |sheet| (sheet.failed, sheet.state));
        let mut sheet = Sheet {
            session: planned.session,
            question: planned.question,
            runs: planned.runs,
            state,
            failed: Vec::new(),
        };
        for record in self.known.values() {
            sheet.finish(record);
        }
        for run in failed {
            sheet.fail(run);
        }
        // A run that is being made goes on, also where its place in the plan has changed.
        for old in before.runs.into_iter().filter(|run| run.state == RunState::Training) {
            if let Some(progress) = sheet.state.runs.iter_mut().find(|run| run.id == old.id) {
                *progress = RunProgress { index: progress.index, ..old };
            }
        }
        (sheet.state.running, sheet.state.folder) = (before.running, before.folder);
        let total = sheet.runs.len();
        let left = sheet.state.runs.iter().zip(&sheet.runs);
        let left = left.filter(|(progress, _)| progress.state == RunState::Waiting);
        let left = left.map(|(progress, run)| Assignment {
            index: progress.index,
            total,
            id: progress.id.clone(),
            specification: run.clone(),
        });
        let left = left.collect();
        self.sheet = Some(sheet);
        Ok(left)
    }

    /// The runs of the study, made or not.
    pub fn runs(&self) -> &[RunSpec] {
        self.sheet.as_ref().map_or(&[], |sheet| &sheet.runs)
    }

    /// What the study asks.
    pub fn question(&self) -> Question {
        self.sheet.as_ref().map(|sheet| sheet.question.clone()).unwrap_or_default()
    }

    /// The study's data, with threads to answer questions about it on.
    ///
    /// # Errors
    /// When there is no study and the first one's data cannot be read.
    pub fn session(&mut self) -> Result<Arc<Session>, Problem> {
        match &self.sheet {
            Some(sheet) => Ok(Arc::clone(&sheet.session)),
            None => self.sessions.open(&read::dataset_of(&self.first)),
        }
    }

    /// Forgets the study and all that was made.
    pub fn forget(&mut self) {
        self.sheet = None;
        self.known.clear();
        self.networks.clear();
        self.board.clear();
    }

    /// Something happened in the run of that identity. What is to be told of it: the plan may have changed since the run began, and its
    /// place in it; nothing where the study has the run no more.
    pub fn hear(&mut self, id: &str, event: &Event) -> Option<Event> {
        let runs = &mut self.sheet.as_mut()?.state.runs;
        let total = runs.len();
        let progress = runs.iter_mut().find(|run| run.id == id)?;
        progress.hear(&event.kind);
        let (model, seed) = (progress.model.clone(), progress.seed);
        let run = Run { index: progress.index, total, model, seed };
        Some(Event { work: Some(Work::Run(run)), kind: event.kind.clone() })
    }

    /// Whether the study has the run of that identity.
    pub fn has(&self, id: &str) -> bool {
        self.sheet.as_ref().is_some_and(|sheet| sheet.state.runs.iter().any(|run| run.id == id))
    }

    /// Whether there is a record of that identity.
    pub fn knows(&self, id: &str) -> bool {
        self.known.contains_key(id)
    }

    /// A run has a record.
    pub fn keep(&mut self, record: RunRecord) {
        let record = Arc::new(record);
        if let Some(sheet) = &mut self.sheet {
            sheet.finish(&record);
        }
        self.known.insert(record.id.clone(), record);
    }

    /// A run came to no result.
    pub fn fail(&mut self, run: FailedRun) {
        self.board.remove(&run.id);
        if let Some(sheet) = &mut self.sheet {
            sheet.fail(run);
        }
    }

    /// A run has learnt something: what is to be told of it; nothing where the study has the run no more.
    pub fn learn(
        &mut self,
        id: &str,
        epoch: usize,
        step: usize,
        finished: bool,
        values: Vec<f32>,
    ) -> Option<Message> {
        let planned = self.sheet.iter().flat_map(|sheet| &sheet.state.runs).find(|run| run.id == id);
        let of_study = planned.map(|run| (run.model.clone(), run.seed));
        let is_of_study = of_study.is_some();
        let recorded = || {
            let run = &self.known.get(id)?.specification;
            Some((run.model.clone(), run.seed))
        };
        let (model, seed) = of_study.or_else(recorded)?;
        let weights = Weights { model, seed, epoch, step, finished, values };
        let message = weights.message();
        self.board.put(id, weights);
        is_of_study.then_some(message)
    }

    /// The run of that identity is not made any more: it waits again, and what it learnt is forgotten.
    pub fn give_up(&mut self, id: &str) {
        self.board.remove(id);
        let runs = self.sheet.iter_mut().flat_map(|sheet| &mut sheet.state.runs);
        let given_up = runs.filter(|run| run.id == id && run.state == RunState::Training);
        given_up.for_each(RunProgress::forget);
    }

    /// Whether runs are being made, and whether no other begins when they are done.
    pub fn set_running(&mut self, running: bool, pausing: bool) {
        if let Some(sheet) = &mut self.sheet {
            (sheet.state.running, sheet.state.pausing) = (running, pausing);
        }
    }

    /// Where the results are.
    pub fn set_folder(&mut self, folder: String) {
        if let Some(sheet) = &mut self.sheet {
            sheet.state.folder = Some(folder);
        }
    }

    /// How the study stands.
    pub fn state(&self) -> StudyState {
        self.sheet.as_ref().map(|sheet| sheet.state.clone()).unwrap_or_default()
    }

    /// The study's finished runs with what they are judged by, so that it can be done while the desk goes on answering; none where there
    /// is no such run.
    pub fn material(&self) -> Option<Material> {
        let sheet = self.sheet.as_ref()?;
        let records = self.records();
        (!records.is_empty()).then(|| Material {
            records,
            failed: sheet.failed.clone(),
            question: sheet.question.clone(),
            session: Arc::clone(&sheet.session),
        })
    }

    /// The records of the study's finished runs, in its order.
    pub fn records(&self) -> Vec<Arc<RunRecord>> {
        let Some(sheet) = &self.sheet else { return Vec::new() };
        sheet.state.runs.iter().filter_map(|run| self.known.get(&run.id)).cloned().collect()
    }

    fn catalogue(&mut self) -> Result<Value, Problem> {
        let models = built_in_models().into_iter().map(|model| read::built_in(&model));
        let titled = |name: &String| {
            let set = published().iter().find(|set| set.name == name);
            json!({ "name": name, "title": set.map_or("", |set| set.title) })
        };
        let layers = spec::LAYER_FORMS
            .iter()
            .map(|form| json!({ "kind": form.kind, "arguments": form.arguments, "meaning": form.meaning }));
        let terms = report::glossary().map(|(term, meaning)| json!({ "term": term, "meaning": meaning }));
        Ok(json!({
            "version": study::environment::VERSION,
            "engine": self.description,
            "datasets": self.sessions.names().iter().map(titled).collect::<Vec<_>>(),
            "models": models.collect::<Vec<_>>(),
            "layers": layers.collect::<Vec<_>>(),
            "glossary": terms.collect::<Vec<_>>(),
            "study": self.first,
        }))
    }

    fn report(&self) -> Result<Value, Problem> {
        let material = self.material().ok_or_else(no_result)?;
        Ok(json!({ "html": material.report() }))
    }

    fn download(&self) -> Result<Value, Problem> {
        let sheet = self.sheet.as_ref().ok_or_else(no_result)?;
        let material = self.material().ok_or_else(no_result)?;
        let title = sheet.question.title.as_deref().unwrap_or("Results");
        let folder = archive::folder_name(title);
        let plan = plan_text(&sheet.question, &sheet.runs, &sheet.session.environment());
        let mut files = vec![
            ("study.toml".to_owned(), sheet.state.text.clone()),
            ("plan.json".to_owned(), plan),
            ("report.html".to_owned(), material.report()),
        ];
        files.extend(
            material.records.iter().map(|record| (format!("records/{}.json", record.id), record.sealed())),
        );
        files.extend(sheet.failed.iter().map(|run| (format!("failed/{}.json", run.id), run.sealed())));
        let bytes = archive::zip(&folder, &files)
            .map_err(|error| Problem::new(format!("the results cannot be packed: {error}")))?;
        Ok(json!({ "name": format!("{folder}.zip"), "bytes": bytes::encoded(&bytes) }))
    }

    /// An image as the models take it.
    fn image(&mut self, parameters: Value) -> Result<(Arc<Session>, Vec<u8>), Problem> {
        let image = bytes::decoded(&of::<Image>(parameters)?.image, "image")?;
        let session = self.session()?;
        let expected = session.corpus().training().image_length();
        if image.len() != expected {
            return Err(Problem::new(format!("image: {expected} values expected, {} found", image.len())));
        }
        Ok((session, image))
    }

    /// The models of the study, in its order.
    fn models(&self) -> Vec<String> {
        let mut models: Vec<String> = Vec::new();
        for run in self.runs() {
            if !models.contains(&run.model) {
                models.push(run.model.clone());
            }
        }
        models
    }

    /// The identities of a model's runs, in the order of the study.
    fn runs_of(&self, model: &str) -> impl Iterator<Item = &str> {
        let runs = self.sheet.iter().flat_map(|sheet| &sheet.state.runs);
        runs.filter(move |run| run.model == model).map(|run| &*run.id)
    }

    /// When in its training each model's newest weights are from.
    pub fn moments(&self) -> Vec<Message> {
        let newest = |model: &String| self.board.newest(self.runs_of(model));
        self.models().iter().filter_map(newest).map(|(_, weights)| weights.message()).collect()
    }

    /// The network of a run of the study, with these weights.
    fn network(
        &mut self,
        session: &Session,
        id: &str,
        weights: &Arc<Weights>,
    ) -> Result<&mut Network, Problem> {
        if !self.networks.contains_key(id) {
            let sheet = self.sheet.as_ref().ok_or_else(no_result)?;
            let place = sheet.state.runs.iter().position(|run| run.id == id);
            let run = place.and_then(|place| sheet.runs.get(place)).ok_or_else(no_result)?;
            let network = Network::new(session, run)?;
            if self.networks.len() >= MOST_NETWORKS {
                self.networks.clear();
            }
            self.networks.insert(id.to_owned(), network);
        }
        let network = self.networks.get_mut(id).ok_or_else(no_result)?;
        network.set(weights)?;
        Ok(network)
    }
}

/// So many networks are kept ready to be asked.
const MOST_NETWORKS: usize = 32;

impl Sheet {
    /// Takes a record for the run that it is of, if the study has it.
    fn finish(&mut self, record: &RunRecord) {
        let Some(progress) = self.state.runs.iter_mut().find(|run| run.id == record.id) else { return };
        let images = record.specification.dataset.training_images;
        progress.hear(&Kind::finished(true, record));
        progress.epochs = record
            .epochs
            .iter()
            .map(|epoch| EpochEnd {
                epoch: epoch.epoch,
                images,
                train_loss: epoch.train_loss,
                train_accuracy: epoch.train_accuracy,
                validation_loss: epoch.validation_loss,
                validation_accuracy: epoch.validation_accuracy,
                train_seconds: epoch.train_seconds,
            })
            .collect();
    }

    fn fail(&mut self, run: FailedRun) {
        if let Some(progress) = self.state.runs.iter_mut().find(|progress| progress.id == run.id) {
            progress.hear(&Kind::failed(true, &run));
            self.failed.push(run);
        }
    }
}

pub(crate) fn no_result() -> Problem {
    Problem::new("no run is finished yet").hint("start a study, and come back when its first run is done")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    image: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inside {
    model: String,
    image: String,
}

/// Answers the call `prepare`, which takes time for large pictures: whoever shares a desk asks it for the session, and does this without it.
///
/// # Errors
/// In words for a person.
pub fn prepare(session: &Session, parameters: Value) -> Result<Value, Problem> {
    session.install(|| draw::prepare(session.corpus(), &of(parameters)?))
}

/// A call's parameters.
pub(crate) fn of<T: DeserializeOwned>(parameters: Value) -> Result<T, Problem> {
    serde_json::from_value(parameters).map_err(|error| Problem::new(format!("parameters: {error}")))
}

fn value<T: Serialize>(plain: &T) -> Value {
    serde_json::to_value(plain).expect("plain values")
}
