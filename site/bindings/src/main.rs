//! bindings MODULE.wasm FOLDER: makes of a module that `wasm-bindgen` prepared the module and the JavaScript that a page loads.

use std::{env, error::Error};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, folder] = &arguments[..] else { return Err("MODULE.wasm FOLDER expected".into()) };
    Bindgen::new()
        .input_path(module)
        .out_name("module")
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)?;
    Ok(())
}
