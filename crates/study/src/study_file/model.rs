//! A model of a study file, and what its settings make of it.

use super::{
    StudyFileError, hints,
    limits::{LAYER_DEPTH, LAYERS, LINE},
    recipe_fields::{Wrong, checked, set},
};
use crate::suggest::choose;
use nn::{Architecture, LayerSpec, ShapeError, SpellingError};
use serde_json::{Map, Value};
use std::sync::Arc;
use train::Recipe;

/// A network and how it is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSpec {
    /// Name, layers, citation.
    pub architecture: Architecture,
    /// How it is trained, checked.
    pub recipe: Recipe,
    /// Mean test accuracy on MNIST that its recipe has reached, a fraction, where somebody has measured it.
    pub expected_accuracy: Option<f64>,
    /// The file that it stands in, or that names it; empty for a built-in model that no file names.
    file: String,
    /// The line of each layer, by its position.
    lines: Vec<(String, usize)>,
}

impl ModelSpec {
    /// Where a layer that does not fit stands, where the model is from a file.
    pub fn locate(&self, error: ShapeError) -> Result<StudyFileError, ShapeError> {
        // A network that is wrong as a whole is told of its last layer, if it has any.
        match self.lines.iter().find(|(position, _)| *position == error.position) {
            Some((_, line)) if !self.file.is_empty() => Ok(StudyFileError {
                file: self.file.clone(),
                line: *line,
                problem: error.to_string(),
                hint: match error.hint.as_str() {
                    "" => format!(
                        "`mnist-study models --describe {}` shows the shapes of a model that fits",
                        self.file
                    ),
                    hint => hint.to_owned(),
                },
            }),
            _ => Err(error),
        }
    }

    /// The line that a layer stands on, by its position; none of a built-in model's.
    pub fn line_of(&self, position: &str) -> Option<usize> {
        self.lines.iter().find(|(other, line)| other == position && *line > 0).map(|(_, line)| *line)
    }

    /// Layers, those within residual ones counted.
    pub(super) fn layers(&self) -> usize {
        self.lines.len()
    }
}

/// One value that differs from what a model has: one of its variables, or a field of its recipe such as
/// `augmentation.rotation`.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Which.
    pub name: String,
    /// What it becomes.
    pub value: Value,
    /// Where that stands.
    pub line: usize,
}

/// A model whose variables are not yet replaced by their values.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelTemplate {
    /// Its name.
    pub name: String,
    pub(super) summary: String,
    pub(super) citation: String,
    /// Shared by all models that are like it.
    pub(super) layers: Arc<[LayerTemplate]>,
    pub(super) variables: Vec<(String, Value)>,
    /// The recipe's fields that are not the default.
    pub(super) recipe: Map<String, Value>,
    pub(super) expected_accuracy: Option<f64>,
    pub(super) file: String,
    /// Where it stands there, or is named.
    pub(super) line: usize,
}

/// A layer, or several, as written. A line of 0 is that of the model: where the layers are those of a built-in one, there is
/// no other in the user's file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LayerTemplate {
    Line { text: String, line: usize },
    Residual { body: Vec<LayerTemplate>, shortcut: Vec<LayerTemplate>, line: usize },
    Repeat { times: String, layers: Vec<LayerTemplate>, line: usize },
}

impl LayerTemplate {
    /// The same layers, standing nowhere.
    pub(super) fn without_lines(&self) -> Self {
        let all = |layers: &[Self]| layers.iter().map(Self::without_lines).collect();
        match self {
            Self::Line { text, .. } => Self::Line { text: text.clone(), line: 0 },
            Self::Residual { body, shortcut, .. } => {
                Self::Residual { body: all(body), shortcut: all(shortcut), line: 0 }
            }
            Self::Repeat { times, layers, .. } => {
                Self::Repeat { times: times.clone(), layers: all(layers), line: 0 }
            }
        }
    }
}

impl ModelTemplate {
    /// The model with some of its settings changed.
    ///
    /// # Errors
    /// When a setting is unknown or unusable, or a layer is not spelled as any is.
    pub fn make(&self, settings: &[Setting]) -> Result<ModelSpec, StudyFileError> {
        let (mut variables, mut recipe) = (self.variables.clone(), self.recipe.clone());
        for setting in settings {
            match variables.iter_mut().find(|(name, _)| *name == setting.name) {
                Some((_, value)) => *value = setting.value.clone(),
                None => {
                    set(&mut recipe, &setting.name, &setting.value);
                    self.checked_recipe(&recipe, setting)?;
                }
            }
        }
        // A text that a grid has put into a layer stands on the grid's line.
        let changed = settings.iter().rev().find(|setting| self.has_variable(&setting.name));
        let mut making = Making {
            template: self,
            variables: &variables,
            elsewhere: changed.map_or(self.line, |setting| setting.line),
            lines: Vec::new(),
            repetitions: 0,
            depth: 0,
        };
        let layers = making.layers(&self.layers, "", 0)?;
        let lines = making.lines;
        // Every setting has been checked; a file's own recipe as well.
        let whole = Setting { name: "recipe".into(), value: Value::Null, line: self.line };
        Ok(ModelSpec {
            architecture: Architecture {
                name: self.name.clone(),
                summary: self.summary.clone(),
                citation: self.citation.clone(),
                layers,
            },
            recipe: self.checked_recipe(&recipe, &whole)?,
            expected_accuracy: self.expected_accuracy.filter(|_| settings.is_empty()),
            file: self.file.clone(),
            lines,
        })
    }

    /// The values of its variables.
    pub fn variables(&self) -> &[(String, Value)] {
        &self.variables
    }

    fn has_variable(&self, name: &str) -> bool {
        self.variables.iter().any(|(variable, _)| variable == name)
    }

    fn error(&self, line: usize, problem: String, hint: String) -> StudyFileError {
        StudyFileError::new(&self.file, line, format!("model {}: {problem}", self.name), hint)
    }

    /// The recipe of these fields, of which `last` was set last.
    pub(super) fn checked_recipe(
        &self,
        recipe: &Map<String, Value>,
        last: &Setting,
    ) -> Result<Recipe, StudyFileError> {
        let variables: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_str()).collect();
        checked(recipe, &last.name, &variables)
            .map_err(|Wrong { problem, hint }| self.error(last.line, problem, hint))
    }
}

struct Making<'a> {
    template: &'a ModelTemplate,
    variables: &'a [(String, Value)],
    /// The line of what stands on none of its own.
    elsewhere: usize,
    lines: Vec<(String, usize)>,
    /// Of lists of layers, be there any in them or not.
    repetitions: usize,
    depth: usize,
}

impl Making<'_> {
    /// The layers, whose positions begin with `prefix` and are counted on from `before`.
    fn layers(
        &mut self,
        templates: &[LayerTemplate],
        prefix: &str,
        before: usize,
    ) -> Result<Vec<LayerSpec>, StudyFileError> {
        self.depth += 1;
        let mut layers = Vec::new();
        for template in templates {
            let (LayerTemplate::Line { line, .. }
            | LayerTemplate::Residual { line, .. }
            | LayerTemplate::Repeat { line, .. }) = template;
            let line = if *line == 0 { self.elsewhere } else { *line };
            let position = format!("{prefix}{}", before + layers.len() + 1);
            match template {
                LayerTemplate::Line { text, .. } => {
                    self.lines.push((position, line));
                    layers.push(self.line(text, line)?);
                }
                LayerTemplate::Residual { body, shortcut, .. } => {
                    let body = self.layers(body, &format!("{position}."), 0)?;
                    let shortcut = self.layers(shortcut, &format!("{position}.shortcut."), 0)?;
                    self.lines.push((position, line));
                    layers.push(LayerSpec::Residual { body, shortcut });
                }
                LayerTemplate::Repeat { times, layers: repeated, .. } => {
                    let text = self.replaced(times, line)?;
                    let count = text.parse().ok().filter(|count| (0..=LAYERS).contains(count));
                    let count: usize = count.ok_or_else(|| {
                        let problem = format!("repeat: 0 to {LAYERS} expected, `{text}` found");
                        self.template.error(line, problem, "write a whole number, or a variable".into())
                    })?;
                    for _ in 0..count {
                        self.repetitions += 1;
                        self.check_size(line)?;
                        layers.extend(self.layers(repeated, prefix, before + layers.len())?);
                    }
                }
            }
            self.check_size(line)?;
        }
        self.depth -= 1;
        Ok(layers)
    }

    /// Ends what would go on for ever: repetitions of nothing add no layer.
    fn check_size(&self, line: usize) -> Result<(), StudyFileError> {
        let problem = if self.lines.len() > LAYERS {
            format!("more than {LAYERS} layers")
        } else if self.repetitions > LAYERS {
            format!("more than {LAYERS} repetitions")
        } else if self.depth > LAYER_DEPTH {
            format!("layers nested deeper than {LAYER_DEPTH}")
        } else {
            return Ok(());
        };
        Err(self.template.error(line, problem, "write a smaller network".into()))
    }

    fn line(&self, text: &str, line: usize) -> Result<LayerSpec, StudyFileError> {
        let replaced = self.replaced(text, line)?;
        replaced.parse().map_err(|error: SpellingError| {
            self.template.error(line, error.to_string(), hints::for_layer(&error))
        })
    }

    /// The text with each `{variable}` replaced by its value.
    fn replaced(&self, text: &str, line: usize) -> Result<String, StudyFileError> {
        let (mut replaced, mut rest) = (String::with_capacity(text.len()), text);
        while let Some((before, after)) = rest.split_once('{') {
            let error = |problem, hint| Err(self.template.error(line, problem, hint));
            let Some((name, after)) = after.split_once('}') else {
                return error(format!("`{text}`: a closing brace expected"), "write {name}".into());
            };
            let Some((_, value)) = self.variables.iter().find(|(variable, _)| variable == name) else {
                let names = self.variables.iter().map(|(name, _)| name.as_str());
                let hint = match self.variables {
                    [] => format!("add `variables = {{ {name} = … }}` to the model"),
                    _ => choose(name, names),
                };
                return error(format!("`{text}`: no variable {name}"), hint);
            };
            replaced.push_str(before);
            match value {
                Value::String(text) => replaced.push_str(text),
                other => replaced.push_str(&other.to_string()),
            }
            rest = after;
        }
        replaced.push_str(rest);
        if replaced.chars().count() > LINE {
            let problem = format!("`{text}`: at most {LINE} characters expected with its variables replaced");
            return Err(self.template.error(line, problem, "shorten the variables' values".into()));
        }
        Ok(replaced)
    }
}
