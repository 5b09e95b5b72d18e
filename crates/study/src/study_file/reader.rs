//! From a file's values to a study.

use super::{
    Content, MAXIMUM_MODELS, MAXIMUM_RUNS, ModelSpec, ModelTemplate, Node, Setting, StudyFile,
    StudyFileError, Target,
    model::{LayerTemplate, is_recipe_field, set},
};
use crate::{near::choose, record::Protocol};
use serde_json::{Map, Value};

/// The keys of a study file.
const STUDY_KEYS: [&str; 12] = [
    "title",
    "models",
    "dataset",
    "datasets",
    "protocol",
    "seeds",
    "seed",
    "audit_selection",
    "recipe",
    "grid",
    "target",
    "search",
];

/// The keys of a model, and of a table among its layers.
const MODEL_KEYS: [&str; 8] =
    ["summary", "citation", "like", "variables", "layers", "recipe", "grid", "expected_accuracy"];
const LAYER_KEYS: [&str; 4] = ["residual", "shortcut", "repeat", "layers"];

type Entries = [(String, Node)];

/// Reads one file.
pub(super) struct Reader<'a> {
    file: &'a str,
}

type Read<T> = Result<T, StudyFileError>;

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Self { file }
    }

    /// The models of a file that holds nothing else.
    pub(super) fn models(&self, text: &str) -> Read<Vec<ModelTemplate>> {
        let root = self.parse(text)?;
        let entries = self.table("the file", &root)?;
        self.known("the file", entries, &["model"])?;
        Ok(self.templates(entries, &[])?.into_iter().map(|(template, _)| template).collect())
    }

    /// A whole study, whose models may be built-in ones.
    pub(super) fn study(&self, text: &str, built_in: &[ModelTemplate]) -> Read<StudyFile> {
        let root = self.parse(text)?;
        let entries = self.table("the file", &root)?;
        let keys: Vec<&str> = STUDY_KEYS.into_iter().chain(["model"]).collect();
        self.known("a study", entries, &keys)?;
        let own = self.templates(entries, built_in)?;
        let chosen = self.chosen(entries, &own, built_in)?;
        let everywhere = self.settings(entries, "recipe")?;
        let shared_grid = self.grid(entries)?;
        let mut models: Vec<ModelSpec> = Vec::new();
        for (template, own_grid) in &chosen {
            let axes: Vec<&Axis> = own_grid.iter().chain(&shared_grid).collect();
            self.combine(template, &everywhere, &axes, &mut models)?;
        }
        Ok(StudyFile {
            title: self.get(entries, "title").map(|node| self.text("title", node)).transpose()?,
            models,
            templates: chosen.into_iter().map(|(template, _)| template).collect(),
            recipe: everywhere,
            datasets: self.datasets(entries)?,
            protocol: self.protocol(entries)?,
            runs: self.whole(entries, "seeds", 1..=MAXIMUM_RUNS)?.unwrap_or(3),
            first_seed: self.whole(entries, "seed", 0..=i64::MAX as u64)?.unwrap_or(0),
            audit_selection: self.truth(entries, "audit_selection")?.unwrap_or(false),
            target: self.target(entries)?,
            search: self
                .get(entries, "search")
                .map(|node| self.table("search", node))
                .transpose()?
                .map_or(Vec::new(), <[_]>::to_vec),
        })
    }

    fn parse(&self, text: &str) -> Read<Node> {
        Node::parse(text).map_err(|(line, problem)| self.error(line, problem, "a study file is TOML"))
    }

    fn error(&self, line: usize, problem: impl Into<String>, hint: impl Into<String>) -> StudyFileError {
        StudyFileError { file: self.file.to_owned(), line, problem: problem.into(), hint: hint.into() }
    }

    fn expected<T>(&self, what: &str, expected: &str, node: &Node) -> Read<T> {
        let found = match &node.content {
            Content::Plain(value) => value.to_string(),
            _ => node.kind().to_owned(),
        };
        Err(self.error(
            node.line,
            format!("{what}: {expected} expected, {found} found"),
            "docs/study-files.md says what each key may be",
        ))
    }

    fn get<'n>(&self, entries: &'n Entries, key: &str) -> Option<&'n Node> {
        entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    fn known(&self, what: &str, entries: &Entries, keys: &[&str]) -> Read<()> {
        match entries.iter().find(|(key, _)| !keys.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, node)) => Err(self.error(
                node.line,
                format!("{what} has no key `{key}`"),
                choose(key, keys.iter().copied()),
            )),
        }
    }

    fn table<'n>(&self, what: &str, node: &'n Node) -> Read<&'n Entries> {
        match &node.content {
            Content::Table(entries) => Ok(entries),
            _ => self.expected(what, "a table", node),
        }
    }

    fn list<'n>(&self, what: &str, node: &'n Node) -> Read<&'n [Node]> {
        match &node.content {
            Content::List(nodes) => Ok(nodes),
            _ => self.expected(what, "a list", node),
        }
    }

    fn text(&self, what: &str, node: &Node) -> Read<String> {
        match &node.content {
            Content::Plain(Value::String(text)) => Ok(text.clone()),
            _ => self.expected(what, "a text", node),
        }
    }

    fn truth(&self, entries: &Entries, key: &str) -> Read<Option<bool>> {
        match self.get(entries, key) {
            None => Ok(None),
            Some(Node { content: Content::Plain(Value::Bool(truth)), .. }) => Ok(Some(*truth)),
            Some(node) => self.expected(key, "true or false", node),
        }
    }

    fn whole(&self, entries: &Entries, key: &str, range: std::ops::RangeInclusive<u64>) -> Read<Option<u64>> {
        let Some(node) = self.get(entries, key) else { return Ok(None) };
        let number = match &node.content {
            Content::Plain(value) => value.as_u64().filter(|number| range.contains(number)),
            _ => None,
        };
        match number {
            Some(number) => Ok(Some(number)),
            None => {
                self.expected(key, &format!("a whole number of {} to {}", range.start(), range.end()), node)
            }
        }
    }

    fn datasets(&self, entries: &Entries) -> Read<Vec<String>> {
        match (self.get(entries, "dataset"), self.get(entries, "datasets")) {
            (Some(_), Some(node)) => Err(self.error(
                node.line,
                "either `dataset` or `datasets` expected, both found",
                "write one of them",
            )),
            (Some(node), None) => Ok(vec![self.text("dataset", node)?]),
            (None, Some(node)) => {
                let names: Vec<String> = self
                    .list("datasets", node)?
                    .iter()
                    .map(|node| self.text("datasets", node))
                    .collect::<Read<_>>()?;
                self.all_different("datasets", node.line, &names)?;
                if names.is_empty() {
                    self.expected("datasets", "a list of at least one", node)
                } else {
                    Ok(names)
                }
            }
            (None, None) => Ok(vec!["mnist".into()]),
        }
    }

    fn all_different(&self, what: &str, line: usize, names: &[String]) -> Read<()> {
        match names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
            None => Ok(()),
            Some((_, name)) => {
                Err(self.error(line, format!("{what}: {name} is named twice"), "name each once"))
            }
        }
    }

    fn protocol(&self, entries: &Entries) -> Read<Protocol> {
        let Some(node) = self.get(entries, "protocol") else { return Ok(Protocol::Sound) };
        match self.text("protocol", node)?.as_str() {
            "sound" => Ok(Protocol::Sound),
            "writers" => Ok(Protocol::Writers),
            "original" => Ok(Protocol::Original),
            _ => self.expected("protocol", "\"sound\", \"writers\" or \"original\"", node),
        }
    }

    fn target(&self, entries: &Entries) -> Read<Option<Target>> {
        let Some(node) = self.get(entries, "target") else { return Ok(None) };
        let target: Result<Target, _> = serde_json::from_value(node.to_json());
        let checked = target.map_err(|error| error.to_string()).and_then(Target::check);
        checked.map(Some).map_err(|problem| {
            self.error(
                node.line,
                format!("target: {problem}"),
                "write accuracy, and any of max_parameters, max_multiply_adds, max_epochs, max_train_seconds",
            )
        })
    }

    /// A table of settings, or nothing.
    fn settings(&self, entries: &Entries, key: &str) -> Read<Vec<Setting>> {
        let Some(node) = self.get(entries, key) else { return Ok(Vec::new()) };
        let setting = |(name, node): &(String, Node)| Setting {
            name: name.clone(),
            value: node.to_json(),
            line: node.line,
        };
        Ok(self.table(key, node)?.iter().map(setting).collect())
    }

    /// Each setting of a grid with its values.
    fn grid(&self, entries: &Entries) -> Read<Vec<Axis>> {
        let Some(node) = self.get(entries, "grid") else { return Ok(Vec::new()) };
        let axis = |(name, node): &(String, Node)| {
            let values: Vec<Value> =
                self.list(&format!("grid, {name}"), node)?.iter().map(Node::to_json).collect();
            if values.is_empty() {
                return self.expected(&format!("grid, {name}"), "a list of at least one", node);
            }
            Ok(Axis { name: name.clone(), values, line: node.line })
        };
        self.table("grid", node)?.iter().map(axis).collect()
    }

    /// The models that are compared, with their own grids: those named, else those of the file.
    fn chosen(
        &self,
        entries: &Entries,
        own: &[(ModelTemplate, Vec<Axis>)],
        built_in: &[ModelTemplate],
    ) -> Read<Vec<(ModelTemplate, Vec<Axis>)>> {
        let Some(node) = self.get(entries, "models") else {
            return if own.is_empty() {
                Err(self.error(
                    1,
                    "no model",
                    "name some with `models = [\"cnn\", …]`, or describe one under [model.NAME]",
                ))
            } else {
                Ok(own.to_vec())
            };
        };
        let names = self.list("models", node)?;
        let texts: Vec<String> = names.iter().map(|node| self.text("models", node)).collect::<Read<_>>()?;
        self.all_different("models", node.line, &texts)?;
        if names.is_empty() {
            return self.expected("models", "a list of at least one", node);
        }
        let chosen = names.iter().zip(&texts).map(|(node, name)| {
            let of_file = own.iter().find(|(template, _)| template.name == *name).cloned();
            let built_in_one = || built_in.iter().find(|template| template.name == *name).cloned();
            of_file.or_else(|| built_in_one().map(|template| (template, Vec::new()))).ok_or_else(|| {
                let known =
                    own.iter().map(|(template, _)| template).chain(built_in).map(|one| one.name.as_str());
                self.error(node.line, format!("model {name}: no such model"), choose(name, known))
            })
        });
        chosen.collect()
    }

    /// The tables `[model.NAME]`.
    fn templates(
        &self,
        entries: &Entries,
        built_in: &[ModelTemplate],
    ) -> Read<Vec<(ModelTemplate, Vec<Axis>)>> {
        let Some(node) = self.get(entries, "model") else { return Ok(Vec::new()) };
        let mut templates: Vec<(ModelTemplate, Vec<Axis>)> = Vec::new();
        for (name, node) in self.table("model", node)? {
            let known: Vec<&ModelTemplate> =
                templates.iter().map(|(template, _)| template).chain(built_in).collect();
            let template = self.template(name, node, &known)?;
            templates.push((template, self.grid(self.table(name, node)?)?));
        }
        Ok(templates)
    }

    fn template(&self, name: &str, node: &Node, known: &[&ModelTemplate]) -> Read<ModelTemplate> {
        let plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        if name.is_empty() || name.len() > 60 || !name.chars().all(plain) {
            return Err(self.error(
                node.line,
                format!("model `{name}`: a name of 1 to 60 letters, digits, -, _ and . expected"),
                "give it another name",
            ));
        }
        let entries = self.table(name, node)?;
        self.known(&format!("model {name}"), entries, &MODEL_KEYS)?;
        let mut template = match self.get(entries, "like") {
            Some(node) => {
                let like = self.text("like", node)?;
                let found = known.iter().find(|template| template.name == like);
                let found = found.ok_or_else(|| {
                    let names = known.iter().map(|template| template.name.as_str());
                    self.error(
                        node.line,
                        format!("model {name}: like {like}: no such model"),
                        choose(&like, names),
                    )
                })?;
                ModelTemplate { expected_accuracy: None, ..(*found).clone() }
            }
            None => ModelTemplate {
                name: String::new(),
                summary: String::new(),
                citation: String::new(),
                layers: Vec::new(),
                variables: Vec::new(),
                recipe: Map::new(),
                expected_accuracy: None,
                file: String::new(),
                line: 0,
            },
        };
        name.clone_into(&mut template.name);
        self.file.clone_into(&mut template.file);
        template.line = node.line;
        for (key, target) in [("summary", &mut template.summary), ("citation", &mut template.citation)] {
            if let Some(node) = self.get(entries, key) {
                *target = self.text(key, node)?;
            }
        }
        if let Some(node) = self.get(entries, "layers") {
            template.layers = self.layers(node)?;
        }
        if template.layers.is_empty() {
            return Err(self.error(
                node.line,
                format!("model {name}: no layers"),
                "write `layers = [\"conv 32 3x3\", \"relu\", …]`, or `like = \"cnn\"`",
            ));
        }
        self.variables(entries, &mut template)?;
        self.own_recipe(entries, &mut template)?;
        if let Some(node) = self.get(entries, "expected_accuracy") {
            let value = node.to_json().as_f64().filter(|accuracy| (0.0..=1.0).contains(accuracy));
            template.expected_accuracy = match value {
                Some(value) => Some(value),
                None => return self.expected("expected_accuracy", "a fraction of 0 to 1", node),
            };
        }
        // Whatever is wrong with it is told now, used or not.
        template.make(&[])?;
        Ok(template)
    }

    fn variables(&self, entries: &Entries, template: &mut ModelTemplate) -> Read<()> {
        let Some(node) = self.get(entries, "variables") else { return Ok(()) };
        for (name, node) in self.table("variables", node)? {
            let value = match &node.content {
                Content::Plain(value) => value.clone(),
                _ => return self.expected(&format!("variable {name}"), "a number or a text", node),
            };
            if is_recipe_field(name) {
                return Err(self.error(
                    node.line,
                    format!("variable {name}: a field of the recipe has that name"),
                    "give it another name",
                ));
            }
            match template.variables.iter_mut().find(|(variable, _)| variable == name) {
                Some((_, there)) => *there = value,
                None => template.variables.push((name.clone(), value)),
            }
            let written = format!("{{{name}}}");
            if !template.layers.iter().any(|layer| layer.holds(&written)) {
                return Err(self.error(
                    node.line,
                    format!("variable {name}: no layer of model {} has {written}", template.name),
                    "write it into a layer, or leave it out",
                ));
            }
        }
        Ok(())
    }

    fn own_recipe(&self, entries: &Entries, template: &mut ModelTemplate) -> Read<()> {
        for setting in self.settings(entries, "recipe")? {
            let mut recipe = template.recipe.clone();
            set(&mut recipe, &setting.name, &setting.value);
            template.checked_recipe(&recipe, setting.line)?;
            template.recipe = recipe;
        }
        Ok(())
    }

    fn layers(&self, node: &Node) -> Read<Vec<LayerTemplate>> {
        self.list("layers", node)?.iter().map(|node| self.layer(node)).collect()
    }

    fn layer(&self, node: &Node) -> Read<LayerTemplate> {
        let entries = match &node.content {
            Content::Plain(Value::String(text)) => {
                return Ok(LayerTemplate::Line { text: text.clone(), line: node.line });
            }
            Content::Table(entries) => entries,
            _ => return self.expected("a layer", "a text such as \"relu\", or a table", node),
        };
        self.known("a table among layers", entries, &LAYER_KEYS)?;
        let line = node.line;
        let part = |key: &str| self.get(entries, key).map(|node| self.layers(node)).transpose();
        match (part("residual")?, part("shortcut")?, self.get(entries, "repeat"), part("layers")?) {
            (Some(body), shortcut, None, None) => {
                Ok(LayerTemplate::Residual { body, shortcut: shortcut.unwrap_or_default(), line })
            }
            (None, None, Some(times), Some(layers)) => {
                let times = match &times.content {
                    Content::Plain(Value::String(text)) => text.clone(),
                    Content::Plain(value) => value.to_string(),
                    _ => return self.expected("repeat", "a whole number", times),
                };
                Ok(LayerTemplate::Repeat { times, layers, line })
            }
            _ => Err(self.error(
                line,
                "a table among layers: residual and perhaps shortcut, or repeat and layers expected",
                "write { residual = [\"conv 32 3x3 same\", …] } or { repeat = 3, layers = [\"relu\", …] }",
            )),
        }
    }

    /// Every combination of the axes' values.
    fn combine(
        &self,
        template: &ModelTemplate,
        everywhere: &[Setting],
        axes: &[&Axis],
        models: &mut Vec<ModelSpec>,
    ) -> Read<()> {
        let combinations =
            axes.iter().try_fold(1usize, |product, axis| product.checked_mul(axis.values.len()));
        let Some(combinations) = combinations.filter(|count| models.len() + count <= MAXIMUM_MODELS) else {
            let line = axes.last().map_or(template.line, |axis| axis.line);
            return Err(self.error(line, format!("more than {MAXIMUM_MODELS} models"), "shorten the grid"));
        };
        for combination in 0..combinations {
            let (mut settings, mut rest) = (everywhere.to_vec(), combination);
            let mut label = String::new();
            // The last axis changes fastest.
            for axis in axes.iter().rev() {
                let value = axis.values[rest % axis.values.len()].clone();
                rest /= axis.values.len();
                label = format!(" {}={}{label}", axis.name, plain(&value));
                settings.push(Setting { name: axis.name.clone(), value, line: axis.line });
            }
            let mut model = template.make(&settings)?;
            model.architecture.name.push_str(&label);
            models.push(model);
        }
        Ok(())
    }
}

/// A setting of a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    name: String,
    values: Vec<Value>,
    line: usize,
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl LayerTemplate {
    /// Whether a text stands in it.
    fn holds(&self, written: &str) -> bool {
        let any = |layers: &[Self]| layers.iter().any(|layer| layer.holds(written));
        match self {
            Self::Line { text, .. } => text.contains(written),
            Self::Residual { body, shortcut, .. } => any(body) || any(shortcut),
            Self::Repeat { times, layers, .. } => times.contains(written) || any(layers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn keys(schema: &Value, pointer: &str) -> BTreeSet<String> {
        let table = schema.pointer(pointer).and_then(Value::as_object);
        table.unwrap_or_else(|| panic!("the schema has no {pointer}")).keys().cloned().collect()
    }

    fn set_of(keys: &[&str]) -> BTreeSet<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    /// The schema for editors knows the keys, layers and fields that are read, and no others.
    #[test]
    fn the_schema_says_what_is_read() {
        let schema: Value =
            serde_json::from_str(include_str!("../../../../docs/study.schema.json")).expect("JSON");
        assert_eq!(keys(&schema, "/properties"), set_of(&[&STUDY_KEYS[..], &["model"]].concat()));
        assert_eq!(keys(&schema, "/$defs/model/properties"), set_of(&MODEL_KEYS));
        let layer = |index: usize| keys(&schema, &format!("/$defs/layers/items/oneOf/{index}/properties"));
        assert_eq!(&layer(1) | &layer(2), set_of(&LAYER_KEYS));
        let pattern = schema.pointer("/$defs/layers/items/oneOf/0/pattern").and_then(Value::as_str);
        let kinds: Vec<&str> = nn::LAYER_FORMS.iter().map(|form| form.kind).collect();
        assert_eq!(pattern, Some(format!(r"^\s*({})(\s|$)", kinds.join("|")).as_str()));
        for field in keys(&schema, "/$defs/recipe/properties") {
            assert!(is_recipe_field(&field), "a recipe has no field {field}");
        }
        assert!(!is_recipe_field("epochz"));
        let whole = train::Recipe {
            schedule: train::Schedule::Step { every_epochs: 1, factor: 0.5 },
            weight_decay: 0.1,
            label_smoothing: 0.1,
            gradient_clip: Some(1.0),
            average_decay: Some(0.9),
            early_stopping: Some(1),
            keep_best: true,
            test_time_augmentation: train::TestTimeAugmentation::FourShifts,
            augmentation: data::Augmentation { shift: 1.0, ..data::Augmentation::default() },
            ..train::Recipe::default()
        };
        let written = serde_json::to_value(&whole).expect("plain values");
        assert_eq!(keys(&written, ""), keys(&schema, "/$defs/recipe/properties"));
        let augmentation = keys(&schema, "/$defs/recipe/properties/augmentation/properties");
        for field in augmentation {
            let text = format!("{{\"{field}\": 2.0}}");
            assert!(serde_json::from_str::<data::Augmentation>(&text).is_ok(), "{field}");
        }
    }
}
