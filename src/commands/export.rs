//! `export`: a saved model in other programs' formats.

use super::{instruction_set, weights::Saved};
use crate::{args::ExportArguments, failure::Failure, output};
use interchange::OnnxOptions;
use serde_json::json;
use std::path::Path;
use study::store::write_atomically;

/// One file that was written.
struct Written<'a> {
    path: &'a Path,
    what: &'static str,
    bytes: usize,
}

/// Loads, writes, says what was written.
pub(crate) fn run(arguments: &ExportArguments) -> Result<(), Failure> {
    let saved = Saved::read(&arguments.model, &arguments.dataset, arguments.output.quiet)?;
    let model = saved.model(instruction_set()?, 1)?;
    let mut written = Vec::new();
    if let Some(path) = &arguments.onnx {
        let options = OnnxOptions { softmax: arguments.softmax, quantisation: None };
        let bytes = interchange::onnx(&saved.description, &model, options);
        write_atomically(path, &bytes)?;
        written.push(Written { path, what: "ONNX", bytes: bytes.len() });
    }
    if let Some(path) = &arguments.pytorch {
        let text = interchange::pytorch_module(&saved.description, &model);
        write_atomically(path, text.as_bytes())?;
        written.push(Written { path, what: "PyTorch module", bytes: text.len() });
    }
    if written.is_empty() {
        return Err(Failure::usage(
            "no file to write was named",
            "pass one or more of --onnx FILE, --c-header FILE and --pytorch FILE",
        ));
    }
    if arguments.output.json {
        let files = written.iter().map(|file| {
            json!({ "file": file.path.display().to_string(), "format": file.what, "bytes": file.bytes })
        });
        let result = json!({ "model": saved.description.architecture, "files": files.collect::<Vec<_>>() });
        return output::result(&format!("{result:#}\n"));
    }
    let lines = written.iter().map(|file| {
        format!("{}: {}, {} bytes\n", file.path.display(), file.what, report::thousands(file.bytes as u64))
    });
    output::result(&lines.collect::<String>())
}
