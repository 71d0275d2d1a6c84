//! Who may ask: only the page itself. Other sites that a browser has open can send requests to this machine, too, and by DNS
//! rebinding under a name of their own.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};

/// What is allowed.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    /// The port that is listened on.
    pub(super) port: u16,
    /// The address that was asked for, when it was not this machine's own.
    pub(super) host: Option<IpAddr>,
    /// What must stand in every address.
    pub(super) token: Option<String>,
}

impl Guard {
    /// Checks a request.
    ///
    /// # Errors
    /// Why it is refused.
    pub(super) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), &'static str> {
        let host = one(headers, HOST.as_str()).ok_or("a request needs one Host")?;
        if !self.is_ours(host) {
            return Err("this page is not known under that name");
        }
        if headers.contains_key(ORIGIN) {
            let origin = one(headers, ORIGIN.as_str()).and_then(|origin| origin.strip_prefix("http://"));
            if origin != Some(host) {
                return Err("requests of other pages are refused");
            }
        }
        let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
        let is_page = uri.path() == "/";
        if site.is_some_and(|site| site != b"same-origin" && site != b"none" && !is_page) {
            return Err("requests of other pages are refused");
        }
        match &self.token {
            Some(token) if !given_token(uri).is_some_and(|given| is_same(given.as_bytes(), token.as_bytes())) => {
                Err("the address lacks its token: it is in the line that deepvis printed")
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether a Host is one of this server's: a name of the machine itself, or the address that was asked for. When all
    /// addresses were asked for, any address is, but no name, which others could let point here.
    fn is_ours(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port),
            _ => (host, "80"),
        };
        if port != self.port.to_string() {
            return false;
        }
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match address {
            Err(_) => name == "localhost",
            Ok(address) if address.is_loopback() => true,
            Ok(address) => self.host.is_some_and(|host| host.is_unspecified() || host == address),
        }
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn given_token(uri: &Uri) -> Option<&str> {
    let parts = uri.query()?.split('&');
    parts.filter_map(|part| part.strip_prefix("token=")).next()
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(guard: &Guard, uri: &str, headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        guard.check(&uri.parse().unwrap(), &map).is_ok()
    }

    #[test]
    fn only_the_page_itself_may_ask() {
        let guard = Guard {
            port: 8080,
            host: None,
            token: None,
        };
        for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"] {
            assert!(allows(&guard, "/api/start", &[("host", host)]), "{host}");
            let origin = format!("http://{host}");
            assert!(allows(&guard, "/api/start", &[("host", host), ("origin", &origin)]));
        }
        for host in [
            "evil.example:8080",
            "127.0.0.1",
            "127.0.0.1:81",
            "192.168.1.2:8080",
            "localhost.evil:8080",
            "",
            ":8080",
        ] {
            assert!(!allows(&guard, "/", &[("host", host)]), "{host}");
        }
        assert!(!allows(&guard, "/", &[]));
        assert!(!allows(
            &guard,
            "/",
            &[("host", "localhost:8080"), ("host", "localhost:8080")]
        ));
        for origin in [
            "http://evil.example",
            "null",
            "https://localhost:8080",
            "http://localhost:81",
            "http://127.0.0.1:8080",
        ] {
            assert!(
                !allows(&guard, "/api/stop", &[("host", "localhost:8080"), ("origin", origin)]),
                "{origin}"
            );
        }
        let site = |site, path| allows(&guard, path, &[("host", "localhost:8080"), ("sec-fetch-site", site)]);
        assert!(site("same-origin", "/api/events") && site("none", "/api/model") && site("cross-site", "/"));
        assert!(!site("cross-site", "/api/events") && !site("same-site", "/api/start"));
    }

    #[test]
    fn elsewhere_a_token_is_needed() {
        let guard = Guard {
            port: 8080,
            host: Some([0, 0, 0, 0].into()),
            token: Some("abc".into()),
        };
        let host = [("host", "192.168.1.2:8080")];
        assert!(allows(&guard, "/?token=abc", &host) && allows(&guard, "/api/model?layer=a&token=abc", &host));
        for uri in [
            "/",
            "/?token=",
            "/?token=ab",
            "/?token=abd",
            "/?token=abcd",
            "/?xtoken=abc",
            "/?token=abd&token=abc",
        ] {
            assert!(!allows(&guard, uri, &host), "{uri}");
        }
        assert!(!allows(&guard, "/?token=abc", &[("host", "machine.example:8080")]));
    }
}
