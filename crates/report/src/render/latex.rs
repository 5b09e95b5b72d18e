//! Tables for LaTeX, each in a file to be put in by `\input`, and a document that puts in all of them.
//!
//! They are set alike by pdfLaTeX, LuaLaTeX and XeLaTeX. Their packages are `booktabs` and `graphicx`; for pdfLaTeX letters of
//! languages beyond English want `\usepackage[T1]{fontenc}`.

use super::paper::Figure;
use crate::{
    Study,
    document::{Cell, Table},
    tables::GROUPS,
    words::{
        method,
        text::one_line,
        verdicts::{title, verdicts},
    },
};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The file of [`document`], without its ending.
pub(crate) const DOCUMENT: &str = "paper";

/// A longer table is divided, so that each part fits on a page.
const ROWS: usize = 40;

/// More of a table's parts at once than LaTeX keeps in mind.
const PARTS: usize = 8;

/// The tables of a file of this name.
pub(crate) fn tables(name: &str, tables: &[Table]) -> String {
    let mut file = String::from(
        "% Made by mnist-study. It needs \\usepackage{booktabs} and \\usepackage{graphicx}, and with pdfLaTeX\n\
         % \\usepackage[T1]{fontenc} for letters beyond those of English. A table wider than the line is made smaller.\n",
    );
    let mut written = 0;
    for (index, table) in tables.iter().enumerate() {
        let label = if index == 0 { name.to_owned() } else { format!("{name}-{}", index + 1) };
        for (part, rows) in table.rows.chunks(ROWS).enumerate() {
            if written > 0 && written % PARTS == 0 {
                file.push_str("\\clearpage\n");
            }
            written += 1;
            write_part(&mut file, &label, table, part, rows);
        }
    }
    file
}

fn write_part(file: &mut String, label: &str, table: &Table, part: usize, rows: &[Vec<Cell>]) {
    let columns: String =
        (0..table.columns.len()).map(|column| if table.is_numeric(column) { 'r' } else { 'l' }).collect();
    let line = |cells: Vec<String>| format!("      {} \\\\\n", cells.join(" & "));
    let caption = caption(label, table);
    file.push_str("\\begin{table}[htbp]\n  \\centering\n  \\setlength{\\belowcaptionskip}{6pt}\n");
    match part {
        0 => file.push_str(&format!("  \\caption{{{caption}}}\n  \\label{{tab:{label}}}\n")),
        // The part of one table counts as that table.
        _ => file
            .push_str(&format!("  \\addtocounter{{table}}{{-1}}\n  \\caption[]{{{caption} (continued)}}\n")),
    }
    file.push_str(&format!(
        "  \\small\n  \\sbox0{{%\n    \\begin{{tabular}}{{@{{}}{columns}@{{}}}}\n      \\toprule\n"
    ));
    let headings =
        table.columns.iter().enumerate().map(|(column, name)| heading(name, table.is_numeric(column)));
    file.push_str(&line(headings.collect()));
    file.push_str("      \\midrule\n");
    for row in rows {
        file.push_str(&line(row.iter().map(cell).collect()));
    }
    file.push_str(
        "      \\bottomrule\n    \\end{tabular}}%\n  \\ifdim\\wd0>\\linewidth\\resizebox{\\linewidth}{!}{\\usebox0}\\else\\usebox0\\fi\n\\end{table}\n",
    );
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Code(text) => format!("\\texttt{{{}}}", latex(text)),
        Cell::Figure(text) if text.is_empty() => String::new(),
        other => latex(other.text()),
    }
}

/// What a table is about, before what its caption on the page says.
fn name_of(label: &str) -> &'static str {
    match label {
        "models" => "Models",
        "measures" => "Measures beside accuracy",
        "ranking" => "Ranking",
        "accuracy" | "loss" => "Learning curves",
        "calibration" | "calibration-bins" => "Calibration",
        "runs" => "Every run",
        _ => "",
    }
}

fn caption(label: &str, table: &Table) -> String {
    let (name, mut said) = (name_of(label), table.caption.clone());
    match label {
        "ranking" => said.push_str(&format!(". {GROUPS}")),
        // It explains a column that is not there.
        "runs" if !table.columns.iter().any(|column| column == "fingerprint") => said.clear(),
        _ => {}
    }
    let parts = [name, &said].into_iter().filter(|part| !part.is_empty());
    parts.map(latex).collect::<Vec<_>>().join(". ")
}

/// A column's name in lines of few words, so that it is not wider than its figures.
fn heading(name: &str, is_numeric: bool) -> String {
    const WIDEST: usize = 14;
    let width = |text: &str| text.chars().count();
    if name.is_empty() || width(name) <= WIDEST {
        return if name.is_empty() { String::new() } else { latex(name) };
    }
    let mut lines: Vec<String> = Vec::new();
    // A number and its per cent sign stay together.
    for word in name.replace(" %", "\u{a0}%").split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= WIDEST => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let lines: Vec<String> = lines.iter().map(|line| latex(line)).collect();
    format!("\\shortstack[{}]{{{}}}", if is_numeric { 'r' } else { 'l' }, lines.join("\\\\"))
}

/// A document that shows the tables of these names and the figures, to be compiled beside them.
pub(crate) fn document(study: &Study, tables: &[(&str, Vec<Table>)], figures: &[Figure]) -> String {
    let mut file = format!(
        "% Made by mnist-study. pdflatex, lualatex or xelatex compiles it in the folder that it is in.\n\
         \\documentclass[a4paper]{{article}}\n\
         \\ifdefined\\Umathchar\\usepackage{{fontspec}}\\else\\usepackage[utf8]{{inputenc}}\\usepackage[T1]{{fontenc}}\\fi\n\
         \\IfFileExists{{lmodern.sty}}{{\\usepackage{{lmodern}}}}{{}}\n\
         \\usepackage{{booktabs}}\n\\usepackage{{graphicx}}\n\\sloppy\n\
         \\title{{{}}}\n\\author{{}}\n\\date{{}}\n\\begin{{document}}\n\\maketitle\n",
        latex(&title(study))
    );
    let warnings =
        study.analysis.warnings.before_verdicts.iter().map(|warning| format!("Warning. {warning}"));
    let verdicts =
        verdicts(study).into_iter().flat_map(|(verdict, meaning)| std::iter::once(verdict).chain(meaning));
    for sentence in warnings.chain(verdicts) {
        file.push_str(&format!("\n{}\n", latex(&sentence)));
    }
    if !study.models().is_empty() {
        file.push_str("\n\\section*{How it was made}\n\\begin{itemize}\n");
        for sentence in method::sentences(study) {
            file.push_str(&format!("  \\item {}\n", latex(&sentence)));
        }
        file.push_str("\\end{itemize}\n\\clearpage\n");
    }
    for figure in figures {
        file.push_str(&format!(
            "\\begin{{figure}}[htbp]\n  \\centering\n  \\includegraphics[width=\\linewidth,height=0.8\\textheight,keepaspectratio]{{{}.pdf}}\n  \
             \\caption{{{}}}\n  \\label{{fig:{}}}\n\\end{{figure}}\n",
            figure.name,
            latex(&figure.caption),
            figure.name.to_lowercase().replace('_', "-")
        ));
    }
    file.push_str("\\clearpage\n");
    let mut waiting = 0;
    for (name, tables) in tables {
        let parts: usize = tables.iter().map(|table| table.rows.len().div_ceil(ROWS)).sum();
        waiting += parts;
        if waiting > PARTS {
            file.push_str("\\clearpage\n");
            waiting = parts;
        }
        file.push_str(&format!("\\input{{{name}}}\n"));
    }
    file.push_str("\\end{document}\n");
    file
}

/// A name or a sentence as LaTeX text, which it is set as, whatever it holds.
pub(crate) fn latex(text: &str) -> String {
    let line = one_line(text);
    let mut characters = line.nfc().peekable();
    let (mut escaped, mut before, mut unbroken) = (String::new(), None, 0);
    while let Some(character) = characters.next() {
        // A word that no line takes, such as a digest or a path, may be broken.
        unbroken = if character == ' ' { 0 } else { unbroken + 1 };
        if unbroken >= 16 && unbroken % 8 == 0 {
            escaped.push_str("\\allowbreak{}");
        }
        // Two of these together would become another sign.
        if is_ligature(before, character) {
            escaped.push_str("\\kern0pt{}");
        }
        match (before, character) {
            // At the beginning of a row it would belong to the line break before it.
            (None, '[' | '*') => escaped.push_str(&format!("{{{character}}}")),
            // A number and its per cent sign stay together.
            (_, ' ') if characters.peek() == Some(&'%') => escaped.push('~'),
            _ => push(&mut escaped, character),
        }
        before = Some(character);
    }
    escaped
}

fn is_ligature(before: Option<char>, character: char) -> bool {
    match (before, character) {
        (Some(before), '-' | '\'' | '`' | ',') => {
            before == character || (character == '`' && matches!(before, '?' | '!'))
        }
        _ => false,
    }
}

fn push(escaped: &mut String, character: char) {
    let command = match character {
        ' '..='~' if !"\\{}$&#%_^~<>|\"".contains(character) => return escaped.push(character),
        '\\' => "\\textbackslash{}",
        '^' => "\\textasciicircum{}",
        '~' => "\\textasciitilde{}",
        '<' => "\\textless{}",
        '>' => "\\textgreater{}",
        '|' => "\\textbar{}",
        '"' => "\\symbol{34}",
        '{' | '}' | '$' | '&' | '#' | '%' | '_' => return escaped.extend(['\\', character]),
        '\u{a0}' => "~",
        '–' => "--",
        '—' => "---",
        '…' => "\\dots{}",
        '‘' => "`{}",
        '’' => "'{}",
        '“' => "``{}",
        '”' => "''{}",
        '¡' => "\\textexclamdown{}",
        '¿' => "\\textquestiondown{}",
        '§' => "\\S{}",
        '©' => "\\textcopyright{}",
        '®' => "\\textregistered{}",
        '™' => "\\texttrademark{}",
        '£' => "\\pounds{}",
        '€' => "\\texteuro{}",
        'ß' => "\\ss{}",
        'æ' => "\\ae{}",
        'Æ' => "\\AE{}",
        'œ' => "\\oe{}",
        'Œ' => "\\OE{}",
        'ø' => "\\o{}",
        'Ø' => "\\O{}",
        'ł' => "\\l{}",
        'Ł' => "\\L{}",
        'ı' => "\\i{}",
        _ => return push_composed(escaped, character),
    };
    escaped.push_str(command);
}

/// A sign of mathematics, a Greek letter, a letter with an accent; what pdfLaTeX has no sign for is shown by its number there.
fn push_composed(escaped: &mut String, character: char) {
    if let Some(command) = mathematics(character) {
        return escaped.push_str(&format!("\\ensuremath{{{command}}}"));
    }
    let parts: Vec<char> = std::iter::once(character).nfd().collect();
    if let [base, mark] = parts[..]
        && is_combining_mark(mark)
        && let Some(accent) = accent(mark)
    {
        escaped.push_str(&format!("\\{accent}{{"));
        push(escaped, base);
        return escaped.push('}');
    }
    // What arranges other text is no letter of any font.
    let arranges =
        matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') || character.is_control();
    let shown = if arranges { '\u{fffd}' } else { character };
    let code = u32::from(character);
    let number = format!("\\texttt{{U+{code:04X}}}");
    // Its own sign where the engine has fonts of all characters, and this one has it.
    escaped.push_str(&format!(
        "\\ifdefined\\Umathchar\\iffontchar\\font{code} {shown}\\else{number}\\fi\\else{number}\\fi\\allowbreak{{}}"
    ));
}

fn accent(mark: char) -> Option<char> {
    const ACCENTS: [(char, char); 14] = [
        ('\u{300}', '`'),
        ('\u{301}', '\''),
        ('\u{302}', '^'),
        ('\u{303}', '~'),
        ('\u{304}', '='),
        ('\u{306}', 'u'),
        ('\u{307}', '.'),
        ('\u{308}', '"'),
        ('\u{30a}', 'r'),
        ('\u{30b}', 'H'),
        ('\u{30c}', 'v'),
        ('\u{323}', 'd'),
        ('\u{327}', 'c'),
        ('\u{328}', 'k'),
    ];
    ACCENTS.iter().find(|(known, _)| *known == mark).map(|(_, accent)| *accent)
}

fn mathematics(character: char) -> Option<&'static str> {
    const SIGNS: [(char, &str); 74] = [
        ('−', "-"),
        ('±', "\\pm"),
        ('×', "\\times"),
        ('÷', "\\div"),
        ('·', "\\cdot"),
        ('≤', "\\le"),
        ('≥', "\\ge"),
        ('≠', "\\ne"),
        ('≈', "\\approx"),
        ('∞', "\\infty"),
        ('→', "\\to"),
        ('←', "\\gets"),
        ('°', "^\\circ"),
        ('¹', "^1"),
        ('²', "^2"),
        ('³', "^3"),
        ('½', "\\frac12"),
        ('¼', "\\frac14"),
        ('¾', "\\frac34"),
        ('√', "\\surd"),
        ('∑', "\\sum"),
        ('∏', "\\prod"),
        ('∂', "\\partial"),
        ('∇', "\\nabla"),
        ('¬', "\\lnot"),
        ('µ', "\\mu"),
        ('α', "\\alpha"),
        ('β', "\\beta"),
        ('γ', "\\gamma"),
        ('δ', "\\delta"),
        ('ε', "\\varepsilon"),
        ('ζ', "\\zeta"),
        ('η', "\\eta"),
        ('θ', "\\theta"),
        ('ι', "\\iota"),
        ('κ', "\\kappa"),
        ('λ', "\\lambda"),
        ('μ', "\\mu"),
        ('ν', "\\nu"),
        ('ξ', "\\xi"),
        ('ο', "o"),
        ('π', "\\pi"),
        ('ρ', "\\rho"),
        ('σ', "\\sigma"),
        ('ς', "\\varsigma"),
        ('τ', "\\tau"),
        ('υ', "\\upsilon"),
        ('φ', "\\varphi"),
        ('χ', "\\chi"),
        ('ψ', "\\psi"),
        ('ω', "\\omega"),
        ('Α', "\\mathrm{A}"),
        ('Β', "\\mathrm{B}"),
        ('Γ', "\\Gamma"),
        ('Δ', "\\Delta"),
        ('Ε', "\\mathrm{E}"),
        ('Ζ', "\\mathrm{Z}"),
        ('Η', "\\mathrm{H}"),
        ('Θ', "\\Theta"),
        ('Ι', "\\mathrm{I}"),
        ('Κ', "\\mathrm{K}"),
        ('Λ', "\\Lambda"),
        ('Μ', "\\mathrm{M}"),
        ('Ν', "\\mathrm{N}"),
        ('Ξ', "\\Xi"),
        ('Ο', "\\mathrm{O}"),
        ('Π', "\\Pi"),
        ('Ρ', "\\mathrm{P}"),
        ('Σ', "\\Sigma"),
        ('Τ', "\\mathrm{T}"),
        ('Υ', "\\Upsilon"),
        ('Φ', "\\Phi"),
        ('Ψ', "\\Psi"),
        ('Ω', "\\Omega"),
    ];
    SIGNS.iter().find(|(known, _)| *known == character).map(|(_, command)| *command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_latex_takes_for_markup_is_spelt_out() {
        for (text, expected) in [
            ("a_b%&#$^~\\{}", r"a\_b\%\&\#\$\textasciicircum{}\textasciitilde{}\textbackslash{}\{\}"),
            ("0.83 ± 0.2", r"0.83 \ensuremath{\pm} 0.2"),
            ("−1.5 × 2 ≤ α", r"\ensuremath{-}1.5 \ensuremath{\times} 2 \ensuremath{\le} \ensuremath{\alpha}"),
            ("ü ñ ç ő ø ß", r#"\"{u} \~{n} \c{c} \H{o} \o{} \ss{}"#),
            ("[0.1, 0.2] [x]", "{[}0.1, 0.2] [x]"),
            ("a--b 1–2 ?`", r"a-\kern0pt{}-b 1--2 ?\kern0pt{}`"),
            ("p < 0.001 at 95 %", r"p \textless{} 0.001 at 95~\%"),
            (
                "お",
                r"\ifdefined\Umathchar\iffontchar\font12362 お\else\texttt{U+304A}\fi\else\texttt{U+304A}\fi\allowbreak{}",
            ),
            ("two\nlines", "two lines"),
        ] {
            assert_eq!(latex(text), expected);
        }
        assert_eq!(latex(&"5".repeat(64)).matches("\\allowbreak").count(), 7);
    }

    #[test]
    fn every_character_is_ascii_but_where_the_engine_knows_it() {
        let all = ('\u{20}'..'\u{2ff}').chain('Α'..'ώ').collect::<String>();
        let text = latex(&all);
        let outside: String = text
            .split("\\ifdefined\\Umathchar\\iffontchar")
            .enumerate()
            .map(
                |(index, part)| {
                    if index == 0 { part } else { part.split_once("\\else").map_or("", |(_, rest)| rest) }
                },
            )
            .collect();
        assert!(outside.is_ascii(), "{outside}");
        let depth = outside.replace("\\{", "").replace("\\}", "");
        assert_eq!(depth.matches('{').count(), depth.matches('}').count());
    }

    #[test]
    fn a_table_is_divided_and_counts_as_one() {
        let rows = (0..95)
            .map(|row| vec![Cell::Words(format!("row {row}")), Cell::Figure("1".to_owned())])
            .collect();
        let table = Table { caption: "Long".to_owned(), columns: vec!["a".to_owned(), "b".to_owned()], rows };
        let file = tables("models", &[table]);
        assert_eq!(file.matches("\\begin{table}").count(), 3);
        assert_eq!(file.matches("\\label{tab:models}").count(), 1);
        assert_eq!(file.matches("\\addtocounter{table}{-1}").count(), 2);
        assert_eq!(file.matches("row ").count(), 95);
        assert!(file.contains("\\begin{tabular}{@{}lr@{}}") && file.contains("\\caption{Models. Long}"));
    }
}
