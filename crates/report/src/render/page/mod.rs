//! The report as one HTML page that needs nothing beside it.

mod certainty;
mod classes;
mod hard_images;
mod notebook;
mod tuning;

use analysis::Run;
use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::{
    Reproduction, Study,
    charts::{
        canvas::Canvas,
        chart::{Chart, Quantity},
        curves, forest,
        marks::PALETTE,
        plots,
    },
    document::{Cell, Table},
    tables,
    words::{
        discussion::discussion,
        glossary::{TERMS, first_term},
        measures, method, target,
        text::one_line,
        verdicts,
    },
};

pub use notebook::notebook;
pub use tuning::tuning_page;

/// Colours, type and parts that reports share with the page of `mnist-study page`, then what is the reports' own.
/// Colours, type and spacing: what a report and a page that shows studies live have in common.
pub const BASE_STYLE: &str = include_str!("base.css");

const STYLE: &str = concat!(include_str!("base.css"), include_str!("page.css"));

/// What sorts tables and filters images where scripts run. It makes its controls itself, so that the page is whole without it.
const SCRIPT: &str = include_str!("report.js");

/// What the script's controls look like.
const SCRIPT_STYLE: &str = include_str!("script.css");

/// By which a browser runs this script alone, asks nothing of a network and sends nothing.
fn policy() -> String {
    let digest = STANDARD.encode(Sha256::digest(SCRIPT));
    format!(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
}

/// `report.html`: the verdict, the curves, what they cost, what goes wrong, how it was made.
pub fn page(study: &Study) -> String {
    let analysis = &study.analysis;
    let header = html! {
        @if analysis.models.is_empty() { p { "No run has finished." } }
        @for warning in &analysis.warnings.before_verdicts {
            p.warning role="note" { strong { "Warning. " } (one_line(warning)) }
        }
        @for (verdict, meaning) in verdicts::verdicts(study) {
            p.verdict { (verdict) }
            @if let Some(meaning) = meaning { p { (meaning) } }
        }
        (differences(study))
        @if let Some(target) = target::in_words(study) {
            p { "Target: " (target) }
            (list(&target::sentences(study)))
        }
        @if let Some(sentence) = study.original_sentence() { p { (sentence) } }
    };
    document(&verdicts::title(study), &header, &sections(study))
}

/// A page of sections: its title, what stands first, then the contents.
fn document(title: &str, first: &Markup, sections: &[Section]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content="mnist-study";
                // A browser would ask a server for an icon.
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(SCRIPT_STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
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
                script { (PreEscaped(SCRIPT)) }
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

fn sections(study: &Study) -> Vec<Section> {
    if study.models().is_empty() {
        return Vec::new();
    }
    let section =
        |anchor, heading, content: Option<Markup>| Some(Section { anchor, heading, content: content? });
    let hard_images = study.analysis.hard_images.as_ref();
    [
        section("models", "The models", Some(models_section(study))),
        section("certainty", "How sure this is", certainty::section(study)),
        section("curves", "Learning curves", curves_section(study)),
        section("costs", "Accuracy and cost", costs(study)),
        section("classes", "Classes", classes::section(study)),
        section("calibration", "Calibration", calibration_section(study)),
        section("errors", "Error atlas", hard_images.map(|images| hard_images::section(study, images))),
        section("discussion", "Discussion", Some(discussion_section(study))),
        section("runs", "Every run", Some(runs(study))),
        section("method", "How it was made", Some(method_section(study))),
        section("notes", "Warnings and notes", notes(study)),
        section("glossary", "Glossary", Some(glossary_section())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A text whose first term of the glossary leads to what it means.
fn explained(text: &str) -> Markup {
    match first_term(text) {
        Some((before, found, term, after)) => html! {
            (before) a.term href={ "#term-" (term.anchor) } { (found) } (after)
        },
        None => html! { (text) },
    }
}

fn glossary_section() -> Markup {
    html! {
        dl {
            @for term in &TERMS {
                dt id={ "term-" (term.anchor) } { (term.name) }
                dd { (term.meaning) }
            }
        }
    }
}

/// Sentences, each as an item.
fn list(sentences: &[String]) -> Markup {
    html! { ul { @for sentence in sentences { li { (sentence) } } } }
}

/// The style that makes a model's colour its own.
fn own(model: usize) -> String {
    format!("--own:var(--model-{})", model % PALETTE.len())
}

fn chip(index: usize, name: &str) -> Markup {
    html! { span.chip style=(own(index)) aria-hidden="true" {} (one_line(name)) }
}

/// A table that scrolls sideways where it must, also by the keyboard.
fn table(table: &Table) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(table.caption) {
            table {
                caption { (table.caption) }
                thead {
                    tr {
                        @for (column, name) in table.columns.iter().enumerate() {
                            th scope="col" class=[(column > 0 && !table.is_numeric(column)).then_some("words")] { (explained(name)) }
                        }
                    }
                }
                tbody { @for row in &table.rows { tr { @for (column, cell) in row.iter().enumerate() { (shown_cell(cell, column == 0)) } } } }
            }
        }
    }
}

fn shown_cell(cell: &Cell, is_heading: bool) -> Markup {
    let content = match cell {
        Cell::Model(place, name) => chip(*place, name),
        Cell::Words(text) | Cell::Figure(text) | Cell::Bar(_, _, text) => html! { (text) },
        Cell::Code(text) => html! { code { (text) } },
    };
    match (is_heading, cell) {
        (true, _) => html! { th scope="row" { (content) } },
        (false, Cell::Bar(place, share, _)) => {
            html! { td.bar style={ (own(*place)) ";--share:" (format!("{share:.3}")) } { (content) } }
        }
        (false, Cell::Words(_) | Cell::Model(..)) => html! { td.words { (content) } },
        (false, _) => html! { td { (content) } },
    }
}

fn models_section(study: &Study) -> Markup {
    html! {
        (table(&tables::known(study, tables::models(study))))
        @if let Some(measured) = tables::measures(study) {
            h3 { "Measures beside accuracy" }
            (table(&measured))
            @if let Some(sentence) = measures::sentence(study) { p.small { (sentence) } }
            @if let Some(classes) = tables::class_measures(study) {
                details { summary { "Each class" } (table(&classes)) }
            }
        }
        @if study.models().len() > 2 {
            h3 { "Ranking" }
            (table(&tables::ranking(study)))
            p.small { (tables::GROUPS) " The possible ranks of a model are those that the decided pairs leave it." }
        }
    }
}

/// A drawing for a desk and for a hand.
fn both(scene: impl Fn(Canvas) -> crate::Scene) -> Markup {
    let [wide, narrow] = [(Canvas::Wide, "wide"), (Canvas::Narrow, "narrow")]
        .map(|(canvas, class)| PreEscaped(scene(canvas).to_page_svg(class)));
    html! { (wide) (narrow) }
}

/// The same of a drawing that there may be none of.
fn drawn(scene: impl Fn(Canvas) -> Option<crate::Scene>) -> Option<Markup> {
    scene(Canvas::Narrow)?;
    Some(both(|canvas| scene(canvas).expect("as on the other canvas")))
}

/// The picture of the verdict.
fn differences(study: &Study) -> Markup {
    html! {
        @if let Some(both) = drawn(|canvas| forest::scene(study, canvas)) {
            figure {
                (both)
                // A number and its sign stay on one line.
                figcaption { @for note in forest::notes(study) { (note.replace(" %", "\u{a0}%")) " " } }
            }
        }
    }
}

/// None where nothing was logged of any epoch.
fn curves_section(study: &Study) -> Option<Markup> {
    let charts = [(Quantity::Accuracy, "Accuracy"), (Quantity::Loss, "Loss")]
        .into_iter()
        .filter_map(|(quantity, heading)| Some((curves::chart(study, quantity)?, heading)));
    let charts: Vec<(Chart, &str)> = charts.collect();
    let section = html! {
        @for (chart, heading) in &charts {
            h3 { (heading) }
            figure {
                (both(|canvas| chart.scene(canvas)))
                figcaption {
                    (chart.subtitle) ". "
                    @for note in &chart.notes { (note) " " }
                    span.screen { "Point at an epoch for its values." }
                }
            }
            details { summary { "The values" } (table(&tables::values(chart))) }
        }
    };
    (!charts.is_empty()).then_some(section)
}

/// None where neither times nor sizes are known.
fn costs(study: &Study) -> Option<Markup> {
    let known = |known: fn(&Run) -> bool| study.analysis.runs.iter().any(known);
    if !known(|run| run.train_seconds.is_some() || run.parameters.is_some()) {
        return None;
    }
    Some(html! {
        @if let Some(both) = drawn(|canvas| plots::against_time(study, canvas)) {
            h3 { "Against training time" }
            figure { (both) }
        }
        @if let Some(both) = drawn(|canvas| plots::against_size(study, canvas)) {
            h3 { "Against parameters" }
            figure { (both) }
        }
        @let fronts = target::fronts(study);
        @if !fronts.is_empty() { (list(&fronts)) }
        (table(&tables::known(study, tables::costs(study))))
        @if !study.analysis.one_machine() {
            p {
                "The runs were made on several kinds of machine (processor, threads, kernels, operating system or version differ): their \
                 times are neither averaged nor drawn against each other. The table of runs has each."
            }
        }
    })
}

fn calibration_section(study: &Study) -> Option<Markup> {
    let measured = tables::calibration(study)?;
    Some(html! {
        (table(&measured))
        @if let Some(both) = drawn(|canvas| plots::calibration(study.models(), canvas)) {
            figure {
                (both)
                figcaption {
                    "Predictions in bins of equal mass, from the most doubtful to the surest, all runs together. Above the dotted line a \
                     model is wrong more often than it says: it is too sure. A bin without an error is not drawn."
                }
            }
        }
        details { summary { "The bins" } (table(&tables::bins(study))) }
    })
}

fn discussion_section(study: &Study) -> Markup {
    html! {
        @for section in discussion(study) {
            h3 { (section.heading) }
            (list(&section.sentences))
        }
    }
}

fn runs(study: &Study) -> Markup {
    table(&tables::known(study, tables::runs(study)))
}

fn method_section(study: &Study) -> Markup {
    html! {
        (list(&method::sentences(study)))
        @match &study.reproduction {
            Some(Reproduction::Command(command)) => {
                p { "To make it again:" }
                pre { code { (command) } }
                p { (method::SAME_BITS) }
            }
            Some(Reproduction::Words(words)) => p { (words) }
            None => {}
        }
    }
}

fn notes(study: &Study) -> Option<Markup> {
    let analysis = &study.analysis;
    let notes: Vec<String> =
        analysis.warnings.of_records.iter().chain(analysis.notes.iter()).map(|note| one_line(note)).collect();
    (!notes.is_empty()).then(|| list(&notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        TestImages,
        fixture::{Given, comparison, judged, record, records},
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
        let images = Some(TestImages { pixels: &pixels, shape: [28, 28].into(), is_ink: true });
        page(
            &Given {
                records: &records,
                comparisons: &comparisons,
                notes: &["a <i>note</i>".to_owned()],
                images,
                ..Given::default()
            }
            .study(),
        )
    }

    #[test]
    fn nothing_is_asked_of_a_network_and_nothing_is_markup_by_its_name() {
        let page = all();
        for forbidden in ["http:", "https:", "<script ", "@import", "url(", "<b>lstm", "<i>note"] {
            let places: Vec<&str> = page.match_indices(forbidden).map(|(at, _)| &page[at..at + 60]).collect();
            assert_eq!(places, Vec::<&str>::new(), "{forbidden}");
        }
        assert!(page.contains("&lt;b&gt;lstm&lt;/b&gt;"));
        assert!(page.contains("data:image/png;base64,"));
    }

    #[test]
    fn the_one_script_is_that_of_the_policy_and_makes_every_control_itself() {
        assert!(SCRIPT.len() < 8_000, "{}", SCRIPT.len());
        // Nothing that a file's writing spells out or a parser rewrites, which would have another digest.
        assert!(SCRIPT.chars().all(|character| character == '\n' || (' '..='~').contains(&character)));
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
        let page = all();
        let scripts: Vec<&str> = page.split("<script>").skip(1).collect();
        assert_eq!(scripts.len(), 1);
        let (script, _) = scripts[0].split_once("</script>").expect("its end");
        let digest = STANDARD.encode(Sha256::digest(script));
        assert!(page.contains(&format!("script-src 'sha256-{digest}'")) && !page.contains("<button"));
    }

    #[test]
    fn an_image_and_the_cells_that_it_is_of_know_each_other() {
        let page = all();
        let (atlas, cells) =
            (page.split(" data-answers=\"").skip(1), page.matches(" data-images=\"").count());
        let answers: Vec<&str> = atlas.filter_map(|rest| rest.split('"').next()).collect();
        assert!(cells > 10 && answers.len() > 5, "{cells} cells, {} images", answers.len());
        for answer in answers.iter().flat_map(|answers| answers.split(' ')) {
            let (model, class) = answer.split_once(':').expect("a model and its answer");
            assert!(
                ["0", "1"].contains(&model) && class.parse().is_ok_and(|class: u8| class < 10),
                "{answer}"
            );
        }
        assert!(page.contains(" data-model=\"1\" data-runs=\"3\" data-more=\"The report shows"));
        // A cell has images if and only if it has a figure, and at least as many as a run has on average.
        let records = records(&[("cnn", 0.04), ("lstm", 0.12)], 3, 1);
        let analysis = &judged(&records, &[]).analysis;
        let hard = analysis.hard_images.as_ref().expect("the runs share their images");
        for (model, of) in analysis.models.iter().enumerate() {
            let confusion = of.confusion.as_ref().expect("answers");
            for (cell, images) in hard.taken(model, confusion.classes).into_iter().enumerate() {
                let [label, given] = [cell / confusion.classes, cell % confusion.classes];
                let mean = if label == given { 0.0 } else { confusion.at(label, given) };
                assert!(
                    (images > 0) == (mean > 0.0) && images as f64 >= mean - 1e-9,
                    "{label} as {given}: {images}, {mean}"
                );
            }
        }
        // Where no image is known, no cell leads to one.
        let mut records = records.clone();
        records[1].test.labels.reverse();
        let apart = super::page(&Given { records: &records, ..Given::default() }.study());
        assert!(
            apart.contains("<table class=\"matrix\"")
                && !apart.contains(" data-images=\"")
                && !apart.contains(" data-more=\"")
        );
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
            "glossary",
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
            let page =
                page(&Given { records: &records, class_names: &class_names, ..Given::default() }.study());
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
        let page = page(
            &Given { records: &records, comparisons: &[], notes: &[], images: None, ..Given::default() }
                .study(),
        );
        assert!(!page.contains("id=\"certainty\"") && !page.contains("id=\"notes\""));
        assert!(page.contains("The images themselves are not at hand."));
    }
}
