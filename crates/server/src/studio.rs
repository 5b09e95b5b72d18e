//! The native engine of a page: makes the runs of its study and tells what comes of them.

use crate::{
    datasets::{Datasets, Shared},
    folders::{Folders, study_folder, weights_of},
    locked,
    looking::Looking,
};
use kernels::InstructionSet;
use page::{Assignment, Board, Desk, EngineDescription, Message, Problem};
use records::{
    event::{Event, Kind},
    folder::{Entry, StudyFolder},
    imported::Imports,
    kept_models::kept_models,
    question::Question,
    record::RunSpec,
    store::Store,
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    slice,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};
use study::{
    execute::execute,
    run::{RunError, Session},
    study_file::StudyFile,
};
use tokio::sync::broadcast::{self, Receiver, Sender};

/// The study of a results folder, as the page left it.
const STUDY_FILE: &str = "study.toml";

/// A page is shown the steps of a run, and what it has learnt, so often.
pub(crate) const PAUSE: Duration = Duration::from_millis(150);

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

/// Makes the runs of a page's study in a results folder.
pub struct Studio {
    desk: Mutex<Desk>,
    pub(crate) board: Arc<Board>,
    datasets: Arc<Mutex<Datasets>>,
    messages: Sender<Arc<str>>,
    control: Mutex<Control>,
    changed: Condvar,
    /// Whether there are runs that no summary was made of.
    unjudged: Mutex<bool>,
    finished: Condvar,
    pub(crate) folders: Box<dyn Folders>,
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
pub(crate) struct Current {
    pub(crate) session: Arc<Session>,
    pub(crate) runs: Vec<RunSpec>,
    question: Question,
    pub(crate) folder: PathBuf,
    text: String,
}

impl Control {
    fn is_running(&self) -> bool {
        self.begun || self.making.is_some() || (!self.queue.is_empty() && !self.pausing)
    }
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
        let datasets = Arc::new(Mutex::new(Datasets::new(set, threads, dataset)));
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

    pub(crate) fn tell(&self, message: &Message) {
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
        let looking = Looking::new(self, current, &assignment.id, run);
        let mut told = None;
        let mut listener = |event: &Event| {
            looking.hear(&event.kind);
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
                locked(&self.desk).give_up(&assignment.id);
            }
            Err(error) => {
                locked(&self.desk).give_up(&assignment.id);
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
