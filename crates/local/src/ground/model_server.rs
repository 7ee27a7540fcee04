//! A real model behind an address: any server that speaks OpenAI's API, named by whoever serves the local target.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode, Uri};
use serde_json::Value;

use super::errors::ApiError;
use bedplate_host::http_client::{Client, Outgoing};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The largest answer taken, in bytes.
const LARGEST: usize = 16 << 20;

/// A server that speaks OpenAI's API; cheap to clone.
#[derive(Debug, Clone)]
pub struct ModelServer(Arc<Connected>);

#[derive(Debug)]
struct Connected {
    url: String,
    client: Client,
}

impl ModelServer {
    /// The server at an address, with or without `/v1` at its end.
    ///
    /// # Errors
    ///
    /// In words, when the address is none.
    pub fn new(url: &str) -> Result<Self, String> {
        let url = url.trim().trim_end_matches('/').trim_end_matches("/v1").to_owned();
        let address: Uri = url.parse().map_err(|error| format!("`{url}` is not an address: {error}"))?;
        if !matches!(address.scheme_str(), Some("http" | "https")) {
            return Err(format!("`{url}` is not an address that begins with http:// or https://"));
        }
        Ok(Self(Arc::new(Connected { url, client: Client::default() })))
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// What the server answers to a body, as JSON.
    ///
    /// # Errors
    ///
    /// `ModelErrorException` when it does not answer, or not with JSON.
    pub(crate) async fn ask(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        let failed = |what: String| {
            ApiError::sender("ModelErrorException", format!("The model server {}: {what}", self.0.url))
                .with_status(StatusCode::FAILED_DEPENDENCY)
        };
        let outgoing = Outgoing {
            method: Method::POST,
            url: format!("{}{path}", self.0.url),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        };
        let asked = async {
            let answer = self.0.client.ask(outgoing, LARGEST).await.map_err(failed)?;
            if !(200..300).contains(&answer.status) {
                let said = String::from_utf8_lossy(&answer.body).chars().take(300).collect::<String>();
                return Err(failed(format!("{path} answers {}: {said}", answer.status)));
            }
            serde_json::from_slice(&answer.body).map_err(|error| failed(format!("its answer is not JSON: {error}")))
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(failed(format!("no answer within {} seconds", PATIENCE.as_secs()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_are_taken() {
        assert_eq!(ModelServer::new("http://127.0.0.1:8080/v1/").expect("an address").url(), "http://127.0.0.1:8080");
        assert!(ModelServer::new("127.0.0.1:8080").is_err());
        assert!(ModelServer::new("ftp://host").is_err());
    }
}
