//! `script`: a job file by which a scheduler carries out a study in shards.
//!
//! The files are templates beside this one, as they are printed but for `@NAMES@`; nothing else is known of a scheduler here.

use super::{
    KERNELS,
    forecast::{self, Planned},
    instruction_set,
    run::{self, RunArguments},
    selection::{NOTABLE_IMBALANCE, imbalanced, without_work},
    session_with,
};
use crate::command::{
    args::{Arguments, Command},
    failure::Failure,
    interrupt,
    options::values::threads,
    output,
    progress::duration,
    reproduce::{shell, shell_path},
};
use clap::{Args, CommandFactory, FromArgMatches, ValueEnum, ValueHint};
use records::record::DatasetIdentity;
use std::{
    env, fs,
    path::{Path, PathBuf},
};
use study::{
    plan::{identify, plan},
    run::RunError,
    shard::{Division, MAXIMUM_SHARDS},
};

/// Who carries out the shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchedulerName {
    /// An array job of Slurm
    Slurm,
    /// A task array of HyperQueue
    #[value(name = "hyperqueue")]
    HyperQueue,
    /// An indexed Job of Kubernetes
    Kubernetes,
    /// GNU parallel, on one machine or several
    Parallel,
}

impl SchedulerName {
    fn template(self) -> &'static str {
        match self {
            Self::Slurm => include_str!("templates/slurm.sh"),
            Self::HyperQueue => include_str!("templates/hyperqueue.sh"),
            Self::Kubernetes => include_str!("templates/kubernetes.yaml"),
            Self::Parallel => include_str!("templates/parallel.sh"),
        }
    }
}

/// `script`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: mnist-study script slurm studies/cnn-depth.toml --shards 8 --out depth -- --seeds 20 > depth.sh"
)]
pub(crate) struct ScriptArguments {
    /// Who carries out the shards
    #[arg(value_enum, value_name = "SCHEDULER")]
    scheduler: SchedulerName,
    /// The study file
    #[arg(value_name = "STUDY.toml", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// How many shards; the runs of one seed stay together, so more than there are seeds are of no use
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAXIMUM_SHARDS as u64))]
    shards: u64,
    /// Folder that the results go to, which all tasks share
    #[arg(long, value_name = "DIR", default_value = "Results", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// Processors of each task: with 1, most is computed by all tasks together; with more, each run ends sooner
    #[arg(long, value_name = "N", value_parser = threads, default_value_t = 1)]
    threads: usize,
    /// Memory of each task, in MiB [default: what the data takes, and 1024 more]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    memory: Option<u64>,
    /// Time limit of each task [default: three times what the largest shard is predicted to take here, and ten minutes more]
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    minutes: Option<u64>,
    /// The container image of a Kubernetes Job
    #[arg(long, value_name = "IMAGE", default_value = "mnist-study:latest")]
    image: String,
    /// Options of `run` that every task is given, after --
    #[arg(last = true, value_name = "OPTIONS", allow_hyphen_values = true)]
    options: Vec<String>,
}

/// Prints the file.
pub(crate) fn run(arguments: &ScriptArguments) -> Result<(), Failure> {
    let study = of_options(arguments)?;
    let (title, expectation) = expect(arguments, &study)?;
    let (memory, minutes) = (
        arguments.memory.unwrap_or(expectation.memory_mib),
        arguments.minutes.unwrap_or(expectation.minutes),
    );
    let is_shell = arguments.scheduler != SchedulerName::Kubernetes;
    let options = arguments.options.iter().map(|option| match is_shell {
        true => format!("{} ", shell(option)),
        // Kubernetes replaces `$(NAME)`, and writes `$(` for `$$(`.
        false => format!(", {}", serde_json::Value::from(option.replace("$(", "$$("))),
    });
    let options: String = options.collect();
    let text = match is_shell {
        true => String::new(),
        false => yaml_text(&arguments.file)?,
    };
    // What this process computes with, the tasks compute with too: their bits depend on it.
    let kernels = env::var(KERNELS).ok().filter(|name| !name.is_empty());
    let program = kernels.as_ref().map_or_else(
        || "mnist-study".to_owned(),
        |name| format!("env {KERNELS}={} mnist-study", shell(name)),
    );
    let kernels = kernels.map_or_else(String::new, |name| {
        format!("\n            - name: {KERNELS}\n              value: {}", serde_json::Value::from(name))
    });
    let values = [
        ("TITLE", title),
        ("SHARDS", arguments.shards.to_string()),
        ("THREADS", arguments.threads.to_string()),
        ("MEMORY_MIB", memory.to_string()),
        ("MINUTES", minutes.to_string()),
        ("STUDY", shell_path(one_line(&arguments.file)?)),
        ("OUT", shell_path(one_line(&arguments.out)?)),
        ("COST", expectation.cost),
        ("IMAGE", serde_json::Value::from(arguments.image.as_str()).to_string()),
        ("ARGUMENTS", options.trim_end().to_owned()),
        ("STUDY_TEXT", text),
        ("PROGRAM", program),
        ("KERNELS", kernels),
    ];
    output::result(&filled(arguments.scheduler.template(), &values))
}

/// A template with its names replaced, each once: what stands in their place may look like one.
fn filled(template: &str, values: &[(&str, String)]) -> String {
    let (mut text, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('@') {
        text.push_str(before);
        let value = values
            .iter()
            .find_map(|(name, value)| Some((value, after.strip_prefix(*name)?.strip_prefix('@')?)));
        match value {
            Some((value, left)) => {
                text.push_str(value);
                rest = left;
            }
            None => {
                text.push('@');
                rest = after;
            }
        }
    }
    text + rest
}

/// The options of every task, as `run` reads them.
fn of_options(arguments: &ScriptArguments) -> Result<RunArguments, Failure> {
    /// What the job file says itself.
    const OWN: [&str; 8] =
        ["--shard", "--only", "--out", "--yes", "--threads", "--dry-run", "--fresh", "--json-events"];
    for option in &arguments.options {
        if let Some(own) = OWN.into_iter().find(|own| option == own || option.starts_with(&format!("{own}=")))
        {
            return Err(Failure::usage(
                format!("{option}: the job file passes its own {own}, or all tasks would share one"),
                "leave it out of the options of `run`; --out and --threads are options of `mnist-study script` itself",
            ));
        }
        if option.chars().any(char::is_control) {
            return Err(Failure::usage(
                format!("{option:?}: an option without control characters expected"),
                "correct it",
            ));
        }
    }
    let file = arguments.file.as_os_str().to_owned();
    let words = ["mnist-study", "run"].map(Into::into).into_iter().chain([file]);
    let words = words.chain(arguments.options.iter().map(Into::into));
    let matches = Arguments::command().try_get_matches_from(words);
    match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(Arguments { command: Some(Command::Run(arguments)), .. }) => Ok(arguments),
        Ok(_) => Err(Failure::usage("options of `run` expected", "`mnist-study run --help` lists them")),
        Err(error) => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(Failure::usage(
                line,
                "`mnist-study run --help` lists the options that the tasks may be given",
            ))
        }
    }
}

/// What a task is expected to need.
struct Expectation {
    cost: String,
    minutes: u64,
    memory_mib: u64,
}

/// The study's name for a job, and what a shard of it needs, by steps that are timed here.
fn expect(arguments: &ScriptArguments, of_run: &RunArguments) -> Result<(String, Expectation), Failure> {
    /// Where nothing is known.
    const A_DAY: u64 = 24 * 60;
    const MARGIN_MINUTES: f64 = 10.0;
    let study = run::comparison(of_run)?;
    let title = job_name(study.question.title.as_deref(), &arguments.file);
    let away = study.datasets.iter().find(|dataset| forecast::check_here(dataset).is_err());
    if let Some(away) = away {
        let cost = format!(
            "not known here, where the data set {} is not; the time limit is a guess",
            one_line(Path::new(away))?
        );
        return Ok((title, Expectation { cost, minutes: A_DAY, memory_mib: 4096 }));
    }
    let _finishing = interrupt::finish_step();
    let (mut plans, mut forecasts, mut bytes, mut machine) = (Vec::new(), Vec::new(), 0, String::new());
    for dataset in &study.datasets {
        // Whether the precision is there is asked where the tasks run.
        let (set, threads) = (instruction_set()?, Some(arguments.threads));
        let session = session_with(set, dataset, threads, &study.models, true)?;
        let identity = identify(session.corpus());
        bytes = bytes.max(image_bytes(&identity));
        let runs = plan(&study.specification(), &identity);
        forecasts.push(Planned::measured(dataset, &session, &runs)?);
        let threads = session.threads();
        machine = format!(
            "{}, {threads} {}",
            session.environment().cpu,
            if threads == 1 { "thread" } else { "threads" }
        );
        plans.push(runs);
    }
    let plans: Vec<&[_]> = plans.iter().map(Vec::as_slice).collect();
    let division = Division::of(&plans, arguments.shards as usize).map_err(RunError::from)?;
    let mut seconds = vec![0.0; arguments.shards as usize];
    for (shards, planned) in division.shards.iter().zip(&forecasts) {
        for (shard, run) in shards.iter().zip(&planned.forecast.runs) {
            seconds[shard - 1] += run.seconds;
        }
    }
    let most = seconds.iter().copied().fold(0.0, f64::max);
    if arguments.scheduler == SchedulerName::Kubernetes {
        let elsewhere =
            |dataset: &&String| !["mnist", "colored-mnist", "shifted-mnist"].contains(&dataset.as_str());
        if let Some(dataset) = study.datasets.iter().find(elsewhere) {
            output::note(&format!(
                "a pod has no data set {dataset}: add a volume that holds it to the manifest, and name it as the pod sees it (published sets: set \
                 MNIST_STUDY_DATA)"
            ));
        }
    }
    if let Some(more) = division.imbalance().filter(|more| *more > NOTABLE_IMBALANCE) {
        output::note(&imbalanced(more));
    }
    if division.blocks < seconds.len() {
        output::note(&without_work(&division));
    }
    let is_estimate = forecasts.iter().all(|planned| planned.forecast.is_estimate());
    let about = if is_estimate { "about" } else { "at most" };
    let expectation = Expectation {
        cost: format!("{about} {} for the largest shard on this machine ({machine})", duration(most)),
        minutes: (3.0 * most / 60.0 + MARGIN_MINUTES).ceil() as u64,
        memory_mib: 1024 + (3 * bytes).div_ceil(1 << 20),
    };
    Ok((title, expectation))
}

fn image_bytes(identity: &DatasetIdentity) -> u64 {
    let images = identity.training_images + identity.test_images;
    (images * identity.height * identity.width * identity.channels) as u64
}

/// A job's name: small letters, digits and dashes, as every scheduler takes it.
fn job_name(title: Option<&str>, file: &Path) -> String {
    const LONGEST: usize = 40;
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut name = String::new();
    for character in title.unwrap_or(&stem).chars() {
        match character.to_ascii_lowercase() {
            plain @ ('a'..='z' | '0'..='9') => name.push(plain),
            _ if name.ends_with('-') || name.is_empty() => {}
            _ => name.push('-'),
        }
    }
    name.truncate(LONGEST);
    let name = name.trim_matches('-');
    match name.starts_with(|first: char| first.is_ascii_lowercase()) {
        true => name.to_owned(),
        false => format!("study-{name}").trim_end_matches('-').to_owned(),
    }
}

/// A path that a comment may hold.
fn one_line(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().filter(|text| !text.chars().any(char::is_control));
    text.map(str::to_owned).ok_or_else(|| {
        Failure::usage(
            format!("{}: a path in UTF-8 without control characters expected", path.display()),
            "rename it: a job file cannot hold this path",
        )
    })
}

/// The text of a study file as a value in a YAML file: the lines as they are where that gives every byte again, else a quoted string.
fn yaml_text(file: &Path) -> Result<String, Failure> {
    const INDENTATION: &str = "    ";
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("{}: {error}", file.display()), "check the path"))?;
    let is_plain = |character: char| character == '\n' || (' '..='~').contains(&character);
    if text.ends_with('\n') && !text.ends_with("\n\n") && text.trim() != "" && text.chars().all(is_plain) {
        let lines = text.lines().map(|line| match line {
            "" => String::new(),
            line => format!("{INDENTATION}{line}"),
        });
        return Ok(format!("|2\n{}", lines.collect::<Vec<_>>().join("\n")));
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            ' '..='~' => quoted.push(character),
            other if u32::from(other) <= 0xffff => quoted.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => quoted.push_str(&format!("\\U{:08x}", u32::from(other))),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_has_a_name_that_every_scheduler_takes() {
        for (title, expected) in [
            (Some("Depth of a CNN: 2, 4 or 6?"), "depth-of-a-cnn-2-4-or-6"),
            (None, "cnn-depth"),
            (Some("7 networks"), "study-7-networks"),
            (Some("深さ"), "study"),
            (Some("--"), "study"),
        ] {
            assert_eq!(job_name(title, Path::new("studies/cnn_depth.toml")), expected);
        }
        assert!(job_name(Some(&"x".repeat(100)), Path::new("a")).len() <= 63);
    }

    #[test]
    fn every_template_is_filled_by_names_that_there_are() {
        const NAMES: [&str; 13] = [
            "PROGRAM",
            "KERNELS",
            "TITLE",
            "SHARDS",
            "THREADS",
            "MEMORY_MIB",
            "MINUTES",
            "STUDY",
            "OUT",
            "COST",
            "IMAGE",
            "ARGUMENTS",
            "STUDY_TEXT",
        ];
        for scheduler in SchedulerName::value_variants() {
            let mut template = scheduler.template().to_owned();
            for name in NAMES {
                template = template.replace(&format!("@{name}@"), "");
            }
            // `hq --array=@…` and addresses aside, nothing is left that looks like a name.
            let left = template
                .split('@')
                .skip(1)
                .find(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()));
            assert_eq!(left, None, "{scheduler:?}");
        }
    }
}
