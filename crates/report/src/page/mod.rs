//! The report as one HTML page that needs nothing beside it.

mod atlas;
mod certainty;
mod classes;
mod tuning;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{
    Model, Study,
    atlas::Atlas,
    calibration,
    canvas::Canvas,
    chart::{Chart, Quantity},
    curves,
    discussion::discussion,
    forest,
    learning::{seconds_per_epoch, tested_of_all},
    markdown,
    marks::PALETTE,
    method,
    numbers::{MISSING, fixed, loss, percent, seconds, shown, shown_seconds, thousands},
    plots, target,
    text::one_line,
};

pub use tuning::tuning_page;

/// `report.html`: the verdict, the curves, what they cost, what goes wrong, how it was made.
pub fn page(study: &Study) -> String {
    let models = study.models();
    let title = markdown::title(study, &models);
    let sections = sections(study, &models);
    let header = html! {
        @if models.is_empty() { p { "No run has finished." } }
        @for warning in study.sanity() { p.warning role="note" { strong { "Warning. " } (one_line(&warning)) } }
        @for (verdict, meaning) in markdown::verdicts(study, &models) {
            p.verdict { (inline(&verdict)) }
            @if let Some(meaning) = meaning { p { (inline(&meaning)) } }
        }
        (differences(study))
        @if let Some(target) = target::in_words(study) {
            p { "Target: " (inline(&target)) }
            ul { @for sentence in target::sentences(study) { li { (inline(&sentence)) } } }
        }
        @if let Some(sentence) = study.original_sentence() { p { (sentence) } }
    };
    document(&title, &header, &sections)
}

/// A page of sections: its title in Markdown, what stands first, then the contents.
fn document(title: &str, first: &Markup, sections: &[Section]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content="mnist-study";
                // A browser would ask a server for an icon.
                link rel="icon" href="data:,";
                title { (plain(title)) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                header {
                    h1 { (inline(title)) }
                    (first)
                    @if !sections.is_empty() {
                        nav aria-label="Contents" {
                            ul { @for section in sections { li { a href={ "#" (section.anchor) } { (section.heading) } } } }
                        }
                    }
                }
                main {
                    @for section in sections {
                        section id=(section.anchor) aria-labelledby={ (section.anchor) "-heading" } {
                            h2 id={ (section.anchor) "-heading" } { (section.heading) }
                            (section.content)
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}

struct Section {
    anchor: &'static str,
    heading: &'static str,
    content: Markup,
}

fn sections(study: &Study, models: &[Model]) -> Vec<Section> {
    if models.is_empty() {
        return Vec::new();
    }
    let section =
        |anchor, heading, content: Option<Markup>| Some(Section { anchor, heading, content: content? });
    let atlas = Atlas::of(models);
    [
        section("models", "The models", Some(models_section(study, models))),
        section("certainty", "How sure this is", certainty::section(study)),
        section("curves", "Learning curves", Some(curves_section(study))),
        section("costs", "Accuracy and cost", Some(costs(study, models))),
        section("classes", "Classes", classes::section(study, models)),
        section("calibration", "Calibration", calibration_section(models)),
        section("errors", "Error atlas", atlas.map(|atlas| atlas::section(study, models, &atlas))),
        section("discussion", "Discussion", Some(discussion_section(study))),
        section("runs", "Every run", Some(runs(study, models))),
        section("method", "How it was made", Some(method_section(study, models))),
        section("notes", "Warnings and notes", notes(study)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Markdown of one paragraph without the paragraph.
fn inline(markdown: &str) -> Markup {
    let html = rendered(markdown);
    let text = html.trim();
    let text = text.strip_prefix("<p>").and_then(|text| text.strip_suffix("</p>")).unwrap_or(text);
    PreEscaped(text.to_owned())
}

fn rendered(markdown: &str) -> String {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(markdown));
    html
}

/// Markdown's text alone.
fn plain(markdown: &str) -> String {
    use pulldown_cmark::{Event, Parser};
    let text = Parser::new(markdown).filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.into_string()),
        Event::SoftBreak => Some(" ".to_owned()),
        _ => None,
    });
    text.collect()
}

/// The style that makes a model's colour its own.
fn own(model: usize) -> String {
    format!("--own:var(--model-{})", model % PALETTE.len())
}

fn chip(index: usize, name: &str) -> Markup {
    html! { span.chip style=(own(index)) aria-hidden="true" {} (one_line(name)) }
}

/// A table that scrolls sideways where it must, also by the keyboard.
fn table(caption: &str, head: &[&str], rows: Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for cell in head { th scope="col" { (cell) } } } }
                tbody { (rows) }
            }
        }
    }
}

fn models_section(study: &Study, models: &[Model]) -> Markup {
    let head = [
        "model",
        "runs",
        "test accuracy (%)",
        "test loss (nats)",
        "training (s)",
        "an epoch (s)",
        "parameters",
        "multiply-adds an image",
    ];
    let rows = html! {
        @for (index, model) in models.iter().enumerate() {
            tr {
                th scope="row" { (chip(index, model.name)) }
                td { (study.run_count(model.name, model.runs.len())) }
                td { (shown(&model.figures(|run| run.test.accuracy), percent)) }
                td { (shown(&model.figures(|run| run.test.loss), loss)) }
                td { (shown_seconds(&model.seconds(|run| run.train_seconds))) }
                td { (shown_seconds(&model.seconds(seconds_per_epoch))) }
                td { (thousands(model.parameters() as u64)) }
                td { (thousands(model.runs.first().map_or(0, |run| run.multiply_adds))) }
            }
        }
        @for (name, _) in study.lost() {
            tr {
                th scope="row" { (one_line(name)) }
                td { (study.run_count(name, 0)) }
                td { "diverged" }
                td { "diverged" }
                @for _ in 0..4 { td { (MISSING) } }
            }
        }
    };
    let caption =
        if study.repeated() { "Mean ± standard deviation over the runs" } else { "One run a model" };
    html! {
        (table(caption, &head, rows))
        @if models.len() > 2 { (certainty::ranks(study, models)) }
    }
}

fn both(scene: impl Fn(Canvas) -> crate::Scene) -> Markup {
    html! {
        (PreEscaped(scene(Canvas::Wide).to_page_svg("wide")))
        (PreEscaped(scene(Canvas::Narrow).to_page_svg("narrow")))
    }
}

/// The picture of the verdict.
fn differences(study: &Study) -> Markup {
    let drawn = |canvas| forest::scene(study, canvas);
    html! {
        @if let (Some(wide), Some(narrow)) = (drawn(Canvas::Wide), drawn(Canvas::Narrow)) {
            figure {
                (PreEscaped(wide.to_page_svg("wide")))
                (PreEscaped(narrow.to_page_svg("narrow")))
                // A number and its sign stay on one line.
                figcaption { @for note in forest::notes(study) { (note.replace(" %", "\u{a0}%")) " " } }
            }
        }
    }
}

fn curves_section(study: &Study) -> Markup {
    html! {
        @for (quantity, heading) in [(Quantity::Accuracy, "Accuracy"), (Quantity::Loss, "Loss")] {
            @let chart = curves::chart(study, quantity);
            h3 { (heading) }
            figure {
                (both(|canvas| chart.scene(canvas)))
                figcaption {
                    (chart.subtitle) ". "
                    @for note in &chart.notes { (note) " " }
                    span.screen { "Point at an epoch for its values." }
                }
            }
            details { summary { "The values" } (values(&chart)) }
        }
    }
}

fn values(chart: &Chart) -> Markup {
    let shown = |value: f64| match chart.quantity {
        Quantity::Accuracy => fixed(value, 2),
        Quantity::Loss => fixed(value, 4),
    };
    let rows = html! {
        @for curve in &chart.curves {
            @for value in curve.pieces.iter().flatten() {
                tr {
                    th scope="row" { (chip(curve.model, &chart.names[curve.model])) }
                    td { @if curve.training { "training" } @else { (chart.validation) } }
                    td { (value.epoch) }
                    td { (value.runs) }
                    td { (shown(value.mean)) }
                    td { (shown(value.smallest)) }
                    td { (shown(value.largest)) }
                }
            }
        }
    };
    let caption = match chart.quantity {
        Quantity::Accuracy => "Accuracy in per cent",
        Quantity::Loss => "Loss in nats",
    };
    table(caption, &["model", "images", "epoch", "runs", "mean", "smallest", "largest"], rows)
}

fn costs(study: &Study, models: &[Model]) -> Markup {
    let against_time = |canvas| {
        let shown = |value: f64| format!("{} s", seconds(value));
        plots::accuracy_against(study, canvas, ["training time", "s"], shown, |run| run.train_seconds)
    };
    let against_size = |canvas| {
        let shown = |value: f64| thousands((value * 1000.0).round() as u64);
        plots::accuracy_against(study, canvas, ["parameters", "thousands"], shown, |run| {
            run.parameters as f64 / 1000.0
        })
    };
    let rows = html! {
        @for (index, model) in models.iter().enumerate() {
            tr {
                th scope="row" { (chip(index, model.name)) }
                td { (shown(&model.figures(|run| run.test.accuracy), percent)) }
                td { (thousands(model.parameters() as u64)) }
                td { (thousands(model.runs.first().map_or(0, |run| run.multiply_adds))) }
                td { (shown_seconds(&model.seconds(|run| run.train_seconds))) }
                td { (shown_seconds(&model.seconds(|run| run.evaluate_seconds))) }
                td { (shown_seconds(&model.seconds(|run| run.total_seconds))) }
            }
        }
    };
    let head = [
        "model",
        "test accuracy (%)",
        "parameters",
        "multiply-adds an image",
        "training (s)",
        "evaluation (s)",
        "in all (s)",
    ];
    html! {
        @if study.one_machine() {
            h3 { "Against training time" }
            figure { (both(against_time)) }
        }
        h3 { "Against parameters" }
        figure { (both(against_size)) }
        @let fronts = target::fronts(study);
        @if !fronts.is_empty() { ul { @for sentence in &fronts { li { (inline(sentence)) } } } }
        (table("The table of costs", &head, rows))
        @if !study.one_machine() {
            p {
                "The runs were made on several kinds of machine (processor, threads, kernels, operating system or version differ): their \
                 times are neither averaged nor drawn against each other. The table of runs has each."
            }
        }
    }
}

fn calibration_section(models: &[Model]) -> Option<Markup> {
    let measured = |model: &Model| model.runs.iter().all(|run| calibration::brier(run).is_some());
    if !models.iter().any(measured) {
        return None;
    }
    let figure = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let rows = html! {
        @for (index, model) in models.iter().enumerate() {
            tr {
                th scope="row" { (chip(index, model.name)) }
                td { (shown(&model.figures(|run| run.test.loss), loss)) }
                td { (shown(&model.figures(|run| figure(calibration::brier(run))), loss)) }
                td { (shown(&model.figures(|run| figure(calibration::calibration_error(run))), percent)) }
            }
        }
    };
    let head = ["model", "negative log-likelihood (nats)", "Brier score", "calibration error (points)"];
    let bins = html! {
        @for (index, model) in models.iter().enumerate() {
            @for bin in calibration::bins(&model.runs).unwrap_or_default() {
                tr {
                    th scope="row" { (chip(index, model.name)) }
                    td { (percent(bin.confidence)) }
                    td { (percent(bin.accuracy)) }
                    td { (thousands(bin.count as u64)) }
                }
            }
        }
    };
    Some(html! {
        (table("Smaller is better; calibration error over 15 bins of equal mass", &head, rows))
        @if plots::calibration(models, Canvas::Wide).is_some() {
            figure {
                (both(|canvas| plots::calibration(models, canvas).expect("as on the other canvas")))
                figcaption {
                    "Predictions in bins of equal mass, from the most doubtful to the surest, all runs together. Above the dotted line a \
                     model is wrong more often than it says: it is too sure. A bin without an error is not drawn."
                }
            }
        }
        details {
            summary { "The bins" }
            (table("Bins", &["model", "mean confidence (%)", "right (%)", "predictions"], bins))
        }
    })
}

fn discussion_section(study: &Study) -> Markup {
    html! {
        @for section in discussion(study) {
            h3 { (section.heading) }
            ul { @for sentence in &section.sentences { li { (inline(sentence)) } } }
        }
    }
}

fn runs(study: &Study, models: &[Model]) -> Markup {
    let rows = html! {
        @for (index, model) in models.iter().enumerate() {
            @for run in &model.runs {
                tr {
                    th scope="row" { (chip(index, model.name)) }
                    td { (run.specification.seed) }
                    td { (tested_of_all(run).unwrap_or_else(|| MISSING.to_owned())) }
                    td { (percent(run.test.accuracy)) }
                    td { (loss(run.test.loss)) }
                    td { (seconds(run.train_seconds)) }
                    td { (run.test_reads) }
                    td { code { (run.fingerprint.chars().take(16).collect::<String>()) } }
                    td { code { (one_line(&run.id)) } }
                }
            }
        }
        @for run in study.failed {
            tr {
                th scope="row" { (one_line(&run.specification.model)) }
                td { (run.specification.seed) }
                td { "diverged in epoch " (run.epoch) }
                @for _ in 0..5 { td { (MISSING) } }
                td { code { (one_line(&run.id)) } }
            }
        }
    };
    let head = [
        "model",
        "seed",
        "tested after epoch",
        "test accuracy (%)",
        "test loss (nats)",
        "training (s)",
        "reads of the test images",
        "fingerprint",
        "record",
    ];
    table("A fingerprint is the beginning of the SHA-256 of the final weights", &head, rows)
}

fn method_section(study: &Study, models: &[Model]) -> Markup {
    let mut words = String::new();
    method::how_it_was_made(&mut words, study, models);
    let words = words.trim_start().strip_prefix("## How it was made").unwrap_or(&words);
    PreEscaped(rendered(words))
}

fn notes(study: &Study) -> Option<Markup> {
    let warnings = study.warnings();
    if warnings.is_empty() && study.notes.is_empty() {
        return None;
    }
    Some(html! { ul { @for note in warnings.iter().chain(study.notes) { li { (one_line(note)) } } } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        TestImages,
        fixture::{comparison, record, records},
    };
    use records::record::Protocol;

    fn all() -> String {
        let mut records = records(&[("cnn", 0.04), ("<b>lstm</b>", 0.12)], 3, 5);
        for record in &mut records {
            for epoch in &mut record.epochs {
                epoch.test_accuracy = Some(epoch.validation_accuracy);
            }
        }
        let comparisons = [comparison("cnn", "<b>lstm</b>", 0.0083)];
        let pixels = vec![7; 1000 * 784];
        let images = Some(TestImages { pixels: &pixels, height: 28, width: 28 });
        page(&Study {
            records: &records,
            comparisons: &comparisons,
            notes: &["a <i>note</i>".to_owned()],
            images,
            ..Study::default()
        })
    }

    #[test]
    fn nothing_is_asked_of_a_network_and_nothing_is_markup_by_its_name() {
        let page = all();
        for forbidden in ["http:", "https:", "<script", "@import", "url(", "<b>lstm", "<i>note"] {
            let places: Vec<&str> = page.match_indices(forbidden).map(|(at, _)| &page[at..at + 60]).collect();
            assert_eq!(places, Vec::<&str>::new(), "{forbidden}");
        }
        assert!(page.contains("&lt;b&gt;lstm&lt;/b&gt;"));
        assert!(page.contains("data:image/png;base64,"));
    }

    #[test]
    fn every_section_is_there_and_linked() {
        let page = all();
        for anchor in [
            "models",
            "certainty",
            "curves",
            "costs",
            "classes",
            "calibration",
            "errors",
            "discussion",
            "runs",
            "method",
            "notes",
        ] {
            assert!(page.contains(&format!("href=\"#{anchor}\"")), "{anchor}");
            assert!(page.contains(&format!("<section id=\"{anchor}\"")), "{anchor}");
        }
        let verdict = page.find("cnn beats").expect("the verdict");
        assert!(verdict < page.find("<main").expect("the rest"));
        assert!(!page.contains("NaN"), "{:?}", page.find("NaN").map(|at| &page[at - 80..at + 20]));
    }

    #[test]
    fn a_matrix_has_the_names_of_its_classes() {
        let records = [record("cnn", 1, 1, 0.05, Protocol::Sound)];
        let head = |names: [&str; 10]| {
            let class_names = names.map(str::to_owned);
            let page = page(&Study { records: &records, class_names: &class_names, ..Study::default() });
            let at = page.find("<table class=\"matrix\"").expect("a matrix");
            page[at..].split("</tbody>").next().expect("its end").to_owned()
        };
        let labels = head(["0", "5", "10", "15", "20", "25", "30", "35", "40", "45"]);
        for scope in ["col", "row"] {
            assert!(labels.contains(&format!("<th scope=\"{scope}\" title=\"15\">15</th>")), "{labels}");
        }
        assert!(labels.contains("<thead><tr>"), "{labels}");
        let long = "a class of many words";
        let names = head(["coat", "<b>", long, "3", "4", "5", "6", "7", "8", "9"]);
        for words in [
            "<thead class=\"turned\">",
            ">coat</th>",
            ">&lt;b&gt;</th>",
            &format!("title=\"{long}\">a class of"),
        ] {
            assert!(names.contains(words), "{words}: {names}");
        }
        assert!(!names.contains(&format!(">{long}<")), "{names}");
    }

    #[test]
    fn a_cost_is_told_with_its_own_unit() {
        let page = all();
        for words in [
            "Test accuracy against training time\"",
            "; parameters: 4,000\"",
            ">parameters: 4,000</text>",
            ">parameters (thousands)</text>",
            ">training time (s)</text>",
        ] {
            assert!(page.contains(words), "{words}");
        }
        let time = page.split("; training time: ").nth(1).and_then(|rest| rest.split('"').next());
        assert!(time.is_some_and(|time| time.ends_with(" s")), "{time:?}");
        assert!(!page.contains("(s): ") && !page.contains("(thousands): "));
    }

    #[test]
    fn one_run_has_a_page_without_what_it_cannot_say() {
        let records = [record("cnn", 1, 1, 0.05, Protocol::Sound)];
        let page = page(&Study {
            records: &records,
            comparisons: &[],
            notes: &[],
            images: None,
            ..Study::default()
        });
        assert!(!page.contains("id=\"certainty\"") && !page.contains("id=\"notes\""));
        assert!(page.contains("The images themselves are not at hand."));
    }
}
