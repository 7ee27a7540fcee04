//! What all events of one connection share.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::execute_api::gateway::ApiGateway;
use crate::execute_api::state::V2;

/// What all events of one connection share.
#[derive(Debug)]
pub(super) struct SocketSession {
    pub gateway: Arc<ApiGateway>,
    pub v2: V2,
    pub stage: String,
    /// The connection's id.
    pub id: String,
    pub connected_at: Timestamp,
    pub domain: String,
    pub user_agent: Option<String>,
    /// What `$connect`'s authorizer said.
    pub authorizer: Option<Map<String, Value>>,
    /// The headers of the request that connected.
    pub headers: Vec<(String, String)>,
}
