//! The data sets that a page of this machine can study.

use crate::locked;
use data::Source;
use kernels::InstructionSet;
use page::{Problem, Sessions};
use std::sync::{Arc, Mutex};
use study::run::{RunError, Session};

/// The data sets of this machine. One is open at a time.
pub(crate) struct Datasets {
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
    /// Nothing is opened yet. `dataset` is one that the command names, which may be a path.
    pub(crate) fn new(set: InstructionSet, threads: usize, dataset: Option<String>) -> Self {
        Self { set, threads, dataset, open: None }
    }

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
    pub(crate) fn main(&self, aside: &Arc<Session>) -> Result<Arc<Session>, Problem> {
        let opened = self.open.as_ref().filter(|opened| Arc::ptr_eq(&opened.aside, aside));
        let opened =
            opened.ok_or_else(|| Problem::new("the data set was changed meanwhile: start once more"))?;
        Ok(Arc::clone(&opened.main))
    }
}

/// The data sets, as a desk asks for them.
pub(crate) struct Shared(pub(crate) Arc<Mutex<Datasets>>);

impl Sessions for Shared {
    fn open(&mut self, dataset: &str) -> Result<Arc<Session>, Problem> {
        locked(&self.0).open(dataset)
    }

    fn names(&self) -> Vec<String> {
        locked(&self.0).names()
    }
}
