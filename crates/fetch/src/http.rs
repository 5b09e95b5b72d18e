//! One request for the rest of a file.

use crate::{Event, FetchError, Listener, Patience, part::Part, tell};
use std::io::{self, Read};
use ureq::{
    Agent, Body,
    http::{HeaderMap, Response, StatusCode, header},
};

/// What a server's name for this program is. Some refuse programs that do not say who they are.
const USER_AGENT: &str = concat!("mnist-study/", env!("CARGO_PKG_VERSION"));

/// Bytes that are read and written at once.
const CHUNK_BYTES: usize = 1 << 16;

/// Asks servers.
pub(crate) struct Client {
    agent: Agent,
    patience: Patience,
}

/// Why a request did not give the whole file.
pub(crate) enum Problem {
    /// The same address may do better in a moment.
    Passing(String),
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

/// The file that is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) url: &'a str,
    pub(crate) bytes: Option<u64>,
}

impl Client {
    pub(crate) fn new(patience: Patience) -> Self {
        let config = Agent::config_builder()
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_per_read(Some(patience.silence))
            .timeout_per_write(Some(patience.silence))
            .user_agent(USER_AGENT)
            .http_status_as_error(false)
            .build();
        Self { agent: config.into(), patience }
    }

    /// Appends the rest of the file to `part`, or all of it where the server does not divide files.
    ///
    /// `received` counts every byte that comes, also if it is thrown away later.
    pub(crate) fn receive(
        &self,
        wanted: &Wanted,
        part: &mut Part,
        received: &mut u64,
        listener: &mut Listener,
    ) -> Result<(), Problem> {
        let mut request = self.agent.get(wanted.url);
        if part.bytes() > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", part.bytes()));
        }
        let response = request.call().map_err(|error| self.unanswered(&error))?;
        let total = begin(&response, wanted.bytes, part)?;
        match (wanted.bytes, total) {
            (Some(expected), Some(found)) if expected != found => {
                return Err(Problem::Lasting(format!("{expected} bytes expected, {found} found")));
            }
            _ => {}
        }
        let total = wanted.bytes.or(total);
        self.append(response.into_body(), wanted, total, part, received, listener)
    }

    fn append(
        &self,
        body: Body,
        wanted: &Wanted,
        total: Option<u64>,
        part: &mut Part,
        received: &mut u64,
        listener: &mut Listener,
    ) -> Result<(), Problem> {
        // No set of this family has a longer file; a server that never ends must not fill the disk.
        let limit = total.unwrap_or(u64::MAX).min(wanted.bytes.unwrap_or(data::idx::MAXIMUM_BYTES));
        let mut reader = body.into_reader();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            tell(
                listener,
                Event::Received { file: wanted.name, received_bytes: part.bytes(), total_bytes: total },
            )?;
            let length = match reader.read(&mut chunk) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // With the file's length known, how much of it came says more than that the line broke.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && total.is_some() => 0,
                Err(error) => return Err(Problem::Passing(self.words(&ureq::Error::from(error)))),
            };
            if length == 0 {
                break;
            }
            *received += length as u64;
            if part.bytes() + length as u64 > limit {
                return Err(Problem::Lasting(format!("{limit} bytes expected, more found")));
            }
            part.append(&chunk[..length])?;
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
    fn unanswered(&self, error: &ureq::Error) -> Problem {
        let text = self.words(error);
        let broke = match error {
            ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => false,
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
        if broke { Problem::Passing(text) } else { Problem::Lasting(text) }
    }

    fn words(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::HostNotFound => "no such host, or no network".to_owned(),
            ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                format!("no connection within {:?}", self.patience.connect)
            }
            ureq::Error::Timeout(_) => format!("nothing received for {:?}", self.patience.silence),
            ureq::Error::Io(error) => format!("the connection failed ({error})"),
            other => other.to_string(),
        }
    }
}

/// Reads the answer's head: empties `part` where the whole file comes, and returns the file's length if it is told.
///
/// An answer of another length than `expected` is another file, a sign-in page perhaps: for that nothing is thrown away.
fn begin(response: &Response<Body>, expected: Option<u64>, part: &mut Part) -> Result<Option<u64>, Problem> {
    let status = response.status();
    let headers = response.headers();
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
