//! One connection from its first message to its last.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use futures::{SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};

use super::connections::{Command, MAX_MESSAGE};
use super::event::RouteFailure;
use super::session::SocketSession;
use crate::execute_api::call::extended;
use crate::ground::scalar::{scalar, text};
use crate::velocity::jsonpath;

/// How long a connection may be silent. Source: API Gateway quotas, idle connection timeout.
const IDLE: Duration = Duration::from_secs(600);

/// How long a connection may be open. Source: API Gateway quotas, connection duration.
const LONGEST: Duration = Duration::from_secs(7_200);

/// How many messages of one connection are worked on at once.
const AT_ONCE: usize = 16;

/// Serves a connection until it ends.
pub(super) async fn serve(session: Arc<SocketSession>, connection: OnUpgrade) {
    let connections = &session.gateway.connections;
    let commands = connections.open(&session.id, session.place(), session.connected_at, session.user_agent.clone());
    let (code, reason) = match connection.await {
        Ok(upgraded) => {
            let config =
                WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
            let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
            tokio::time::timeout(LONGEST, talk(&session, socket, commands))
                .await
                .unwrap_or_else(|_| (1001, "Going away".to_owned()))
        }
        Err(_) => (1006, String::new()),
    };
    connections.close(&session.id);
    if let Some((_, route)) = session.route("$disconnect") {
        let request_id = session.gateway.host.ids.uuid().to_string();
        let mut event = session.event("$disconnect", "DISCONNECT", &request_id);
        event["requestContext"]["disconnectStatusCode"] = json!(code);
        event["requestContext"]["disconnectReason"] = json!(reason);
        event["headers"] = crate::execute_api::rest::single(&session.headers);
        event["multiValueHeaders"] = crate::execute_api::rest::multiple(&session.headers);
        // Nobody is there any more to be told how it went.
        let _ = session.integrate(route, "$disconnect", &event).await;
    }
}

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

async fn talk(
    session: &Arc<SocketSession>,
    mut socket: Socket,
    mut commands: mpsc::Receiver<Command>,
) -> (u16, String) {
    let (answers, mut answered) = mpsc::channel::<String>(64);
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        tokio::select! {
            came = tokio::time::timeout(IDLE, socket.next()) => {
                let body = match came {
                    Err(_) => {
                        let frame = CloseFrame { code: CloseCode::Away, reason: "Going away".into() };
                        let _ = socket.close(Some(frame)).await;
                        return (1001, "Going away".to_owned());
                    }
                    Ok(None | Some(Err(_))) => return (1006, String::new()),
                    Ok(Some(Ok(Message::Close(frame)))) => {
                        let _ = socket.flush().await;
                        let told = frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
                        return told.unwrap_or((1005, String::new()));
                    }
                    Ok(Some(Ok(Message::Text(text)))) => (text.to_string(), false),
                    Ok(Some(Ok(Message::Binary(bytes)))) => {
                        (base64::engine::general_purpose::STANDARD.encode(&bytes), true)
                    }
                    Ok(Some(Ok(_))) => continue,
                };
                session.gateway.connections.touch(&session.id, session.gateway.host.clock.now());
                // A function may send to its own connection while it works: messages are worked on beside this loop.
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return (1011, String::new()) };
                let (session, answers) = (Arc::clone(session), answers.clone());
                tokio::spawn(async move {
                    if let Some(answer) = message(&session, body).await {
                        // The connection may be gone by now.
                        let _ = answers.send(answer).await;
                    }
                    drop(slot);
                });
            }
            Some(answer) = answered.recv() => {
                if socket.send(Message::text(answer)).await.is_err() {
                    return (1006, String::new());
                }
            }
            command = commands.recv() => match command {
                Some(Command::Send(bytes)) => {
                    let message = match String::from_utf8(bytes.to_vec()) {
                        Ok(text) => Message::text(text),
                        Err(_) => Message::binary(bytes),
                    };
                    if socket.send(message).await.is_err() {
                        return (1006, String::new());
                    }
                }
                Some(Command::Close) | None => {
                    let frame = CloseFrame { code: CloseCode::Normal, reason: "Connection Closed Normally".into() };
                    let _ = socket.close(Some(frame)).await;
                    return (1000, "Connection Closed Normally".to_owned());
                }
            },
        }
    }
}

/// What is sent back for a message, if anything is.
async fn message(session: &SocketSession, (body, encoded): (String, bool)) -> Option<String> {
    let request_id = session.gateway.host.ids.uuid().to_string();
    let problem =
        |message: &str| json!({ "message": message, "connectionId": session.id, "requestId": request_id }).to_string();
    let key = selected(session, &body);
    let found = key.as_ref().and_then(|key| session.route(key)).map(|found| (key.clone().unwrap_or_default(), found));
    let found = found.or_else(|| session.route("$default").map(|found| ("$default".to_owned(), found)));
    let Some((key, (id, route))) = found else { return Some(problem("Forbidden")) };
    let mut event = session.event(&key, "MESSAGE", &request_id);
    event["requestContext"]["messageId"] = json!(extended(&request_id));
    event["body"] = json!(body);
    event["isBase64Encoded"] = json!(encoded);
    match session.integrate(route, &key, &event).await {
        Err(RouteFailure::NotSimulated(what)) => Some(problem(&format!("The local target does not simulate {what}"))),
        Err(RouteFailure::Broken(_)) => Some(problem("Internal server error")),
        Ok(answer) if answer.failed => Some(problem("Internal server error")),
        Ok(answer) if session.answers(&id) => {
            let json: Value = serde_json::from_slice(&answer.payload).unwrap_or(Value::Null);
            text(&json, "body").filter(|body| !body.is_empty())
        }
        Ok(_) => None,
    }
}

/// The key by the API's route selection expression, such as `$request.body.action`.
fn selected(session: &SocketSession, body: &str) -> Option<String> {
    let expression = text(&session.v2.api.properties, "RouteSelectionExpression")?;
    let path = expression.trim_start_matches("${").trim_start_matches('$').trim_end_matches('}');
    let path = path.strip_prefix("request.body.")?;
    let json: Value = serde_json::from_str(body).ok()?;
    let found = jsonpath::find(&json, path).ok()??;
    scalar(&found).filter(|key| !key.starts_with('$'))
}
