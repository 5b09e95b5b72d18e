//! `tune`: better settings, by the validation images alone.

use super::{
    check_precision, instruction_set,
    named::{in_study_file, open},
    search_status, session,
};
use crate::command::{
    events::{self, EventLog},
    failure::{self, Failure},
    interrupt,
    options::{
        OutputArguments, ReadingArguments, RecipeArguments, ShardChoice,
        values::{MeasureName, ProtocolName, SamplerName, minutes, threads},
    },
    output,
    reproduce::shell_path,
    trials::TrialProgress,
};
use clap::{Args, ValueHint};
use records::{
    event::Event,
    question::Measure,
    record::Protocol,
    search_folder::SearchFolder,
    store::{FileError, check_writable, write_atomically},
};
use report::thousands;
use search::{Halving, Sampler};
use serde_json::{Map, Value};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use study::{
    place::place,
    plan::identify,
    run::RunError,
    shard::Shard,
    study_file::{ModelSpec, ModelTemplate, Setting, StudyFile, built_in_model, built_in_templates},
    tune::{Budget, Candidate, Question, SettingSpace, Tuned, Tuning, tune},
};

/// `tune`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct TuneArguments {
    /// Models to tune, each with the same budget: built-in ones, or a study file's, FILE.toml or FILE.toml:NAME; what is
    /// searched stands under [search] in the file, else it is learning rate, batch size and widths
    #[arg(value_name = "MODEL", required = true)]
    pub(crate) models: Vec<String>,
    /// Trials of each model, beside the model as it stands
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) trials: u64,
    /// Minutes for the trials of each model, in the place of their number; a trial that has begun is finished
    #[arg(long, value_name = "M", value_parser = minutes, conflicts_with = "trials")]
    pub(crate) minutes: Option<f64>,
    /// How the next settings are chosen
    #[arg(long, value_enum, value_name = "NAME", default_value_t = SamplerName::Tpe)]
    pub(crate) sampler: SamplerName,
    /// Give every trial all its epochs, also those that fall behind
    #[arg(long)]
    pub(crate) no_halving: bool,
    /// Choose the trials of a model in rounds of N, by what the rounds before gave: those of a round can be made at the same time, by
    /// several processes on one folder or by shards, and any number of them comes to the same search
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000), default_value_t = 1)]
    pub(crate) round: u16,
    /// Seed of the search and of every training in it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Data set: a name that `mnist-study datasets` lists, or a file or folder of images [default: the study file's, else mnist]
    #[arg(long, value_name = "NAME|PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) dataset: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
    /// Which images validate; original has none [default: the study file's, else sound]
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) protocol: Option<ProtocolName>,
    /// The measure of the validation images by which trials are compared [default: the study file's, else accuracy]
    #[arg(long, value_enum, value_name = "MEASURE")]
    pub(crate) decide_by: Option<MeasureName>,
    #[command(flatten)]
    pub(crate) recipe: RecipeArguments,
    /// Folder that the trials and results go to; trials that are there are kept
    #[arg(long, value_name = "DIR", default_value = "Tuning", value_hint = ValueHint::AnyPath)]
    pub(crate) out: PathBuf,
    /// Make every trial again, even where its record is in the folder
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Make the trials of one of N shards alone, counted from 1; all shards write to one folder. auto: as the variables of a task of Slurm,
    /// HyperQueue or Kubernetes say. Exit status 75 where trials of other shards come first and nobody makes them: run it again then
    #[arg(long, value_name = "I/N|auto", conflicts_with_all = ["minutes", "fresh"])]
    pub(crate) shard: Option<ShardChoice>,
    /// Also write what happens to this file or pipe, one JSON object a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) json_events: Option<PathBuf>,
    /// Threads to compute with; the results do not depend on it [default: as OMP_NUM_THREADS or SLURM_CPUS_PER_TASK says,
    /// else one for each processor]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// How long a shard waits for trials of others while nobody makes any. Tasks of one array may begin some seconds apart.
const PATIENCE: Duration = Duration::from_secs(10);

/// What stands in the way of a search over a file's models.
struct Named {
    candidates: Vec<Candidate>,
    /// Of the file, where it is one.
    dataset: Option<String>,
    protocol: Option<Protocol>,
    decide_by: Option<Measure>,
}

/// Searches, then writes what was found.
pub(crate) fn run(arguments: &TuneArguments) -> Result<(), Failure> {
    let options = settings(&arguments.recipe);
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut dataset = arguments.dataset.as_ref().map(|dataset| arguments.reading.of(dataset));
    let mut protocol = arguments.protocol.map(Protocol::from);
    let mut decide_by = arguments.decide_by.map(Measure::from);
    for name in &arguments.models {
        let named = find(name, &options, arguments.dataset.is_some())?;
        if let (None, Some(one), Some(other)) = (&arguments.dataset, &dataset, &named.dataset)
            && one != other
        {
            return Err(Failure::usage(
                format!("{name}: its data set is {other}, that of the models before it {one}"),
                "name the data set for all with --dataset",
            ));
        }
        dataset = dataset.or(named.dataset);
        if let (None, Some(one), Some(other)) = (arguments.protocol, protocol, named.protocol)
            && one != other
        {
            return Err(Failure::usage(
                format!(
                    "{name}: its protocol is {}, that of the models before it {}",
                    other.name(),
                    one.name()
                ),
                "name the protocol for all with --protocol",
            ));
        }
        protocol = protocol.or(named.protocol);
        if let (None, Some(one), Some(other)) = (arguments.decide_by, decide_by, named.decide_by)
            && one != other
        {
            return Err(Failure::usage(
                format!(
                    "{name}: its measure is {}, that of the models before it {}",
                    other.name(),
                    one.name()
                ),
                "name the measure for all with --decide-by",
            ));
        }
        decide_by = decide_by.or(named.decide_by);
        for candidate in named.candidates {
            if candidates.iter().any(|other| other.template.name == candidate.template.name) {
                return Err(Failure::usage(
                    format!("model {}: named twice", candidate.template.name),
                    "name each model once; --trials sets how often each is trained",
                ));
            }
            candidates.push(candidate);
        }
    }
    let protocol = protocol.unwrap_or(Protocol::Sound);
    if protocol == Protocol::Original {
        return Err(Failure::usage(
            "protocol original has no validation images but the test images, and nothing is chosen by them",
            "pass --protocol sound, or --protocol writers",
        ));
    }
    let as_they_stand = candidates.iter().map(|candidate| candidate.make(&Map::new()));
    let as_they_stand = as_they_stand.collect::<Result<Vec<_>, _>>().map_err(RunError::from)?;
    let dataset = dataset.unwrap_or_else(|| "mnist".into());
    let set = instruction_set()?;
    let searched = candidates.iter().flat_map(|candidate| candidate.space.precisions());
    searched.into_iter().try_for_each(|precision| check_precision(set, precision))?;
    let session = session(&dataset, arguments.threads, &as_they_stand, arguments.output.quiet)?;
    let question = Question {
        candidates,
        dataset: identify(session.corpus()),
        protocol,
        decide_by: decide_by.unwrap_or_default(),
        sampler: match arguments.sampler {
            SamplerName::Tpe => Sampler::Tpe,
            SamplerName::Random => Sampler::Random,
        },
        halving: (!arguments.no_halving).then(Halving::default),
        round: usize::from(arguments.round),
        seed: arguments.seed,
        kernels: session.environment().kernels,
    };
    let shard = arguments.shard.map(ShardChoice::resolve).transpose()?;
    let trials = arguments.trials as usize;
    let budget = match (arguments.minutes, shard) {
        (Some(minutes), _) => Budget::Seconds(60.0 * minutes),
        (None, Some((shard, _))) => Budget::Shard { trials, shard, patience: PATIENCE },
        (None, None) => Budget::Trials(trials),
    };
    if let Some((shard, from)) = shard.filter(|_| !arguments.output.quiet) {
        tell(shard, from, &question);
    }
    let log = arguments.json_events.as_deref();
    let files = arguments.models.iter().filter_map(|name| in_study_file(name));
    let mut inputs: Vec<(&str, &Path)> = files.map(|(file, _)| ("the study", Path::new(file))).collect();
    inputs.push(("--dataset", Path::new(&dataset)));
    events::check(log, &inputs, &arguments.out)?;
    check_writable(&arguments.out.join("tuning.json"))?;
    let mut events = EventLog::open(log)?;
    // From here on the folder is this search's: an interruption says what it holds.
    let _finishing = interrupt::finish_step();
    question.declare(&arguments.out, arguments.fresh)?;
    let place = session.environment().place.unwrap_or_else(place);
    let workplace = SearchFolder::of(&arguments.out, &place);
    let mut progress = TrialProgress::new(arguments.output.quiet);
    let mut listener = |event: &Event| {
        progress.event(event);
        events.event(event);
        interrupt::flow()
    };
    let Tuned { records, is_complete, ended } =
        tune(&session, &question, budget, &workplace, arguments.fresh, &mut listener);
    progress.finish();
    drop(workplace);
    if let (Some((shard, _)), false) = (shard, is_complete) {
        // Whoever finds all trials there reports them.
        return ended
            .map_err(Failure::from)
            .and_then(|()| search_status::after_shard(&arguments.out, shard, arguments.output));
    }
    // What was found before an interruption is written as well, once there is something of every model.
    let told = match records.iter().all(|records| !records.is_empty()) {
        true => Tuning::of(&question, records)
            .map_err(|error| RunError::from(error).into())
            .and_then(|tuning| publish(&arguments.out, &tuning, arguments)),
        false => Ok(()),
    };
    failure::before_report(ended.map_err(Failure::from), told)
}

/// What there is to say of a shard before it begins.
fn tell(shard: Shard, from: Option<&str>, question: &Question) {
    let from = from.map_or_else(String::new, |name| format!(" (by {name})"));
    let models = question.candidates.len();
    let at_a_time = question.trials_of_a_round().saturating_mul(models);
    output::note(&format!("shard {shard}{from} of the search"));
    if shard.count > at_a_time {
        let (each, noun) = (question.trials_of_a_round(), if at_a_time == 1 { "trial" } else { "trials" });
        output::note(&format!(
            "a round has {} {noun} ({each} of each model), so no more shards than that are at work at a time: --round {} has work for all",
            thousands(at_a_time as u64),
            shard.count.div_ceil(models)
        ));
    }
}

fn publish(folder: &Path, tuning: &Tuning, arguments: &TuneArguments) -> Result<(), Failure> {
    write(folder, tuning)?;
    if arguments.output.json {
        return output::json(&report::tuning_json(tuning));
    }
    output::result(&format!(
        "{}\nReport: {}\nMeasure what was found on the test images: mnist-study run {} --out {}\n",
        report::tuning_terminal(tuning),
        folder.join("tuning.html").display(),
        shell_path(folder.join("best.toml").display()),
        shell_path(folder.join("best").display())
    ))
}

fn write(folder: &Path, tuning: &Tuning) -> Result<(), FileError> {
    let picture = report::search_chart(tuning).to_png();
    write_atomically(&folder.join("Search.png"), &picture)?;
    write_atomically(&folder.join("best.toml"), tuning.best_study().as_bytes())?;
    let write = |name: &str, text: &str| write_atomically(&folder.join(name), text.as_bytes());
    write("tuning.json", &output::printable_json(&report::tuning_json(tuning)))?;
    write("tuning.md", &output::printable(&report::tuning_markdown(tuning)))?;
    write("tuning.html", &output::printable(&report::tuning_page(tuning)))
}

/// The options that stand in the place of every model's own recipe, as settings; they are not searched.
fn settings(options: &RecipeArguments) -> Vec<Setting> {
    let setting = |name: &str, value: Option<Value>| {
        value.map(|value| Setting { name: name.to_owned(), value, line: 0 })
    };
    let all = [
        setting("epochs", options.epochs.map(Value::from)),
        setting("batch_size", options.batch_size.map(Value::from)),
        setting("learning_rate", options.learning_rate.map(Value::from)),
        setting("precision", options.precision.map(|name| Value::from(train::Precision::from(name).name()))),
    ];
    all.into_iter().flatten().collect()
}

/// The models of a name, and what is searched of each: a built-in one's name, `FILE.toml`, or `FILE.toml:NAME`. A file may
/// have several data sets only where one was `chosen`.
fn find(name: &str, options: &[Setting], chosen: bool) -> Result<Named, Failure> {
    let Some((named, study)) = open(name)? else {
        built_in_model(name).map_err(RunError::from)?;
        let template = built_in_templates().into_iter().find(|template| template.name == name);
        let template = template.expect("the model was made from it");
        let space = SettingSpace::usual(&template, options, options).map_err(RunError::from)?;
        let candidate = Candidate { template, shared: options.to_vec(), space };
        return Ok(Named { candidates: vec![candidate], dataset: None, protocol: None, decide_by: None });
    };
    let file = named.file;
    let made =
        |model: &ModelSpec| study.templates.iter().any(|template| template.name == model.architecture.name);
    if !study.models.iter().all(made) {
        return Err(Failure::usage(
            format!("{file}: has a grid, which a search cannot go through"),
            "move the grid's settings to [search]: a list there is a choice",
        ));
    }
    if !chosen && study.datasets.len() > 1 {
        return Err(Failure::usage(
            format!("{file}: one data set expected, {} found", study.datasets.len()),
            "name one with --dataset, and tune on each by itself",
        ));
    }
    let templates = named.of(study.templates.clone(), |template| &template.name)?;
    let candidates = templates.iter().map(|template| of_file(&study, template, file, options));
    Ok(Named {
        candidates: candidates.collect::<Result<_, _>>()?,
        dataset: study.datasets.first().cloned(),
        protocol: Some(study.protocol),
        decide_by: Some(study.decide_by),
    })
}

fn of_file(
    study: &StudyFile,
    template: &ModelTemplate,
    file: &str,
    options: &[Setting],
) -> Result<Candidate, RunError> {
    let shared: Vec<Setting> = study.recipe.iter().chain(options).cloned().collect();
    let space = if study.search.is_empty() {
        SettingSpace::usual(template, &shared, options)?
    } else {
        SettingSpace::of_file(template, &study.templates, &shared, &study.search, options, file)?
    };
    Ok(Candidate { template: template.clone(), shared, space })
}
