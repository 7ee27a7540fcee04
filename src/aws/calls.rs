//! Calls of what a stack has made: its APIs and its functions. Each is one HTTP request and is sent once; what comes back
//! is for the caller to judge.

use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials;
use http::Method;

use super::clients::Clients;
use crate::http_client::{self, Outgoing};

/// The largest answer, in bytes: API Gateway passes on 10 MB at most, a function gives 6 MB.
/// Source: API Gateway and Lambda quotas.
const LARGEST_ANSWER: usize = 10 << 20;

/// A request to an API of API Gateway.
#[derive(Debug, Clone)]
pub struct ApiCall {
    /// Such as `GET`.
    pub method: String,
    /// The address as AWS gives it, percent-encoded.
    pub url: String,
    /// The body: JSON.
    pub body: Option<Vec<u8>>,
    /// It is signed with the credentials of this run.
    pub signed: bool,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The body; what is not UTF-8 of it stands as U+FFFD.
    pub body: String,
    /// `Unhandled` when a function failed and the body tells how.
    pub function_error: Option<String>,
}

impl Clients {
    /// Asks an API. With an endpoint of another's, the request goes there and names the API by its `Host`.
    ///
    /// # Errors
    /// In words, when nothing came back.
    pub async fn call_api(&self, call: ApiCall) -> Result<Answered, String> {
        let method = Method::from_bytes(call.method.as_bytes())
            .map_err(|_| format!("`{}` is not an HTTP method", call.method))?;
        let mut headers = Vec::new();
        let url = match self.endpoint() {
            None => call.url,
            Some(endpoint) => {
                let (_, rest) =
                    call.url.split_once("://").ok_or_else(|| format!("`{}` is not an address", call.url))?;
                let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                headers.push(("host".to_owned(), host.to_owned()));
                format!("{}{path}", endpoint.trim_end_matches('/'))
            }
        };
        let body = match call.body {
            Some(body) => {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
                body
            }
            None => Vec::new(),
        };
        let outgoing = Outgoing { method, url, headers, body };
        let outgoing = if call.signed { self.sign(outgoing, "execute-api").await? } else { outgoing };
        self.send(outgoing).await
    }

    /// Invokes a function and waits for its answer.
    ///
    /// # Errors
    /// In words, when nothing came back.
    pub async fn invoke_function(&self, function: &str, payload: Vec<u8>) -> Result<Answered, String> {
        let endpoint = match self.endpoint() {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => {
                let domain = if self.region().starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
                format!("https://lambda.{}.{domain}", self.region())
            }
        };
        let outgoing = Outgoing {
            method: Method::POST,
            // A function's name is letters, digits, hyphens and underscores: nothing in it needs encoding.
            url: format!("{endpoint}/2015-03-31/functions/{function}/invocations"),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: payload,
        };
        let outgoing = self.sign(outgoing, "lambda").await?;
        self.send(outgoing).await
    }

    async fn sign(&self, outgoing: Outgoing, service: &str) -> Result<Outgoing, String> {
        let provider = self.inner.credentials.as_ref().ok_or("there are no credentials to sign with")?;
        // The provider's own error may repeat what a credential process printed.
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|_| "the credentials to sign with cannot be got at".to_owned())?;
        http_client::signed(outgoing, service, self.region(), &credentials, SystemTime::now())
    }

    async fn send(&self, outgoing: Outgoing) -> Result<Answered, String> {
        let client = self.inner.http.get_or_init(http_client::Client::new);
        let answer = client.ask(outgoing, LARGEST_ANSWER).await?;
        let header = |name: &str| answer.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        Ok(Answered {
            status: answer.status,
            function_error: header("x-amz-function-error").map(|(_, value)| value.clone()),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        })
    }
}
