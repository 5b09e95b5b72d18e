//! An image's way through a network.

use crate::{
    Problem,
    network::{Network, tensor},
    read::written,
};
use kernels::InstructionSet;
use nn::Model;
use records::record::RunSpec;
use serde_json::{Value, json};
use spec::{Graph, LayerSpec, Node, Operation, RecurrentSpec, Sliding};

/// The call `inside`.
pub(crate) fn inside(network: &mut Network, set: InstructionSet, image: &[u8]) -> Result<Value, Problem> {
    let probabilities = network.probabilities(image);
    let run = network.run.clone();
    let images = run.dataset.shape();
    let graph = run
        .architecture()
        .graph(images, run.dataset.classes)
        .map_err(|error| Problem::new(error.to_string()))?;
    let outputs = network.model.outputs();
    let pixels = network.model.input_mut()[..image.len()].to_vec();
    // By place: 0 is the image, n + 1 the output of node n.
    let mut values: Vec<Vec<f32>> = vec![pixels];
    for node in &graph.nodes {
        let own = outputs.iter().find(|(name, _)| *name == node.name);
        // Another view of the same values has none of its own.
        let of_node = own.map_or_else(|| values[node.input].clone(), |(_, values)| values.clone());
        values.push(of_node);
    }
    let last = graph.nodes.len() - 1;
    let layers = graph.nodes.iter().enumerate().map(|(index, node)| {
        let mut told = told(node, &values[index + 1]);
        for (key, more) in more(network, &graph, index, &values[node.input], index == last) {
            told[key] = more;
        }
        if let Operation::Layer(LayerSpec::Recurrent(recurrent)) = &node.operation
            && let Some(states) = states(network, set, node, *recurrent, image)
        {
            told["states"] = states;
        }
        told
    });
    let layers: Vec<Value> = layers.collect();
    let mut answer = serde_json::to_value(network.moment()).expect("plain values");
    answer["input"] = tensor(&[images.height, images.width, images.channels], &values[0]);
    answer["probabilities"] = json!(probabilities);
    answer["layers"] = json!(layers);
    Ok(answer)
}

fn told(node: &Node, values: &[f32]) -> Value {
    let kind = match &node.operation {
        Operation::Layer(layer) => layer.kind(),
        Operation::Sum(_) => "sum",
    };
    let [low, high] = range(values);
    let mut told = tensor(&node.to.axes(), values);
    told["name"] = json!(node.name);
    told["layer"] = json!(written(node));
    told["kind"] = json!(kind);
    told["low"] = json!(low);
    told["high"] = json!(high);
    told
}

fn range(values: &[f32]) -> [f32; 2] {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let found = finite.fold([f32::MAX, f32::MIN], |[low, high], value| [low.min(value), high.max(value)]);
    if found[0] > found[1] { [0.0, 0.0] } else { found }
}

/// Weights that are shown beside a layer's values.
fn more(
    network: &Network,
    graph: &Graph,
    index: usize,
    input: &[f32],
    is_last: bool,
) -> Vec<(&'static str, Value)> {
    let node = &graph.nodes[index];
    let Operation::Layer(layer) = &node.operation else { return Vec::new() };
    let parameter = |name: &str| network.parameter(&format!("{}.{name}", node.name));
    let with_bias = |weights: Option<Value>| {
        let mut weights = weights?;
        if let Some((_, bias)) = parameter("bias") {
            weights["bias"] = json!(bias);
        }
        Some(weights)
    };
    let found = match layer {
        LayerSpec::Convolution(spec) => {
            let [rows, columns] = spec.sliding.kernel;
            let weights = parameter("weight").map(|(_, values)| {
                let channels = values.len() / (spec.filters * rows * columns).max(1);
                filters([spec.filters, rows, columns, channels], values, spec.sliding, spec.groups)
            });
            with_bias(weights).map(|filters| ("filters", filters))
        }
        LayerSpec::Depthwise(spec) => {
            let [rows, columns] = spec.sliding.kernel;
            let channels = node.from.features();
            // The engine has a filter's channels innermost.
            let weights = parameter("weight").map(|(_, values)| {
                let turned: Vec<f32> = (0..channels)
                    .flat_map(|channel| (0..rows * columns).map(move |tap| values[tap * channels + channel]))
                    .collect();
                filters([channels, rows, columns, 1], &turned, spec.sliding, channels)
            });
            with_bias(weights).map(|filters| ("filters", filters))
        }
        LayerSpec::Dense { .. } if is_last => {
            // The engine has a row for each unit.
            let weights = parameter("weight").map(|(shape, values)| {
                let [units, inputs] = [shape[0], values.len() / shape[0].max(1)];
                let turned: Vec<f32> = (0..inputs)
                    .flat_map(|from| (0..units).map(move |to| values[to * inputs + from]))
                    .collect();
                tensor(&[inputs, units], &turned)
            });
            with_bias(weights).map(|weights| ("weights", weights))
        }
        LayerSpec::Attention { heads } => {
            attention(network, node, *heads, input).map(|weights| ("attention", weights))
        }
        _ => None,
    };
    found.into_iter().collect()
}

fn filters(shape: [usize; 4], values: &[f32], sliding: Sliding, groups: usize) -> Value {
    let mut filters = tensor(&shape, values);
    filters["stride"] = json!(sliding.stride);
    filters["padding"] = json!(sliding.padding);
    filters["dilation"] = json!(sliding.dilation);
    filters["groups"] = json!(groups);
    filters
}

/// softmax(Q·Kᵀ / √d) of each head (Vaswani et al., "Attention is all you need", 2017, equation 1): `[head, query, key]`.
fn attention(network: &Network, node: &Node, heads: usize, input: &[f32]) -> Option<Value> {
    let [steps, features] = node.from.axes()[..] else { return None };
    let (_, weights) = network.parameter(&format!("{}.in_projection.weight", node.name))?;
    let (_, bias) = network.parameter(&format!("{}.in_projection.bias", node.name))?;
    // The rows of the queries come first, then those of the keys, each head after head.
    let projected = |step: usize, row: usize| {
        let x = &input[step * features..][..features];
        let weights = &weights[row * features..][..features];
        bias[row] + x.iter().zip(weights).map(|(x, weight)| x * weight).sum::<f32>()
    };
    let rows = |first: usize| -> Vec<f32> {
        (0..steps).flat_map(|step| (first..first + features).map(move |row| projected(step, row))).collect()
    };
    let (queries, keys) = (rows(0), rows(features));
    let width = features / heads;
    let mut found = Vec::with_capacity(heads * steps * steps);
    for head in 0..heads {
        let part =
            |values: &'_ [f32], step: usize| values[step * features + head * width..][..width].to_vec();
        for query in 0..steps {
            let query = part(&queries, query);
            let scores = (0..steps).map(|key| {
                let products = query.iter().zip(part(&keys, key)).map(|(q, k)| q * k);
                products.sum::<f32>() / (width as f32).sqrt()
            });
            let scores: Vec<f32> = scores.collect();
            let most = scores.iter().copied().fold(f32::MIN, f32::max);
            let powers: Vec<f32> = scores.iter().map(|score| (score - most).exp()).collect();
            let sum: f32 = powers.iter().sum();
            found.extend(powers.iter().map(|power| power / sum));
        }
    }
    Some(tensor(&[heads, steps, steps], &found))
}

/// The states of a recurrent layer after every step: `[step, unit]`. The layer is computed once more as one that passes all of them on, in a
/// network that ends behind it; of a layer within a residual one nothing is told.
fn states(
    network: &Network,
    set: InstructionSet,
    node: &Node,
    recurrent: RecurrentSpec,
    image: &[u8],
) -> Option<Value> {
    let place: usize = node.position.parse().ok()?;
    let run = &network.run;
    let mut layers = run.layers[..place - 1].to_vec();
    layers.push(LayerSpec::Recurrent(RecurrentSpec { sequence: true, ..recurrent }));
    layers.push(LayerSpec::Flatten);
    layers.push("dense classes".parse().ok()?);
    let shortened = RunSpec { layers, ..run.clone() };
    let mut model: Model<f32> =
        Model::to_look_into(set, &shortened.architecture(), run.dataset.shape(), run.dataset.classes).ok()?;
    model.set_preparation(network.model.preparation());
    // What stands before its last layer is the same network.
    let own = model.specs().iter().take_while(|spec| network.model.specs().contains(spec));
    let shared = own.last()?.range.end;
    let parameters = network.model.parameters()[..shared].to_vec();
    model.parameters_mut()[..shared].copy_from_slice(&parameters);
    model.set_batch(1, |_| image);
    let outputs = model.outputs();
    let (_, values) = outputs.into_iter().find(|(name, _)| *name == node.name)?;
    let steps = node.from.axes()[0];
    Some(tensor(&[steps, values.len() / steps], &values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Weights;
    use base64::{Engine, engine::general_purpose::STANDARD};
    use records::record::Protocol;
    use std::sync::Arc;
    use study::{run::Session, study_file::StudyFile};

    const SIDE: usize = 12;

    /// What is told of an image's way through a network of these layers, whose parameters are anything, and the network.
    fn told_of(layers: &str) -> (Value, Network) {
        let session = Session::of(data::synthetic(5, 60, 30, SIDE, SIDE, 3), InstructionSet::PORTABLE, 1)
            .expect("a session");
        let text = format!("models = [\"own\"]\n[model.own]\nlayers = [{layers}]\n");
        let model = StudyFile::parse(&text, "own").expect("a study").models.remove(0);
        let run = session.specification(&model, Protocol::Sound, 0);
        let mut network = Network::new(&session, &run).expect("it fits");
        let count = network.model.parameters().len();
        let values = (0..count).map(|index| ((index * 37 % 101) as f32 - 50.0) / 120.0).collect();
        let weights = Weights { model: "own".into(), seed: 0, epoch: 1, step: 1, finished: false, values };
        network.set(&Arc::new(weights)).expect("as many");
        let image: Vec<u8> = (0..SIDE * SIDE).map(|index| (index * 53 % 256) as u8).collect();
        (inside(&mut network, InstructionSet::PORTABLE, &image).expect("an answer"), network)
    }

    fn floats(told: &Value) -> Vec<f32> {
        let bytes = STANDARD.decode(told["values"].as_str().expect("base64")).expect("base64");
        bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
    }

    fn near(one: f32, other: f32) {
        assert!((one - other).abs() < 1e-3 * (1.0 + other.abs()), "{one}, {other}");
    }

    #[test]
    fn filters_make_the_maps_that_are_told_and_the_last_weights_the_logits() {
        let (told, network) =
            told_of("\"conv 4 3x3\", \"relu\", \"maxpool 2\", \"flatten\", \"dense classes\"");
        let (input, layers) = (floats(&told["input"]), told["layers"].as_array().expect("layers"));
        let names: Vec<&str> = layers.iter().filter_map(|layer| layer["name"].as_str()).collect();
        assert_eq!(names.len(), 5);
        let filters = floats(&layers[0]["filters"]);
        assert_eq!(layers[0]["filters"]["shape"], json!([4, 3, 3, 1]));
        let map = floats(&layers[0]);
        let (row, column, filter) = (2, 5, 3);
        let mut sum = layers[0]["filters"]["bias"][filter].as_f64().expect("a bias") as f32;
        for y in 0..3 {
            for x in 0..3 {
                sum += filters[filter * 9 + y * 3 + x] * input[(row + y) * SIDE + column + x];
            }
        }
        near(map[(row * (SIDE - 2) + column) * 4 + filter], sum);
        let relu = floats(&layers[1]);
        assert!(relu.iter().zip(&map).all(|(after, before)| *after == before.max(0.0)));
        let (features, weights) = (floats(&layers[3]), floats(&layers[4]["weights"]));
        assert_eq!(features, floats(&layers[2]), "flattening is another view");
        let logits = floats(&layers[4]);
        for (class, logit) in logits.iter().enumerate() {
            let bias = layers[4]["weights"]["bias"][class].as_f64().expect("a bias") as f32;
            let sum =
                features.iter().enumerate().map(|(from, value)| value * weights[from * logits.len() + class]);
            near(*logit, bias + sum.sum::<f32>());
        }
        drop(network);
    }

    #[test]
    fn the_last_state_is_what_a_recurrent_layer_puts_out() {
        for layer in ["lstm 6", "gru 6", "rnn 6"] {
            let (told, _) = told_of(&format!("\"{layer}\", \"dense classes\""));
            let first = &told["layers"][0];
            assert_eq!(first["states"]["shape"], json!([SIDE, 6]), "{layer}");
            let (states, output) = (floats(&first["states"]), floats(first));
            for (state, value) in states[(SIDE - 1) * 6..].iter().zip(&output) {
                near(*state, *value);
            }
        }
    }

    #[test]
    fn attention_makes_the_values_that_are_told() {
        let (told, network) =
            told_of("\"patches 4\", \"dense 8\", \"attention 2\", \"global avgpool\", \"dense classes\"");
        let (input, layer) = (floats(&told["layers"][1]), &told["layers"][2]);
        let [steps, features, heads] = [9, 8, 2];
        assert_eq!(layer["attention"]["shape"], json!([heads, steps, steps]));
        let attention = floats(&layer["attention"]);
        assert!(attention.chunks_exact(steps).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
        let name = layer["name"].as_str().expect("a name");
        let parameter = |what: &str| network.parameter(&format!("{name}.{what}")).expect("a parameter").1;
        let (inward, bias) = (parameter("in_projection.weight"), parameter("in_projection.bias"));
        let value = |step: usize, feature: usize| {
            let row = 2 * features + feature;
            let x = &input[step * features..][..features];
            bias[row] + x.iter().zip(&inward[row * features..]).map(|(x, weight)| x * weight).sum::<f32>()
        };
        let (outward, out_bias) = (parameter("out_projection.weight"), parameter("out_projection.bias"));
        let output = floats(layer);
        for query in 0..steps {
            let context: Vec<f32> = (0..features)
                .map(|feature| {
                    let head = feature / (features / heads);
                    let weights = &attention[(head * steps + query) * steps..][..steps];
                    weights.iter().enumerate().map(|(key, weight)| weight * value(key, feature)).sum()
                })
                .collect();
            for feature in 0..features {
                let weights = &outward[feature * features..][..features];
                let sum: f32 = context.iter().zip(weights).map(|(value, weight)| value * weight).sum();
                near(output[query * features + feature], out_bias[feature] + sum);
            }
        }
    }
}
