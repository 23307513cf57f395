//! A web server on this machine that misbehaves as asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// With what was asked for of this file, range or whole.
    File(Vec<u8>),
    /// With the whole file, whatever range was asked for.
    Whole(Vec<u8>),
    /// As `File`, but the connection breaks after this many bytes.
    Cut(Vec<u8>, usize),
    /// As `File`, but after this many bytes nothing more comes.
    Hang(Vec<u8>, usize),
    /// With this status and no file.
    Status(u16),
}

/// A path that was asked for, and the first byte of the range, if one was.
pub(crate) type Request = (String, Option<usize>);

/// A server that gives its answers one after another, and the last of them from then on.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let Some(request) = read(&stream) else { continue };
                let from = request.1;
                let mut seen = seen.lock().unwrap();
                let answer = answers[seen.len().min(answers.len() - 1)].clone();
                seen.push(request);
                // The client may have gone; that is its right.
                thread::spawn(move || answer.send(stream, from));
            }
        });
        Self { url, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut from = None;
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(range) = line.to_lowercase().strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok();
        }
    }
    Some((path, from))
}

impl Answer {
    fn send(self, mut stream: TcpStream, from: Option<usize>) -> std::io::Result<()> {
        let from = from.unwrap_or(0);
        let (body, from, most, pause) = match self {
            Self::Status(status) => {
                let head = format!("HTTP/1.1 {status} No\r\nContent-Length: 3\r\n");
                return write!(stream, "{head}Connection: close\r\n\r\nno\n");
            }
            Self::File(body) => (body, from, usize::MAX, 0),
            Self::Whole(body) => (body, 0, usize::MAX, 0),
            Self::Cut(body, after) => (body, from, after, 0),
            Self::Hang(body, after) => (body, from, after, 20),
        };
        let total = body.len();
        let (status, rest) = match body.get(from..) {
            None | Some([]) => ("416 No", &[][..]),
            Some(rest) => (if from > 0 { "206 Partial Content" } else { "200 OK" }, rest),
        };
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n", rest.len())?;
        if status.starts_with("206") {
            write!(stream, "Content-Range: bytes {from}-{}/{total}\r\n", total - 1)?;
        }
        write!(stream, "Connection: close\r\n\r\n")?;
        stream.write_all(&rest[..most.min(rest.len())])?;
        stream.flush()?;
        thread::sleep(Duration::from_secs(pause));
        Ok(())
    }
}
