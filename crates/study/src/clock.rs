//! The clock of runs.

use std::{
    sync::{Mutex, MutexGuard, Once, PoisonError},
    thread,
    time::Duration,
};
use train::Clock;
use web_time::Instant;

/// Seconds since it was made, by the system's monotonic clock, without those in which the process did not run: where it
/// was stopped (SIGSTOP, Ctrl-Z, a batch system that suspends its jobs) or the machine slept.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
    /// What the process had been stopped for before.
    stopped_before: Duration,
}

impl SystemClock {
    /// Starts at zero.
    pub fn start() -> Self {
        begin_to_beat();
        let (start, stopped_before) = heart().beat(Instant::now);
        Self { start, stopped_before }
    }

    /// What was left out so far.
    pub fn stopped(&self) -> Duration {
        heart().beat(Instant::now).1 - self.stopped_before
    }

    /// A warning, where something was.
    pub(crate) fn warning(&self) -> Option<String> {
        let seconds = self.stopped().as_secs_f64();
        (seconds > 0.0).then(|| {
            format!("the process was stopped for {seconds:.1} s during this run; its times leave that out")
        })
    }
}

impl Clock for SystemClock {
    fn seconds(&self) -> f64 {
        let (now, stopped) = heart().beat(Instant::now);
        (now - self.start).saturating_sub(stopped - self.stopped_before).as_secs_f64()
    }
}

/// How often the process shows that it runs.
const BEAT: Duration = Duration::from_millis(50);

/// Where no beat came for so long, the process did not run. A thread that sleeps is woken much sooner on any machine whose
/// timings mean something, however many others compute on it.
const LONGEST_BEAT: Duration = Duration::from_millis(500);

/// When the process was last seen to run. A stop cannot be noticed as it begins, nor always by the first to run after it:
/// whoever asks for the time looks first whether a stop has just ended.
#[derive(Debug)]
struct Heart {
    /// None while nothing beats.
    last: Option<Instant>,
    stopped: Duration,
}

static HEART: Mutex<Heart> = Mutex::new(Heart { last: None, stopped: Duration::ZERO });

fn heart() -> MutexGuard<'static, Heart> {
    HEART.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Heart {
    /// The time, and for how long the process has been stopped until then.
    fn beat(&mut self, clock: impl Fn() -> Instant) -> (Instant, Duration) {
        let now = clock();
        if let Some(last) = &mut self.last {
            let silence = now - *last;
            if silence > LONGEST_BEAT {
                // It ran for up to one beat of the silence.
                self.stopped += silence - BEAT;
            }
            *last = now;
        }
        (now, self.stopped)
    }
}

fn begin_to_beat() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let beating = thread::Builder::new().name("clock".into()).spawn(|| {
            loop {
                thread::sleep(BEAT);
                heart().beat(Instant::now);
            }
        });
        // Without the thread, silence would mean nothing.
        if beating.is_ok() {
            heart().last = Some(Instant::now());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_not_counted() {
        let start = Instant::now();
        let at = |milliseconds: u64| start + Duration::from_millis(milliseconds);
        let mut heart = Heart { last: Some(start), stopped: Duration::ZERO };
        for (now, stopped) in [(50, 0), (100, 0), (590, 0), (3_640, 3_000), (3_690, 3_000), (4_740, 4_000)] {
            assert_eq!(heart.beat(|| at(now)), (at(now), Duration::from_millis(stopped)), "after {now} ms");
        }
        let mut silent = Heart { last: None, stopped: Duration::ZERO };
        assert_eq!(silent.beat(|| at(60_000)).1, Duration::ZERO);
    }

    #[test]
    fn a_process_that_runs_counts_all_of_its_time() {
        let clock = SystemClock::start();
        let (start, before) = (Instant::now(), clock.seconds());
        thread::sleep(3 * LONGEST_BEAT);
        let (seconds, elapsed) = (clock.seconds() - before, start.elapsed().as_secs_f64());
        assert!(seconds >= 3.0 * LONGEST_BEAT.as_secs_f64() && seconds <= elapsed, "{seconds} of {elapsed}");
        assert_eq!(clock.warning(), None);
    }
}
