//! Who is connected, and what is sent to them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;

use crate::execute_api::call::SOURCE_IP;
use crate::execute_api::reply::Reply;
use crate::ground::Ids;

/// The largest message. Source: API Gateway quotas, WebSocket message payload size.
pub(super) const MAX_MESSAGE: usize = 128 << 10;

/// What a connection is told to do.
#[derive(Debug)]
pub(super) enum Command {
    Send(Bytes),
    Close,
}

#[derive(Debug)]
struct Connection {
    sender: mpsc::Sender<Command>,
    /// `arn:aws:execute-api:{region}:{account}:{api}/{stage}`.
    place: String,
    connected_at: Timestamp,
    last_active_at: Timestamp,
    user_agent: Option<String>,
}

/// Every open connection.
#[derive(Debug, Default)]
pub(in crate::execute_api) struct Connections(Mutex<HashMap<String, Connection>>);

/// A new connection's id, in the form of AWS's.
pub(super) fn new_id(ids: &Ids) -> String {
    let bytes = ids.uuid().into_bytes();
    base64::engine::general_purpose::URL_SAFE.encode(bytes.get(..11).unwrap_or(&bytes))
}

/// What is said of a connection that is no more.
pub(super) fn gone() -> Reply {
    Reply::message(410, "GoneException", "Gone")
}

impl Connections {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection and gives what it is told.
    pub(super) fn open(
        &self,
        id: &str,
        place: String,
        at: Timestamp,
        user_agent: Option<String>,
    ) -> mpsc::Receiver<Command> {
        let (sender, receiver) = mpsc::channel(64);
        let connection = Connection { sender, place, connected_at: at, last_active_at: at, user_agent };
        self.lock().insert(id.to_owned(), connection);
        receiver
    }

    /// A message came.
    pub fn touch(&self, id: &str, at: Timestamp) {
        if let Some(connection) = self.lock().get_mut(id) {
            connection.last_active_at = at;
        }
    }

    /// A connection is no more.
    pub fn close(&self, id: &str) {
        self.lock().remove(id);
    }

    /// Where a connection is.
    pub fn place(&self, id: &str) -> Option<String> {
        self.lock().get(id).map(|connection| connection.place.clone())
    }

    /// Carries out an operation on a connection.
    pub async fn manage(&self, method: &Method, id: &str, body: &Bytes) -> Reply {
        let Some((.., work)) = OPERATIONS.iter().find(|(_, known, _)| known == method) else {
            return Reply::message(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
        };
        let (sender, told) = match self.lock().get(id) {
            None => return gone(),
            Some(connection) => (connection.sender.clone(), connection.told()),
        };
        let (command, status) = match work {
            ConnectionAction::Tell => return Reply::json(200, &told),
            ConnectionAction::Send if body.len() > MAX_MESSAGE => {
                return Reply::message(413, "PayloadTooLargeException", "Payload too large");
            }
            ConnectionAction::Send => (Command::Send(body.clone()), 200),
            ConnectionAction::Close => (Command::Close, 204),
        };
        if sender.send(command).await.is_err() { gone() } else { Reply::new(status) }
    }
}

/// What an operation of `@connections` does.
#[derive(Debug, Clone, Copy)]
enum ConnectionAction {
    Tell,
    Send,
    Close,
}

/// The operations of `@connections`.
const OPERATIONS: &[(&str, Method, ConnectionAction)] = &[
    ("DeleteConnection", Method::DELETE, ConnectionAction::Close),
    ("GetConnection", Method::GET, ConnectionAction::Tell),
    ("PostToConnection", Method::POST, ConnectionAction::Send),
];

/// The names of the operations.
pub(in crate::execute_api) fn operations() -> Vec<&'static str> {
    OPERATIONS.iter().map(|(name, ..)| *name).collect()
}

impl Connection {
    fn told(&self) -> serde_json::Value {
        json!({
            "connectedAt": self.connected_at.to_string(),
            "identity": { "sourceIp": SOURCE_IP, "userAgent": self.user_agent },
            "lastActiveAt": self.last_active_at.to_string(),
        })
    }
}
