//! The best so far over the trials, and a setting's values beside what came of them.

use records::{
    question::Measure,
    trial::{Outcome, TrialRecord},
};
use study::tune::{ModelOutcome, Tuning};

use crate::{
    charts::{
        axis::{Scale, counting_ticks},
        canvas::{Canvas, Frame},
        font::Font,
        legend::{self, Sample},
        marks::{Mark, WHITE},
        scene::{Colour, Outline, Point, Scene, Stroke},
    },
    words::{
        numbers::{counted, value_of, value_unit},
        text::{capitalised, one_line},
    },
};

/// Radius of a trial's dot: there are many.
const DOT: f64 = 6.0;

/// More trials than these have no strips to point at: each would be narrower than a pointer hits.
const MOST_STRIPS: usize = 120;

/// The best validation accuracy so far over each model's trials, every finished trial a dot: `Search.png`.
pub fn search_chart(tuning: &Tuning) -> Scene {
    search(tuning, Canvas::Picture)
}

/// [`search_chart`] for any place.
pub(crate) fn search(tuning: &Tuning, canvas: Canvas) -> Scene {
    let font = Font::embedded();
    let names: Vec<String> = tuning.models.iter().map(|model| one_line(&model.name)).collect();
    let measure = tuning.question.decide_by;
    let title = format!("Best {} over the trials", measure.of_validation());
    let subtitle =
        format!("{}, {} sampler", one_line(&tuning.question.dataset.name), tuning.question.sampler_name());
    let mut scene = canvas.scene(format!("{title}. {subtitle}"));
    let scale = Scale::linear(&lines(tuning), Some(0.0), highest(measure));
    let side = if measure.larger_is_better() { "below" } else { "above" };
    let seen = |value: f64| is_seen(measure, &scale, value);
    let beyond = dots(tuning).filter(|(.., value)| !seen(*value)).count();
    let notes: Vec<String> = (beyond > 0)
        .then(|| format!("Not drawn, because {side} the axis: {}.", counted(beyond, "finished trial")))
        .into_iter()
        .collect();
    let (top, bottom) = canvas.captions(&mut scene, &font, &title, &subtitle, &notes);
    let mut key = vec![(Sample::Validation, "best so far".to_owned())];
    if tuning.models.iter().any(|model| model.expected_best.is_some()) {
        key.push((Sample::Training, "expected best of so many trials".to_owned()));
    }
    key.push((Sample::Dotted, "baseline".to_owned()));
    let top = legend::draw(&mut scene, &font, &names, key, false, canvas, top);
    let trials = tuning.models.iter().map(|model| model.trials.len()).max().unwrap_or(0).max(1);
    let x = Scale::Linear { lower: 0.5, upper: trials as f64 + 0.5 };
    let frame = Frame::new(canvas, &font, [top + 26.0, bottom], x, scale);
    let ticks = counting_ticks(1.0, trials as f64, canvas.ticks());
    let empty = tuning.models.iter().all(|model| model.trials.is_empty());
    frame.axes(&mut scene, &ticks, ["trials made", &axis(measure)], empty);
    let place = |x: f64, value: f64| frame.place(x, value.clamp(0.0, highest(measure).unwrap_or(f64::MAX)));
    for (index, model) in tuning.models.iter().enumerate() {
        draw_lines(&mut scene, model, measure, Mark::of(index), trials, seen, place);
    }
    for (model, trial, value) in dots(tuning).filter(|(.., value)| seen(*value)) {
        dot(&mut scene, Mark::of(model).colour, place(trial as f64 + 1.0, value), true);
    }
    if canvas.is_on_a_page() && trials <= MOST_STRIPS {
        for trial in 1..=trials {
            let edge = |x: f64| frame.place(x, 0.0).0;
            let mut strip = vec![format!("trial {trial}")];
            for (name, model) in names.iter().zip(&tuning.models) {
                let best = model.best_so_far.get(trial - 1).copied().flatten();
                strip.push(format!(
                    "{name}: best {} {}",
                    best.map_or("–".to_owned(), value_of(measure)),
                    value_unit(measure)
                ));
            }
            let x = trial as f64;
            frame.probe(&mut scene, &font, [edge(x - 0.5), edge(x + 0.5)], edge(x), strip);
        }
    }
    scene
}

/// No value is higher, in the axis's unit.
fn highest(measure: Measure) -> Option<f64> {
    measure.larger_is_better().then_some(100.0)
}

/// Whether a value is not too bad for the axis.
fn is_seen(measure: Measure, scale: &Scale, value: f64) -> bool {
    if measure.larger_is_better() { scale.fraction(value) >= 0.0 } else { scale.fraction(value) <= 1.0 }
}

fn axis(measure: Measure) -> String {
    format!("{} ({})", measure.of_validation(), value_unit(measure))
}

/// What the axis must show whole, in its unit: every line, not every dot.
fn lines(tuning: &Tuning) -> Vec<f64> {
    let measure = tuning.question.decide_by;
    let of_model = |model: &ModelOutcome| -> Vec<f64> {
        let best = model.best_so_far.iter().flatten().copied();
        // The mean of all trials, where some came to nothing, would leave the rest no room.
        let expected = model.expected_best.iter().flatten().skip(model.trials.len() / 4).copied();
        let all = best.chain(expected).chain(value(&model.as_it_stands, measure));
        all.map(|value| measure.scale() * value).collect()
    };
    tuning.models.iter().flat_map(of_model).collect()
}

/// Every finished trial: its model, its number and its value in the axis's unit.
fn dots(tuning: &Tuning) -> impl Iterator<Item = (usize, usize, f64)> {
    let measure = tuning.question.decide_by;
    tuning.models.iter().enumerate().flat_map(move |(model, outcome)| {
        let finished =
            outcome.trials.iter().enumerate().filter(|(_, trial)| trial.outcome == Outcome::Finished);
        finished.filter_map(move |(number, trial)| {
            Some((model, number, measure.scale() * value(trial, measure)?))
        })
    })
}

fn value(trial: &TrialRecord, measure: Measure) -> Option<f64> {
    trial.last().and_then(|epoch| epoch.validation(measure))
}

fn draw_lines(
    scene: &mut Scene,
    model: &ModelOutcome,
    measure: Measure,
    mark: Mark,
    trials: usize,
    seen: impl Fn(f64) -> bool,
    place: impl Fn(f64, f64) -> Point,
) {
    let scale = measure.scale();
    if let Some(value) = value(&model.as_it_stands, measure) {
        let ends = [place(0.5, scale * value), place(trials as f64 + 0.5, scale * value)];
        scene.line(&ends, Stroke { colour: mark.colour, width: 2.5, dash: Some([4.0, 8.0]) });
    }
    let expected = model.expected_best.iter().flatten().enumerate();
    let expected: Vec<Point> = expected
        .filter(|(_, value)| seen(scale * **value))
        .map(|(index, value)| place(index as f64 + 1.0, scale * value))
        .collect();
    if expected.len() > 1 {
        scene.line(&expected, mark.stroke(true));
    }
    let mut steps: Vec<Point> = Vec::new();
    let mut before = None;
    for (index, best) in model.best_so_far.iter().enumerate() {
        let Some(best) = best.map(|best| scale * best) else { continue };
        let x = index as f64 + 1.0;
        steps.extend(before.map(|before| place(x, before)));
        steps.push(place(x, best));
        before = Some(best);
    }
    if steps.len() > 1 {
        scene.line(&steps, mark.stroke(false));
    }
}

fn dot(scene: &mut Scene, colour: Colour, at: Point, filled: bool) {
    let (fill, edge) = if filled { (colour, WHITE) } else { (WHITE, colour) };
    scene.shape(
        Outline::Circle(at, DOT),
        Some(fill),
        Some(Stroke { colour: edge, width: 2.0, dash: None }),
        1.0,
    );
}

/// A numeric setting's values beside what came of them: finished trials filled, stopped ones hollow at the
/// epoch that they were stopped at. None where the setting is no number or nothing can be drawn.
pub(crate) fn setting(tuning: &Tuning, index: usize, name: &str, canvas: Canvas) -> Option<Scene> {
    let measure = tuning.question.decide_by;
    let points: Vec<(f64, f64, bool)> = tuning.models[index]
        .trials
        .iter()
        .filter_map(|trial| {
            let drawn = matches!(trial.outcome, Outcome::Finished | Outcome::Stopped);
            let setting = trial.settings.get(name)?.as_f64().filter(|_| drawn)?;
            Some((setting, measure.scale() * value(trial, measure)?, trial.outcome == Outcome::Finished))
        })
        .collect();
    let mut reached: Vec<f64> = points.iter().map(|(_, value, _)| *value).collect();
    reached.sort_by(f64::total_cmp);
    if !measure.larger_is_better() {
        reached.reverse();
    }
    // The worst tenth would leave the others no room.
    let shown = reached.get(reached.len() / 10..).filter(|shown| !shown.is_empty())?.to_vec();
    let mut scene = canvas.scene(format!("{} by {name}", capitalised(measure.of_validation())));
    let font = Font::embedded();
    let values: Vec<f64> = points.iter().map(|(value, ..)| *value).collect();
    let (x, y) = (Scale::for_positive(&values), Scale::linear(&shown, Some(0.0), highest(measure)));
    let frame = Frame::new(canvas, &font, [34.0, f64::from(scene.height) - 24.0], x, y);
    let label = font.fitted(&one_line(name), crate::charts::canvas::BODY, canvas.inner_width() / 2.0);
    frame.axes(&mut scene, &x.ticks(canvas.ticks() * 2 / 3), [&label, &axis(measure)], false);
    let mut ordered: Vec<_> = points.iter().filter(|(_, value, _)| is_seen(measure, &y, *value)).collect();
    // Finished ones on top.
    ordered.sort_by_key(|(.., finished)| *finished);
    for (setting, value, finished) in ordered {
        dot(&mut scene, Mark::of(index).colour, frame.place(*setting, *value), *finished);
    }
    Some(scene)
}
