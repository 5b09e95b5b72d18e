//! A search as one HTML page.

use maud::{Markup, html};
use study::tune::Tuning;

use super::{Section, both, chip, document, drawn, glossary_section, list, table};
use crate::{
    document::Table,
    tuning::{self, gains, method},
    words::text::one_line,
};

/// `tuning.html`: what was found, how the search went, what mattered, every trial, how it was made.
pub fn tuning_page(tuning: &Tuning) -> String {
    let header = html! { @for sentence in gains(tuning) { p.verdict { (sentence) } } };
    let sections = [
        Section { anchor: "search", heading: "The search", content: search(tuning) },
        Section { anchor: "settings", heading: "What mattered", content: importances(tuning) },
        Section { anchor: "trials", heading: "Every trial", content: trials(tuning) },
        Section { anchor: "method", heading: "How it was made", content: list(&method(tuning)) },
        Section { anchor: "glossary", heading: "Glossary", content: glossary_section() },
    ];
    document(&tuning::title(tuning), &header, &sections)
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
            (table(&tuning::shares(model)))
            @for (name, _) in &model.searched {
                @if let Some(both) = drawn(|canvas| tuning::setting(tuning, index, name, canvas)) {
                    figure {
                        (both)
                        figcaption {
                            (one_line(name)) ": filled dots had all their epochs, hollow ones were stopped and stand at their last; the worst tenth is left out."
                        }
                    }
                }
            }
        }
    }
}

/// The trials of every model in one table.
fn trials(tuning: &Tuning) -> Markup {
    let mut tables = tuning
        .models
        .iter()
        .enumerate()
        .map(|(place, model)| tuning::trials(place, model, tuning.question.decide_by));
    let Some(first) = tables.next() else { return html! {} };
    let all = |mut all: Table, next: Table| {
        all.rows.extend(next.rows);
        all
    };
    table(&tables.fold(first, all))
}
