//! Safetensors files: a model's tensors, and what the file says of them.

use crate::{Description, FormatError, graph::Graph, state_dict::StateTensor};
use nn::Model;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{borrow::Cow, cmp::Ordering, collections::HashMap};

/// The metadata key.
pub(crate) const KEY: &str = "mnist-study";

/// What PyTorch's batch normalisation counts and nothing here needs.
const BATCHES_TRACKED: &str = "num_batches_tracked";

/// The bytes of a model's file; the same model gives the same bytes.
///
/// Names and layouts are those of PyTorch's modules, attributes of one module with the layers' names: `conv1.weight`
/// `[filters, channels, rows, columns]`, `dense1.weight` `[units, inputs]`, `lstm1.weight_ih_l0` and so on, as
/// [`crate::pytorch_module`] writes it.
///
/// # Errors
/// When the format cannot hold it; no model of this program is such.
///
/// # Panics
/// When `model` is not the one that `description` describes.
pub fn encode(model: &Model<f32>, description: &Description) -> Result<Vec<u8>, FormatError> {
    let damaged = |error: &dyn std::fmt::Display| FormatError::Damaged(error.to_string());
    let graph = description.graph(model);
    let bytes: Vec<(&StateTensor, Vec<u8>)> = graph
        .tensors()
        .map(|tensor| {
            let values = tensor.values(model.parameters());
            (tensor, values.into_iter().flat_map(f32::to_le_bytes).collect())
        })
        .collect();
    let mut tensors = Vec::new();
    for (tensor, data) in &bytes {
        let view =
            TensorView::new(Dtype::F32, tensor.shape.clone(), data).map_err(|error| damaged(&error))?;
        tensors.push((tensor.name.clone(), view));
    }
    let text = serde_json::to_string(description).map_err(|error| damaged(&error))?;
    let metadata = HashMap::from([(KEY.to_owned(), text)]);
    safetensors::serialize(tensors, Some(metadata)).map_err(|error| damaged(&error))
}

/// The description in a model's file.
///
/// # Errors
/// When the bytes are no safetensors file, carry no description, or one of what no data set can have.
pub fn describe(bytes: &[u8]) -> Result<Description, FormatError> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| FormatError::Damaged(error.to_string()))?;
    let text = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
    let text = text.ok_or(FormatError::NoDescription)?;
    let description: Description =
        serde_json::from_str(text).map_err(|error| FormatError::Description(error.to_string()))?;
    description.check()?;
    Ok(description)
}

/// Gives `model`, built from `description`, the file's weights.
///
/// The tensors are found by the names that [`encode`] writes. A file of an `nn.Sequential`, whose names begin with
/// numbers (`0.weight`, `3.bias`), is taken in the order of the numbers.
///
/// # Errors
/// When a tensor is missing, surplus, misshapen or not finite; the model is then partly overwritten.
///
/// # Panics
/// When `model` is not the one that `description` describes.
pub fn load(bytes: &[u8], description: &Description, model: &mut Model<f32>) -> Result<(), FormatError> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| FormatError::Damaged(error.to_string()))?;
    let graph = description.graph(model);
    let mut names: Vec<&str> = file.names().into_iter().filter(|name| !is_count(name)).collect();
    names.sort_unstable();
    let pairs = pair(&graph, &names)?;
    // An addend goes onto what another tensor sets.
    let (addends, others): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(tensor, _)| tensor.addend);
    for (tensor, name) in others.into_iter().chain(addends) {
        let found = file.tensor(name).map_err(|error| FormatError::Damaged(error.to_string()))?;
        if found.dtype() != Dtype::F32 || found.shape() != tensor.shape {
            return Err(FormatError::Shape {
                name: name.to_owned(),
                expected: format!("float32 {:?}", tensor.shape),
                found: format!("{:?} {:?}", found.dtype(), found.shape()),
            });
        }
        let (values, _) = found.data().as_chunks::<4>();
        let values = || values.iter().map(|value| f32::from_le_bytes(*value));
        if !values().all(f32::is_finite) {
            return Err(FormatError::NotFinite(name.to_owned()));
        }
        tensor.set(values(), model.parameters_mut());
    }
    Ok(())
}

fn is_count(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, last)| last == BATCHES_TRACKED)
}

/// The network's tensors, each with its name in the file.
fn pair<'a, 'b>(graph: &'a Graph, names: &[&'b str]) -> Result<Vec<(&'a StateTensor, &'b str)>, FormatError> {
    let renamed = renamed(graph, names);
    let known = |name: &str| match &renamed {
        Some(renamed) => Cow::from(
            renamed
                .get(layer_of(name))
                .map_or(String::new(), |layer| format!("{layer}{}", &name[layer_of(name).len()..])),
        ),
        None => Cow::from(name.to_owned()),
    };
    let in_file: HashMap<String, &'b str> =
        names.iter().map(|name| (known(name).into_owned(), *name)).collect();
    let mut pairs = Vec::new();
    for tensor in graph.tensors() {
        match in_file.get(&tensor.name) {
            Some(name) => pairs.push((tensor, *name)),
            None => {
                return Err(FormatError::Missing { name: tensor.name.clone(), shape: tensor.shape.clone() });
            }
        }
    }
    match names.iter().find(|name| pairs.iter().all(|(_, paired)| paired != *name)) {
        Some(name) => Err(FormatError::Surplus((*name).to_owned())),
        None => Ok(pairs),
    }
}

/// Our names of a numbered file's layers, where every name begins with a number.
fn renamed<'b>(graph: &Graph, names: &[&'b str]) -> Option<HashMap<&'b str, String>> {
    let numbered = |name: &&str| name.split('.').next().is_some_and(|first| first.parse::<u32>().is_ok());
    if names.is_empty() || !names.iter().all(numbered) {
        return None;
    }
    let mut layers: Vec<&str> = names.iter().map(|name| layer_of(name)).collect();
    layers.sort_unstable_by(|one, other| by_number(one, other));
    layers.dedup();
    let ours = graph.nodes.iter().filter(|node| !node.tensors.is_empty()).map(|node| node.name.clone());
    Some(layers.into_iter().zip(ours).collect())
}

/// A tensor's name without what stands for the parameter within its layer.
fn layer_of(name: &str) -> &str {
    let last = |name: &str| name.rfind('.').unwrap_or(name.len());
    let layer = &name[..last(name)];
    if layer.ends_with(".out_proj") { &layer[..last(layer)] } else { layer }
}

/// Part by part, numbers as such.
fn by_number(one: &str, other: &str) -> Ordering {
    let key = |part: &str| (part.parse::<u32>().ok(), part.to_owned());
    one.split('.').map(key).cmp(other.split('.').map(key))
}
