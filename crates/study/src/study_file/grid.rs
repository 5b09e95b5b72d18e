//! Grids: settings with several values each, every combination of which is a model.

use super::{
    ModelSpec, ModelTemplate, Node, Setting,
    limits::{ALL_LAYERS, FULL_NAME, MODELS, NAME, SETTINGS, VALUE, VALUES},
    reader::{Read, Reader},
    values::Entries,
};
use serde_json::Value;

/// A setting of a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) name: String,
    values: Vec<Value>,
    line: usize,
}

impl Reader<'_> {
    /// Each setting of a grid with its values.
    pub(super) fn grid(&self, entries: &Entries) -> Read<Vec<Axis>> {
        let Some(node) = self.get(entries, "grid") else { return Ok(Vec::new()) };
        self.short_table("grid", node, SETTINGS)?.iter().map(|(name, node)| self.axis(name, node)).collect()
    }

    fn axis(&self, name: &str, node: &Node) -> Read<Axis> {
        self.check_text("a setting's name", name, NAME, node.line)?;
        let what = format!("grid, {name}");
        let hint = || format!("write a list: {name} = [{}]", node.to_json());
        let nodes = self.list(&what, node, VALUES, hint)?;
        if nodes.is_empty() {
            return self.expected(&what, "a list of at least one", node);
        }
        let mut values: Vec<Value> = Vec::new();
        for node in nodes {
            let value = node.to_json();
            self.check_text(&what, &plain(&value), VALUE, node.line)?;
            if values.contains(&value) {
                let problem = format!("{what}: {} stands there twice", plain(&value));
                return Err(self.error(
                    node.line,
                    problem,
                    "name each value once; `seeds` sets the number of runs",
                ));
            }
            values.push(value);
        }
        Ok(Axis { name: name.to_owned(), values, line: node.line })
    }

    /// Adds every combination of the axes' values.
    pub(super) fn combine(
        &self,
        template: &ModelTemplate,
        everywhere: &[Setting],
        axes: &[&Axis],
        models: &mut Vec<ModelSpec>,
    ) -> Read<()> {
        let line = axes.last().map_or(template.line, |axis| axis.line);
        for (index, axis) in axes.iter().enumerate() {
            if axes[..index].iter().any(|other| other.name == axis.name) {
                let problem =
                    format!("grid, {}: model {} has it in a grid of its own", axis.name, template.name);
                return Err(self.error(axis.line, problem, "leave it out of one of the two"));
            }
        }
        let combinations =
            axes.iter().try_fold(1usize, |product, axis| product.checked_mul(axis.values.len()));
        let Some(combinations) = combinations.filter(|count| models.len() + count <= MODELS) else {
            return Err(self.error(line, format!("more than {MODELS} models"), "shorten the grid"));
        };
        let mut layers: usize = models.iter().map(ModelSpec::layers).sum();
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
            self.check_text("the name of a grid's model", &label, FULL_NAME - NAME, line)?;
            let mut model = template.make(&settings)?;
            model.architecture.name.push_str(&label);
            layers += model.layers();
            self.check_all_layers(layers, line)?;
            models.push(model);
        }
        Ok(())
    }

    pub(super) fn check_all_layers(&self, layers: usize, line: usize) -> Read<()> {
        if layers <= ALL_LAYERS {
            return Ok(());
        }
        let problem = format!("more than {ALL_LAYERS} layers in all models together");
        Err(self.error(line, problem, "divide the study into several files"))
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
