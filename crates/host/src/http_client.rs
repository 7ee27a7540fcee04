//! The plain HTTP client: one request, one answer, certificates always verified; and the signature of AWS's services.
//! A WebSocket begins as such a request. It knows no SDK, so that the local target can ask other addresses with it, and a smoke test what was deployed.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::proxies::ProxyConnector;

/// A client of other addresses. Clones share connections.
#[derive(Debug, Clone)]
pub struct Client(Hyper<HttpsConnector<ProxyConnector>, Full<Bytes>>);

/// What is asked of an address.
#[derive(Debug)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// The whole address, percent-encoded.
    pub url: String,
    /// Headers in order; `Host` only where it is not the address's.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Bytes,
}

/// What came of asking for a WebSocket.
pub enum Opened {
    /// It is open.
    Open(Box<WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>>),
    /// Something else was answered.
    Refused(Answer),
}

impl Default for Client {
    /// A client that trusts the machine's own certificate authorities.
    fn default() -> Self {
        let connector = connector(Duration::from_secs(5), None);
        Self(Hyper::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector))
    }
}

impl Client {
    /// Asks, and waits for the whole answer, of at most `most` bytes.
    ///
    /// # Errors
    /// In words, when the address can't be asked or its answer is too large.
    pub async fn ask(&self, outgoing: Outgoing, most: usize) -> Result<Answer, String> {
        let url = outgoing.url.clone();
        let response = self.request(outgoing).await?;
        whole(&url, response, most).await
    }

    /// Asks an `http` or `https` address for a WebSocket. What proposes it is added to what is asked, after any signature:
    /// it is between two machines, and one in the middle may write it anew. A message may have `most` bytes.
    ///
    /// # Errors
    /// In words, when the address can't be asked or its answer is none to such a request.
    pub async fn open(&self, mut outgoing: Outgoing, most: usize) -> Result<Opened, String> {
        let (url, key) = (outgoing.url.clone(), generate_key());
        let proposed = [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", key.as_str()),
        ];
        outgoing.headers.extend(proposed.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let mut response = self.request(outgoing).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return whole(&url, response, most).await.map(Opened::Refused);
        }
        let accepted = response.headers().get("sec-websocket-accept").map(HeaderValue::as_bytes);
        if accepted != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(format!("`{url}` opened no WebSocket: its answer does not fit what it was asked"));
        }
        let upgraded = hyper::upgrade::on(&mut response).await;
        let upgraded = upgraded.map_err(|error| format!("`{url}` opened no WebSocket: {error}"))?;
        let config = WebSocketConfig::default().max_message_size(Some(most)).max_frame_size(Some(most));
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await;
        Ok(Opened::Open(Box::new(socket)))
    }

    async fn request(&self, outgoing: Outgoing) -> Result<Response<Incoming>, String> {
        let Outgoing { method, url, headers, body } = outgoing;
        let uri: Uri = url.parse().map_err(|error| format!("`{url}` is not an address: {error}"))?;
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = header_map(&headers);
        self.0.request(request).await.map_err(|error| format!("`{url}` could not be asked: {error}"))
    }
}

/// Connections that trust the machine's own certificate authorities and go through the environment's proxy. The kernel keeps what was sent in a buffer of the
/// size given, else in one that grows with the line.
pub fn connector(connect: Duration, send_buffer: Option<usize>) -> HttpsConnector<ProxyConnector> {
    let mut roots = rustls::RootCertStore::empty();
    // A certificate that can't be read is left out; what it would have vouched for is then not trusted.
    for certificate in rustls_native_certs::load_native_certs().certs {
        let _ = roots.add(certificate);
    }
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(connect));
    http.set_send_buffer_size(send_buffer);
    let tls = match versions {
        Ok(versions) => versions.with_root_certificates(roots).with_no_client_auth(),
        // The provider has all of rustls's own versions, so this is never reached; it trusts nobody.
        Err(_) => {
            rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
        }
    };
    HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(ProxyConnector::from_env(http))
}

async fn whole(url: &str, response: Response<Incoming>, most: usize) -> Result<Answer, String> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, most)
        .collect()
        .await
        .map_err(|error| format!("the answer of `{url}` broke off: {error}"))?
        .to_bytes();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Ok(Answer { status: parts.status.as_u16(), headers, body })
}

fn header_map(headers: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            map.append(name, value);
        }
    }
    map
}

/// Signs what is asked of an AWS service.
///
/// # Errors
/// In words, when it can't be signed.
pub fn signed(
    mut outgoing: Outgoing,
    service: &str,
    region: &str,
    credentials: &Credentials,
    now: SystemTime,
) -> Result<Outgoing, String> {
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = aws_sigv4::http_request::PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = aws_sigv4::http_request::UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = aws_sigv4::http_request::PayloadChecksumKind::XAmzSha256;
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let headers = outgoing.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let signable = SignableRequest::new(
        outgoing.method.as_str(),
        outgoing.url.as_str(),
        headers,
        SignableBody::Bytes(&outgoing.body),
    )
    .map_err(|error| error.to_string())?;
    let (instructions, _) = sign(signable, &params).map_err(|error| error.to_string())?.into_parts();
    let (headers, _) = instructions.into_parts();
    for header in headers {
        outgoing.headers.push((header.name().to_owned(), header.value().to_owned()));
    }
    Ok(outgoing)
}
