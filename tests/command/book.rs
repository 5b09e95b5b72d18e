//! The book and the pages beside it: links lead somewhere, examples are read, and the tutorials can be typed from top to bottom.

use crate::common::Bench;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};
use study::study_file::StudyFile;
use tempfile::TempDir;

/// A Markdown file, taken apart.
#[derive(Default)]
struct Page {
    text: String,
    /// What its headings are called in links, as mdBook calls them.
    anchors: BTreeSet<String>,
    /// Links and pictures.
    links: Vec<String>,
    /// Fenced blocks: the language, what stands in front of it, the content.
    blocks: Vec<[String; 3]>,
}

impl Page {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut page = Self::default();
        let (mut heading, mut block) = (None::<String>, None::<[String; 3]>);
        for (event, place) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => page.add_anchor(&heading.take().unwrap_or_default()),
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    let before = text[..place.start].trim_end().to_owned();
                    block = Some([language.into_string(), before, String::new()]);
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Text(words) | Event::Code(words) => {
                    if let Some([.., content]) = &mut block {
                        *content += &words;
                    } else if let Some(heading) = &mut heading {
                        *heading += &words;
                    }
                }
                _ => {}
            }
        }
        Self { text, ..page }
    }

    fn add_anchor(&mut self, heading: &str) {
        let slug = |character: char| match character {
            _ if character.is_alphanumeric() || "_-".contains(character) => {
                Some(character.to_ascii_lowercase())
            }
            _ => character.is_whitespace().then_some('-'),
        };
        let anchor: String = heading.trim().chars().filter_map(slug).collect();
        assert!(self.anchors.insert(anchor), "two headings are called {heading}: a link could mean either");
    }

    fn blocks<'a>(&'a self, language: &'a str) -> impl Iterator<Item = &'a str> {
        self.blocks.iter().filter(move |block| block[0] == language).map(|block| block[2].as_str())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of the book by their paths.
fn book() -> BTreeMap<PathBuf, Page> {
    let mut pages = BTreeMap::new();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.extension() {
                None => folders.push(path),
                Some(extension) if extension == "md" => {
                    let page = Page::read(&path);
                    pages.insert(path, page);
                }
                Some(_) => {}
            }
        }
    }
    pages
}

#[test]
fn every_link_leads_somewhere() {
    let mut pages = book();
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        pages.insert(root().join(name), Page::read(&root().join(name)));
    }
    let mut broken = Vec::new();
    for (path, page) in &pages {
        for link in page.links.iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().expect("a folder").join(file),
            };
            // What is outside the folder of the book is not among its pages.
            let docs = root().join("docs");
            let reachable = target.canonicalize().is_ok_and(|target| {
                let inside = target.starts_with(&docs) || !path.starts_with(&docs);
                inside
                    && (anchor.is_empty()
                        || pages.get(&target).is_some_and(|page| page.anchors.contains(anchor)))
            });
            if !reachable {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_summary_lists_every_page() {
    let pages = book();
    let summary = root().join("docs/SUMMARY.md");
    let listed: Vec<PathBuf> =
        pages[&summary].links.iter().map(|link| root().join("docs").join(link)).collect();
    let there: BTreeSet<&PathBuf> = pages.keys().filter(|path| **path != summary).collect();
    assert_eq!(listed.iter().collect::<BTreeSet<_>>(), there);
    assert_eq!(listed.len(), there.len(), "a page is listed twice");
}

#[test]
fn study_files_in_the_book_are_read() {
    let mut read = 0;
    for (path, page) in book() {
        // The manifest of a program that uses the crates is no study file.
        for text in page.blocks("toml").filter(|text| !text.contains("[profile.")) {
            let file = path.display().to_string();
            StudyFile::parse(text, &file).unwrap_or_else(|error| panic!("{error}\n{text}"));
            read += 1;
        }
    }
    assert!(read >= 10, "{read} study files found");
}

/// Every key that the schema has is in a table of the reference.
#[test]
fn the_reference_of_study_files_has_every_key() {
    let page = Page::read(&root().join("docs/reference/study-files.md"));
    let schema: Value = serde_json::from_str(include_str!("../../docs/study.schema.json")).expect("JSON");
    let rows: String = page.text.lines().filter(|line| line.starts_with('|')).collect();
    let mut keys = Vec::new();
    for table in [
        "/properties",
        "/properties/target/properties",
        "/$defs/model/properties",
        "/$defs/recipe/properties",
    ] {
        let table = schema.pointer(table).and_then(Value::as_object).expect("a table");
        keys.extend(table.keys());
    }
    for field in ["augmentation", "optimiser", "schedule"] {
        let field = &schema["$defs"]["recipe"]["properties"][field];
        let constants = field.get("properties").unwrap_or(&field["oneOf"][1]["properties"]);
        keys.extend(constants.as_object().expect("constants").keys().filter(|key| *key != "kind"));
    }
    let has = |key: &str| {
        ["`KEY`", "`[KEY]`", "`[KEY.NAME]`", "`[model.NAME.KEY]`"]
            .iter()
            .any(|form| rows.contains(&form.replace("KEY", key)))
    };
    let missing: Vec<_> = keys.iter().filter(|key| !has(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Every kind of layer has a row.
#[test]
fn the_reference_of_layers_has_every_kind() {
    let page = Page::read(&root().join("docs/reference/layers.md"));
    let has =
        |kind: &str| [format!("`{kind}`"), format!("`{kind} ")].iter().any(|form| page.text.contains(form));
    let missing: Vec<_> = nn::LAYER_FORMS.iter().map(|form| form.kind).filter(|kind| !has(kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What programs read is described: every field of the files that a study leaves, and of its events.
#[test]
fn the_reference_of_results_has_every_field() {
    let bench = Bench::new();
    let more = ["--seeds", "3", "--audit-selection", "--target", "0.5", "--json-events", "events", "--quiet"];
    bench.compare("out", &[&["mlp", "lstm"][..], &more].concat()).assert().success();
    let mut fields = BTreeSet::new();
    for file in ["summary.json", "plan.json", &format!("records/{}", bench.files("out/records")[0])] {
        collect(&bench.json(&format!("out/{file}")), &mut fields);
    }
    let events: Vec<Value> =
        bench.read("events").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    events.iter().for_each(|event| collect(event, &mut fields));
    let csv = bench.read("out/epochs.csv");
    fields.extend(csv.lines().next().expect("a header").split(',').map(str::to_owned));
    let pages =
        ["results", "events"].map(|name| Page::read(&root().join(format!("docs/reference/{name}.md"))).text);
    let missing: Vec<_> =
        fields.iter().filter(|field| !pages.concat().contains(&format!("`{field}`"))).collect();
    assert!(fields.len() > 60 && missing.is_empty(), "{missing:?}");
}

/// What a report's page explains, the book explains in the same words.
#[test]
fn the_glossary_has_every_term_of_a_report() {
    let bench = Bench::new();
    bench.compare("out", &["mlp", "--seeds", "1", "--quiet"]).assert().success();
    let page = bench.read("out/report.html");
    let glossary = Page::read(&root().join("docs/reference/glossary.md"));
    let mut book = String::new();
    for event in Parser::new(&glossary.text) {
        match event {
            Event::Text(words) | Event::Code(words) => book.push_str(&words),
            Event::SoftBreak => book.push(' '),
            _ => {}
        }
    }
    let terms: Vec<&str> = page.split("<dt id=\"term-").skip(1).collect();
    assert!(terms.len() > 10, "{}", terms.len());
    for term in terms {
        let (anchor, rest) = term.split_once('"').expect("an anchor");
        let meaning =
            rest.split("<dd>").nth(1).and_then(|rest| rest.split("</dd>").next()).expect("a meaning");
        let first = meaning.split(". ").next().expect("a sentence").trim_end_matches('.');
        assert!(glossary.anchors.contains(anchor), "{anchor} is not in the glossary of the book");
        assert!(book.contains(first), "{anchor}: the book does not say: {first}");
    }
}

/// The names of all fields, but for those of recipes and data sets.
fn collect(value: &Value, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                fields.insert(name.clone());
                if !["recipe", "dataset"].contains(&name.as_str()) {
                    collect(value, fields);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, fields)),
        _ => {}
    }
}

#[test]
fn the_first_study_can_be_typed() {
    type_in("first-study");
}

#[test]
fn the_own_network_can_be_typed() {
    type_in("own-network");
}

#[test]
fn the_own_images_can_be_typed() {
    type_in("own-images");
}

#[test]
fn the_own_models_can_be_typed() {
    type_in("own-models");
}

#[test]
fn the_spurious_colour_can_be_typed() {
    type_in("spurious-colour");
}

/// Does what a tutorial says, in an empty folder: saves the blocks in front of which stands a file's name and a colon, and calls
/// what follows a `$`. A command that is shown to print `error:` must fail, all others succeed, and what is shown must come, numbers
/// aside; `…` stands for what is left out.
fn type_in(tutorial: &str) {
    let page = Page::read(&root().join(format!("docs/tutorial/{tutorial}.md")));
    let folder = TempDir::new().expect("a temporary folder");
    let program = assert_cmd::cargo::cargo_bin("mnist-study");
    let programs = [program.parent().expect("a folder").to_owned()].into_iter();
    let path = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let path = env::join_paths(programs.chain(path)).expect("paths");
    for [language, before, content] in &page.blocks {
        if language != "console" {
            if let Some(name) = before.strip_suffix("`:").and_then(|before| before.rsplit('`').next()) {
                fs::write(folder.path().join(name), content).expect("written");
            }
            continue;
        }
        for call in content.split("$ ").skip(1) {
            let (line, shown) = call.split_once('\n').expect("a line");
            let mut command = Command::new("sh");
            command
                .args(["-c", line])
                .current_dir(&folder)
                .env("PATH", &path)
                .env_remove("MNIST_STUDY_KERNELS");
            let output = command.output().expect("a shell");
            let said = [output.stdout, output.stderr]
                .map(|bytes| String::from_utf8(bytes).expect("text"))
                .join("\n");
            let fails = shown.contains("error: ");
            assert_eq!(!output.status.success(), fails, "{tutorial}: {line}\n{said}");
            let said: Vec<String> = said.lines().map(comparable).collect();
            for expected in shown.lines().map(comparable).filter(|line| !line.is_empty()) {
                let there = match expected.strip_suffix('…') {
                    Some(start) => said.iter().any(|line| line.starts_with(start)),
                    None => said.contains(&expected),
                };
                assert!(there, "{tutorial}: {line}\nis to print {expected}\nbut prints\n{}", said.join("\n"));
            }
        }
    }
}

/// A line with every number and every identity made a `#`, and spaces made one.
fn comparable(line: &str) -> String {
    // An identity depends on the machine's instruction set.
    let is_identity = |word: &str| word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = line.split(' ').map(|word| if is_identity(word) { "#" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    let mut numbers = String::new();
    for character in line.chars() {
        let of_number = character.is_ascii_digit() || (".,".contains(character) && numbers.ends_with('#'));
        match of_number {
            true if numbers.ends_with('#') => {}
            true => numbers.push('#'),
            false => numbers.push(character),
        }
    }
    numbers.split_whitespace().collect::<Vec<_>>().join(" ")
}
