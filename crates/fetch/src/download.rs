//! One file: addresses in their order, attempts, and the digest that decides.

use crate::{
    Attempt, Event, FetchError, Missing, Task,
    http::{Address, Problem, Wanted},
    own::GLANCE,
    part::Part,
};
use data::{Digest, Download};
use std::{path::Path, thread, time::Duration};

/// Bytes that make an attempt worth another one: a bad line that still brings this much brings the file some day.
const WORTHWHILE_BYTES: u64 = 1 << 20;

/// Another process that receives nothing for so many times the longest silence has been stopped.
const SILENCES: u32 = 4;

impl Task<'_, '_> {
    /// Downloads a file to `target` from the first of the addresses that gives it.
    pub(crate) fn download(
        &mut self,
        file: &Download,
        addresses: &[Address],
        target: &Path,
    ) -> Result<(), FetchError> {
        let patience = self.options.patience.silence * SILENCES;
        let (mut part, waited) = Part::open(target, file.name, patience, self.listener)?;
        if waited && self.is_whole(file, target)? {
            part.leave();
            return Ok(());
        }
        let before = self.downloaded_bytes;
        let mut attempts = Vec::new();
        for address in addresses {
            let wanted =
                Wanted { name: file.name, address, bytes: file.bytes, most_bytes: file.most_bytes() };
            match self.obtain(&wanted, file.digest, &mut part) {
                Ok(()) => {
                    let bytes = part.bytes();
                    part.finish()?;
                    // A part left by an earlier download may have been whole.
                    let downloaded = self.downloaded_bytes > before;
                    return self.tell(Event::Ready { file: file.name, bytes, downloaded });
                }
                Err(failed) => {
                    let (problem, is_passing) = match failed {
                        Problem::Passing(problem) | Problem::Away(problem) => (problem, true),
                        Problem::Lasting(problem) => (problem, false),
                        Problem::Ours(error) => {
                            part.leave();
                            return Err(error);
                        }
                    };
                    self.tell(Event::Failed { url: address.shown(), problem: &problem })?;
                    attempts.push(Attempt { url: address.shown().to_owned(), problem, is_passing });
                }
            }
        }
        part.leave();
        let (set, file) = (self.set.name.to_owned(), file.name.to_owned());
        Err(FetchError::Unreachable { set, file, attempts, missing: Missing::default() })
    }

    /// Downloads a file from one address, as often as that leads on, until its digest is right.
    fn obtain(&mut self, wanted: &Wanted, expected: Digest, part: &mut Part) -> Result<(), Problem> {
        let patience = self.options.patience;
        let (mut failures, mut furthest, mut wrong) = (0, part.bytes(), false);
        loop {
            let resumed = part.bytes() > 0;
            match self.receive(wanted, part) {
                Ok(()) => {
                    let found = part.digest(wanted.name, expected, self.listener)?;
                    if found == expected.digits() {
                        return Ok(());
                    }
                    part.clear()?;
                    let problem =
                        format!("{} {} expected, {found} found", expected.algorithm(), expected.digits());
                    // An earlier part of something else explains it once.
                    if !resumed || wrong {
                        return Err(Problem::Lasting(problem));
                    }
                    wrong = true;
                    self.tell(Event::Failed { url: wanted.address.shown(), problem: &problem })?;
                }
                Err(Problem::Passing(problem)) => {
                    failures = if part.bytes() >= furthest + WORTHWHILE_BYTES { 1 } else { failures + 1 };
                    furthest = furthest.max(part.bytes());
                    if failures >= patience.attempts {
                        return Err(Problem::Passing(problem));
                    }
                    self.tell(Event::Failed { url: wanted.address.shown(), problem: &problem })?;
                    self.wait(wanted, part, patience.pause * 2_u32.pow((failures - 1).min(5)))?;
                }
                Err(problem) => return Err(problem),
            }
        }
    }

    /// The rest of the file, unless all of it is here.
    fn receive(&mut self, wanted: &Wanted, part: &mut Part) -> Result<(), Problem> {
        if wanted.bytes.is_some_and(|bytes| part.bytes() > bytes) {
            part.clear()?;
        }
        if part.bytes() > 0 && wanted.bytes == Some(part.bytes()) {
            return Ok(());
        }
        self.tell(Event::Requested {
            file: wanted.name,
            url: wanted.address.shown(),
            received_bytes: part.bytes(),
        })?;
        self.client.receive(wanted, part, &mut self.downloaded_bytes, self.listener)
    }

    fn wait(&mut self, wanted: &Wanted, part: &Part, pause: Duration) -> Result<(), FetchError> {
        let mut left = pause;
        while !left.is_zero() {
            self.tell(Event::Received {
                file: wanted.name,
                received_bytes: part.bytes(),
                total_bytes: wanted.bytes,
            })?;
            let glance = left.min(GLANCE);
            thread::sleep(glance);
            left -= glance;
        }
        Ok(())
    }
}
