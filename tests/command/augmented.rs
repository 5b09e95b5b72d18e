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
