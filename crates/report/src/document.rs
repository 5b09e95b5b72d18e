//! What a report holds, before it is Markdown, a page or a terminal's text.
//!
//! Texts are plain: each renderer escapes what its format would take for markup.

/// A heading and the sentences below it.
pub(crate) struct Section {
    pub(crate) heading: &'static str,
    pub(crate) sentences: Vec<String>,
}

/// A table, written once for every format. The first cell of a row is its heading.
pub(crate) struct Table {
    /// What it shows.
    pub(crate) caption: String,
    /// What each column holds.
    pub(crate) columns: Vec<String>,
    /// Each with a cell a column.
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// A model's name, and its place in the study, whose colour it has.
    Model(usize, String),
    /// Words, aligned at their beginnings.
    Words(String),
    /// A figure, aligned at its end.
    Figure(String),
    /// A figure with a bar in the colour of the model of this place, which takes this fraction of the cell.
    Bar(usize, f64, String),
    /// What is copied letter by letter.
    Code(String),
}

impl Cell {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Model(_, text)
            | Self::Words(text)
            | Self::Figure(text)
            | Self::Bar(_, _, text)
            | Self::Code(text) => text,
        }
    }
}

impl Table {
    /// The columns of these names, in this order.
    pub(crate) fn only(&self, columns: &[&str]) -> Self {
        let places: Vec<usize> = columns
            .iter()
            .map(|name| self.columns.iter().position(|column| column == name).expect("a column of the table"))
            .collect();
        Self {
            caption: self.caption.clone(),
            columns: places.iter().map(|place| self.columns[*place].clone()).collect(),
            rows: self
                .rows
                .iter()
                .map(|row| places.iter().map(|place| row[*place].clone()).collect())
                .collect(),
        }
    }

    /// Without the columns in which nothing is known, but for the first.
    pub(crate) fn without_unknown(&self) -> Self {
        let is_known = |column: &usize| {
            *column == 0 || self.rows.iter().any(|row| row[*column].text() != crate::words::numbers::MISSING)
        };
        let columns: Vec<&str> =
            (0..self.columns.len()).filter(is_known).map(|column| self.columns[column].as_str()).collect();
        self.only(&columns)
    }

    /// Whether a column holds figures.
    pub(crate) fn is_numeric(&self, column: usize) -> bool {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.into_iter().any(|cell| matches!(cell, Cell::Figure(_) | Cell::Bar(..)))
    }
}
