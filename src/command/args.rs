//! The command line.

use crate::command::verbs::{
    bench::BenchArguments, compare::CompareArguments, datasets::DatasetsArguments,
    evaluate::EvaluateArguments, export::ExportArguments, import::ImportArguments, judge::JudgeArguments,
    merge::MergeArguments, models::ModelsArguments, page::PageArguments, predict::PredictArguments,
    report::ReportArguments, run::RunArguments, script::ScriptArguments, speedrun::SpeedrunArguments,
    status::StatusArguments, train::TrainArguments, tune::TuneArguments, verify::VerifyArguments,
};
use clap::{Parser, Subcommand};

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
  mnist-study --dataset path/to/folder           your own images: a folder a class, npz, CSV, CIFAR, IDX
  mnist-study run studies/cnn-depth.toml         a study of your own, its networks written in a file
  mnist-study script slurm S.toml --shards 8     a job file: a study on a cluster's machines
  mnist-study judge predictions                  models trained elsewhere, by their answers
  mnist-study page                               watch, draw, look inside, in a browser
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
    /// Run a study file; reuses existing records
    Run(RunArguments),
    /// Compare models that other programs trained, by their answers to the same test images
    Judge(JudgeArguments),
    /// Read the curves that another program logged, for a run that judge compares
    Import(Box<ImportArguments>),
    /// Open a page in the browser: watch a study, draw a digit, look inside, change the networks, learn
    Page(PageArguments),
    /// Make every table, plot and page of a results folder anew from its records, without training
    Report(ReportArguments),
    /// How far a study has come: which runs are done, running, missing or failed; exit code 0 only when all are done
    Status(StatusArguments),
    /// Unite results folders of one study, such as those of machines that made shards of it
    Merge(MergeArguments),
    /// Print a job file by which Slurm, HyperQueue, Kubernetes or GNU parallel carries out a study in shards
    Script(Box<ScriptArguments>),
    /// Train a record's run again and compare the fingerprint
    Verify(VerifyArguments),
    /// Search a model's settings by its validation accuracy; the test images stay unread
    Tune(TuneArguments),
    /// Seconds to a test accuracy, 99 % on MNIST unless said otherwise, over many seeds
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
