//! Showing the plots to a person at a terminal.

use crate::command::output;
use std::{env, io::IsTerminal, path::PathBuf};

/// Shows pictures: inside the terminal where it can draw them, else in the program that opens pictures.
///
/// Nothing happens when standard output is not a terminal, and a machine without a display keeps the files alone.
pub(crate) fn pictures(pictures: &[(PathBuf, Vec<u8>)]) {
    if !std::io::stdout().is_terminal() {
        return;
    }
    let variable = |name: &str| env::var(name).unwrap_or_default();
    if let Some(protocol) = Protocol::detect(variable) {
        for (_, png) in pictures {
            // A terminal that has gone away has nobody to show pictures to.
            let columns = output::result_terminal().map_or(output::COLUMNS, |size| size.columns);
            let _ = output::graphics(&protocol.encode(png, columns.min(MOST_COLUMNS)));
        }
    } else if has_display(variable) {
        for (path, _) in pictures {
            if open::that_detached(path).is_err() {
                output::note(&format!("no program opened {}", path.display()));
                return;
            }
        }
    }
}

/// How a terminal is told to draw a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// The terminal graphics protocol of kitty, which Ghostty speaks too.
    Kitty,
    /// The inline images protocol of iTerm2, which WezTerm and others speak too.
    Iterm,
}

/// A picture is no wider than this.
const MOST_COLUMNS: usize = 100;

/// Kitty takes a picture's base64 text in pieces of at most this many characters.
const KITTY_PIECE: usize = 4096;

impl Protocol {
    /// By the variables that terminals set; a multiplexer in between would garble the pictures, and who wants no colours
    /// wants none of them.
    fn detect(variable: impl Fn(&str) -> String) -> Option<Self> {
        let is_set = |name| !variable(name).is_empty();
        if is_set("NO_COLOR") || is_set("TMUX") || variable("TERM").starts_with("screen") {
            return None;
        }
        let program = variable("TERM_PROGRAM");
        if is_set("KITTY_WINDOW_ID") || variable("TERM") == "xterm-kitty" || program == "ghostty" {
            return Some(Self::Kitty);
        }
        ["iTerm.app", "WezTerm", "mintty", "vscode"].contains(&program.as_str()).then_some(Self::Iterm)
    }

    /// The escape sequence that draws a PNG, so many columns wide, and a line's end.
    fn encode(self, png: &[u8], columns: usize) -> String {
        let text = records::encoding::base64(png);
        match self {
            Self::Iterm => {
                format!(
                    "\x1b]1337;File=inline=1;width={columns};preserveAspectRatio=1;size={}:{text}\x07\n",
                    png.len()
                )
            }
            Self::Kitty => {
                let mut sequence = String::new();
                let pieces = text.len().div_ceil(KITTY_PIECE);
                for index in 0..pieces {
                    let piece = &text[index * KITTY_PIECE..text.len().min((index + 1) * KITTY_PIECE)];
                    let control = if index == 0 { format!("a=T,f=100,c={columns},") } else { String::new() };
                    let more = usize::from(index + 1 < pieces);
                    sequence.push_str(&format!("\x1b_G{control}m={more};{piece}\x1b\\"));
                }
                sequence.push('\n');
                sequence
            }
        }
    }
}

/// Whether a window can be opened.
fn has_display(variable: impl Fn(&str) -> String) -> bool {
    if cfg!(any(target_os = "windows", target_os = "macos")) {
        return variable("SSH_CONNECTION").is_empty();
    }
    !variable("DISPLAY").is_empty() || !variable("WAYLAND_DISPLAY").is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(set: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> String {
        move |name| {
            set.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
                .unwrap_or_default()
        }
    }

    #[test]
    fn terminals_that_draw_are_known() {
        assert_eq!(Protocol::detect(terminal(&[("KITTY_WINDOW_ID", "1")])), Some(Protocol::Kitty));
        assert_eq!(Protocol::detect(terminal(&[("TERM_PROGRAM", "WezTerm")])), Some(Protocol::Iterm));
        assert_eq!(Protocol::detect(terminal(&[("TERM", "xterm-256color")])), None);
        assert_eq!(Protocol::detect(terminal(&[("TERM_PROGRAM", "WezTerm"), ("TMUX", "/tmp/x")])), None);
        assert_eq!(Protocol::detect(terminal(&[("KITTY_WINDOW_ID", "1"), ("NO_COLOR", "1")])), None);
    }

    #[test]
    fn long_pictures_go_to_kitty_in_pieces_that_join() {
        let png: Vec<u8> = (0..10_000u32).map(|value| value as u8).collect();
        let sequence = Protocol::Kitty.encode(&png, 80);
        let pieces: Vec<(&str, &str)> = sequence
            .trim_end()
            .split_terminator("\x1b\\")
            .map(|piece| {
                piece.strip_prefix("\x1b_G").expect("a graphics command").split_once(';').expect("data")
            })
            .collect();
        assert_eq!(pieces.len(), 4);
        assert!(pieces[0].0.starts_with("a=T,f=100,c=80,") && pieces[0].0.ends_with("m=1"));
        assert_eq!((pieces[1].0, pieces[3].0), ("m=1", "m=0"));
        assert!(pieces.iter().all(|(_, data)| data.len() <= KITTY_PIECE));
        let joined: String = pieces.iter().map(|(_, data)| *data).collect();
        assert_eq!(joined, records::encoding::base64(&png));
    }
}
