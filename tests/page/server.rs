//! The program serving its page, and a client that says exactly what a test wants said.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A page that is served until this is dropped.
pub struct Server {
    child: Child,
    pub port: u16,
    pub token: String,
}

/// What a server answered.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Server {
    /// With the results in `out`, and more arguments.
    pub fn start(out: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mnist-study"))
            .args(["page", "--show", "never", "--port", "0", "--threads", "1", "--out"])
            .arg(out)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("an address");
        let (address, token) = line
            .trim()
            .split_once("/?token=")
            .unwrap_or_else(|| panic!("an address expected, {line:?} found"));
        let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
        Self { child, port, token: token.to_owned() }
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn cookie(&self) -> String {
        format!("mnist-study-{}={}", self.port, self.token)
    }

    /// Sends a request's head as it is, and a body.
    pub fn raw(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.host()).expect("a server");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
        // A server may answer before it has read all that it does not want.
        let _ = stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes());
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Answer { status, headers, body: dechunked(&head, &bytes[end + 4..]) }
    }

    /// As the page asks for a file.
    pub fn get(&self, path: &str) -> Answer {
        self.raw(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}", self.host(), self.cookie()), b"")
    }

    /// As the page calls.
    pub fn call(&self, method: &str, parameters: &Value) -> Result<Value, Value> {
        let body = json!({ "method": method, "parameters": parameters }).to_string();
        let head = format!(
            "POST /api/call HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}",
            self.cookie(),
            body.len(),
            host = self.host()
        );
        let answer = self.raw(&head, body.as_bytes());
        assert_eq!(answer.status, 200, "{method}: {}", answer.text());
        let mut answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
        match answer.get_mut("problem") {
            Some(problem) => Err(problem.take()),
            None => Ok(answer["answer"].take()),
        }
    }

    /// The answer of a call that must have one.
    pub fn ask(&self, method: &str, parameters: &Value) -> Value {
        self.call(method, parameters).unwrap_or_else(|problem| panic!("{method}: {problem}"))
    }

    /// Waits until the state is as wanted.
    pub fn wait(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            let state = self.ask("state", &json!({}));
            if wanted(&state) {
                return state;
            }
            assert!(Instant::now() < end, "waited in vain: {state}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Listens to messages until one is as wanted; all of them.
    pub fn messages(&self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut stream = TcpStream::connect(self.host()).expect("a server");
        stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a limit");
        let (host, cookie) = (self.host(), self.cookie());
        write!(stream, "GET /api/messages HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n")
            .expect("sent");
        let mut messages = Vec::new();
        for line in BufReader::new(stream).lines() {
            let line = line.expect("a message in time");
            // Chunks end between lines, since each event is one.
            let Some(data) = line.strip_prefix("data: ") else { continue };
            let message: Value = serde_json::from_str(data).expect("JSON");
            let is_wanted = wanted(&message);
            messages.push(message);
            if is_wanted {
                return messages;
            }
        }
        panic!("the messages ended after {}", messages.len());
    }

    /// Ends the program as a closed laptop does: at once.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Ends the program as Ctrl-C does; its exit code.
    pub fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-INT", &id]).status().expect("sent");
        self.child.wait().expect("ended").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn dechunked(head: &str, body: &[u8]) -> Vec<u8> {
    if !head.to_lowercase().contains("transfer-encoding: chunked") {
        return body.to_vec();
    }
    let (mut whole, mut rest) = (Vec::new(), body);
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(&String::from_utf8_lossy(&rest[..end]), 16).expect("a length");
        if length == 0 {
            break;
        }
        whole.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 4 + length..];
    }
    whole
}
