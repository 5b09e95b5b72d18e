//! The engine of a page as a WebAssembly module.
//!
//! A page loads it into Web Workers. Each holds the data once ([`open`]) and then trains one run at a time ([`run`]); runs go side by side
//! in several workers, without shared memory. Nothing is computed here: this crate turns what JavaScript has into what the library takes,
//! and back. A run's record is the text that a results folder keeps, sealed, so that the program reports, verifies and merges it.
//!
//! Its bits are those of the program's portable kernels: both have vectors of four numbers and round products and sums apart.

mod engine;
mod sets;

pub use engine::{Engine, EngineError, Showing};

use js_sys::{Float32Array, Function};
use page::{Desk, Problem};
use records::{
    event::Event,
    record::{FailedRun, RunRecord},
};
use serde_json::{Value, json};
use std::{cell::RefCell, ops::ControlFlow};
use wasm_bindgen::prelude::*;

thread_local! {
    /// A worker has one.
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
    /// What hears the events of the run that is made. A training's listener may be asked from other threads where there are any, and
    /// what JavaScript hands over is of one thread: so it is not handed on but found here.
    static LISTENER: RefCell<Option<Function>> = const { RefCell::new(None) };
    /// What sees the weights of the run that is made.
    static VIEWER: RefCell<Option<Function>> = const { RefCell::new(None) };
    /// A page's worker that answers questions has one.
    static DESK: RefCell<Option<Desk>> = const { RefCell::new(None) };
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
/// as JSON; where it answers `false` or throws, the run ends after its step. `show` sees what was learnt, some times a second and at the
/// end: the epoch, the step, the weights, and whether they are the last.
///
/// # Errors
/// When the run cannot be made, or was ended. A training that diverges is a result: the text of its failure.
#[wasm_bindgen]
pub fn run(
    specification: &str,
    index: usize,
    total: usize,
    post: &Function,
    show: &Function,
) -> Result<String, JsError> {
    LISTENER.set(Some(post.clone()));
    VIEWER.set(Some(show.clone()));
    let record = with(|engine| engine.run(specification, (index, total), &mut tell, &mut display));
    LISTENER.set(None);
    VIEWER.set(None);
    record
}

/// Gives this worker a desk, which answers a page's calls; `first` is the study that the page begins with.
///
/// # Errors
/// Before [`open`].
#[wasm_bindgen]
pub fn desk(first: &str) -> Result<(), JsError> {
    let desk = with(|engine| Ok(engine.desk(first)))?;
    DESK.set(Some(desk));
    Ok(())
}

/// Answers a call of the page's protocol, with parameters as JSON: `{"answer": …}` or `{"problem": …}`.
#[wasm_bindgen]
pub fn call(method: &str, parameters: &str) -> String {
    asked(|desk| {
        let parameters =
            serde_json::from_str(parameters).map_err(|error| Problem::new(format!("parameters: {error}")))?;
        desk.call(method, parameters)
    })
}

/// Takes up a study: the runs that are to be made of it, as [`call`] answers.
#[wasm_bindgen]
pub fn take_up(text: &str) -> String {
    asked(|desk| Ok(serde_json::to_value(desk.plan(text)?).expect("plain values")))
}

/// Something happened in the run of that identity, an event as JSON: what is to be told of it, as JSON; empty where that is nothing.
#[wasm_bindgen]
pub fn hear(id: &str, event: &str) -> String {
    let heard = || {
        let event: Event = serde_json::from_str(event).ok()?;
        DESK.with_borrow_mut(|desk| desk.as_mut()?.hear(id, &event))
    };
    heard().map_or_else(String::new, |event| serde_json::to_string(&event).expect("plain values"))
}

/// A run has learnt something: the message that is to be told, as JSON; empty where that is nothing.
#[wasm_bindgen]
pub fn learn(id: &str, epoch: usize, step: usize, finished: bool, weights: Vec<f32>) -> String {
    let message = DESK.with_borrow_mut(|desk| desk.as_mut()?.learn(id, epoch, step, finished, weights));
    message.map_or_else(String::new, |message| serde_json::to_string(&message).expect("plain values"))
}

/// Takes the text of a record or of a failed run.
///
/// # Errors
/// When it is neither, or was damaged.
#[wasm_bindgen]
pub fn keep(text: &str) -> Result<(), JsError> {
    let kept = RunRecord::unseal(text);
    DESK.with_borrow_mut(|desk| {
        let desk = desk.as_mut().ok_or_else(|| JsError::new("a desk expected, none found"))?;
        match kept {
            Ok(record) => desk.keep(record),
            Err(problem) => {
                desk.fail(FailedRun::unseal(text).map_err(|_| JsError::new(&problem))?);
            }
        }
        Ok(())
    })
}

/// The run of that identity is given up.
#[wasm_bindgen]
pub fn give_up(id: &str) {
    DESK.with_borrow_mut(|desk| desk.as_mut().map(|desk| desk.give_up(id)));
}

/// Forgets the study and all that was made.
#[wasm_bindgen]
pub fn forget() {
    DESK.with_borrow_mut(|desk| desk.as_mut().map(Desk::forget));
}

/// Whether runs are being made, and whether no other begins when they are done.
#[wasm_bindgen]
pub fn set_running(running: bool, pausing: bool) {
    DESK.with_borrow_mut(|desk| desk.as_mut().map(|desk| desk.set_running(running, pausing)));
}

/// Asks this worker's desk.
fn asked(ask: impl FnOnce(&mut Desk) -> Result<Value, Problem>) -> String {
    let answered = DESK.with_borrow_mut(|desk| match desk {
        Some(desk) => ask(desk),
        None => Err(Problem::new("a desk expected, none found")),
    });
    match answered {
        Ok(answer) => json!({ "answer": answer }).to_string(),
        Err(problem) => json!({ "problem": problem }).to_string(),
    }
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

/// Shows weights to the viewer.
fn display(epoch: usize, step: usize, weights: &[f32], finished: bool) {
    let weights = Float32Array::from(weights);
    VIEWER.with_borrow(|viewer| {
        let Some(viewer) = viewer else { return };
        let arguments = js_sys::Array::of4(&epoch.into(), &step.into(), &weights, &finished.into());
        // Who fails to look is not told again.
        let _ = viewer.apply(&JsValue::NULL, &arguments);
    });
}

/// Asks this worker's engine.
fn with<R>(ask: impl FnOnce(&mut Engine) -> Result<R, EngineError>) -> Result<R, JsError> {
    ENGINE.with_borrow_mut(|engine| {
        let engine = engine.as_mut().ok_or(EngineError::NotOpen)?;
        Ok(ask(engine)?)
    })
}
