//! What a search varies of a model: settings of its variables and of its recipe.

use crate::study_file::{Content, ModelTemplate, Node, Setting, StudyFileError};
use search::{Dimension, Domain, Space, SpaceError};
use serde_json::{Map, Value};
use train::Precision;

/// The settings that a search varies, with the values each can take.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingSpace {
    space: Space,
    /// Each dimension's choices, where it has such.
    choices: Vec<Vec<Value>>,
}

/// A setting to vary, as asked for.
#[derive(Debug, Clone, PartialEq)]
struct Varied {
    name: String,
    line: usize,
    domain: Domain,
    choices: Vec<Value>,
}

/// What a table of a domain may hold.
const KINDS: [&str; 3] = ["range", "log", "choice"];

const HINT: &str = "write { range = [0.0, 0.5] }, { log = [1e-4, 1e-2] }, or { choice = [64, 128, 256] }; between whole \
                    numbers, whole numbers are tried";

/// The usual search goes from a tenth of the model's own learning rate to ten times that: beyond, trainings fail.
const LEARNING_RATE_FACTOR: f64 = 10.0;

/// Variables of at least this are taken for widths by the usual search; smaller ones are depths, heads and sizes of kernels,
/// of which half or double is another network.
const SMALLEST_WIDTH: i64 = 8;

/// The fields of an augmentation that are strengths: 0 is none.
const STRENGTHS: [&str; 8] =
    ["shift", "rotation", "scale", "shear", "elastic", "brightness", "contrast", "saturation"];

impl SettingSpace {
    /// The space of one of a study file's templates, by the file's `[search]`.
    ///
    /// A setting that is a variable of some templates is varied in those alone; any other is a field of the recipe, and varied
    /// in all. What is `fixed` is not varied.
    ///
    /// # Errors
    /// When an entry is no domain, when one of its ends or choices is unusable, or when nothing of the template is varied.
    pub fn of_file(
        template: &ModelTemplate,
        all: &[ModelTemplate],
        shared: &[Setting],
        entries: &[(String, Node)],
        fixed: &[Setting],
        file: &str,
    ) -> Result<Self, StudyFileError> {
        let mut varied = Vec::new();
        collect(file, "", entries, &mut varied)?;
        let line = varied.first().map_or(0, |varied| varied.line);
        let has = |template: &ModelTemplate, name: &str| {
            template.variables().iter().any(|(variable, _)| variable == name)
        };
        let of_others_only = |name: &str| !has(template, name) && all.iter().any(|other| has(other, name));
        varied.retain(|varied| is_free(varied, fixed) && !of_others_only(&varied.name));
        for varied in &varied {
            for value in varied.extremes() {
                let setting = Setting { name: varied.name.clone(), value, line: varied.line };
                // Not where the template stands, which may be a built-in one.
                let here = |error: StudyFileError| StudyFileError {
                    file: file.to_owned(),
                    line: varied.line,
                    problem: format!("search, {}: {}", varied.name, error.problem),
                    hint: error.hint,
                };
                template.make(&with(shared, setting)).map_err(here)?;
            }
        }
        Self::new(varied).map_err(|error| StudyFileError {
            file: file.to_owned(),
            line,
            problem: format!("model {}: {error}", template.name),
            hint: HINT.into(),
        })
    }

    /// What is searched where nothing is said: the learning rate, a decade to either side; the batch size, half and double;
    /// the model's variables that look like widths, half and double; and what its augmentation has, from none to double.
    ///
    /// # Errors
    /// When the template makes no model.
    pub fn usual(
        template: &ModelTemplate,
        shared: &[Setting],
        fixed: &[Setting],
    ) -> Result<Self, StudyFileError> {
        let recipe = template.make(shared)?.recipe;
        let usable = |name: &str, value: &Value| {
            let setting = Setting { name: name.to_owned(), value: value.clone(), line: 0 };
            template.make(&with(shared, setting)).is_ok()
        };
        let half_and_double = |name: &str, value: i64| {
            let choices = [value / 2, value, value.saturating_mul(2)].map(Value::from);
            let choices: Vec<Value> = choices.into_iter().filter(|value| usable(name, value)).collect();
            Varied {
                name: name.to_owned(),
                line: 0,
                domain: Domain::Choice { count: choices.len() },
                choices,
            }
        };
        let rate = recipe.learning_rate;
        let high = [rate * LEARNING_RATE_FACTOR, rate].map(Value::from);
        let high = high.iter().find(|rate| usable("learning_rate", rate)).and_then(Value::as_f64);
        let mut varied = vec![
            Varied {
                name: "learning_rate".into(),
                line: 0,
                domain: Domain::LogUniform { low: rate / LEARNING_RATE_FACTOR, high: high.unwrap_or(rate) },
                choices: Vec::new(),
            },
            half_and_double("batch_size", recipe.batch_size as i64),
        ];
        for (name, value) in template.variables() {
            if let Some(value) = value.as_i64().filter(|value| *value >= SMALLEST_WIDTH) {
                varied.push(half_and_double(name, value));
            }
        }
        let whole = serde_json::to_value(&recipe).expect("a recipe has only plain values");
        for strength in STRENGTHS {
            let name = format!("augmentation.{strength}");
            let there = whole.pointer(&format!("/augmentation/{strength}")).and_then(Value::as_f64);
            if let Some(high) = there.map(|there| 2.0 * there).filter(|high| *high > 0.0) {
                let domain = Domain::Uniform { low: 0.0, high };
                let ends = [0.0, high].map(Value::from);
                if ends.iter().all(|end| usable(&name, end)) {
                    varied.push(Varied { name, line: 0, domain, choices: Vec::new() });
                }
            }
        }
        let high = 2 * recipe.augmentation.crop as i64;
        if high > 0 && usable("augmentation.crop", &Value::from(high)) {
            let domain = Domain::Integer { low: 0, high };
            varied.push(Varied { name: "augmentation.crop".into(), line: 0, domain, choices: Vec::new() });
        }
        varied.retain(|varied| is_free(varied, fixed));
        Self::new(varied).map_err(|error| StudyFileError {
            file: template.name.clone(),
            line: 0,
            problem: error.to_string(),
            hint: "leave out the options that fix what would be searched".into(),
        })
    }

    fn new(varied: Vec<Varied>) -> Result<Self, SpaceError> {
        let choices = varied.iter().map(|varied| varied.choices.clone()).collect();
        let dimension = |varied: Varied| Dimension { name: varied.name, domain: varied.domain };
        Ok(Self { space: Space::new(varied.into_iter().map(dimension).collect())?, choices })
    }

    /// The dimensions, without their choices' values.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Each setting's name and domain, as a study file spells them.
    pub fn spelled(&self) -> Vec<(String, Value)> {
        let domains = self.space.dimensions().iter().zip(&self.choices);
        domains
            .map(|(dimension, choices)| {
                let domain = match dimension.domain {
                    Domain::Uniform { low, high } => serde_json::json!({ "range": [low, high] }),
                    Domain::LogUniform { low, high } => serde_json::json!({ "log": [low, high] }),
                    Domain::Integer { low, high } => serde_json::json!({ "range": [low, high] }),
                    Domain::LogInteger { low, high } => serde_json::json!({ "log": [low, high] }),
                    Domain::Choice { .. } => serde_json::json!({ "choice": choices }),
                };
                (dimension.name.clone(), domain)
            })
            .collect()
    }

    /// The precisions that trials may ask for, beside the model's own.
    pub fn precisions(&self) -> Vec<Precision> {
        let searched = self.space.dimensions().iter().zip(&self.choices);
        let searched = searched.filter(|(dimension, _)| dimension.name == "precision");
        // Every choice was tried in a recipe.
        searched
            .flat_map(|(_, choices)| choices)
            .filter_map(|choice| serde_json::from_value(choice.clone()).ok())
            .collect()
    }

    /// A point's values by their settings' names.
    pub fn settings(&self, point: &[search::Value]) -> Map<String, Value> {
        let dimensions = self.space.dimensions().iter().zip(&self.choices);
        dimensions
            .zip(point)
            .map(|((dimension, choices), value)| {
                let value = match *value {
                    search::Value::Number(number) => Value::from(number),
                    search::Value::Integer(integer) => Value::from(integer),
                    search::Value::Choice(choice) => choices[choice].clone(),
                };
                (dimension.name.clone(), value)
            })
            .collect()
    }

    /// The point of such values; none where they are not of this space.
    pub fn point(&self, settings: &Map<String, Value>) -> Option<Vec<search::Value>> {
        let dimensions = self.space.dimensions().iter().zip(&self.choices);
        let point: Option<Vec<search::Value>> = dimensions
            .map(|(dimension, choices)| {
                let value = settings.get(&dimension.name)?;
                Some(match dimension.domain {
                    Domain::Uniform { .. } | Domain::LogUniform { .. } => {
                        search::Value::Number(value.as_f64()?)
                    }
                    Domain::Integer { .. } | Domain::LogInteger { .. } => {
                        search::Value::Integer(value.as_i64()?)
                    }
                    Domain::Choice { .. } => {
                        search::Value::Choice(choices.iter().position(|choice| choice == value)?)
                    }
                })
            })
            .collect();
        point.filter(|point| settings.len() == point.len() && self.space.holds(point))
    }
}

impl Varied {
    /// The values that all others lie between, or all there are.
    fn extremes(&self) -> Vec<Value> {
        match self.domain {
            Domain::Uniform { low, high } | Domain::LogUniform { low, high } => {
                vec![Value::from(low), Value::from(high)]
            }
            Domain::Integer { low, high } | Domain::LogInteger { low, high } => {
                vec![Value::from(low), Value::from(high)]
            }
            Domain::Choice { .. } => self.choices.clone(),
        }
    }
}

fn with(shared: &[Setting], setting: Setting) -> Vec<Setting> {
    shared.iter().cloned().chain([setting]).collect()
}

fn is_free(varied: &Varied, fixed: &[Setting]) -> bool {
    fixed.iter().all(|setting| setting.name != varied.name)
}

/// The settings of a table, those of tables within it by dotted names.
fn collect(
    file: &str,
    prefix: &str,
    entries: &[(String, Node)],
    varied: &mut Vec<Varied>,
) -> Result<(), StudyFileError> {
    for (name, node) in entries {
        let name = format!("{prefix}{name}");
        let error = |problem: String| StudyFileError {
            file: file.to_owned(),
            line: node.line,
            problem: format!("search, {name}: {problem}"),
            hint: HINT.into(),
        };
        let (kind, list) = match &node.content {
            Content::Table(inner) => match inner.as_slice() {
                [(kind, list)] if KINDS.contains(&kind.as_str()) => (kind.as_str(), list),
                _ if inner.iter().any(|(kind, _)| KINDS.contains(&kind.as_str())) => {
                    return Err(error(
                        "one of range, log and choice expected, with nothing beside it".into(),
                    ));
                }
                _ => {
                    collect(file, &format!("{name}."), inner, varied)?;
                    continue;
                }
            },
            _ => ("choice", node),
        };
        let Content::List(values) = &list.content else {
            return Err(error(format!("a list or a table expected, {} found", list.kind())));
        };
        let values: Vec<Value> = values.iter().map(Node::to_json).collect();
        let domain = domain(kind, &values).map_err(error)?;
        let choices = if kind == "choice" { values } else { Vec::new() };
        // Checked here, where its line is known.
        Space::new(vec![Dimension { name: name.clone(), domain }]).map_err(|problem| StudyFileError {
            file: file.to_owned(),
            line: node.line,
            problem: format!("search, {problem}"),
            hint: HINT.into(),
        })?;
        varied.push(Varied { name, line: node.line, domain, choices });
    }
    Ok(())
}

/// The domain of a kind's list.
fn domain(kind: &str, values: &[Value]) -> Result<Domain, String> {
    if kind == "choice" {
        let twice = values.iter().enumerate().find(|(index, value)| values[..*index].contains(value));
        return match twice {
            Some((_, value)) => Err(format!("each choice once expected, {value} found twice")),
            None => Ok(Domain::Choice { count: values.len() }),
        };
    }
    let [low, high] = values else {
        return Err(format!("{kind} of two numbers expected, {} found", values.len()));
    };
    let whole = low.as_i64().zip(high.as_i64());
    let number = low.as_f64().zip(high.as_f64());
    match (kind, whole, number) {
        ("range", Some((low, high)), _) => Ok(Domain::Integer { low, high }),
        ("range", None, Some((low, high))) => Ok(Domain::Uniform { low, high }),
        (_, Some((low, high)), _) => Ok(Domain::LogInteger { low, high }),
        (_, None, Some((low, high))) => Ok(Domain::LogUniform { low, high }),
        _ => Err(format!("{kind} of two numbers expected, {low} and {high} found")),
    }
}
