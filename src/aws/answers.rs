//! What services without an SDK client here answer: documents, refusals and event streams.

use aws_smithy_eventstream::frame::read_message_from;
use aws_smithy_types::event_stream::{HeaderValue, Message};
use bytes::{Buf, Bytes};
use serde_json::{Map, Value};

use super::calls::ApiResponse;

/// The answer as a JSON object.
pub(super) fn object(answer: &ApiResponse) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(&answer.body) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err("the answer is not a JSON object".to_owned()),
    }
}

/// A refusal in words: who refused, the status, the kind of the error and what is said of it.
pub(super) fn refused(service: &str, answer: &ApiResponse) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    // `AccessDeniedException:http://…` in a header, `com.amazon…#AccessDeniedException` in a body.
    let kind = answer.header("x-amzn-errortype").next().or_else(|| text("__type")).or_else(|| text("code"));
    let kind =
        kind.map(|kind| kind.split(':').next().unwrap_or(kind)).map(|kind| kind.rsplit('#').next().unwrap_or(kind));
    let said = text("message").or_else(|| text("Message")).unwrap_or_default();
    let kind = kind.map(|kind| format!(" {kind}")).unwrap_or_default();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    format!("{service} answered {}{kind}{said}", answer.status)
}

/// An event of a stream.
#[derive(Debug, PartialEq)]
pub(super) struct StreamEvent {
    /// Such as `chunk`.
    pub kind: String,
    /// Its payload, as JSON.
    pub payload: Value,
}

/// The events of an answer of `application/vnd.amazon.eventstream`; checksums are verified.
///
/// # Errors
/// In words, when a frame is damaged or the stream ends with an exception.
pub(super) fn events(service: &str, body: &Bytes) -> Result<Vec<StreamEvent>, String> {
    let mut rest = body.clone();
    let mut events = Vec::new();
    while rest.has_remaining() {
        let message =
            read_message_from(&mut rest).map_err(|error| format!("the answer of {service} is damaged: {error}"))?;
        let payload = serde_json::from_slice(message.payload()).unwrap_or_default();
        match header(&message, ":message-type").as_str() {
            "exception" => return Err(exception(service, &header(&message, ":exception-type"), &payload)),
            "error" => {
                let (code, said) = (header(&message, ":error-code"), header(&message, ":error-message"));
                return Err(format!("{service} broke off with {code}: {said}"));
            }
            _ => events.push(StreamEvent { kind: header(&message, ":event-type"), payload }),
        }
    }
    Ok(events)
}

fn exception(service: &str, kind: &str, payload: &Value) -> String {
    let said = payload.get("message").or_else(|| payload.get("Message")).and_then(Value::as_str).unwrap_or_default();
    format!("{service} broke off with {kind}: {said}")
}

fn header(message: &Message, name: &str) -> String {
    let header = message.headers().iter().find(|header| header.name().as_str() == name);
    match header.map(|header| header.value()) {
        Some(HeaderValue::String(text)) => text.as_str().to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::Header;
    use serde_json::json;

    use super::*;

    fn frame(headers: &[(&'static str, &'static str)], payload: &Value) -> Vec<u8> {
        let mut message = Message::new(payload.to_string().into_bytes());
        for (name, value) in headers {
            message = message.add_header(Header::new(*name, HeaderValue::String((*value).into())));
        }
        let mut frames = Vec::new();
        write_message_to(&message, &mut frames).expect("a frame");
        frames
    }

    #[test]
    fn events_are_read_in_order_and_damage_is_told() {
        let one = frame(&[(":message-type", "event"), (":event-type", "chunk")], &json!({"bytes": "SGk="}));
        let two = frame(&[(":message-type", "event"), (":event-type", "trace")], &json!({}));
        let mut both = [one, two].concat();
        let read = events("Bedrock", &both.clone().into()).expect("events");
        let kinds: Vec<&str> = read.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!((kinds.as_slice(), &read[0].payload), (&["chunk", "trace"][..], &json!({"bytes": "SGk="})));
        let last = both.len() - 20;
        both[last] ^= 1;
        assert!(events("Bedrock", &both.clone().into()).is_err_and(|said| said.contains("damaged")));
        both.truncate(last);
        assert!(events("Bedrock", &both.into()).is_err());
    }

    #[test]
    fn an_exception_in_the_stream_is_told_in_words() {
        let headers = [(":message-type", "exception"), (":exception-type", "throttlingException")];
        let body = frame(&headers, &json!({"message": "Slow down"}));
        let said = events("Bedrock", &body.into()).expect_err("an exception");
        assert_eq!(said, "Bedrock broke off with throttlingException: Slow down");
    }

    #[test]
    fn a_refusal_names_its_kind_wherever_it_stands() {
        let answer = |headers: &[(&str, &str)], body: &str| ApiResponse {
            status: 403,
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            function_error: None,
        };
        let header = answer(&[("X-Amzn-ErrorType", "AccessDeniedException:http://x/")], r#"{"message":"no"}"#);
        assert_eq!(refused("Bedrock", &header), "Bedrock answered 403 AccessDeniedException: no");
        let body = answer(&[], r#"{"__type":"com.amazonaws#ResourceNotFoundException","Message":"gone"}"#);
        assert_eq!(refused("Bedrock", &body), "Bedrock answered 403 ResourceNotFoundException: gone");
        assert_eq!(refused("Bedrock", &answer(&[], "<html>")), "Bedrock answered 403");
    }
}
