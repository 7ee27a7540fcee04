//! What an agent tells of its steps, when it is asked to.

use serde_json::{Value, json};

use super::lambda::For;

/// The traces of one answer.
#[derive(Debug)]
pub(super) struct Traces {
    wanted: bool,
    id: String,
    common: Value,
    pub events: Vec<Value>,
}

impl Traces {
    /// For an answer to a message.
    pub fn new(wanted: bool, id: String, whom: &For, time: &str) -> Self {
        let common = json!({
            "agentId": whom.agent,
            "agentAliasId": whom.alias,
            "agentVersion": "DRAFT",
            "sessionId": whom.session,
            "eventTime": time,
        });
        Self { wanted, id, common, events: Vec::new() }
    }

    fn push(&mut self, trace: Value) {
        if !self.wanted {
            return;
        }
        let mut event = self.common.clone();
        if let Some(event) = event.as_object_mut() {
            event.insert("trace".to_owned(), trace);
        }
        self.events.push(event);
    }

    /// A step of the loop: its kind and content.
    pub fn step(&mut self, kind: &str, mut content: Value) {
        if let Some(content) = content.as_object_mut() {
            content.insert("traceId".to_owned(), json!(self.id));
        }
        self.push(json!({"orchestrationTrace": { kind: content }}));
    }

    /// What a guardrail found.
    pub fn guardrail(&mut self, name: &str, intervened: bool, assessment: &Value) {
        let action = if intervened { "INTERVENED" } else { "NONE" };
        self.push(json!({"guardrailTrace": {"traceId": self.id, "action": action, name: [assessment]}}));
    }
}
