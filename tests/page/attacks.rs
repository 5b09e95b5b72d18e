//! Attempts to get in.

use crate::server::Server;
use serde_json::json;
use std::{fs, io::Write, net::TcpStream};

fn served() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    (folder, server)
}

#[test]
fn only_who_knows_the_token_gets_in() {
    let (_folder, server) = served();
    let host = server.host();
    for path in ["/", "/index.html", "/app.js", "/api/messages", "/api/call", "/nothing"] {
        let answer = server.raw(&format!("GET {path} HTTP/1.1\r\nHost: {host}"), b"");
        assert_eq!(answer.status, 403, "{path}");
        assert!(!answer.text().contains(&server.token));
    }
    let wrong = "0".repeat(server.token.len());
    let answer = server.raw(&format!("GET /?token={wrong} HTTP/1.1\r\nHost: {host}"), b"");
    assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
    // The address that is printed sets the cookie and leaves no token behind.
    let answer = server.raw(&format!("GET /?token={} HTTP/1.1\r\nHost: {host}", server.token), b"");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn other_sites_and_other_names_are_refused() {
    let (_folder, server) = served();
    let (host, cookie, port) = (server.host(), server.cookie(), server.port);
    let body = json!({ "method": "state" }).to_string();
    let post = |more: &str, host: &str| {
        let head = format!(
            "POST /api/call HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{more}Content-Length: {}",
            body.len()
        );
        server.raw(&head, body.as_bytes()).status
    };
    let json = "Content-Type: application/json\r\n";
    assert_eq!(post(json, &host), 200);
    // A name that was made to point here, with the cookie that the browser has for it.
    assert_eq!(post(json, &format!("evil.example:{port}")), 403);
    assert_eq!(post(json, "evil.example"), 403);
    assert_eq!(post(&format!("{json}Origin: http://evil.example\r\n"), &host), 403);
    assert_eq!(post(&format!("{json}Origin: null\r\n"), &host), 403);
    assert_eq!(post(&format!("{json}Sec-Fetch-Site: cross-site\r\n"), &host), 403);
    assert_eq!(post(&format!("{json}Sec-Fetch-Site: same-site\r\n"), &host), 403);
    // A form of another site cannot say this, and needs no permission to say the others.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"] {
        assert_eq!(post(&format!("Content-Type: {kind}\r\n"), &host), 415, "{kind}");
    }
    assert_eq!(post("", &host), 415);
    // The token in the address is no way round.
    let token = &server.token;
    let head = format!(
        "POST /api/call?token={token} HTTP/1.1\r\nHost: {host}\r\n{json}Content-Length: {}",
        body.len()
    );
    assert_eq!(server.raw(&head, body.as_bytes()).status, 403);
}

#[test]
fn no_path_of_a_request_is_opened() {
    let (folder, server) = served();
    fs::write(folder.path().join("secret.txt"), "secret").expect("written");
    let absolute = folder.path().join("secret.txt");
    for path in [
        "/../secret.txt".to_owned(),
        "/..%2fsecret.txt".to_owned(),
        "/%2e%2e/%2e%2e/etc/passwd".to_owned(),
        "//etc/passwd".to_owned(),
        "/secret.txt".to_owned(),
        "/views/../../secret.txt".to_owned(),
        absolute.display().to_string(),
        "/index.html%00.js".to_owned(),
    ] {
        let answer = server.get(&path);
        assert!(matches!(answer.status, 404 | 400), "{path}: {}", answer.status);
        assert!(!answer.text().contains("secret\n") && !answer.text().contains("root:"), "{path}");
    }
    // Nor is one that stands in a study.
    for dataset in
        [folder.path().display().to_string(), "/etc".into(), "../..".into(), "fashion-mnist-not".into()]
    {
        let text = format!("dataset = {dataset:?}\nmodels = [\"mlp\"]\n");
        let problem = server.call("start", &json!({ "text": text })).expect_err("a path");
        let message = problem["message"].as_str().expect("words");
        assert!(message.contains("not on this machine"), "{message}");
    }
    let text = "title = \"../../outside\"\nmodels = [\"mlp\"]\nseeds = 1\n";
    server.ask("start", &json!({ "text": text }));
    let made = server.ask("state", &json!({}))["folder"].as_str().expect("a folder").to_owned();
    assert!(made.ends_with("/outside") && made.starts_with(&*folder.path().to_string_lossy()), "{made}");
    server.ask("stop", &json!({}));
}

#[test]
fn a_browser_is_told_what_not_to_do() {
    let (_folder, server) = served();
    for path in ["/", "/app.js", "/nothing"] {
        let answer = server.get(path);
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe-inline"), "{policy}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn large_and_broken_requests_do_no_harm() {
    let (_folder, server) = served();
    let (host, cookie) = (server.host(), server.cookie());
    let head = |length: usize| {
        format!(
            "POST /api/call HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}"
        )
    };
    assert_eq!(server.raw(&head(usize::MAX / 2), b"{").status, 413);
    assert_eq!(server.raw(&head((32 << 20) + 1), b"{").status, 413);
    for body in ["", "{", "[]", "{\"method\": 5}", "{\"method\": \"state\", \"more\": 1}", "\u{feff}{}"] {
        assert_eq!(server.raw(&head(body.len()), body.as_bytes()).status, 400, "{body}");
    }
    let nested = "[".repeat(100_000);
    assert_eq!(server.raw(&head(nested.len()), nested.as_bytes()).status, 400);
    // Who says nothing and stays holds nobody up.
    let _silent: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(server.host()).expect("connected")).collect();
    let mut half = TcpStream::connect(server.host()).expect("connected");
    half.write_all(b"GET / HTTP/1.1\r\nHost:").expect("sent");
    assert_eq!(server.get("/").status, 200);
    for (method, parameters) in [
        ("nothing", json!({})),
        ("study", json!({})),
        ("study", json!({ "text": 5 })),
        ("study", json!({ "text": "models = [" })),
        ("images", json!({ "indices": vec![0; 401] })),
        ("images", json!({ "indices": [10_000] })),
        ("images", json!({ "indices": [-1] })),
        ("answers_of", json!({ "index": 0 })),
        ("prepare", json!({})),
        ("prepare", json!({ "pixels": "AAAA", "width": 1, "height": 4_000_000 })),
        ("prepare", json!({ "pixels": "AAAA", "width": 0, "height": 0 })),
        ("prepare", json!({ "pixels": "AAAA", "width": 2, "height": 2 })),
        ("prepare", json!({ "pixels": "not base64!", "width": 2, "height": 2 })),
        ("prepare", json!({ "file": "AAAA" })),
        ("answer", json!({ "image": "AAAA" })),
        ("inside", json!({ "model": "cnn", "image": "AAAA" })),
        ("report", json!({})),
    ] {
        let problem = server.call(method, &parameters).expect_err(method);
        assert!(problem["message"].as_str().is_some_and(|message| !message.is_empty()), "{method}");
    }
    assert_eq!(server.get("/").status, 200);
}
