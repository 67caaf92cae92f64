//! One request and one answer at a time over a plain connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

use super::super::error::ExportError;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than any answer to a request of this program has.
const MOST_BYTES: u64 = 1 << 24;
const API: &str = "/api/2.0/mlflow/";
const PORT: u16 = 80;

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    host: String,
    port: u16,
    /// In front of every path, without a slash at its end.
    path: String,
}

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}:{}{}", self.host, self.port, self.path)
    }
}

impl Server {
    /// From `http://HOST[:PORT][/PATH]`.
    pub(super) fn parse(uri: &str) -> Result<Self, ExportError> {
        let wrong = || ExportError::Uri { uri: uri.to_owned() };
        let rest = uri.strip_prefix("http://").ok_or_else(wrong)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['@', '?', '#']);
        // The colons of an address in brackets are not the one before a port.
        let after_address = authority.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match authority[after_address..].find(':') {
            Some(at) => {
                let (host, port) = authority.split_at(after_address + at);
                (host, port[1..].parse().map_err(|_| wrong())?)
            }
            None => (authority, PORT),
        };
        if host.is_empty() || !is_plain(rest) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            path: path.trim_end_matches('/').to_owned(),
        })
    }

    /// The answer to a question; nothing if there is no such thing.
    pub(super) fn find(&self, endpoint: &'static str, path: &str) -> Result<Option<Value>, ExportError> {
        let answer = self.ask("GET", path, "")?;
        if answer.status == 404 && serde_json::from_slice::<Value>(&answer.body).is_ok() {
            return Ok(None);
        }
        self.value(endpoint, &answer).map(Some)
    }

    /// The answer to an order.
    pub(super) fn post(&self, endpoint: &'static str, body: &Value) -> Result<Value, ExportError> {
        let answer = self.ask("POST", endpoint, &body.to_string())?;
        self.value(endpoint, &answer)
    }

    fn value(&self, endpoint: &'static str, answer: &Answer) -> Result<Value, ExportError> {
        let value = serde_json::from_slice::<Value>(&answer.body);
        match value {
            Ok(value) if (200..300).contains(&answer.status) => Ok(value),
            value => {
                let said = value
                    .ok()
                    .and_then(|value| value["message"].as_str().map(str::to_owned));
                let body = || String::from_utf8_lossy(&answer.body).chars().take(200).collect();
                Err(ExportError::Refused {
                    uri: self.to_string(),
                    endpoint,
                    status: answer.status,
                    message: said.unwrap_or_else(body),
                })
            }
        }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Result<Answer, ExportError> {
        let ask = || {
            let mut stream = self.connect()?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            let request = format!(
                "{method} {}{API}{path} HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
                 User-Agent: gradsweep/{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                self.path,
                self.host,
                self.port,
                env!("CARGO_PKG_VERSION"),
                body.len(),
            );
            stream.write_all(request.as_bytes())?;
            read(BufReader::new(stream).take(MOST_BYTES))
        };
        ask().map_err(|source| ExportError::Unreachable {
            uri: self.to_string(),
            source,
        })
    }

    /// To the first of the host's addresses that answers.
    fn connect(&self) -> std::io::Result<TcpStream> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the host has no address");
        for address in (host, self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Reads an answer whose end is told by its length, by its chunks, or by the end of the connection.
fn read(mut stream: impl BufRead) -> std::io::Result<Answer> {
    let wrong = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let mut words = line.split_ascii_whitespace();
    let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    let status = words.next().and_then(|word| word.parse().ok()).filter(|_| is_http);
    let status: u16 = status.ok_or_else(|| wrong("the answer is not HTTP"))?;
    let (mut length, mut is_chunked) = (None, false);
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err(wrong("the answer ends in its header"));
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.parse::<u64>().map_err(|_| wrong("the answer has no length"))?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            is_chunked = value.eq_ignore_ascii_case("chunked");
        }
    }
    let mut body = Vec::new();
    if is_chunked {
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| wrong("a chunk has no length"))?;
            if size == 0 {
                break;
            }
            let before = body.len() as u64;
            stream.by_ref().take(size).read_to_end(&mut body)?;
            if body.len() as u64 != before + size {
                return Err(wrong("a chunk ends early"));
            }
            line.clear();
            stream.read_line(&mut line)?;
        }
    } else if let Some(length) = length {
        stream.take(length).read_to_end(&mut body)?;
        if body.len() as u64 != length {
            return Err(wrong("the answer ends early"));
        }
    } else {
        stream.read_to_end(&mut body)?;
    }
    Ok(Answer { status, body })
}

/// A text for a query: everything but letters, digits and `-._~` as `%` and two hex digits.
pub(super) fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let parsed = |uri: &str| Server::parse(uri).map(|server| server.to_string()).ok();
        assert_eq!(
            parsed("http://127.0.0.1:5000").as_deref(),
            Some("http://127.0.0.1:5000")
        );
        assert_eq!(parsed("http://host/ml/").as_deref(), Some("http://host:80/ml"));
        assert_eq!(parsed("http://[::1]:5000").as_deref(), Some("http://[::1]:5000"));
        assert_eq!(parsed("http://[::1]").as_deref(), Some("http://[::1]:80"));
        for wrong in [
            "https://host",
            "host:5000",
            "http://",
            "http://:80",
            "http://h:x",
            "http://h/\r\nX: y",
            "http://u@h",
            "file:///tmp",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn answers_end_as_their_headers_say() {
        let answer = |text: &str| read(text.as_bytes()).map(|answer| (answer.status, answer.body)).ok();
        let ok = Some((200, b"{}".to_vec()));
        assert_eq!(answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}rest"), ok);
        assert_eq!(
            answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n"),
            ok
        );
        assert_eq!(answer("HTTP/1.0 200 OK\r\n\r\n{}"), ok);
        for cut in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
            "SSH-2.0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{}",
        ] {
            assert_eq!(answer(cut), None, "{cut}");
        }
    }

    #[test]
    fn queries_are_encoded() {
        assert_eq!(encoded("a b&c=ü"), "a%20b%26c%3D%C3%BC");
    }
}
