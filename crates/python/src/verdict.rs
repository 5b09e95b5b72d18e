//! Comparisons: of answers, of files, of models that are trained here.

use crate::{
    arrays::{array, pixels},
    listening::{Listener, attended},
    model::{Setters, Settings},
    pool, refused, refused_answers, refused_model,
};
use containers::arrays::Array;
use mnist_study::{
    Compared, Comparison as Plan, Measure, Resample,
    data::{self, Corpus, Dataset, Source as DataSource},
    known_images,
    predictions::{self, About, Assembled, Found, Source, Table, assemble, assemble_tables},
    records::{question::Question, results::Collection},
    report,
    spec::ImageShape,
};
use pyo3::{prelude::*, types::PyBytes};
use std::path::PathBuf;

/// What a comparison found.
#[pyclass(frozen, module = "mnist_study._native")]
pub(crate) struct Comparison(Compared);

#[pymethods]
impl Comparison {
    /// The result of each pair in a sentence.
    fn sentences(&self) -> Vec<String> {
        self.0.verdicts().map(str::to_owned).collect()
    }

    fn summary(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.summary())
    }

    fn page(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.page())
    }

    fn notebook(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.with_study(report::notebook))
    }

    fn terminal(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.terminal())
    }

    /// What was guessed or converted when the answers of runs were read, each with its model.
    fn conversions(&self) -> Vec<(String, String)> {
        let runs = self.0.runs.imported.iter();
        runs.flat_map(|run| run.notes.iter().map(|note| (run.model.clone(), note.clone()))).collect()
    }

    /// Every run as its record has it, in JSON.
    fn records(&self) -> PyResult<Vec<String>> {
        let trained = self.0.runs.records.iter().map(serde_json::to_string);
        let imported = self.0.runs.imported.iter().map(serde_json::to_string);
        trained.chain(imported).collect::<Result<_, _>>().map_err(refused)
    }

    fn write(&self, py: Python<'_>, folder: PathBuf, replace: bool) -> PyResult<()> {
        py.detach(|| self.0.write(folder, replace).map_err(refused))
    }
}

/// What is asked of a comparison.
fn question(title: Option<String>, decide_by: &str) -> PyResult<Question> {
    Ok(Question { title, decide_by: measure(decide_by)?, ..Question::default() })
}

fn measure(name: &str) -> PyResult<Measure> {
    let names: Vec<&str> = Measure::ALL.iter().map(|measure| measure.name()).collect();
    let found = Measure::ALL.into_iter().find(|measure| measure.name() == name);
    found.ok_or_else(|| refused(format!("decide_by: {} expected, {name:?} found", names.join(", "))))
}

/// The data set whose test images were answered.
fn loaded(name: &str) -> PyResult<Corpus> {
    let loaded = DataSource::parse(name).and_then(|source| data::load(&source));
    loaded.map_err(|error| match &error {
        data::Error::UnknownName { .. } => {
            let names = data::published().iter().map(|set| set.name).collect::<Vec<_>>().join(", ");
            refused(format!("{error}\nhint: mnist, a file, a folder, or one that `mnist-study datasets fetch NAME` brings: {names}"))
        }
        _ => refused(error),
    })
}

fn judged(
    assembled: Assembled,
    notes: Vec<String>,
    question: Question,
    corpus: Option<Corpus>,
) -> Comparison {
    let notes = notes.into_iter().chain(assembled.notes).collect();
    let runs = Collection { imported: assembled.runs, question, notes, ..Collection::default() };
    Comparison(Compared::of(runs, corpus))
}

/// The answers of one run: the model's name, the run's, arrays by their names, what is stated of the run as JSON.
type Answers<'py> = (String, String, Vec<(String, Bound<'py, PyAny>)>, Option<String>);

/// Judges answers that are in memory.
#[pyfunction]
pub(crate) fn judge(
    py: Python<'_>,
    runs: Vec<Answers<'_>>,
    labels: Option<Vec<(String, Bound<'_, PyAny>)>>,
    images: Option<String>,
    title: Option<String>,
    decide_by: &str,
) -> PyResult<Comparison> {
    let question = question(title, decide_by)?;
    let table = |file: String, arrays: Vec<(String, Bound<'_, PyAny>)>| {
        let arrays: PyResult<Vec<Array>> = arrays.iter().map(|(name, values)| array(name, values)).collect();
        Table::of_arrays(file, arrays?).map_err(|error| refused_answers(&error))
    };
    let (mut sources, mut tables) = (Vec::new(), Vec::new());
    for (model, run, arrays, about) in runs {
        let file = format!("{model}, {run}");
        let about = about.map(|about| About::parse(&file, about.as_bytes())).transpose();
        let about = about.map_err(|error| refused_answers(&error))?.unwrap_or_default();
        tables.push(table(file.clone(), arrays)?);
        sources.push(Source { model, run, path: PathBuf::from(file), about });
    }
    let labels = labels.map(|labels| table("labels".to_owned(), labels)).transpose()?;
    py.detach(|| {
        let corpus = images.as_deref().map(loaded).transpose()?;
        let assembled = assemble_tables(sources, tables, labels, corpus.as_ref().map(known_images));
        Ok(judged(assembled.map_err(|error| refused_answers(&error))?, Vec::new(), question, corpus))
    })
}

/// Judges a folder of files of answers.
#[pyfunction]
pub(crate) fn judge_files(
    py: Python<'_>,
    folder: PathBuf,
    labels: Option<PathBuf>,
    images: Option<String>,
    title: Option<String>,
    decide_by: &str,
) -> PyResult<Comparison> {
    let question = question(title, decide_by)?;
    py.detach(|| {
        let corpus = images.as_deref().map(loaded).transpose()?;
        let read = || {
            let Found { sources, notes } = predictions::find(&folder)?;
            let labels = labels.as_deref().map(predictions::read).transpose()?;
            Ok((assemble(sources, labels, corpus.as_ref().map(known_images))?, notes))
        };
        let (assembled, notes) = read().map_err(|error: predictions::Error| refused_answers(&error))?;
        Ok(judged(assembled, notes, question, corpus))
    })
}

/// What a folder of results holds.
#[pyfunction]
pub(crate) fn read(py: Python<'_>, folder: PathBuf) -> PyResult<Comparison> {
    py.detach(|| Compared::read(folder).map(Comparison).map_err(refused))
}

/// Images to learn from and to test on: a name, then pixels and labels of both parts.
#[derive(FromPyObject)]
pub(crate) struct Images {
    name: String,
    training_images: Py<PyAny>,
    training_labels: Py<PyAny>,
    test_images: Py<PyAny>,
    test_labels: Py<PyAny>,
}

impl Images {
    pub(crate) fn corpus(&self, py: Python<'_>) -> PyResult<Corpus> {
        let part = |name: &str, images: &Py<PyAny>, labels: &Py<PyAny>| {
            let (shape, images) = pixels(&format!("{name} images"), images.bind(py))?;
            let (_, labels) = pixels(&format!("{name} labels"), labels.bind(py))?;
            let shape = match shape[..] {
                [_, height, width] => [height, width, 1],
                [_, height, width, channels] => [height, width, channels],
                _ => {
                    let expected =
                        "an array [images, height, width] or [images, height, width, channels] expected";
                    return Err(refused(format!("{name} images: {expected}, one of shape {shape:?} found")));
                }
            };
            Ok((shape, (images, labels)))
        };
        let (shape, training) = part("training", &self.training_images, &self.training_labels)?;
        let (test_shape, test) = part("test", &self.test_images, &self.test_labels)?;
        if shape != test_shape {
            return Err(refused(format!(
                "test images: {shape:?} pixels and channels expected, {test_shape:?} found"
            )));
        }
        Corpus::from_images(self.name.clone(), shape, training, test).map_err(refused)
    }
}

/// The parts of a data set: images as bytes with their shape, labels as bytes, first those to learn from; and what the classes are called.
#[pyfunction]
pub(crate) fn load_data(py: Python<'_>, name: &str) -> PyResult<(Vec<Part>, Vec<String>)> {
    let corpus = py.detach(|| pool::of_this_process(|| loaded(name)))?;
    let part = |set: &Dataset| {
        let ImageShape { height, width, channels } = set.shape();
        let bytes = |values: &[u8]| PyBytes::new(py, values).unbind();
        (bytes(set.images()), vec![set.len(), height, width, channels], bytes(set.labels()))
    };
    Ok((vec![part(corpus.training()), part(corpus.test())], corpus.class_names().to_vec()))
}

/// Images as bytes, their array's shape, labels as bytes.
type Part = (Py<PyBytes>, Vec<usize>, Py<PyBytes>);

/// How a comparison is laid out; of attributes of an object.
#[derive(FromPyObject)]
pub(crate) struct Design {
    runs: u64,
    first_seed: u64,
    folds: Option<usize>,
    repeats: usize,
    resample: Option<String>,
    decide_by: String,
}

/// Trains and compares models.
#[pyfunction]
pub(crate) fn compare(
    py: Python<'_>,
    models: Vec<String>,
    design: Design,
    settings: Settings,
) -> PyResult<Comparison> {
    let Design { runs, first_seed, folds, repeats, resample, decide_by } = design;
    let names = models.iter().map(String::as_str);
    let mut plan = Plan::of(names)
        .map_err(|error| refused_model(&error))?
        .runs(runs)
        .first_seed(first_seed)
        .repeats(repeats);
    plan = plan.decide_by(measure(&decide_by)?);
    if let Some(folds) = folds {
        plan = plan.folds(folds);
    }
    if let Some(name) = resample {
        let known = [("bootstrap", Resample::Bootstrap), ("split", Resample::Split)];
        let found = known.into_iter().find(|(known, _)| *known == name);
        let refused = || refused(format!("resample: bootstrap or split expected, {name:?} found"));
        plan = plan.resample(found.ok_or_else(refused)?.1);
    }
    let by = Setters {
        dataset: Plan::dataset,
        corpus: Plan::corpus,
        epochs: Plan::epochs,
        threads: Plan::threads,
    };
    let (plan, progress) = settings.apply(py, plan, &by)?;
    let work = |listener: &mut Listener| plan.run_with(listener).map_err(refused);
    attended(py, progress.as_ref(), work).map(Comparison)
}
