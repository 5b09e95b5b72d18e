//! The interpreter while the library works without it.

use mnist_study::train::{EpochMetrics, Event};
use pyo3::prelude::*;
use std::{
    ops::ControlFlow,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};

/// How often the interpreter is asked for signals: Ctrl-C is heard within this and a step.
const EVERY: Duration = Duration::from_millis(50);

/// What a training tells its events to.
pub(crate) type Listener<'a> = dyn FnMut(Event) -> ControlFlow<()> + Send + 'a;

/// Lets `work` go on in a thread of its own, handing it what it is to tell events to, and waits for it on the caller's thread, which alone
/// may ask the interpreter for signals. There `progress` is called after every epoch. A signal's exception, or that of `progress`, ends the
/// work, and is what comes of it.
pub(crate) fn attended<T: Send>(
    py: Python<'_>,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce(&mut Listener) -> PyResult<T> + Send,
) -> PyResult<T> {
    let stopped = AtomicBool::new(false);
    let (epochs, told) = channel::<EpochMetrics>();
    let attend = move || {
        loop {
            let heard = match told.recv_timeout(EVERY) {
                Ok(epoch) => Some(epoch),
                Err(RecvTimeoutError::Timeout) => None,
                // The work has ended.
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            Python::attach(|py| {
                py.check_signals()?;
                if let (Some(progress), Some(epoch)) = (progress, heard) {
                    let (train, validation) = (epoch.train, epoch.validation);
                    let losses = (train.loss(), train.accuracy(), validation.loss(), validation.accuracy());
                    progress.call1(py, (epoch.epoch, losses.0, losses.1, losses.2, losses.3))?;
                }
                PyResult::Ok(())
            })?;
        }
    };
    py.detach(move || {
        thread::scope(|scope| {
            let stopped = &stopped;
            let working = scope.spawn(move || {
                work(&mut move |event| {
                    if let Event::Epoch(epoch) = event {
                        // Whoever does not listen any more has said that the work is to stop.
                        let _ = epochs.send(epoch);
                    }
                    if stopped.load(Ordering::Relaxed) {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })
            });
            let attended = attend();
            stopped.store(true, Ordering::Relaxed);
            let worked = working.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            attended.and(worked)
        })
    })
}
