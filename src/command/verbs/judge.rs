//! `judge`: models that other programs trained, compared by their answers to the same test images.

use super::{results, source};
use crate::command::{
    failure::Failure,
    options::{OutputArguments, QuestionArguments, values::Show},
};
use clap::{Args, ValueHint};
use data::Corpus;
use predictions::{Assembled, Found, Source, assemble, find, find_runs, stem};
use records::{
    folder::{Entry, StudyFolder},
    imported::Imports,
    results::collect,
};
use std::path::{Path, PathBuf};

/// `judge`.
#[derive(Debug, Args)]
#[command(args_override_self = true, after_help = EXAMPLES)]
pub(crate) struct JudgeArguments {
    /// Answers: a folder of MODEL/RUN.csv (or .npz, .npy, .json, .safetensors), files of a model as MODEL=FILE,FILE,…, or one file, a
    /// model of one run
    #[arg(value_name = "ANSWERS", required = true)]
    pub(crate) answers: Vec<String>,
    /// File of the true classes, where the files of answers have none; a text file has one a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) labels: Option<PathBuf>,
    /// Data set whose test images were answered, in their order: its labels count, and the report shows the images that are missed
    #[arg(long, value_name = "DATASET")]
    pub(crate) images: Option<String>,
    /// Of a cross-validation the fraction of the other folds' images that runs held back to validate on, where run.json does not
    /// state it as held_back [default: 1/12, as of this program's own runs]
    #[arg(long, value_name = "FRACTION", value_parser = fraction)]
    pub(crate) held_back: Option<f64>,
    /// What the report is headed by
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    #[command(flatten)]
    pub(crate) question: QuestionArguments,
    /// Folder that the results go to
    #[arg(long, value_name = "DIR", default_value = "Verdict", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Replace the results of another study in that folder
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Whether to show the plots: auto shows them when at a terminal
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Show::Auto)]
    pub(crate) show: Show,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

const EXAMPLES: &str = "\
A file has a row for each test image, in the same order in all files or with ids: the class that was given, or the
probability (or logit) of every class, and, in one file at least, the true class.
  CSV     columns prediction, or p_0, p_1, … or p_NAME; label; id
  npz     arrays predictions, probabilities or logits; labels; ids (also JSON and safetensors)
  npy     one array of classes, or of a row of probabilities or logits an image
Runs of two models that are called alike (seed-3, fold-2) are paired. RUN.run.json beside a file states seed, parameters,
train_seconds, machine and epochs.

Examples:
  mnist-study judge predictions                              predictions/resnet/seed-0.csv, …
  mnist-study judge --labels y.npy resnet=r0.npy,r1.npy vit=v0.npy,v1.npy
  mnist-study judge predictions --images mnist               with the pictures of what is missed";

impl From<predictions::Error> for Failure {
    fn from(error: predictions::Error) -> Self {
        let advice = error.advice.clone();
        Self::new(error, advice)
    }
}

/// Reads, judges, writes; trains nothing.
pub(crate) fn run(arguments: &JudgeArguments) -> Result<(), Failure> {
    let output = arguments.output;
    let Found { mut sources, mut notes } = sources(&arguments.answers)?;
    for source in &mut sources {
        source.about.held_back = source.about.held_back.or(arguments.held_back);
    }
    let labels = arguments.labels.as_deref().map(predictions::read_labels).transpose()?;
    let corpus = arguments.images.as_deref().map(|name| loaded(name, output.quiet)).transpose()?;
    let known = corpus.as_ref().map(crate::known_images);
    let Assembled { runs, notes: of_all } = assemble(sources, labels, known)?;
    let mut question = arguments.question.question();
    question.title = arguments.title.clone();
    notes.extend(of_all);
    let imports = Imports { runs: &runs, notes: &notes };
    let entry = if arguments.fresh { Entry::Replace } else { Entry::ReplaceUntitled };
    let _workplace = StudyFolder::open(&arguments.out, &question, None, imports, entry)?;
    let collection = collect(&arguments.out)?;
    results::publish(&arguments.out, collection, corpus.as_ref(), output, arguments.show)
}

fn fraction(text: &str) -> Result<f64, String> {
    let fraction = text.parse().ok().filter(|fraction| (0.0..1.0).contains(fraction));
    fraction.ok_or_else(|| "a fraction from 0 to below 1 is expected, such as 0.1".to_owned())
}

/// The data set whose test images were answered.
fn loaded(name: &str, quiet: bool) -> Result<Corpus, Failure> {
    Ok(data::load(&source::source(name, quiet)?)?)
}

/// The files that arguments name.
pub(super) fn sources(answers: &[String]) -> Result<Found, Failure> {
    let mut all = Found::default();
    for argument in answers {
        let path = Path::new(argument);
        match argument.split_once('=').filter(|_| !path.exists()) {
            Some((model, files)) if !model.is_empty() && !files.is_empty() => {
                for file in files.split(',') {
                    if Path::new(file).is_dir() {
                        let found = find_runs(Path::new(file), model)?;
                        all.sources.extend(found.sources);
                        all.notes.extend(found.notes);
                        continue;
                    }
                    all.sources.push(Source::of(model, &run_name(Path::new(file)), Path::new(file))?);
                }
            }
            Some(_) => {
                return Err(Failure::usage(
                    format!("{argument}: MODEL=FILE,FILE,… expected"),
                    "name the model before the equals sign and its files behind it",
                ));
            }
            None if path.is_dir() => {
                let found = find(path)?;
                all.sources.extend(found.sources);
                all.notes.extend(found.notes);
            }
            None => {
                let name = run_name(path);
                all.sources.push(Source::of(&name, &name, path)?);
            }
        }
    }
    Ok(all)
}

/// A file's name without its ending.
fn run_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    stem(&name).unwrap_or(&name).to_owned()
}
