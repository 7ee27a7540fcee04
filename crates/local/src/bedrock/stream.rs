//! Event streams: `application/vnd.amazon.eventstream`.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::Value;

use crate::ground::ApiError;

/// The content type.
pub(super) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// The frames of an answer.
#[derive(Debug, Default)]
pub(super) struct Events {
    frames: Vec<u8>,
}

impl Events {
    /// Adds an event whose payload is a document.
    ///
    /// # Errors
    ///
    /// When the event can't be framed: it is too large.
    pub fn push(&mut self, kind: &str, payload: &Value) -> Result<(), ApiError> {
        self.frame("event", ":event-type", kind, payload)
    }

    /// Adds the exception that a stream ends with, under its name as a member of the stream.
    ///
    /// # Errors
    ///
    /// When it can't be framed: it is too large.
    pub fn fail(&mut self, kind: &str, payload: &Value) -> Result<(), ApiError> {
        self.frame("exception", ":exception-type", kind, payload)
    }

    fn frame(&mut self, message: &str, named: &'static str, kind: &str, payload: &Value) -> Result<(), ApiError> {
        let text = |text: &str| HeaderValue::String(text.to_owned().into());
        let message = Message::new(payload.to_string().into_bytes())
            .add_header(Header::new(named, text(kind)))
            .add_header(Header::new(":content-type", text("application/json")))
            .add_header(Header::new(":message-type", text(message)));
        write_message_to(&message, &mut self.frames)
            .map_err(|error| ApiError::internal(format!("an event of the answer can't be sent: {error}")))
    }

    /// The bytes.
    pub fn into_frames(self) -> Vec<u8> {
        self.frames
    }
}

/// A text in pieces of a few words, as a model gives it bit by bit.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut words = 0;
    for (at, c) in text.char_indices() {
        if c == ' ' {
            words += 1;
            if words == 4 {
                pieces.extend(text.get(start..at));
                (start, words) = (at, 0);
            }
        }
    }
    pieces.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole_text() {
        let text = "one two three four five six  seven eight nine";
        assert_eq!(pieces(text).concat(), text);
        assert!(pieces(text).len() > 1);
        assert!(pieces("").is_empty());
    }
}
