//! Files that were made to do harm: read or refused at once, whatever they hold.

use super::parse;
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use study::study_file::StudyFile;

/// As large as a file may be.
const LARGEST: usize = 1 << 20;

/// Far more than any of them takes, and far less than one takes whose time grows with the square of its length.
const PATIENCE: Duration = Duration::from_secs(10);

/// The beginning, so many numbered parts as fit, and the end.
fn filled(begin: &str, part: impl Fn(usize) -> String, end: &str) -> String {
    let mut text = begin.to_owned();
    for number in 0.. {
        let part = part(number);
        if text.len() + part.len() + end.len() > LARGEST {
            break;
        }
        text.push_str(&part);
    }
    text.push_str(end);
    text
}

fn same(part: &'static str) -> impl Fn(usize) -> String {
    move |_| part.to_owned()
}

fn hostile_files() -> Vec<(&'static str, String)> {
    let classes = "\"flatten\", \"dense classes\"]\n";
    let repeats = "{repeat=2000,layers=[".repeat(6);
    let hundred: Vec<String> = (1..=100).map(|number| number.to_string()).collect();
    let ten = hundred[..10].join(",");
    let mut variables = filled("[model.a]\nvariables = {", |number| format!("v{number}=1,"), "").split_off(0);
    variables.truncate(LARGEST / 2);
    variables.truncate(variables.rfind(',').expect("several"));
    variables.push_str(
        &filled("}\nlayers = [", |number| format!("\"dense {{v{number}}}\",\n"), "]\n")[..LARGEST / 2],
    );
    vec![
        ("short lines", filled("[model.a]\nlayers = [\n", same("\"relu\",\n"), "]\n")),
        ("repeats of nothing", format!("[model.a]\nlayers=[{repeats}{},{classes}", "]}".repeat(6))),
        ("repeats of one", format!("[model.a]\nlayers=[{repeats}\"relu\"{},{classes}", "]}".repeat(6))),
        ("a key of many parts", filled("a", same(".a"), " = 1\n")),
        ("a quoted key of many parts", filled("a", same(".\"a\""), " = 1\n")),
        ("a header of many parts", filled("[a", same(".a"), "]\n")),
        ("keys of many parts within each other", filled("", same("{a.a.a.a.a.a.a.a="), "")),
        ("a setting of many parts", filled("models = [\"cnn\"]\n[recipe]\n\"epochs", same(".a"), "\" = 1\n")),
        ("a grid of many parts", filled("models = [\"cnn\"]\n[grid]\n\"epochs", same(".a"), "\" = [1]\n")),
        (
            "a search of many parts",
            filled("models = [\"cnn\"]\n[search]\n\"epochs", same(".a"), "\" = [1]\n"),
        ),
        ("lists within lists", filled("a = ", same("["), "")),
        ("tables within tables", filled("a = ", same("{a="), "")),
        (
            "closed lists within lists",
            format!("a = {}{}", "[".repeat(LARGEST / 2 - 2), "]".repeat(LARGEST / 2 - 2)),
        ),
        ("models like one", filled("", |number| format!("[model.m{number}]\nlike = \"vit\"\n"), "")),
        ("models like one large one", {
            let begin = format!("[model.a]\nlayers = [{}{classes}", "\"relu\",".repeat(1900));
            filled(&begin, |number| format!("[model.m{number}]\nlike=\"a\"\n"), "")
        }),
        ("tables in an order that moves them", {
            let mut text = filled("", |number| format!("[model.m{number:05}.recipe]\n"), "");
            text.truncate(LARGEST / 2);
            text.truncate(text.rfind('\n').expect("several") + 1);
            let count = text.lines().count();
            (0..count).for_each(|number| writeln!(text, "[model.m{number:05}]").expect("memory"));
            text.truncate(LARGEST);
            text
        }),
        ("variables", variables),
        ("a digit", filled("seeds = ", same("9"), "\n")),
        ("a fraction", filled("seeds = 0.", same("9"), "\n")),
        ("an exponent", filled("seeds = 1e", same("9"), "\n")),
        ("names of models", filled("models = [", |number| format!("\"m{number}\","), "]\n")),
        ("data sets", filled("models = [\"cnn\"]\ndatasets = [", |number| format!("\"d{number}\","), "]\n")),
        ("a long key", filled("", same("k"), " = 1\n")),
        ("a long field", filled("models = [\"cnn\"]\n[recipe]\n", same("k"), " = 1\n")),
        ("a long kind", filled("models = [\"cnn\"]\n[recipe]\noptimiser = \"", same("k"), "\"\n")),
        ("a long layer", filled("[model.a]\nlayers = [\"", same("relu "), "\"]\n")),
        ("a layer of variables", filled("[model.a]\nvariables={x=1}\nlayers = [\"", same("{x}"), "\"]\n")),
        ("a long title", filled("models = [\"cnn\"]\ntitle = \"", same("\u{e9}"), "\"\n")),
        ("keys", filled("", |number| format!("k{number} = 1\n"), "")),
        ("settings", filled("models = [\"cnn\"]\n[recipe]\n", |number| format!("k{number} = 1\n"), "")),
        ("axes", filled("models = [\"cnn\"]\n[grid]\n", |number| format!("k{number} = [1]\n"), "")),
        (
            "values of a grid",
            filled("models = [\"cnn\"]\n[grid]\nepochs = [", |number| format!("{number},"), "]\n"),
        ),
        (
            "a grid of large models",
            format!(
                "[model.a]\nlayers=[{{repeat=1900,layers=[\"relu\"]}},{classes}[grid]\nepochs=[{ten}]\nbatch_size=[{}]\n",
                hundred.join(",")
            ),
        ),
        ("choices", filled("models = [\"cnn\"]\n[search]\nepochs = [", |number| format!("{number},"), "]\n")),
        ("a text without end", filled("title = \"\"\"", same("\n"), "")),
        ("quotes", filled("", same("\""), "")),
        ("equal signs", filled("", same("="), "")),
        ("comments", filled("", same("#\n"), "")),
        ("nothing but lines", filled("", same("\n"), "")),
        ("lists of tables", filled("", same("[[model]]\n"), "")),
        ("equal tables", filled("", same("[model.a]\n"), "")),
        ("carriage returns", filled("", same("\r"), "")),
        ("zeros", filled("", same("\0"), "")),
    ]
}

#[test]
fn any_file_is_read_or_refused_at_once() {
    let mut slow = Vec::new();
    for (name, text) in hostile_files() {
        assert!(text.len() <= LARGEST + 1000, "{name}: {} bytes", text.len());
        let start = Instant::now();
        let read = parse(&text);
        let took = start.elapsed();
        if took > PATIENCE {
            slow.push(format!("{name}: {took:?}"));
        }
        match read {
            Err(error) => {
                let length = error.to_string().chars().count().max(error.hint.chars().count());
                assert!(length < 700, "{name}: a message of {length} characters");
            }
            Ok(study) => assert!(study.models.len() <= 1000, "{name}"),
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
}

/// What a byte can do to a study: each file of the repository with pieces left out, doubled and changed.
#[test]
fn mangled_files_are_read_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies");
    let mut state = 1u64;
    let mut random = |below: usize| {
        // Marsaglia's xorshift: any numbers will do, if they are the same each time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let mut refused = 0;
    let paths = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("the studies");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    };
    let studies = paths(&folder).into_iter().chain(paths(&folder.join("lessons")));
    for path in studies.filter(|path| path.extension().is_some_and(|ending| ending == "toml")) {
        let original = fs::read(path).expect("a study");
        for _ in 0..300 {
            let mut bytes = original.clone();
            for _ in 0..=random(3) {
                let (from, length) = (random(bytes.len()), random(40));
                let piece = from..(from + length).min(bytes.len());
                let other = random(bytes.len());
                match random(4) {
                    0 => drop(bytes.drain(piece)),
                    1 => drop(bytes.splice(other..other, bytes[piece].to_vec())),
                    2 => bytes[from] = b"[]{}=\",.\n0x"[random(11)],
                    _ => bytes[from] = random(256) as u8,
                }
            }
            refused += usize::from(parse(&String::from_utf8_lossy(&bytes)).is_err());
        }
    }
    assert!(refused > 300, "{refused} were refused");
}

#[test]
fn no_more_is_read_than_a_file_may_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.toml");
    fs::write(&path, filled("models = [\"cnn\"]\n", same("#\n"), "")).expect("it is written");
    assert!(StudyFile::read(&path).is_ok(), "as large as a file may be");
    fs::write(&path, "#".repeat(LARGEST + 1)).expect("it is written");
    let problem = |path: &Path| StudyFile::read(path).expect_err("it cannot be read").problem;
    assert_eq!(problem(&path), "1048576 bytes at most expected, more found");
    fs::write(&path, b"title = \"\xff\xfe\"").expect("it is written");
    assert_eq!(problem(&path), "text in UTF-8 expected, other bytes found");
    // A device that tells no length and never ends.
    #[cfg(unix)]
    assert_eq!(problem(Path::new("/dev/zero")), "1048576 bytes at most expected, more found");
}
