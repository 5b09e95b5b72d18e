//! Who is let in.
//!
//! A server on loopback is open to every program of the machine and, through its browser, to every site that a person visits. So:
//!
//! - A secret is in the address that is printed; whoever opens it gets a cookie, which no other site's script can read or send.
//! - The `Host` of a request must be this machine: a foreign name that was made to point here (DNS rebinding) is refused.
//! - An `Origin`, or what the browser says of where a request comes from, must be this server.

use axum::http::{HeaderMap, Uri, header};
use std::net::{IpAddr, SocketAddr};

/// A secret that lets whoever knows it in.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one, which nobody can guess.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes)?;
        Ok(Self(base16ct::lower::encode_string(&bytes)))
    }

    /// The text of an address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes as long for any text of the same length.
    fn is(&self, text: &str) -> bool {
        let (own, other) = (self.0.as_bytes(), text.as_bytes());
        own.len() == other.len()
            && own.iter().zip(other).fold(0, |sum, (one, other)| sum | (one ^ other)) == 0
    }
}

/// What a request must show.
#[derive(Clone)]
pub struct Access {
    token: Token,
    address: SocketAddr,
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is meant for another host.
    Host,
    /// It was made by another site.
    Origin,
    /// It has not shown the secret.
    Token,
}

impl Refusal {
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Host => "this address is not of this machine\n",
            Self::Origin => "another site asked\n",
            Self::Token => {
                "open the address that `mnist-study page` printed: it has a token, new at each start\n"
            }
        }
    }
}

impl Access {
    /// To a server at that address, for who knows the token.
    pub fn new(token: Token, address: SocketAddr) -> Self {
        Self { token, address }
    }

    /// What a person opens.
    pub fn address(&self) -> String {
        let host = match self.address.ip() {
            // Every address of the machine, this one among them.
            ip if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
            ip => ip,
        };
        format!("http://{}/?token={}", SocketAddr::new(host, self.address.port()), self.token.0)
    }

    /// The name of the cookie: servers of several ports share a host's cookies.
    pub(crate) fn cookie_name(&self) -> String {
        format!("mnist-study-{}", self.address.port())
    }

    /// What sets it. Without `Secure`: loopback has no certificate.
    pub(crate) fn cookie(&self) -> String {
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie_name(), self.token.0)
    }

    /// Whether a request is for this machine and from this server's page, or typed by a person.
    pub(crate) fn check_place(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = single(headers, header::HOST).ok_or(Refusal::Host)?;
        if !self.is_own(host) {
            return Err(Refusal::Host);
        }
        if headers.contains_key(header::ORIGIN) {
            let origin = single(headers, header::ORIGIN).ok_or(Refusal::Origin)?;
            if origin.strip_prefix("http://") != Some(host) {
                return Err(Refusal::Origin);
            }
        }
        match headers.get("sec-fetch-site").map(|site| site.to_str()) {
            None | Some(Ok("same-origin" | "none")) => Ok(()),
            Some(_) => Err(Refusal::Origin),
        }
    }

    /// Whether the request has shown the secret before.
    pub(crate) fn check_cookie(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let name = self.cookie_name();
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut values = cookies
            .flat_map(|line| line.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .filter(|(other, _)| *other == name);
        if values.any(|(_, value)| self.token.is(value)) { Ok(()) } else { Err(Refusal::Token) }
    }

    /// Whether an address has the secret.
    pub(crate) fn is_shown_in(&self, uri: &Uri) -> bool {
        let parts = uri.query().into_iter().flat_map(|query| query.split('&'));
        parts.filter_map(|part| part.strip_prefix("token=")).any(|token| self.token.is(token))
    }

    /// Whether a host is this server: its address, or a name that can mean no other machine.
    fn is_own(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        if port != Some(self.address.port()) {
            return false;
        }
        let ip: Option<IpAddr> = name.trim_start_matches('[').trim_end_matches(']').parse().ok();
        match (self.address.ip(), ip) {
            (own, Some(ip)) => own == ip || own.is_unspecified() || (own.is_loopback() && ip.is_loopback()),
            (own, None) => (own.is_loopback() || own.is_unspecified()) && name == "localhost",
        }
    }
}

/// A header that is there once.
fn single(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(address: &str) -> Access {
        Access::new(Token("secret".into()), address.parse().expect("an address"))
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("a header"));
        }
        headers
    }

    #[test]
    fn only_this_machine_is_a_host() {
        let own = access("127.0.0.1:8000");
        let place = |host: &str| own.check_place(&headers(&[("host", host)]));
        for host in ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"] {
            assert_eq!(place(host), Ok(()), "{host}");
        }
        for host in [
            "evil.example:8000",
            "127.0.0.1",
            "127.0.0.1:8001",
            "localhost.evil.example:8000",
            "evil.example",
            "",
            "127.0.0.1.evil.example:8000",
            "192.168.0.9:8000",
        ] {
            assert_eq!(place(host), Err(Refusal::Host), "{host}");
        }
        assert_eq!(own.check_place(&HeaderMap::new()), Err(Refusal::Host));
        let two = headers(&[("host", "127.0.0.1:8000"), ("host", "evil.example")]);
        assert_eq!(own.check_place(&two), Err(Refusal::Host));
        // Told to listen on every address: those, and no name but the machine's own for itself.
        let open = access("0.0.0.0:8000");
        assert_eq!(open.check_place(&headers(&[("host", "192.168.0.9:8000")])), Ok(()));
        assert_eq!(open.check_place(&headers(&[("host", "evil.example:8000")])), Err(Refusal::Host));
    }

    #[test]
    fn other_sites_are_refused() {
        let own = access("127.0.0.1:8000");
        let from = |name: &'static str, value: &str| {
            own.check_place(&headers(&[("host", "localhost:8000"), (name, value)]))
        };
        assert_eq!(from("origin", "http://localhost:8000"), Ok(()));
        for origin in ["http://evil.example", "null", "https://localhost:8000", "http://localhost:8001", ""] {
            assert_eq!(from("origin", origin), Err(Refusal::Origin), "{origin}");
        }
        assert_eq!(from("sec-fetch-site", "same-origin"), Ok(()));
        assert_eq!(from("sec-fetch-site", "none"), Ok(()));
        for site in ["cross-site", "same-site", "anything"] {
            assert_eq!(from("sec-fetch-site", site), Err(Refusal::Origin), "{site}");
        }
    }

    #[test]
    fn the_secret_is_asked_for() {
        let own = access("127.0.0.1:8000");
        let cookie = |value: &str| own.check_cookie(&headers(&[("cookie", value)]));
        assert_eq!(cookie("mnist-study-8000=secret"), Ok(()));
        assert_eq!(cookie("other=1; mnist-study-8000=secret"), Ok(()));
        for wrong in ["", "mnist-study-8000=", "mnist-study-8000=secreT", "mnist-study-8001=secret", "secret"]
        {
            assert_eq!(cookie(wrong), Err(Refusal::Token), "{wrong}");
        }
        assert!(own.is_shown_in(&"/?token=secret".parse().expect("an address")));
        assert!(own.is_shown_in(&"/?a=b&token=secret".parse().expect("an address")));
        assert!(!own.is_shown_in(&"/?token=secre".parse().expect("an address")));
        assert!(!own.is_shown_in(&"/".parse().expect("an address")));
    }

    #[test]
    fn tokens_differ() {
        let [one, other] = [0, 1].map(|_| Token::new().expect("random bytes"));
        assert!(one != other && one.as_str().len() == 48);
    }
}
