//! Progress of a download on stderr: a bar at a terminal, plain lines elsewhere, nothing when asked to be quiet.

use crate::command::{
    bar::{Screen, State, Subject},
    progress::duration,
};
use fetch::Event;
use std::time::{Duration, Instant};

/// Without a terminal a line says how far a download is as often as this.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows what a download does.
pub(crate) struct DownloadProgress {
    name: &'static str,
    screen: Screen,
    request: Option<Request>,
    unpacking: Option<String>,
    waiting: Option<String>,
}

/// The request that is being answered.
struct Request {
    start: Instant,
    start_bytes: u64,
    last_line: Instant,
}

impl DownloadProgress {
    /// For a data set.
    pub(crate) fn new(name: &'static str, quiet: bool) -> Self {
        Self { name, screen: Screen::new(quiet), request: None, unpacking: None, waiting: None }
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: Event) {
        match event {
            Event::Requested { file, url, received_bytes } => self.requested(file, url, received_bytes),
            Event::Received { file, received_bytes, total_bytes } => {
                self.received(file, received_bytes, total_bytes);
            }
            Event::Failed { url, problem } => self.screen.line(&format!("note: {url}: {problem}")),
            Event::Waiting { file } => {
                self.busy(format!("waiting for {file}"));
                if self.waiting.as_deref() != Some(file) {
                    self.waiting = Some(file.to_owned());
                    self.screen.line(&format!("note: another process is fetching {file}: waiting for it"));
                }
            }
            Event::Verifying { file } => self.busy(format!("verifying {file}")),
            Event::Damaged { file } => {
                self.screen.line(&format!("note: {file} is not as it was published: it is fetched again"));
            }
            Event::Unpacking { file } => {
                self.busy(format!("unpacking {file}"));
                if self.unpacking.as_deref() != Some(file) {
                    self.unpacking = Some(file.to_owned());
                    self.screen.line(&format!("{}: unpacking {file}", self.name));
                }
            }
            Event::Ready { file, bytes, downloaded } => {
                if downloaded {
                    self.screen.line(&format!("{}: {file}: {}, verified", self.name, megabytes(bytes)));
                }
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.screen.finish();
    }

    fn requested(&mut self, file: &str, url: &str, start_bytes: u64) {
        let now = Instant::now();
        self.request = Some(Request { start: now, start_bytes, last_line: now });
        let rest = match start_bytes {
            0 => String::new(),
            bytes => format!(", the rest after {}", megabytes(bytes)),
        };
        self.screen.line(&format!("{}: {file} from {url}{rest}", self.name));
    }

    fn received(&mut self, file: &str, received: u64, total: Option<u64>) {
        let Some(request) = &mut self.request else { return };
        let seconds = request.start.elapsed().as_secs_f64();
        // A server that sends everything again begins below where the request did.
        let speed = received.saturating_sub(request.start_bytes) as f64 / seconds.max(1e-9);
        let amount = match total {
            Some(total) => format!("{} of {}", megabytes(received), megabytes(total)),
            None => megabytes(received),
        };
        let mut facts = vec![amount, format!("{:.1} MB/s", speed / 1e6)];
        if let Some(total) = total.filter(|_| speed > 0.0 && seconds > 1.0) {
            facts.push(format!("{} left", duration(total.saturating_sub(received) as f64 / speed)));
        }
        match &self.screen {
            Screen::Bar(..) => {
                let done = total.map(|total| received as f64 / total.max(1) as f64);
                let subject = Subject {
                    before: format!("{}: ", self.name),
                    name: file.to_owned(),
                    after: String::new(),
                    short: self.name.to_owned(),
                };
                self.screen.state(&State { subject: &subject, done, facts: &facts, more: &[] });
            }
            screen if request.last_line.elapsed() >= LINE_EVERY => {
                request.last_line = Instant::now();
                screen.line(&format!("{}: {file}: {}", self.name, facts.join(", ")));
            }
            _ => {}
        }
    }

    fn busy(&self, what: String) {
        let subject = Subject { name: self.name.to_owned(), ..Subject::default() };
        self.screen.state(&State { subject: &subject, done: None, facts: &[what], more: &[] });
    }
}

/// `18.2 MB`, or `5.1 kB` below a tenth of one.
pub(crate) fn megabytes(bytes: u64) -> String {
    match bytes {
        0..100_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::megabytes;

    #[test]
    fn sizes_read_well() {
        assert_eq!(megabytes(0), "0.0 kB");
        assert_eq!(megabytes(5_148), "5.1 kB");
        assert_eq!(megabytes(561_753_746), "561.8 MB");
    }
}
