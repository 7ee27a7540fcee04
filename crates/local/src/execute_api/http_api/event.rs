//! The events HTTP APIs give functions.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::exchange::Exchange;
use crate::execute_api::address;
use crate::execute_api::call::{SOURCE_IP, bare_media_type};
use crate::execute_api::rest::{clf, multiple, single};
use crate::ground::ACCOUNT_ID;

/// Media types whose bodies go to a function as text; all others go as base64.
fn is_text(media: &str) -> bool {
    let media = bare_media_type(media);
    media.is_empty()
        || media.starts_with("text/")
        || matches!(&*media, "application/json" | "application/javascript" | "application/xml")
        || media.ends_with("+json")
        || media.ends_with("+xml")
}

impl Exchange<'_> {
    fn body(&self) -> (Option<String>, bool) {
        let call = self.call;
        if call.body.is_empty() {
            (None, false)
        } else if is_text(call.header("content-type").unwrap_or_default()) {
            (Some(call.text()), false)
        } else {
            (Some(base64::engine::general_purpose::STANDARD.encode(&call.body)), true)
        }
    }

    fn all_headers(&self) -> Vec<(String, String)> {
        let mut headers = self.call.headers.clone();
        for (name, value) in
            [("x-forwarded-for", SOURCE_IP), ("x-forwarded-port", "443"), ("x-forwarded-proto", "https")]
        {
            headers.push((name.to_owned(), value.to_owned()));
        }
        headers
    }

    /// The event of a payload format.
    pub fn event(&self, version: &str) -> Value {
        if version == "1.0" { self.event_1() } else { self.event_2() }
    }

    /// Payload format 2.0.
    fn event_2(&self) -> Value {
        let call = self.call;
        let (body, encoded) = self.body();
        let domain = address::domain(&self.api.id, &self.api.region);
        let cookies: Vec<&str> = call
            .headers
            .iter()
            .filter(|(name, _)| name == "cookie")
            .flat_map(|(_, value)| value.split(';').map(str::trim))
            .collect();
        let headers = self.all_headers().into_iter().filter(|(name, _)| name != "cookie").collect::<Vec<_>>();
        let mut event = json!({
            "version": "2.0",
            "routeKey": self.route_key,
            "rawPath": self.whole_path(),
            "rawQueryString": call.raw_query,
            "headers": joined(&headers),
            "requestContext": {
                "accountId": ACCOUNT_ID,
                "apiId": self.api.id,
                "domainName": domain,
                "domainPrefix": self.api.id,
                "http": {
                    "method": call.method.as_str(),
                    "path": self.whole_path(),
                    "protocol": "HTTP/1.1",
                    "sourceIp": SOURCE_IP,
                    "userAgent": call.header("user-agent").unwrap_or_default(),
                },
                "requestId": call.extended_id,
                "routeKey": self.route_key,
                "stage": self.stage.id,
                "time": clf(call.at),
                "timeEpoch": call.at.as_millisecond(),
            },
            "isBase64Encoded": encoded,
        });
        let mut set = |name: &str, value: Value| event[name] = value;
        if !cookies.is_empty() {
            set("cookies", json!(cookies));
        }
        if !call.query.is_empty() {
            set("queryStringParameters", joined(&call.query));
        }
        if !self.path.is_empty() {
            set("pathParameters", single(&self.path));
        }
        if let Some(body) = body {
            set("body", json!(body));
        }
        let variables = self.stage_variables();
        if !variables.is_empty() {
            set("stageVariables", Value::Object(variables));
        }
        if let Some(authorizer) = &self.authorizer {
            event["requestContext"]["authorizer"] = authorizer.clone();
        }
        event
    }

    /// Payload format 1.0.
    fn event_1(&self) -> Value {
        let call = self.call;
        let (body, encoded) = self.body();
        let domain = address::domain(&self.api.id, &self.api.region);
        let headers = self.all_headers();
        let resource = self.route_key.split_once(' ').map_or("$default", |(_, path)| path);
        let authorizer = match &self.authorizer {
            // Format 1.0 has what a function or a token said at once under `authorizer`.
            Some(told) => told.get("lambda").or_else(|| told.get("jwt")).unwrap_or(told).clone(),
            None => Value::Object(Map::new()),
        };
        json!({
            "version": "1.0",
            "resource": resource,
            "path": self.whole_path(),
            "httpMethod": call.method.as_str(),
            "headers": single(&headers),
            "multiValueHeaders": multiple(&headers),
            "queryStringParameters": single(&call.query),
            "multiValueQueryStringParameters": multiple(&call.query),
            "requestContext": {
                "accountId": ACCOUNT_ID,
                "apiId": self.api.id,
                "authorizer": authorizer,
                "domainName": domain,
                "domainPrefix": self.api.id,
                "extendedRequestId": call.extended_id,
                "httpMethod": call.method.as_str(),
                "identity": {
                    "accessKey": null, "accountId": null, "caller": null, "cognitoAuthenticationProvider": null,
                    "cognitoAuthenticationType": null, "cognitoIdentityId": null, "cognitoIdentityPoolId": null,
                    "principalOrgId": null, "sourceIp": SOURCE_IP, "user": null,
                    "userAgent": call.header("user-agent").unwrap_or_default(), "userArn": null,
                },
                "path": self.whole_path(),
                "protocol": "HTTP/1.1",
                "requestId": call.extended_id,
                "requestTime": clf(call.at),
                "requestTimeEpoch": call.at.as_millisecond(),
                "resourceId": self.route_key,
                "resourcePath": resource,
                "stage": self.stage.id,
            },
            "pathParameters": single(&self.path),
            "stageVariables": if self.stage_variables().is_empty() { Value::Null } else { Value::Object(self.stage_variables()) },
            "body": body,
            "isBase64Encoded": encoded,
        })
    }
}

/// Values of one name joined by commas, as format 2.0 has them.
fn joined(pairs: &[(String, String)]) -> Value {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        match map.get_mut(name) {
            Some(Value::String(known)) => {
                known.push(',');
                known.push_str(value);
            }
            _ => drop(map.insert(name.clone(), json!(value))),
        }
    }
    Value::Object(map)
}
