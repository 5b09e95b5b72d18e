//! A comparison from its plan to its report.

use super::{
    forecast::{Decision, Planned, check_here, decide},
    judge,
    kept_models::Keeping,
    results,
    selection::select,
    session,
    status::{self, MAKE_AGAIN},
    tell_division,
};
use crate::command::{
    events::{self, EventLog},
    failure::{self, Failure},
    interrupt,
    options::{OutputArguments, RunOptions, values::Show},
    output,
    progress::Progress,
};
use data::Corpus;
use predictions::{Assembled, Found, assemble};
use records::{
    event::{Event, Kind},
    folder::{Entry, StudyFolder},
    imported::Imports,
    question::{Part, Question},
    record::{Environment, Protocol, Resample, RunSpec},
    results::{collect, describe_failure},
    store::Store,
};
use std::{
    path::{Path, PathBuf},
    slice,
    time::Duration,
};
use study::{
    execute::{Executed, execute},
    plan::{CrossValidation, StudySpec, identify, plan},
    run::Session,
    study_file::ModelSpec,
};

/// Models to be compared on each of some data sets.
pub(super) struct Comparison {
    pub(super) question: Question,
    /// The study files that it was read from.
    pub(super) files: Vec<PathBuf>,
    pub(super) models: Vec<ModelSpec>,
    pub(super) datasets: Vec<String>,
    pub(super) protocol: Protocol,
    pub(super) audit_selection: bool,
    pub(super) resample: Resample,
    pub(super) cross_validation: Option<CrossValidation>,
    pub(super) first_seed: u64,
    pub(super) runs: u64,
    /// Answers of other programs' models, as arguments name them.
    pub(super) with: Vec<String>,
}

impl Comparison {
    /// Refuses what does not go together.
    fn check(&self) -> Result<(), Failure> {
        let Self { protocol, resample, cross_validation, with, .. } = self;
        if cross_validation.is_some() && !with.is_empty() {
            return Err(Failure::usage(
                "--with: a study on the test part expected, a cross-validation found",
                "leave out --folds, or judge all answers, this program's among them, by mnist-study judge",
            ));
        }
        if cross_validation.is_some() && *protocol != Protocol::Sound {
            return Err(Failure::usage(
                format!("protocol {}: protocol sound expected with folds", protocol.name()),
                "a cross-validation divides all images itself: leave the protocol out",
            ));
        }
        if *resample == Resample::Split && *protocol != Protocol::Sound {
            return Err(Failure::usage(
                format!("protocol {}: protocol sound expected where runs draw their split", protocol.name()),
                "leave the protocol out, or draw the training images with --resample bootstrap",
            ));
        }
        Ok(())
    }

    /// The study, not yet bound to data.
    pub(super) fn specification(&self) -> StudySpec {
        StudySpec {
            models: self.models.clone(),
            protocol: self.protocol,
            audit_selection: self.audit_selection,
            resample: self.resample,
            cross_validation: self.cross_validation,
            first_seed: self.first_seed,
            runs: self.runs,
        }
    }

    /// No model trains longer than the target allows.
    fn cut_short(mut self) -> Self {
        if let Some(most) = self.question.target.and_then(|target| target.max_epochs) {
            for model in &mut self.models {
                model.recipe.epochs = model.recipe.epochs.min(most);
            }
        }
        self
    }
}

/// HyperQueue kills a task a second after it asked it to end.
const GRACE: Duration = Duration::from_millis(600);

/// A study on one data set, before anything of it is carried out.
struct Prepared {
    session: Session,
    runs: Vec<RunSpec>,
    imported: Assembled,
}

/// The seed of the last of so many runs.
///
/// # Errors
/// When there is no such number.
pub(super) fn last_seed(first: u64, runs: u64) -> Result<u64, Failure> {
    first.checked_add(runs - 1).ok_or_else(|| {
        Failure::usage(
            format!("--seed {first}: {runs} runs count up from it, and the largest seed is {}", u64::MAX),
            format!("pass a --seed of at most {}", u64::MAX - (runs - 1)),
        )
    })
}

/// Tells what is to be done, makes the missing runs, judges, reports. Several data sets have a folder of results each within that of the study, and
/// are ranked over in the end.
pub(super) fn make(
    comparison: Comparison,
    options: &RunOptions,
    output: OutputArguments,
) -> Result<(), Failure> {
    comparison.check()?;
    let comparison = &comparison.cut_short();
    last_seed(comparison.first_seed, comparison.runs)?;
    let files = comparison.files.iter().map(|file| ("the study", file.as_path()));
    let data = comparison.datasets.iter().map(|dataset| ("--dataset", Path::new(dataset)));
    events::check(options.json_events.as_deref(), &files.chain(data).collect::<Vec<_>>(), &options.out)?;
    let making = Making { comparison, options, output };
    match &comparison.datasets[..] {
        [dataset] => making.on_one(dataset),
        several => making.on_several(&parts(several)),
    }
}

/// A comparison with what the command line says of how it is made.
struct Making<'a> {
    comparison: &'a Comparison,
    options: &'a RunOptions,
    output: OutputArguments,
}

impl Making<'_> {
    fn on_one(&self, dataset: &str) -> Result<(), Failure> {
        let Self { options, output, .. } = *self;
        let prepared = self.prepare(dataset)?;
        let environment = prepared.session.environment();
        let selection = select(options, &[&prepared.runs], &environment, output.quiet)?;
        let chosen = selection.as_ref().map(|selection| &selection[0][..]);
        let planned = self.planned(dataset, &options.out, &prepared, chosen)?;
        if decide(slice::from_ref(&planned), options, output)? == Decision::Stop {
            return Ok(());
        }
        let mut events = EventLog::open(options.json_events.as_deref())?;
        let entry = entry(options, chosen.is_some());
        let flaw = self.make_on(prepared, chosen, &options.out, entry, &mut events, true)?;
        if chosen.is_some() { flaw.and(status::after_some(&options.out, output)) } else { flaw }
    }

    /// Each data set is opened once more when its turn comes: together they might not fit into memory.
    fn on_several(&self, parts: &[Part]) -> Result<(), Failure> {
        let Self { comparison, options, output } = *self;
        let plans = parts.iter().map(|part| {
            let prepared = self.prepare(&part.dataset)?;
            Ok((prepared.runs, prepared.session.environment()))
        });
        let plans = plans.collect::<Result<Vec<(Vec<RunSpec>, Environment)>, Failure>>()?;
        let of_parts: Vec<&[RunSpec]> = plans.iter().map(|(runs, _)| &runs[..]).collect();
        let selection = match plans.first() {
            Some((_, environment)) => select(options, &of_parts, environment, output.quiet)?,
            None => None,
        };
        let chosen = |part: usize| selection.as_ref().map(|selection| &selection[part][..]);
        let planned = parts.iter().enumerate().map(|(index, part)| {
            let folder = options.out.join(&part.folder);
            self.planned(&part.dataset, &folder, &self.prepare(&part.dataset)?, chosen(index))
        });
        if decide(&planned.collect::<Result<Vec<_>, _>>()?, options, output)? == Decision::Stop {
            return Ok(());
        }
        let mut events = EventLog::open(options.json_events.as_deref())?;
        let name = comparison.question.title.as_deref().unwrap_or("a study over several data sets");
        let entry = entry(options, selection.is_some());
        // Until the results are out.
        let whole = StudyFolder::open_parts(&options.out, name, parts, entry)?;
        // While another process makes runs of the study, with other seeds perhaps, each part's plan is added to.
        let entry = || match (entry, whole.is_shared()) {
            (Entry::ReplaceUntitled, true) => Entry::Join,
            (entry, _) => entry,
        };
        // Whoever looks before all are begun sees what is to come.
        for (Part { folder, .. }, (runs, environment)) in parts.iter().zip(&plans) {
            let trained = Some((&runs[..], environment));
            let folder = options.out.join(folder);
            StudyFolder::open(&folder, &comparison.question, trained, Imports::default(), entry())?;
        }
        let mut flaw = Ok(());
        for (index, Part { dataset, folder }) in parts.iter().enumerate() {
            let folder = options.out.join(folder);
            if !output.quiet {
                output::note(&format!("data set {dataset}, results in {}", folder.display()));
            }
            events.about(dataset);
            let prepared = self.prepare(dataset)?;
            let made = self.make_on(prepared, chosen(index), &folder, entry(), &mut events, !output.json)?;
            flaw = flaw.and(made);
        }
        match selection.is_some() {
            true => flaw.and(status::after_some(&options.out, output)),
            false => results::publish_across(&options.out, parts, None, output).and(flaw),
        }
    }

    fn planned(
        &self,
        dataset: &str,
        folder: &Path,
        Prepared { session, runs, .. }: &Prepared,
        chosen: Option<&[usize]>,
    ) -> Result<Planned, Failure> {
        Planned::of(dataset, session, runs, chosen, &Store::of(folder), self.options)
    }

    /// Opens the data and plans the runs.
    fn prepare(&self, dataset: &str) -> Result<Prepared, Failure> {
        let Self { comparison, options, output } = *self;
        if options.dry_run {
            check_here(dataset)?;
        }
        let session = session(dataset, options.threads, &comparison.models, output.quiet)?;
        let runs = plan(&comparison.specification(), &identify(session.corpus()));
        // All of them divide the data in one way.
        if let Some(first) = runs.first() {
            tell_division(&session, first)?;
        }
        // And the first run of each model stands before any second one.
        for run in runs.iter().take(comparison.models.len()) {
            if run.recipe.training_images.is_some() {
                session.check_division(run)?;
            }
        }
        let imported = imported(comparison, session.corpus())?;
        Ok(Prepared { session, runs, imported })
    }

    /// Makes the runs of one data set, or those that are chosen, and reports unless only some were.
    fn make_on(
        &self,
        Prepared { session, runs, imported }: Prepared,
        chosen: Option<&[usize]>,
        folder: &Path,
        entry: Entry,
        events: &mut EventLog,
        told: bool,
    ) -> Result<Flaw, Failure> {
        let Self { comparison, options, output } = *self;
        // Until the results are out: nobody else's plan can take the place of this one meanwhile.
        let workplace = StudyFolder::open(
            folder,
            &comparison.question,
            Some((&runs, &session.environment())),
            Imports { runs: &imported.runs, notes: &imported.notes },
            entry,
        )?;
        let keeping = Keeping::of(options.keep_models, &runs, folder, session.corpus())?;
        let all: Vec<usize> = (0..runs.len()).collect();
        let made_here = chosen.unwrap_or(&all);
        let sessions = side_by_side(&session, usize::from(options.jobs), output.quiet)?;
        let sessions = sessions.as_deref().unwrap_or(slice::from_ref(&session));
        let to_make: Vec<RunSpec> = made_here.iter().map(|run| runs[*run].clone()).collect();
        let mut progress = match sessions.len() {
            1 => Progress::with_curves(&to_make, output.quiet),
            jobs => Progress::side_by_side(&to_make, jobs, output.quiet),
        };
        let mut made = 0;
        // A shard has no report to write: where a step, or a test of many images, takes longer than schedulers wait, what is lost is the run in
        // flight, as it is in any case.
        let _finishing =
            if chosen.is_some() { interrupt::finish_within(GRACE) } else { interrupt::finish_step() };
        let mut listener = |event: &Event| {
            progress.event(event);
            events.event(event);
            made += usize::from(matches!(event.kind, Kind::Finished(_)));
            interrupt::flow()
        };
        let executed =
            execute(sessions, &runs, made_here, &workplace, options.fresh, &keeping, &mut listener);
        progress.finish();
        if executed.is_ok() && !output.quiet {
            keeping.tell_missing(made_here, &session.environment());
        }
        let show = if executed.is_ok() { options.show } else { Show::Never };
        let write = |found| results::write_all(folder, found, Some(session.corpus()), output);
        // Who makes some of the runs leaves the report to whoever has them all.
        let written = match made {
            _ if chosen.is_some() => Ok(None),
            0 => Ok(None),
            _ => collect(folder).map_err(Failure::from).and_then(write).map(Some),
        };
        if chosen.is_none() && workplace.is_shared() {
            output::note(&format!(
                "another process is training runs of this study in {}: the last one to finish reports all of them",
                folder.display()
            ));
        }
        let (reported, printed) = match written {
            Ok(Some(results)) if told => (Ok(()), results::tell(&results, output, show)),
            other => (other.map(drop), Ok(())),
        };
        let (work, executed) = match executed {
            Ok(executed) => (Ok(()), executed),
            Err(error) => (Err(error.into()), Executed::default()),
        };
        failure::before_report(work, reported).map(|()| all_made(&executed).and(printed))
    }
}

/// What becomes of another study in the folder. One that some runs are made of is shared.
fn entry(options: &RunOptions, is_part: bool) -> Entry {
    match (is_part, options.fresh) {
        (true, _) => Entry::Join,
        (false, true) => Entry::Replace,
        (false, false) => Entry::ReplaceUntitled,
    }
}

/// A folder of its own for each data set.
fn parts(datasets: &[String]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for dataset in datasets {
        let mut folder = folder_name(dataset);
        while parts.iter().any(|other| other.folder == folder) {
            folder.push_str("-2");
        }
        parts.push(Part { dataset: dataset.clone(), folder });
    }
    parts
}

/// A data set's name as a folder may have it.
fn folder_name(dataset: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    let name: String = dataset.chars().map(|one| if plain(one) { one } else { '_' }).collect();
    name.trim_start_matches(['.', '_']).to_owned()
}

/// The answers of other programs, held against the test labels. A model that bears the name of one that is trained here gets another.
fn imported(comparison: &Comparison, corpus: &Corpus) -> Result<Assembled, Failure> {
    if comparison.with.is_empty() {
        return Ok(Assembled { runs: Vec::new(), notes: Vec::new() });
    }
    let Found { sources, mut notes } = judge::sources(&comparison.with)?;
    let mut assembled = assemble(sources, None, Some(crate::known_images(corpus)))?;
    let is_trained = |name: &str| comparison.models.iter().any(|model| model.architecture.name == name);
    let mut renamed: Vec<String> = Vec::new();
    for run in assembled.runs.iter_mut().filter(|run| is_trained(&run.model)) {
        if !renamed.contains(&run.model) {
            renamed.push(run.model.clone());
        }
        run.model.push_str(" (imported)");
        run.id = run.identity();
    }
    notes.extend(renamed.into_iter().map(|name| {
        format!("{name} is trained here and imported too: the imported model is called {name} (imported).")
    }));
    assembled.notes.splice(0..0, notes);
    Ok(assembled)
}

/// What a study over one data set fails by in the end, though it lets the others go on: runs that came to no result, results
/// that standard output did not take.
type Flaw = Result<(), Failure>;

/// Sessions for runs side by side; none where one run is made at a time.
fn side_by_side(session: &Session, jobs: usize, quiet: bool) -> Result<Option<Vec<Session>>, Failure> {
    if jobs <= 1 {
        return Ok(None);
    }
    let sessions = session.side_by_side(jobs)?;
    if sessions.len() < jobs && !quiet {
        output::note(&format!(
            "--jobs {jobs}: {} side by side, as many as there are threads",
            sessions.len()
        ));
    }
    Ok(Some(sessions).filter(|sessions| sessions.len() > 1))
}

/// A failure where runs came to no result.
fn all_made(Executed { failed, conflicts }: &Executed) -> Result<(), Failure> {
    if let [first, others @ ..] = &conflicts[..] {
        let more = if others.is_empty() { String::new() } else { format!("; and {} more", others.len()) };
        return Err(Failure::new(format!("{first}{more}"), MAKE_AGAIN));
    }
    match &failed[..] {
        [] => Ok(()),
        [first, others @ ..] => Err(Failure::new(
            match others.len() {
                0 => describe_failure(first),
                1 => format!("{}; another run failed too", describe_failure(first)),
                several => format!("{}; {several} other runs failed too", describe_failure(first)),
            },
            "the other runs are kept; a smaller learning rate usually helps",
        )),
    }
}
