//! Connections through the proxy that the environment names, as the AWS SDK and curl make them: `HTTPS_PROXY`, `HTTP_PROXY` and
//! `ALL_PROXY` by the scheme of what is asked, `NO_PROXY` for hosts that are asked directly, each in capitals or small letters.
//!
//! This machine is always asked directly: a proxy would see everything, and could not reach it.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

/// Makes TCP connections, through a proxy where the environment names one. Clones share what was read of the environment.
#[derive(Debug, Clone)]
pub struct ProxyConnector {
    tcp: HttpConnector,
    proxies: Arc<Matcher>,
}

impl ProxyConnector {
    /// Connections by `tcp`, with the proxies that the environment names now.
    pub fn from_env(tcp: HttpConnector) -> Self {
        Self { tcp, proxies: Arc::new(Matcher::from_env()) }
    }
}

impl Service<Uri> for ProxyConnector {
    type Response = ProxyStream;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        // What `poll_ready` has prepared is used; a clone is left for the next call.
        let clone = self.tcp.clone();
        let mut tcp = std::mem::replace(&mut self.tcp, clone);
        let proxy = self.proxies.intercept(&destination).filter(|_| !is_this_machine(&destination));
        Box::pin(async move {
            let Some(proxy) = proxy else {
                return Ok(ProxyStream { stream: tcp.call(destination).await?, is_forwarded: false });
            };
            if proxy.uri().scheme().is_some_and(|scheme| *scheme != Scheme::HTTP) {
                let scheme = proxy.uri().scheme_str().unwrap_or_default();
                return Err(
                    format!("a proxy whose address begins with `{scheme}:` is not supported, only `http:`").into()
                );
            }
            if destination.scheme() == Some(&Scheme::HTTPS) {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), tcp);
                if let Some(authorization) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(authorization.clone());
                }
                return Ok(ProxyStream { stream: tunnel.call(destination).await?, is_forwarded: false });
            }
            if proxy.basic_auth().is_some() {
                // The request is not in reach here, and without its header the proxy would refuse it.
                return Err("a proxy with a password is supported for https addresses only".into());
            }
            Ok(ProxyStream { stream: tcp.call(proxy.uri().clone()).await?, is_forwarded: true })
        })
    }
}

/// Whether an address is on this machine, whatever name it goes by.
fn is_this_machine(destination: &Uri) -> bool {
    let host = destination.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    address || host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost")
}

/// A connection, which may lead to a proxy.
#[derive(Debug)]
pub struct ProxyStream {
    stream: TokioIo<TcpStream>,
    /// Whether a proxy takes requests from it and sends them on: their targets are then whole addresses.
    is_forwarded: bool,
}

impl Connection for ProxyStream {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.is_forwarded)
    }
}

impl Read for ProxyStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl Write for ProxyStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// What a proxy is sent first when an address is asked, and what the asker gets. The proxy answers everything with 200.
    async fn seen_by_proxy(address: &str, user: &str) -> (String, Result<u16, String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let proxy = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.expect("a client");
            let mut head = vec![0; 4096];
            let count = client.read(&mut head).await.expect("a request");
            client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.expect("an answer");
            // The client of a tunnel goes on with TLS, which nobody here speaks.
            drop(client);
            String::from_utf8_lossy(&head[..count]).into_owned()
        });
        let tcp = {
            let mut tcp = HttpConnector::new();
            tcp.enforce_http(false);
            tcp
        };
        let proxies = Matcher::builder().all(format!("http://{user}127.0.0.1:{port}")).no("direct.test").build();
        let mut connector = ProxyConnector { tcp, proxies: Arc::new(proxies) };
        let uri: Uri = address.parse().expect("an address");
        let asked = if uri.scheme() == Some(&Scheme::HTTPS) {
            connector.call(uri).await.map(|_| 200).map_err(|error| error.to_string())
        } else {
            let client: Client<_, String> = Client::builder(TokioExecutor::new()).build(connector);
            client.get(uri).await.map(|answer| answer.status().as_u16()).map_err(|error| format!("{error:?}"))
        };
        if asked.is_err() {
            proxy.abort();
        }
        (proxy.await.unwrap_or_default(), asked)
    }

    #[tokio::test]
    async fn secure_addresses_are_asked_through_a_tunnel() {
        let (seen, asked) = seen_by_proxy("https://s3.us-west-2.amazonaws.com/", "").await;
        assert!(seen.starts_with("CONNECT s3.us-west-2.amazonaws.com:443 HTTP/1.1\r\n"), "{seen}");
        assert_eq!(asked, Ok(200));
        let (seen, _) = seen_by_proxy("https://s3.us-west-2.amazonaws.com/", "user:word@").await;
        assert!(seen.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjp3b3jk"), "{seen}");
    }

    #[tokio::test]
    async fn plain_addresses_are_forwarded_whole() {
        let (seen, asked) = seen_by_proxy("http://stand-in.test/bucket?list", "").await;
        assert!(seen.starts_with("GET http://stand-in.test/bucket?list HTTP/1.1\r\n"), "{seen}");
        assert_eq!(asked, Ok(200));
        let (_, asked) = seen_by_proxy("http://stand-in.test/", "user:word@").await;
        assert!(asked.as_ref().is_err_and(|error| error.contains("for https addresses only")), "{asked:?}");
    }

    #[tokio::test]
    async fn this_machine_and_what_is_excepted_is_asked_directly() {
        for address in ["http://127.0.0.1:9/", "http://[::1]:9/", "http://localhost:9/", "http://x.localhost:9/"] {
            let (seen, asked) = seen_by_proxy(address, "").await;
            assert!(seen.is_empty() && asked.is_err(), "{address}: {seen} {asked:?}");
        }
        let (seen, asked) = seen_by_proxy("http://direct.test:9/", "").await;
        assert!(seen.is_empty() && asked.is_err(), "{seen} {asked:?}");
    }
}
