//! The smoke tests of a spec, with everything in its place that does not have to be asked of the stack.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{SmokeTest, What};
use crate::render::Rendered;
use crate::spec::{self, LoadedSpec, SmokeCall};

/// The tests in order; one of a form that loading the spec refuses is left out.
pub(in crate::engine) fn of_spec(loaded: &LoadedSpec, rendered: &Rendered) -> Vec<SmokeTest> {
    let tests = loaded.spec.smoke.iter().enumerate();
    tests.filter_map(|(index, test)| one(loaded, rendered, &format!("/smoke/{index}"), test)).collect()
}

fn one(loaded: &LoadedSpec, rendered: &Rendered, pointer: &str, test: &spec::SmokeTest) -> Option<SmokeTest> {
    let (name, key, what) = match (&test.call, &test.invoke) {
        (Some(call), None) => (call, "call", calling(loaded, rendered, test, &SmokeCall::parse(call)?)?),
        (None, Some(target)) => (target, "invoke", invoking(rendered, test, target)?),
        _ => return None,
    };
    let mut places = BTreeMap::new();
    for (expectation, at) in
        [("status", "status"), ("within", "within"), ("matches", "body/matches"), ("contains", "body/contains")]
    {
        if let Some(place) = loaded.place(&format!("{pointer}/expect/{at}")) {
            places.insert(expectation, place);
        }
    }
    Some(SmokeTest {
        name: name.trim().to_owned(),
        place: loaded.place(&format!("{pointer}/{key}")),
        what,
        expect: test.expect.clone(),
        places,
    })
}

fn calling(loaded: &LoadedSpec, rendered: &Rendered, test: &spec::SmokeTest, call: &SmokeCall) -> Option<What> {
    let api = loaded.spec.apis.get(&call.api)?;
    let pointer = format!("/apis/{}", call.api);
    let id = logical_id(rendered, &pointer, &["AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"])?;
    let auth = call.route(api).and_then(|route| route.auth.as_deref()).or(api.auth.as_deref());
    // Who expects to be turned away comes without a signature.
    let signed = auth == Some("iam") && !matches!(test.expect.status, Some(401 | 403));
    // A mapping template reads JSON only, and a text is JSON too once it is quoted.
    let body = test.payload.as_ref().map(|payload| payload.to_string().into_bytes());
    Some(What::Call { output: format!("{id}Url"), method: call.method.clone(), target: target(call), body, signed })
}

fn invoking(rendered: &Rendered, test: &spec::SmokeTest, target: &str) -> Option<What> {
    let name = target.strip_prefix("functions.")?;
    let function = logical_id(rendered, &format!("/functions/{name}"), &["AWS::Lambda::Function"])?;
    let payload = test.payload.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string);
    Some(What::Invoke { function, payload: payload.into_bytes() })
}

/// The resource of one of the types that a component is.
fn logical_id(rendered: &Rendered, pointer: &str, types: &[&str]) -> Option<String> {
    let resources = rendered.template.value().get("Resources")?;
    let of_type = |id: &str| {
        let kind = resources.get(id).and_then(|resource| resource.get("Type")).and_then(Value::as_str);
        kind.is_some_and(|kind| types.contains(&kind))
    };
    let mut ids = rendered.origins.iter().filter(|(_, origin)| *origin == pointer).map(|(id, _)| id);
    ids.find(|id| of_type(id)).cloned()
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
    }
}
