//! `models`: what there is.

use super::named::find;
use crate::command::{
    failure::Failure,
    options::{ListArguments, ReadingArguments},
    output,
};
use clap::{Args, ValueHint};
use data::{Reading, Source, find_published};
use nn::{Architecture, ImageShape, LayerDescription, Shape};
use report::thousands;
use serde_json::json;
use study::{
    run::RunError,
    study_file::{ModelSpec, built_in_models},
};

/// `models`.
#[derive(Debug, Args)]
pub(crate) struct ModelsArguments {
    /// Describe a model, or each of a study file, layer by layer: output shapes, parameters and multiply-adds
    #[arg(long, value_name = "MODEL|FILE", value_hint = ValueHint::FilePath, conflicts_with = "layers")]
    pub(crate) describe: Option<String>,
    /// List how every kind of layer is spelled in a study file
    #[arg(long)]
    pub(crate) layers: bool,
    /// Count for the images and classes of this data set: a name that `mnist-study datasets` lists, or a file or folder of images
    /// [default: mnist]
    #[arg(long, value_name = "NAME|PATH", value_hint = ValueHint::AnyPath, conflicts_with = "layers")]
    pub(crate) dataset: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    #[command(flatten)]
    pub(crate) list: ListArguments,
}

/// Lists the built-in models, describes some as they are for a data set, or lists the layers.
pub(crate) fn models(arguments: &ModelsArguments) -> Result<(), Failure> {
    if arguments.layers {
        return layers(&arguments.list);
    }
    let fit = Fit::of(arguments)?;
    match &arguments.describe {
        Some(name) => describe(&find(name)?, &fit, &arguments.list),
        None => list(&fit, &arguments.list),
    }
}

/// What models are to fit.
struct Fit {
    images: ImageShape,
    classes: usize,
}

impl Fit {
    /// A known data set need not be here: what it holds is known.
    fn of(arguments: &ModelsArguments) -> Result<Self, Failure> {
        let name = arguments.reading.of(arguments.dataset.as_deref().unwrap_or("mnist"));
        let (set, reading) = match Source::parse(&name)? {
            Source::Published { set, reading, .. } => (set, reading),
            source => match find_published(&name) {
                Some(set) => (set, Reading::default()),
                None => {
                    let corpus = data::load(&source)?;
                    return Ok(Self { images: corpus.training().shape(), classes: corpus.classes() });
                }
            },
        };
        let [height, width] = reading.resize.unwrap_or([set.shape.height, set.shape.width]);
        let channels = if reading.grey { 1 } else { set.shape.channels };
        Ok(Self { images: ImageShape { height, width, channels }, classes: set.classes.len() })
    }

    fn described(&self, model: &ModelSpec) -> Result<Vec<LayerDescription>, RunError> {
        let described = model.architecture.describe(self.images, self.classes);
        described.map_err(|error| model.locate(error).map_or_else(RunError::Shape, RunError::StudyFile))
    }
}

/// Parameters and multiply-adds of all layers.
fn totals(layers: &[LayerDescription]) -> (usize, u64) {
    let parameters = layers.iter().map(|layer| layer.parameters).sum();
    (parameters, layers.iter().map(|layer| layer.multiply_adds).sum())
}

fn list(fit: &Fit, arguments: &ListArguments) -> Result<(), Failure> {
    let mut listed = Vec::new();
    let mut text = String::new();
    for model in built_in_models() {
        let described = fit.described(&model);
        let counts = described.as_deref().ok().map(totals);
        let problem = described.as_ref().err().map(ToString::to_string);
        let Architecture { name, summary, citation, layers } = &model.architecture;
        let spelled: Vec<String> = layers.iter().map(ToString::to_string).collect();
        let expected = model.expected_accuracy.map_or(String::new(), |accuracy| {
            let epochs = match model.recipe.epochs {
                1 => "1 epoch".to_owned(),
                several => format!("{several} epochs"),
            };
            format!("; {:.1} % on MNIST after {epochs}", 100.0 * accuracy)
        });
        let cost = match (counts, &problem) {
            (Some((parameters, multiply_adds)), _) => format!(
                "{} parameters, {:.1} million multiply-adds an image{expected}",
                thousands(parameters as u64),
                multiply_adds as f64 / 1e6
            ),
            (None, problem) => format!("does not fit: {}", problem.as_deref().unwrap_or_default()),
        };
        text.push_str(&format!("{name}\n  {summary}\n  {cost}\n  {}\n  {citation}\n", spelled.join(" - ")));
        listed.push(json!({
            "name": name,
            "summary": summary,
            "citation": citation,
            "layers": layers,
            "recipe": model.recipe,
            "parameters": counts.map(|(parameters, _)| parameters),
            "multiply_adds": counts.map(|(_, multiply_adds)| multiply_adds),
            "does_not_fit": problem,
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

fn describe(models: &[ModelSpec], fit: &Fit, arguments: &ListArguments) -> Result<(), Failure> {
    let mut text = String::new();
    let mut listed = Vec::new();
    for model in models {
        let layers = fit.described(model)?;
        let (parameters, multiply_adds) = totals(&layers);
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&table(&model.architecture, fit.images, &layers));
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
            "input": [fit.images.height, fit.images.width, fit.images.channels],
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

fn table(architecture: &Architecture, images: ImageShape, layers: &[LayerDescription]) -> String {
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
    row("input", &Shape::from(images).to_string(), "", "");
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
    if arguments.json { output::json(&format!("{listed:#}\n")) } else { output::prose(text) }
}
