//! The server.

use crate::{
    access::{Access, Refusal},
    studio::Studio,
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{
        IntoResponse, Response, Sse,
        sse::{self, KeepAlive},
    },
    routing::{get, post},
};
use futures_util::stream::{self, Stream};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use page::{File, Problem};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{
    Semaphore,
    broadcast::{Receiver, error::RecvError},
};

/// The largest body of a request: a photograph.
const MOST_BYTES: usize = 32 << 20;

/// Pages of one person have a few each.
const MOST_CONNECTIONS: usize = 128;

/// How long a request's head may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait where a connection cannot be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// What the page may load and do: its own files and nothing else. WebAssembly is for the engine in the browser, whose site has the same
/// pages.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Nobody can listen at that address.
    #[error("{address}: cannot listen there: {reason}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        reason: io::Error,
    },
    /// The system gives no server.
    #[error("the server cannot be started: {0}")]
    Start(#[from] io::Error),
}

/// Takes an address; with a port of 0 any that is free.
///
/// # Errors
/// When another program has it, or the machine has no such address.
pub fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |reason| ServeError::Address { address, reason };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

#[derive(Clone)]
struct Shared {
    access: Arc<Access>,
    files: Arc<[File]>,
    studio: Arc<Studio>,
}

/// Answers requests until the process ends.
///
/// # Errors
/// When the system gives no server.
pub fn serve(
    listener: TcpListener,
    access: Access,
    files: &[File],
    studio: Arc<Studio>,
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        accept(&listener, &router(access, files, studio)).await;
        Ok(())
    })
}

/// Serves connections, for ever. Whoever connects and says nothing is sent away, so that a study never wants for files.
async fn accept(listener: &tokio::net::TcpListener, router: &Router) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No file is free, or the other side has gone again.
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            // Of a connection that ends early nobody needs to hear.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
            drop(place);
        });
    }
}

fn router(access: Access, files: &[File], studio: Arc<Studio>) -> Router {
    let shared = Shared { access: Arc::new(access), files: files.into(), studio };
    Router::new()
        .route("/api/call", post(call))
        .route("/api/messages", get(messages))
        .fallback(file)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn_with_state(shared.clone(), guard))
        .with_state(shared)
}

/// Lets in whoever may, and says what a browser is not to do with the answer.
async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let is_large = request.headers().get(header::CONTENT_LENGTH).is_some_and(|length| {
        length.to_str().ok().and_then(|text| text.parse().ok()).is_none_or(|bytes: usize| bytes > MOST_BYTES)
    });
    let mut response = match admit(&shared.access, request.method(), request.uri(), request.headers()) {
        Admission::In if is_large => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Admission::In => next.run(request).await,
        // The secret leaves the address, so that it stays in no history and goes to no other site.
        Admission::WithCookie => {
            let mut response = StatusCode::SEE_OTHER.into_response();
            response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
            if let Ok(cookie) = HeaderValue::try_from(shared.access.cookie()) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Admission::Refused(refusal) => (StatusCode::FORBIDDEN, refusal.in_words()).into_response(),
    };
    let headers = response.headers_mut();
    let fixed = [
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ];
    for (name, value) in fixed {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

#[derive(Debug, PartialEq, Eq)]
enum Admission {
    In,
    WithCookie,
    Refused(Refusal),
}

fn admit(access: &Access, method: &Method, uri: &Uri, headers: &HeaderMap) -> Admission {
    // A person who follows a link from a terminal, a mail or another program's page with the secret may come from anywhere.
    let opens = *method == Method::GET && uri.path() == "/" && access.is_shown_in(uri);
    match access.check_place(headers) {
        Err(Refusal::Origin) if opens && !headers.contains_key(header::ORIGIN) => {}
        Err(refusal) => return Admission::Refused(refusal),
        Ok(()) => {}
    }
    if opens {
        return Admission::WithCookie;
    }
    match access.check_cookie(headers) {
        Ok(()) => Admission::In,
        Err(refusal) => Admission::Refused(refusal),
    }
}

/// A file of the page, which is in the program: no path is ever opened.
async fn file(State(shared): State<Shared>, method: Method, uri: Uri) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = match uri.path() {
        "/" => "index.html",
        path => path.trim_start_matches('/'),
    };
    match shared.files.iter().find(|file| file.path == path) {
        Some(file) => {
            let mut response = Body::from(file.content).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.media_type));
            if file.is_gzip {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        }
        None => (StatusCode::NOT_FOUND, "no such file\n").into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    method: String,
    #[serde(default)]
    parameters: Value,
}

async fn call(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    // Another site's form cannot send this type.
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(';').next().is_some_and(|kind| kind.trim() == "application/json"));
    if !is_json {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "application/json expected\n").into_response();
    }
    let call: Call = match serde_json::from_slice(&body) {
        Ok(call) => call,
        Err(error) => {
            return (StatusCode::BAD_REQUEST, format!("a call expected: {error}\n")).into_response();
        }
    };
    let parameters = if call.parameters.is_null() { json!({}) } else { call.parameters };
    let studio = Arc::clone(&shared.studio);
    // The engine computes: other requests are answered meanwhile.
    let answered = tokio::task::spawn_blocking(move || studio.call(&call.method, parameters)).await;
    let answer = match answered {
        Ok(Ok(answer)) => json!({ "answer": answer }),
        Ok(Err(problem)) => json!({ "problem": problem }),
        Err(error) => json!({ "problem": Problem::new(error.to_string()) }),
    };
    ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}

async fn messages(State(shared): State<Shared>) -> Response {
    let receiver = shared.studio.subscribe();
    let studio = Arc::clone(&shared.studio);
    let first = tokio::task::spawn_blocking(move || studio.beginning()).await.unwrap_or_default();
    let following = Following { waiting: first.into(), receiver, studio: shared.studio };
    Sse::new(following.stream()).keep_alive(KeepAlive::default()).into_response()
}

/// What a page is still to be told.
struct Following {
    waiting: VecDeque<Arc<str>>,
    receiver: Receiver<Arc<str>>,
    studio: Arc<Studio>,
}

impl Following {
    fn stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        stream::unfold(self, |mut following| async {
            let message = following.next().await?;
            Some((Ok(sse::Event::default().data(&*message)), following))
        })
    }

    async fn next(&mut self) -> Option<Arc<str>> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Some(message);
            }
            match self.receiver.recv().await {
                Ok(message) => return Some(message),
                // A page that was too slow begins anew.
                Err(RecvError::Lagged(_)) => {
                    let studio = Arc::clone(&self.studio);
                    self.receiver = studio.subscribe();
                    let first = tokio::task::spawn_blocking(move || studio.beginning()).await;
                    self.waiting = first.unwrap_or_default().into();
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
