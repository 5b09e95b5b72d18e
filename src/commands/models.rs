//! `models`: what there is.

use super::named::find;
use crate::{failure::Failure, options::ListArguments, output};
use clap::{Args, ValueHint};
use nn::{Architecture, LayerDescription, Shape};
use report::thousands;
use serde_json::json;
use study::{
    run::RunError,
    study_file::{ModelSpec, built_in_models},
};

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

/// Lists the built-in models, describes some as they are for MNIST, or lists the layers.
pub(crate) fn models(arguments: &ModelsArguments) -> Result<(), Failure> {
    match &arguments.describe {
        Some(name) => describe(&find(name)?, &arguments.list),
        None if arguments.layers => layers(&arguments.list),
        None => list(&arguments.list),
    }
}

/// What MNIST's images are.
const MNIST: Shape = Shape::Image { height: 28, width: 28, channels: 1 };

fn described(model: &ModelSpec) -> Result<Vec<LayerDescription>, Failure> {
    let described = model.architecture.describe([28, 28], 10);
    Ok(described.map_err(|error| model.locate(error).map_or_else(RunError::Shape, RunError::StudyFile))?)
}

/// Parameters and multiply-adds of all layers.
fn totals(layers: &[LayerDescription]) -> (usize, u64) {
    let parameters = layers.iter().map(|layer| layer.parameters).sum();
    (parameters, layers.iter().map(|layer| layer.multiply_adds).sum())
}

fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let mut listed = Vec::new();
    let mut text = String::new();
    for model in built_in_models() {
        let (parameters, multiply_adds) = totals(&described(&model)?);
        let Architecture { name, summary, citation, layers } = &model.architecture;
        let spelled: Vec<String> = layers.iter().map(ToString::to_string).collect();
        let expected = model.expected_accuracy.map_or(String::new(), |accuracy| {
            let epochs = match model.recipe.epochs {
                1 => "1 epoch".to_owned(),
                several => format!("{several} epochs"),
            };
            format!("; {:.1} % on MNIST after {epochs}", 100.0 * accuracy)
        });
        text.push_str(&format!(
            "{name}\n  {summary}\n  {} parameters, {:.1} million multiply-adds an image{expected}\n  {}\n  {citation}\n",
            thousands(parameters as u64),
            multiply_adds as f64 / 1e6,
            spelled.join(" - ")
        ));
        listed.push(json!({
            "name": name,
            "summary": summary,
            "citation": citation,
            "layers": layers,
            "recipe": model.recipe,
            "parameters": parameters,
            "multiply_adds": multiply_adds,
            "expected_accuracy": model.expected_accuracy,
        }));
    }
    print(arguments, &text, &json!(listed))
}

fn layers(arguments: &ListArguments) -> Result<(), Failure> {
    let mut text = String::new();
    let mut listed = Vec::new();
    for form in nn::LAYER_FORMS {
        text.push_str(&format!("{form}\n  {}\n", form.meaning));
        listed.push(json!({ "kind": form.kind, "arguments": form.arguments, "meaning": form.meaning }));
    }
    text.push_str("{ residual = [LAYER, ...], shortcut = [LAYER, ...] }\n  the sum of two ways; without a shortcut, of the first and the input\n");
    text.push_str("{ repeat = N, layers = [LAYER, ...] }\n  the same layers N times over, each time with parameters of their own\n");
    print(arguments, &text, &json!(listed))
}

fn describe(models: &[ModelSpec], arguments: &ListArguments) -> Result<(), Failure> {
    let mut text = String::new();
    let mut listed = Vec::new();
    for model in models {
        let layers = described(model)?;
        let (parameters, multiply_adds) = totals(&layers);
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&table(&model.architecture, &layers));
        let layers: Vec<_> = layers
            .iter()
            .map(|layer| {
                json!({
                    "position": layer.position,
                    "layer": layer.layer,
                    "output": layer.output.axes(),
                    "parameters": layer.parameters,
                    "multiply_adds": layer.multiply_adds,
                })
            })
            .collect();
        listed.push(json!({
            "name": model.architecture.name,
            "summary": model.architecture.summary,
            "citation": model.architecture.citation,
            "input": MNIST.axes(),
            "layers": layers,
            "network": model.architecture.layers,
            "recipe": model.recipe,
            "parameters": parameters,
            "multiply_adds": multiply_adds,
        }));
    }
    match &listed[..] {
        [one] => print(arguments, &text, one),
        several => print(arguments, &text, &json!(several)),
    }
}

fn table(architecture: &Architecture, layers: &[LayerDescription]) -> String {
    let mut text = format!("{}\n", architecture.name);
    for line in [&architecture.summary, &architecture.citation] {
        if !line.is_empty() {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text.push('\n');
    let indented = |layer: &LayerDescription| format!("{}{}", "  ".repeat(layer.depth()), layer.layer);
    let width = layers.iter().map(|layer| indented(layer).chars().count()).max().unwrap_or(0).max(14) + 2;
    let mut row = |layer: &str, output: &str, parameters: &str, multiply_adds: &str| {
        let line = format!("  {layer:<width$}{output:<12}{parameters:>12}{multiply_adds:>16}");
        text.push_str(line.trim_end());
        text.push('\n');
    };
    row("layer", "output", "parameters", "multiply-adds");
    row("input", &MNIST.to_string(), "", "");
    for layer in layers {
        let counts = [layer.parameters as u64, layer.multiply_adds].map(|count| match count {
            0 => String::new(),
            count => thousands(count),
        });
        row(&indented(layer), &layer.output.to_string(), &counts[0], &counts[1]);
    }
    let (parameters, multiply_adds) = totals(layers);
    row("in all", "", &thousands(parameters as u64), &thousands(multiply_adds));
    text
}

/// Prints a list as it is wanted.
pub(crate) fn print(
    arguments: &ListArguments,
    text: &str,
    listed: &serde_json::Value,
) -> Result<(), Failure> {
    if arguments.json { output::json(&format!("{listed:#}\n")) } else { output::result(text) }
}
