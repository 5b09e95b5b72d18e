//! `models` and `datasets`: what there is.

use crate::{
    args::{ListArguments, ModelsArguments},
    failure::Failure,
    output,
};
use kernels::InstructionSet;
use nn::{Architecture, Model, Shape};
use report::thousands;
use serde_json::json;
use study::run::RunError;

/// Lists the built-in models, or describes one, as they are for MNIST.
pub(crate) fn models(arguments: &ModelsArguments) -> Result<(), Failure> {
    match &arguments.describe {
        Some(name) => describe(name, &arguments.list),
        None => list(&arguments.list),
    }
}

fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let mut listed = Vec::new();
    let mut text = String::new();
    for architecture in nn::built_in_architectures() {
        let model = Model::<f32>::new(InstructionSet::PORTABLE, &architecture, 28, 28, 10, 1)
            .map_err(|error| Failure::new(error, "this is a fault of the program: please report it"))?;
        let Architecture { name, summary, citation, layers } = architecture;
        let layers: Vec<String> = layers.iter().map(ToString::to_string).collect();
        let (parameters, flops) = (model.learnt(), model.forward_flops());
        text.push_str(&format!(
            "{name}\n  {summary}\n  {parameters} parameters, {:.1} million operations an image forward\n  {}\n  {citation}\n",
            flops as f64 / 1e6,
            layers.join(" - ")
        ));
        listed.push(json!({
            "name": name,
            "summary": summary,
            "citation": citation,
            "layers": layers,
            "parameters": parameters,
            "forward_flops": flops,
        }));
    }
    print(arguments, &text, &json!(listed))
}

fn describe(name: &str, arguments: &ListArguments) -> Result<(), Failure> {
    let architecture = nn::built_in(name).ok_or_else(|| RunError::UnknownModel { name: name.to_owned() })?;
    let layers = architecture.describe(28, 28, 10).map_err(RunError::Shape)?;
    let parameters: usize = layers.iter().map(|layer| layer.parameters).sum();
    let multiply_adds: u64 = layers.iter().map(|layer| layer.multiply_adds).sum();
    if arguments.json {
        let layers: Vec<_> = layers
            .iter()
            .map(|layer| {
                json!({
                    "layer": layer.layer,
                    "output": layer.output.axes(),
                    "parameters": layer.parameters,
                    "multiply_adds": layer.multiply_adds,
                })
            })
            .collect();
        let described = json!({
            "name": architecture.name,
            "summary": architecture.summary,
            "citation": architecture.citation,
            "input": Shape::Image { height: 28, width: 28, channels: 1 }.axes(),
            "layers": layers,
            "parameters": parameters,
            "multiply_adds": multiply_adds,
        });
        return output::result(&format!("{described:#}\n"));
    }
    let mut text =
        format!("{}\n  {}\n  {}\n\n", architecture.name, architecture.summary, architecture.citation);
    let mut row = |layer: &str, output: &str, parameters: &str, multiply_adds: &str| {
        let line = format!("  {layer:<16}{output:<12}{parameters:>12}{multiply_adds:>16}");
        text.push_str(line.trim_end());
        text.push('\n');
    };
    row("layer", "output", "parameters", "multiply-adds");
    row("input", "28×28×1", "", "");
    for layer in &layers {
        let counts = [layer.parameters as u64, layer.multiply_adds].map(|count| match count {
            0 => String::new(),
            count => thousands(count),
        });
        row(&layer.layer, &layer.output.to_string(), &counts[0], &counts[1]);
    }
    row("in all", "", &thousands(parameters as u64), &thousands(multiply_adds));
    output::result(&text)
}

/// Lists the data sets.
pub(crate) fn datasets(arguments: &ListArguments) -> Result<(), Failure> {
    let text = "\
mnist
  60,000 training and 10,000 test images of handwritten digits, 28x28, 10 classes; inside this program
  Yann LeCun, Corinna Cortes, Christopher J. C. Burges; CC BY-SA 3.0
a folder
  any four IDX files, raw or .gz, images up to 256x256, 2 to 256 classes:
  train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte
";
    let listed = json!([{
        "name": "mnist",
        "training_images": 60_000,
        "test_images": 10_000,
        "height": 28,
        "width": 28,
        "classes": 10,
        "authors": "Yann LeCun, Corinna Cortes, Christopher J. C. Burges",
        "licence": "CC BY-SA 3.0",
    }]);
    print(arguments, text, &listed)
}

fn print(arguments: &ListArguments, text: &str, listed: &serde_json::Value) -> Result<(), Failure> {
    if arguments.json { output::result(&format!("{listed:#}\n")) } else { output::result(text) }
}
