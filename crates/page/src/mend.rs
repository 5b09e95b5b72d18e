//! What a line of a study file should say instead, where the hint tells.

use crate::{Problem, Sessions, problem::Mend, read::first_problem};
use study::suggest::near;

/// The problem with a mend, where a line can be changed as the hint says so that the problem is gone from it.
pub(crate) fn mended(sessions: &mut dyn Sessions, text: &str, problem: Problem) -> Problem {
    let (Some(line), Some(hint)) = (problem.line, &problem.hint) else { return problem };
    let Some(written) = text.lines().nth(line - 1) else { return problem };
    let mend = candidates(written, &problem.message, hint).into_iter().find(|candidate| {
        let mended: Vec<&str> = text
            .lines()
            .enumerate()
            .map(|(index, old)| if index + 1 == line { candidate } else { old })
            .collect();
        match first_problem(sessions, &mended.join("\n")) {
            None => true,
            Some(left) => left.line != Some(line) && left.line.is_none_or(|later| later > line),
        }
    });
    let mend = mend.map(|text| Mend { line, text });
    Problem { mend, ..problem }
}

/// Lines that the hint may mean.
fn candidates(line: &str, message: &str, hint: &str) -> Vec<String> {
    let quoted = quoted(hint);
    let mut lines = Vec::new();
    if let [meant] = quoted[..]
        && hint.starts_with("did you mean")
    {
        let words = words(line);
        if let Some(word) = near(meant, words.iter().copied()) {
            lines.push(replaced(line, word, meant));
        }
    }
    // The layer or key that the message quotes becomes what the hint says.
    if hint.starts_with("write")
        && let [meant, ..] = quoted[..]
    {
        for wrong in self::quoted(message).into_iter().chain(quoted.iter().skip(1).copied()) {
            if line.contains(wrong) {
                lines.push(line.replacen(wrong, meant, 1));
            }
        }
        for word in words(line) {
            if message.split(|one: char| !is_of_word(one)).any(|other| other == word) {
                lines.push(replaced(line, word, meant));
            }
        }
    }
    // A layer that is left out goes with its comma.
    if hint.starts_with("leave it out") || hint.starts_with("leave out") {
        for wrong in self::quoted(message) {
            for form in [format!("\"{wrong}\", "), format!(", \"{wrong}\""), format!("\"{wrong}\",")] {
                if line.contains(&form) {
                    lines.push(line.replacen(&form, "", 1));
                }
            }
            if words(line).contains(&wrong) {
                lines.push(replaced(line, wrong, "").replace("  ", " "));
            }
        }
        // A key of its own line.
        if line.contains('=') && !line.contains('[') && !line.contains('{') {
            lines.push(format!("# {line}"));
        }
    }
    lines
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || "_-".contains(character)
}

fn words(line: &str) -> Vec<&str> {
    line.split(|one: char| !is_of_word(one)).filter(|word| !word.is_empty()).collect()
}

/// The line with a word replaced where it stands alone first.
fn replaced(line: &str, word: &str, by: &str) -> String {
    let starts = line.match_indices(word).map(|(start, _)| start);
    let stands_alone = |start: &usize| {
        let before = line[..*start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_of_word) && !after.is_some_and(is_of_word)
    };
    match starts.into_iter().find(stands_alone) {
        Some(start) => format!("{}{by}{}", &line[..start], &line[start + word.len()..]),
        None => line.to_owned(),
    }
}
