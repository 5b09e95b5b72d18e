//! The native engine of a page: makes the runs of its study and tells what comes of them.

use data::{Corpus, Source};
use interchange::FormatError;
use kernels::InstructionSet;
use page::{Assignment, Board, Desk, EngineDescription, Message, Problem, Sessions, Weights, folder_name};
use records::{
    event::{Event, Kind},
    folder::{Entry, StudyFolder},
    imported::Imports,
    kept_models::kept_models,
    question::Question,
    record::RunSpec,
    store::{FileError, Store},
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    slice,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use study::{
    execute::{Keeping, execute},
    run::{FinishedRun, RunError, Session},
    study_file::StudyFile,
};
use tokio::sync::broadcast::{self, Receiver, Sender};
use train::Engine;

/// The study of a results folder, as the page left it.
const STUDY_FILE: &str = "study.toml";

/// A page is shown the steps of a run, and what it has learnt, so often.
const PAUSE: Duration = Duration::from_millis(150);

/// A page that is so many messages behind begins anew.
const MOST_WAITING: usize = 4096;

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum StudioError {
    /// The data cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A thread could not be started.
    #[error("the system gives no thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The study that the page begins with is none.
    #[error("{}", .0.message)]
    Study(Problem),
}

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

/// Makes the runs of a page's study in a results folder.
pub struct Studio {
    desk: Mutex<Desk>,
    board: Arc<Board>,
    datasets: Arc<Mutex<Datasets>>,
    messages: Sender<Arc<str>>,
    control: Mutex<Control>,
    changed: Condvar,
    /// Whether there are runs that no summary was made of.
    unjudged: Mutex<bool>,
    finished: Condvar,
    folders: Box<dyn Folders>,
    root: PathBuf,
}

/// What is to be made.
#[derive(Default)]
struct Control {
    current: Option<Arc<Current>>,
    queue: VecDeque<Assignment>,
    /// The identity of the run that is being made.
    making: Option<String>,
    pausing: bool,
    /// The run that is being made is to be given up.
    stopping: bool,
    /// The study was started, and its folder has not been looked at since.
    begun: bool,
}

/// A study with where and on what it is made.
struct Current {
    session: Arc<Session>,
    runs: Vec<RunSpec>,
    question: Question,
    folder: PathBuf,
    text: String,
}

impl Control {
    fn is_running(&self) -> bool {
        self.begun || self.making.is_some() || (!self.queue.is_empty() && !self.pausing)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Studio {
    /// Opens the data of the first study, takes up what its folder holds, and waits to be told to start. Unless it `is_asked_for`, the
    /// study that the folder was left with comes before it. `dataset` is one that may be studied beside the published ones that are here.
    ///
    /// # Errors
    /// When the data cannot be read, the text is no study, or the system gives no threads.
    pub fn open(
        root: PathBuf,
        first: &str,
        is_asked_for: bool,
        dataset: Option<String>,
        set: InstructionSet,
        threads: usize,
        folders: Box<dyn Folders>,
    ) -> Result<(Arc<Self>, Option<String>), StudioError> {
        let datasets = Arc::new(Mutex::new(Datasets { set, threads, dataset, open: None }));
        let environment = study::environment::environment(set, threads);
        let description = EngineDescription {
            kind: "native",
            kernels: environment.kernels,
            threads,
            processor: environment.cpu,
        };
        let file = root.join(STUDY_FILE);
        let kept = fs::read_to_string(&file).ok().filter(|_| !is_asked_for);
        let desk =
            Desk::new(description, Box::new(Shared(Arc::clone(&datasets))), kept.as_deref().unwrap_or(first));
        let studio = Arc::new(Self {
            board: desk.board(),
            desk: Mutex::new(desk),
            datasets,
            messages: broadcast::channel(MOST_WAITING).0,
            control: Mutex::default(),
            changed: Condvar::new(),
            unjudged: Mutex::new(false),
            finished: Condvar::new(),
            folders,
            root,
        });
        // What the folder was left with may be of data that is not here now, or was written by somebody else.
        let left = kept.and_then(|text| studio.take_up(&text).err());
        let note = left.map(|problem| format!("{}: {}: not taken up", file.display(), problem.message));
        if studio.is_without_study() {
            locked(&studio.desk).begin_with(first);
            studio.take_up(first).map_err(StudioError::Study)?;
        }
        for (name, work) in [("runs", Self::make as fn(&Self)), ("verdicts", Self::judge)] {
            let studio = Arc::clone(&studio);
            thread::Builder::new().name(name.into()).spawn(move || work(&studio))?;
        }
        Ok((studio, note))
    }

    fn is_without_study(&self) -> bool {
        locked(&self.control).current.is_none()
    }

    /// Answers a call.
    ///
    /// # Errors
    /// In words for a person.
    pub fn call(&self, method: &str, parameters: Value) -> Result<Value, Problem> {
        match method {
            "start" => {
                let text = parameters.get("text").and_then(Value::as_str);
                let text = text.ok_or_else(|| Problem::new("parameters: `text` expected"))?;
                self.wait_for_stop();
                let left = self.take_up(text)?;
                self.begin(left)
            }
            "pause" => self.change(|control| control.pausing = true),
            "resume" => self.change(|control| control.pausing = false),
            "stop" => self.change(|control| {
                control.queue.clear();
                control.stopping = control.making.is_some();
            }),
            "forget" => {
                self.change(|control| {
                    control.queue.clear();
                    control.stopping = control.making.is_some();
                    control.current = None;
                })?;
                locked(&self.desk).forget();
                self.tell_state();
                Ok(json!({}))
            }
            "prepare" => {
                let session = locked(&self.desk).session()?;
                page::prepare(&session, parameters)
            }
            _ => locked(&self.desk).call(method, parameters),
        }
    }

    /// What comes from now on, each as JSON.
    pub fn subscribe(&self) -> Receiver<Arc<str>> {
        self.messages.subscribe()
    }

    /// What a page is told first.
    pub fn beginning(&self) -> Vec<Arc<str>> {
        let (state, material, weights) = {
            let desk = locked(&self.desk);
            (desk.state(), desk.material(), desk.moments())
        };
        let mut messages = vec![Message::State(state)];
        messages.extend(material.map(|material| Message::Summary { summary: material.summary() }));
        messages.extend(weights);
        messages.iter().map(written).collect()
    }

    /// Whether runs are being made or waited for.
    pub fn is_running(&self) -> bool {
        locked(&self.control).is_running()
    }

    /// Gives up the run in flight and waits until its folder is free.
    pub fn end(&self) {
        let _ = self.call("stop", json!({}));
        while locked(&self.control).making.is_some() {
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn tell(&self, message: &Message) {
        // Without a page nobody hears it.
        let _ = self.messages.send(written(message));
    }

    fn tell_state(&self) {
        let (running, pausing) = {
            let control = locked(&self.control);
            (control.is_running(), control.pausing && (control.making.is_some() || !control.queue.is_empty()))
        };
        let state = {
            let mut desk = locked(&self.desk);
            desk.set_running(running, pausing);
            desk.state()
        };
        self.tell(&Message::State(state));
    }

    fn change(&self, change: impl FnOnce(&mut Control)) -> Result<Value, Problem> {
        change(&mut locked(&self.control));
        self.changed.notify_all();
        self.tell_state();
        Ok(json!({}))
    }

    /// Plans a study, with what its folder holds; which runs are left to be made.
    fn take_up(&self, text: &str) -> Result<Vec<Assignment>, Problem> {
        let title = StudyFile::parse(text, STUDY_FILE).ok().and_then(|file| file.title);
        let folder = title.map_or_else(|| self.root.clone(), |title| self.root.join(study_folder(&title)));
        let mut desk = locked(&self.desk);
        self.read_folder(&mut desk, &folder);
        let left = desk.plan(text)?;
        desk.set_folder(folder.display().to_string());
        let runs = desk.runs().to_vec();
        self.read_weights(&mut desk, &folder);
        let (session, question) = (desk.session()?, desk.question());
        let session = locked(&self.datasets).main(&session)?;
        drop(desk);
        let mut control = locked(&self.control);
        control.queue.clear();
        control.current = Some(Arc::new(Current { session, runs, question, folder, text: text.to_owned() }));
        Ok(left)
    }

    fn begin(&self, left: Vec<Assignment>) -> Result<Value, Problem> {
        let made = locked(&self.control).making.clone();
        let is_of_study = made.is_some_and(|id| locked(&self.desk).has(&id));
        let answer = self.change(|control| {
            control.queue = left.into();
            control.pausing = false;
            control.begun = true;
            control.stopping = control.making.is_some() && !is_of_study;
        });
        self.ask_for_verdict();
        answer
    }

    /// Records that a folder holds already.
    fn read_folder(&self, desk: &mut Desk, folder: &Path) {
        let store = Store::of(folder);
        for id in store.identities().unwrap_or_default() {
            if !desk.knows(&id)
                && let Ok(Some(record)) = store.read(&id)
            {
                desk.keep(record);
            }
        }
    }

    /// Weights that are kept of the study's runs.
    fn read_weights(&self, desk: &mut Desk, folder: &Path) {
        let kept = kept_models(folder).unwrap_or_default();
        for record in desk.records() {
            let file = kept.iter().find(|model| model.id == record.id);
            let Some(bytes) = file.and_then(|model| fs::read(&model.path).ok()) else { continue };
            if let Ok(values) = weights_of(&bytes) {
                desk.learn(&record.id, record.epochs.len(), 0, true, values);
            }
        }
    }

    /// A run that is being given up is not taken for one that goes on.
    fn wait_for_stop(&self) {
        loop {
            let control = locked(&self.control);
            if !(control.stopping && control.making.is_some()) {
                return;
            }
            drop(control);
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Writes into the study's folder what is known of it and not there: its text, and records of runs that were made for another study.
    fn fill(&self, current: &Current) {
        let store = Store::of(&current.folder);
        let written =
            records::store::write_atomically(&current.folder.join(STUDY_FILE), current.text.as_bytes());
        let mut problem = written.err().map(|error| error.to_string());
        if current.folder != self.root {
            // What the page had last, for its next start.
            let last = records::store::write_atomically(&self.root.join(STUDY_FILE), current.text.as_bytes());
            problem = problem.or(last.err().map(|error| error.to_string()));
        }
        let there = store.identities().unwrap_or_default();
        for record in locked(&self.desk).records() {
            if !there.contains(&record.id)
                && let Err(error) = store.write(&record)
            {
                problem = Some(error.to_string());
            }
        }
        if let Some(message) = problem {
            self.tell(&Message::Problem { message, hint: None });
        }
    }

    /// Makes runs, one after the other, for ever.
    fn make(&self) {
        loop {
            let (current, first) = self.next();
            let opened = StudyFolder::open(
                &current.folder,
                &current.question,
                Some((&current.runs, &current.session.environment())),
                Imports::default(),
                Entry::ReplaceUntitled,
            );
            let folder = match opened {
                Ok(folder) => folder,
                Err(error) => {
                    self.fail(
                        error.to_string(),
                        Some("give the study another title, or start the page with another --out"),
                    );
                    continue;
                }
            };
            self.fill(&current);
            let mut next = first;
            while let Some(assignment) = next.take() {
                self.make_run(&current, &folder, &assignment);
                next = self.next_of(&current);
            }
            drop(folder);
            self.fill(&current);
            if let Err(message) = self.folders.publish(&current.folder, current.session.corpus()) {
                self.tell(&Message::Problem { message, hint: None });
            }
            self.tell_state();
        }
    }

    /// Waits for a run that is to be made.
    fn next(&self) -> (Arc<Current>, Option<Assignment>) {
        let mut control = locked(&self.control);
        loop {
            control.making = None;
            if !control.pausing
                && (control.begun || !control.queue.is_empty())
                && let Some(current) = control.current.clone()
            {
                // A study all of whose runs are known has its folder written all the same.
                control.begun = false;
                let assignment = control.queue.pop_front();
                control.making = assignment.as_ref().map(|assignment| assignment.id.clone());
                control.stopping = false;
                return (current, assignment);
            }
            control = self.changed.wait(control).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next run of the same study, if one is to be made at once.
    fn next_of(&self, current: &Arc<Current>) -> Option<Assignment> {
        let mut control = locked(&self.control);
        control.making = None;
        let is_same = control.current.as_ref().is_some_and(|other| Arc::ptr_eq(current, other));
        let assignment = if is_same && !control.pausing { control.queue.pop_front() } else { None };
        if let Some(assignment) = &assignment {
            control.making = Some(assignment.id.clone());
            control.stopping = false;
        }
        assignment
    }

    fn fail(&self, message: String, hint: Option<&str>) {
        {
            let mut control = locked(&self.control);
            control.queue.clear();
            control.making = None;
            control.begun = false;
        }
        self.tell(&Message::Problem { message, hint: hint.map(str::to_owned) });
        self.tell_state();
    }

    fn make_run(&self, current: &Current, folder: &StudyFolder, assignment: &Assignment) {
        let Some(index) = current.runs.iter().position(|run| *run == assignment.specification) else {
            return;
        };
        let run = &assignment.specification;
        let mut told = None;
        let mut listener = |event: &Event| {
            let is_step = matches!(event.kind, Kind::Step(_));
            let now = Instant::now();
            let is_due = told.is_none_or(|before| now.duration_since(before) >= PAUSE);
            if !is_step || is_due {
                told = Some(now);
                let event = locked(&self.desk).hear(&assignment.id, event);
                if let Some(event) = event {
                    self.tell(&Message::Event { event });
                }
            }
            match locked(&self.control).stopping {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let looking =
            Looking { studio: self, current, id: &assignment.id, run, last: Mutex::new(Last::default()) };
        let session = slice::from_ref(&*current.session);
        let executed = execute(session, &current.runs, &[index], folder, false, &looking, &mut listener);
        match executed {
            Ok(executed) => {
                let record = folder.store().read(&assignment.id);
                let mut desk = locked(&self.desk);
                executed.failed.into_iter().for_each(|run| desk.fail(run));
                if let Ok(Some(record)) = record {
                    desk.keep(record);
                }
                drop(desk);
                for message in executed.conflicts {
                    self.tell(&Message::Problem { message, hint: None });
                }
            }
            Err(study::execute::ExecutionError::Run(error)) if error.is_interruption() => {
                locked(&self.desk).give_up();
            }
            Err(error) => {
                locked(&self.desk).give_up();
                self.fail(error.to_string(), None);
            }
        }
        self.ask_for_verdict();
    }

    fn ask_for_verdict(&self) {
        *locked(&self.unjudged) = true;
        self.finished.notify_all();
    }

    /// Judges the finished runs whenever there is one more, for ever.
    fn judge(&self) {
        loop {
            let mut unjudged = locked(&self.unjudged);
            while !*unjudged {
                unjudged = self.finished.wait(unjudged).unwrap_or_else(PoisonError::into_inner);
            }
            *unjudged = false;
            drop(unjudged);
            let material = locked(&self.desk).material();
            // The desk answers meanwhile.
            let summary = material.map_or(Value::Null, |material| material.summary());
            self.tell_state();
            self.tell(&Message::Summary { summary });
        }
    }
}

fn written(message: &Message) -> Arc<str> {
    serde_json::to_string(message).expect("plain values").into()
}

/// The weights in a file that the program wrote.
fn weights_of(bytes: &[u8]) -> Result<Vec<f32>, FormatError> {
    let description = interchange::describe(bytes)?;
    let mut model = description.model(InstructionSet::PORTABLE, 1).map_err(|_| FormatError::NoDescription)?;
    interchange::load(bytes, &description, &[], &mut model)?;
    Ok(model.parameters().to_vec())
}

/// Sees what a run learns, and leaves it on the board.
struct Looking<'a> {
    studio: &'a Studio,
    current: &'a Current,
    id: &'a str,
    run: &'a RunSpec,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    at: Option<Instant>,
    steps: usize,
    values: Vec<f32>,
}

impl Looking<'_> {
    fn put(&self, epoch: usize, step: usize, finished: bool, values: Vec<f32>) {
        let (model, seed) = (self.run.model.clone(), self.run.seed);
        let weights = Weights { model: model.clone(), seed, epoch, step, finished, values };
        self.studio.board.put(self.id, weights);
        self.studio.tell(&Message::Weights { model, seed, epoch, step, finished });
    }
}

impl Keeping for Looking<'_> {
    fn look(&self, _: usize, engine: &dyn Engine) {
        let mut last = locked(&self.last);
        last.steps += 1;
        let now = Instant::now();
        if last.at.is_some_and(|before| now.duration_since(before) < PAUSE) {
            return;
        }
        last.at = Some(now);
        engine.copy_parameters(&mut last.values);
        let batch = self.run.recipe.batch_size.max(1);
        let steps = self.run.dataset.training_images.div_ceil(batch).max(1);
        let (epoch, step) = ((last.steps - 1) / steps + 1, (last.steps - 1) % steps + 1);
        let values = last.values.clone();
        drop(last);
        self.put(epoch, step, false, values);
    }

    fn keep(&self, run: usize, finished: &FinishedRun) -> Result<(), FileError> {
        self.put(finished.record.epochs.len(), 0, true, finished.model.parameters().to_vec());
        let Current { session, runs, folder, .. } = self.current;
        self.studio.folders.keep(folder, runs, session.corpus(), run, finished)
    }
}

/// The folder of a study with a title. What a results folder holds itself has other names.
fn study_folder(title: &str) -> String {
    const TAKEN: [&str; 7] = ["records", "models", "failed", "imported", "conflicts", "apart", "paper"];
    let name = folder_name(title);
    if TAKEN.contains(&name.to_lowercase().as_str()) { format!("{name}-study") } else { name }
}

/// The data sets of this machine. One is open at a time.
struct Datasets {
    set: InstructionSet,
    threads: usize,
    /// One that the command names, which may be a path.
    dataset: Option<String>,
    open: Option<Opened>,
}

struct Opened {
    name: String,
    /// On which runs are made.
    main: Arc<Session>,
    /// On which questions are answered meanwhile.
    aside: Arc<Session>,
}

impl Datasets {
    fn names(&self) -> Vec<String> {
        let cache = data::cache_folder().ok();
        let is_here = |set: &&data::Published| match &cache {
            Some(cache) => set.is_here(cache),
            None => set.file_names().is_none(),
        };
        let mut names: Vec<String> =
            data::published().iter().filter(is_here).map(|set| set.name.to_owned()).collect();
        if let Some(dataset) = self.dataset.as_ref().filter(|dataset| !names.contains(dataset)) {
            names.insert(0, dataset.clone());
        }
        names
    }

    fn open(&mut self, dataset: &str) -> Result<Arc<Session>, Problem> {
        if let Some(opened) = self.open.as_ref().filter(|opened| opened.name == dataset) {
            return Ok(Arc::clone(&opened.aside));
        }
        if !self.names().iter().any(|name| name == dataset) {
            let hint = match data::find_published(dataset) {
                Some(_) => format!("`mnist-study datasets fetch {dataset}` downloads it"),
                None => format!(
                    "choose from {}, or start the page with `--dataset` and the path of your images",
                    self.names().join(", ")
                ),
            };
            return Err(Problem::new(format!("data set {dataset}: not on this machine")).hint(hint));
        }
        let source = Source::parse(dataset).map_err(RunError::from)?;
        let main = Session::open(&source, self.set, self.threads)?;
        let aside = Arc::new(main.aside(1)?);
        let opened = Opened { name: dataset.to_owned(), main: Arc::new(main), aside: Arc::clone(&aside) };
        self.open = Some(opened);
        Ok(aside)
    }

    /// The session that makes runs on the data of one that answers questions.
    fn main(&self, aside: &Arc<Session>) -> Result<Arc<Session>, Problem> {
        let opened = self.open.as_ref().filter(|opened| Arc::ptr_eq(&opened.aside, aside));
        let opened =
            opened.ok_or_else(|| Problem::new("the data set was changed meanwhile: start once more"))?;
        Ok(Arc::clone(&opened.main))
    }
}

struct Shared(Arc<Mutex<Datasets>>);

impl Sessions for Shared {
    fn open(&mut self, dataset: &str) -> Result<Arc<Session>, Problem> {
        locked(&self.0).open(dataset)
    }

    fn names(&self) -> Vec<String> {
        locked(&self.0).names()
    }
}
