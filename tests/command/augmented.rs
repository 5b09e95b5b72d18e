//! `datasets --augmented`: a picture of what augmentation does.

use crate::common::{Bench, said};

#[test]
fn a_sheet_is_drawn_of_any_data_set_and_the_same_twice() {
    let bench = Bench::new();
    let sheet = |file: &str, more: &[&str]| {
        let arguments = [&["datasets", "--augmented", file, "--dataset", "data"], more].concat();
        let drawn = said(&mut bench.command(&arguments));
        assert_eq!((drawn.code, drawn.stderr.as_str()), (Some(0), ""), "{more:?}");
        std::fs::read(bench.path().join(file)).expect("the sheet")
    };
    let typical = sheet("a.png", &[]);
    assert!(typical.starts_with(b"\x89PNG"));
    assert_eq!(typical, sheet("b.png", &["--seed", "0"]));
    assert_ne!(typical, sheet("c.png", &["--seed", "1"]));
    assert_ne!(
        typical,
        sheet("d.png", &["--shift", "3", "--elastic", "20", "--smoothness", "2", "--cutmix", "1"])
    );
}

#[test]
fn colour_images_have_kinds_of_their_own() {
    let bench = Bench::new();
    let images =
        |count: usize| (0..count * 300).map(|at| (at * 37 + at / 30 * 11) as u8).collect::<Vec<u8>>();
    let labels = |count: usize| (0..count).map(|at| at as u8 % 2).collect();
    let corpus =
        data::Corpus::from_images("noise", [10, 10, 3], (images(40), labels(40)), (images(10), labels(10)));
    data::write_directory(&corpus.expect("images"), &bench.path().join("colour"))
        .expect("the set is written");
    let sheet = |dataset: &str, more: &[&str]| {
        let arguments = [&["datasets", "--augmented", "a.png", "--dataset", dataset], more].concat();
        let drawn = said(&mut bench.command(&arguments));
        (drawn.code, drawn.stdout, drawn.stderr)
    };
    // Two classes; each of the fourteen kinds is typical of colour images but elastic distortion, and each has a row.
    let (code, stdout, _) = sheet("colour", &[]);
    assert_eq!((code, stdout.as_str()), (Some(0), "a.png: 135 images augmented\n"));
    let (code, _, stderr) =
        sheet("colour", &["--crop", "2", "--flip", "0.5", "--saturation", "1", "--random-grey", "0.1"]);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, stderr) = sheet("data", &["--random-grey", "0.1"]);
    assert_eq!(code, Some(2));
    assert_eq!(
        stderr,
        "error: augmentation grey: colour images expected, those of data (training) are grey\nhint: leave out --grey\n"
    );
    let study = "models = [\"mlp\"]\n[recipe]\nepochs = 1\naugmentation = { crop = 1, flip = 0.5, saturation = 0.5 }\n";
    std::fs::write(bench.path().join("s.toml"), study).expect("written");
    let run = |dataset: &str| {
        said(&mut bench.command(&[
            "run",
            "s.toml",
            "--dataset",
            dataset,
            "--seeds",
            "1",
            "--out",
            dataset_out(dataset),
        ]))
    };
    let refused = run("data");
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.ends_with(
            "error: augmentation saturation: colour images expected, those of data are grey\n\
             hint: leave saturation out of the augmentation, or train on colour images\n"
        ),
        "{}",
        refused.stderr
    );
    assert!(!bench.path().join(dataset_out("data")).join("runs").exists());
    let trained = run("colour");
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let report = bench.read(&format!("{}/report.md", dataset_out("colour")));
    assert!(report.contains("augmentation (crop 1, flip 0.5, saturation 0.5)"), "{report}");
}

/// Beside the data.
fn dataset_out(dataset: &str) -> &'static str {
    if dataset == "data" { "out-grey" } else { "out-colour" }
}

#[test]
fn values_that_cannot_be_used_are_told() {
    let bench = Bench::new();
    let wrong = said(&mut bench.command(&["datasets", "--augmented", "a.png", "--rotation", "200"]));
    assert_eq!(wrong.code, Some(2));
    assert_eq!(
        wrong.stderr,
        "error: augmentation rotation: 0 to 180 expected, 200 found\nhint: pass --rotation with a value in that range\n"
    );
    let alone = said(&mut bench.command(&["datasets", "--shift", "2"]));
    assert_eq!(alone.code, Some(2));
    assert!(alone.stderr.contains("--augmented"), "{}", alone.stderr);
    assert!(!bench.path().join("a.png").exists());
}
