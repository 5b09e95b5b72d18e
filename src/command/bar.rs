//! How progress is shown on stderr: a bar at a terminal, plain lines elsewhere, nothing when asked to be quiet.

use crate::command::output::{self, one_line};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    cell::Cell,
    fmt::{self, Display, Formatter},
    time::{Duration, Instant},
};

/// How progress is shown.
pub(crate) enum Screen {
    /// Not at all.
    Quiet,
    /// By lines.
    Lines,
    /// By a bar, with lines above it, and when it was drawn last.
    Bar(ProgressBar, Cell<Option<Instant>>),
}

/// A state is shown at most this often: drawing happens within the training clock.
const REDRAW: Duration = Duration::from_millis(100);

impl Screen {
    /// A bar at a terminal, lines elsewhere.
    pub(crate) fn new(quiet: bool) -> Self {
        match output::terminal() {
            _ if quiet => Self::Quiet,
            None => Self::Lines,
            Some(_) => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
                bar.set_style(ProgressStyle::with_template("{msg}").expect("a constant template"));
                Self::Bar(bar, Cell::new(None))
            }
        }
    }

    /// Prints a line; at a terminal, one of its width or several.
    pub(crate) fn line(&self, text: &str) {
        match self {
            Self::Quiet => {}
            Self::Lines => output::line(text),
            Self::Bar(bar, _) => bar.println(output::wrapped(&one_line(text), width())),
        }
    }

    /// Prints what was found of something: all of it, or at a terminal what one line has room for.
    pub(crate) fn facts(&self, subject: &Subject, all: &str, facts: &[String]) {
        match self {
            Self::Bar(bar, _) => bar.println(subject.with_facts(width(), facts)),
            _ => self.line(all),
        }
    }

    /// Shows the state of things at the bottom of a terminal.
    pub(crate) fn state(&self, state: &State) {
        self.state_below(None, state);
    }

    /// As [`Self::state`], below lines that are redrawn with it.
    pub(crate) fn state_below(&self, above: Option<String>, state: &State) {
        if let Self::Bar(bar, drawn) = self {
            drawn.set(Some(Instant::now()));
            let line = state.line(width());
            // The `^C` that a terminal shows moves the cursor a line on, and what is taken away begins a line too low: a blank one stays.
            bar.set_message(above.map_or(line.clone(), |above| format!("\n{above}\n{line}")));
        }
    }

    /// Whether it is time to show a state.
    pub(crate) fn is_due(&self) -> bool {
        match self {
            Self::Bar(_, drawn) => drawn.get().is_none_or(|drawn| drawn.elapsed() >= REDRAW),
            _ => false,
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Self::Bar(bar, _) = self {
            bar.finish_and_clear();
        }
    }
}

/// A terminal's columns; it may be made wider or narrower at any time.
fn width() -> usize {
    output::terminal().map_or(output::COLUMNS, |size| size.columns)
}

/// What a line is about: a name, which is shortened where there is no room for it, and what stands around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    pub(crate) before: String,
    pub(crate) name: String,
    pub(crate) after: String,
    /// What stands for all of it where even a short name has no room.
    pub(crate) short: String,
}

/// A name is not made shorter than this.
const SHORTEST_NAME: usize = 4;

impl Display for Subject {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        write!(formatter, "{}{}{}", self.before, self.name, self.after)
    }
}

impl Subject {
    /// In at most `room` characters, as far as may be.
    fn within(&self, room: usize) -> String {
        let around = count(&self.before) + count(&self.after);
        if room < around + SHORTEST_NAME.min(count(&self.name)) {
            return self.short.clone();
        }
        format!("{}{}{}", self.before, shortened(&self.name, room - around), self.after)
    }

    /// A line of at most `width`: the first fact, and the others as long as there is room.
    fn with_facts(&self, width: usize, facts: &[String]) -> String {
        let (first, others) =
            facts.split_first().map_or(("", facts), |(first, others)| (first.as_str(), others));
        let mut line = format!("{}: {first}", self.within(width.saturating_sub(count(first) + 2)));
        add_facts(&mut line, width, others);
        shortened(&one_line(&line), width)
    }
}

/// The state of something that goes on.
#[derive(Debug)]
pub(crate) struct State<'a> {
    /// What goes on.
    pub(crate) subject: &'a Subject,
    /// How much of it is done, from 0 to 1; none where that is not known.
    pub(crate) done: Option<f64>,
    /// What is shown at every width.
    pub(crate) facts: &'a [String],
    /// What is shown where there is room, the most important first.
    pub(crate) more: &'a [String],
}

/// From so many columns on the bar has its full length.
const WIDE: usize = 100;
const LONG_BAR: usize = 20;
const BAR: usize = 10;
/// A shorter one tells nothing.
const SHORTEST_BAR: usize = 5;

impl State<'_> {
    /// A line of at most `width` characters: `run 1/6: cnn, seed 1, epoch 1/5 [===>      ] accuracy 97.31 %, 42 s left`.
    fn line(&self, width: usize) -> String {
        let facts = self.facts.join(", ");
        let subject = self.subject.within(width.saturating_sub(count(&facts) + 1));
        // Beside the bar's own brackets and the space before it.
        let room = width.saturating_sub(count(&subject) + 1 + count(&facts) + 3);
        let bar = room.min(if width < WIDE { BAR } else { LONG_BAR });
        let mut line = match self.done {
            Some(done) if bar >= SHORTEST_BAR => format!("{subject} {} {facts}", drawn(bar, done)),
            _ => format!("{subject} {facts}"),
        };
        add_facts(&mut line, width, self.more);
        shortened(&one_line(&line), width)
    }
}

/// `[===>      ]`, with so many places between the brackets.
fn drawn(places: usize, done: f64) -> String {
    let filled = (done.clamp(0.0, 1.0) * places as f64) as usize;
    let head = if filled < places { ">" } else { "" };
    format!("[{:<places$}]", format!("{}{head}", "=".repeat(filled)))
}

/// Adds facts in their order, until one does not fit.
fn add_facts(line: &mut String, width: usize, facts: &[String]) {
    for fact in facts {
        if count(line) + 2 + count(fact) > width {
            return;
        }
        line.push_str(", ");
        line.push_str(fact);
    }
}

/// Cut, with a sign that it was.
pub(crate) fn shortened(text: &str, room: usize) -> String {
    if count(text) <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

fn count(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(width: usize, name: &str) -> String {
        let subject = Subject {
            before: "run 1/6: ".into(),
            name: name.into(),
            after: ", seed 1, epoch 1/5".into(),
            short: "run 1/6, epoch 1/5".into(),
        };
        let facts = ["accuracy 97.31 %".to_owned(), "12 min 5 s left".to_owned()];
        let more = ["loss 0.0812".to_owned(), "21,300 images/s".to_owned(), "step 160/400".to_owned()];
        let line = State { subject: &subject, done: Some(0.4), facts: &facts, more: &more }.line(width);
        assert!(count(&line) <= width, "{line}");
        line
    }

    #[test]
    fn a_line_shows_what_matters_most_at_every_width() {
        assert_eq!(line(60, "cnn"), "run 1/6, epoch 1/5 [==>  ] accuracy 97.31 %, 12 min 5 s left");
        assert_eq!(
            line(80, "cnn"),
            "run 1/6: cnn, seed 1, epoch 1/5 [====>     ] accuracy 97.31 %, 12 min 5 s left"
        );
        assert_eq!(
            line(120, "cnn"),
            "run 1/6: cnn, seed 1, epoch 1/5 [========>           ] accuracy 97.31 %, 12 min 5 s left, loss 0.0812, 21,300 images/s"
        );
    }

    #[test]
    fn a_long_name_makes_room() {
        assert_eq!(
            line(80, "a-network-of-a-very-long-name"),
            "run 1/6: a-network-of-a-ve…, seed 1, epoch 1/5 accuracy 97.31 %, 12 min 5 s left"
        );
        assert_eq!(line(20, "cnn"), "run 1/6, epoch 1/5 …");
    }

    #[test]
    fn what_has_no_measure_has_no_bar() {
        let subject = Subject { name: "emnist".into(), ..Subject::default() };
        let facts = ["verifying gzip.zip".to_owned()];
        let state = State { subject: &subject, done: None, facts: &facts, more: &[] };
        assert_eq!(state.line(80), "emnist verifying gzip.zip");
    }

    #[test]
    fn facts_that_do_not_fit_are_left_out() {
        let (before, name, after) = ("run 1/2: ".into(), "cnn".into(), ", seed 0".into());
        let subject = Subject { before, name, after, short: "run 1/2".into() };
        let facts = ["validation accuracy 98.10 %".to_owned(), "12.3 s".to_owned(), "loss 0.06".to_owned()];
        assert_eq!(
            subject.with_facts(60, &facts),
            "run 1/2: cnn, seed 0: validation accuracy 98.10 %, 12.3 s"
        );
    }

    #[test]
    fn a_bar_fills() {
        assert_eq!(drawn(5, 0.0), "[>    ]");
        assert_eq!(drawn(5, 0.99), "[====>]");
        assert_eq!(drawn(5, 1.0), "[=====]");
        assert_eq!(drawn(5, f64::NAN), "[>    ]");
    }
}
