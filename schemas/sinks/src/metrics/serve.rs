//! The listener of metrics: this machine only, `GET /metrics` only, a few at a time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::Page;

/// Connections at a time; others wait.
const PLACES: usize = 4;
/// Bytes of a request's head.
const HEAD: usize = 4096;
/// For a whole exchange.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Reachable from elsewhere.
    #[error("metrics are for this machine only: name a loopback address, such as 127.0.0.1:9710")]
    Outside,
    /// Taken, or not ours.
    #[error("the listener of metrics could not be made at {address}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A bound listener.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// Binds a loopback address; port 0 takes any free one.
    pub async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        if !address.ip().is_loopback() {
            return Err(ListenError::Outside);
        }
        let bound = TcpListener::bind(address).await;
        let bound = bound.map_err(|source| ListenError::Bind { address, source })?;
        Ok(Self(bound))
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Serves pages, each made when it is asked for, until it is told to stop. What `page` cannot read it
/// leaves out.
pub async fn serve<F>(listener: Listener, page: impl Fn() -> F, stop: CancellationToken)
where
    F: Future<Output = Page> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(PLACES));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let taken = tokio::select! {
            taken = listener.0.accept() => taken,
            () = stop.cancelled() => return,
        };
        let Ok((stream, _)) = taken else {
            // Out of files, perhaps: a moment later there may be some.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let page = page();
        tokio::spawn(async move {
            // Whoever is slow or gone gets nothing.
            drop(tokio::time::timeout(PATIENCE, answer(stream, page)).await);
            drop(place);
        });
    }
}

async fn answer(mut stream: TcpStream, page: impl Future<Output = Page>) -> io::Result<()> {
    let mut head = vec![0; HEAD];
    let mut length = 0;
    while !ended(head.get(..length)) {
        let Some(rest) = head.get_mut(length..).filter(|rest| !rest.is_empty()) else {
            return say(&mut stream, "431 Request Header Fields Too Large", "").await;
        };
        match stream.read(rest).await? {
            0 => return Ok(()),
            count => length = length.saturating_add(count),
        }
    }
    let asked = head.starts_with(b"GET /metrics HTTP/1.") || head.starts_with(b"GET /metrics?");
    if !asked {
        return say(&mut stream, "404 Not Found", "ask for /metrics\n").await;
    }
    let text = page.await.into_text();
    say(&mut stream, "200 OK", &text).await
}

fn ended(head: Option<&[u8]>) -> bool {
    head.is_some_and(|head| head.windows(4).any(|end| end == b"\r\n\r\n"))
}

async fn say(stream: &mut TcpStream, status: &str, text: &str) -> io::Result<()> {
    let length = text.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut text = Vec::new();
        // A refusal while it still sends may come as a reset.
        drop(stream.read_to_end(&mut text).await);
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn only_metrics_only_here_and_nobody_holds_it_up() {
        let outside = Listener::bind("0.0.0.0:0".parse().unwrap()).await;
        assert!(matches!(outside, Err(ListenError::Outside)));
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let address = listener.address().unwrap();
        let stop = CancellationToken::new();
        let page = || async {
            let mut page = Page::default();
            super::super::process(&mut page);
            page
        };
        let served = tokio::spawn(serve(listener, page, stop.clone()));
        let told = asked(address, b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(told.starts_with("HTTP/1.1 200 OK\r\n") && told.contains("\nprocess_threads "));
        for (request, status) in [
            (b"GET / HTTP/1.1\r\n\r\n".as_slice(), " 404 "),
            (b"POST /metrics HTTP/1.1\r\n\r\n", " 404 "),
            (b"GET /metricsx HTTP/1.1\r\n\r\n", " 404 "),
            (&[b'a'; HEAD], " 431 "),
        ] {
            assert!(asked(address, request).await.contains(status), "{status}");
        }
        // Slow ones take every place, for no longer than an exchange may take.
        let mut slow = Vec::new();
        for _ in 0..PLACES + 2 {
            let mut one = TcpStream::connect(address).await.unwrap();
            one.write_all(b"GET").await.unwrap();
            slow.push(one);
        }
        let told = asked(address, b"GET /metrics HTTP/1.1\r\n\r\n");
        let told = tokio::time::timeout(3 * PATIENCE, told).await.unwrap();
        assert!(told.starts_with("HTTP/1.1 200 OK\r\n"));
        stop.cancel();
        served.await.unwrap();
    }
}
