//! Asking other addresses: HTTP integrations, and AWS services of this endpoint.

use super::call::MAX_BODY;
use super::reply::Reply;
use bedplate_host::http_client;
pub(super) use bedplate_host::http_client::{Outgoing, signed};

/// A client of other addresses, whose answers are API Gateway's to give on.
#[derive(Debug, Clone)]
pub(super) struct Client(http_client::Client);

/// Headers that are between two neighbours only, or that the client sets itself.
pub(super) fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        &*name.to_ascii_lowercase(),
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "content-length"
            | "expect"
    )
}

impl Client {
    /// A client that trusts the machine's own certificate authorities.
    pub fn new() -> Self {
        Self(http_client::Client::default())
    }

    /// Asks, and waits for the whole answer.
    ///
    /// # Errors
    /// In words, when the address can't be asked or its answer is too large.
    pub async fn ask(&self, outgoing: Outgoing) -> Result<Reply, String> {
        let http_client::Answer { status, headers, body } = self.0.ask(outgoing, MAX_BODY).await?;
        Ok(Reply { status, headers, body })
    }
}
