//! Servers that keep a client waiting, and a listener that has enough of it.

use crate::{
    server::{Reply, Server},
    sets::{fetch_telling, impatient, sample},
};
use fetch::{FetchError, Options, fetch};
use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

/// One attempt, with longer waits than a test would have patience for but for what is tested.
fn patient() -> Options {
    let mut options = impatient();
    options.patience.attempts = 1;
    options.patience.answer = Duration::from_secs(60);
    options.patience.silence = Duration::from_secs(60);
    options
}

fn problem(reply: impl Fn(Vec<u8>) -> Reply + Send + Sync + 'static, options: &Options) -> String {
    let original = sample(true, &[]);
    let server = Server::new(move |request, _| reply(original.file(&request.path)));
    let folder = tempfile::tempdir().expect("a folder");
    let toy = sample(true, &[server.url("")]).set;
    let start = Instant::now();
    let (result, told) = fetch_telling(&toy, folder.path(), options);
    assert!(matches!(result, Err(FetchError::Unreachable { .. })), "{result:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    told.iter().find_map(|line| line.strip_prefix("failed: ")).expect("a failure").to_owned()
}

#[test]
fn a_head_has_a_deadline() {
    let mut options = patient();
    options.patience.answer = Duration::from_millis(700);
    assert_eq!(problem(|_| Reply::EndlessHead, &options), "no complete answer within 700ms");
}

#[test]
fn a_file_that_hardly_comes_is_given_up() {
    let mut options = patient();
    options.patience.silence = Duration::from_millis(700);
    let problem = problem(Reply::Trickle, &options);
    let bytes =
        problem.strip_prefix("no more than ").and_then(|rest| rest.strip_suffix(" bytes received in 700ms"));
    let bytes: u32 = bytes.and_then(|bytes| bytes.parse().ok()).unwrap_or_else(|| panic!("{problem}"));
    assert!((1..100).contains(&bytes), "{problem}");
}

/// Whatever the server is doing, the listener is asked at once, and what it says is done at once.
#[test]
fn a_listener_ends_any_wait_at_once() {
    type Answer = fn(Vec<u8>) -> Reply;
    let waits: [(&str, Answer); 3] = [
        ("silence", |_| Reply::Silence),
        ("a head without end", |_| Reply::EndlessHead),
        ("a file that hardly comes", Reply::Trickle),
    ];
    for (what, reply) in waits {
        let original = sample(true, &[]);
        let server = Server::new(move |request, _| reply(original.file(&request.path)));
        let folder = tempfile::tempdir().expect("a folder");
        let toy = sample(true, &[server.url("")]).set;
        let asked = Instant::now();
        let mut heard = None;
        let ended = fetch(&toy, folder.path(), &patient(), &mut |_| {
            if asked.elapsed() < Duration::from_millis(500) {
                return ControlFlow::Continue(());
            }
            heard.get_or_insert_with(Instant::now);
            ControlFlow::Break(())
        });
        assert!(matches!(ended, Err(FetchError::Interrupted)), "{what}: {ended:?}");
        assert!(asked.elapsed() < Duration::from_secs(2), "{what}: heard after {:?}", asked.elapsed());
        let after = heard.expect("asked").elapsed();
        assert!(after < Duration::from_millis(500), "{what}: ended {after:?} later");
    }
}

/// The server is asked with the password, and nothing that a person sees has it.
#[test]
fn a_password_in_an_address_is_told_to_nobody() {
    let server = Server::new(|_, _| Reply::Status(404));
    let folder = tempfile::tempdir().expect("a folder");
    let address = server.url("copies/").replace("http://", "http://ada:sesame@");
    let mut options = impatient();
    options.mirror = Some(address);
    let mut told = Vec::new();
    let error = fetch(&sample(true, &[]).set, folder.path(), &options, &mut |event| {
        told.push(format!("{event:?}"));
        ControlFlow::Continue(())
    })
    .expect_err("no such file");
    let said = format!("{told:?} {error} {error:?} {}", error.hint());
    assert!(!said.contains("sesame") && !said.contains("ada"), "{said}");
    assert!(error.to_string().contains("http://***@127.0.0.1:"), "{error}");
    // Base64 of ada:sesame, by `printf ada:sesame | base64`.
    let request = &server.requests()[0];
    assert_eq!(request.authorization.as_deref(), Some("basic ywrhonnlc2ftzq=="), "{request:?}");
}
