//! What an API may have beside its routes: a log of requests, a domain name, usage plans with keys.

use serde_json::{Value, json};

use super::base::{ApiContext, throttle};
use crate::render::assemble::Assembly;
use crate::render::components::DEFAULT_LOG_RETENTION;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::names::pascal;
use crate::render::references::References;
use crate::spec::{AccountRole, ApiKind, EndpointType, QuotaPeriod, escape};

/// Logical id of the account's setting.
const ACCOUNT: &str = "ApiGatewayAccount";

/// What is logged of a request: facts, and nothing that a caller wrote but the path's pattern.
const REST_FACTS: [(&str, &str); 9] = [
    ("requestId", "$context.requestId"),
    ("time", "$context.requestTime"),
    ("ip", "$context.identity.sourceIp"),
    ("method", "$context.httpMethod"),
    ("path", "$context.resourcePath"),
    ("status", "$context.status"),
    ("latency", "$context.responseLatency"),
    ("integrationStatus", "$context.integration.status"),
    ("errorType", "$context.error.responseType"),
];

/// The same of HTTP APIs.
const HTTP_FACTS: [(&str, &str); 8] = [
    ("requestId", "$context.requestId"),
    ("time", "$context.requestTime"),
    ("ip", "$context.identity.sourceIp"),
    ("route", "$context.routeKey"),
    ("status", "$context.status"),
    ("latency", "$context.responseLatency"),
    ("integrationStatus", "$context.integration.status"),
    ("errorType", "$context.error.responseType"),
];

/// The same of WebSocket APIs.
const WEBSOCKET_FACTS: [(&str, &str); 8] = [
    ("requestId", "$context.requestId"),
    ("time", "$context.requestTime"),
    ("ip", "$context.identity.sourceIp"),
    ("event", "$context.eventType"),
    ("route", "$context.routeKey"),
    ("connectionId", "$context.connectionId"),
    ("status", "$context.status"),
    ("integrationStatus", "$context.integration.status"),
];

/// Adds the account's setting and its role once, when an API says that this use case sets it.
pub(super) fn account(assembly: &mut Assembly<'_>, references: &References<'_>) {
    let first = references.spec().apis.iter().find(|(_, api)| sets_account(api.access_logs.as_ref()));
    let Some((name, _)) = first else { return };
    let data = PartialData::new(format!("/apis/{}/access-logs", escape(name)))
        .made("id", ACCOUNT)
        .made("role_id", "ApiGatewayLogsRole");
    assembly.add("api-account", data);
}

fn sets_account(logs: Option<&crate::spec::AccessLogs>) -> bool {
    logs.is_some_and(|logs| logs.account_role == AccountRole::Set)
}

/// The log of an API's stage.
pub(super) struct Logs {
    /// The ARN of its log group.
    pub(super) arn: Value,
    /// What is written of a request.
    pub(super) format: Value,
    /// What the stage must wait for.
    pub(super) after: Option<&'static str>,
}

impl Logs {
    const NONE: Logs = Logs { arn: Value::Null, format: Value::Null, after: None };
}

/// Adds the log of an API's stage, when it has one.
pub(super) fn logs(assembly: &mut Assembly<'_>, base: &ApiContext<'_>) -> Logs {
    let Some(logs) = &base.api.access_logs else { return Logs::NONE };
    let id = format!("{}Logs", base.id);
    let group = Expression::literal("/aws/vendedlogs/apigateway/")
        .then(Expression::reference("AWS::StackName"))
        .text(format!("/{}", base.name));
    let data = PartialData::new(format!("{}/access-logs", base.pointer))
        .made("id", &id)
        .made("name", group.value())
        .said("retention_days", "retention", logs.retention.map_or(DEFAULT_LOG_RETENTION, |days| days.0));
    assembly.add("api-logs", data);
    let facts: &[(&str, &str)] = match base.api.kind {
        ApiKind::Rest | ApiKind::Private => &REST_FACTS,
        ApiKind::Http => &HTTP_FACTS,
        ApiKind::Websocket => &WEBSOCKET_FACTS,
    };
    let facts: Vec<String> = facts.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
    Logs {
        arn: Expression::arn("logs", Expression::literal("log-group:").then(Expression::reference(&id))).value(),
        format: json!(format!("{{{}}}", facts.join(","))),
        after: sets_account(base.api.access_logs.as_ref()).then_some(ACCOUNT),
    }
}

/// Adds the domain name of an API, when it has one.
pub(super) fn domain(assembly: &mut Assembly<'_>, base: &ApiContext<'_>, stage_id: &str) {
    let Some(domain) = &base.api.domain else { return };
    let pointer = format!("{}/domain", base.pointer);
    let name = assembly.keep(base.references.text(&domain.name, &format!("{pointer}/name")));
    let certificate = assembly.keep(base.references.text(&domain.certificate, &format!("{pointer}/certificate")));
    let (Some(name), Some(certificate)) = (name, certificate) else { return };
    let id = format!("{}Domain", base.id);
    let edge = base.api.endpoint == Some(EndpointType::Edge);
    let path = domain.path.as_deref().map_or(String::new(), |path| format!("/{path}"));
    let scheme = if base.api.kind == ApiKind::Websocket { "wss://" } else { "https://" };
    let target = if edge { "DistributionDomainName" } else { "RegionalDomainName" };
    let data = PartialData::new(&pointer)
        .made("mapping_id", format!("{id}Mapping"))
        .made("api_id", &base.id)
        .made("stage_id", stage_id)
        .said("name", "name", name.value())
        .said("certificate", "certificate", certificate.value())
        .said("edge", &format!("{}/endpoint", base.pointer), edge)
        .said("path", "path", &domain.path)
        .made("target", target)
        .made("target_output_id", format!("{id}Target"))
        .made("output_id", format!("{id}Url"))
        .said("url", "name", Expression::literal(scheme).then(name).text(path).value())
        .made("id", id);
    let partial = match base.api.kind {
        ApiKind::Rest | ApiKind::Private => "rest-domain",
        ApiKind::Http | ApiKind::Websocket => "v2-domain",
    };
    assembly.add(partial, data);
}

/// Adds the usage plans of a REST API and their keys, which enter their plans one after the other: several at once are
/// refused for concurrent modification. Source: github.com/serverless/serverless issue 12064, 2026-11-29.
pub(super) fn usage_plans(assembly: &mut Assembly<'_>, base: &ApiContext<'_>, stage_id: &str) {
    let mut last: Option<String> = None;
    for (name, plan) in &base.api.usage_plans {
        let pointer = format!("{}/usage-plans/{}", base.pointer, escape(name));
        let id = format!("{}{}Plan", base.id, pascal(name));
        let quota = plan.quota.as_ref().map(|quota| {
            let period = match quota.per {
                QuotaPeriod::Day => "DAY",
                QuotaPeriod::Week => "WEEK",
                QuotaPeriod::Month => "MONTH",
            };
            PartialData::new(format!("{pointer}/quota"))
                .said("requests", "requests", quota.requests)
                .said("period", "per", period)
        });
        let data = PartialData::new(&pointer)
            .made("id", &id)
            .made("api_id", &base.id)
            .made("stage_id", stage_id)
            .made("description", format!("{name} of {}", base.name))
            .part("throttle", plan.throttle.as_ref().map(|limits| throttle(&format!("{pointer}/throttle"), limits)))
            .part("quota", quota);
        assembly.add("rest-usage-plan", data);
        for (index, key) in plan.keys.iter().enumerate() {
            let key_id = format!("{id}{}Key", pascal(key));
            let membership_id = format!("{key_id}InPlan");
            let data = PartialData::new(format!("{pointer}/keys/{index}"))
                .made("after", last.replace(membership_id.clone()))
                .made("membership_id", membership_id)
                .made("plan_id", &id)
                .made("description", format!("{key} of the plan {name} of {}", base.name))
                .made("output_id", format!("{key_id}Id"))
                .made("id", key_id);
            assembly.add("rest-api-key", data);
        }
    }
}
