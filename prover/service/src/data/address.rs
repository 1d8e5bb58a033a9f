//! Addresses as callers and redirections give them, in the one form that is compared with the list.
use std::fmt;
use std::str::FromStr;

use axum::http::Uri;
use thiserror::Error;

/// Longest address.
const LENGTH_MAX: usize = 2048;

/// An address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    scheme: Scheme,
    /// A name or an address of the network, in small letters; one of IPv6 is in brackets.
    host: String,
    port: u16,
    /// The path.
    pub path: String,
    /// The query, without its question mark.
    pub query: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadAddress {
    /// It is too long.
    #[error("more than {LENGTH_MAX} bytes")]
    Length,
    /// It is none.
    #[error("not an address like https://HOST/PATH")]
    Form,
    /// Another scheme.
    #[error("neither https nor http")]
    Scheme,
    /// It names a user.
    #[error("it names a user")]
    User,
    /// Its path could be read as another one.
    #[error("its path has parts that servers read differently")]
    Path,
}

/// Whether a path has one reading: no parts that lead up, no backslashes, and no escapes that hide either or a slash.
fn has_one_reading(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    !lower.contains('\\')
        && !["%2f", "%5c", "%00", "%25"].iter().any(|hidden| lower.contains(hidden))
        && !lower.split('/').any(|part| matches!(part.replace("%2e", ".").as_str(), "." | ".."))
        && !path.contains("//")
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if text.len() > LENGTH_MAX {
            return Err(BadAddress::Length);
        }
        let uri: Uri = text.parse().map_err(|_| BadAddress::Form)?;
        let scheme = match uri.scheme_str() {
            Some("https") => Scheme::Https,
            Some("http") => Scheme::Http,
            Some(_) => return Err(BadAddress::Scheme),
            None => return Err(BadAddress::Form),
        };
        let authority = uri.authority().ok_or(BadAddress::Form)?;
        if authority.as_str().contains('@') {
            return Err(BadAddress::User);
        }
        let host = authority.host().to_ascii_lowercase();
        // A port that is none makes the whole none.
        let rest = &authority.as_str()[host.len()..];
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => scheme.port(),
            None => return Err(BadAddress::Form),
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(BadAddress::Form)?,
        };
        if host.is_empty() {
            return Err(BadAddress::Form);
        }
        let path = uri.path().to_owned();
        if !has_one_reading(&path) {
            return Err(BadAddress::Path);
        }
        Ok(Self { scheme, host, port, path, query: uri.query().map(str::to_owned) })
    }
}

impl Address {
    /// Scheme, host and port, the usual port left out.
    pub fn origin(&self) -> String {
        let Self { scheme, host, port, .. } = self;
        if *port == scheme.port() {
            format!("{}://{host}", scheme.name())
        } else {
            format!("{}://{host}:{port}", scheme.name())
        }
    }

    /// Host and port as the header `host` has them.
    pub fn authority(&self) -> String {
        let origin = self.origin();
        origin.split_once("://").map(|(_, authority)| authority.to_owned()).unwrap_or_default()
    }

    /// Path and query.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The host, without the brackets of IPv6.
    pub fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is asked by TLS.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Where a redirection from here leads: a whole address, or a path of the same origin.
    ///
    /// # Errors
    /// It is neither.
    pub fn follow(&self, location: &str) -> Result<Self, BadAddress> {
        if location.starts_with('/') && !location.starts_with("//") {
            return format!("{}{location}", self.origin()).parse();
        }
        location.parse()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.target())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<Address, BadAddress> {
        text.parse()
    }

    #[test]
    fn an_address_has_one_form() {
        for (text, form) in [
            ("https://Host.example", "https://host.example/"),
            ("HTTPS://host.example:443/A?b=c", "https://host.example/A?b=c"),
            ("http://host.example:8080/a#part", "http://host.example:8080/a"),
            ("https://[2001:DB8::1]:444/", "https://[2001:db8::1]:444/"),
        ] {
            let address = parsed(text).unwrap();
            assert_eq!(address.to_string(), form);
            assert_eq!(parsed(form).unwrap(), address);
        }
        let address = parsed("https://host.example:444/a/b?c").unwrap();
        assert_eq!(
            (address.authority().as_str(), address.host(), address.port()),
            ("host.example:444", "host.example", 444)
        );
        assert_eq!(address.follow("/d?e").unwrap().to_string(), "https://host.example:444/d?e");
        assert_eq!(address.follow("http://other.example").unwrap().to_string(), "http://other.example/");
        assert!(address.follow("//other.example/").is_err() && address.follow("d").is_err());
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_none() {
        for (text, error) in [
            ("host.example/a", BadAddress::Form),
            ("ftp://host.example/a", BadAddress::Scheme),
            ("file:///etc/passwd", BadAddress::Form),
            ("https://me@host.example/", BadAddress::User),
            ("https://host.example@127.0.0.1/", BadAddress::User),
            ("https://host.example:0/", BadAddress::Form),
            ("https://host.example:99999/", BadAddress::Form),
            ("https://host.example/a/../b", BadAddress::Path),
            ("https://host.example/a/%2E%2e/b", BadAddress::Path),
            ("https://host.example/a/.%2e", BadAddress::Path),
            ("https://host.example/a%2fb", BadAddress::Path),
            ("https://host.example/a%5cb", BadAddress::Path),
            ("https://host.example/a%252fb", BadAddress::Path),
            ("https://host.example//a", BadAddress::Path),
        ] {
            assert_eq!(parsed(text), Err(error), "{text}");
        }
        assert_eq!(parsed(&format!("https://host.example/{}", "a".repeat(3000))), Err(BadAddress::Length));
    }

    proptest! {
        #[test]
        fn any_text_is_none_or_has_its_form(text in "\\PC{0,60}", tail in "[a-z./%?#@:0-9\\[\\]]{0,40}") {
            for text in [text, format!("https://{tail}"), format!("http://host.example/{tail}")] {
                if let Ok(address) = parsed(&text) {
                    prop_assert_eq!(parsed(&address.to_string()), Ok(address));
                }
            }
        }
    }
}
