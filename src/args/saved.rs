//! The verbs of a saved model.

use super::{
    OrientationArguments, OutputArguments, Show, TestTimeAugmentationName,
    values::{epsilon, pixel_mean, pixel_std, threads},
};
use clap::{ArgGroup, Args, ValueHint};
use interchange::NameMap;
use std::path::PathBuf;

/// A saved model.
#[derive(Debug, Args)]
pub(crate) struct ModelFileArguments {
    /// A safetensors file that `train --save` made, or PyTorch
    #[arg(value_name = "MODEL.safetensors", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The network of a file that does not say, as PyTorch's do not: a built-in model, or a study file's, FILE.toml:NAME
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) architecture: Option<String>,
    /// Mean of the pixels, of 0 to 1, that the network was trained on as (pixel - mean) / std: PyTorch's MNIST example has
    /// --mean 0.1307 --std 0.3081
    #[arg(long, value_name = "X", value_parser = pixel_mean, requires = "std")]
    pub(crate) mean: Option<f64>,
    /// Standard deviation that goes with --mean
    #[arg(long, value_name = "X", value_parser = pixel_std, requires = "mean")]
    pub(crate) std: Option<f64>,
    /// Epsilon of its batch and layer normalisation: 1e-5 is PyTorch's default, 1e-3 Keras's
    #[arg(long, value_name = "X", value_parser = epsilon)]
    pub(crate) epsilon: Option<f64>,
    /// What the file calls a layer, and what the network calls it: fc=dense reads fc1 as dense1; repeatable
    #[arg(long, value_name = "FROM=TO", action = clap::ArgAction::Append)]
    pub(crate) map: Vec<NameMap>,
}

/// `evaluate`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct EvaluateArguments {
    #[command(flatten)]
    pub(crate) model: ModelFileArguments,
    /// Data set: a name that `mnist-study datasets` lists, or a folder of four IDX files
    #[arg(long, value_name = "NAME|DIR", default_value = "mnist", value_hint = ValueHint::DirPath)]
    pub(crate) dataset: String,
    #[command(flatten)]
    pub(crate) orientation: OrientationArguments,
    /// Which versions of an image the model is asked about: as its recipe says, for the figure that its training gave
    #[arg(long, value_name = "VERSIONS", default_value = "none")]
    pub(crate) test_time_augmentation: TestTimeAugmentationName,
    /// Also measure how long one image takes, and how many a second go through a thousand at once
    #[arg(long)]
    pub(crate) latency: bool,
    /// Threads to compute with [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `predict`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct PredictArguments {
    #[command(flatten)]
    pub(crate) model: ModelFileArguments,
    /// Image files of any usual kind, size, colour and polarity, folders of such files, or - for standard input
    #[arg(value_name = "IMAGE", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) images: Vec<PathBuf>,
    /// Take each image as it is, of the model's size, light ink on a dark ground, instead of finding the digit in it
    #[arg(long)]
    pub(crate) as_is: bool,
    /// Whether to show what the model saw: auto shows it when at a terminal
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Show::Auto)]
    pub(crate) show: Show,
    /// Data set whose images and classes an --architecture is for
    #[arg(long, value_name = "NAME|DIR", default_value = "mnist", value_hint = ValueHint::DirPath)]
    pub(crate) dataset: String,
    #[command(flatten)]
    pub(crate) orientation: OrientationArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `export`.
#[derive(Debug, Args)]
#[command(args_override_self = true, group = ArgGroup::new("eight bits").args(["onnx", "c_header"]).multiple(true))]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) model: ModelFileArguments,
    /// ONNX file to write: images [n, 1, height, width] of 0 to 1 in, logits out
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
    pub(crate) orientation: OrientationArguments,
    /// Threads that --int8 computes with [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}
