//! A saved model.

use super::values::{epsilon, pixel_mean, pixel_std};
use clap::{Args, ValueHint};
use interchange::NameMap;
use std::path::PathBuf;

/// A saved model.
#[derive(Debug, Clone, Args)]
pub(crate) struct ModelFileArguments {
    /// A safetensors file that `train --save`, `compare` or `run` made, or PyTorch; or a results folder that keeps the weights of one model
    #[arg(value_name = "MODEL.safetensors", value_hint = ValueHint::AnyPath)]
    pub(crate) file: PathBuf,
    /// The network of a file that does not say, as PyTorch's do not: a built-in model, or a study file's, FILE.toml:NAME
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) architecture: Option<String>,
    /// Mean of the pixels, of 0 to 1, that the network was trained on as (pixel - mean) / std: PyTorch's MNIST example has
    /// --mean 0.1307 --std 0.3081; of colour images one for red, green and blue each, as R,G,B, or one for all
    #[arg(long, value_name = "X", value_parser = pixel_mean, value_delimiter = ',', requires = "std")]
    pub(crate) mean: Vec<f64>,
    /// Standard deviation that goes with --mean
    #[arg(long, value_name = "X", value_parser = pixel_std, value_delimiter = ',', requires = "mean")]
    pub(crate) std: Vec<f64>,
    /// Epsilon of its batch and layer normalisation: 1e-5 is PyTorch's default, 1e-3 Keras's
    #[arg(long, value_name = "X", value_parser = epsilon)]
    pub(crate) epsilon: Option<f64>,
    /// What the file calls a layer, and what the network calls it: fc=dense reads fc1 as dense1; repeatable
    #[arg(long, value_name = "FROM=TO", action = clap::ArgAction::Append)]
    pub(crate) map: Vec<NameMap>,
}
