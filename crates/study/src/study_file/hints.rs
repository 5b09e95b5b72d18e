//! What was probably meant, and what to write instead.

use super::{
    Content, Node,
    reader::{MODEL_KEYS, STUDY_KEYS, TARGET_KEYS},
    recipe_fields::{is_augmentation_field, is_recipe_field},
};
use crate::suggest::choose;
use nn::SpellingError;
use serde_json::Value;
use std::fmt;

/// Where a key stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// At the top of a file that holds models alone.
    File,
    /// At the top of a study.
    Study,
    /// In `[target]`.
    Target,
    /// In `[model.NAME]`.
    Model(&'a str),
    /// In a table among layers.
    Layers,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File => formatter.write_str("the file"),
            Place::Study => formatter.write_str("a study"),
            Place::Target => formatter.write_str("[target]"),
            Place::Model(name) => write!(formatter, "model {name}"),
            Place::Layers => formatter.write_str("a table among layers"),
        }
    }
}

/// For a key that has no place where it stands.
pub(super) fn for_key(place: Place, key: &str, node: &Node, known: &[&str]) -> String {
    let table = matches!(node.content, Content::Table(_));
    let under = |section: &str| match table {
        true => format!("write [{section}.{key}]"),
        false => format!("put it under [{section}]"),
    };
    match place {
        Place::Study | Place::Model(_) if is_recipe_field(key) => {
            let section = match place {
                Place::Model(name) => format!("model.{name}.recipe"),
                _ => "recipe".to_owned(),
            };
            match short(node) {
                Some(value) => format!("{}, or write `recipe = {{ {key} = {value} }}`", under(&section)),
                None => under(&section),
            }
        }
        Place::Study if is_augmentation_field(key) => under("recipe.augmentation"),
        Place::Model(name) if is_augmentation_field(key) => {
            under(&format!("model.{name}.recipe.augmentation"))
        }
        Place::Study if MODEL_KEYS.contains(&key) => {
            "put it under [model.NAME], with a name for the model".into()
        }
        Place::Study if TARGET_KEYS.contains(&key) => under("target"),
        Place::Model(_) if STUDY_KEYS.contains(&key) => {
            "it belongs to the study: put it above the first line in brackets".into()
        }
        _ => match for_foreign_word(key) {
            Some(hint) => hint.into(),
            None => choose(key, known.iter().copied()),
        },
    }
}

/// For a field that no recipe has; `known` are those that are.
pub(super) fn for_recipe_field(field: &str, known: &[&str]) -> String {
    if STUDY_KEYS.contains(&field) {
        return "it belongs to the study: put it above the first line in brackets".into();
    }
    if MODEL_KEYS.contains(&field) {
        return "it belongs to the model: put it under [model.NAME], above its recipe".into();
    }
    if is_augmentation_field(field) {
        return format!("write `augmentation = {{ {field} = … }}`");
    }
    for_foreign_word(field).map_or_else(|| choose(field, known.iter().copied()), str::to_owned)
}

/// What other programs call it.
fn for_foreign_word(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().replace('-', "_").as_str() {
        "lr" => "write `learning_rate`",
        "bs" => "write `batch_size`",
        "tta" => "write `test_time_augmentation`",
        "patience" => "write `early_stopping`, the number of epochs to wait",
        "momentum" | "nesterov" => "write `optimiser = { kind = \"sgd\", momentum = 0.9 }`",
        "beta_1" | "beta_2" | "beta1" | "beta2" | "betas" => {
            "write `optimiser = { kind = \"adam\", beta_1 = 0.9, beta_2 = 0.999 }`"
        }
        "warm_up" | "warmup" => "write `schedule = { kind = \"cosine\", warm_up = 0.1 }`",
        "loss" | "criterion" => {
            "leave it out: the loss is the cross-entropy of the softmax of the last layer"
        }
        "metrics" => "leave it out: a report has every figure",
        "validation_split" => "leave it out: `protocol` says how the data is divided",
        "dropout" => "write it as a layer: \"dropout 0.2\"",
        "runs" | "repeats" => "write `seeds`, the number of runs of each model",
        _ => return None,
    })
}

/// For a key that must be a whole number.
pub(super) fn for_number(key: &str) -> String {
    match key {
        "seeds" => {
            "`seeds = 5` trains each model five times, from `seed` on; write a number without quotes".into()
        }
        _ => format!("write a number without quotes, such as `{key} = 7`"),
    }
}

/// For a layer that is not spelled as any is.
pub(super) fn for_layer(error: &SpellingError) -> String {
    let form = "`mnist-study models --layers` lists how every layer is spelled";
    let Some(kind) = &error.unknown_kind else { return for_known_layer(&error.layer).unwrap_or(form.into()) };
    if kind.is_empty() {
        return form.into();
    }
    let plain: String = kind
        .to_lowercase()
        .chars()
        .take_while(|one| *one != '(')
        .filter(|one| !"_-".contains(*one))
        .collect();
    let written = match plain.as_str() {
        "softmax" | "logsoftmax" | "argmax" => "leave it out: the loss and the report apply the softmax",
        "input" | "inputlayer" => "leave it out: the first layer reads the image",
        "linear" | "fc" | "fullyconnected" => "write `dense 128`, and `dense classes` as the last layer",
        "convolution" | "convolutional" => "write `conv 32 3x3`",
        "separableconv2d" => "write `depthwise 3x3`, then `conv 32 1x1`",
        "pool" | "pooling" => "write `maxpool 2` or `avgpool 2`",
        "averagepooling2d" | "averagepool" => "write `avgpool 2`",
        "globalaveragepooling2d" | "globalavgpool" | "gap" | "adaptiveavgpool2d" => "write `global avgpool`",
        "globalmaxpooling2d" | "globalmaxpool" | "adaptivemaxpool2d" => "write `global maxpool`",
        "bn" => "write `batchnorm`",
        "ln" => "write `layernorm`",
        "swish" => "write `silu`, which is its other name",
        "residual" | "skip" | "add" | "shortcut" => {
            "write a table: { residual = [\"conv 32 3x3 same\", \"relu\"] }"
        }
        "repeat" => "write a table: { repeat = 3, layers = [\"dense 64\", \"relu\"] }",
        "reshape" | "permute" => "write `rows`, `columns`, `pixels` or `patches SIZE`",
        "transformer" | "mha" => "write { residual = [\"layernorm\", \"attention 4\"] }",
        _ => "",
    };
    match written {
        "" => choose(&plain, nn::LAYER_FORMS.iter().map(|form| form.kind)),
        written => written.into(),
    }
}

/// For a layer of a known kind that goes on wrongly.
fn for_known_layer(layer: &str) -> Option<String> {
    if layer.contains([',', ';']) {
        return Some("write spaces between the words, and each layer as a text of its own".into());
    }
    let mut words = layer.split_whitespace();
    let kind = words.next()?;
    let is_layer = |word: &str| nn::LAYER_FORMS.iter().any(|form| form.kind == word);
    words.find_map(|word| match word {
        "return_sequences" | "sequences" | "return_sequences=True" => {
            Some("write `sequence` to pass every state on".into())
        }
        "valid" => Some("leave out `valid`: without `same` or `pad` nothing is padded".into()),
        word if word.starts_with("padding") => Some("write `same`, or `pad 1`".into()),
        word if word.starts_with("stride") && word != "stride" => Some("write `stride 2`".into()),
        word if kind.ends_with("pool") && word.contains('x') => {
            Some(format!("windows are square: write `{kind} 2`"))
        }
        word if is_layer(word) => Some(format!("write \"{word}\" as a layer of its own")),
        _ => None,
    })
}

/// A value as it is written, where that is short.
fn short(node: &Node) -> Option<String> {
    match &node.content {
        Content::Plain(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
        Content::Plain(Value::String(text)) if text.len() <= 20 => Some(format!("{text:?}")),
        _ => None,
    }
}
