//! A model of a study file, and what its settings make of it.

use super::StudyFileError;
use crate::near::choose;
use nn::{Architecture, LayerSpec, ShapeError, SpellingError};
use serde_json::{Map, Value};
use train::Recipe;

/// Deepest nesting of residual and repeated layers.
const DEEPEST: usize = 16;

/// Most layers of a model, repetitions counted.
const MOST_LAYERS: usize = 2000;

/// A network and how it is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSpec {
    /// Name, layers, citation.
    pub architecture: Architecture,
    /// How it is trained, checked.
    pub recipe: Recipe,
    /// Mean test accuracy on MNIST that its recipe has reached, a fraction, where somebody has measured it.
    pub expected_accuracy: Option<f64>,
    /// The file that it stands in; empty for a built-in model.
    file: String,
    /// The line of each layer, by its position.
    lines: Vec<(String, usize)>,
}

impl ModelSpec {
    /// Where a layer that does not fit stands, where the model is from a file.
    pub fn locate(&self, error: ShapeError) -> Result<StudyFileError, ShapeError> {
        match self.lines.iter().find(|(position, _)| *position == error.position) {
            Some((_, line)) if !self.file.is_empty() => Ok(StudyFileError {
                file: self.file.clone(),
                line: *line,
                problem: error.to_string(),
                hint: format!(
                    "`mnist-study models --describe {}` shows the shapes of a model that fits",
                    self.file
                ),
            }),
            _ => Err(error),
        }
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
    pub(super) layers: Vec<LayerTemplate>,
    pub(super) variables: Vec<(String, Value)>,
    /// The recipe's fields that are not the default.
    pub(super) recipe: Map<String, Value>,
    pub(super) expected_accuracy: Option<f64>,
    pub(super) file: String,
    pub(super) line: usize,
}

/// A layer, or several, as written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LayerTemplate {
    Line { text: String, line: usize },
    Residual { body: Vec<LayerTemplate>, shortcut: Vec<LayerTemplate>, line: usize },
    Repeat { times: String, layers: Vec<LayerTemplate>, line: usize },
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
                    self.checked_recipe(&recipe, setting.line)?;
                }
            }
        }
        let mut making = Making { template: self, variables: &variables, lines: Vec::new(), depth: 0 };
        let layers = making.layers(&self.layers, "", 0)?;
        let lines = making.lines;
        Ok(ModelSpec {
            architecture: Architecture {
                name: self.name.clone(),
                summary: self.summary.clone(),
                citation: self.citation.clone(),
                layers,
            },
            recipe: self.checked_recipe(&recipe, self.line)?,
            expected_accuracy: self.expected_accuracy.filter(|_| settings.is_empty()),
            file: self.file.clone(),
            lines,
        })
    }

    /// The values of its variables.
    pub fn variables(&self) -> &[(String, Value)] {
        &self.variables
    }

    fn error(&self, line: usize, problem: String, hint: String) -> StudyFileError {
        StudyFileError {
            file: self.file.clone(),
            line,
            problem: format!("model {}: {problem}", self.name),
            hint,
        }
    }

    /// The recipe of these fields, of which those of `line` came last.
    pub(super) fn checked_recipe(
        &self,
        recipe: &Map<String, Value>,
        line: usize,
    ) -> Result<Recipe, StudyFileError> {
        let parsed: Recipe = serde_json::from_value(Value::Object(recipe.clone())).map_err(|error| {
            let problem = error.to_string();
            let hint = recipe_hint(&problem, self.variables.iter().map(|(name, _)| name.as_str()));
            self.error(line, problem, hint)
        })?;
        match parsed.check() {
            Ok(_) => Ok(parsed),
            Err(error) => Err(self.error(line, error.to_string(), "change the value on that line".into())),
        }
    }
}

/// From what serde says of a field that it does not know: the field, and those that it knows.
fn recipe_hint<'a>(problem: &'a str, variables: impl Iterator<Item = &'a str>) -> String {
    let mut quoted = problem.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(found) if problem.starts_with("unknown") => {
            let known: Vec<&str> = quoted.chain(variables).collect();
            choose(found, known.iter().copied())
        }
        _ => "docs/study-files.md says what each field of a recipe may be".into(),
    }
}

/// Whether a recipe has a field of that name.
pub(super) fn is_recipe_field(name: &str) -> bool {
    let mut fields = Map::new();
    fields.insert(name.to_owned(), Value::Null);
    let parsed: Result<Recipe, _> = serde_json::from_value(Value::Object(fields));
    parsed.map_or_else(|error| !error.to_string().starts_with("unknown field"), |_| true)
}

/// Sets the field at a dotted path, making the tables on the way; a table joins the one that is there unless it says what
/// kind it is.
pub(super) fn set(fields: &mut Map<String, Value>, path: &str, value: &Value) {
    if let Some((first, rest)) = path.split_once('.') {
        let inner = fields.entry(first).or_insert_with(|| Value::Object(Map::new()));
        if !inner.is_object() {
            // An optimiser or a schedule that was named: its constants stand beside its name.
            let kind = inner.as_str().map(|name| ("kind".to_owned(), Value::from(name)));
            *inner = Value::Object(kind.into_iter().collect());
        }
        if let Value::Object(inner) = inner {
            set(inner, rest, value);
        }
        return;
    }
    match (fields.get_mut(path), value) {
        (Some(Value::Object(there)), Value::Object(new)) if !new.contains_key("kind") => {
            for (key, value) in new {
                set(there, key, value);
            }
        }
        _ => {
            fields.insert(path.to_owned(), value.clone());
        }
    }
}

struct Making<'a> {
    template: &'a ModelTemplate,
    variables: &'a [(String, Value)],
    lines: Vec<(String, usize)>,
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
            let position = format!("{prefix}{}", before + layers.len() + 1);
            match template {
                LayerTemplate::Line { text, line } => {
                    self.lines.push((position, *line));
                    layers.push(self.line(text, *line)?);
                }
                LayerTemplate::Residual { body, shortcut, line } => {
                    let body = self.layers(body, &format!("{position}."), 0)?;
                    let shortcut = self.layers(shortcut, &format!("{position}.shortcut."), 0)?;
                    self.lines.push((position, *line));
                    layers.push(LayerSpec::Residual { body, shortcut });
                }
                LayerTemplate::Repeat { times, layers: repeated, line } => {
                    let text = self.replaced(times, *line)?;
                    let count = text.parse().ok().filter(|count| (0..=MOST_LAYERS).contains(count));
                    let count: usize = count.ok_or_else(|| {
                        let problem = format!("repeat: 0 to {MOST_LAYERS} expected, `{text}` found");
                        self.template.error(*line, problem, "write a whole number, or a variable".into())
                    })?;
                    for _ in 0..count {
                        layers.extend(self.layers(repeated, prefix, before + layers.len())?);
                    }
                }
            }
            if self.lines.len() > MOST_LAYERS || self.depth > DEEPEST {
                let line = self.lines.last().map_or(self.template.line, |(_, line)| *line);
                let problem = format!("more than {MOST_LAYERS} layers, or nested deeper than {DEEPEST}");
                return Err(self.template.error(line, problem, "write a smaller network".into()));
            }
        }
        self.depth -= 1;
        Ok(layers)
    }

    fn line(&self, text: &str, line: usize) -> Result<LayerSpec, StudyFileError> {
        let replaced = self.replaced(text, line)?;
        replaced.parse().map_err(|error: SpellingError| {
            let kinds = nn::LAYER_FORMS.iter().map(|form| form.kind);
            let hint = match &error.unknown_kind {
                Some(kind) => choose(kind, kinds),
                None => "`mnist-study models --layers` lists how every layer is spelled".into(),
            };
            self.template.error(line, error.to_string(), hint)
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
        Ok(replaced)
    }
}
