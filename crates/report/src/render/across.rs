//! Models over several data sets, in words.

use crate::{
    render::markdown::line,
    words::{
        numbers::{counted, listed, margin_of, signed_of, value_of, value_unit},
        text::{self, one_line},
    },
};
use analysis::across::Across;

/// Fewest data sets that a test over them says anything about.
const FEWEST: usize = 5;

/// `across.md`: the ranks, each accuracy, what may be said of each pair.
pub fn across_markdown(title: Option<&str>, across: &Across) -> String {
    let title = title.map_or_else(|| "Models over several data sets".to_owned(), text::markdown);
    let mut page = format!("# {title}\n\n| model | mean rank |");
    let measure = across.decided_by;
    for dataset in &across.datasets {
        page.push_str(&format!(" {} ({}) |", text::markdown(dataset), value_unit(measure)));
    }
    page.push_str("\n|:--|--:|");
    page.push_str(&"--:|".repeat(across.datasets.len()));
    page.push('\n');
    for model in &across.models {
        let values: Vec<String> = model.values.iter().map(|value| value_of(measure)(*value)).collect();
        let name = text::markdown(&model.model);
        line(&mut page, format_args!("| {name} | {:.2} | {} |", model.mean_rank, values.join(" | ")));
    }
    line(
        &mut page,
        format_args!(
            "\nMean {} over the runs; each data set's folder holds its own report.",
            measure.in_words()
        ),
    );
    page.push_str("\n## Over data sets like these\n\n");
    sentences(across)
        .iter()
        .for_each(|sentence| line(&mut page, format_args!("- {}", text::markdown(sentence))));
    page
}

/// The same for a terminal.
pub fn across_terminal(across: &Across) -> String {
    let mut text = String::from("mean rank  model\n");
    for model in &across.models {
        text.push_str(&format!("{:>9.2}  {}\n", model.mean_rank, one_line(&model.model)));
    }
    for sentence in sentences(across) {
        text.push_str(&format!("{}\n", one_line(&sentence)));
    }
    text
}

fn sentences(across: &Across) -> Vec<String> {
    let mut sentences = across.incomplete.clone();
    for left_out in &across.left_out {
        sentences.push(format!(
            "{} has no result on {}, so it is not compared over the data sets.",
            left_out.model,
            listed(&left_out.datasets)
        ));
    }
    let count = across.datasets.len();
    if count < FEWEST && !across.models.is_empty() {
        let probabilities =
            if across.pairs.is_empty() { "" } else { ", and the probabilities below lean on few figures" };
        sentences.push(format!(
            "{} say little of others: the ranks describe these alone{probabilities}.",
            counted(count, "data set")
        ));
    }
    if let Some(p) = across.friedman_p_value {
        sentences.push(format!("Friedman test that all models are alike: p = {p:.3}, one test, unadjusted."));
    }
    for pair in &across.pairs {
        sentences.push(format!(
            "{} against {}: better with probability {:.2}, practically equal (within {}) {:.2}, worse {:.2}; mean difference {} {}.",
            pair.a,
            pair.b,
            pair.a_better,
            margin_of(across.decided_by, across.equivalence_margin),
            pair.equal,
            pair.b_better,
            signed_of(across.decided_by, pair.difference, across.decided_by.decimals()),
            across.decided_by.unit()
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use analysis::across::{AcrossModel, AcrossPair, LeftOut};
    use records::question::Measure;

    #[test]
    fn ranks_and_doubts_are_told() {
        let model = |name: &str, mean_rank, accuracies: [f64; 2]| AcrossModel {
            model: name.to_owned(),
            mean_rank,
            accuracies: accuracies.to_vec(),
            values: accuracies.to_vec(),
        };
        let across = Across {
            left_out: vec![LeftOut { model: "gone".to_owned(), datasets: vec!["mnist".to_owned()] }],
            decided_by: Measure::Accuracy,
            equivalence_margin: 0.0005,
            datasets: vec!["mnist".into(), "fashion-mnist".into()],
            models: vec![model("cnn", 1.0, [0.99, 0.91]), model("m_l_p", 2.0, [0.98, 0.89])],
            friedman_p_value: Some(0.157),
            pairs: vec![AcrossPair {
                a: "cnn".into(),
                b: "m_l_p".into(),
                difference: 0.015,
                a_better: 0.9,
                equal: 0.06,
                b_better: 0.04,
            }],
            incomplete: vec!["mnist: of 6 planned runs 2 missing.".to_owned()],
        };
        let page = across_markdown(Some("Two sets"), &across);
        assert!(page.starts_with("# Two sets\n\n| model | mean rank | mnist (%) |"), "{page}");
        assert!(page.contains(r"| m\_l\_p | 2.00 | 98.00 | 89.00 |"), "{page}");
        assert!(page.contains("- mnist: of 6 planned runs 2 missing."), "{page}");
        assert!(page.contains("2 data sets say little of others"), "{page}");
        assert!(page.contains("mean difference +1.50 points"), "{page}");
        let text = across_terminal(&across);
        assert!(text.starts_with("mean rank  model\n     1.00  cnn\n     2.00  m_l_p\n"), "{text}");
        assert!(text.contains("gone has no result on mnist, so it is not compared"), "{text}");
        assert!(page.contains("gone has no result on mnist"), "{page}");
        assert!(text.contains("cnn against m_l_p: better with probability 0.90"), "{text}");
    }
}
