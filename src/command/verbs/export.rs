//! `export`: a saved model in other programs' formats.

use super::{instruction_set, kept_models, named::in_study_file, session, weights::Saved};
use crate::command::{
    failure::Failure,
    hints,
    options::{ModelFileArguments, OutputArguments, ReadingArguments, values::threads},
    output,
    reproduce::shell_path,
    targets,
};
use analysis::{
    figures::percent,
    verdict::{OnePair, Outcome, judge_one_pair},
};
use clap::{ArgGroup, Args, ValueHint};
use interchange::{OnnxOptions, Quantisation};
use nn::Model;
use records::store::write_atomically;
use report::thousands;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use train::TestTimeAugmentation;

/// `export`.
#[derive(Debug, Args)]
#[command(args_override_self = true, group = ArgGroup::new("eight bits").args(["onnx", "c_header"]).multiple(true))]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) model: ModelFileArguments,
    /// ONNX file to write: images [n, channels, height, width] of 0 to 1 in, logits out
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) onnx: Option<PathBuf>,
    /// Probabilities in the place of logits
    #[arg(long, requires = "onnx")]
    pub(crate) softmax: bool,
    /// Header of C99 to write: the weights as constants, and a function that classifies without allocating
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) c_header: Option<PathBuf>,
    /// Eight-bit weights, and activations rounded to a grid that 1,000 training images calibrate; says what that costs in
    /// test accuracy
    #[arg(long, requires = "eight bits")]
    pub(crate) int8: bool,
    /// Python file to write: the network as a module of PyTorch, which loads the model's file as it is
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) pytorch: Option<PathBuf>,
    /// Weights file to write: the model with its preparation, under the names that --pytorch reads
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) safetensors: Option<PathBuf>,
    /// Data set that --int8 calibrates and judges by, and whose images and classes an --architecture is for
    #[arg(long, value_name = "NAME|DIR", default_value = "mnist", value_hint = ValueHint::DirPath)]
    pub(crate) dataset: String,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Threads that --int8 computes with [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// Images in a batch; only speed depends on it.
const BATCH: usize = 128;

/// One file that was written.
struct Written<'a> {
    path: &'a Path,
    format: &'static str,
    bytes: usize,
}

/// What eight bits cost.
struct Loss {
    /// Test accuracy before and after, as fractions.
    accuracies: [f64; 2],
    pair: OnePair,
}

/// Loads, writes, says what was written and what it costs.
pub(crate) fn run(arguments: &ExportArguments) -> Result<(), Failure> {
    let targets = targets(arguments);
    if targets.is_empty() {
        return Err(Failure::usage(
            "no file to write was named",
            "pass one or more of --onnx FILE, --c-header FILE, --pytorch FILE and --safetensors FILE",
        ));
    }
    let options =
        targets.iter().map(|(option, target)| format!(" {option} {}", shell_path(target.display())));
    let file = kept_models::found(&arguments.model, "export", &options.collect::<String>())?;
    check_targets(arguments, &file.file)?;
    let mut saved = Saved::read(&file, &arguments.reading.of(&arguments.dataset), arguments.output.quiet)?;
    let mut model = saved.model(instruction_set()?, 1)?;
    if !answers_with_numbers(&mut model) {
        return Err(Failure::no_numbers(file.file.display(), "plain images"));
    }
    let quantised = if arguments.int8 { Some(quantise(arguments, &mut saved)?) } else { None };
    let quantisation = quantised.as_ref().map(|(quantisation, _)| quantisation);
    let mut written = Vec::new();
    let mut write = |path, format, bytes: &[u8]| {
        write_atomically(path, bytes)?;
        written.push(Written { path, format, bytes: bytes.len() });
        Ok::<(), Failure>(())
    };
    if let Some(path) = &arguments.onnx {
        let options = OnnxOptions { softmax: arguments.softmax, quantisation };
        write(path, "ONNX", &interchange::onnx(&saved.description, &model, options))?;
    }
    if let Some(path) = &arguments.c_header {
        let text = interchange::c_header(&saved.description, &model, quantisation);
        write(path, "C header", text.as_bytes())?;
    }
    if let Some(path) = &arguments.pytorch {
        write(path, "PyTorch module", interchange::pytorch_module(&saved.description, &model).as_bytes())?;
        if arguments.safetensors.is_none() && !saved.notes.is_empty() {
            output::note("the module reads the file that --safetensors FILE writes: pass that too");
        }
    }
    if let Some(path) = &arguments.safetensors {
        let bytes = interchange::encode(&model, &saved.description)
            .map_err(|error| Failure::new(&error, hints::of_model_file(&error)))?;
        write(path, "safetensors", &bytes)?;
    }
    let loss = quantised.as_ref().map(|(_, loss)| loss);
    if arguments.output.json {
        let files = written.iter().map(|file| {
            json!({ "file": file.path.display().to_string(), "format": file.format, "bytes": file.bytes })
        });
        let result = json!({
            "model": saved.description.architecture,
            "files": files.collect::<Vec<_>>(),
            "int8": loss.map(Loss::json),
            "notes": saved.notes,
        });
        return output::json(&format!("{result:#}\n"));
    }
    let mut text: String = written
        .iter()
        .map(|Written { path, format, bytes }| {
            format!("{}: {format}, {} bytes\n", path.display(), thousands(*bytes as u64))
        })
        .collect();
    text.extend(loss.map(Loss::sentence));
    output::result(&text)
}

/// The options that name files to write, with the files.
fn targets(arguments: &ExportArguments) -> Vec<(&'static str, &Path)> {
    let targets = [
        ("--onnx", &arguments.onnx),
        ("--c-header", &arguments.c_header),
        ("--pytorch", &arguments.pytorch),
        ("--safetensors", &arguments.safetensors),
    ];
    targets.into_iter().filter_map(|(option, target)| Some((option, target.as_deref()?))).collect()
}

/// Whether a black, a grey and a white image get probabilities.
fn answers_with_numbers(model: &mut Model<f32>) -> bool {
    [0, 128, 255].into_iter().all(|value| {
        let pixels = vec![value; model.input_length()];
        model.set_batch(1, |_| &pixels);
        model.evaluate(&[0]);
        model.probabilities().iter().all(|probability| probability.is_finite())
    })
}

/// Refuses to write two formats to one file, or one over what is read.
fn check_targets(arguments: &ExportArguments, file: &Path) -> Result<(), Failure> {
    let model = &arguments.model;
    let dataset = arguments.reading.of(&arguments.dataset);
    let mut inputs = vec![("the model", file), ("--dataset", Path::new(&dataset))];
    let study = model.architecture.as_deref().and_then(in_study_file);
    inputs.extend(study.map(|(file, _)| ("--architecture", Path::new(file))));
    targets::check(&inputs, &targets(arguments))
}

/// The grids that the training images ask for, and what the test images say of the result.
fn quantise(arguments: &ExportArguments, saved: &mut Saved) -> Result<(Quantisation, Loss), Failure> {
    let session =
        session(&arguments.reading.of(&arguments.dataset), arguments.threads, &[], arguments.output.quiet)?;
    let mut model = saved.model_for(&session, BATCH)?;
    saved.tell_data(session.corpus());
    let (corpus, description) = (session.corpus(), &saved.description);
    let before = session.test(&mut model, TestTimeAugmentation::None).classes;
    let (quantisation, after) = session.install(|| {
        let quantisation = Quantisation::calibrate(description, &mut model, corpus.training());
        quantisation.round_weights(description, &mut model);
        let classes = quantisation.classes(&mut model, corpus.test());
        (quantisation, classes)
    });
    let right = |classes: &[u8]| -> Vec<bool> {
        classes.iter().zip(corpus.test().labels()).map(|(class, label)| class == label).collect()
    };
    let (before, after) = (right(&before), right(&after));
    let accuracies = [&before, &after]
        .map(|right| right.iter().filter(|right| **right).count() as f64 / right.len() as f64);
    let pair = judge_one_pair(&after, &before).expect("a test set has images");
    Ok((quantisation, Loss { accuracies, pair }))
}

impl Loss {
    fn json(&self) -> Value {
        let [before, after] = self.accuracies;
        json!({ "float32_test_accuracy": before, "test_accuracy": after, "comparison": self.pair })
    }

    fn sentence(&self) -> String {
        let [before, after] = self.accuracies.map(percent);
        let OnePair { difference, interval: [lower, upper], mcnemar_p_value, outcome, .. } = self.pair;
        let outcome = match outcome {
            Outcome::ABetter => "better",
            Outcome::BBetter => "worse",
            Outcome::PracticallyEqual => "practically equal",
            Outcome::CannotTell => "not told apart",
        };
        format!(
            "int8: test accuracy {after} %, in float32 {before} %; difference {} points [{}, {}] at 95 %, {outcome} \
             (McNemar's p = {mcnemar_p_value:.2}, unadjusted)\n",
            percent(difference),
            percent(lower),
            percent(upper)
        )
    }
}
