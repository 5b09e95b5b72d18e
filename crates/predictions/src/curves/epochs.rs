//! Which epoch a step is of, and the figures of each epoch.

use super::{
    Choice, Log, Logger, STATE_STEPS,
    meaning::{Chosen, Figure, Point, Series},
};
use crate::{
    About,
    about::{LONGEST_NOTE, MOST_NOTES},
    error::{Error, quoted},
};
use records::record::EpochRecord;
use std::collections::{BTreeMap, BTreeSet};

/// No training has more.
const MOST_EPOCHS: usize = 50_000;

/// None has a higher number.
const LAST_EPOCH: i64 = 10_000_000;

/// A figure, the series that it was logged as, and the values that count.
type Used<'a> = (Figure, &'a Series, Vec<Point>);

/// Which epoch each step is of.
enum Epochs {
    /// The step, and by how much the epoch is more.
    Steps(i64),
    /// So many steps an epoch.
    Every(u64),
    /// As it was logged, by step, and by how much an epoch is more.
    Logged(BTreeMap<i64, f64>, f64),
    /// Each of these evaluations ends one.
    Evaluations(Vec<i64>),
}

impl Epochs {
    /// Counted from 1; none for what comes after the last evaluation.
    fn of(&self, step: i64) -> Option<i64> {
        match self {
            Self::Steps(more) => Some(step + more),
            Self::Every(steps) => Some((step.max(1) as u64).div_ceil(*steps) as i64),
            Self::Logged(logged, more) => {
                let before = logged.range(..=step).next_back();
                let (_, epoch) = before.or_else(|| logged.iter().next())?;
                Some(((epoch + more).ceil() as i64).max(1))
            }
            Self::Evaluations(steps) => {
                let before = steps.partition_point(|evaluation| *evaluation < step);
                (before < steps.len()).then_some(before as i64 + 1)
            }
        }
    }
}

impl Log {
    /// What `run.json` is to state: the figures by epoch, and notes on what was guessed, averaged, dropped or left out.
    ///
    /// # Errors
    /// When no series is a figure, several may be, or steps cannot be brought to epochs.
    pub fn about(&self, logger: Logger, choice: &Choice) -> Result<About, Error> {
        if self.series.iter().all(Series::is_empty) {
            return Err(self.nothing());
        }
        let chosen = Chosen::of(&self.series, choice, &self.source)?;
        let mut notes = vec![format!("curves read from {} ({})", self.source, logger.name())];
        let called = |(figure, series): &(Figure, &Series)| {
            format!("{} is {}", figure.in_words(), quoted(&series.name))
        };
        notes.push(chosen.figures.iter().map(called).collect::<Vec<_>>().join(", "));
        if !chosen.others.is_empty() {
            notes.push(format!("left out: {}", crate::listed(&chosen.others)));
        }
        notes.extend(self.notes.iter().cloned());
        let mut figures = Vec::new();
        for (figure, series) in &chosen.figures {
            let points = self.in_order(series, &mut notes)?;
            // What is named is taken at its word.
            let is_stated = choice.series.iter().any(|(stated, _)| stated == figure);
            if *figure == Figure::Seconds && !is_stated && is_of_a_clock(&points) {
                notes.push(format!(
                    "{} grows throughout, as the time since the start does: left out unless it is stated",
                    quoted(&series.name)
                ));
                continue;
            }
            figures.push((*figure, *series, points));
        }
        let apart = match self.by_epoch || chosen.epoch.is_some() {
            true => Vec::new(),
            false => counted_apart(&figures, choice.steps_per_epoch, &mut notes),
        };
        // Without them the others are counted by epoch, whatever is stated of steps.
        let (by_step, others): (Vec<_>, Vec<_>) =
            figures.into_iter().partition(|(figure, ..)| apart.contains(figure));
        let stated = if apart.is_empty() { choice.steps_per_epoch } else { Some(1) };
        let epochs = self.epochs(&others, &chosen, stated, &mut notes)?;
        let mut mapped = vec![(epochs, others)];
        if let Some(steps) = choice.steps_per_epoch {
            mapped.push((Epochs::Every(steps), by_step));
        }
        let epochs = collected(&mapped, &self.source, &mut notes)?;
        let seconds: Option<Vec<f64>> = epochs
            .iter()
            .map(|epoch| Some(epoch.train_seconds).filter(|seconds| seconds.is_finite()))
            .collect();
        Ok(About {
            seed: self.seed,
            train_seconds: seconds.map(|seconds| seconds.iter().sum()),
            total_seconds: self.total_seconds,
            epochs,
            remarks: fitting(notes),
            ..About::default()
        })
    }

    fn nothing(&self) -> Error {
        Error::new(
            &self.source,
            "figures of one epoch or more",
            "none",
            "wait for the end of an epoch, or log the curves again",
        )
    }

    /// Points by ascending step. A training that goes on from an earlier step replaces what was logged from there on.
    fn in_order(&self, series: &Series, notes: &mut Vec<String>) -> Result<Vec<Point>, Error> {
        let all = &series.points;
        let name = quoted(&series.name);
        if !self.by_epoch && all.len() > 1 && all.iter().all(|point| point.step == all[0].step) {
            notes.push(format!(
                "all {} values of {name} have step {}: they are numbered in their order",
                all.len(),
                all[0].step
            ));
            return Ok((0..).zip(all).map(|(step, point)| Point { step, ..*point }).collect());
        }
        let mut points: Vec<Point> = Vec::new();
        let (mut again, mut dropped) = (0, 0);
        for point in all {
            let earlier = points.partition_point(|other| other.step < point.step);
            let is_again = points.last().is_some_and(|last| last.step == point.step);
            if earlier == 0 && points.len() > 1 {
                let found =
                    format!("{} again after {}", point.step, points.last().map_or(0, |last| last.step));
                return Err(series.refused(
                    point.at,
                    "a later step or epoch",
                    found,
                    "it is a second training, or one that goes on and counts anew: keep one training, or number its epochs on",
                ));
            }
            let replaced = points.len() - earlier;
            match is_again {
                true => again += replaced,
                false => dropped += replaced,
            }
            points.truncate(earlier);
            points.push(*point);
        }
        if again > 0 {
            let values = if again == 1 { "1 value".to_owned() } else { format!("{again} values") };
            notes
                .push(format!("{values} of {name} logged again for the same step or epoch: the last counts"));
        }
        if dropped > 0 {
            let values = if dropped == 1 { "1 value".to_owned() } else { format!("{dropped} values") };
            notes.push(format!(
                "{values} of {name} dropped: the training went on from an earlier step or epoch"
            ));
        }
        Ok(points)
    }

    fn epochs(
        &self,
        figures: &[Used],
        chosen: &Chosen,
        steps_per_epoch: Option<u64>,
        notes: &mut Vec<String>,
    ) -> Result<Epochs, Error> {
        let of = |is_wanted: fn(Figure) -> bool| -> BTreeSet<i64> {
            let wanted = figures.iter().filter(|(figure, ..)| is_wanted(*figure));
            wanted.flat_map(|(.., points)| points.iter().map(|point| point.step)).collect()
        };
        let steps = of(|_| true);
        let (Some(first), Some(last)) = (steps.first().copied(), steps.last().copied()) else {
            return Err(Error::new(
                &self.source,
                "figures of one epoch or more",
                "none",
                "log the curves again",
            ));
        };
        if first < 0 {
            let what = "steps or epochs from 0 on";
            return Err(Error::new(&self.source, what, first.to_string(), "log the curves again"));
        }
        let more = i64::from(first == 0);
        match steps_per_epoch {
            None => {}
            Some(1) => return Ok(Epochs::Steps(more)),
            Some(steps) => {
                notes.push(format!("logged by step: {steps} steps are taken as an epoch, as stated"));
                return Ok(Epochs::Every(steps));
            }
        }
        if self.by_epoch {
            if more == 1 {
                notes.push("epochs are counted from 0 there, from 1 here".to_owned());
            }
            return Ok(Epochs::Steps(more));
        }
        if let Some(series) = chosen.epoch {
            let points = self.in_order(series.checked()?, notes)?;
            let fits = |value: f64| (0.0..1e9).contains(&value);
            if let Some(wrong) = points.iter().find(|point| !fits(point.value)) {
                return Err(series.refused(
                    wrong.at,
                    "the number of an epoch, from 0 on",
                    wrong.value.to_string(),
                    "correct it, or state another series as that of the epochs",
                ));
            }
            let whole = points.iter().all(|point| point.value.fract() == 0.0);
            let from_zero = points.iter().any(|point| point.value == 0.0);
            notes.push(format!("logged by step: the epoch is {}, as logged", quoted(&series.name)));
            let logged = points.iter().map(|point| (point.step, point.value)).collect();
            return Ok(Epochs::Logged(logged, f64::from(whole && from_zero)));
        }
        let evaluations: Vec<i64> =
            of(|figure| !figure.is_of_training() && figure != Figure::Seconds).into_iter().collect();
        let in_a_row = |first: i64, last: i64, count: usize| last - first == count as i64 - 1;
        let every = match &evaluations[..] {
            [first, .., last] => in_a_row(*first, *last, evaluations.len()),
            [] | [_] => true,
        };
        if first <= 1 && in_a_row(first, last, steps.len()) && every {
            notes.push(format!(
                "steps {first} to {last} are taken as epochs {} to {}; if they are batches, state how many an epoch has",
                first + more,
                last + more
            ));
            return Ok(Epochs::Steps(more));
        }
        match &evaluations[..] {
            [] => Err(Error::new(
                &self.source,
                "epochs, or evaluations that end them,",
                format!("training figures of steps {first} to {last}"),
                STATE_STEPS,
            )),
            [first, .., last] => {
                notes.push(format!(
                    "logged by step: each of the {} evaluations, at steps {first} to {last}, is taken as the end of an epoch; if steps are epochs, state one step an epoch",
                    evaluations.len()
                ));
                Ok(Epochs::Evaluations(evaluations))
            }
            [only] => {
                notes.push(format!(
                    "logged by step: the only evaluation, at step {only}, is taken as the end of an epoch"
                ));
                Ok(Epochs::Evaluations(evaluations))
            }
        }
    }
}

/// Notes that a record has room for: of hundreds of files the first ones.
fn fitting(mut notes: Vec<String>) -> Vec<String> {
    let all = notes.len();
    if all > MOST_NOTES {
        notes.truncate(MOST_NOTES - 1);
        notes.push(format!("and {} notes more", all - notes.len()));
    }
    for note in notes.iter_mut().filter(|note| note.len() > LONGEST_NOTE) {
        let end = (0..=LONGEST_NOTE - '…'.len_utf8()).rev().find(|end| note.is_char_boundary(*end));
        note.truncate(end.unwrap_or(0));
        note.push('…');
    }
    notes
}

/// Whether seconds look like those since the start.
fn is_of_a_clock(points: &[Point]) -> bool {
    let grows = points.windows(2).all(|pair| pair[0].value < pair[1].value);
    points.len() > 2 && grows && points[points.len() - 1].value > 2.0 * points[0].value
}

/// The training figures whose steps are batches where those of the evaluations are epochs, which many programs log side by side: the
/// evaluations are counted in a row, and training goes on far beyond the last. They need a number of steps an epoch.
fn counted_apart(figures: &[Used], steps_per_epoch: Option<u64>, notes: &mut Vec<String>) -> Vec<Figure> {
    let is_evaluation =
        |figure: Figure| matches!(figure, Figure::ValidationLoss | Figure::ValidationAccuracy);
    let evaluated = figures.iter().filter(|(figure, ..)| is_evaluation(*figure));
    let steps: BTreeSet<i64> = evaluated.flat_map(|(.., points)| points.iter().map(|of| of.step)).collect();
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Vec::new() };
    if !(0..=1).contains(first) || last - first != steps.len() as i64 - 1 {
        return Vec::new();
    }
    let beyond = |points: &[Point]| points.last().is_some_and(|point| point.step > 2 * (*last).max(1));
    let apart: Vec<_> =
        figures.iter().filter(|(figure, _, points)| figure.is_of_training() && beyond(points)).collect();
    for (_, series, points) in &apart {
        let until = points.last().map_or(0, |point| point.step);
        notes.push(match steps_per_epoch {
            Some(steps) => format!(
                "{} is logged by step, the evaluations by epoch: {steps} steps are taken as an epoch, as stated",
                quoted(&series.name)
            ),
            None => format!(
                "{} is logged by step, up to {until}, the evaluations by epoch, up to {last}: left out unless it is stated how many steps an epoch has",
                quoted(&series.name)
            ),
        });
    }
    apart.into_iter().map(|(figure, ..)| *figure).collect()
}

/// The figures of each epoch: those of training averaged over what was logged in it, of an evaluation the last.
fn collected(
    mapped: &[(Epochs, Vec<Used>)],
    source: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<EpochRecord>, Error> {
    let mut records: BTreeMap<i64, EpochRecord> = BTreeMap::new();
    let figures = mapped.iter().flat_map(|(epochs, figures)| figures.iter().map(move |of| (epochs, of)));
    for (epochs, (figure, series, points)) in figures {
        let scale = check_values(*figure, series, points, notes)?;
        let mut of_epoch: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        let (mut after, mut missing) = (0, Vec::new());
        for point in points {
            match epochs.of(point.step) {
                None => after += 1,
                Some(epoch) if epoch > LAST_EPOCH => {
                    let expected = format!("an epoch up to {LAST_EPOCH}");
                    return Err(series.refused(point.at, &expected, epoch.to_string(), STATE_STEPS));
                }
                Some(epoch) if !point.value.is_finite() => missing.push(epoch),
                Some(epoch) => of_epoch.entry(epoch).or_default().push(point.value / scale),
            }
        }
        if after > 0 {
            notes.push(format!(
                "{} of {} came after the last evaluation: left out",
                values(after),
                quoted(&series.name)
            ));
        }
        if let [first, ..] = &missing[..] {
            notes.push(format!(
                "{} of {} not finite, first in epoch {first}: left out",
                values(missing.len()),
                quoted(&series.name)
            ));
        }
        let most = of_epoch.values().map(Vec::len).max().unwrap_or(0);
        if most > 1 {
            let how = if figure.is_of_training() { "their mean" } else { "the last" };
            notes.push(format!("up to {most} values of {} in an epoch: {how} counts", quoted(&series.name)));
        }
        for (epoch, values) in of_epoch {
            let value = match figure.is_of_training() {
                true => values.iter().sum::<f64>() / values.len() as f64,
                false => *values.last().expect("one value at least"),
            };
            let record = records.entry(epoch).or_insert_with(|| EpochRecord::unknown(epoch as usize));
            *match figure {
                Figure::TrainLoss => &mut record.train_loss,
                Figure::TrainAccuracy => &mut record.train_accuracy,
                Figure::ValidationLoss => &mut record.validation_loss,
                Figure::ValidationAccuracy => &mut record.validation_accuracy,
                Figure::Seconds => &mut record.train_seconds,
            } = value;
        }
    }
    if records.is_empty() || records.len() > MOST_EPOCHS {
        return Err(Error::new(
            source,
            format!("figures of 1 to {MOST_EPOCHS} epochs"),
            records.len().to_string(),
            STATE_STEPS,
        ));
    }
    Ok(records.into_values().collect())
}

fn values(count: usize) -> String {
    if count == 1 { "1 value".to_owned() } else { format!("{count} values") }
}

/// Refuses an accuracy or a time that cannot be; what values are to be divided by.
fn check_values(
    figure: Figure,
    series: &Series,
    points: &[Point],
    notes: &mut Vec<String>,
) -> Result<f64, Error> {
    // Single precision rounds up.
    const ONE: f64 = 1.0 + 1e-6;
    let finite = || points.iter().filter(|point| point.value.is_finite());
    if figure == Figure::Seconds {
        return match finite().find(|point| point.value < 0.0) {
            Some(point) => Err(series.refused(
                point.at,
                "seconds from 0 on",
                point.value.to_string(),
                "correct them, or leave them out",
            )),
            None => Ok(1.0),
        };
    }
    if !figure.is_accuracy() {
        return Ok(1.0);
    }
    if let Some(point) = finite().find(|point| !(0.0..=100.0 * ONE).contains(&point.value)) {
        return Err(series.refused(
            point.at,
            "an accuracy from 0 to 1, or per cent",
            point.value.to_string(),
            "correct it, or name the series of the accuracy",
        ));
    }
    if finite().all(|point| point.value <= ONE) {
        return Ok(1.0);
    }
    notes.push(format!("{} is in per cent, and divided by 100", quoted(&series.name)));
    Ok(100.0)
}
