//! Conversations over a WebSocket, and whether what came back is what is expected.

use std::time::Duration;

use serde_json::Value;

use super::deployed::{DeployedStack, within};
use super::dialogue::{in_time, of_turn};
use super::failure::{Failure, unsettled};
use super::http::header;
use super::test::WebSocketRequest;
use super::text::{Hidden, holds, is_like};
use crate::aws::{ApiCall, Opening, Socket};
use crate::spec::{Expect, ExpectTurn, SmokeTurn};

/// How long it may take to open a connection: API Gateway itself gives up after 29 or 30 seconds.
const LONGEST_OPENING: Duration = Duration::from_secs(60);
/// How long an answer may take where the test does not say: a little more than an integration of a WebSocket API has, 29
/// seconds.
const LONGEST_TURN: Duration = Duration::from_secs(30);

pub(super) async fn chat(
    deployed: &DeployedStack<'_>,
    connection: &WebSocketRequest,
    turns: &[SmokeTurn],
    expect: &Expect,
) -> Result<(), Failure> {
    let url = deployed.output(&connection.output, "API")?;
    let mut hidden = Hidden::default();
    let mut headers = Vec::new();
    for (name, pieces) in &connection.headers {
        headers.push((name.clone(), header(deployed, name, pieces, &mut hidden).await?));
    }
    let request =
        ApiCall { method: "GET".to_owned(), url: url.to_owned(), headers, body: None, signed: connection.signed };
    let (opening, _) = within(None, LONGEST_OPENING, deployed.clients.open_socket(request)).await?;
    match (opening, expect.status) {
        (Opening::Refused(answer), Some(status)) if status == answer.status => Ok(()),
        (Opening::Refused(answer), wanted) => {
            let (status, text) = (answer.status, answer.text());
            let (at, expected) = match wanted {
                Some(wanted) => ("expect/status", format!(", expected {wanted}")),
                None => ("", String::new()),
            };
            let reason = format!("the connection was refused with {status}{expected}: {}", hidden.shown(&text));
            let unsettled = unsettled(Some(status), &text);
            Err(Failure { unsettled, ..Failure::unmet(at, reason) })
        }
        (Opening::Open(socket), Some(wanted)) => {
            socket.close().await;
            let reason = format!("the connection was opened, expected that it is refused with {wanted}");
            Err(Failure::unmet("expect/status", reason))
        }
        (Opening::Open(mut socket), None) => {
            let talked = talk(&mut socket, turns, &hidden).await;
            socket.close().await;
            talked
        }
    }
}

async fn talk(socket: &mut Socket, turns: &[SmokeTurn], hidden: &Hidden) -> Result<(), Failure> {
    for (index, turn) in turns.iter().enumerate() {
        let at = format!("turns/{index}");
        let which = |failure| of_turn(failure, &at, &turn.say);
        // Why a server closes is its own word, and may repeat what it was sent.
        let saying = async { socket.say(&turn.say).await.map_err(|reason| hidden.shown(&reason)) };
        let (said, elapsed) = within(turn.expect.within, LONGEST_TURN, saying).await.map_err(which)?;
        let of_expect = format!("{at}/expect");
        answered(&said, &turn.expect, &of_expect, hidden)
            .and_then(|()| in_time(turn.expect.within, elapsed, &of_expect))
            .map_err(which)?;
    }
    Ok(())
}

/// Whether a message is the one that is expected.
fn answered(said: &str, expect: &ExpectTurn, at: &str, hidden: &Hidden) -> Result<(), Failure> {
    let refused = refusal(said);
    let judged = match &expect.text {
        Some(expected) => is_like(said, expected, &format!("{at}/text"), "the answer", hidden),
        None if expect.json.is_empty() && refused => {
            Err(Failure::unmet("", format!("API Gateway answered: {}", hidden.shown(said))))
        }
        None => Ok(()),
    };
    let judged = judged.and_then(|()| holds(said, &expect.json, &format!("{at}/json"), hidden));
    // The function may have been refused something that it was only just permitted.
    judged.map_err(|failure| Failure { unsettled: failure.unsettled || refused || unsettled(None, said), ..failure })
}

/// Whether a message is API Gateway's own word that nothing could answer: it names the connection and the request.
/// Source: API Gateway developer guide, WebSocket APIs.
fn refusal(said: &str) -> bool {
    let said: Value = serde_json::from_str(said).unwrap_or_default();
    let is_text = |key| said.get(key).is_some_and(Value::is_string);
    said.as_object().is_some_and(|said| said.len() == 3)
        && ["message", "connectionId", "requestId"].into_iter().all(is_text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn failure_of(said: &str, expected: Value) -> Option<(String, String, bool)> {
        let expected = serde_json::from_value(expected).expect("an expectation");
        let failure = answered(said, &expected, "turns/0/expect", &Hidden::default()).err()?;
        Some((failure.at, failure.reason, failure.unsettled))
    }

    #[test]
    fn a_message_is_judged_as_a_text_and_as_json() {
        let said = r#"{"echo": "Hi", "n": 2}"#;
        assert_eq!(failure_of(said, json!({"text": {"contains": "Hi"}, "json": {"$.echo": "Hi", "$.n": 2}})), None);
        let (at, reason, unsettled) = failure_of(said, json!({"json": {"$.echo": "Ho"}})).expect("a reason");
        assert_eq!(at, "turns/0/expect/json/$.echo");
        assert_eq!((reason.as_str(), unsettled), (r#"`$.echo` is "Hi", expected "Ho""#, false));
        let (at, ..) = failure_of("Hi", json!({"json": {"$.echo": "Hi"}})).expect("a reason");
        assert_eq!(at, "turns/0/expect/json");
    }

    #[test]
    fn api_gateways_own_refusal_passes_only_where_it_is_expected() {
        let refused = r#"{"message": "Forbidden", "connectionId": "a=", "requestId": "b"}"#;
        let (at, reason, unsettled) = failure_of(refused, json!({})).expect("a reason");
        assert!(at.is_empty() && unsettled && reason.starts_with("API Gateway answered: "), "{at} {reason}");
        assert_eq!(failure_of(refused, json!({"text": {"contains": "Forbidden"}})), None);
        assert_eq!(failure_of(refused, json!({"json": {"$.message": "Forbidden"}})), None);
        assert_eq!(failure_of(r#"{"message": "Forbidden"}"#, json!({})), None);
    }
}
