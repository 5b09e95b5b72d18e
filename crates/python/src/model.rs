//! Models: trained here or loaded, asked of arrays and files.

use crate::{
    arrays::pixels,
    listening::{Listener, attended},
    pool, refused, refused_model,
    verdict::Images,
};
use mnist_study::{Classifier, Trained, Training, data::Corpus};
use pyo3::{prelude::*, types::PyBytes};
use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A model with its weights.
#[pyclass(frozen, module = "mnist_study._native")]
pub(crate) struct Model {
    /// Of several threads one at a time asks it.
    classifier: Mutex<Classifier>,
    /// The record of its training, as JSON, where it was trained in this process.
    record: Option<String>,
}

#[pymethods]
impl Model {
    #[new]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let classifier = py.detach(|| Classifier::load(path).map_err(refused))?;
        Ok(Self { classifier: Mutex::new(classifier), record: None })
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.classifier().save(path).map_err(refused))
    }

    /// Probabilities of every class as bytes of float32, and how many images there are.
    fn probabilities(&self, py: Python<'_>, images: &Bound<'_, PyAny>) -> PyResult<(Py<PyBytes>, usize)> {
        let (_, pixels) = pixels("images", images)?;
        let answers = py
            .detach(|| pool::of_this_process(|| self.classifier().classify_many(&pixels).map_err(refused)))?;
        let bytes: Vec<u8> = answers.iter().flat_map(|value| value.to_ne_bytes()).collect();
        let count = answers.len() / self.classifier().description().classes.len();
        Ok((PyBytes::new(py, &bytes).unbind(), count))
    }

    /// Class, its name, probabilities and remarks of the one image or digit in a file.
    fn file(&self, py: Python<'_>, path: PathBuf) -> PyResult<(usize, String, Vec<f32>, Vec<String>)> {
        let answer = py.detach(|| self.classifier().classify_file(path).map_err(refused))?;
        let doubts = answer.doubts.iter().map(ToString::to_string);
        let remarks = answer.remarks.iter().cloned().chain(doubts).collect();
        Ok((answer.class, answer.name, answer.probabilities, remarks))
    }

    #[getter]
    fn name(&self) -> String {
        self.classifier().description().architecture.clone()
    }

    /// Names of the classes.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.classifier().description().classes.clone()
    }

    /// Height, width and channels of an image.
    #[getter]
    fn image_shape(&self) -> (usize, usize, usize) {
        let image = self.classifier().description().image();
        (image.height, image.width, image.channels)
    }

    #[getter]
    fn remarks(&self) -> Vec<String> {
        self.classifier().remarks().iter().map(ToString::to_string).collect()
    }

    #[getter]
    fn record(&self) -> Option<&str> {
        self.record.as_deref()
    }
}

impl Model {
    fn classifier(&self) -> MutexGuard<'_, Classifier> {
        // What a panic left behind is written anew by the next question.
        self.classifier.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a training is told beside its model; of attributes of an object.
#[derive(FromPyObject)]
pub(crate) struct Settings {
    data: Option<String>,
    images: Option<Images>,
    epochs: Option<usize>,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
}

impl Settings {
    /// Tells it, and hands over what is called after every epoch.
    pub(crate) fn apply<T>(
        self,
        py: Python<'_>,
        mut to: T,
        by: &Setters<T>,
    ) -> PyResult<(T, Option<Py<PyAny>>)> {
        let Self { data, images, epochs, threads, progress } = self;
        if let Some(name) = data {
            to = (by.dataset)(to, &name).map_err(refused)?;
        }
        if let Some(images) = images {
            to = (by.corpus)(to, images.corpus(py)?);
        }
        if let Some(epochs) = epochs {
            to = (by.epochs)(to, epochs);
        }
        if let Some(threads) = threads {
            to = (by.threads)(to, threads);
        }
        Ok((to, progress))
    }
}

/// How a training or a comparison takes each.
pub(crate) struct Setters<T> {
    pub(crate) dataset: fn(T, &str) -> Result<T, mnist_study::Error>,
    pub(crate) corpus: fn(T, Corpus) -> T,
    pub(crate) epochs: fn(T, usize) -> T,
    pub(crate) threads: fn(T, usize) -> T,
}

/// Trains one model.
#[pyfunction]
pub(crate) fn train(py: Python<'_>, model: &str, seed: u64, settings: Settings) -> PyResult<Model> {
    let training = Training::of(model).map_err(|error| refused_model(&error))?.seed(seed);
    let by = Setters {
        dataset: Training::dataset,
        corpus: Training::corpus,
        epochs: Training::epochs,
        threads: Training::threads,
    };
    let (training, progress) = settings.apply(py, training, &by)?;
    let work = |listener: &mut Listener| training.run_with(listener).map_err(refused);
    let Trained { classifier, record } = attended(py, progress.as_ref(), work)?;
    let record = serde_json::to_string(&record).map_err(refused)?;
    Ok(Model { classifier: Mutex::new(classifier), record: Some(record) })
}
