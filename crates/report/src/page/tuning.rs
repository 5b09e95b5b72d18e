//! A search as one HTML page.

use maud::{Markup, html};
use study::tune::{ModelOutcome, Tuning};

use super::{Section, both, chip, document, inline, table};
use crate::{
    numbers::{listed, seconds},
    text::{self, one_line},
    tuning::{self, best_first, domain, ended, figures, gains, mattered, method, number, plain, settings},
};

/// `tuning.html`: what was found, how the search went, what mattered, every trial, how it was made.
pub fn tuning_page(tuning: &Tuning) -> String {
    let names: Vec<String> = tuning.models.iter().map(|model| text::markdown(&model.name)).collect();
    let title = format!("{} tuned on {}", listed(&names), text::markdown(&tuning.question.dataset.name));
    let header =
        html! { @for sentence in gains(tuning) { p.verdict { (inline(&text::markdown(&sentence))) } } };
    let sections = [
        Section { anchor: "search", heading: "The search", content: search(tuning) },
        Section { anchor: "settings", heading: "What mattered", content: importances(tuning) },
        Section { anchor: "trials", heading: "Every trial", content: trials(tuning) },
        Section {
            anchor: "method",
            heading: "How it was made",
            content: html! { ul { @for sentence in method(tuning) { li { (inline(&sentence)) } } } },
        },
    ];
    document(&title, &header, &sections)
}

fn search(tuning: &Tuning) -> Markup {
    html! {
        figure {
            (both(|canvas| tuning::search(tuning, canvas)))
            figcaption {
                "A dot is a trial that had all its epochs; one too far below is not drawn. "
                span.screen { "Point at a trial for the best so far." }
            }
        }
    }
}

fn importances(tuning: &Tuning) -> Markup {
    html! {
        @for (index, model) in tuning.models.iter().enumerate() {
            h3 { (chip(index, &model.name)) }
            (shares(model))
            @for (name, _) in &model.searched {
                @if tuning::setting(model, index, name, crate::canvas::Canvas::Wide).is_some() {
                    figure {
                        (both(|canvas| tuning::setting(model, index, name, canvas).expect("as on the other canvas")))
                        figcaption {
                            (one_line(name)) ": filled dots had all their epochs, hollow ones were stopped and stand at their last; the worst tenth is left out."
                        }
                    }
                }
            }
        }
    }
}

fn shares(model: &ModelOutcome) -> Markup {
    let rows = html! {
        @for ((name, searched), importance) in model.searched.iter().zip(&model.importance) {
            tr {
                th scope="row" { (one_line(name)) }
                td.words { (domain(searched)) }
                td { (model.best_record().settings.get(name).map_or("baseline".to_owned(), plain)) }
                @for figure in mattered(model, importance.as_ref()) { td { (figure) } }
            }
        }
    };
    let head = ["setting", "searched", "as found", "share of the order (%)", "p"];
    table("How much of the trials' order each setting explains alone", &head, rows)
}

fn trials(tuning: &Tuning) -> Markup {
    let rows = html! {
        @for (index, model) in tuning.models.iter().enumerate() {
            @for trial in best_first(model) {
                @let [accuracy, nats] = figures(trial);
                tr {
                    th scope="row" { (chip(index, &model.name)) }
                    td { (number(trial)) }
                    td { (accuracy) }
                    td { (nats) }
                    td { (seconds(trial.total_seconds)) }
                    td.words { (ended(trial)) }
                    td.words { (settings(&trial.settings)) }
                }
            }
        }
    };
    let head = [
        "model",
        "trial",
        "validation accuracy (%)",
        "validation loss (nats)",
        "in all (s)",
        "ended",
        "settings",
    ];
    table("The baseline, then its trials, the best first", &head, rows)
}
