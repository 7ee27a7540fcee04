//! A smoke test, as data: what is tried and what is expected.

use std::collections::BTreeMap;

use crate::finding::Place;
use crate::spec::{Expect, SmokeTurn};

/// Something to try on what is deployed.
#[derive(Debug, Clone)]
pub struct PreparedSmokeTest {
    /// As the spec has it, such as `GET apis.posters /posters` or `functions.design`.
    pub name: String,
    /// Where the spec has it.
    pub place: Option<Place>,
    pub(super) what: Probe,
    pub(super) expect: Expect,
    /// Where everything of it stands in the spec, by its way from the test, such as `expect/status`.
    pub(super) places: BTreeMap<String, Place>,
}

#[derive(Debug, Clone)]
pub(super) enum Probe {
    Call(Call),
    Invoke {
        /// The function's logical id.
        function: String,
        payload: Vec<u8>,
    },
    Retrieve {
        /// The output that is the knowledge base's id.
        output: String,
        query: String,
    },
    Chat {
        agent: ChatAgent,
        turns: Vec<SmokeTurn>,
    },
    Connect {
        connection: WebSocketRequest,
        turns: Vec<SmokeTurn>,
    },
}

/// A connection to a WebSocket API.
#[derive(Debug, Clone)]
pub(super) struct WebSocketRequest {
    /// The output that is the API's address.
    pub(super) output: String,
    pub(super) headers: Vec<(String, Vec<Sent>)>,
    pub(super) signed: bool,
}

/// A request to an API.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The output that is the API's address.
    pub(super) output: String,
    pub(super) method: String,
    /// Path and query, percent-encoded.
    pub(super) target: String,
    pub(super) headers: Vec<(String, Vec<Sent>)>,
    /// The logical id of the API key sent with it.
    pub(super) api_key: Option<String>,
    /// JSON.
    pub(super) body: Option<Vec<u8>>,
    pub(super) signed: bool,
}

/// A piece of a header's value.
#[derive(Debug, Clone)]
pub(super) enum Sent {
    Text(String),
    /// A secret by its logical id and the spec's name; of a JSON object, what stands under the key.
    Secret {
        id: String,
        name: String,
        key: Option<String>,
    },
}

/// An agent by the outputs that tell how to talk to it.
#[derive(Debug, Clone)]
pub(super) enum ChatAgent {
    Classic { agent_output: String, alias_output: String },
    Harness { output: String },
}

impl PreparedSmokeTest {
    /// Where something of it stands, or the nearest thing around that; the test itself where that is nowhere.
    pub(super) fn place_of(&self, at: &str) -> Option<Place> {
        let mut way = at;
        loop {
            if let Some(place) = self.places.get(way) {
                return Some(place.clone());
            }
            match way.rsplit_once('/') {
                Some((around, _)) => way = around,
                None => return self.place.clone(),
            }
        }
    }
}
