//! `$context`, and the event that proxy integrations and authorizers of REST APIs get.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::exchange::Exchange;
use crate::execute_api::address;
use crate::execute_api::call::{ApiCall, SOURCE_IP, train_case};
use crate::execute_api::state::CANARY_REQUEST;
use crate::ground::ACCOUNT_ID;
use crate::ground::scalar::text;

/// `$context.identity` of somebody nobody knows.
pub(super) fn identity(call: &ApiCall) -> Map<String, Value> {
    let mut identity = Map::new();
    for name in [
        "cognitoIdentityPoolId",
        "accountId",
        "cognitoIdentityId",
        "caller",
        "accessKey",
        "cognitoAuthenticationType",
        "cognitoAuthenticationProvider",
        "userArn",
        "user",
    ] {
        identity.insert(name.to_owned(), Value::Null);
    }
    identity.insert("sourceIp".to_owned(), json!(SOURCE_IP));
    identity.insert("userAgent".to_owned(), call.header("user-agent").map_or(Value::Null, |agent| json!(agent)));
    identity
}

/// A moment as access logs of web servers write it.
pub(in crate::execute_api) fn clf(at: jiff::Timestamp) -> String {
    at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

impl Exchange<'_> {
    /// `$context`.
    pub fn context(&self) -> Value {
        let mut context = self.request_context();
        context["isCanaryRequest"] = json!(self.stage.state.get(CANARY_REQUEST).is_some());
        context
    }

    /// The context that functions are told.
    fn request_context(&self) -> Value {
        let call = self.call;
        let domain = address::domain(self.id, self.region);
        let mut context = json!({
            "resourceId": self.resource_id,
            "resourcePath": self.resource_path,
            "httpMethod": call.method.as_str(),
            "extendedRequestId": call.extended_id,
            "requestTime": clf(call.at),
            "path": format!("/{}{}", self.stage_name(), call.path),
            "accountId": ACCOUNT_ID,
            "protocol": "HTTP/1.1",
            "stage": self.stage_name(),
            "domainPrefix": self.id,
            "requestTimeEpoch": call.at.as_millisecond(),
            "requestId": call.id,
            "identity": self.identity,
            "domainName": domain,
            "deploymentId": text(&self.stage.properties, "DeploymentId"),
            "apiId": self.id,
        });
        if !self.authorizer.is_empty() {
            context["authorizer"] = Value::Object(self.authorizer.clone());
        }
        context
    }

    /// The headers a REST API hands on, names with capitals, one by one.
    pub fn headers(&self) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> =
            self.call.headers.iter().map(|(name, value)| (train_case(name), value.clone())).collect();
        headers.push(("X-Forwarded-For".to_owned(), SOURCE_IP.to_owned()));
        headers.push(("X-Forwarded-Proto".to_owned(), "https".to_owned()));
        headers.push(("X-Forwarded-Port".to_owned(), "443".to_owned()));
        headers
    }

    /// Whether a media type is one of the API's binary ones.
    pub fn is_binary(&self, media: &str) -> bool {
        let media = crate::execute_api::call::bare_media_type(media);
        let types = self.api.properties.get("BinaryMediaTypes").and_then(Value::as_array).into_iter().flatten();
        types.filter_map(Value::as_str).any(|pattern| {
            // Templates may write the slash as `~1`.
            let pattern = pattern.replace("~1", "/").to_ascii_lowercase();
            pattern == "*/*"
                || pattern == media
                || pattern.strip_suffix("/*").is_some_and(|kind| media.split('/').next() == Some(kind))
        })
    }

    /// The event of payload format 1.0, which proxy integrations get.
    pub fn event(&self) -> Value {
        let call = self.call;
        let headers = self.headers();
        let body = if call.body.is_empty() {
            (Value::Null, false)
        } else if self.is_binary(call.header("content-type").unwrap_or_default()) {
            (json!(base64::engine::general_purpose::STANDARD.encode(&call.body)), true)
        } else {
            (json!(call.text()), false)
        };
        json!({
            "resource": self.resource_path,
            "path": call.path,
            "httpMethod": call.method.as_str(),
            "headers": single(&headers),
            "multiValueHeaders": multiple(&headers),
            "queryStringParameters": single(&call.query),
            "multiValueQueryStringParameters": multiple(&call.query),
            "pathParameters": single(&self.path),
            "stageVariables": some(self.stage_variables()),
            "requestContext": self.request_context(),
            "body": body.0,
            "isBase64Encoded": body.1,
        })
    }
}

/// Null for an object without entries.
fn some(map: Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}

/// The last value of each name.
pub(in crate::execute_api) fn single(pairs: &[(String, String)]) -> Value {
    some(pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
}

/// All values of each name.
pub(in crate::execute_api) fn multiple(pairs: &[(String, String)]) -> Value {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        if let Value::Array(values) = map.entry(name.clone()).or_insert_with(|| json!([])) {
            values.push(json!(value));
        }
    }
    some(map)
}
