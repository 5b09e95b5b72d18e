//! The best so far over the trials, and a setting's values beside what came of them.

use records::trial::{Outcome, TrialRecord};
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
        numbers::{counted, percent},
        text::one_line,
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
    let title = "Best validation accuracy over the trials";
    let subtitle =
        format!("{}, {} sampler", one_line(&tuning.question.dataset.name), tuning.question.sampler_name());
    let mut scene = canvas.scene(format!("{title}. {subtitle}"));
    let scale = Scale::linear(&lines(tuning), Some(0.0), Some(100.0));
    let below = dots(tuning).filter(|(.., accuracy)| scale.fraction(*accuracy) < 0.0).count();
    let notes: Vec<String> = (below > 0)
        .then(|| format!("Not drawn, because below the axis: {}.", counted(below, "finished trial")))
        .into_iter()
        .collect();
    let (top, bottom) = canvas.captions(&mut scene, &font, title, &subtitle, &notes);
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
    frame.axes(&mut scene, &ticks, ["trials made", "validation accuracy (%)"], empty);
    let place = |x: f64, accuracy: f64| frame.place(x, accuracy.clamp(0.0, 100.0));
    let seen = |accuracy: f64| scale.fraction(accuracy) >= 0.0;
    for (index, model) in tuning.models.iter().enumerate() {
        draw_lines(&mut scene, model, Mark::of(index), trials, seen, place);
    }
    for (model, trial, accuracy) in dots(tuning).filter(|(.., accuracy)| seen(*accuracy)) {
        dot(&mut scene, Mark::of(model).colour, place(trial as f64 + 1.0, accuracy), true);
    }
    if canvas.is_on_a_page() && trials <= MOST_STRIPS {
        for trial in 1..=trials {
            let edge = |x: f64| frame.place(x, 0.0).0;
            let mut strip = vec![format!("trial {trial}")];
            for (name, model) in names.iter().zip(&tuning.models) {
                let best = model.best_so_far.get(trial - 1).copied().flatten();
                strip.push(format!("{name}: best {} %", best.map_or("–".to_owned(), percent)));
            }
            let x = trial as f64;
            frame.probe(&mut scene, &font, [edge(x - 0.5), edge(x + 0.5)], edge(x), strip);
        }
    }
    scene
}

/// What the axis must show whole, in per cent: every line, not every dot.
fn lines(tuning: &Tuning) -> Vec<f64> {
    let of_model = |model: &ModelOutcome| -> Vec<f64> {
        let best = model.best_so_far.iter().flatten().copied();
        // The mean of all trials, where some came to nothing, would leave the rest no room.
        let expected = model.expected_best.iter().flatten().skip(model.trials.len() / 4).copied();
        best.chain(expected).chain(accuracy(&model.as_it_stands)).map(|accuracy| 100.0 * accuracy).collect()
    };
    tuning.models.iter().flat_map(of_model).collect()
}

/// Every finished trial: its model, its number and its accuracy in per cent.
fn dots(tuning: &Tuning) -> impl Iterator<Item = (usize, usize, f64)> {
    tuning.models.iter().enumerate().flat_map(|(model, outcome)| {
        let finished =
            outcome.trials.iter().enumerate().filter(|(_, trial)| trial.outcome == Outcome::Finished);
        finished.filter_map(move |(number, trial)| Some((model, number, 100.0 * accuracy(trial)?)))
    })
}

fn accuracy(trial: &TrialRecord) -> Option<f64> {
    trial.last().map(|epoch| epoch.validation_accuracy)
}

fn draw_lines(
    scene: &mut Scene,
    model: &ModelOutcome,
    mark: Mark,
    trials: usize,
    seen: impl Fn(f64) -> bool,
    place: impl Fn(f64, f64) -> Point,
) {
    if let Some(accuracy) = accuracy(&model.as_it_stands) {
        let ends = [place(0.5, 100.0 * accuracy), place(trials as f64 + 0.5, 100.0 * accuracy)];
        scene.line(&ends, Stroke { colour: mark.colour, width: 2.5, dash: Some([4.0, 8.0]) });
    }
    let expected = model.expected_best.iter().flatten().enumerate();
    let expected: Vec<Point> = expected
        .filter(|(_, accuracy)| seen(100.0 * **accuracy))
        .map(|(index, accuracy)| place(index as f64 + 1.0, 100.0 * accuracy))
        .collect();
    if expected.len() > 1 {
        scene.line(&expected, mark.stroke(true));
    }
    let mut steps: Vec<Point> = Vec::new();
    let mut before = None;
    for (index, best) in model.best_so_far.iter().enumerate() {
        let Some(best) = best.map(|best| 100.0 * best) else { continue };
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

/// A numeric setting's values beside the accuracies that came of them: finished trials filled, stopped ones hollow at the
/// epoch that they were stopped at. None where the setting is no number or nothing can be drawn.
pub(crate) fn setting(model: &ModelOutcome, index: usize, name: &str, canvas: Canvas) -> Option<Scene> {
    let points: Vec<(f64, f64, bool)> = model
        .trials
        .iter()
        .filter_map(|trial| {
            let drawn = matches!(trial.outcome, Outcome::Finished | Outcome::Stopped);
            let value = trial.settings.get(name)?.as_f64().filter(|_| drawn)?;
            Some((value, 100.0 * accuracy(trial)?, trial.outcome == Outcome::Finished))
        })
        .collect();
    let mut accuracies: Vec<f64> = points.iter().map(|(_, accuracy, _)| *accuracy).collect();
    accuracies.sort_by(f64::total_cmp);
    // The worst tenth would leave the others no room.
    let shown = accuracies.get(accuracies.len() / 10..).filter(|shown| !shown.is_empty())?.to_vec();
    let mut scene = canvas.scene(format!("Validation accuracy by {name}"));
    let font = Font::embedded();
    let values: Vec<f64> = points.iter().map(|(value, ..)| *value).collect();
    let (x, y) = (Scale::for_positive(&values), Scale::linear(&shown, Some(0.0), Some(100.0)));
    let frame = Frame::new(canvas, &font, [34.0, f64::from(scene.height) - 24.0], x, y);
    let label = font.fitted(&one_line(name), crate::charts::canvas::BODY, canvas.inner_width() / 2.0);
    frame.axes(&mut scene, &x.ticks(canvas.ticks() * 2 / 3), [&label, "validation accuracy (%)"], false);
    let mut ordered: Vec<_> = points.iter().filter(|(_, accuracy, _)| y.fraction(*accuracy) >= 0.0).collect();
    // Finished ones on top.
    ordered.sort_by_key(|(.., finished)| *finished);
    for (value, accuracy, finished) in ordered {
        dot(&mut scene, Mark::of(index).colour, frame.place(*value, *accuracy), *finished);
    }
    Some(scene)
}
