//! Fields of a recipe as a file has them: set one by one, checked, and told in words where they are wrong.

use super::hints;
use data::Augmentation;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use train::Recipe;

/// What is wrong with a recipe, and what to do.
pub(super) struct Wrong {
    pub(super) problem: String,
    pub(super) hint: String,
}

/// The recipe of these fields, of which `field` was set last; `others` may be meant by a field that there is none of.
pub(super) fn checked(fields: &Map<String, Value>, field: &str, others: &[&str]) -> Result<Recipe, Wrong> {
    let parsed: Recipe = serde_json::from_value(Value::Object(fields.clone()))
        .map_err(|error| in_words(&error.to_string(), field, others))?;
    match parsed.check() {
        Ok(()) => Ok(parsed),
        Err(error) => Err(Wrong { problem: error.to_string(), hint: "change the value on that line".into() }),
    }
}

/// What serde says, in the words of a study file.
fn in_words(problem: &str, field: &str, others: &[&str]) -> Wrong {
    let reference = "docs/reference/study-files.md says what each field of a recipe may be";
    let quoted: Vec<&str> = problem.split('`').skip(1).step_by(2).collect();
    // Of the list of all that there are, the hint names the near one.
    let begins = problem.split_once(", expected").map_or(problem, |(begins, _)| begins);
    if let (true, [found, known @ ..]) = (problem.starts_with("unknown field"), &quoted[..]) {
        let known: Vec<&str> = known.iter().chain(others).copied().collect();
        return Wrong { problem: begins.to_owned(), hint: hints::for_recipe_field(found, &known) };
    }
    if let (true, [found, known @ ..]) = (problem.starts_with("unknown variant"), &quoted[..]) {
        let problem = format!("{field}: unknown choice `{found}`");
        return Wrong { problem, hint: crate::suggest::choose(found, known.iter().copied()) };
    }
    if let (Some(missing), [name, ..]) = (problem.strip_prefix("missing field"), &quoted[..]) {
        let hint = match *name {
            "kind" => format!("write `{field} = {{ kind = \"…\", … }}`, or just its name"),
            name => format!("write `{field} = {{ kind = \"…\", {name} = …, … }}`"),
        };
        return Wrong { problem: format!("{field}: the constant{missing} is missing"), hint };
    }
    let Some((found, expected)) =
        problem.strip_prefix("invalid ").and_then(|rest| rest.split_once(": ")?.1.rsplit_once(", expected "))
    else {
        return Wrong { problem: format!("{field}: {problem}"), hint: reference.into() };
    };
    let expected = match expected {
        "usize" | "u32" | "u64" => "a whole number",
        "f64" => "a number",
        "a boolean" => "true or false",
        other => other,
    };
    let found = match found {
        "map" => "a table".to_owned(),
        "sequence" => "a list".to_owned(),
        plain => plain
            .trim_start_matches("integer ")
            .trim_start_matches("floating point ")
            .trim_start_matches("boolean ")
            .trim_start_matches("string ")
            .replace('`', ""),
    };
    let hint = match (expected, found.starts_with('"')) {
        ("a whole number" | "a number", true) => "write the number without quotes".into(),
        ("true or false", _) => format!("write `{field} = true` or `{field} = false`"),
        _ => reference.to_owned(),
    };
    Wrong { problem: format!("{field}: {expected} expected, {found} found"), hint }
}

/// Whether a recipe has a field of that name.
pub(super) fn is_recipe_field(name: &str) -> bool {
    is_field_of::<Recipe>(name)
}

/// Whether an augmentation has a field of that name.
pub(super) fn is_augmentation_field(name: &str) -> bool {
    is_field_of::<Augmentation>(name)
}

fn is_field_of<T: DeserializeOwned>(name: &str) -> bool {
    let mut fields = Map::new();
    fields.insert(name.to_owned(), Value::Null);
    let parsed: Result<T, _> = serde_json::from_value(Value::Object(fields));
    parsed.map_or_else(|error| !error.to_string().starts_with("unknown field"), |_| true)
}

/// Whether a table in the field of that dotted name is one value, not a group of fields that are set one by one.
pub(super) fn is_one_value(name: &str, has_kind: bool) -> bool {
    has_kind || name.rsplit('.').next() == Some("preparation")
}

/// Sets the field at a dotted path, making the tables on the way; a table joins the one that is there unless it is one value.
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
        (Some(Value::Object(there)), Value::Object(new)) if !is_one_value(path, new.contains_key("kind")) => {
            for (key, value) in new {
                set(there, key, value);
            }
        }
        _ => {
            fields.insert(path.to_owned(), value.clone());
        }
    }
}
