//! Data sets that are not in the program, with a server on this machine in the place of the published addresses.

use crate::common::{self, Bench, said};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// A server that answers every request with `status` and `body`; its address.
fn serve(status: &'static str, body: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // A client that goes away is no concern of a test.
            drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)));
        }
    });
    address
}

#[test]
fn without_a_network_it_is_said_which_files_belong_where() {
    let bench = Bench::new();
    for arguments in
        [&["datasets", "fetch", "kmnist"][..], &["train", "cnn", "--save", "m", "--dataset", "kmnist"]]
    {
        let said = said(&mut bench.command(arguments));
        assert_eq!((said.code, said.stdout.as_str()), (Some(75), ""), "worth repeating");
        let lines: Vec<&str> = said.stderr.lines().collect();
        let url = "http://127.0.0.1:9/copies/kmnist/train-images-idx3-ubyte.gz";
        assert_eq!(lines[0], format!("kmnist: train-images-idx3-ubyte.gz from {url}"));
        assert!(lines[1].starts_with(&format!("note: {url}: ")), "{}", said.stderr);
        assert!(
            lines[2]
                .starts_with(&format!("error: kmnist: train-images-idx3-ubyte.gz was not received: {url}: ")),
            "{}",
            said.stderr
        );
        let folder = bench.path().canonicalize().expect("there").join("cache/kmnist");
        assert!(
            lines[3].starts_with("hint: ") && lines[3].contains(&folder.display().to_string()),
            "{}",
            lines[3]
        );
        assert_eq!(
            lines[5],
            "  train-labels-idx1-ubyte.gz  \
             SHA-256 e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17  \
             https://codh.rois.ac.jp/kmnist/dataset/kmnist/train-labels-idx1-ubyte.gz"
        );
        assert_eq!(lines.len(), 9, "{}", said.stderr);
        assert!(lines[8].contains("any file or folder of images"), "{}", lines[8]);
    }
}

#[test]
fn quiet_says_the_error_alone() {
    let bench = Bench::new();
    let said = said(&mut bench.command(&["datasets", "fetch", "qmnist", "--quiet"]));
    assert_eq!(said.code, Some(75));
    assert!(said.stderr.starts_with("error: qmnist: "), "{}", said.stderr);
}

#[test]
fn what_a_server_sends_instead_is_refused() {
    let bench = Bench::new();
    for (status, body, expected) in [
        ("404 Not Found", &b""[..], "HTTP status 404 Not Found"),
        ("200 OK", b"Sign in to this network", "26421880 bytes expected, 23 found"),
    ] {
        let mut command = bench.command(&["datasets", "fetch", "fashion-mnist"]);
        let said = said(command.env("MNIST_STUDY_MIRROR", serve(status, body)));
        assert_eq!(said.code, Some(1));
        let error = said.stderr.lines().find(|line| line.starts_with("error: ")).expect("an error");
        assert!(
            error.contains("/fashion-mnist/train-images-idx3-ubyte.gz: ") && error.ends_with(expected),
            "{error}"
        );
    }
    // Its length is not known beforehand, but its digest is.
    let mut command = bench.command(&["datasets", "fetch", "qmnist"]);
    let said = said(command.env("MNIST_STUDY_MIRROR", serve("200 OK", b"Sign in to this network")));
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("SHA-256 9e26a7bf1683614e"), "{}", said.stderr);
    let left = fs::read_dir(bench.path().join("cache/qmnist")).expect("a folder").count();
    assert_eq!(left, 0, "nothing wrong is kept");
}

#[test]
fn files_that_are_not_as_published_are_never_trained_on() {
    let bench = Bench::new();
    // MNIST's own format and names, as every such set has them.
    data::write_directory(&data::synthetic(5, 60, 20, 28, 28, 10), &bench.path().join("cache/kmnist"))
        .expect("written");
    let folder = bench.path().join("cache/kmnist");
    for name in data::FILE_NAMES {
        fs::rename(folder.join(name), folder.join(format!("{name}.gz"))).expect("renamed");
    }
    let said = said(&mut bench.command(&["--dataset", "kmnist", "--out", "out"]));
    assert_eq!(said.code, Some(1));
    let file = Path::new("cache/kmnist").join("train-images-idx3-ubyte.gz");
    assert!(
        said.stderr.starts_with(&format!("error: {}: SHA-256 51467d22d8cc7292", file.display())),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("`mnist-study datasets fetch kmnist` gets it again"), "{}", said.stderr);
    assert!(!bench.path().join("out").exists());
}

/// A server that sends a fiftieth of the file and then nothing: what came is kept, and the command says how to go on.
#[cfg(unix)]
#[test]
fn an_interrupted_fetch_keeps_what_came() {
    const SENT: usize = 500_000;
    let bench = Bench::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 26421880\r\n\r\n";
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&[7; SENT])).expect("sent");
        // A byte now and then, so that the line is never silent for long; until the client goes away.
        while stream.write_all(&[7]).is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let mut fetch = Command::new(assert_cmd::cargo::cargo_bin("mnist-study"))
        .current_dir(bench.path())
        .args(["datasets", "fetch", "fashion-mnist"])
        .env("MNIST_STUDY_DATA", "cache")
        .env("MNIST_STUDY_MIRROR", address)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let part = bench.path().join("cache/fashion-mnist/train-images-idx3-ubyte.gz.part");
    while fs::metadata(&part).map_or(0, |metadata| metadata.len()) < SENT as u64 {
        assert!(fetch.try_wait().expect("a process").is_none(), "it waits for more");
        thread::sleep(Duration::from_millis(10));
    }
    common::send("INT", &fetch);
    let output = fetch.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("error: fashion-mnist: interrupted before it was fetched\nhint: "), "{stderr}");
    assert!(fs::metadata(&part).expect("kept").len() >= SENT as u64);
}

#[test]
fn names_are_known_or_suggested() {
    let bench = Bench::new();
    let mnist = said(&mut bench.command(&["datasets", "fetch", "mnist"]));
    assert_eq!((mnist.code, mnist.stderr.as_str()), (Some(0), ""));
    assert_eq!(mnist.stdout, "mnist: inside this program, nothing to fetch\n");
    let json = said(&mut bench.command(&["datasets", "fetch", "mnist", "--json"])).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["downloaded_bytes"], 0);
    for arguments in [&["datasets", "fetch", "fashon-mnist"][..], &["--dataset", "fashon-mnist"]] {
        let unknown = said(&mut bench.command(arguments));
        assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(1), ""));
        assert!(unknown.stderr.ends_with("hint: did you mean fashion-mnist?\n"), "{}", unknown.stderr);
    }
}

#[test]
fn a_folder_of_a_known_name_is_meant_by_its_path() {
    let bench = Bench::new();
    fs::rename(bench.path().join("data"), bench.path().join("kmnist")).expect("renamed");
    let train = ["train", "lstm", "--save", "m.safetensors", "--epochs", "1", "--dataset", "./kmnist"];
    assert_eq!(said(&mut bench.command(&train)).code, Some(0));
}
