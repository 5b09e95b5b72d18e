//! Who has a run, and who has it after them.

use super::*;
use crate::files::names;
use crate::record::{Scheduler, Task};
use std::thread;

fn holder(host: &str, task: Option<Task>) -> Holder {
    Holder { place: Place { host: host.to_owned(), task }, process: std::process::id() }
}

fn claims(folder: &Path, host: &str) -> Claims {
    Claims::of(folder, holder(host, None))
}

/// As if nobody had written it for long.
fn silent(path: &Path) {
    let then = SystemTime::now() - 2 * STALE;
    File::options().write(true).open(path).and_then(|file| file.set_modified(then)).expect("set");
}

fn task(job: &str, number: u64, restarts: u64) -> Option<Task> {
    Some(Task { scheduler: Scheduler::Slurm, job: Some(job.to_owned()), number: Some(number), restarts })
}

/// A claim of another machine: whatever is known of it is in its file, as locks need not reach there.
fn of_another_machine(folder: &Path, id: &str, holder: &Holder) -> PathBuf {
    let path = claims(folder, "here").path(id);
    fs::write(&path, serde_json::to_vec(holder).expect("plain values")).expect("written");
    path
}

#[test]
fn a_run_is_one_process_s_until_it_lets_it_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (claims(folder.path(), "here"), claims(folder.path(), "here"));
    let claim = one.claim("a").expect("writable").expect("free");
    assert!(other.claim("a").expect("writable").is_none());
    assert!(one.claim("a").expect("writable").is_none(), "nor twice by one process");
    assert!(other.claim("b").expect("writable").is_some());
    assert_eq!(names(folder.path()), ["a.claim"], "nothing else is left");
    let held = other.held().expect("readable");
    assert_eq!(held, [("a".to_owned(), holder("here", None))]);
    drop(claim);
    assert!(other.claim("a").expect("writable").is_some());
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn what_a_killed_process_of_this_machine_had_is_free_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    // Nobody has a lock on it.
    of_another_machine(folder.path(), "a", &holder("here", None));
    let claims = claims(folder.path(), "here");
    assert_eq!(claims.held().expect("readable"), []);
    let claim = claims.claim("a").expect("writable").expect("free, though it was written just now");
    assert!(claims.claim("a").expect("writable").is_none());
    drop(claim);
    of_another_machine(folder.path(), "b", &holder("here", None));
    of_another_machine(folder.path(), "c", &holder("elsewhere", None));
    claims.sweep();
    assert_eq!(names(folder.path()), ["c.claim"]);
}

#[test]
fn what_another_machine_has_is_free_after_a_silence() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = of_another_machine(folder.path(), "a", &holder("elsewhere", None));
    let claims = claims(folder.path(), "here");
    assert!(claims.claim("a").expect("writable").is_none());
    assert!(claims.is_another_machine_at_work());
    // It says that it is at work, after a silence.
    let elsewhere = OpenOptions::new().read(true).write(true).open(&path).expect("there");
    silent(&path);
    write(&elsewhere, &holder("elsewhere", None)).expect("written");
    assert!(claims.claim("a").expect("writable").is_none());
    silent(&path);
    assert_eq!(claims.held().expect("readable"), []);
    let claim = claims.claim("a").expect("writable").expect("abandoned");
    assert!(claims.claim("a").expect("writable").is_none());
    // The other machine's process wakes up: it says so to nobody, and lets nothing go.
    write(&elsewhere, &holder("elsewhere", None)).expect("written");
    drop(Claim { path: path.clone(), file: Some(elsewhere), holder: holder("elsewhere", None) });
    assert_eq!(read(&File::open(&path).expect("there")), Some(holder("here", None)));
    drop(claim);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_beat_keeps_a_claim() {
    let folder = tempfile::tempdir().expect("a folder");
    let (here, elsewhere) = (claims(folder.path(), "here"), claims(folder.path(), "elsewhere"));
    let claim = here.claim("a").expect("writable").expect("free");
    let written = || fs::metadata(&claim.path).and_then(|file| file.modified()).expect("a time");
    let before = written();
    thread::sleep(Duration::from_millis(20));
    claim.beat().expect("written");
    assert!(written() > before);
    assert!(elsewhere.claim("a").expect("writable").is_none());
}

#[test]
fn a_task_that_was_begun_again_takes_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let again = Claims::of(folder.path(), holder("here", task("7", 3, 1)));
    for (had, is_free) in [
        (task("7", 3, 0), true),
        (task("7", 3, 1), false),
        (task("7", 3, 2), false),
        (task("7", 4, 0), false),
        (task("8", 3, 0), false),
        (None, false),
    ] {
        let path = of_another_machine(folder.path(), "a", &holder("elsewhere", had.clone()));
        assert_eq!(again.claim("a").expect("writable").is_some(), is_free, "{had:?}");
        let _ = fs::remove_file(path);
    }
}

#[test]
fn a_file_that_is_no_claim_counts_as_one_for_a_while() {
    let folder = tempfile::tempdir().expect("a folder");
    let claims = claims(folder.path(), "here");
    for text in ["", "{", "{\"place\":{\"host\":\"here\"},\"process\":1,\"more\":2}", &"x".repeat(5000)] {
        fs::write(claims.path("a"), text).expect("written");
        assert!(claims.claim("a").expect("writable").is_none(), "{text}");
        silent(&claims.path("a"));
        assert!(claims.claim("a").expect("writable").is_some(), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_nobody_s_claim() {
    let folder = tempfile::tempdir().expect("a folder");
    let claims = claims(folder.path(), "here");
    fs::create_dir(claims.path("folder")).expect("made");
    std::os::unix::fs::symlink("nowhere", claims.path("link")).expect("made");
    let pipe = std::process::Command::new("mkfifo").arg(claims.path("pipe")).status();
    assert!(pipe.expect("it runs").success());
    for id in ["folder", "link", "pipe"] {
        let claim = claims.claim(id).expect("not opened").expect("free");
        claim.beat().expect("nothing to write");
        drop(claim);
        assert!(fs::symlink_metadata(claims.path(id)).is_ok(), "{id} stays");
    }
    assert_eq!(claims.held().expect("readable"), []);
    claims.sweep();
    // A time far ahead is no sign of life.
    let path = of_another_machine(folder.path(), "a", &holder("elsewhere", None));
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    File::options().write(true).open(&path).and_then(|file| file.set_modified(tomorrow)).expect("set");
    assert_eq!(claims.held().expect("readable"), []);
    assert!(claims.claim("a").expect("writable").is_some());
}

/// However many want it, one has it; and each time that it is let go, another one.
#[test]
fn of_many_one_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    silent(&of_another_machine(folder.path(), "a", &holder("elsewhere", None)));
    let has = std::sync::atomic::AtomicUsize::new(0);
    let had = std::sync::atomic::AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                use std::sync::atomic::Ordering::SeqCst;
                let claims = claims(folder.path(), "here");
                while had.load(SeqCst) < 40 {
                    if let Some(claim) = claims.claim("a").expect("writable") {
                        assert_eq!(has.fetch_add(1, SeqCst), 0, "two have it");
                        thread::sleep(Duration::from_millis(1));
                        has.fetch_sub(1, SeqCst);
                        drop(claim);
                        had.fetch_add(1, SeqCst);
                    }
                }
            });
        }
    });
    assert!(had.into_inner() >= 40);
    assert_eq!(names(folder.path()), [""; 0]);
}
