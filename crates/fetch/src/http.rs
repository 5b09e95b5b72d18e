//! One request for the rest of a file.

use crate::{Event, FetchError, Listener, Options, Patience, own::GLANCE, part::Part, tell};
use std::{
    fmt,
    io::{self, Read},
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};
use ureq::{
    Agent, Timeout,
    http::{HeaderMap, StatusCode, header, response::Parts},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

/// What a server's name for this program is. Some refuse programs that do not say who they are.
const USER_AGENT: &str = concat!("mnist-study/", env!("CARGO_PKG_VERSION"));

/// Bytes that are read and written at once.
const CHUNK_BYTES: usize = 1 << 16;

/// Chunks that have come and are not written yet, at most.
const CHUNKS: usize = 16;

/// A server that sends less than this for as long as the longest silence holds a download rather than serving it.
const LEAST_BYTES: u64 = 1_000;

/// No file of certificates is longer: those of a whole system have some 200 kB.
const MAXIMUM_CERTIFICATES_BYTES: u64 = 1 << 24;

/// Asks servers.
pub(crate) struct Client {
    agent: Agent,
    patience: Patience,
}

/// Why a request did not give the whole file.
pub(crate) enum Problem {
    /// The same address may do better in a moment.
    Passing(String),
    /// It may some time later: there is no network, no host or nobody who listens.
    Away(String),
    /// It will not.
    Lasting(String),
    /// It has nothing to do with the address.
    Ours(FetchError),
}

impl From<FetchError> for Problem {
    fn from(error: FetchError) -> Self {
        Self::Ours(error)
    }
}

/// A file's address. Its `Debug` and what is shown of it are without a user's name and password.
pub(crate) struct Address {
    url: String,
    shown: String,
}

impl Address {
    pub(crate) fn new(url: String) -> Self {
        let shown = match user(&url) {
            Some(user) => url.replacen(user, "***", 1),
            None => url.clone(),
        };
        Self { url, shown }
    }

    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Without a user's name and password, wherever a text repeats them.
    fn hide(&self, text: String) -> String {
        match user(&self.url) {
            Some(user) => {
                let password = user.split_once(':').map_or(user, |(_, password)| password);
                let hidden = text.replace(user, "***");
                if password.is_empty() { hidden } else { hidden.replace(password, "***") }
            }
            None => text,
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(formatter)
    }
}

/// `name:password` of `http://name:password@host/path`.
fn user(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    (!user.is_empty()).then_some(user)
}

/// The file that is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) address: &'a Address,
    pub(crate) bytes: Option<u64>,
    /// [`data::Download::most_bytes`].
    pub(crate) most_bytes: u64,
}

/// What the thread of a request has to say. After a failure or the end it says nothing more.
enum Message {
    Head(Box<Parts>),
    Chunk(Vec<u8>),
    Failed(ureq::Error),
    End,
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, FetchError> {
        let patience = options.patience;
        let roots = options.certificates.as_deref().map_or(Ok(RootCerts::WebPki), certificates)?;
        let config = Agent::config_builder()
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_recv_response(Some(patience.answer))
            .timeout_per_read(Some(patience.silence))
            .timeout_per_write(Some(patience.silence))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .user_agent(USER_AGENT)
            .http_status_as_error(false)
            .build();
        Ok(Self { agent: config.into(), patience })
    }

    /// Appends the rest of the file to `part`, or all of it where the server does not divide files.
    ///
    /// `received` counts every byte that comes, also if it is thrown away later. The request is made by a thread of its own,
    /// which is left to itself when the listener ends the download: a server that goes on sending now and then could hold it.
    pub(crate) fn receive(
        &self,
        wanted: &Wanted,
        part: &mut Part,
        received: &mut u64,
        listener: &mut Listener,
    ) -> Result<(), Problem> {
        let (sender, messages) = sync_channel(CHUNKS);
        let (agent, url, start) = (self.agent.clone(), wanted.address.url.clone(), part.bytes());
        thread::Builder::new()
            .name("download".to_owned())
            .spawn(move || request(&agent, &url, start, &sender))
            .map_err(|error| Problem::Lasting(format!("no thread for the request ({error})")))?;
        let mut answer = Answer { messages, name: wanted.name, total: wanted.bytes, listener };
        let deadline = Instant::now() + self.patience.connect + self.patience.answer;
        let head = match answer.next(deadline, part.bytes())? {
            Some(Message::Head(head)) => head,
            Some(Message::Failed(error)) => return Err(self.unanswered(&error, wanted)),
            Some(Message::Chunk(_) | Message::End) => unreachable!("a head comes first"),
            None => return Err(Problem::Passing(self.no_answer())),
        };
        let total = begin(&head, wanted.bytes, part)?;
        match (wanted.bytes, total) {
            (Some(expected), Some(found)) if expected != found => {
                return Err(Problem::Lasting(format!("{expected} bytes expected, {found} found")));
            }
            _ => {}
        }
        answer.total = wanted.bytes.or(total);
        self.append(answer, wanted, part, received)
    }

    fn append(
        &self,
        mut answer: Answer,
        wanted: &Wanted,
        part: &mut Part,
        received: &mut u64,
    ) -> Result<(), Problem> {
        let total = answer.total;
        let limit = total.unwrap_or(u64::MAX).min(wanted.most_bytes);
        let (mut since, mut lately) = (Instant::now(), 0);
        loop {
            match answer.next(since + self.patience.silence, part.bytes())? {
                Some(Message::Chunk(chunk)) => {
                    let length = chunk.len() as u64;
                    *received += length;
                    lately += length;
                    if part.bytes() + length > limit {
                        return Err(Problem::Lasting(format!("{limit} bytes expected, more found")));
                    }
                    part.append(&chunk)?;
                }
                Some(Message::End) => break,
                // With the file's length known, how much of it came says more than that the line broke.
                Some(Message::Failed(ureq::Error::Io(error)))
                    if error.kind() == io::ErrorKind::UnexpectedEof && total.is_some() =>
                {
                    break;
                }
                Some(Message::Failed(error)) => return Err(Problem::Passing(self.words(&error, wanted))),
                Some(Message::Head(_)) => unreachable!("a head comes first"),
                None => {}
            }
            if since.elapsed() >= self.patience.silence {
                if lately < LEAST_BYTES {
                    return Err(Problem::Passing(self.hardly_anything(lately)));
                }
                (since, lately) = (Instant::now(), 0);
            }
        }
        match total {
            Some(total) if part.bytes() < total => Err(Problem::Passing(format!(
                "{total} bytes expected, the connection ended after {}",
                part.bytes()
            ))),
            _ => Ok(()),
        }
    }

    /// Why there was no answer. Only a line that broke is worth another attempt at once: without a network, a host or a
    /// listener there, the next second is like this one.
    fn unanswered(&self, error: &ureq::Error, wanted: &Wanted) -> Problem {
        let text = self.words(error, wanted);
        let broke = match error {
            ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => false,
            ureq::Error::Timeout(_) => true,
            ureq::Error::Io(error) => matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::TimedOut
            ),
            _ => false,
        };
        if broke { Problem::Passing(text) } else { Problem::Away(text) }
    }

    fn words(&self, error: &ureq::Error, wanted: &Wanted) -> String {
        match error {
            ureq::Error::HostNotFound => "no such host, or no network".to_owned(),
            ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
                format!("no connection within {:?}", self.patience.connect)
            }
            ureq::Error::Timeout(Timeout::RecvResponse) => self.no_answer(),
            ureq::Error::Timeout(_) => self.hardly_anything(0),
            ureq::Error::Io(error) => wanted.address.hide(format!("the connection failed ({error})")),
            other => wanted.address.hide(other.to_string()),
        }
    }

    fn no_answer(&self) -> String {
        format!("no complete answer within {:?}", self.patience.answer)
    }

    fn hardly_anything(&self, bytes: u64) -> String {
        match bytes {
            0 => format!("nothing received for {:?}", self.patience.silence),
            bytes => format!("no more than {bytes} bytes received in {:?}", self.patience.silence),
        }
    }
}

/// Asks, reads, and hands on what comes, until nobody wants it any more.
fn request(agent: &Agent, url: &str, start: u64, sender: &SyncSender<Message>) {
    let mut request = agent.get(url);
    if start > 0 {
        request = request.header(header::RANGE, format!("bytes={start}-"));
    }
    let response = match request.call() {
        Ok(response) => response,
        Err(error) => return drop(sender.send(Message::Failed(error))),
    };
    let (head, body) = response.into_parts();
    if sender.send(Message::Head(Box::new(head))).is_err() {
        return;
    }
    let mut reader = body.into_reader();
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let message = match reader.read(&mut chunk) {
            Ok(0) => Message::End,
            Ok(length) => {
                chunk.truncate(length);
                Message::Chunk(chunk)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Message::Failed(ureq::Error::from(error)),
        };
        let is_last = !matches!(message, Message::Chunk(_));
        if sender.send(message).is_err() || is_last {
            return;
        }
    }
}

/// What comes from the thread of a request, for the one that waits for it.
struct Answer<'a, 'b> {
    messages: Receiver<Message>,
    name: &'a str,
    total: Option<u64>,
    listener: &'a mut Listener<'b>,
}

impl Answer<'_, '_> {
    /// The next message, or none at the deadline; the listener is asked all the while.
    fn next(&mut self, deadline: Instant, received_bytes: u64) -> Result<Option<Message>, Problem> {
        loop {
            let (file, total_bytes) = (self.name, self.total);
            tell(self.listener, Event::Received { file, received_bytes, total_bytes })?;
            let left = deadline.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left.min(GLANCE)) {
                Ok(message) => return Ok(Some(message)),
                Err(RecvTimeoutError::Timeout) if left > Duration::ZERO => {}
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Problem::Lasting("the request ended without an answer".to_owned()));
                }
            }
        }
    }
}

/// The certificates of a file in PEM format.
fn certificates(path: &Path) -> Result<RootCerts, FetchError> {
    let wrong = |problem: String| FetchError::Certificates { path: path.to_owned(), problem };
    let mut text = Vec::new();
    data::open_plain(path)
        .and_then(|file| file.take(MAXIMUM_CERTIFICATES_BYTES).read_to_end(&mut text))
        .map_err(|error| wrong(error.to_string()))?;
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&text) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            // A private key may stand in the same file.
            Ok(_) => {}
            Err(error) => return Err(wrong(error.to_string())),
        }
    }
    if certificates.is_empty() {
        return Err(wrong("none found".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// Reads the answer's head: empties `part` where the whole file comes, and returns the file's length if it is told.
///
/// An answer of another length than `expected` is another file, a sign-in page perhaps: for that nothing is thrown away.
fn begin(head: &Parts, expected: Option<u64>, part: &mut Part) -> Result<Option<u64>, Problem> {
    let (status, headers) = (head.status, &head.headers);
    match status {
        StatusCode::PARTIAL_CONTENT => match content_range(headers) {
            Some((start, total)) if start == part.bytes() => Ok(total),
            _ => {
                part.clear()?;
                Err(Problem::Passing("another part of the file than was asked for".to_owned()))
            }
        },
        StatusCode::OK => {
            let total = number(headers, header::CONTENT_LENGTH);
            if expected.is_none() || total.is_none() || total == expected {
                part.clear()?;
            }
            Ok(total)
        }
        StatusCode::RANGE_NOT_SATISFIABLE if expected.is_some_and(|expected| part.bytes() < expected) => {
            Err(Problem::Lasting("the file is shorter here".to_owned()))
        }
        // What is here is not the beginning of this file, or is all of it and more.
        StatusCode::RANGE_NOT_SATISFIABLE => {
            part.clear()?;
            Err(Problem::Passing("no rest of the file".to_owned()))
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Err(Problem::Passing(format!("HTTP status {status}")))
        }
        status if status.is_server_error() => Err(Problem::Passing(format!("HTTP status {status}"))),
        status => Err(Problem::Lasting(format!("HTTP status {status}"))),
    }
}

fn number(headers: &HeaderMap, name: header::HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// First byte and length of the whole by `Content-Range: bytes 100-199/200`; the length may be `*`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("http://ada:secret@host:8000/a/b.gz", "http://***@host:8000/a/b.gz"),
            ("https://ada:p%40ss:word@host/", "https://***@host/"),
            ("https://token@host/", "https://***@host/"),
            ("https://a@b@host/", "https://***@host/"),
            ("https://host/a@b", "https://host/a@b"),
            ("https://host/?user=a@b", "https://host/?user=a@b"),
        ] {
            let address = Address::new(url.to_owned());
            assert_eq!(address.shown(), shown);
            assert_eq!(format!("{address:?}"), format!("{shown:?}"));
            assert_eq!(address.hide(format!("cannot ask {url}")), format!("cannot ask {shown}"));
        }
        let address = Address::new("http://ada:secret@host/".to_owned());
        assert_eq!(address.hide("wrong password secret".to_owned()), "wrong password ***");
    }
}
