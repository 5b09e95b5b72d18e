//! The book says what the parser of the command line reads.

use crate::command::args::Arguments;
use clap::{Arg, Command, CommandFactory};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Set, it has the page of commands written instead of compared.
const RENEW: &str = "RENEW_BOOK";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_page_of_commands_is_made_from_the_parser() {
    let path = root().join("docs/reference/commands.md");
    let page = page();
    if env::var_os(RENEW).is_some() {
        fs::write(&path, &page).expect("written");
    }
    let there = fs::read_to_string(&path).expect("there");
    assert!(there == page, "the page is stale: {RENEW}=1 cargo test --bin mnist-study book");
}

/// What follows a `$` in a block, and every code span that calls the program.
#[test]
fn every_command_in_the_book_can_be_parsed() {
    let mut wrong = Vec::new();
    let mut read = 0;
    for path in pages() {
        for line in commands(&fs::read_to_string(&path).expect("text")) {
            read += 1;
            if let Err(error) = Arguments::command().try_get_matches_from(line.split_whitespace())
                && error.use_stderr()
            {
                wrong.push(format!("{}: {line}\n{error}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(read > 60, "{read} commands found");
}

/// The Markdown files of the book and those beside it.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| root().join(name)).into();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.extension() {
                None => folders.push(path),
                Some(extension) if extension == "md" => pages.push(path),
                Some(_) => {}
            }
        }
    }
    pages
}

/// What a page has of calls of the program, without comments, pipes and variables.
fn commands(page: &str) -> Vec<String> {
    let mut block = false;
    let mut lines = Vec::new();
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => block = true,
            Event::End(TagEnd::CodeBlock) => block = false,
            Event::Text(text) if block => {
                lines.extend(text.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned));
            }
            Event::Code(code) if !code.contains('…') => lines.push(code.into_string()),
            _ => {}
        }
    }
    let call = |line: &String| {
        let start = line.find("mnist-study").filter(|start| {
            line[..*start].split_whitespace().all(|word| word.contains('=') && !word.contains('/'))
        })?;
        let end = [" #", " |", " >"].iter().filter_map(|mark| line.find(mark)).min();
        let call = &line[start..end.unwrap_or(line.len())];
        call.split_whitespace().next().filter(|name| *name == "mnist-study")?;
        Some(call.to_owned())
    };
    lines.iter().filter_map(call).collect()
}

fn page() -> String {
    let mut program = Arguments::command();
    program.build();
    let mut text = "# Commands\n\nThis page is made from the program's parser. `mnist-study COMMAND --help` says the same.\n".to_owned();
    section(&mut text, &program);
    text
}

/// A command, and those within it.
fn section(text: &mut String, command: &Command) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let level = "#".repeat(name.split(' ').count().max(2));
    let usage = command.clone().render_usage().to_string();
    let usage: Vec<&str> = usage.trim_start_matches("Usage: ").lines().map(str::trim).collect();
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    *text += &format!("\n{level} {name}\n\n{}\n\n```text\n{}\n```\n\n", escaped(&about), usage.join("\n"));
    match command.find_subcommand("compare") {
        // What is typed without a command is a comparison's.
        Some(compare) => {
            assert_eq!(arguments(command), arguments(compare));
            *text += "The options without a command are those of [compare](#mnist-study-compare).\n";
        }
        None => *text += &arguments(command),
    }
    if let Some(more) = command.get_after_help() {
        *text += &format!("\n```text\n{more}\n```\n");
    }
    let others = command.get_subcommands().filter(|inner| inner.get_name() != "help");
    others.for_each(|inner| section(text, inner));
}

fn arguments(command: &Command) -> String {
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    shown.filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version")).map(entry).collect()
}

/// An argument as an item of a list.
fn entry(argument: &Arg) -> String {
    let short = argument.get_short().map_or(String::new(), |short| format!("`-{short}`, "));
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("- {short}`{argument}`: {}", escaped(&help));
    if !argument.get_action().takes_values() {
        return text + "\n";
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| format!("`{}`", value.display())).collect();
    if !defaults.is_empty() {
        text += &format!(" (default: {})", defaults.join(", "));
    }
    text.push('\n');
    for value in argument.get_possible_values() {
        let help = value.get_help().map_or(String::new(), |help| format!(": {}", escaped(&help.to_string())));
        text += &format!("  - `{}`{help}\n", value.get_name());
    }
    text
}

/// Words of the parser, in which nothing is markup but code between backticks.
fn escaped(words: &str) -> String {
    let parts = words.split('`').enumerate();
    let part = |(index, part): (usize, &str)| match index % 2 {
        0 => part.replace('<', "\\<").replace('*', "\\*").replace('_', "\\_"),
        _ => format!("`{part}`"),
    };
    parts.map(part).collect()
}
