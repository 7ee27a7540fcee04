//! Parameter mappings and templates: what goes from a request into what is asked behind the API, and back.

use serde_json::{Map, Value};

use super::exchange::Exchange;
use super::refusal::{GatewayResponse, RestRefusal};
use crate::execute_api::reply::Reply;
use crate::velocity::{self, Rendered, VelocityError, jsonpath};

/// What a mapping of an answer takes from.
pub(super) struct ResponseSource<'a> {
    /// What came back.
    pub reply: &'a Reply,
}

impl Exchange<'_> {
    /// The value of a request mapping such as `method.request.querystring.prompt`; nothing where the request has none.
    pub fn request_parameter(&self, source: &str) -> Option<String> {
        if let Some(text) = quoted(source) {
            return Some(text.to_owned());
        }
        if let Some(value) = self.surroundings(source, &self.context()) {
            return value;
        }
        let (place, name) = source
            .strip_prefix("method.request.")?
            .split_once('.')
            .unwrap_or_else(|| (source.strip_prefix("method.request.").unwrap_or_default(), ""));
        let call = self.call;
        match place {
            "querystring" | "multivaluequerystring" => call.parameter(name).map(str::to_owned),
            "header" | "multivalueheader" => call.header(name).map(str::to_owned),
            "path" => self.path.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
            "body" if name.is_empty() => Some(call.text()),
            "body" => inside(&call.body, name),
            _ => None,
        }
    }

    /// The value of an answer's mapping such as `integration.response.header.ETag`.
    pub(super) fn response_parameter(&self, source: &str, answered: &ResponseSource<'_>) -> Option<String> {
        if let Some(text) = quoted(source) {
            return Some(text.to_owned());
        }
        if let Some(value) = self.surroundings(source, &self.context()) {
            return value;
        }
        let rest = source.strip_prefix("integration.response.")?;
        let reply = answered.reply;
        match rest.split_once('.') {
            Some(("header" | "multivalueheader", name)) => reply.header(name).map(str::to_owned),
            Some(("body", path)) => inside(&reply.body, path),
            None if rest == "body" => Some(String::from_utf8_lossy(&reply.body).into_owned()),
            _ => None,
        }
    }

    /// The value of a gateway response's mapping.
    pub fn gateway_parameter(&self, source: &str, context: &Value) -> Option<String> {
        if let Some(text) = quoted(source) {
            return Some(text.to_owned());
        }
        match self.surroundings(source, context) {
            Some(value) => value,
            None => self.request_parameter(source),
        }
    }

    /// `context.…` and `stageVariables.…`, which every mapping knows.
    fn surroundings(&self, source: &str, context: &Value) -> Option<Option<String>> {
        if let Some(path) = source.strip_prefix("context.") {
            let found = path.split('.').try_fold(context, |value, name| value.get(name));
            return Some(found.and_then(plain));
        }
        let name = source.strip_prefix("stageVariables.")?;
        Some(self.stage_variables().get(name).and_then(plain))
    }

    /// What templates see of the request, with a body.
    pub fn template_input(&self, body: String, context: Value) -> velocity::Input {
        velocity::Input {
            body,
            path: self.path.clone(),
            querystring: self.call.query.clone(),
            header: self.headers(),
            context,
            stage_variables: Value::Object(self.stage_variables()),
        }
    }

    /// Carries a template of an integration's request out.
    pub fn map_request(&self, template: &str) -> Result<Rendered, RestRefusal> {
        let input = self.template_input(self.call.text(), self.context());
        velocity::render(template, &input).map_err(|error| match error {
            VelocityError { bad_body: true, message, .. } => RestRefusal::saying(GatewayResponse::BadBody, message),
            error => self.broken_template(&error),
        })
    }

    /// Carries a template of an integration's answer out.
    pub fn map_response(&self, template: &str, body: String) -> Result<Rendered, RestRefusal> {
        let input = self.template_input(body, self.context());
        velocity::render(template, &input).map_err(|error| self.broken_template(&error))
    }

    /// AWS says no more than "Internal server error" and writes the reason into a log.
    fn broken_template(&self, error: &VelocityError) -> RestRefusal {
        RestRefusal::broken(500, format!("the mapping template of {}: {error}", self.source_arn()))
    }

    /// A gateway response's template with its `$context` filled in.
    pub fn filled(&self, template: &str, context: &Value) -> String {
        let input = self.template_input(String::new(), context.clone());
        velocity::render(template, &input).map_or_else(|_| template.to_owned(), |rendered| rendered.text)
    }

    /// An address with `{name}` of its path parameters and `${stageVariables.name}` filled in.
    pub fn address(&self, uri: &str, parameters: &Map<String, Value>, encode: impl Fn(&str) -> String) -> String {
        let mut out = uri.to_owned();
        for (name, value) in self.stage_variables() {
            out = out.replace(&format!("${{stageVariables.{name}}}"), value.as_str().unwrap_or_default());
        }
        for (name, value) in parameters {
            let value = value.as_str().unwrap_or_default();
            // A greedy variable keeps its slashes.
            let kept: Vec<String> = value.split('/').map(&encode).collect();
            out = out.replace(&format!("{{{name}+}}"), &kept.join("/"));
            let part = if value.contains('/') { kept.join("/") } else { encode(value) };
            out = out.replace(&format!("{{{name}}}"), &part);
        }
        out
    }
}

/// The inside of single quotes.
fn quoted(source: &str) -> Option<&str> {
    source.strip_prefix('\'')?.strip_suffix('\'')
}

/// A value within a JSON body.
fn inside(body: &[u8], path: &str) -> Option<String> {
    let json: Value = serde_json::from_slice(body).ok()?;
    plain(&jsonpath::find(&json, path).ok()??)
}

/// A value as text: a text without quotes, anything else as JSON; null is nothing.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
