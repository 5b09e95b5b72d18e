//! Scatter plots of the page: accuracy against cost, errors against doubts.

use crate::{
    Study,
    charts::{
        axis::Scale,
        canvas::{Canvas, Frame},
        font::Font,
        legend::{self, DOTTED, Sample},
        marks::Mark,
        scene::{Scene, Stroke},
    },
    words::{
        numbers::{self, Spread, fixed, seconds, thousands},
        text::one_line,
    },
};
use analysis::{Run, calibration::Bin, model::Model};

/// No cost or accuracy is larger; a damaged figure would flatten all others.
const LARGEST_DRAWN: f64 = 1e15;

/// Each model's accuracy over its training time; none where no time is known, or clocks of several kinds of machine are.
pub(crate) fn against_time(study: &Study, canvas: Canvas) -> Option<Scene> {
    let known = study.analysis.runs.iter().any(|run| run.train_seconds.is_some());
    let shown = |value: f64| format!("{} s", seconds(value));
    let cost = |run: &Run| run.train_seconds.unwrap_or(f64::NAN);
    (known && study.analysis.one_machine())
        .then(|| accuracy_against(study, canvas, ["training time", "s"], shown, cost))
}

/// Each model's accuracy over its parameters; none where none are known.
pub(crate) fn against_size(study: &Study, canvas: Canvas) -> Option<Scene> {
    let known = study.analysis.runs.iter().any(|run| run.parameters.is_some());
    let shown = |value: f64| thousands((value * 1000.0).round() as u64);
    let cost = |run: &Run| run.parameters.map_or(f64::NAN, |count| count as f64 / 1000.0);
    known.then(|| accuracy_against(study, canvas, ["parameters", "thousands"], shown, cost))
}

/// Each model's accuracy over what it costs: a dot at the means, a line from the worst run to the best. `shown` has its unit, which
/// need not be that of the axis.
fn accuracy_against(
    study: &Study,
    canvas: Canvas,
    [quantity, unit]: [&str; 2],
    shown: impl Fn(f64) -> String,
    cost: impl Fn(&Run) -> f64,
) -> Scene {
    let models = study.models();
    let mut scene = canvas.scene(format!("Test accuracy against {quantity}"));
    let font = Font::embedded();
    let names: Vec<String> = models.iter().map(|model| one_line(model.name)).collect();
    let points: Vec<(usize, f64, Spread, Vec<f64>)> = models
        .iter()
        .enumerate()
        .filter_map(|(index, model)| {
            let accuracies = model.figures(|run| run.test.accuracy * 100.0);
            let costs = model.figures(&cost);
            let drawn = |values: &[f64]| values.iter().all(|value| value.abs() < LARGEST_DRAWN);
            if !drawn(&costs) || !drawn(&accuracies) {
                return None;
            }
            Some((index, Spread::of(&costs)?.mean, Spread::of(&accuracies)?, accuracies))
        })
        .collect();
    let costs: Vec<f64> = points.iter().map(|(_, cost, ..)| *cost).collect();
    let accuracies: Vec<f64> = points.iter().flat_map(|(.., all)| all.iter().copied()).collect();
    let mut key = Vec::new();
    if study.analysis.repeated() {
        key.push((Sample::Band, "smallest to largest of the runs".to_owned()));
    }
    let top = legend::draw(&mut scene, &font, &names, key, true, canvas, 8.0);
    let x = Scale::for_positive(&costs);
    let y = Scale::linear(&accuracies, Some(0.0), Some(100.0));
    let bottom = f64::from(scene.height) - 24.0;
    let frame = Frame::new(canvas, &font, [top + 26.0, bottom], x, y);
    let axes = [&format!("{quantity} ({unit})"), "test accuracy (%)"];
    frame.axes(&mut scene, &x.ticks(canvas.ticks() * 2 / 3), axes, points.is_empty());
    for (index, cost, accuracy, all) in &points {
        let mark = Mark::of(*index);
        let smallest = all.iter().copied().fold(accuracy.mean, f64::min);
        let largest = all.iter().copied().fold(accuracy.mean, f64::max);
        let ends = [frame.place(*cost, smallest), frame.place(*cost, largest)];
        scene.line(&ends, Stroke { colour: mark.colour, width: 3.0, dash: None });
        mark.draw(&mut scene, frame.place(*cost, accuracy.mean), false);
    }
    let mut order: Vec<_> = points.iter().collect();
    order.sort_by(|one, other| one.1.total_cmp(&other.1));
    let middle = |index: usize| frame.place(order[index].1, 0.0).0;
    for (index, (model, cost, accuracy, _)) in order.iter().enumerate() {
        let left = if index == 0 { frame.left } else { f64::midpoint(middle(index - 1), middle(index)) };
        let right = if index + 1 == order.len() {
            frame.right
        } else {
            f64::midpoint(middle(index), middle(index + 1))
        };
        let accuracy = numbers::shown(Some(*accuracy), |value| fixed(value, 2));
        let lines =
            vec![names[*model].clone(), format!("{accuracy} %"), format!("{quantity}: {}", shown(*cost))];
        frame.probe(&mut scene, &font, [left, right], middle(index), lines);
    }
    scene
}

/// How often each model is wrong where it says that it might be, in bins of its predictions; none without
/// probabilities.
pub(crate) fn calibration(models: &[Model], canvas: Canvas) -> Option<Scene> {
    let all: Vec<(usize, &[Bin])> = models
        .iter()
        .enumerate()
        .filter_map(|(index, model)| Some((index, model.calibration.as_ref()?.bins.as_slice())))
        .collect();
    let drawn = |bin: &&Bin| bin.accuracy < 1.0 && bin.confidence < 1.0;
    let values: Vec<f64> = all
        .iter()
        .flat_map(|(_, bins)| bins.iter().filter(drawn))
        .flat_map(|bin| [100.0 * (1.0 - bin.confidence), 100.0 * (1.0 - bin.accuracy)])
        .collect();
    if values.is_empty() {
        return None;
    }
    let mut scene = canvas.scene("Errors against stated doubt, in bins of equal mass".to_owned());
    let font = Font::embedded();
    let names: Vec<String> = models.iter().map(|model| one_line(model.name)).collect();
    let key = vec![(Sample::Dotted, "as often wrong as it says".to_owned())];
    let top = legend::draw(&mut scene, &font, &names, key, false, canvas, 8.0);
    let smallest = values.iter().copied().fold(f64::INFINITY, f64::min) / 1.3;
    let largest = values.iter().copied().fold(0.0, f64::max) * 1.3;
    let scale = Scale::Logarithmic { lower: smallest, upper: largest };
    let bottom = f64::from(scene.height) - 24.0;
    let frame = Frame::new(canvas, &font, [top + 26.0, bottom], scale, scale);
    let labels = ["stated doubt (%, log scale)", "wrong (%, log scale)"];
    frame.axes(&mut scene, &scale.ticks(canvas.ticks() * 2 / 3), labels, false);
    scene.line(&[frame.place(smallest, smallest), frame.place(largest, largest)], DOTTED);
    for (index, bins) in &all {
        let mark = Mark::of(*index);
        let place = |bin: &Bin| frame.place(100.0 * (1.0 - bin.confidence), 100.0 * (1.0 - bin.accuracy));
        let points: Vec<_> = bins.iter().filter(drawn).map(place).collect();
        if points.len() > 1 {
            scene.line(&points, Stroke { width: 3.0, ..mark.stroke(false) });
        }
        points.into_iter().for_each(|point| mark.draw(&mut scene, point, false));
    }
    Some(scene)
}
