//! Calls of what a stack has made: its APIs and its functions; and the plain request to a service that has no SDK client
//! here. Each is one HTTP request and is sent once; what comes back is for the caller to judge.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials;
use bytes::Bytes;
use http::Method;

use super::address::{dns_suffix, is_api_host};
use super::clients::Clients;
use super::sockets::Socket;
use super::target::TargetKind;
use crate::http_client::{self, Answer, Opened, Outgoing};
use crate::local_address::local_url;

/// The largest answer, in bytes: API Gateway passes on 10 MB at most, a function gives 6 MB.
/// Source: API Gateway and Lambda quotas.
const LARGEST_ANSWER: usize = 10 << 20;

/// The largest file, in bytes, that is fetched from an address an answer gave.
const LARGEST_FILE: usize = 64 << 20;

/// A request to an API of API Gateway. What it sends may be secret, so it shows nothing of itself.
#[derive(Clone)]
pub struct ApiCall {
    /// Such as `GET`.
    pub method: String,
    /// The address as AWS gives it, percent-encoded.
    pub url: String,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body: JSON, unless a header says otherwise.
    pub body: Option<Vec<u8>>,
    /// It is signed with the credentials of this run.
    pub signed: bool,
}

impl fmt::Debug for ApiCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiCall").field("method", &self.method).finish_non_exhaustive()
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// `Unhandled` when a function failed and the body tells how.
    pub function_error: Option<String>,
}

impl ApiResponse {
    /// The body; what is not UTF-8 of it stands as U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The values of a header; one that came several times has several.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What came of asking for a connection.
#[derive(Debug)]
pub enum Opening {
    /// It is open.
    Open(Socket),
    /// It was refused with this answer.
    Refused(ApiResponse),
}

impl Clients {
    /// Asks an API. With an endpoint of another's, the request goes there and names the API by its `Host`.
    ///
    /// # Errors
    /// In words, when nothing came back.
    pub async fn call_api(&self, call: ApiCall) -> Result<ApiResponse, String> {
        let method = Method::from_bytes(call.method.as_bytes())
            .map_err(|_| format!("`{}` is not an HTTP method", call.method))?;
        let mut headers = call.headers;
        let url = self.address_of(&call.url, &mut headers)?;
        let body = match call.body {
            Some(body) => {
                if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                    headers.push(("content-type".to_owned(), "application/json".to_owned()));
                }
                body
            }
            None => Vec::new(),
        };
        let outgoing = Outgoing { method, url, headers, body };
        let outgoing = if call.signed { self.sign_call(outgoing).await? } else { outgoing };
        self.send(outgoing, LARGEST_ANSWER).await
    }

    /// Opens a connection to a WebSocket API, where a call would go; method and body are none of its own.
    ///
    /// # Errors
    /// In words, when nothing came back.
    pub async fn open_socket(&self, call: ApiCall) -> Result<Opening, String> {
        let mut headers = call.headers;
        let url = self.address_of(&call.url, &mut headers)?;
        // It begins as an HTTP request, and is signed as one.
        let url = match url.split_once("://") {
            Some(("wss", rest)) => format!("https://{rest}"),
            Some(("ws", rest)) => format!("http://{rest}"),
            _ => url,
        };
        let outgoing = Outgoing { method: Method::GET, url, headers, body: Vec::new() };
        let outgoing = if call.signed { self.sign_call(outgoing).await? } else { outgoing };
        let client = self.inner.http.get_or_init(http_client::Client::default);
        Ok(match client.open(outgoing, LARGEST_ANSWER).await? {
            Opened::Open(stream) => Opening::Open(Socket::new(stream)),
            Opened::Refused(answer) => Opening::Refused(answered(answer)),
        })
    }

    /// Where an API is asked: at the address that AWS gives it; on the local target where people are told that it answers;
    /// or at another endpoint, with its host among the headers.
    fn address_of(&self, url: &str, headers: &mut Vec<(String, String)>) -> Result<String, String> {
        let Some(endpoint) = self.endpoint() else { return Ok(url.to_owned()) };
        if self.target().kind == TargetKind::Local
            && let Some(printed) = local_url(url, endpoint)
        {
            return Ok(printed);
        }
        let (_, rest) = url.split_once("://").ok_or_else(|| format!("`{url}` is not an address"))?;
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        headers.push(("host".to_owned(), host.to_owned()));
        Ok(format!("{}{path}", endpoint.trim_end_matches('/')))
    }

    /// Invokes a function and waits for its answer.
    ///
    /// # Errors
    /// In words, when nothing came back.
    pub async fn invoke_function(&self, function: &str, payload: Vec<u8>) -> Result<ApiResponse, String> {
        // A function's name is letters, digits, hyphens and underscores: nothing in it needs encoding.
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        self.ask_service("lambda", "lambda", Method::POST, &path, headers, payload).await
    }

    /// Fetches what lies at an address, unsigned: the address may carry a signature of its own.
    ///
    /// # Errors
    /// In words, when nothing came back.
    pub async fn fetch(&self, url: &str) -> Result<ApiResponse, String> {
        // An answer may name any address, such as the one at which a machine on AWS gives away its credentials. What AWS
        // itself gives out is encrypted.
        if self.endpoint().is_none() && !url.starts_with("https://") {
            return Err(format!("`{url}` is not an `https://` address: it is not fetched"));
        }
        let outgoing = Outgoing { method: Method::GET, url: url.to_owned(), headers: Vec::new(), body: Vec::new() };
        self.send(outgoing, LARGEST_FILE).await
    }

    /// Sends a signed request to a service: to its host in this region, or to the endpoint that stands for all of them.
    pub(super) async fn ask_service(
        &self,
        host: &str,
        service: &str,
        method: Method,
        path: &str,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Result<ApiResponse, String> {
        let endpoint = match self.endpoints().for_host(host) {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://{host}.{}.{}", self.region(), dns_suffix(self.region())),
        };
        let outgoing = Outgoing { method, url: format!("{endpoint}{path}"), headers, body };
        self.ask_signed(outgoing, service, self.region()).await
    }

    /// Sends a request to a service, signed for a region.
    pub(super) async fn ask_signed(
        &self,
        outgoing: Outgoing,
        service: &str,
        region: &str,
    ) -> Result<ApiResponse, String> {
        let outgoing = self.sign(outgoing, service, region).await?;
        self.send(outgoing, LARGEST_ANSWER).await
    }

    /// Signs a call of an API. A signature comes with the session token, so only API Gateway and the endpoint get one: the
    /// address is an output of the stack, and a template may say anything there.
    async fn sign_call(&self, outgoing: Outgoing) -> Result<Outgoing, String> {
        if self.endpoint().is_none() {
            let uri = outgoing.url.parse::<http::Uri>().ok();
            let host = uri.as_ref().filter(|uri| uri.scheme_str() == Some("https")).and_then(http::Uri::host);
            if !host.is_some_and(is_api_host) {
                return Err(format!("`{}` is not an address of API Gateway: no signature is sent there", outgoing.url));
            }
        }
        self.sign(outgoing, "execute-api", self.region()).await
    }

    async fn sign(&self, outgoing: Outgoing, service: &str, region: &str) -> Result<Outgoing, String> {
        let provider = self.inner.credentials.as_ref().ok_or("there are no credentials to sign with")?;
        // The provider's own error may repeat what a credential process printed.
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|_| "the credentials to sign with cannot be got at".to_owned())?;
        http_client::signed(outgoing, service, region, &credentials, SystemTime::now())
    }

    async fn send(&self, outgoing: Outgoing, most: usize) -> Result<ApiResponse, String> {
        let client = self.inner.http.get_or_init(http_client::Client::default);
        client.ask(outgoing, most).await.map(answered)
    }
}

fn answered(answer: Answer) -> ApiResponse {
    let failed = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amz-function-error"));
    let function_error = failed.map(|(_, value)| value.clone());
    ApiResponse { status: answer.status, function_error, headers: answer.headers, body: answer.body }
}
