//! What goes into a paper: tables and figures as files of their own, in the folder [`PAPER`].

use super::{data_files::epochs_csv, latex, tidy};
use crate::{
    PICTURE_FILES, Scene, Study,
    charts::{canvas::Canvas, chart::Quantity, curves, plots},
    document::Table,
    pictures_on, tables,
};

/// The folder within the results.
pub const PAPER: &str = "paper";

/// A kind of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Tables for LaTeX, and a document of all of them.
    Latex,
    /// One observation a row, with every digit.
    Csv,
    /// Figures for browsers and drawing programs.
    Svg,
    /// Figures for LaTeX.
    Pdf,
}

impl Format {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Latex, Self::Csv, Self::Svg, Self::Pdf];

    /// What its files' names end in.
    fn ending(self) -> &'static str {
        match self {
            Self::Latex => "tex",
            Self::Csv => "csv",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
        }
    }

    /// What its files are called, without the ending.
    fn names(self) -> Vec<&'static str> {
        match self {
            Self::Latex => std::iter::once(latex::DOCUMENT).chain(TABLES).collect(),
            Self::Csv => tidy::TABLES.to_vec(),
            Self::Svg | Self::Pdf => PICTURE_FILES.into_iter().map(stem).chain(FURTHER_FIGURES).collect(),
        }
    }

    /// The files that a study may have in this format.
    pub fn files(self) -> impl Iterator<Item = String> {
        self.names().into_iter().map(move |name| format!("{name}.{}", self.ending()))
    }
}

/// The format of a file of [`PAPER`]; none of one that this program never writes there.
pub fn format_of(name: &str) -> Option<Format> {
    Format::ALL.into_iter().find(|format| format.files().any(|file| file == name))
}

/// A file of [`PAPER`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperFile {
    /// What it is called.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Everything in these formats that a study has figures for.
pub fn paper(study: &Study, formats: &[Format]) -> Vec<PaperFile> {
    let figures = figures(study);
    let mut files = Vec::new();
    for format in Format::ALL.into_iter().filter(|format| formats.contains(format)) {
        let mut push = |name: &str, bytes: Vec<u8>| {
            files.push(PaperFile { name: format!("{name}.{}", format.ending()), bytes });
        };
        match format {
            Format::Latex => {
                let tables = tables_of(study);
                tables.iter().for_each(|(name, tables)| push(name, latex::tables(name, tables).into_bytes()));
                let shown: &[Figure] = if formats.contains(&Format::Pdf) { &figures } else { &[] };
                push(latex::DOCUMENT, latex::document(study, &tables, shown).into_bytes());
            }
            Format::Csv => tidy::all(study, epochs_csv(study))
                .into_iter()
                .for_each(|(name, text)| push(name, text.into_bytes())),
            Format::Svg => {
                figures.iter().for_each(|figure| push(figure.name, figure.scene.to_svg().into_bytes()))
            }
            Format::Pdf => figures.iter().for_each(|figure| push(figure.name, figure.scene.to_pdf())),
        }
    }
    files
}

/// A figure of a paper.
pub(crate) struct Figure {
    /// Its files' name without an ending.
    pub(crate) name: &'static str,
    /// What stands below it.
    pub(crate) caption: String,
    pub(crate) scene: Scene,
}

fn stem(file: &'static str) -> &'static str {
    file.strip_suffix(".png").unwrap_or(file)
}

/// Those that are only on the page, beside the pictures.
const FURTHER_FIGURES: [&str; 3] = ["Accuracy_and_Time", "Accuracy_and_Parameters", "Calibration"];

fn figures(study: &Study) -> Vec<Figure> {
    if study.models().is_empty() {
        return Vec::new();
    }
    let pictures = pictures_on(study, Canvas::Paper).into_iter().map(|picture| Figure {
        name: stem(picture.file),
        caption: picture.scene.description.clone(),
        scene: picture.scene,
    });
    let further = [
        plots::against_time(study, Canvas::Paper),
        plots::against_size(study, Canvas::Paper),
        plots::calibration(study.models(), Canvas::Paper),
    ];
    let further = FURTHER_FIGURES.into_iter().zip(further).filter_map(|(name, scene)| {
        let scene = scene?;
        Some(Figure { name, caption: scene.description.clone(), scene })
    });
    pictures.chain(further).collect()
}

/// The names of [`tables_of`].
const TABLES: [&str; 16] = [
    "models",
    "measures",
    "classes",
    "ranking",
    "comparisons",
    "tests",
    "training-times",
    "accuracy",
    "loss",
    "costs",
    "recall",
    "confusion",
    "calibration",
    "calibration-bins",
    "corrected-labels",
    "runs",
];

/// The tables of the report, each with its file's name; those without rows are not there.
pub(crate) fn tables_of(study: &Study) -> Vec<(&'static str, Vec<Table>)> {
    let known = |table| tables::known(study, table);
    let is_compared = !study.analysis.comparisons.is_empty();
    let values = |quantity| curves::chart(study, quantity).map(|chart| tables::values(&chart));
    let one = |table: Option<Table>| Vec::from_iter(table);
    let all = [
        one(Some(known(tables::models(study)))),
        one(tables::measures(study)),
        one(tables::class_measures(study)),
        one((study.models().len() > 2).then(|| tables::ranking(study))),
        one(is_compared.then(|| tables::comparisons(study))),
        one(is_compared.then(|| tables::tests(study)).filter(|table| table.columns.len() > 1)),
        one(tables::training_times(study)),
        one(values(Quantity::Accuracy)),
        one(values(Quantity::Loss)),
        // Beside accuracy something is known that it costs.
        one(Some(known(tables::costs(study))).filter(|table| table.columns.len() > 2)),
        one(tables::recall(study)),
        tables::confusions(study),
        one(tables::calibration(study)),
        one(tables::calibration(study).map(|_| tables::bins(study))),
        one(tables::corrected(study)),
        one(Some(known(tables::runs_in_short(study)))),
    ];
    let there = |tables: &Vec<Table>| tables.iter().any(|table| !table.rows.is_empty());
    TABLES.into_iter().zip(all).filter(|(_, tables)| there(tables)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{judged, records};

    const HOSTILE: &str = r#"a_b%&#$^~\{}[|]<>"'`-- ü"#;

    fn written(records: &[records::record::RunRecord], formats: &[Format]) -> Vec<PaperFile> {
        paper(&judged(records, &[]), formats)
    }

    #[test]
    fn every_file_has_a_name_that_is_listed_and_the_same_bytes_again() {
        let records = records(&[("cnn", 0.03), (HOSTILE, 0.12), ("mlp", 0.08)], 3, 5);
        let files = written(&records, &Format::ALL);
        let listed: Vec<String> = Format::ALL.into_iter().flat_map(Format::files).collect();
        for file in &files {
            assert!(listed.contains(&file.name) && format_of(&file.name).is_some(), "{}", file.name);
        }
        assert!(files.len() > 30, "{}", files.len());
        assert_eq!(files, written(&records, &Format::ALL));
        // A format alone gives the same files but for the document, which shows the figures that are there.
        let alone: Vec<PaperFile> =
            Format::ALL.into_iter().flat_map(|format| written(&records, &[format])).collect();
        assert_eq!(alone.len(), files.len());
        for (one, other) in alone.iter().zip(&files).filter(|(one, _)| one.name != "paper.tex") {
            assert_eq!(one, other, "{}", one.name);
        }
    }

    #[test]
    fn nothing_is_written_of_a_study_without_runs() {
        let names: Vec<String> = written(&[], &Format::ALL).into_iter().map(|file| file.name).collect();
        assert!(names.iter().all(|name| name.ends_with(".tex") || name.ends_with(".csv")), "{names:?}");
    }
}
