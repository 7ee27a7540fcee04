//! A connection to a WebSocket API: texts said, and what comes back.

use std::fmt;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// How long the other side may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// An open connection.
pub struct Socket(Box<WebSocketStream<TokioIo<Upgraded>>>);

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

impl Socket {
    pub(super) fn new(stream: Box<WebSocketStream<TokioIo<Upgraded>>>) -> Self {
        Self(stream)
    }

    /// Sends a text as one message and waits for the next one that comes; bytes that are not UTF-8 stand as U+FFFD.
    ///
    /// # Errors
    /// In words, when the connection is closed or breaks.
    pub async fn say(&mut self, text: &str) -> Result<String, String> {
        let broke = |error| format!("the connection broke: {error}");
        self.0.send(Message::text(text)).await.map_err(broke)?;
        while let Some(message) = self.0.next().await {
            match message.map_err(broke)? {
                Message::Text(text) => return Ok(text.as_str().to_owned()),
                Message::Binary(bytes) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
                Message::Close(Some(frame)) => {
                    return Err(format!("the connection was closed with {} {}", u16::from(frame.code), frame.reason));
                }
                Message::Close(None) => break,
                // A ping has been answered by now.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
        Err("the connection was closed".to_owned())
    }

    /// Says goodbye and waits a moment for the other side to do so too.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(GOODBYE, async {
            if (*self.0).close(None).await.is_ok() {
                while self.0.next().await.is_some_and(|message| message.is_ok()) {}
            }
        })
        .await;
    }
}
