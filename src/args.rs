//! The command line.

mod saved;
mod values;
mod verb;

use clap::{Args, Parser, Subcommand, ValueHint};
use data::Augmentation;
use records::target::Target;
pub(crate) use saved::{EvaluateArguments, ExportArguments, ModelFileArguments, PredictArguments};
use std::path::PathBuf;
use study::study_file::MAXIMUM_RUNS;
pub(crate) use values::{ProtocolName, SamplerName, Show, TestTimeAugmentationName};
use values::{accuracy, batch_size, bench_seconds, epochs, learning_rate, minutes, seconds, threads};
pub(crate) use verb::Verb;

/// Compare small image classifiers: which one is better, by how much, how surely, and at what cost.
///
/// Without a command it compares: `mnist-study` trains the CNN and the LSTM of the original study on the embedded
/// MNIST, prints the verdict and writes plots, tables and a report to the folder Results.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) compare: CompareArguments,
}

const EXAMPLES: &str = "\
Examples:
  mnist-study                                    the study: cnn against lstm, three runs each
  mnist-study --seeds 1 --epochs 1               a first look in seconds
  mnist-study compare cnn lstm --seeds 10        a sharper verdict; runs already made are kept
  mnist-study compare cnn lstm --target 0.99     who reaches 99 %, and in how many of the runs
  mnist-study --protocol original                as the original study: the test set validates
  mnist-study --dataset path/to/folder           any four IDX files with the canonical names
  mnist-study run studies/cnn-depth.toml         a study of your own, its networks written in a file
  mnist-study report Results                     every table, plot and page anew from the records
  mnist-study verify Results                     train a recorded run again and compare every bit
  mnist-study tune cnn --trials 30               better settings, found on the validation images
  mnist-study train cnn --save cnn.safetensors   train one model and keep its weights
  mnist-study evaluate cnn.safetensors           its accuracy and loss on the test images
  mnist-study predict cnn.safetensors photo.jpg  which digit is on a photograph
  mnist-study export cnn.safetensors --onnx F    for ONNX Runtime, PyTorch or a microcontroller

Environment:
  MNIST_STUDY_KERNELS   force an instruction set: portable, avx2, avx512
  NO_COLOR              no colours, and no pictures in the terminal";

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train and compare models (what happens without a command)
    Compare(CompareArguments),
    /// Train one model and keep its weights
    Train(TrainArguments),
    /// Accuracy and loss of a saved model on a test set
    Evaluate(EvaluateArguments),
    /// Classify image files, such as photographs of digits on paper
    Predict(PredictArguments),
    /// Write a saved model in the formats of other programs
    Export(ExportArguments),
    /// Run a study file; runs whose records are there are kept
    Run(RunArguments),
    /// Make every table, plot and page of a results folder anew from its records, without training
    Report(ReportArguments),
    /// Train a record's run again and compare the fingerprint
    Verify(VerifyArguments),
    /// Search a model's settings by its validation accuracy; the test images stay unread
    Tune(TuneArguments),
    /// Seconds to 99 % test accuracy on MNIST, over many seeds
    Speedrun(SpeedrunArguments),
    /// How fast models train and infer here, beside what the machine could do
    Bench(BenchArguments),
    /// List the built-in models, or describe one layer by layer
    Models(ModelsArguments),
    /// List the data sets, fetch one, or see it augmented
    Datasets(DatasetsArguments),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example: mnist-study completions bash > ~/.local/share/bash-completion/completions/mnist-study"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// `compare`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct CompareArguments {
    /// Models to compare: built-in ones, which `mnist-study models` lists, or a study file's, FILE.toml or FILE.toml:NAME
    /// [default: cnn lstm]
    #[arg(value_name = "MODEL")]
    pub(crate) models: Vec<String>,
    /// Runs of each model
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=MAXIMUM_RUNS))]
    pub(crate) seeds: u64,
    /// Also read the test images after every epoch, to report what choosing the best epoch by them would flatter; nothing
    /// is chosen so, and the records are marked
    #[arg(long)]
    pub(crate) audit_selection: bool,
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    #[command(flatten)]
    pub(crate) training: TrainingArguments,
    #[command(flatten)]
    pub(crate) carrying_out: CarryingOutArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// What must be reached, and within which limits.
#[derive(Debug, Args)]
pub(crate) struct TargetArguments {
    /// Test accuracy that a run must reach, a fraction such as 0.994: the report says which models do, and how often
    #[arg(long, value_name = "X", value_parser = accuracy)]
    target: Option<f64>,
    /// Most weights and biases of a model that reaches the target
    #[arg(long, value_name = "N", requires = "target")]
    max_parameters: Option<usize>,
    /// Most multiply-adds of an image forward
    #[arg(long, value_name = "N", requires = "target")]
    max_multiply_adds: Option<u64>,
    /// Most passes over the training images; recipes that ask for more are cut short
    #[arg(long, value_name = "N", requires = "target", value_parser = epochs)]
    max_epochs: Option<usize>,
    /// Most seconds of training
    #[arg(long, alias = "max-seconds", value_name = "X", requires = "target", value_parser = seconds)]
    max_train_seconds: Option<f64>,
}

impl TargetArguments {
    pub(crate) fn target(&self) -> Option<Target> {
        Some(Target {
            accuracy: self.target?,
            max_parameters: self.max_parameters,
            max_multiply_adds: self.max_multiply_adds,
            max_epochs: self.max_epochs,
            max_train_seconds: self.max_train_seconds,
        })
    }
}

/// `train`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct TrainArguments {
    /// The model: a built-in one, or a study file's, FILE.toml:NAME
    pub(crate) model: String,
    /// File that the weights are kept in
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) save: PathBuf,
    #[command(flatten)]
    pub(crate) training: TrainingArguments,
    /// Threads to compute with; the results do not depend on it [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `run`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct RunArguments {
    /// The study file; those in studies/ are there to be copied, docs/study-files.md says what may stand in one
    #[arg(value_name = "STUDY.toml", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Runs of each model [default: as the file says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAXIMUM_RUNS))]
    pub(crate) seeds: Option<u64>,
    /// Seed of the first run; the next runs count up from it [default: as the file says]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Data set in the place of the file's: a name, or a folder of four IDX files
    #[arg(long, value_name = "NAME|DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dataset: Option<String>,
    #[command(flatten)]
    pub(crate) orientation: OrientationArguments,
    /// Protocol in the place of the file's
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) protocol: Option<ProtocolName>,
    #[command(flatten)]
    pub(crate) recipe: RecipeArguments,
    #[command(flatten)]
    pub(crate) carrying_out: CarryingOutArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// How the runs of a comparison are made, and where their results go.
#[derive(Debug, Args)]
pub(crate) struct CarryingOutArguments {
    /// Folder that the results go to
    #[arg(long, value_name = "DIR", default_value = "Results", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Train every run again, even where its record is in the folder
    #[arg(long)]
    pub(crate) fresh: bool,
    /// List the runs, which of them are recorded, and how long the others will take; train nothing, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Begin without asking, also where the runs will take longer than an hour
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Whether to show the plots: auto shows them when at a terminal
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Show::Auto)]
    pub(crate) show: Show,
    /// Threads to compute with; the results do not depend on it [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
}

/// `report`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct ReportArguments {
    /// A folder that `compare` made
    #[arg(value_name = "DIR", default_value = "Results", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// Whether to show the plots: auto shows them when at a terminal
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Show::Auto)]
    pub(crate) show: Show,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `verify`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct VerifyArguments {
    /// A folder that `compare` made
    #[arg(value_name = "DIR", default_value = "Results", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
    /// Every run of the folder's plan, not only the first
    #[arg(long)]
    pub(crate) all: bool,
    /// Data set: a name that `mnist-study datasets` lists, or a folder of four IDX files [default: the one that the record names]
    #[arg(long, value_name = "NAME|DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dataset: Option<String>,
    #[command(flatten)]
    pub(crate) orientation: OrientationArguments,
    /// Threads to compute with; the results do not depend on it [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `tune`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct TuneArguments {
    /// Models to tune, each with the same budget: built-in ones, or a study file's, FILE.toml or FILE.toml:NAME; what is
    /// searched stands under [search] in the file, else it is learning rate, batch size and widths
    #[arg(value_name = "MODEL", required = true)]
    pub(crate) models: Vec<String>,
    /// Trials of each model, beside the model as it stands
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) trials: u64,
    /// Minutes for the trials of each model, in the place of their number; a trial that has begun is finished
    #[arg(long, value_name = "M", value_parser = minutes, conflicts_with = "trials")]
    pub(crate) minutes: Option<f64>,
    /// How the next settings are chosen
    #[arg(long, value_enum, value_name = "NAME", default_value_t = SamplerName::Tpe)]
    pub(crate) sampler: SamplerName,
    /// Give every trial all its epochs, also those that fall behind
    #[arg(long)]
    pub(crate) no_halving: bool,
    /// Seed of the search and of every training in it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Data set: `mnist`, or a folder of four IDX files [default: the study file's, else mnist]
    #[arg(long, value_name = "NAME|DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dataset: Option<String>,
    #[command(flatten)]
    pub(crate) orientation: OrientationArguments,
    /// Which images validate; original has none [default: the study file's, else sound]
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) protocol: Option<ProtocolName>,
    #[command(flatten)]
    pub(crate) recipe: RecipeArguments,
    /// Folder that the trials and results go to; trials that are there are kept
    #[arg(long, value_name = "DIR", default_value = "Tuning", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Make every trial again, even where its record is in the folder
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Threads to compute with; the results do not depend on it [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `speedrun`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct SpeedrunArguments {
    /// The model: a built-in one, or a study file's, FILE.toml:NAME
    #[arg(default_value = "fast")]
    pub(crate) model: String,
    /// Runs
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=MAXIMUM_RUNS))]
    pub(crate) seeds: u64,
    /// Seed of the first run; the next runs count up from it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Folder that the records go to
    #[arg(long, value_name = "DIR", default_value = "Speedrun", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Threads to compute with [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `bench`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct BenchArguments {
    /// Built-in models, a study file's, or files that `train --save` made [default: every built-in model]
    #[arg(value_name = "MODEL|FILE", value_hint = ValueHint::FilePath)]
    pub(crate) models: Vec<String>,
    /// Seconds to train each model for; inference takes as long again
    #[arg(long, value_name = "N", default_value_t = 3.0, value_parser = bench_seconds)]
    pub(crate) seconds: f64,
    /// Threads to compute with [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `models`.
#[derive(Debug, Args)]
pub(crate) struct ModelsArguments {
    /// Describe a model, or each of a study file, layer by layer: output shapes, parameters and multiply-adds, for MNIST
    #[arg(long, value_name = "MODEL|FILE", value_hint = ValueHint::FilePath, conflicts_with = "layers")]
    pub(crate) describe: Option<String>,
    /// List how every kind of layer is spelled in a study file
    #[arg(long)]
    pub(crate) layers: bool,
    #[command(flatten)]
    pub(crate) list: ListArguments,
}

/// `datasets`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = DATASETS_ENVIRONMENT)]
pub(crate) struct DatasetsArguments {
    #[command(subcommand)]
    pub(crate) action: Option<DatasetsAction>,
    #[command(flatten)]
    pub(crate) sheet: SheetArguments,
    #[command(flatten)]
    pub(crate) list: ListArguments,
}

/// `datasets --augmented`.
#[derive(Debug, Args)]
pub(crate) struct SheetArguments {
    /// Instead of listing, draw some training images and what augmentation makes of them, as a PNG file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "json")]
    pub(crate) augmented: Option<PathBuf>,
    /// Data set of these images [default: mnist]
    #[arg(long, value_name = "NAME|DIR", requires = "augmented", value_hint = ValueHint::DirPath)]
    pub(crate) dataset: Option<String>,
    #[command(flatten)]
    pub(crate) orientation: OrientationArguments,
    /// Seed of the augmentation [default: 0]
    #[arg(long, value_name = "N", requires = "augmented")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) augmentation: AugmentationArguments,
}

/// Augmentation for a look at it [default: typical values of every kind].
#[derive(Debug, Args)]
pub(crate) struct AugmentationArguments {
    /// Moved by up to so many pixels
    #[arg(long, value_name = "X", requires = "augmented")]
    shift: Option<f64>,
    /// Turned by up to so many degrees
    #[arg(long, value_name = "X", requires = "augmented")]
    rotation: Option<f64>,
    /// Larger or smaller by up to this fraction
    #[arg(long, value_name = "X", requires = "augmented")]
    scale: Option<f64>,
    /// Leaning by up to so many degrees
    #[arg(long, value_name = "X", requires = "augmented")]
    shear: Option<f64>,
    /// Strength of elastic distortion, in pixels before smoothing
    #[arg(long, value_name = "X", requires = "augmented")]
    elastic: Option<f64>,
    /// Standard deviation of that smoothing in pixels
    #[arg(long, value_name = "X", requires = "elastic")]
    smoothness: Option<f64>,
    /// Probability that a rectangle is covered with noise
    #[arg(long, value_name = "X", requires = "augmented")]
    erasing: Option<f64>,
    /// Two images mixed, their weight from Beta(X, X)
    #[arg(long, value_name = "X", requires = "augmented")]
    mixup: Option<f64>,
    /// A rectangle from a second image, its share from Beta(X, X)
    #[arg(long, value_name = "X", requires = "augmented")]
    cutmix: Option<f64>,
}

impl AugmentationArguments {
    /// None without any value.
    pub(crate) fn augmentation(&self) -> Option<Augmentation> {
        let given = [self.shift, self.rotation, self.scale, self.shear, self.elastic];
        let given = given.into_iter().chain([self.erasing, self.mixup, self.cutmix]);
        given.flatten().next()?;
        Some(Augmentation {
            shift: self.shift.unwrap_or(0.0),
            rotation: self.rotation.unwrap_or(0.0),
            scale: self.scale.unwrap_or(0.0),
            shear: self.shear.unwrap_or(0.0),
            elastic: self.elastic.unwrap_or(0.0),
            smoothness: self.smoothness.unwrap_or(Augmentation::default().smoothness),
            erasing: self.erasing.unwrap_or(0.0),
            mixup: self.mixup.unwrap_or(0.0),
            cutmix: self.cutmix.unwrap_or(0.0),
        })
    }
}

const DATASETS_ENVIRONMENT: &str = "\
Environment:
  MNIST_STUDY_DATA     folder that fetched data sets are kept in, instead of the user's cache folder
  MNIST_STUDY_MIRROR   address to fetch from, instead of the published ones: ADDRESS/NAME/FILE, and
                       ADDRESS/emnist/gzip.zip; the SHA-256 must still be the published one
  SSL_CERT_FILE        file of certificates in PEM format to trust, instead of the built-in ones";

/// What `datasets` does beside listing.
#[derive(Debug, Subcommand)]
pub(crate) enum DatasetsAction {
    /// Fetch a data set beforehand, or go on where an earlier fetch ended; verifies what is there
    Fetch(FetchArguments),
}

/// `datasets fetch`.
#[derive(Debug, Args)]
pub(crate) struct FetchArguments {
    /// The data set; `mnist-study datasets` lists them
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `models` and `datasets`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Print JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// What every verb that trains takes.
#[derive(Debug, Args)]
pub(crate) struct TrainingArguments {
    /// Data set: a name that `mnist-study datasets` lists, or a folder of four IDX files
    #[arg(long, value_name = "NAME|DIR", default_value = "mnist", value_hint = ValueHint::DirPath)]
    pub(crate) dataset: String,
    #[command(flatten)]
    pub(crate) orientation: OrientationArguments,
    #[command(flatten)]
    pub(crate) recipe: RecipeArguments,
    /// Seed of the first run; the next runs count up from it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How the data is divided and when the test images are read
    #[arg(long, value_enum, value_name = "NAME", default_value_t = ProtocolName::Sound)]
    pub(crate) protocol: ProtocolName,
}

/// How the images of a folder lie.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct OrientationArguments {
    /// Exchange rows and columns of every image of the folder, as EMNIST's published files need it
    #[arg(long, requires = "dataset")]
    transpose: bool,
}

impl OrientationArguments {
    /// The name of a data set whose images lie so.
    pub(crate) fn of(self, dataset: &str) -> String {
        if self.transpose { data::transposed_name(dataset) } else { dataset.to_owned() }
    }
}

/// What stands in the place of every model's own recipe.
#[derive(Debug, Default, Args)]
pub(crate) struct RecipeArguments {
    /// Passes over the training images [default: each model's own; 5 for cnn and lstm]
    #[arg(long, value_name = "N", value_parser = epochs)]
    pub(crate) epochs: Option<usize>,
    /// Images in a step [default: each model's own; 128 for cnn and lstm]
    #[arg(long, value_name = "N", value_parser = batch_size)]
    pub(crate) batch_size: Option<usize>,
    /// Step size of the optimiser [default: each model's own; 0.001 for cnn and lstm, by Adam]
    #[arg(long, value_name = "X", value_parser = learning_rate)]
    pub(crate) learning_rate: Option<f64>,
}

/// How to print.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputArguments {
    /// Print the results as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress, only results and errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_parser_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn models_need_no_verb() {
        let arguments = Arguments::parse_from(["mnist-study", "lstm", "cnn", "--seeds", "2"]);
        assert!(arguments.command.is_none());
        assert_eq!(arguments.compare.models, ["lstm", "cnn"]);
        assert_eq!(arguments.compare.seeds, 2);
    }
}
