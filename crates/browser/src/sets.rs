//! The data sets of a site: MNIST, and what is made of it.

use kernels::InstructionSet;
use page::{Problem, Sessions};
use std::sync::{Arc, Mutex, PoisonError};
use study::{environment::Platform, run::Session};

/// MNIST, and one of the sets that are made of it, the last that was asked for.
pub(crate) struct Sets {
    mnist: Arc<Session>,
    made: Option<Arc<Session>>,
    platform: Platform,
    workers: usize,
}

impl Sets {
    pub(crate) fn new(
        mnist: data::Corpus,
        platform: Platform,
        workers: usize,
    ) -> Result<Self, study::run::RunError> {
        let session = Session::of(mnist, InstructionSet::detect(), 1)?;
        let mnist = Arc::new(session.on(platform.clone()).one_of(workers));
        Ok(Self { mnist, made: None, platform, workers })
    }

    pub(crate) fn mnist(&self) -> &Arc<Session> {
        &self.mnist
    }

    /// The set of that name.
    pub(crate) fn of(&mut self, name: &str) -> Result<Arc<Session>, Problem> {
        let known = [Some(&self.mnist), self.made.as_ref()];
        if let Some(session) = known.into_iter().flatten().find(|session| session.corpus().name() == name) {
            return Ok(Arc::clone(session));
        }
        let made = data::made_of_mnist(name, self.mnist.corpus()).ok_or_else(|| {
            Problem::new(format!("data set {name}: one of {} expected", self.names().join(", "))).hint(
                "`mnist-study page` on your own machine studies other data sets, your own images among them",
            )
        })?;
        let corpus = made.map_err(|error| Problem::new(error.to_string()))?;
        let session = Session::of(corpus, self.mnist.instruction_set(), 1)?;
        let session = Arc::new(session.on(self.platform.clone()).one_of(self.workers));
        self.made = Some(Arc::clone(&session));
        Ok(session)
    }

    fn names(&self) -> Vec<String> {
        let made = data::MADE_OF_MNIST.iter().map(|name| (*name).to_owned());
        std::iter::once(self.mnist.corpus().name().to_owned()).chain(made).collect()
    }
}

/// What a worker's engine and its desk share.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Arc<Mutex<Sets>>);

impl Sessions for Shared {
    fn open(&mut self, dataset: &str) -> Result<Arc<Session>, Problem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).of(dataset)
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).names()
    }
}
