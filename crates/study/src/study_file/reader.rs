//! From a file's values to a study.

use super::{
    Content, MAXIMUM_RUNS, ModelSpec, ModelTemplate, Node, Setting, StudyFile, StudyFileError,
    grid::Axis,
    hints::Place,
    limits::{DATASETS, LAYERS, LINE, MODELS, NAME, PATH, SETTINGS, TEXT, TITLE, VALUE, VALUES, VARIABLES},
    model::LayerTemplate,
    recipe_fields::{is_one_value, is_recipe_field, set},
    values::Entries,
};
use crate::plan::{CrossValidation, MAXIMUM_FOLDS};
use crate::suggest::choose;
use records::question::Measure;
use records::record::{Protocol, Resample};
use records::target::Target;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The keys of a study file.
pub(super) const STUDY_KEYS: [&str; 17] = [
    "title",
    "models",
    "dataset",
    "datasets",
    "protocol",
    "seeds",
    "seed",
    "audit_selection",
    "resample",
    "folds",
    "repeats",
    "recipe",
    "grid",
    "target",
    "decide_by",
    "equivalence_margin",
    "search",
];

/// The keys of a model, of a table among its layers, and of a target.
pub(super) const MODEL_KEYS: [&str; 8] =
    ["summary", "citation", "like", "variables", "layers", "recipe", "grid", "expected_accuracy"];
const LAYER_KEYS: [&str; 4] = ["residual", "shortcut", "repeat", "layers"];
pub(super) const TARGET_KEYS: [&str; 7] = [
    "accuracy",
    "max_parameters",
    "max_multiply_adds",
    "max_ram_bytes",
    "max_flash_bytes",
    "max_epochs",
    "max_train_seconds",
];

/// Reads one file.
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
}

pub(super) type Read<T> = Result<T, StudyFileError>;

/// A model of a file with the grid that is its own.
type Own = (ModelTemplate, Vec<Axis>);

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Self { file }
    }

    /// The models of a file that holds nothing else.
    pub(super) fn models(&self, text: &str) -> Read<Vec<ModelTemplate>> {
        let root = self.parse(text)?;
        let entries = self.table("the file", &root)?;
        self.known(Place::File, entries, &["model"])?;
        Ok(self.templates(entries, &[])?.into_iter().map(|(template, _)| template).collect())
    }

    /// A whole study, whose models may be built-in ones.
    pub(super) fn study(&self, text: &str, built_in: &[ModelTemplate]) -> Read<StudyFile> {
        let root = self.parse(text)?;
        let entries = self.table("the file", &root)?;
        let keys: Vec<&str> = STUDY_KEYS.into_iter().chain(["model"]).collect();
        self.known(Place::Study, entries, &keys)?;
        let own = self.templates(entries, built_in)?;
        let chosen = self.chosen(entries, &own, built_in)?;
        let everywhere = self.settings(entries, "recipe")?;
        let shared_grid = self.grid(entries)?;
        let mut models: Vec<ModelSpec> = Vec::new();
        for (template, own_grid) in &chosen {
            let axes: Vec<&Axis> = own_grid.iter().chain(&shared_grid).collect();
            self.combine(template, &everywhere, &axes, &mut models)?;
        }
        let grids = chosen.iter().flat_map(|(_, grid)| grid).chain(&shared_grid);
        Ok(StudyFile {
            title: self.get(entries, "title").map(|node| self.text("title", node, TITLE)).transpose()?,
            models,
            varied: grids.map(|axis| axis.name.clone()).collect(),
            given: entries.iter().map(|(key, _)| key.clone()).collect(),
            templates: chosen.into_iter().map(|(template, _)| template).collect(),
            recipe: everywhere,
            datasets: self.datasets(entries)?,
            protocol: self.protocol(entries)?,
            runs: self.whole(entries, "seeds", 1..=MAXIMUM_RUNS)?.unwrap_or(3),
            first_seed: self.whole(entries, "seed", 0..=i64::MAX as u64)?.unwrap_or(0),
            audit_selection: self.truth(entries, "audit_selection")?.unwrap_or(false),
            resample: self.resample(entries)?,
            cross_validation: self.cross_validation(entries)?,
            target: self.target(entries)?,
            decide_by: self.decide_by(entries)?,
            equivalence_margin_points: self.equivalence_margin_points(entries)?,
            search: self.search(entries)?,
        })
    }

    fn parse(&self, text: &str) -> Read<Node> {
        Node::parse(text).map_err(|(line, problem)| self.error(line, problem, "a study file is TOML"))
    }

    fn datasets(&self, entries: &Entries) -> Read<Vec<String>> {
        match (self.get(entries, "dataset"), self.get(entries, "datasets")) {
            (Some(_), Some(node)) => Err(self.error(
                node.line,
                "either `dataset` or `datasets` expected, both found",
                "write one of them",
            )),
            (Some(node @ Node { content: Content::List(_), .. }), None) => {
                self.expected_else("dataset", "a text", node, "write several as `datasets = [\"mnist\", …]`")
            }
            (Some(node), None) => Ok(vec![self.text("dataset", node, PATH)?]),
            (None, Some(node)) => {
                let hint =
                    || "write one as `dataset = \"mnist\"`, several as `datasets = [\"mnist\", …]`".into();
                let names: Vec<String> = self
                    .list("datasets", node, DATASETS, hint)?
                    .iter()
                    .map(|node| self.text("datasets", node, PATH))
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

    fn protocol(&self, entries: &Entries) -> Read<Protocol> {
        let Some(node) = self.get(entries, "protocol") else { return Ok(Protocol::Sound) };
        match self.text("protocol", node, VALUE)?.as_str() {
            "sound" => Ok(Protocol::Sound),
            "writers" => Ok(Protocol::Writers),
            "original" => Ok(Protocol::Original),
            _ => self.expected("protocol", "\"sound\", \"writers\" or \"original\"", node),
        }
    }

    fn resample(&self, entries: &Entries) -> Read<Resample> {
        let Some(node) = self.get(entries, "resample") else { return Ok(Resample::None) };
        let name = self.text("resample", node, VALUE)?;
        let known = [Resample::None, Resample::Split, Resample::Bootstrap];
        match known.into_iter().find(|resample| resample.name() == name) {
            Some(resample) => Ok(resample),
            None => self.expected("resample", "\"none\", \"split\" or \"bootstrap\"", node),
        }
    }

    fn cross_validation(&self, entries: &Entries) -> Read<Option<CrossValidation>> {
        let folds = self.whole(entries, "folds", 2..=MAXIMUM_FOLDS as u64)?;
        let repeats = self.whole(entries, "repeats", 1..=1000)?;
        let node = |key| self.get(entries, key).expect("it has been read");
        match (folds, repeats) {
            (Some(_), _) if self.get(entries, "seeds").is_some() => Err(self.error(
                node("folds").line,
                "either `seeds` or `folds` expected, both found",
                "write one of them: a cross-validation has folds × repeats runs of each model",
            )),
            (Some(folds), repeats) => {
                Ok(Some(CrossValidation { folds: folds as usize, repeats: repeats.unwrap_or(1) as usize }))
            }
            (None, Some(_)) => Err(self.error(
                node("repeats").line,
                "`folds` expected beside `repeats`, not found",
                "write `folds = 5`, or leave `repeats` out",
            )),
            (None, None) => Ok(None),
        }
    }

    fn decide_by(&self, entries: &Entries) -> Read<Measure> {
        let Some(node) = self.get(entries, "decide_by") else { return Ok(Measure::default()) };
        let name = self.text("decide_by", node, VALUE)?;
        match Measure::ALL.into_iter().find(|measure| measure.name() == name) {
            Some(measure) => Ok(measure),
            None => self.expected(
                "decide_by",
                "\"accuracy\", \"balanced-accuracy\", \"macro-f1\" or \"log-loss\"",
                node,
            ),
        }
    }

    fn target(&self, entries: &Entries) -> Read<Option<Target>> {
        let Some(node) = self.get(entries, "target") else { return Ok(None) };
        self.known(Place::Target, self.table("target", node)?, &TARGET_KEYS)?;
        let target: Result<Target, _> = serde_json::from_value(node.to_json());
        let checked = target.map_err(|error| error.to_string()).and_then(Target::check);
        checked.map(Some).map_err(|problem| {
            self.error(
                node.line,
                format!("target: {problem}"),
                "write accuracy, a fraction such as 0.99, and any of max_parameters, max_multiply_adds, max_ram_bytes, \
                 max_flash_bytes, max_epochs, max_train_seconds",
            )
        })
    }

    fn equivalence_margin_points(&self, entries: &Entries) -> Read<Option<f64>> {
        let Some(node) = self.get(entries, "equivalence_margin") else { return Ok(None) };
        let points = match &node.content {
            Content::Plain(value) => value.as_f64().filter(|points| (0.001..100.0).contains(points)),
            _ => None,
        };
        match points {
            Some(points) => Ok(Some(points)),
            None => self.expected_else(
                "equivalence_margin",
                "a number of 0.001 to below 100",
                node,
                "write percentage points (of log-loss nats): `equivalence_margin = 0.1`",
            ),
        }
    }

    /// A table of settings, or nothing. Those of a table within it go by dotted names, so that each has its own line, unless
    /// the table is one value: an optimiser's or a schedule's constants are checked together, as are a preparation's lists.
    fn settings(&self, entries: &Entries, key: &str) -> Read<Vec<Setting>> {
        let mut settings = Vec::new();
        if let Some(node) = self.get(entries, key) {
            self.collect("", self.table(key, node)?, &mut settings)?;
        }
        Ok(settings)
    }

    fn collect(&self, prefix: &str, entries: &Entries, settings: &mut Vec<Setting>) -> Read<()> {
        for (name, node) in entries {
            let name = format!("{prefix}{name}");
            self.check_text("a setting's name", &name, NAME, node.line)?;
            match &node.content {
                Content::Table(inner)
                    if !inner.is_empty() && !is_one_value(&name, self.get(inner, "kind").is_some()) =>
                {
                    self.collect(&format!("{name}."), inner, settings)?;
                }
                _ => settings.push(Setting { name, value: node.to_json(), line: node.line }),
            }
        }
        Ok(())
    }

    /// What a search may change: as it stands, but with names and lists that are short enough.
    fn search(&self, entries: &Entries) -> Read<Vec<(String, Node)>> {
        let Some(node) = self.get(entries, "search") else { return Ok(Vec::new()) };
        let entries = self.short_table("search", node, SETTINGS)?;
        self.check_search(entries)?;
        Ok(entries.to_vec())
    }

    fn check_search(&self, entries: &Entries) -> Read<()> {
        for (name, node) in entries {
            self.check_text("a setting's name", name, NAME, node.line)?;
            let what = format!("search, {name}");
            match &node.content {
                Content::Table(inner) => {
                    self.check_search(self.short_table(&what, node, SETTINGS).map(|_| inner)?)?
                }
                Content::List(values) => {
                    self.at_most(&what, values.len(), VALUES, node.line)?;
                    for value in values {
                        let text = value.to_json().to_string();
                        self.check_text(&what, &text, VALUE, value.line)?;
                    }
                }
                Content::Plain(_) => {}
            }
        }
        Ok(())
    }

    /// The models that are compared, with their own grids: those named, else those of the file.
    fn chosen(&self, entries: &Entries, own: &[Own], built_in: &[ModelTemplate]) -> Read<Vec<Own>> {
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
        if let Content::Table(_) = node.content {
            return self.expected_else(
                "models",
                "a list",
                node,
                "describe each model under [model.NAME], without an s",
            );
        }
        let hint = || format!("write a list: models = [{}]", node.to_json());
        let names = self.list("models", node, MODELS, hint)?;
        let texts: Vec<String> =
            names.iter().map(|node| self.text("models", node, NAME)).collect::<Read<_>>()?;
        self.all_different("models", node.line, &texts)?;
        if names.is_empty() {
            return self.expected("models", "a list of at least one", node);
        }
        let chosen = names.iter().zip(&texts).map(|(node, name)| {
            let of_file = own.iter().find(|(template, _)| template.name == *name).cloned();
            // What does not fit of a built-in model is told where the file names it.
            let built_in_one = || {
                let template = built_in.iter().find(|template| template.name == *name)?.clone();
                Some(ModelTemplate { file: self.file.to_owned(), line: node.line, ..template })
            };
            of_file.or_else(|| built_in_one().map(|template| (template, Vec::new()))).ok_or_else(|| {
                let known =
                    own.iter().map(|(template, _)| template).chain(built_in).map(|one| one.name.as_str());
                self.error(node.line, format!("model {name}: no such model"), choose(name, known))
            })
        });
        chosen.collect()
    }

    /// The tables `[model.NAME]`.
    fn templates(&self, entries: &Entries, built_in: &[ModelTemplate]) -> Read<Vec<Own>> {
        let Some(node) = self.get(entries, "model") else { return Ok(Vec::new()) };
        let tables = match &node.content {
            Content::Table(_) => self.short_table("model", node, MODELS)?,
            Content::Plain(_) => {
                let hint = format!("write `models = [{}]` to name models", node.to_json());
                return self.expected_else("model", "tables [model.NAME]", node, hint);
            }
            Content::List(_) => {
                let hint =
                    "write [model.NAME] with a name for each, or `models = [\"cnn\", …]` to name models";
                return self.expected_else("model", "tables [model.NAME]", node, hint);
            }
        };
        let mut templates: Vec<Own> = Vec::new();
        let mut layers = 0;
        for (name, node) in tables {
            let template = self.template(name, node, &templates, built_in)?;
            // Whatever is wrong with it is told now, used or not.
            layers += template.make(&[])?.layers();
            self.check_all_layers(layers, node.line)?;
            templates.push((template, self.grid(self.table(name, node)?)?));
        }
        Ok(templates)
    }

    fn template(
        &self,
        name: &str,
        node: &Node,
        before: &[Own],
        built_in: &[ModelTemplate],
    ) -> Read<ModelTemplate> {
        let plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        if name.is_empty() || name.len() > NAME || !name.chars().all(plain) {
            return Err(self.error(
                node.line,
                format!("model `{name}`: a name of 1 to {NAME} letters, digits, -, _ and . expected"),
                "give it another name",
            ));
        }
        let Content::Table(entries) = &node.content else {
            let hint = format!("describe it under [model.{name}], with `layers = […]` or `like = \"cnn\"`");
            return self.expected_else(&format!("model {name}"), "a table", node, hint);
        };
        self.known(Place::Model(name), entries, &MODEL_KEYS)?;
        let mut template = match self.get(entries, "like") {
            Some(node) => {
                let like = self.text("like", node, NAME)?;
                let known = || before.iter().map(|(template, _)| template).chain(built_in);
                let found = known().find(|template| template.name == like).ok_or_else(|| {
                    self.error(
                        node.line,
                        format!("model {name}: like {like}: no such model"),
                        choose(&like, known().map(|template| template.name.as_str())),
                    )
                })?;
                ModelTemplate { expected_accuracy: None, ..found.clone() }
            }
            None => ModelTemplate {
                name: String::new(),
                summary: String::new(),
                citation: String::new(),
                layers: [].into(),
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
                *target = self.text(key, node, TEXT)?;
            }
        }
        if let Some(node) = self.get(entries, "layers") {
            template.layers = self.layers(node)?.into();
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
        Ok(template)
    }

    fn variables(&self, entries: &Entries, template: &mut ModelTemplate) -> Read<()> {
        let Some(node) = self.get(entries, "variables") else { return Ok(()) };
        let mut written = HashSet::new();
        template.layers.iter().for_each(|layer| layer.variables(&mut written));
        for (name, node) in self.table("variables", node)? {
            self.check_text("a variable's name", name, NAME, node.line)?;
            let value = match &node.content {
                Content::Plain(value) => value.clone(),
                _ => return self.expected(&format!("variable {name}"), "a number or a text", node),
            };
            if let Value::String(text) = &value {
                self.check_text(&format!("variable {name}"), text, VALUE, node.line)?;
            }
            if is_recipe_field(name) {
                return Err(self.error(
                    node.line,
                    format!("variable {name}: a field of the recipe has that name"),
                    "give it another name",
                ));
            }
            if !written.contains(name.as_str()) {
                return Err(self.error(
                    node.line,
                    format!("variable {name}: no layer of model {} has {{{name}}}", template.name),
                    "write it into a layer, or leave it out",
                ));
            }
            match template.variables.iter_mut().find(|(variable, _)| variable == name) {
                Some((_, there)) => *there = value,
                None => template.variables.push((name.clone(), value)),
            }
            self.at_most("variables", template.variables.len(), VARIABLES, node.line)?;
        }
        Ok(())
    }

    fn own_recipe(&self, entries: &Entries, template: &mut ModelTemplate) -> Read<()> {
        for setting in self.settings(entries, "recipe")? {
            set(&mut template.recipe, &setting.name, &setting.value);
            template.checked_recipe(&template.recipe, &setting)?;
        }
        Ok(())
    }

    fn layers(&self, node: &Node) -> Read<Vec<LayerTemplate>> {
        let hint = || "write a list of layers: layers = [\"flatten\", \"dense classes\"]".into();
        self.list("layers", node, LAYERS, hint)?.iter().map(|node| self.layer(node)).collect()
    }

    fn layer(&self, node: &Node) -> Read<LayerTemplate> {
        let entries = match &node.content {
            Content::Plain(Value::String(text)) => {
                self.check_text("a layer", text, LINE, node.line)?;
                return Ok(LayerTemplate::Line { text: text.clone(), line: node.line });
            }
            Content::Table(entries) => entries,
            _ => return self.expected("a layer", "a text such as \"relu\", or a table", node),
        };
        self.known(Place::Layers, entries, &LAYER_KEYS)?;
        let line = node.line;
        let part = |key: &str| self.get(entries, key).map(|node| self.layers(node)).transpose();
        match (part("residual")?, part("shortcut")?, self.get(entries, "repeat"), part("layers")?) {
            (Some(body), shortcut, None, None) => {
                Ok(LayerTemplate::Residual { body, shortcut: shortcut.unwrap_or_default(), line })
            }
            (None, None, Some(times), Some(layers)) => {
                let times = match &times.content {
                    Content::Plain(Value::String(_)) => self.text("repeat", times, LINE)?,
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
}

impl LayerTemplate {
    /// Adds the names of the variables that stand in it.
    fn variables<'l>(&'l self, names: &mut HashSet<&'l str>) {
        let mut of_text = |text: &'l str| {
            names.extend(
                text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name),
            );
        };
        match self {
            Self::Line { text, .. } => of_text(text),
            Self::Residual { body, shortcut, .. } => {
                body.iter().chain(shortcut).for_each(|layer| layer.variables(names));
            }
            Self::Repeat { times, layers, .. } => {
                of_text(times);
                layers.iter().for_each(|layer| layer.variables(names));
            }
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
        assert_eq!(keys(&schema, "/properties/target/properties"), set_of(&TARGET_KEYS));
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
            class_weights: train::ClassWeights::Balanced,
            preparation: nn::PreparationSpec::Standardise,
            training_images: Some(1),
            shuffled_labels: 0.5,
            precision: train::Precision::Bf16,
            ..train::Recipe::default()
        };
        let written = serde_json::to_value(&whole).expect("plain values");
        assert_eq!(keys(&written, ""), keys(&schema, "/$defs/recipe/properties"));
        let augmentation = keys(&schema, "/$defs/recipe/properties/augmentation/properties");
        for field in &augmentation {
            let text = format!("{{\"{field}\": 2}}");
            assert!(serde_json::from_str::<data::Augmentation>(&text).is_ok(), "{field}");
        }
        let unknown =
            serde_json::from_str::<data::Augmentation>("{\"x\": 2}").expect_err("no such field").to_string();
        let there: Vec<&str> = unknown.split('`').skip(3).step_by(2).collect();
        assert_eq!(augmentation, set_of(&there));
    }
}
