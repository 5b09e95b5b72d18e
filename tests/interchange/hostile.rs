//! Names from files, through to what is exported: they are text there, and nothing else.

use crate::{
    c_header::{IMAGES, header, largest_difference, run},
    common::{MNIST, every_layer, logits, trained},
    onnx_runtime::{report, write_floats},
};
use interchange::{Arithmetic, Description, OnnxOptions, describe, encode, onnx, pytorch_module};
use nn::{Architecture, InstructionSet, Model};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// What would be statements, directives, ends of comments or escapes were it not quoted.
const TEXTS: &[&str] = &[
    "plain",
    "x\"\"\"\nopen(\"PWNED\",\"w\")\n\"\"\"y",
    "x\"\"\"; import os; \"\"\"y",
    "'''\nimport os\n'''",
    "ends in \\",
    "\\\"; import os #",
    "*/ int evil(void) { return 1; } /*",
    "// line \\\nint evil;",
    "\"; int evil = 1; \"",
    "??/\" ??= what??!",
    "#include <evil.h>",
    "INPUT WEIGHT SUM EPSILON NAME_",
    "NAME_dense",
    "EPSILON",
    "%s %n {0} ${x} $(x)",
    "\u{2028}\u{202e}\u{feff}ä 漢字 🙂",
    "\x1b]0;title\x07\r\t\x7f\u{85}",
    "\\N{BULLET} \\x41 \\101 \\u0041",
    "1",
    "_",
    "int",
];

/// A network of that name, whose classes have it too.
fn named(text: &str) -> (Description, Model<f32>) {
    let layers = ["flatten", "dense classes"].map(|layer| layer.parse().expect("a layer")).to_vec();
    let (summary, citation) = (String::new(), String::new());
    let architecture = Architecture { name: text.to_owned(), summary, citation, layers };
    let classes = (0..10).map(|class| format!("{text}{class}")).collect();
    let description = Description::of(&architecture, [28, 28], classes);
    let model = description.model(InstructionSet::detect(), 1).expect("it fits");
    (description, model)
}

/// What a program makes of its standard input.
fn piped(command: &mut Command, input: &[u8]) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program is there");
    child.stdin.take().expect("a pipe").write_all(input).expect("written");
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_network_s_name_is_printable() {
    let is_read = |text: &str| {
        let (description, model) = named(text);
        describe(&encode(&model, &description).expect("a file")).is_ok()
    };
    for text in TEXTS {
        let printable =
            !text.chars().any(|letter| letter.is_control() || "\u{2028}\u{202e}\u{feff}".contains(letter));
        assert_eq!(is_read(text), printable, "{text:?}");
    }
    assert!(!is_read("") && !is_read(&"x".repeat(201)) && is_read(&"x".repeat(199)));
}

#[test]
fn python_reads_every_name_as_a_docstring() {
    // The docstring, and the rest of the module as a tree.
    let script = "import ast, json, sys\ntree = ast.parse(sys.stdin.buffer.read())\n\
                  print(json.dumps([tree.body[0].value.value, [ast.dump(node) for node in tree.body[1:]]]))";
    let parsed = |text: &str| {
        let (description, model) = named(text);
        let module = pytorch_module(&description, &model);
        let output = piped(Command::new("python3").args(["-c", script]), module.as_bytes());
        assert!(output.status.success(), "{text:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
    };
    let plain = parsed("plain");
    for text in TEXTS {
        let found = parsed(text);
        let title = format!("`{text}`, written by mnist-study {}.", env!("CARGO_PKG_VERSION"));
        assert_eq!(found[0], title);
        assert_eq!(found[1], plain[1], "{text:?}");
    }
}

/// Compiles a program as strictly as the compiler can, and runs it.
fn compiled(folder: &Path, source: &str) -> Output {
    let program = folder.join("program");
    let arguments = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-x", "c", "-", "-lm", "-o"];
    let output = piped(Command::new("gcc").args(arguments).arg(&program), source.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Command::new(program).output().expect("it runs")
}

#[test]
fn c_reads_every_name_as_a_string() {
    let folder = TempDir::new().expect("a folder");
    for text in TEXTS {
        let (description, mut model) = named(text);
        let header = header(&description, &mut model, Arithmetic::Float32);
        let symbol = header.lines().find_map(|line| line.strip_prefix("/* ")?.split(',').next());
        let symbol = symbol.expect("a name").to_owned();
        assert!(symbol.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_'), "{symbol}");
        let upper = symbol.to_ascii_uppercase();
        let source = format!(
            "{header}
#include <stdio.h>
int main(void) {{
    static float workspace[{upper}_WORKSPACE], logits[{upper}_CLASSES];
    static uint8_t image[{upper}_HEIGHT * {upper}_WIDTH];
    for (int i = 0; i < {upper}_CLASSES; i++) fputs({symbol}_class_names[i], stdout);
    return {symbol}_classify(image, workspace, logits);
}}
"
        );
        let output = compiled(folder.path(), &source);
        assert_eq!(output.status.code(), Some(0), "{text:?}");
        assert_eq!(String::from_utf8(output.stdout).expect("text"), description.classes.concat());
    }
}

/// The same header twice is there once; another model of that name is an error, and not left out.
#[test]
fn c_refuses_two_models_of_one_name() {
    let (description, mut model) = named("net");
    let one = header(&description, &mut model, Arithmetic::Float32);
    model.parameters_mut()[0] += 1.0;
    let other = header(&description, &mut model, Arithmetic::Float32);
    assert_ne!(one, other);
    let check = |source: String| {
        piped(Command::new("gcc").args(["-x", "c", "-fsyntax-only", "-"]), source.as_bytes())
    };
    let twice = check(format!("{one}{one}"));
    assert!(twice.status.success(), "{}", String::from_utf8_lossy(&twice.stderr));
    let refused = check(format!("{one}{other}"));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("another model named net is included already"), "{said}");
}

#[test]
fn onnx_runtime_reads_every_name_as_metadata() {
    let folder = TempDir::new().expect("a folder");
    let pixels = &MNIST.test().images()[..28 * 28];
    fs::write(folder.path().join("images.u8"), pixels).expect("written");
    for (index, text) in TEXTS.iter().enumerate() {
        let (description, mut model) = named(text);
        let bytes = onnx(&description, &model, OnnxOptions::default());
        fs::write(folder.path().join(format!("{index}.onnx")), bytes).expect("written");
        write_floats(&folder.path().join(format!("{index}.f32")), &logits(&mut model, 1));
    }
    let report = report(folder.path(), &[]);
    for (index, text) in TEXTS.iter().enumerate() {
        let metadata = &report[index.to_string()]["metadata"];
        assert_eq!(metadata["architecture"], *text);
        let classes: Vec<String> =
            serde_json::from_str(metadata["classes"].as_str().expect("text")).expect("JSON");
        assert_eq!(classes, named(text).0.classes);
    }
}

#[test]
fn networks_named_as_words_of_the_header_work_in_c() {
    let folder = TempDir::new().expect("a folder");
    let names = ["INPUT", "WEIGHT", "SUM", "EPSILON", "VALUE", "NAME_", "NAME_lstm"];
    for (spec, name) in every_layer().into_iter().zip(names) {
        let (mut description, mut model) = trained(&spec, 3);
        description.architecture = name.to_owned();
        let header = header(&description, &mut model, Arithmetic::Float32);
        let found = run(folder.path(), name, &header);
        let difference = largest_difference(&found, &logits(&mut model, IMAGES));
        assert!(difference < 1e-4, "{name}: logits {difference} apart");
    }
}
