//! The engine of a page as a WebAssembly module.
//!
//! A page loads it into Web Workers. Each holds the data once ([`open`]) and then trains one run at a time ([`run`]); runs go side by side
//! in several workers, without shared memory. Nothing is computed here: this crate turns what JavaScript has into what the library takes,
//! and back. A run's record is the text that a results folder keeps, sealed, so that the program reports, verifies and merges it.
//!
//! Its bits are those of the program's portable kernels: both have vectors of four numbers and round products and sums apart.

mod engine;

pub use engine::{Engine, EngineError};

use js_sys::Function;
use std::{cell::RefCell, ops::ControlFlow};
use wasm_bindgen::prelude::*;

thread_local! {
    /// A worker has one.
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
    /// What hears the events of the run that is made. A training's listener may be asked from other threads where there are any, and
    /// what JavaScript hands over is of one thread: so it is not handed on but found here.
    static LISTENER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn complain(text: &str);
}

/// A panic ends the module with a trap that says nothing: its words go to the console before.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| complain(&panic.to_string())));
}

/// Takes MNIST's four original files, not compressed, and what the browser calls itself, which stands in the records in the place of a
/// processor; `workers` make runs side by side. Gives the data's identity as JSON.
///
/// # Errors
/// When a file is not as it was published.
#[wasm_bindgen]
pub fn open(
    training_images: Vec<u8>,
    training_labels: Vec<u8>,
    test_images: Vec<u8>,
    test_labels: Vec<u8>,
    agent: &str,
    workers: usize,
) -> Result<String, JsError> {
    let files = [training_images, training_labels, test_images, test_labels];
    let engine = Engine::open(files, agent, workers)?;
    let identity = engine.dataset();
    ENGINE.set(Some(engine));
    Ok(identity)
}

/// The runs of a study file's text, in the order in which they are made, as a JSON list of specifications.
///
/// # Errors
/// When the text is no study of this data: which line, what was expected, what was found and what to do.
#[wasm_bindgen]
pub fn plan(study: &str) -> Result<String, JsError> {
    with(|engine| engine.plan(study))
}

/// The text of the `plan.json` of a study file's text.
///
/// # Errors
/// As [`plan`].
#[wasm_bindgen]
pub fn plan_file(study: &str) -> Result<String, JsError> {
    with(|engine| engine.plan_file(study))
}

/// Makes the run of a specification in JSON, number `index` of `total`, and gives the text of its record, sealed. `post` hears every event
/// as JSON; where it answers `false` or throws, the run ends after its step.
///
/// # Errors
/// When the run cannot be made, or was ended. A training that diverges is a result: the text of its failure.
#[wasm_bindgen]
pub fn run(specification: &str, index: usize, total: usize, post: &Function) -> Result<String, JsError> {
    LISTENER.set(Some(post.clone()));
    let record = with(|engine| engine.run(specification, (index, total), &mut tell));
    LISTENER.set(None);
    record
}

/// The weights of the run that was made last, as a safetensors file.
///
/// # Errors
/// When there is none.
#[wasm_bindgen]
pub fn weights() -> Result<Vec<u8>, JsError> {
    with(|engine| engine.weights())
}

/// Tells the listener of an event.
fn tell(event: &str) -> ControlFlow<()> {
    LISTENER.with_borrow(|listener| {
        let answer =
            listener.as_ref().map(|listener| listener.call1(&JsValue::NULL, &JsValue::from_str(event)));
        match answer {
            Some(Ok(answer)) if answer != JsValue::FALSE => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    })
}

/// Asks this worker's engine.
fn with<R>(ask: impl FnOnce(&mut Engine) -> Result<R, EngineError>) -> Result<R, JsError> {
    ENGINE.with_borrow_mut(|engine| {
        let engine = engine.as_mut().ok_or(EngineError::NotOpen)?;
        Ok(ask(engine)?)
    })
}
