//! C as it is put together.

use std::{collections::BTreeSet, fmt::Write};

/// The constants of a network, the functions that it needs and the steps that call them.
pub(super) struct Code {
    /// What every name begins with.
    pub(super) name: String,
    pub(super) constants: String,
    pub(super) constant_bytes: usize,
    /// Those that the steps call.
    functions: BTreeSet<&'static str>,
    pub(super) steps: String,
}

impl Code {
    pub(super) fn new(name: String) -> Self {
        let functions = BTreeSet::new();
        Self { name, constants: String::new(), constant_bytes: 0, functions, steps: String::new() }
    }

    /// Adds a step.
    pub(super) fn call(&mut self, function: &'static str, arguments: &str) {
        self.functions.insert(function);
        let _ = writeln!(self.steps, "    {}_{function}({arguments});", self.name);
    }

    /// Adds a step after which, unless its function gives 0, nothing more is computed.
    pub(super) fn try_call(&mut self, function: &'static str, arguments: &str) {
        self.functions.insert(function);
        let _ = writeln!(self.steps, "    if ({}_{function}({arguments})) return -1;", self.name);
    }

    /// Adds a constant of values of so many bytes; its name.
    pub(super) fn constant(
        &mut self,
        kind: &str,
        bytes: usize,
        layer: &str,
        part: &str,
        values: &[String],
    ) -> String {
        self.constant_bytes += bytes * values.len();
        let name = self.constant_name(layer, part);
        self.constants.push_str(&array(kind, &name, values));
        name
    }

    /// The name of a layer's constant.
    pub(super) fn constant_name(&self, layer: &str, part: &str) -> String {
        format!("{}_{layer}_{}", self.name, part.replace('.', "_"))
    }

    /// Adds what `with_it` adds for a compiler that is told to call CMSIS-NN, in the place of what `without` does; the bytes are those
    /// without.
    pub(super) fn either(&mut self, with_it: impl FnOnce(&mut Self), without: impl FnOnce(&mut Self)) {
        let bytes = self.constant_bytes;
        let before = std::mem::take(&mut self.constants);
        with_it(self);
        self.constant_bytes = bytes;
        let with_it = std::mem::take(&mut self.constants);
        without(self);
        let without = std::mem::replace(&mut self.constants, before);
        self.constants.push_str(&if_cmsis_nn(&with_it, &without));
    }

    /// Takes the steps of the same network with CMSIS-NN beside its own.
    pub(super) fn or_with_cmsis_nn(&mut self, with_it: Self) {
        self.functions.extend(with_it.functions);
        self.steps = if_cmsis_nn(&with_it.steps, &self.steps);
    }

    pub(super) fn floats(&mut self, layer: &str, part: &str, values: &[f32]) -> String {
        let texts: Vec<String> = values.iter().map(|value| number(*value)).collect();
        self.constant("float", 4, layer, part, &texts)
    }

    pub(super) fn bytes(&mut self, layer: &str, part: &str, values: &[i8]) -> String {
        let texts: Vec<String> = values.iter().map(i8::to_string).collect();
        self.constant("int8_t", 1, layer, part, &texts)
    }

    /// Of `sections`, each behind a line with its name, the functions that the steps call, and those that they call; `words`
    /// are what stands for others in them.
    pub(super) fn support(&self, sections: &[&str], words: &[(&str, &str)]) -> String {
        let sections: Vec<(&str, &str)> = sections
            .iter()
            .flat_map(|text| text.split("/* ---- ").skip(1))
            .map(|section| {
                let end = section.find([' ', ':']).unwrap_or(section.len());
                (&section[..end], section)
            })
            .collect();
        let (mut called, mut kept) = (String::new(), Vec::new());
        // Callers stand below what they call.
        for (name, section) in sections.into_iter().rev() {
            if self.functions.contains(name) || called.contains(&format!("NAME_{name}(")) {
                called.push_str(section);
                kept.push(format!("/* {section}\n"));
            }
        }
        let text: String = kept.into_iter().rev().collect();
        let text = words.iter().fold(text, |text, (word, meaning)| text.replace(word, meaning));
        // The name last: it may be any word, these too.
        text.replace("NAME_", &format!("{}_", self.name))
    }
}

/// C for a compiler that is told to call CMSIS-NN, and for others.
pub(super) fn if_cmsis_nn(with_it: &str, without: &str) -> String {
    match without {
        "" => format!("#ifdef CMSIS_NN\n{with_it}#endif\n"),
        _ => format!("#ifdef CMSIS_NN\n{with_it}#else\n{without}#endif\n"),
    }
}

/// A constant array.
pub(super) fn array(kind: &str, name: &str, values: &[String]) -> String {
    let lines: String = values.chunks(16).map(|line| format!("    {},\n", line.join(", "))).collect();
    format!("static const {kind} {name}[{}] = {{\n{lines}}};\n", values.len())
}

/// The shortest text that C reads as this number; what is not finite by the names of `math.h`.
pub(super) fn number(value: f32) -> String {
    match value {
        _ if value.is_nan() => "NAN".to_owned(),
        f32::INFINITY => "INFINITY".to_owned(),
        f32::NEG_INFINITY => "-INFINITY".to_owned(),
        _ => format!("{value:e}f"),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_what_c_reads() {
        let numbers = [0.1, -1e-45, 0.0, f32::MAX, f32::INFINITY, -f32::INFINITY, f32::NAN];
        let texts = ["1e-1f", "-1e-45f", "0e0f", "3.4028235e38f", "INFINITY", "-INFINITY", "NAN"];
        assert_eq!(numbers.map(number), texts);
    }
}
