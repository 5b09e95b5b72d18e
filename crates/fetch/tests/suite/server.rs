//! A server on this machine that does what a test wants.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// From `/` on.
    pub(crate) path: String,
    /// The first byte, where only a rest is asked for.
    pub(crate) from: Option<usize>,
    /// What the client says who it is for, in lower case.
    pub(crate) authorization: Option<String>,
}

/// What is done about it.
pub(crate) enum Reply {
    /// The file, or the rest that is asked for.
    File(Vec<u8>),
    /// The whole file, whatever is asked for.
    Whole(Vec<u8>),
    /// As `File`, without telling a length.
    Unmeasured(Vec<u8>),
    /// As `File`, but the connection ends after some bytes.
    Cut(Vec<u8>, usize),
    /// Another rest than is asked for.
    WrongRange(Vec<u8>),
    /// No file.
    Status(u16),
    /// Nothing, for longer than a test waits.
    Silence,
    /// A head that never ends, a byte now and then.
    EndlessHead,
    /// The file, a byte now and then.
    Trickle(Vec<u8>),
}

type Behaviour = dyn Fn(&Request, usize) -> Reply + Send + Sync;

/// Serves until it is dropped.
pub(crate) struct Server {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
    ends: Arc<AtomicBool>,
}

impl Server {
    /// `behaviour` gets each request with its number, counted from 0.
    pub(crate) fn new(behaviour: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let ends = Arc::new(AtomicBool::new(false));
        let (seen, ended, behaviour): (_, _, Arc<Behaviour>) =
            (Arc::clone(&requests), Arc::clone(&ends), Arc::new(behaviour));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let (seen, behaviour) = (Arc::clone(&seen), Arc::clone(&behaviour));
                // A client that goes away is no concern of a test.
                thread::spawn(move || drop(serve(stream, &seen, &*behaviour)));
            }
        });
        Self { address, requests, ends }
    }

    /// `http://127.0.0.1:PORT/`, or below it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no test panics with it").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // Wakes it from waiting for a connection.
        drop(TcpStream::connect(&self.address));
    }
}

/// An address where nobody listens.
pub(crate) fn refused() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}/", listener.local_addr().expect("an address"))
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Request>>, behaviour: &Behaviour) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut from, mut authorization) = (None, None);
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok();
        }
        if let Some(words) = line.strip_prefix("authorization: ") {
            authorization = Some(words.to_owned());
        }
    }
    let request = Request { path, from, authorization };
    let number = {
        let mut seen = seen.lock().expect("no test panics with it");
        seen.push(request.clone());
        seen.len() - 1
    };
    let start = from.unwrap_or(0);
    match behaviour(&request, number) {
        Reply::File(file) => rest(&mut stream, &file, start, from.is_some(), usize::MAX),
        Reply::Cut(file, bytes) => rest(&mut stream, &file, start, from.is_some(), bytes),
        Reply::Whole(file) => rest(&mut stream, &file, 0, false, usize::MAX),
        Reply::WrongRange(file) => rest(&mut stream, &file, start + 1, true, usize::MAX),
        Reply::Unmeasured(file) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            stream.write_all(&file)
        }
        Reply::Status(status) => {
            write!(stream, "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Reply::EndlessHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            drip(&mut stream, &[b'x'; 1_000])
        }
        Reply::Trickle(file) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", file.len())?;
            drip(&mut stream, &file)
        }
        Reply::Silence => {
            thread::sleep(Duration::from_secs(20));
            Ok(())
        }
    }
}

/// Until the client goes away.
fn drip(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    bytes.iter().try_for_each(|byte| {
        thread::sleep(Duration::from_millis(30));
        stream.write_all(&[*byte])
    })
}

fn rest(
    stream: &mut TcpStream,
    file: &[u8],
    start: usize,
    partial: bool,
    most: usize,
) -> std::io::Result<()> {
    if start >= file.len() {
        return stream.write_all(b"HTTP/1.1 416 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let rest = &file[start..];
    match partial {
        true => write!(
            stream,
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{}\r\n",
            file.len() - 1,
            file.len()
        )?,
        false => stream.write_all(b"HTTP/1.1 200 OK\r\n")?,
    }
    write!(stream, "Content-Length: {}\r\nConnection: close\r\n\r\n", rest.len())?;
    stream.write_all(&rest[..rest.len().min(most)])
}
