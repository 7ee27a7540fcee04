//! REST and WebSocket APIs: how functions are called, what responses set, what logging needs.

use serde_json::Value;

use super::{at, entries, inside, literal, of_type, target};
use crate::cfn::template::canonical_text;
use crate::cfn::{Resource, Template};
use crate::finding::{Finding, code};

pub(super) fn check(template: &Template, findings: &mut Vec<Finding>) {
    for method in of_type(template, "AWS::ApiGateway::Method") {
        findings.extend(invocation(method));
        responses(method, findings);
    }
    for api in of_type(template, "AWS::ApiGateway::RestApi") {
        described(api, findings);
    }
    logging(template, findings);
}

/// API Gateway calls the operation of Lambda that invokes a function, which is a POST whatever the caller's method is. AWS's
/// own answer to another: 500, recorded by LocalStack's `test_lambda_aws_proxy_integration_non_post_method`, seen 2026-11.
fn invocation(method: Resource<'_>) -> Option<Finding> {
    let integration = inside(method, &["Integration"])?;
    let wrong = not_post(integration, "Type", "Uri", "IntegrationHttpMethod")?;
    Some(
        Finding::error(code::L125, wrong)
            .in_template(at(method, "Integration/IntegrationHttpMethod"))
            .help("write `IntegrationHttpMethod: POST`; the method of the API's own caller is `HttpMethod`"),
    )
}

/// What is wrong with the method by which an integration calls a function.
fn not_post(integration: &Value, kind: &str, uri: &str, method: &str) -> Option<String> {
    let kind = literal(integration.get(kind))?.to_ascii_uppercase();
    let to_lambda = canonical_text(integration.get(uri)?).contains(":lambda:path/");
    if !to_lambda || !matches!(kind.as_str(), "AWS" | "AWS_PROXY") {
        return None;
    }
    match integration.get(method) {
        None => Some("the integration calls a function and has no method, which has to be POST".to_owned()),
        given => {
            let given = literal(given).filter(|given| given != "POST")?;
            Some(format!("the integration calls a function with {given}, and Lambda takes POST only"))
        }
    }
}

/// The integrations of an API that is described by OpenAPI.
fn described(api: Resource<'_>, findings: &mut Vec<Finding>) {
    let paths = inside(api, &["Body", "paths"]).and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        for (verb, operation) in item.as_object().into_iter().flatten() {
            let Some(integration) = operation.get("x-amazon-apigateway-integration") else { continue };
            if let Some(wrong) = not_post(integration, "type", "uri", "httpMethod") {
                findings.push(
                    Finding::error(code::L125, wrong)
                        .in_template(at(api, &format!("Body/paths/{path}/{verb}")))
                        .help("write `httpMethod: POST` in `x-amazon-apigateway-integration`"),
                );
            }
        }
    }
}

/// What an integration response sets must be declared by the method response of its status. Words of the refusal, in
/// deployments of public reports seen 2026-11: `Invalid mapping expression parameter specified`.
fn responses(method: Resource<'_>, findings: &mut Vec<Finding>) {
    let declared = inside(method, &["MethodResponses"]);
    if declared.is_some_and(|declared| !declared.is_array()) {
        return;
    }
    let declared = entries(declared);
    let integrated = entries(inside(method, &["Integration", "IntegrationResponses"]));
    for (index, response) in integrated.iter().enumerate() {
        let Some(set) = response.get("ResponseParameters").and_then(Value::as_object) else { continue };
        let Some(status) = literal(response.get("StatusCode")) else { continue };
        // Any of these may be the response once its condition is known.
        let unknown = |other: &&Value| literal(other.get("StatusCode")).is_none();
        if set.keys().any(|key| key.starts_with("Fn::")) || declared.iter().any(|other| unknown(&other)) {
            continue;
        }
        let same = declared.iter().find(|other| literal(other.get("StatusCode")).as_ref() == Some(&status));
        let known = same.and_then(|other| other.get("ResponseParameters"));
        if known.is_some_and(|known| known.as_object().is_none_or(|map| map.keys().any(|key| key.starts_with("Fn::"))))
        {
            continue;
        }
        for name in set.keys().filter(|name| known.is_none_or(|known| known.get(name.as_str()).is_none())) {
            let path = at(method, &format!("Integration/IntegrationResponses/{index}/ResponseParameters/{name}"));
            findings.push(
                Finding::error(
                    code::L126,
                    format!(
                        "the integration response sets `{name}`, which no method response of status {status} declares"
                    ),
                )
                .in_template(path)
                .help(format!("add `{name}: false` to `ResponseParameters` of the method response for {status}")),
            );
        }
    }
}

/// Stages that log need the role of the account, which the template may set.
fn logging(template: &Template, findings: &mut Vec<Finding>) {
    let sets = |account: Resource<'_>| inside(account, &["CloudWatchRoleArn"]).is_some();
    if of_type(template, "AWS::ApiGateway::Account").any(sets) {
        return;
    }
    let websocket = |stage: Resource<'_>| {
        let api = inside(stage, &["ApiId"]).and_then(target).and_then(|id| template.resource(id));
        api.is_some_and(|api| literal(inside(api, &["ProtocolType"])).as_deref() == Some("WEBSOCKET"))
    };
    let rest = of_type(template, "AWS::ApiGateway::Stage");
    let sockets = of_type(template, "AWS::ApiGatewayV2::Stage").filter(|stage| websocket(*stage));
    for stage in rest.chain(sockets) {
        let Some(property) = logs(stage) else { continue };
        findings.push(
            Finding::warning(
                code::L127,
                format!("`{}` logs, which needs a role that the account must have set for API Gateway in this region", stage.logical_id),
            )
            .in_template(at(stage, &property))
            .help(
                "add an `AWS::ApiGateway::Account` with `CloudWatchRoleArn` and let the stage depend on it, unless the account \
                 has one: `aws apigateway get-account` shows it",
            ),
        );
    }
}

/// The property by which a stage logs.
fn logs(stage: Resource<'_>) -> Option<String> {
    let writes = |setting: &Value| {
        matches!(literal(setting.get("LoggingLevel")).as_deref(), Some("INFO" | "ERROR"))
            || literal(setting.get("DataTraceEnabled")).as_deref() == Some("true")
    };
    for property in ["AccessLogSetting", "AccessLogSettings"] {
        if inside(stage, &[property, "DestinationArn"]).is_some() {
            return Some(property.to_owned());
        }
    }
    if inside(stage, &["DefaultRouteSettings"]).is_some_and(writes) {
        return Some("DefaultRouteSettings".to_owned());
    }
    let index = entries(inside(stage, &["MethodSettings"])).iter().position(writes)?;
    Some(format!("MethodSettings/{index}"))
}
