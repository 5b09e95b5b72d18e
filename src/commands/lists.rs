//! `models` and `datasets`: what there is.

use crate::{args::ListArguments, failure::Failure, output};
use kernels::InstructionSet;
use nn::{Architecture, Model};
use serde_json::json;

/// Lists the built-in models, as they are for MNIST.
pub(crate) fn models(arguments: &ListArguments) -> Result<(), Failure> {
    let mut listed = Vec::new();
    let mut text = String::new();
    for architecture in nn::built_in_architectures() {
        let model = Model::<f32>::new(InstructionSet::PORTABLE, &architecture, 28, 28, 10, 1)
            .map_err(|error| Failure::new(error, "this is a fault of the program: please report it"))?;
        let Architecture { name, summary, citation, layers } = architecture;
        let layers: Vec<String> = layers.iter().map(ToString::to_string).collect();
        let (parameters, flops) = (model.parameters().len(), model.forward_flops());
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
