//! The head of the page as a part of somebody else's: a notebook's cell.

use super::{STYLE, differences, table};
use crate::{
    Study, tables,
    words::{text::one_line, verdicts},
};
use maud::{PreEscaped, html};

/// What a notebook's own style would change, or the page's is not meant for.
const OWN: &str =
    ":scope { padding: 1rem; margin: 0; }\n:scope :is(th, td):first-child { text-align: left; }";

/// Verdicts, warnings, differences and the table of the models as HTML that brings its own style and changes nobody else's.
pub fn notebook(study: &Study) -> String {
    // The style sheet of the page, within the element that it is for.
    let style = STYLE.replace(":root", ":scope").replace("\nbody {", "\n:scope {");
    let part = html! {
        div class="mnist-study" {
            style { (PreEscaped(format!("@scope (.mnist-study) {{\n{style}\n{OWN}\n}}"))) }
            @if study.analysis.models.is_empty() { p { "No run has finished." } }
            @for warning in &study.analysis.warnings.before_verdicts {
                p.warning role="note" { strong { "Warning. " } (one_line(warning)) }
            }
            @for (verdict, meaning) in verdicts::verdicts(study) {
                p.verdict { (verdict) }
                @if let Some(meaning) = meaning { p { (meaning) } }
            }
            (differences(study))
            @if !study.analysis.models.is_empty() { (table(&tables::known(study, tables::models(study)))) }
        }
    };
    // The glossary, which terms lead to, is not here.
    without_links(&part.into_string())
}

/// The text of links to the page's glossary in their place.
fn without_links(html: &str) -> String {
    let mut plain = String::with_capacity(html.len());
    let mut parts = html.split("<a class=\"term\"");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (_, after) = part.split_once('>').unwrap_or(("", part));
        let (term, after) = after.split_once("</a>").unwrap_or((after, ""));
        plain.push_str(term);
        plain.push_str(after);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_notebook_has_the_verdict_the_picture_and_the_table_and_leads_nowhere() {
        let records = fixture::records(&[("cnn", 0.02), ("lstm", 0.03)], 3, 2);
        let part = notebook(&fixture::judged(&records, &[]));
        assert!(part.starts_with("<div class=\"mnist-study\"><style>@scope (.mnist-study) {"), "{part}");
        for expected in ["class=\"verdict\"", "<svg", "<table>", "</div></div>"] {
            assert!(part.contains(expected), "{expected}");
        }
        for unwanted in ["href", ":root", "\nbody", "<html", "<script"] {
            assert!(!part.contains(unwanted), "{unwanted}");
        }
    }
}
