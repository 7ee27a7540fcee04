//! Searching knowledge bases and talking to agents, as whoever uses them does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::answers::{StreamEvent, events, object, refused};
use super::calls::ApiResponse;
use super::clients::Clients;

/// What the services are called in errors.
const BEDROCK: &str = "Bedrock";
const AGENTCORE: &str = "AgentCore";

/// A passage that a knowledge base found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// What it says.
    pub text: String,
    /// Where its document lies: the URI of an S3 object, or a web address.
    pub source: String,
}

/// An agent with all that it takes to talk to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentAddress {
    /// Bedrock Agents Classic.
    Classic {
        /// The agent's id.
        agent: String,
        /// The id of its alias.
        alias: String,
    },
    /// A harness of Bedrock AgentCore, by its ARN.
    Harness(String),
}

/// What an agent answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentReply {
    /// Its words.
    pub text: String,
    /// Where the documents lie that it cites.
    pub sources: Vec<String>,
    /// The tools it used, in order: action groups or gateway targets.
    pub tools: Vec<String>,
}

impl Clients {
    /// Searches a knowledge base.
    ///
    /// # Errors
    /// In words, when it is refused or nothing came back.
    pub async fn retrieve(&self, knowledge_base: &str, query: &str) -> Result<Vec<Passage>, String> {
        // An id is letters and digits: nothing in it needs encoding.
        let path = format!("/knowledgebases/{knowledge_base}/retrieve");
        let body = json!({ "retrievalQuery": { "text": query } });
        let answer = self.ask_bedrock(&path, &body).await?;
        let results = object(&answer)?.remove("retrievalResults").unwrap_or_default();
        Ok(results.as_array().into_iter().flatten().map(passage).collect())
    }

    /// Says something to an agent, in a session: the same one remembers. A session's id has 33 characters or more.
    ///
    /// # Errors
    /// In words, when it is refused, the answer breaks off or nothing came back.
    pub async fn say(&self, agent: &AgentAddress, session: &str, text: &str) -> Result<AgentReply, String> {
        match agent {
            AgentAddress::Classic { agent, alias } => {
                let path = format!("/agents/{agent}/agentAliases/{alias}/sessions/{session}/text");
                let body = json!({ "inputText": text, "enableTrace": true });
                let answer = self.ask_bedrock(&path, &body).await?;
                Ok(of_agent(&events(BEDROCK, &answer.body)?))
            }
            AgentAddress::Harness(arn) => {
                let arn: String = form_urlencoded::byte_serialize(arn.as_bytes()).collect();
                let path = format!("/harnesses/invoke?harnessArn={arn}");
                let headers = vec![
                    ("content-type".to_owned(), "application/json".to_owned()),
                    ("x-amzn-bedrock-agentcore-runtime-session-id".to_owned(), session.to_owned()),
                ];
                let body = json!({ "messages": [{ "role": "user", "content": [{ "text": text }] }] });
                let body = body.to_string().into_bytes();
                let service = "bedrock-agentcore";
                let answer = self.ask_service(service, service, Method::POST, &path, headers, body).await?;
                if answer.status >= 300 {
                    return Err(refused(AGENTCORE, &answer));
                }
                Ok(of_harness(&events(AGENTCORE, &answer.body)?))
            }
        }
    }

    async fn ask_bedrock(&self, path: &str, body: &Value) -> Result<ApiResponse, String> {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let body = body.to_string().into_bytes();
        let answer = self.ask_service("bedrock-agent-runtime", "bedrock", Method::POST, path, headers, body).await?;
        if answer.status >= 300 { Err(refused(BEDROCK, &answer)) } else { Ok(answer) }
    }
}

fn passage(result: &Value) -> Passage {
    let text = result.pointer("/content/text").and_then(Value::as_str).unwrap_or_default().to_owned();
    Passage { text, source: source(result).unwrap_or_default() }
}

/// Where the document of a reference lies: the location's kind decides the key, such as `s3Location.uri`.
fn source(reference: &Value) -> Option<String> {
    let kinds = reference.get("location")?.as_object()?.values();
    kinds.filter_map(Value::as_object).find_map(|kind| {
        let address = kind.get("uri").or_else(|| kind.get("url")).or_else(|| kind.get("id"))?;
        address.as_str().map(str::to_owned)
    })
}

/// Chunks are words with what they cite; traces tell which action groups were used.
fn of_agent(events: &[StreamEvent]) -> AgentReply {
    let mut said = AgentReply::default();
    for StreamEvent { kind, payload } in events {
        match kind.as_str() {
            "chunk" => {
                let bytes = payload.get("bytes").and_then(Value::as_str).map(|text| STANDARD.decode(text));
                if let Some(Ok(bytes)) = bytes {
                    said.text.push_str(&String::from_utf8_lossy(&bytes));
                }
                let citations = payload.pointer("/attribution/citations").and_then(Value::as_array);
                let references =
                    citations.into_iter().flatten().filter_map(|it| it.get("retrievedReferences")?.as_array());
                said.sources.extend(references.flatten().filter_map(source));
            }
            "trace" => {
                let group = "/trace/orchestrationTrace/invocationInput/actionGroupInvocationInput/actionGroupName";
                said.tools.extend(payload.pointer(group).and_then(Value::as_str).map(str::to_owned));
            }
            // What the caller is asked to carry out is used, too.
            "returnControl" => {
                let inputs = payload.get("invocationInputs").and_then(Value::as_array).into_iter().flatten();
                let inputs = inputs.filter_map(Value::as_object).flat_map(|input| input.values());
                let groups = inputs.filter_map(|input| input.get("actionGroup")?.as_str());
                said.tools.extend(groups.map(str::to_owned));
            }
            _ => {}
        }
    }
    said
}

/// Text deltas are words; a tool's block begins with its name, for a gateway's `target___operation`.
fn of_harness(events: &[StreamEvent]) -> AgentReply {
    let mut said = AgentReply::default();
    for StreamEvent { kind, payload } in events {
        match kind.as_str() {
            "contentBlockDelta" => {
                said.text.push_str(payload.pointer("/delta/text").and_then(Value::as_str).unwrap_or_default());
            }
            "contentBlockStart" => {
                let name = payload.pointer("/start/toolUse/name").and_then(Value::as_str);
                said.tools.extend(name.map(|name| name.split("___").next().unwrap_or(name).to_owned()));
            }
            _ => {}
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, payload: Value) -> StreamEvent {
        StreamEvent { kind: kind.to_owned(), payload }
    }

    #[test]
    fn a_classic_answer_has_its_words_sources_and_tools() {
        let reference = json!({"location": {"type": "S3", "s3Location": {"uri": "s3://b/docs/a.md"}}});
        let citations = json!({"citations": [{"retrievedReferences": [reference]}]});
        let used = json!({"actionGroupInvocationInput": {"actionGroupName": "account-status"}});
        let said = of_agent(&[
            event("trace", json!({"trace": {"orchestrationTrace": {"invocationInput": used}}})),
            event("chunk", json!({"bytes": STANDARD.encode("It is ")})),
            event("chunk", json!({"bytes": STANDARD.encode("Pending"), "attribution": citations})),
            event("returnControl", json!({"invocationInputs": [{"functionInvocationInput": {"actionGroup": "own"}}]})),
        ]);
        assert_eq!(said.text, "It is Pending");
        assert_eq!(
            (said.sources, said.tools),
            (vec!["s3://b/docs/a.md".into()], vec!["account-status".into(), "own".into()])
        );
    }

    #[test]
    fn a_harness_answer_has_its_words_and_tools() {
        let said = of_harness(&[
            event("contentBlockStart", json!({"start": {"toolUse": {"name": "account-status___getAccountStatus"}}})),
            event("contentBlockDelta", json!({"delta": {"toolUse": {"input": "{}"}}})),
            event("contentBlockDelta", json!({"delta": {"toolResult": [{"text": "not said by the agent"}]}})),
            event("contentBlockDelta", json!({"delta": {"text": "It is "}})),
            event("contentBlockDelta", json!({"delta": {"text": "Pending"}})),
        ]);
        assert_eq!((said.text.as_str(), said.tools), ("It is Pending", vec!["account-status".to_owned()]));
    }
}
