//! What anyone can reach after a deployment who cannot reach it now.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::change_set_values::UnknownValue;
use super::policies::documents;
use super::resolved::{ResolvedResource, ResolvedTemplate, is_unknown};
use crate::exposure::{is_wide, lets_anyone_in, statements_of};
use crate::facts::{self, Open};
use crate::iam::{listed, resource_text};

/// The four ways in which S3 keeps the public out.
const BLOCKS: [&str; 4] = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
/// Their property.
const BLOCK: &str = "PublicAccessBlockConfiguration";

/// Something that is open to anyone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exposure {
    pub(super) logical_id: String,
    pub(super) reason: String,
    /// What it is compared by beside: the statement, where it cannot be read.
    pub(super) whole: String,
}

impl Exposure {
    fn of(logical_id: &str, (reason, whole): (String, String)) -> Self {
        Self { logical_id: logical_id.to_owned(), reason, whole }
    }
}

/// What is open to anyone in the new template and was not in the old one. A policy of which nobody says what it will be may
/// let anyone in.
pub(super) fn exposures(
    old: &ResolvedTemplate,
    new: &ResolvedTemplate,
    unknown: &BTreeSet<UnknownValue>,
) -> Vec<Exposure> {
    let before = open(old);
    let mut found: BTreeSet<Exposure> = open(new).difference(&before).cloned().collect();
    for (logical_id, resource) in &new.resources {
        let Some(had) = old.resources.get(logical_id) else { continue };
        let mut add = |reason: String| found.insert(Exposure::of(logical_id, (reason, String::new())));
        let block = |resource: &ResolvedResource, name: &str| {
            resource.properties.get(BLOCK).and_then(|block| block.get(name)).is_some_and(is_true)
        };
        for name in BLOCKS.into_iter().filter(|name| block(had, name) && !block(resource, name)) {
            add(format!("`{name}` no longer keeps the public out"));
        }
        if is_private(had) && !is_private(resource) {
            add("it can be reached from the internet".to_owned());
        }
        let closed = |resource: &ResolvedResource| {
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
    for value in unknown {
        let Some((top, resource)) = value.path.first().zip(new.resources.get(&value.logical_id)) else { continue };
        let is_open_by = |name: &str| {
            let row = facts::grants().of(&resource.type_);
            let in_table = row.is_some_and(|row| row.open.iter().any(|open| open.at == name));
            in_table || facts::exposures().settings_of(&resource.type_, name).next().is_some()
        };
        let in_policy = !is_of_an_identity(resource, top)
            && (documents(resource).iter().any(|(property, _)| property == top)
                || facts::grants().is_named_like_one(&resource.type_));
        if in_policy || value.path.iter().any(|part| is_open_by(part)) {
            let reason = format!("anyone, perhaps: what `{top}` will be cannot be worked out");
            found.insert(Exposure::of(&value.logical_id, (reason, String::new())));
        }
    }
    found.into_iter().collect()
}

/// Whether a property holds policies of a role, a user or a group, which name nobody who may use something.
fn is_of_an_identity(resource: &ResolvedResource, property: &str) -> bool {
    ["AWS::IAM::", "AWS::SSO::"].iter().any(|of| resource.type_.starts_with(of))
        && property != "AssumeRolePolicyDocument"
}

/// Everything that is open to anyone.
fn open(template: &ResolvedTemplate) -> BTreeSet<Exposure> {
    let mut found = BTreeSet::new();
    for (logical_id, resource) in &template.resources {
        let mut reasons = Vec::new();
        if facts::exposures().is_open_by_nature(&resource.type_) {
            reasons.push("anyone can reach what it serves".to_owned());
        }
        settings(&resource.type_, &resource.properties, &mut reasons);
        reasons.extend(routes(template, resource));
        reasons.extend(addresses(resource));
        if let Some(block) = resource.properties.get(BLOCK) {
            let off = BLOCKS.into_iter().filter(|name| block.get(name).is_some_and(|value| !is_true(value)));
            reasons.extend(off.map(|name| format!("`{name}` no longer keeps the public out")));
        }
        reasons.extend(listed_settings(resource));
        found.extend(reasons.into_iter().map(|reason| Exposure::of(logical_id, (reason, String::new()))));
        found.extend(statements(resource).into_iter().map(|it| Exposure::of(logical_id, it)));
    }
    found
}

/// What the table of grants says is open to anyone.
fn listed_settings(resource: &ResolvedResource) -> Vec<String> {
    let rows = facts::grants().of(&resource.type_).map(|row| row.open.as_slice()).unwrap_or_default();
    let opens = |open: &&Open| {
        let mut values = Vec::new();
        named(&resource.properties, &open.at, &mut values);
        let is_it = |value: &Value| match (&open.is, value) {
            (None, _) => true,
            (Some(is), Value::String(text)) => text.eq_ignore_ascii_case(is) || is_unknown(value),
            (Some(is), Value::Bool(said)) => said.to_string() == *is,
            _ => false,
        };
        values.is_empty() && open.or_absent || values.into_iter().any(is_it)
    };
    rows.iter().filter(opens).map(|open| open.means.clone()).collect()
}

/// The values of properties of a name, at any depth; of a list each.
fn named<'v>(properties: &'v Map<String, Value>, name: &str, into: &mut Vec<&'v Value>) {
    for (key, value) in properties {
        match value {
            Value::Array(items) if key == name => into.extend(items),
            _ if key == name => into.push(value),
            _ => {}
        }
        match value {
            Value::Object(inner) => named(inner, name, into),
            Value::Array(items) => items.iter().filter_map(Value::as_object).for_each(|inner| named(inner, name, into)),
            _ => {}
        }
    }
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
        let open = facts::exposures().settings_of(type_, key).find(|row| row.value.eq_ignore_ascii_case(&said));
        into.extend(open.map(|row| row.means.clone()));
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

/// What policies allow anyone, or may: each as it is reported, and, where it cannot be read, as it is written.
fn statements(resource: &ResolvedResource) -> Vec<(String, String)> {
    if facts::exposures().is_filter(&resource.type_) || is_private(resource) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let every = documents(resource).into_iter().flat_map(|(property, documents)| {
        let is_own = is_of_an_identity(resource, &property);
        documents.into_iter().map(move |document| (is_own, document))
    });
    for (is_own, document) in every {
        // The document may be made by a function, or text that is none.
        let all = if document.get("Statement").is_some() { statements_of(&document) } else { vec![document.clone()] };
        for statement in &all {
            let effect = statement.get("Effect").and_then(Value::as_str);
            let who = ["Principal", "NotPrincipal"].iter().find_map(|key| statement.get(*key));
            let unreadable = match effect {
                Some("Deny") => false,
                Some("Allow") => who.is_some_and(is_unknown),
                _ => !is_own,
            };
            if unreadable {
                let reason = "anyone, perhaps: who its policy names cannot be worked out".to_owned();
                found.push((reason, statement.to_string()));
                continue;
            }
            if lets_anyone_in(statement, &all) {
                let said = |keys: [&str; 2]| {
                    let value = keys.iter().find_map(|key| statement.get(*key)).cloned().unwrap_or_default();
                    let texts: Vec<String> = match value {
                        Value::Array(items) => items.iter().map(resource_text).collect(),
                        Value::Null => Vec::new(),
                        one => vec![resource_text(&one)],
                    };
                    texts
                };
                let (actions, resources) = (said(["Action", "NotAction"]), said(["Resource", "NotResource"]));
                let on =
                    if resources.is_empty() { String::new() } else { format!(" on `{}`", listed(resources.clone())) };
                // Lists that are cut are told apart by the whole.
                let whole = format!("{}\n{}", actions.join(", "), resources.join(", "));
                found.push((format!("its policy allows anyone `{}`{on}", listed(actions)), whole));
            }
        }
    }
    found
}

/// Whether a REST API answers only inside VPCs.
fn is_private(resource: &ResolvedResource) -> bool {
    let types = resource.properties.get("EndpointConfiguration").and_then(|it| it.get("Types"));
    types.and_then(Value::as_array).is_some_and(|types| types.iter().any(|it| it == "PRIVATE"))
}

/// Routes of APIs that anyone can call.
fn routes(template: &ResolvedTemplate, resource: &ResolvedResource) -> Vec<String> {
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
fn addresses(resource: &ResolvedResource) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::resolved::{DeploymentScope, resolve_template};
    use super::*;
    use crate::cfn::Template;

    fn opened(old: Value, new: Value) -> Vec<String> {
        let of = |resources: Value| {
            let template = Template::from_value(json!({ "Resources": resources })).expect("a template");
            resolve_template(
                &template,
                &BTreeMap::new(),
                DeploymentScope { account: None, region: "us-west-2", stack: "s" },
            )
        };
        exposures(&of(old), &of(new), &BTreeSet::new())
            .into_iter()
            .map(|it| format!("{}: {}", it.logical_id, it.reason))
            .collect()
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
        let when = |operator: &str, key: &str, value: Value| read(json!({ "Condition": { operator: { key: value } } }));
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
            ("AWS::S3::BucketPolicy", when("ArnLike", "aws:PrincipalArn", json!("arn:aws:iam::*:*"))),
            ("AWS::S3::BucketPolicy", when("ArnLike", "aws:PrincipalArn", json!("arn:aws:iam::*:role/admin"))),
            ("AWS::S3::BucketPolicy", when("ArnLike", "aws:SourceArn", json!("arn:aws:*:*:*:*"))),
            ("AWS::S3::BucketPolicy", when("ArnLike", "aws:SourceArn", json!(["arn:aws:s3:::b", "arn:aws:s3:::*"]))),
            ("AWS::S3::BucketPolicy", when("StringLike", "aws:PrincipalOrgID", json!("o-*"))),
            ("AWS::S3::BucketPolicy", when("StringLike", "aws:PrincipalOrgPaths", json!("*/r-1/*"))),
            ("AWS::S3::BucketPolicy", when("StringLike", "aws:userid", json!("*:*"))),
            ("AWS::S3::BucketPolicy", when("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", json!("o-1/r-1/"))),
            ("AWS::S3::BucketPolicy", when("StringEquals", "aws:PrincipalOrgID", json!("{{resolve:ssm:/org}}"))),
            ("AWS::S3::BucketPolicy", read(json!({ "Principal": { "AWS": "{{resolve:ssm:/who}}" } }))),
            ("AWS::S3::BucketPolicy", json!({ "PolicyDocument": { "Fn::Transform": { "Name": "m" } } })),
            (
                "AWS::Events::EventBusPolicy",
                json!({ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "b" } }),
            ),
            ("AWS::Events::EventBusPolicy", json!({ "Principal": "*", "Action": "events:PutEvents" })),
            ("AWS::EC2::VPCEndpointServicePermissions", json!({ "AllowedPrincipals": ["*"] })),
            (
                "AWS::AppSync::GraphQLApi",
                json!({ "AdditionalAuthenticationProviders": [{ "AuthenticationType": "API_KEY" }] }),
            ),
            ("AWS::AppRunner::Service", json!({})),
            ("AWS::Cognito::IdentityPoolRoleAttachment", json!({ "Roles": { "unauthenticated": "r" } })),
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
        let bound = |operator: &str, key: &str, value: Value| {
            let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "a:b", "Resource": "*",
                "Condition": { operator: { key: value } } });
            ("AWS::S3::BucketPolicy", json!({ "PolicyDocument": { "Statement": [statement] } }))
        };
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
            bound(
                "ArnLike",
                "aws:PrincipalArn",
                json!({ "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*" }),
            ),
            bound("ArnLike", "aws:SourceArn", json!("arn:aws:s3:::b")),
            bound("ArnLike", "aws:SourceArn", json!("arn:aws:sns:*:111111111111:*")),
            bound("StringLike", "aws:userid", json!("AROA1:*")),
            bound("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", json!("o-1/*")),
            (
                "AWS::S3::BucketPolicy",
                json!({ "PolicyDocument": { "Statement": { "Effect": "Allow", "Principal": "*", "Action": "a:b", "Condition": {
                    "ForAllValues:StringEquals": { "aws:PrincipalOrgPaths": "o-1/r-1/" },
                    "Null": { "aws:PrincipalOrgPaths": "false" } } } } }),
            ),
            (
                "AWS::Events::EventBusPolicy",
                json!({ "Principal": "*", "Action": "events:PutEvents", "Condition": {
                    "Key": "aws:PrincipalOrgID", "Type": "StringEquals", "Value": "o-1" } }),
            ),
            (
                "AWS::EC2::VPCEndpointServicePermissions",
                json!({ "AllowedPrincipals": ["arn:aws:iam::111111111111:root"] }),
            ),
            (
                "AWS::AppRunner::Service",
                json!({ "NetworkConfiguration": { "IngressConfiguration": { "IsPubliclyAccessible": false } } }),
            ),
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
