//! A study file as a page shows it.

use crate::{Problem, Sessions, mend::mended};
use nn::ImageShape;
use records::{
    question::Question,
    record::{Resample, RunSpec},
};
use serde_json::{Value, json};
use spec::{Graph, Node, Operation};
use std::sync::Arc;
use study::{
    plan::{CrossValidation, StudySpec, identify, plan},
    run::Session,
    study_file::{ModelSpec, StudyFile, built_in_models, built_in_text},
};

/// No page makes more runs; a study of more is for the command.
const MOST_RUNS: u64 = 1000;

/// The longest text that is read.
const MOST_BYTES: usize = 1 << 20;

/// A study with its runs.
pub(crate) struct Planned {
    pub(crate) session: Arc<Session>,
    pub(crate) question: Question,
    pub(crate) runs: Vec<RunSpec>,
}

/// What the file is called in messages, which show its lines.
const NAME: &str = "study.toml";

fn parsed(text: &str) -> Result<StudyFile, Problem> {
    if text.len() > MOST_BYTES {
        return Err(Problem::new(format!(
            "a study of at most {MOST_BYTES} bytes expected, {} found",
            text.len()
        )));
    }
    let file = StudyFile::parse(text, NAME)?;
    if file.datasets.len() != 1 {
        return Err(Problem::new(format!("one data set expected, {} found", file.datasets.len()))
            .hint("a page studies one data set at a time; `mnist-study run` takes a study over several"));
    }
    let runs = file.cross_validation.map_or(file.runs, CrossValidation::runs);
    if runs.saturating_mul(file.models.len() as u64) > MOST_RUNS {
        return Err(Problem::new(format!("at most {MOST_RUNS} runs expected, more found"))
            .hint("write fewer `seeds`; `mnist-study run` takes a study of any size"));
    }
    Ok(file)
}

fn checked(sessions: &mut dyn Sessions, text: &str) -> Result<(StudyFile, Arc<Session>), Problem> {
    let file = parsed(text)?;
    let session = sessions.open(&file.datasets[0])?;
    for model in &file.models {
        session.check(model)?;
    }
    Ok((file, session))
}

/// The data set that a study names; that of most studies where the text is none.
pub(crate) fn dataset_of(text: &str) -> String {
    parsed(text).map_or_else(|_| "mnist".to_owned(), |file| file.datasets[0].clone())
}

pub(crate) fn planned(sessions: &mut dyn Sessions, text: &str) -> Result<Planned, Problem> {
    let (file, session) = checked(sessions, text).map_err(|problem| mended(sessions, text, problem))?;
    let runs = plan(&StudySpec::of_file(&file), &identify(session.corpus()));
    if let Some(first) = runs.first() {
        session.check_division(first)?;
    }
    let question = Question {
        title: file.title,
        target: file.target,
        decide_by: file.decide_by,
        equivalence_margin_points: file.equivalence_margin_points,
    };
    Ok(Planned { session, question, runs })
}

/// The call `study`.
pub(crate) fn study(sessions: &mut dyn Sessions, text: &str) -> Result<Value, Problem> {
    let (file, session) = checked(sessions, text).map_err(|problem| mended(sessions, text, problem))?;
    let images = session.corpus().training().shape();
    let classes = session.corpus().class_names();
    let models: Vec<Value> =
        file.models.iter().map(|model| described(model, images, classes.len())).collect();
    Ok(json!({
        "title": file.title,
        "dataset": file.datasets[0],
        "protocol": file.protocol.name(),
        "resample": (file.resample != Resample::None).then(|| file.resample.name()),
        "first_seed": file.first_seed,
        "runs": file.cross_validation.map_or(file.runs, CrossValidation::runs),
        "folds": file.cross_validation.map(|folds| folds.folds),
        "decide_by": file.decide_by.in_words(),
        "image": [images.height, images.width, images.channels],
        "classes": classes,
        "models": models,
    }))
}

/// Whether an error is left, and where: what a mend is tried by.
pub(crate) fn first_problem(sessions: &mut dyn Sessions, text: &str) -> Option<Problem> {
    checked(sessions, text).err()
}

fn described(model: &ModelSpec, images: ImageShape, classes: usize) -> Value {
    let name = &model.architecture.name;
    let graph = Graph::of(name, &model.architecture.layers, images, classes);
    let nodes = graph.map(|graph| graph.nodes).unwrap_or_default();
    let is_built_in = |other: &ModelSpec| {
        other.architecture.name == *name && other.architecture.layers == model.architecture.layers
    };
    json!({
        "name": name,
        "summary": model.architecture.summary,
        "citation": model.architecture.citation,
        "built_in": built_in_models().iter().any(is_built_in),
        "epochs": model.recipe.epochs,
        "batch_size": model.recipe.batch_size,
        "learning_rate": model.recipe.learning_rate,
        "precision": model.recipe.precision,
        "parameters": nodes.iter().map(|node| node.parameters).sum::<usize>(),
        "multiply_adds": nodes.iter().map(|node| node.multiply_adds).sum::<u64>(),
        "doubt": model.architecture.doubt(),
        "layers": nodes.iter().map(|node| layer(node, model)).collect::<Vec<_>>(),
    })
}

fn layer(node: &Node, model: &ModelSpec) -> Value {
    json!({
        "name": node.name,
        "layer": written(node),
        "position": node.position,
        "line": model.line_of(&node.position),
        "input": node.from.axes(),
        "output": node.to.axes(),
        "parameters": node.parameters,
        "multiply_adds": node.multiply_adds,
    })
}

/// A layer as a study file has it; a residual layer's sum in words.
pub(crate) fn written(node: &Node) -> String {
    match &node.operation {
        Operation::Layer(layer) => layer.to_string(),
        Operation::Sum(_) => "sum".to_owned(),
    }
}

/// A built-in model of the catalogue, for images as MNIST's.
pub(crate) fn built_in(model: &ModelSpec) -> Value {
    let images = ImageShape { height: 28, width: 28, channels: 1 };
    let mut told = described(model, images, 10);
    told["text"] = built_in_text(&model.architecture.name).into();
    told
}
