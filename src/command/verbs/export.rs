//! `export`: a saved model in other programs' formats.

use super::{instruction_set, kept_models, named::in_study_file, session, source::source, weights::Saved};
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
use data::Corpus;
use interchange::{
    Arithmetic, CFiles, COptions, Example, Footprint, IntegerNetwork, OnnxOptions, Quantisation,
};
use nn::Model;
use records::store::write_atomically;
use report::thousands;
use serde_json::{Value, json};
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};
use train::{Native, TestTimeAugmentation};

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
    /// Source file of C99 to write beside the header, which then has declarations alone
    #[arg(long, value_name = "FILE", requires = "c_header", value_hint = ValueHint::FilePath)]
    pub(crate) c_source: Option<PathBuf>,
    /// Quantise weights and activations to 8 bits, calibrated on 1,000 training images; prints what that costs in test
    /// accuracy
    #[arg(long, requires = "eight bits")]
    pub(crate) int8: bool,
    /// Python file to write: the network as a module of PyTorch, which loads the model's file as it is
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) pytorch: Option<PathBuf>,
    /// Weights file to write: the model with its preparation, under the names that --pytorch reads
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) safetensors: Option<PathBuf>,
    /// Data set that --int8 calibrates and judges by, whose images and classes an --architecture is for, and whose first
    /// test image the self-test of a C header classifies
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
    let header_name = header_name(arguments)?;
    let mut saved = Saved::read(&file, &arguments.reading.of(&arguments.dataset), arguments.output.quiet)?;
    let mut model = saved.model(instruction_set()?, 1)?;
    if !answers_with_numbers(&mut model) {
        return Err(Failure::no_numbers(file.file.display(), "plain images"));
    }
    let eight_bits = if arguments.int8 { Some(EightBits::of(arguments, &mut saved)?) } else { None };
    let quantisation = eight_bits.as_ref().and_then(EightBits::quantisation);
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
        let arithmetic = eight_bits.as_ref().map_or(Arithmetic::Float32, EightBits::arithmetic);
        let CFiles { header, source } = c_files(arguments, header_name, &saved, &mut model, arithmetic)?
            .ok_or_else(|| Failure::no_numbers(file.file.display(), "the self-test's image"))?;
        // A header without the source would replace one that may have worked.
        if let (Some(source_path), Some(source)) = (&arguments.c_source, source) {
            write(source_path, "C source", source.as_bytes())?;
            if let (Some(name), Some(folder)) = (header_name, path.parent())
                && source_path.parent() != Some(folder)
            {
                let (source, folder) = (source_path.display(), shell_path(folder.display()));
                output::note(&format!("{source} includes \"{name}\": compile it with -I{folder}"));
            }
        }
        write(path, "C header", header.as_bytes())?;
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
    let losses = eight_bits.as_ref().map_or(Vec::new(), EightBits::losses);
    if arguments.output.json {
        let files = written.iter().map(|file| {
            let loss = losses.iter().find(|(format, _)| *format == file.format);
            json!({
                "file": file.path.display().to_string(),
                "format": file.format,
                "bytes": file.bytes,
                "int8": loss.map(|(_, loss)| loss.json()),
            })
        });
        let result = json!({
            "model": saved.description.architecture,
            "files": files.collect::<Vec<_>>(),
            "int8": losses.first().map(|(_, loss)| loss.json()),
            "footprint": eight_bits.as_ref().and_then(EightBits::footprint),
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
    for (format, loss) in &losses {
        let of = if losses.len() > 1 { format!(", {format}") } else { String::new() };
        text.push_str(&loss.sentence(&of));
    }
    if let Some(Footprint { ram_bytes, flash_bytes }) = eight_bits.as_ref().and_then(EightBits::footprint) {
        let [ram, flash] = [ram_bytes, flash_bytes].map(|bytes| thousands(bytes as u64));
        let _ =
            writeln!(text, "int8: {ram} bytes of RAM and {flash} of flash, without the stack and the code");
    }
    output::result(&text)
}

/// The options that name files to write, with the files.
fn targets(arguments: &ExportArguments) -> Vec<(&'static str, &Path)> {
    let targets = [
        ("--onnx", &arguments.onnx),
        ("--c-header", &arguments.c_header),
        ("--c-source", &arguments.c_source),
        ("--pytorch", &arguments.pytorch),
        ("--safetensors", &arguments.safetensors),
    ];
    targets.into_iter().filter_map(|(option, target)| Some((option, target.as_deref()?))).collect()
}

/// Whether a black, a grey and a white image get probabilities.
fn answers_with_numbers(model: &mut Model<f32>) -> bool {
    [0, 128, 255].into_iter().all(|value| {
        let pixels = vec![value; model.input_length()];
        Native::new(model).classify(1, &|_| &pixels).iter().all(|probability| probability.is_finite())
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

/// The network in C, with a self-test on an image of the data set's where those are of the model's size.
fn c_files(
    arguments: &ExportArguments,
    header_name: Option<&str>,
    saved: &Saved,
    model: &mut Model<f32>,
    arithmetic: Arithmetic,
) -> Result<Option<CFiles>, Failure> {
    let corpus = data::load(&source(&arguments.reading.of(&arguments.dataset), arguments.output.quiet)?)?;
    let test = corpus.test();
    let example = (test.shape() == saved.description.image())
        .then(|| Example { image: test.image(0), label: test.labels()[0] });
    Ok(interchange::c_files(&saved.description, model, COptions { arithmetic, example, header_name }))
}

/// The name by which a source is to include the header, where there is to be one.
fn header_name(arguments: &ExportArguments) -> Result<Option<&str>, Failure> {
    let (Some(header), Some(_)) = (&arguments.c_header, &arguments.c_source) else { return Ok(None) };
    let name = header.file_name().and_then(|name| name.to_str());
    // In an include C knows no escapes, and two question marks may begin a trigraph.
    let can_be_included =
        |name: &&str| !name.contains(['"', '\\']) && !name.contains("??") && !name.contains(char::is_control);
    name.filter(can_be_included).map(Some).ok_or_else(|| {
        let found = header.display().to_string();
        let found = output::one_line(&found);
        Failure::usage(
            format!("a header whose name a C source can include expected, {found} found"),
            "give --c-header a file name without quotes, backslashes, double question marks and control characters",
        )
    })
}

/// A model in eight bits, as each of the files has it.
struct EightBits {
    /// Of ONNX, and of C where there is no network in whole numbers.
    quantised: Option<(Quantisation, Loss)>,
    /// Of C.
    integer: Option<(IntegerNetwork, Loss)>,
    has_onnx: bool,
}

impl EightBits {
    /// What the training images ask for, and what the test images say of the result.
    fn of(arguments: &ExportArguments, saved: &mut Saved) -> Result<Self, Failure> {
        let dataset = arguments.reading.of(&arguments.dataset);
        let session = session(&dataset, arguments.threads, &[], arguments.output.quiet)?;
        let mut model = saved.model_for(&session, BATCH)?;
        saved.tell_data(session.corpus());
        let corpus = session.corpus();
        let before = session.test(&mut model, TestTimeAugmentation::None).classes;
        let has_onnx = arguments.onnx.is_some();
        let mut integer = None;
        if arguments.c_header.is_some() {
            let (description, set) = (&saved.description, instruction_set()?);
            match IntegerNetwork::check_form(description) {
                Ok(()) => {
                    let found: Result<_, String> = session.install(|| {
                        let network = IntegerNetwork::calibrate(description, &model, corpus.training(), set)?;
                        let classes = network.classes(corpus.test());
                        Ok((network, classes))
                    });
                    let (network, classes) = found.map_err(|reason| {
                        Failure::new(format!("{reason} in eight bits"), "export the model without --int8")
                    })?;
                    integer = Some((network, Loss::of(corpus, &before, &classes)));
                }
                Err(reason) => saved.tell_note(format!(
                    "{reason}: the C header has eight-bit weights, and float32 between its layers"
                )),
            }
        }
        let mut quantised = None;
        if has_onnx || integer.is_none() {
            let description = &saved.description;
            let (quantisation, classes) = session.install(|| {
                let quantisation = Quantisation::calibrate(description, &mut model, corpus.training());
                quantisation.round_weights(description, &mut model);
                let classes = quantisation.classes(&mut model, corpus.test());
                (quantisation, classes)
            });
            quantised = Some((quantisation, Loss::of(corpus, &before, &classes)));
        }
        Ok(Self { quantised, integer, has_onnx })
    }

    fn quantisation(&self) -> Option<&Quantisation> {
        self.quantised.as_ref().map(|(quantisation, _)| quantisation)
    }

    /// What the C header computes with.
    fn arithmetic(&self) -> Arithmetic<'_> {
        let integer = self.integer.as_ref().map(|(network, _)| Arithmetic::Integer(network));
        let mixed = self.quantisation().map(Arithmetic::EightBitWeights);
        integer.or(mixed).unwrap_or(Arithmetic::Float32)
    }

    /// What eight bits cost, by the format of the file, ONNX first.
    fn losses(&self) -> Vec<(&'static str, &Loss)> {
        let of_quantised = if self.has_onnx { "ONNX" } else { "C header" };
        let quantised = self.quantised.iter().map(|(_, loss)| (of_quantised, loss));
        quantised.chain(self.integer.iter().map(|(_, loss)| ("C header", loss))).collect()
    }

    fn footprint(&self) -> Option<Footprint> {
        self.integer.as_ref().map(|(network, _)| network.footprint())
    }
}

impl Loss {
    /// Of the test images' classes before and after.
    fn of(corpus: &Corpus, before: &[u8], after: &[u8]) -> Self {
        let right = |classes: &[u8]| -> Vec<bool> {
            classes.iter().zip(corpus.test().labels()).map(|(class, label)| class == label).collect()
        };
        let (before, after) = (right(before), right(after));
        let accuracies = [&before, &after]
            .map(|right| right.iter().filter(|right| **right).count() as f64 / right.len() as f64);
        let pair = judge_one_pair(&after, &before).expect("a test set has images");
        Self { accuracies, pair }
    }

    fn json(&self) -> Value {
        let [before, after] = self.accuracies;
        json!({ "float32_test_accuracy": before, "test_accuracy": after, "comparison": self.pair })
    }

    /// `of` says of which file, where there are several.
    fn sentence(&self, of: &str) -> String {
        let [before, after] = self.accuracies.map(percent);
        let OnePair { difference, interval: [lower, upper], p_value, outcome, .. } = self.pair;
        // A small one decides: with more digits.
        let digits = if p_value < 0.1 { 4 } else { 2 };
        let outcome = match outcome {
            Outcome::ABetter => "better",
            Outcome::BBetter => "worse",
            Outcome::PracticallyEqual => "practically equal",
            Outcome::CannotTell => "not told apart",
        };
        format!(
            "int8{of}: test accuracy {after} %, in float32 {before} %;\n  difference {} points [{}, {}] at 95 %, {outcome} \
             (p = {p_value:.digits$}, unadjusted)\n",
            percent(difference),
            percent(lower),
            percent(upper)
        )
    }
}
