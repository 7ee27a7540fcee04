//! What anyone can reach after a deployment who cannot reach it now.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::policies::documents;
use super::settled::{SettledResource, SettledTemplate};
use crate::iam::resource_text;

/// Settings that open something to anyone: the type (none: any), the property at any depth, its value, and what it means.
/// Sources: the documentation of the properties in CloudFormation's template reference, read 2026-11.
const OPEN: &[(Option<&str>, &str, &str, &str)] = &[
    (None, "AccessControl", "AuthenticatedRead", "anyone with an AWS account can read it"),
    (None, "AccessControl", "PublicRead", "anyone can read it"),
    (None, "AccessControl", "PublicReadWrite", "anyone can read and write it"),
    (None, "AllowFromPublic", "true", "it can be reached from the internet"),
    (None, "AllowUnauthenticatedIdentities", "true", "anyone gets an identity without signing in"),
    (None, "AssignPublicIp", "ENABLED", "it gets a public address"),
    (None, "AssociatePublicIpAddress", "true", "it gets a public address"),
    (None, "EndpointPublicAccess", "true", "it can be reached from the internet"),
    (None, "IsPubliclyAccessible", "true", "it can be reached from the internet"),
    (None, "MapPublicIpOnLaunch", "true", "what starts in it gets a public address"),
    (None, "PublicConnectivity", "true", "it can be reached from the internet"),
    (None, "PubliclyAccessible", "true", "it can be reached from the internet"),
    (None, "Scheme", "internet-facing", "it can be reached from the internet"),
    (Some("AWS::BedrockAgentCore::Gateway"), "AuthorizerType", "NONE", "anyone can call it without signing in"),
    (Some("AWS::Lambda::Url"), "AuthType", "NONE", "anyone can call it without signing in"),
];
/// What is open to anyone by being there.
const OPEN_BY_NATURE: [&str; 4] = [
    "AWS::Amplify::Branch",
    "AWS::CloudFront::Distribution",
    "AWS::ECR::PublicRepository",
    "AWS::ECS::ExpressGatewayService",
];
/// The four ways in which S3 keeps the public out.
const BLOCKS: [&str; 4] = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
/// Their property.
const BLOCK: &str = "PublicAccessBlockConfiguration";
/// Keys of conditions that leave only some of all the world; in lower case.
/// Source: "The meaning of public" in the S3 user guide, with the keys that AWS added since; read 2026-11.
const NARROWING: [&str; 16] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "kms:calleraccount",
    "lambda:eventsourcetoken",
    "s3:dataaccesspointaccount",
];
/// Types whose policies limit what passes through them, and open nothing.
const FILTERS: [&str; 1] = ["AWS::EC2::VPCEndpoint"];
/// A block of addresses this wide is no longer anybody's.
const WIDE: u8 = 7;

/// Something that is open to anyone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exposure {
    pub(super) logical_id: String,
    pub(super) reason: String,
}

/// What is open to anyone in the new template and was not in the old one.
pub(super) fn exposures(old: &SettledTemplate, new: &SettledTemplate) -> Vec<Exposure> {
    let before = open(old);
    let mut found: BTreeSet<Exposure> = open(new).difference(&before).cloned().collect();
    for (logical_id, resource) in &new.resources {
        let Some(had) = old.resources.get(logical_id) else { continue };
        let mut add = |reason: String| found.insert(Exposure { logical_id: logical_id.clone(), reason });
        let block = |resource: &SettledResource, name: &str| {
            resource.properties.get(BLOCK).and_then(|block| block.get(name)).is_some_and(is_true)
        };
        for name in BLOCKS.into_iter().filter(|name| block(had, name) && !block(resource, name)) {
            add(format!("`{name}` no longer keeps the public out"));
        }
        if is_private(had) && !is_private(resource) {
            add("it can be reached from the internet".to_owned());
        }
        let closed = |resource: &SettledResource| {
            resource
                .properties
                .get("AdminCreateUserConfig")
                .and_then(|it| it.get("AllowAdminCreateUserOnly"))
                .is_some_and(is_true)
        };
        if closed(had) && !closed(resource) {
            add("anyone can sign up".to_owned());
        }
    }
    found.into_iter().collect()
}

/// Everything that is open to anyone.
fn open(template: &SettledTemplate) -> BTreeSet<Exposure> {
    let mut found = BTreeSet::new();
    for (logical_id, resource) in &template.resources {
        let mut reasons = Vec::new();
        if OPEN_BY_NATURE.contains(&resource.type_.as_str()) {
            reasons.push("anyone can reach what it serves".to_owned());
        }
        settings(&resource.type_, &resource.properties, &mut reasons);
        reasons.extend(statements(resource));
        reasons.extend(routes(template, resource));
        reasons.extend(addresses(resource));
        if let Some(block) = resource.properties.get(BLOCK) {
            let off = BLOCKS.into_iter().filter(|name| block.get(name).is_some_and(|value| !is_true(value)));
            reasons.extend(off.map(|name| format!("`{name}` no longer keeps the public out")));
        }
        found.extend(reasons.into_iter().map(|reason| Exposure { logical_id: logical_id.clone(), reason }));
    }
    found
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")))
}

fn settings(type_: &str, properties: &Map<String, Value>, into: &mut Vec<String>) {
    for (key, value) in properties {
        let said = match value {
            Value::Bool(said) => said.to_string(),
            Value::String(said) => said.clone(),
            _ => String::new(),
        };
        let open = OPEN.iter().find(|(of, name, open, _)| {
            of.is_none_or(|of| of == type_) && name == key && open.eq_ignore_ascii_case(&said)
        });
        into.extend(open.map(|(_, _, _, meaning)| (*meaning).to_owned()));
        deeper(value, &mut |inner| settings(type_, inner, into));
    }
}

/// The objects just below a value: its own, those of a list, those written as JSON in a string.
fn deeper(value: &Value, look: &mut dyn FnMut(&Map<String, Value>)) {
    match value {
        Value::Object(map) => match map.get("Fn::Sub") {
            Some(text @ Value::String(_)) if map.len() == 1 => deeper(text, look),
            _ => look(map),
        },
        Value::Array(items) => items.iter().for_each(|item| deeper(item, look)),
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str::<Value>(text) {
                deeper(&inner, look);
            }
        }
        _ => {}
    }
}

/// What policies allow anyone.
fn statements(resource: &SettledResource) -> Vec<String> {
    if FILTERS.contains(&resource.type_.as_str()) || is_private(resource) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for document in documents(resource).into_iter().flat_map(|(_, documents)| documents) {
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.clone(),
            Some(statement) => vec![statement.clone()],
            None => Vec::new(),
        };
        for statement in statements {
            let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
            let any = statement.get("Principal").is_some_and(is_anyone) || statement.get("NotPrincipal").is_some();
            if allows && any && !statement.get("Condition").is_some_and(narrows) {
                let said = |keys: [&str; 2]| {
                    let value = keys.iter().find_map(|key| statement.get(*key)).cloned().unwrap_or_default();
                    let texts: Vec<String> = match value {
                        Value::Array(items) => items.iter().map(resource_text).collect(),
                        Value::Null => Vec::new(),
                        one => vec![resource_text(&one)],
                    };
                    texts.join(", ")
                };
                let (actions, resources) = (said(["Action", "NotAction"]), said(["Resource", "NotResource"]));
                let on = if resources.is_empty() { String::new() } else { format!(" on `{resources}`") };
                found.push(format!("its policy allows anyone `{actions}`{on}"));
            }
        }
    }
    found
}

fn is_anyone(principal: &Value) -> bool {
    match principal {
        Value::String(text) => text == "*",
        Value::Array(items) => items.iter().any(is_anyone),
        Value::Object(kinds) => kinds.get("AWS").is_some_and(is_anyone) || kinds.contains_key("*"),
        _ => false,
    }
}

/// Whether a condition leaves only some of all the world. One that holds as well where its key is absent does not.
fn narrows(condition: &Value) -> bool {
    let Some(operators) = condition.as_object() else { return false };
    operators.iter().any(|(operator, keys)| {
        let positive = !operator.contains("Not") && !operator.ends_with("IfExists") && operator != "Null";
        positive
            && keys.as_object().into_iter().flatten().any(|(key, values)| {
                let values = match values {
                    Value::Array(values) => values.clone(),
                    one => vec![one.clone()],
                };
                let everything =
                    |value: &Value| value.as_str().is_some_and(|text| text.chars().all(|c| c == '*') || is_wide(text));
                NARROWING.contains(&key.to_ascii_lowercase().as_str()) && !values.iter().any(everything)
            })
    })
}

/// Whether a REST API answers only inside VPCs.
fn is_private(resource: &SettledResource) -> bool {
    let types = resource.properties.get("EndpointConfiguration").and_then(|it| it.get("Types"));
    types.and_then(Value::as_array).is_some_and(|types| types.iter().any(|it| it == "PRIVATE"))
}

/// Routes of APIs that anyone can call.
fn routes(template: &SettledTemplate, resource: &SettledResource) -> Vec<String> {
    let text = |key: &str| resource.properties.get(key).and_then(Value::as_str);
    let api = |key: &str| {
        let id = resource.properties.get(key).and_then(|id| id.get("Ref")).and_then(Value::as_str)?;
        template.resources.get(id)
    };
    let without = text("AuthorizationType").is_none_or(|auth| auth == "NONE");
    let keyed = resource.properties.get("ApiKeyRequired").is_some_and(is_true);
    let open = |what: &str| format!("anyone can call `{what}` without signing in");
    match resource.type_.as_str() {
        "AWS::ApiGateway::Method" => {
            let method = text("HttpMethod").unwrap_or("ANY");
            let private = api("RestApiId").is_some_and(is_private);
            // What a browser asks before it calls shows nothing.
            if without && !keyed && !private && method != "OPTIONS" { vec![open(method)] } else { Vec::new() }
        }
        "AWS::ApiGatewayV2::Route" => {
            let route = text("RouteKey").unwrap_or("$default");
            let protocol = api("ApiId").and_then(|api| api.properties.get("ProtocolType")).and_then(Value::as_str);
            // Of a WebSocket API the connection is what is guarded; messages come over it.
            let guarded = protocol != Some("WEBSOCKET") || route == "$connect";
            if without && !keyed && guarded && !route.starts_with("OPTIONS ") { vec![open(route)] } else { Vec::new() }
        }
        "AWS::ApiGateway::RestApi" | "AWS::ApiGatewayV2::Api" if !is_private(resource) => {
            let described = resource.properties.get("Body").map(operations).unwrap_or_default();
            described.iter().map(|operation| open(operation)).collect()
        }
        _ => Vec::new(),
    }
}

/// The operations of an OpenAPI description that ask for nothing of whoever calls them.
fn operations(body: &Value) -> Vec<String> {
    let asks = |security: Option<&Value>| security.and_then(Value::as_array).is_some_and(|it| !it.is_empty());
    let all = asks(body.get("security"));
    let mut found = Vec::new();
    for (path, methods) in body.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let is_method = method == "x-amazon-apigateway-any-method"
                || ["delete", "get", "head", "patch", "post", "put"].contains(&method.as_str());
            let own = operation.get("security");
            let guarded = if own.is_some() { asks(own) } else { all };
            let signed = operation.get("x-amazon-apigateway-auth").and_then(|auth| auth.get("type"));
            if is_method && !guarded && signed.is_none_or(|auth| auth == "NONE") {
                found.push(format!("{} {path}", method.to_ascii_uppercase()));
            }
        }
    }
    found
}

/// Ports and ways that stand open to all addresses.
fn addresses(resource: &SettledResource) -> Vec<String> {
    let anywhere = |map: &Map<String, Value>| {
        let cidr = ["CidrIp", "CidrIpv6"].iter().find_map(|key| map.get(*key)?.as_str().filter(|text| is_wide(text)));
        cidr.map(|cidr| {
            let part = |key: &str| map.get(key).map_or_else(|| "*".to_owned(), resource_text);
            format!("{} {}-{} is open to {cidr}", part("IpProtocol"), part("FromPort"), part("ToPort"))
        })
    };
    match resource.type_.as_str() {
        "AWS::EC2::SecurityGroup" => {
            let rules = resource.properties.get("SecurityGroupIngress").and_then(Value::as_array);
            rules.into_iter().flatten().filter_map(Value::as_object).filter_map(anywhere).collect()
        }
        "AWS::EC2::SecurityGroupIngress" => anywhere(&resource.properties).into_iter().collect(),
        "AWS::EC2::Route" => {
            let text = |key: &str| resource.properties.get(key).and_then(Value::as_str);
            let wide =
                ["DestinationCidrBlock", "DestinationIpv6CidrBlock"].iter().any(|key| text(key).is_some_and(is_wide));
            let outside = resource.properties.contains_key("GatewayId");
            if wide && outside { vec!["its subnets can be reached from the internet".to_owned()] } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

/// Whether a block of addresses is, near enough, all of them.
fn is_wide(cidr: &str) -> bool {
    cidr.split_once('/').is_some_and(|(address, length)| {
        address.parse::<std::net::IpAddr>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= WIDE)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::settled::{Deployed, settle};
    use super::*;
    use crate::cfn::Template;

    fn opened(old: Value, new: Value) -> Vec<String> {
        let of = |resources: Value| {
            let template = Template::from_value(json!({ "Resources": resources })).expect("a template");
            settle(&template, &BTreeMap::new(), Deployed { account: None, region: "us-west-2", stack: "s" })
        };
        exposures(&of(old), &of(new)).into_iter().map(|it| format!("{}: {}", it.logical_id, it.reason)).collect()
    }

    fn resource(kind: &str, properties: Value) -> Value {
        json!({ "R": { "Type": kind, "Properties": properties } })
    }

    #[test]
    fn each_way_of_opening_something_is_seen_and_what_was_open_is_not_told_again() {
        let queue = json!({ "Q": { "Type": "AWS::SQS::Queue" } });
        let policy = |statement: Value| json!({ "PolicyDocument": { "Statement": [statement] } });
        let read = |more: Value| {
            let mut statement =
                json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "b/*" });
            for (key, value) in more.as_object().expect("an object") {
                statement[key] = value.clone();
            }
            policy(statement)
        };
        let any = json!({ "Principal": { "AWS": ["*"] } });
        let oss = json!([{ "Rules": [{ "ResourceType": "collection", "Resource": ["collection/c"] }], "AllowFromPublic": true }]);
        let body = json!({ "paths": { "/a": { "get": {}, "options": {}, "post": { "security": [{ "k": [] }] } } } });
        for (kind, properties) in [
            ("AWS::S3::BucketPolicy", read(json!({}))),
            ("AWS::SQS::QueuePolicy", read(any)),
            ("AWS::SNS::TopicPolicy", read(json!({ "Principal": null, "NotPrincipal": { "AWS": "1" } }))),
            (
                "AWS::S3::BucketPolicy",
                read(json!({ "Condition": { "StringEqualsIfExists": { "aws:SourceVpc": "v" } } })),
            ),
            ("AWS::S3::BucketPolicy", read(json!({ "Condition": { "IpAddress": { "aws:SourceIp": "0.0.0.0/0" } } }))),
            ("AWS::S3::BucketPolicy", read(json!({ "Condition": { "Bool": { "aws:SecureTransport": "true" } } }))),
            (
                "AWS::IAM::Role",
                json!({ "AssumeRolePolicyDocument": { "Statement": {
                "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole" } } }),
            ),
            (
                "AWS::Lambda::Permission",
                json!({ "Principal": "*", "Action": "lambda:InvokeFunction", "FunctionName": "f" }),
            ),
            ("AWS::Lambda::Url", json!({ "AuthType": "NONE" })),
            ("AWS::S3::Bucket", json!({ "AccessControl": "PublicRead" })),
            ("AWS::S3::Bucket", json!({ "PublicAccessBlockConfiguration": { "BlockPublicPolicy": false } })),
            (
                "AWS::EC2::SecurityGroup",
                json!({ "SecurityGroupIngress": [
                { "CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22 }] }),
            ),
            ("AWS::EC2::SecurityGroupIngress", json!({ "CidrIpv6": "::/0", "IpProtocol": "-1" })),
            ("AWS::RDS::DBInstance", json!({ "PubliclyAccessible": true })),
            ("AWS::OpenSearchServerless::SecurityPolicy", json!({ "Policy": oss.to_string() })),
            ("AWS::ApiGateway::Method", json!({ "HttpMethod": "GET", "AuthorizationType": "NONE" })),
            ("AWS::ApiGatewayV2::Route", json!({ "RouteKey": "GET /x" })),
            ("AWS::ApiGateway::RestApi", json!({ "Body": body })),
            ("AWS::CloudFront::Distribution", json!({})),
        ] {
            let there = resource(kind, properties.clone());
            assert_eq!(opened(queue.clone(), there.clone()).len(), 1, "{kind} {properties}");
            assert!(opened(there.clone(), there).is_empty(), "{kind}: it was open before");
        }
    }

    #[test]
    fn what_is_closed_is_not_told() {
        let queue = json!({ "Q": { "Type": "AWS::SQS::Queue" } });
        for (kind, properties) in [
            (
                "AWS::S3::BucketPolicy",
                json!({ "PolicyDocument": { "Statement": [
                { "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*" },
                { "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*",
                  "Condition": { "StringEquals": { "aws:SourceVpce": "vpce-1" } } },
                { "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" }, "Action": "s3:*", "Resource": "*" }] } }),
            ),
            ("AWS::Lambda::Permission", json!({ "Principal": "*", "Action": "x", "PrincipalOrgID": "o-1" })),
            ("AWS::Lambda::Url", json!({ "AuthType": "AWS_IAM" })),
            (
                "AWS::EC2::VPCEndpoint",
                json!({ "PolicyDocument": { "Statement": [
                { "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" }] } }),
            ),
            (
                "AWS::EC2::SecurityGroup",
                json!({ "SecurityGroupIngress": [{ "CidrIp": "10.0.0.0/8", "IpProtocol": "tcp" }] }),
            ),
            ("AWS::ApiGateway::Method", json!({ "HttpMethod": "GET", "AuthorizationType": "AWS_IAM" })),
            (
                "AWS::ApiGateway::Method",
                json!({ "HttpMethod": "GET", "AuthorizationType": "NONE", "ApiKeyRequired": true }),
            ),
            ("AWS::ApiGateway::Method", json!({ "HttpMethod": "OPTIONS", "AuthorizationType": "NONE" })),
        ] {
            assert!(opened(queue.clone(), resource(kind, properties.clone())).is_empty(), "{kind} {properties}");
        }
    }

    #[test]
    fn what_kept_the_public_out_and_is_gone_is_told() {
        let block = json!({ "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true } });
        assert_eq!(opened(resource("AWS::S3::Bucket", block), resource("AWS::S3::Bucket", json!({}))).len(), 4);
        let api = |kind: &str| {
            let method = json!({ "RestApiId": { "Ref": "R" }, "HttpMethod": "GET", "AuthorizationType": "NONE" });
            json!({
                "R": { "Type": "AWS::ApiGateway::RestApi", "Properties": { "EndpointConfiguration": { "Types": [kind] } } },
                "M": { "Type": "AWS::ApiGateway::Method", "Properties": method },
            })
        };
        assert!(opened(api("REGIONAL"), api("PRIVATE")).is_empty());
        assert_eq!(
            opened(api("PRIVATE"), api("REGIONAL")),
            ["M: anyone can call `GET` without signing in", "R: it can be reached from the internet"]
        );
        let socket = |auth: &str, route: &str| {
            json!({
                "R": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "ProtocolType": "WEBSOCKET" } },
                "C": { "Type": "AWS::ApiGatewayV2::Route", "Properties": {
                    "ApiId": { "Ref": "R" }, "RouteKey": route, "AuthorizationType": auth } },
            })
        };
        assert_eq!(opened(socket("AWS_IAM", "$connect"), socket("NONE", "$connect")).len(), 1);
        assert!(
            opened(socket("AWS_IAM", "say"), socket("NONE", "say")).is_empty(),
            "a message comes over a connection"
        );
        let pool = |only: bool| {
            resource("AWS::Cognito::UserPool", json!({ "AdminCreateUserConfig": { "AllowAdminCreateUserOnly": only } }))
        };
        assert_eq!(opened(pool(true), pool(false)), ["R: anyone can sign up"]);
    }
}
