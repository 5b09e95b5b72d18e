//! Writing to stdout, which carries results, and stderr, which carries everything else.
//!
//! Names of classes, layers, models and files come from outside: whatever is written passes through here and loses what
//! a terminal would obey. A diagnostic that nobody takes is dropped; a result that nobody takes is a failure, unless its
//! reader has gone away.

use crate::command::{failure::Failure, interrupt, verb::Verb};
use clap::error::{ContextKind, ContextValue};
use report::thousands;
use std::{
    backtrace::{Backtrace, BacktraceStatus},
    env,
    io::{self, IsTerminal, Write},
    panic::PanicHookInfo,
    process::{self, ExitCode},
};
use terminal_size::{Height, Width, terminal_size_of};

pub(crate) use crate::printable::{is_obeyed, one_line, printable, printable_json};

/// Results as text.
///
/// # Errors
/// When stdout takes no more, such as on a full disk. A reader that has gone away, as in `mnist-study | head`, is not a
/// failure of ours.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    written(&printable(text))
}

/// Results as text for people: at a terminal, in lines of its width.
///
/// # Errors
/// As [`result`].
pub(crate) fn prose(text: &str) -> Result<(), Failure> {
    match result_terminal() {
        Some(size) => result(&(wrapped(&printable(text), size.columns) + "\n")),
        None => result(text),
    }
}

/// Results as JSON.
///
/// # Errors
/// As [`result`].
pub(crate) fn json(text: &str) -> Result<(), Failure> {
    written(&printable_json(text))
}

/// Text with this program's own sequences for the terminal. Names within it have been through [`one_line`].
///
/// # Errors
/// As [`result`].
pub(crate) fn graphics(text: &str) -> Result<(), Failure> {
    written(text)
}

fn written(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    taken(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

fn taken(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let message = format!("standard output: {error}");
            Err(Failure::of_system(error.kind(), message, "send it elsewhere, or free some space"))
        }
        _ => Ok(()),
    }
}

/// What the parser of the command line has to say: help on stdout, what is wrong with the command on stderr.
pub(crate) fn usage(words: &clap::Error) -> ExitCode {
    let code = ExitCode::from(u8::try_from(words.exit_code()).unwrap_or(2));
    if !words.use_stderr() {
        return match taken(words.print()) {
            Ok(()) => code,
            Err(full) => failure(&full, &Verb::none()),
        };
    }
    // It repeats arguments, which a shell may have made from the names of files, among colours of its own.
    let is_hostile = |argument: std::ffi::OsString| argument.to_string_lossy().chars().any(is_obeyed);
    let _ = match env::args_os().any(is_hostile) {
        true => io::stderr().write_all(printable(&words.render().to_string()).as_bytes()),
        false => words.print(),
    };
    if of_folds_and_seeds(words) {
        line(
            "hint: each fold is a run: leave out --seeds, and pass --repeats N to deal the images out N times",
        );
    }
    code
}

/// Whether a cross-validation is asked for a number of seeds.
fn of_folds_and_seeds(words: &clap::Error) -> bool {
    let named = |kind, option: &str| match words.get(kind) {
        Some(ContextValue::String(argument)) => argument.starts_with(option),
        Some(ContextValue::Strings(arguments)) => {
            arguments.iter().any(|argument| argument.starts_with(option))
        }
        _ => false,
    };
    let conflict = |one, other| named(ContextKind::InvalidArg, one) && named(ContextKind::PriorArg, other);
    conflict("--folds", "--seeds") || conflict("--seeds", "--folds")
}

/// Exit code after a panic, as Rust's own is.
const FAULT: i32 = 101;

/// A panic: a fault of this program. It ends here, on whichever thread it was: the records of finished runs are on disk.
pub(crate) fn fault(fault: &PanicHookInfo) {
    let message = fault.payload();
    let message = message
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| message.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let place = fault.location().map_or_else(String::new, |place| format!(" at {place}"));
    error_line(&format!("a fault of the program{place}: {message}"));
    line("hint: please report it, with the command and these lines; finished runs are kept");
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        let _ = io::stderr().write_all(printable(&format!("{trace}\n")).as_bytes());
    }
    process::exit(FAULT);
}

/// A line on stderr; at a terminal, one of its width or several.
pub(crate) fn line(text: &str) {
    let text = one_line(text);
    let _ = match terminal() {
        Some(size) => writeln!(io::stderr(), "{}", wrapped(&text, size.columns)),
        None => writeln!(io::stderr(), "{text}"),
    };
}

/// How much a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// Columns of a terminal that does not say how many it has.
pub(crate) const COLUMNS: usize = 80;
const ROWS: usize = 24;

/// The terminal that stderr is; none where it is a file or a pipe.
pub(crate) fn terminal() -> Option<Size> {
    let stderr = io::stderr();
    size(stderr.is_terminal(), || terminal_size_of(&stderr))
}

/// The terminal that stdout is.
pub(crate) fn result_terminal() -> Option<Size> {
    let stdout = io::stdout();
    size(stdout.is_terminal(), || terminal_size_of(&stdout))
}

fn size(is_terminal: bool, told: impl FnOnce() -> Option<(Width, Height)>) -> Option<Size> {
    // One that says that it can only add lines gets lines.
    let is_dumb = env::var_os("TERM").is_some_and(|kind| kind == "dumb");
    (is_terminal && !is_dumb).then(|| match told() {
        Some((Width(columns), Height(rows))) => Size { columns: columns.into(), rows: rows.into() },
        None => Size { columns: COLUMNS, rows: ROWS },
    })
}

/// `1 file`, `2,000 files`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count as u64), if count == 1 { "" } else { "s" })
}

/// Lines of at most that width, broken between words, those that follow indented by two more.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let mut current = " ".repeat(indent);
        let mut used = 0;
        for word in words(&line[indent..]) {
            let length = word.chars().count();
            if used > 0 && used + 1 + length > width {
                lines.push(std::mem::replace(&mut current, " ".repeat(indent + 2)));
                used = 0;
            }
            if used > 0 {
                current.push(' ');
            }
            current.push_str(&word);
            used = current.chars().count();
        }
        lines.push(current);
    }
    lines.join("\n")
}

/// What a line is not broken within: what stands between backticks is to be typed as it is, and a number has its per cent sign.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let is_open = |last: &String| last.matches('`').count() % 2 == 1 || word.starts_with('%');
        match words.last_mut().filter(|last| is_open(last)) {
            Some(last) => last.push_str(&format!(" {word}")),
            None => words.push(word.to_owned()),
        }
    }
    words
}

/// A remark that is no failure.
pub(crate) fn note(text: &str) {
    line(&format!("note: {text}"));
}

/// What makes figures mean something else than they seem to, though nothing failed.
pub(crate) fn warning(text: &str) {
    line(&format!("warning: {text}"));
}

/// A question, whose answer follows on its line.
pub(crate) fn question(text: &str) {
    let _ = io::stderr().write_all(one_line(text).as_bytes());
}

/// What went wrong, where there is no more to say.
pub(crate) fn error_line(text: &str) {
    line(&format!("error: {text}"));
}

/// One `error:` line and a hint, a line but for lists, for the verb that failed; how the process is to end.
pub(crate) fn failure(failure: &Failure, verb: &Verb) -> ExitCode {
    if failure.is_interruption() {
        interrupt::last_words();
    }
    match failure.is_unfinished() {
        true => note(&failure.message),
        false => error_line(&failure.message),
    }
    let hint = format!("hint: {}", failure.hint.in_words(verb));
    let hint = printable(&hint);
    let _ = match terminal() {
        Some(size) => writeln!(io::stderr(), "{}", wrapped(&hint, size.columns)),
        None => writeln!(io::stderr(), "{hint}"),
    };
    failure.exit_code()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_between_words() {
        assert_eq!(wrapped("note: accuracy 97.31 % of all", 80), "note: accuracy 97.31 % of all");
        assert_eq!(wrapped("note: accuracy 97.31 % of all", 20), "note: accuracy\n  97.31 % of all");
        assert_eq!(
            wrapped("hint: type `mnist-study run x`, then", 20),
            "hint: type\n  `mnist-study run x`,\n  then"
        );
        assert_eq!(wrapped("a:\n  one two three", 9), "a:\n  one two\n    three");
        assert_eq!(wrapped("/a/path/of/one/long/word is whole", 10), "/a/path/of/one/long/word\n  is whole");
        assert_eq!(wrapped("", 10), "");
    }
}
