//! The smoke tests of a spec, with everything in its place that does not have to be asked of the stack.

use std::collections::BTreeMap;

use serde_json::Value;

use super::test::{Call, ChatAgent, PreparedSmokeTest, Probe, Sent, WebSocketRequest};
use crate::finding::Place;
use crate::render::Rendered;
use crate::spec::{self, LoadedSpec, Piece, Reference, SmokeCall, escape};

/// The tests in order; one of a form that loading the spec refuses is left out.
pub(in crate::engine) fn from_spec(loaded: &LoadedSpec, rendered: &Rendered) -> Vec<PreparedSmokeTest> {
    let tests = loaded.spec.smoke.iter().enumerate();
    let tests_of = SpecTests { loaded, rendered };
    let mut all: Vec<PreparedSmokeTest> =
        tests.filter_map(|(index, test)| tests_of.prepare(&format!("/smoke/{index}"), test)).collect();
    // Whoever reads a report must be able to tell two tests apart that try the same.
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for test in &mut all {
        let count = seen.entry(test.name.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            test.name = format!("{} ({count})", test.name);
        }
    }
    all
}

struct SpecTests<'a> {
    loaded: &'a LoadedSpec,
    rendered: &'a Rendered,
}

impl SpecTests<'_> {
    fn prepare(&self, pointer: &str, test: &spec::SmokeTest) -> Option<PreparedSmokeTest> {
        let (name, key, what) = if let Some(call) = &test.call {
            (call, "call", self.calling(test, &SmokeCall::parse(call)?)?)
        } else if let Some(target) = &test.invoke {
            (target, "invoke", self.invoking(test, target)?)
        } else if let Some(target) = &test.retrieve {
            (target, "retrieve", self.retrieving(test, target)?)
        } else {
            let target = test.chat.as_ref()?;
            (target, "chat", self.chatting(test, target)?)
        };
        let mut places = BTreeMap::new();
        if let Some(value) = self.loaded.document.pointer(pointer) {
            self.places(pointer, "", value, &mut places);
        }
        let asked = test.query.as_ref().or_else(|| test.turns.first().map(|turn| &turn.say));
        let name = match asked {
            Some(asked) => format!("{}: {}", name.trim(), asked.trim()),
            None => name.trim().to_owned(),
        };
        Some(PreparedSmokeTest { name, place: places.get(key).cloned(), what, expect: test.expect.clone(), places })
    }

    /// Where everything below a test stands, by its way from there, such as `expect/status`.
    fn places(&self, pointer: &str, way: &str, value: &Value, places: &mut BTreeMap<String, Place>) {
        if let (false, Some(place)) = (way.is_empty(), self.loaded.place(pointer)) {
            places.insert(way.to_owned(), place);
        }
        let mut below = |key: &str, value: &Value| {
            let way = if way.is_empty() { key.to_owned() } else { format!("{way}/{key}") };
            self.places(&format!("{pointer}/{key}"), &way, value, places);
        };
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| below(&escape(key), value)),
            Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| below(&index.to_string(), value)),
            _ => {}
        }
    }

    fn calling(&self, test: &spec::SmokeTest, call: &SmokeCall) -> Option<Probe> {
        let api = self.loaded.spec.apis.get(&call.api)?;
        let pointer = format!("/apis/{}", call.api);
        let id = self.logical_id(&pointer, "AWS::ApiGateway::RestApi");
        let id = id.or_else(|| self.logical_id(&pointer, "AWS::ApiGatewayV2::Api"))?;
        let auth = call.route(api).and_then(|route| route.auth.as_deref()).or(api.auth.as_deref());
        // Who expects to be turned away comes without a signature.
        let signed = auth == Some("iam") && !matches!(test.expect.status, Some(401 | 403));
        let headers = self.headers(test)?;
        let api_key = match &test.api_key {
            Some(key) => Some(self.api_key(&pointer, api, key)?),
            None => None,
        };
        Some(Probe::Call(Call {
            output: format!("{id}Url"),
            method: call.method.clone(),
            target: target(call),
            headers,
            api_key,
            // A mapping template reads JSON only, and a text is JSON too once it is quoted.
            body: test.payload.as_ref().map(|payload| payload.to_string().into_bytes()),
            signed,
        }))
    }

    fn headers(&self, test: &spec::SmokeTest) -> Option<Vec<(String, Vec<Sent>)>> {
        test.headers.iter().map(|(name, value)| Some((name.clone(), self.sent(value)?))).collect()
    }

    /// A header's value in pieces: what is written, and secrets by their logical ids.
    fn sent(&self, value: &spec::Text) -> Option<Vec<Sent>> {
        let pieces = value.pieces().ok()?.into_iter().map(|piece| match piece {
            Piece::Literal(text) => Some(Sent::Text(text)),
            Piece::Reference(Reference::Component { section, name, attribute: None }) if section == "secrets" => {
                let secret = self.loaded.spec.secrets.get(&name)?;
                let id = self.logical_id(&format!("/secrets/{name}"), "AWS::SecretsManager::Secret")?;
                Some(Sent::Secret { id, name, key: secret.key.clone() })
            }
            Piece::Reference(_) => None,
        });
        pieces.collect()
    }

    /// The logical id of an API key.
    fn api_key(&self, api_pointer: &str, api: &spec::Api, key: &str) -> Option<String> {
        api.usage_plans.iter().find_map(|(plan, of_plan)| {
            let index = of_plan.keys.iter().position(|known| known == key)?;
            let pointer = format!("{api_pointer}/usage-plans/{}/keys/{index}", escape(plan));
            self.logical_id(&pointer, "AWS::ApiGateway::ApiKey")
        })
    }

    fn invoking(&self, test: &spec::SmokeTest, target: &str) -> Option<Probe> {
        let function = match target.strip_prefix("resources.") {
            Some(id) => id.to_owned(),
            None => {
                let name = target.strip_prefix("functions.")?;
                self.logical_id(&format!("/functions/{name}"), "AWS::Lambda::Function")?
            }
        };
        let payload = test.payload.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string);
        Some(Probe::Invoke { function, payload: payload.into_bytes() })
    }

    fn retrieving(&self, test: &spec::SmokeTest, target: &str) -> Option<Probe> {
        let name = target.strip_prefix("knowledge-bases.")?;
        let id = self.logical_id(&format!("/knowledge-bases/{name}"), "AWS::Bedrock::KnowledgeBase")?;
        Some(Probe::Retrieve { output: format!("{id}Id"), query: test.query.clone()? })
    }

    fn chatting(&self, test: &spec::SmokeTest, target: &str) -> Option<Probe> {
        if let Some(name) = target.strip_prefix("apis.") {
            return self.connecting(test, name);
        }
        let pointer = format!("/agents/{}", target.strip_prefix("agents.")?);
        let agent = match self.logical_id(&pointer, "AWS::BedrockAgentCore::Harness") {
            Some(id) => ChatAgent::Harness { output: format!("{id}Arn") },
            None => ChatAgent::Classic {
                agent_output: format!("{}Id", self.logical_id(&pointer, "AWS::Bedrock::Agent")?),
                alias_output: format!("{}Id", self.logical_id(&pointer, "AWS::Bedrock::AgentAlias")?),
            },
        };
        Some(Probe::Chat { agent, turns: test.turns.clone() })
    }

    fn connecting(&self, test: &spec::SmokeTest, name: &str) -> Option<Probe> {
        let api = self.loaded.spec.apis.get(name)?;
        let id = self.logical_id(&format!("/apis/{name}"), "AWS::ApiGatewayV2::Api")?;
        // Only the route that opens a connection asks who it is for.
        let opening = api.routes.iter().find_map(|route| route.0.get("$connect"));
        let auth = opening.and_then(|route| route.auth.as_deref()).or(api.auth.as_deref());
        let signed = auth == Some("iam") && !matches!(test.expect.status, Some(401 | 403));
        let connection = WebSocketRequest { output: format!("{id}Url"), headers: self.headers(test)?, signed };
        Some(Probe::Connect { connection, turns: test.turns.clone() })
    }

    /// The resource of a type that a component is.
    fn logical_id(&self, pointer: &str, kind: &str) -> Option<String> {
        let resources = self.rendered.template.value().get("Resources")?;
        let of_type = |id: &str| resources.get(id).and_then(|it| it.get("Type")).and_then(Value::as_str) == Some(kind);
        let mut ids = self.rendered.origins.iter().filter(|(_, origin)| *origin == pointer).map(|(id, _)| id);
        ids.find(|id| of_type(id)).cloned()
    }
}

/// Path and query as a request has them.
fn target(call: &SmokeCall) -> String {
    let mut target = encoded(&call.path, true);
    for (index, (name, value)) in call.query.iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        target.push_str(&format!("{}={}", encoded(name, false), encoded(value, false)));
    }
    target
}

/// Percent-encoded but for what RFC 3986 reserves for nothing; a space is `%20`, which a signature can't misread.
fn encoded(text: &str, path: bool) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (path && byte == b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_sent_as_a_person_wrote_it() {
        let call = SmokeCall::parse("GET apis.a /notes/é?prompt=the \"best\" dog's day + 1&b=&c").expect("a call");
        assert_eq!(target(&call), "/notes/%C3%A9?prompt=the%20%22best%22%20dog%27s%20day%20%2B%201&b=&c=");
        let call = SmokeCall::parse("GET apis.a /p?prompt=two\nlines 🐈").expect("a call");
        assert_eq!(target(&call), "/p?prompt=two%0Alines%20%F0%9F%90%88");
    }
}
