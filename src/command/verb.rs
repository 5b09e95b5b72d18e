//! The verb that the command line names.

use super::Arguments;
use clap::{ArgMatches, Command, CommandFactory};

/// A verb, as hints speak of it.
#[derive(Debug)]
pub(crate) struct Verb {
    /// How it is called, such as `mnist-study datasets fetch`.
    pub(crate) name: String,
    options: Vec<String>,
}

impl Verb {
    /// The verb of a command line.
    pub(crate) fn of(matches: &ArgMatches) -> Self {
        let (mut command, mut matches) = (Arguments::command(), matches);
        let mut name = command.get_name().to_owned();
        while let Some((verb, rest)) = matches.subcommand() {
            let Some(found) = command.find_subcommand(verb).cloned() else { break };
            (command, matches) = (found, rest);
            name = format!("{name} {verb}");
        }
        Self { name, options: options(&command) }
    }

    /// Before any is known.
    pub(crate) fn none() -> Self {
        Self { name: "mnist-study".into(), options: Vec::new() }
    }

    /// Whether it has that option, such as `--out`.
    pub(crate) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|other| option.strip_prefix("--") == Some(other))
    }
}

fn options(command: &Command) -> Vec<String> {
    command.get_arguments().filter_map(|argument| argument.get_long()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verb(arguments: &[&str]) -> Verb {
        Verb::of(&Arguments::command().try_get_matches_from(arguments).expect("usable"))
    }

    #[test]
    fn each_verb_has_its_own_options() {
        let compare = verb(&["mnist-study", "cnn", "--seeds", "1"]);
        assert_eq!(
            (compare.name.as_str(), compare.has("--out"), compare.has("--save")),
            ("mnist-study", true, false)
        );
        let train = verb(&["mnist-study", "train", "cnn", "--save", "x"]);
        assert_eq!((train.has("--out"), train.has("--save")), (false, true));
        let fetch = verb(&["mnist-study", "datasets", "fetch", "emnist"]);
        assert_eq!((fetch.name.as_str(), fetch.has("--dataset")), ("mnist-study datasets fetch", false));
        assert!(fetch.has("--quiet") && !fetch.has("quiet"));
    }
}
