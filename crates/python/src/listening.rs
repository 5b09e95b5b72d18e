//! The interpreter while the library works without it.

use mnist_study::train::Event;
use pyo3::prelude::*;
use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

/// How often the interpreter is asked for signals: Ctrl-C is heard within this and a step.
const EVERY: Duration = Duration::from_millis(100);

/// Hears signals, and tells a function of Python of every epoch.
pub(crate) struct Listening {
    progress: Option<Py<PyAny>>,
    asked: Instant,
    /// What ended the work: a signal's exception, or the function's.
    raised: Option<PyErr>,
}

impl Listening {
    pub(crate) fn new(progress: Option<Py<PyAny>>) -> Self {
        Self { progress, asked: Instant::now(), raised: None }
    }

    pub(crate) fn event(&mut self, event: Event) -> ControlFlow<()> {
        let told = match &event {
            Event::Epoch(_) => self.progress.as_ref(),
            _ => None,
        };
        if told.is_none() && self.asked.elapsed() < EVERY {
            return ControlFlow::Continue(());
        }
        self.asked = Instant::now();
        let heard = Python::attach(|py| {
            py.check_signals()?;
            if let (Some(progress), Event::Epoch(epoch)) = (told, &event) {
                progress.call1(
                    py,
                    (
                        epoch.epoch,
                        epoch.train.loss(),
                        epoch.train.accuracy(),
                        epoch.validation.loss(),
                        epoch.validation.accuracy(),
                    ),
                )?;
            }
            Ok(())
        });
        match heard {
            Ok(()) => ControlFlow::Continue(()),
            Err(raised) => {
                self.raised = Some(raised);
                ControlFlow::Break(())
            }
        }
    }

    /// What ended the work, in the place of the library's own error about it.
    pub(crate) fn outcome<T>(self, worked: Result<T, mnist_study::Error>) -> PyResult<T> {
        match self.raised {
            Some(raised) => Err(raised),
            None => worked.map_err(crate::refused),
        }
    }
}
