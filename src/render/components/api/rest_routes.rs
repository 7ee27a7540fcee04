//! What answers a route of a REST API: a function, another address, API Gateway itself, an AWS service.

use serde_json::{Map, Value, json};

use super::base::function_uri;
use super::rest::{Context, Route, model_id, validator_id};
use super::{authorizers, cors};
use crate::finding::Finding;
use crate::iam::{Policy, Principal, Statement};
use crate::render::assemble::Assembly;
use crate::render::expression::Expression;
use crate::render::names::{method_word, path_words};
use crate::render::references::function_target;
use crate::render::words::did_you_mean;
use crate::render::{grants, request};
use crate::spec::{AwsIntegration, JSON_SERVICES, Text};

/// The statuses a function chooses by starting its error's message with `[404]` and the like.
const ERROR_STATUSES: [u16; 6] = [400, 403, 404, 409, 422, 429];

/// What Lambda says of a function that ran out of time. A message that starts with `[` is the function's own.
const TIMED_OUT: &str = r"[^\[][\s\S]*Task timed out after[\s\S]*";

/// Every other error. API Gateway holds the whole message against each pattern, and which of two that fit it takes is
/// written nowhere: so no two of ours fit the same message.
const OTHER_ERRORS: &str = r"(?!\[(?:400|403|404|409|422|429)\])(?![^\[][\s\S]*Task timed out after)[\s\S]+";

impl Context<'_> {
    /// Adds a route's method and what it needs. What is given back is the method's id and what is deployed with it.
    pub(super) fn add_route(
        &self,
        assembly: &mut Assembly<'_>,
        route: &Route<'_>,
    ) -> Option<(String, Map<String, Value>)> {
        let id = format!("{}{}{}", self.base.id, path_words(route.path), method_word(route.method));
        let mut data = self.method(assembly, route, &id)?;
        let body = route.body;
        let (partial, more) = if let Some(function) = &body.function {
            ("rest-route", self.function(assembly, route, function, &id)?)
        } else if let Some(http) = &body.http {
            let method = http.method.as_deref().unwrap_or(route.method);
            ("rest-http", self.address(assembly, route, (&http.url, "http/url"), method, None)?)
        } else if let Some(link) = &body.vpc_link {
            let pointer = format!("{}/vpc-link/link", route.pointer);
            let id = assembly.keep(self.base.references.text(&link.link, &pointer))?;
            let target = (&link.target, "vpc-link/target");
            ("rest-http", self.address(assembly, route, target, route.method, Some(id))?)
        } else if let Some(mock) = &body.mock {
            let answer = mock.body.as_ref().map_or(Value::Null, |body| json!(request::literal(body)));
            (
                "rest-mock",
                json!({ "status": mock.status.unwrap_or(200).to_string(), "answer": answer,
                "ask": format!("{{\"statusCode\": {}}}", mock.status.unwrap_or(200)) }),
            )
        } else if let Some(aws) = &body.aws {
            ("rest-aws", self.aws(assembly, route, aws, &id)?)
        } else {
            let finding = Finding::error("R112", format!("nothing answers `{} {}`", route.method, route.path));
            let place = self.base.references.loaded.key_place(&route.pointer);
            assembly.report(finding.at(place).help("name a `function`, `http`, `mock`, `aws` or `vpc-link`"));
            return None;
        };
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        let mut resources = assembly.add(partial, &data, &route.pointer);
        // Who may call the function, and what API Gateway may do, is no part of the API's own content.
        resources.retain(|_, resource| {
            resource.get("Type").and_then(Value::as_str).is_some_and(|type_| type_.starts_with("AWS::ApiGateway::"))
        });
        Some((id, resources))
    }

    /// What every method says, whatever answers.
    fn method(&self, assembly: &mut Assembly<'_>, route: &Route<'_>, id: &str) -> Option<Value> {
        let base = self.base;
        let auth = assembly.keep(authorizers::of_route(base, route.body.auth.as_deref(), &route.pointer))?;
        let models = match &route.body.require.body {
            Some(schema) if !base.api.schemas.contains_key(schema) => {
                assembly.report(
                    Finding::error("R113", format!("there is no `{schema}` under `schemas`"))
                        .at(base.references.loaded.place(&format!("{}/require/body", route.pointer)))
                        .help(did_you_mean(schema, base.api.schemas.keys())),
                );
                return None;
            }
            Some(schema) => Some(model_id(&base.id, schema)),
            None => None,
        };
        Some(json!({
            "id": id,
            "api_id": base.id,
            "resource_id": self.resources.get(route.path),
            "method": route.method,
            "auth": auth.type_,
            "authorizer_id": auth.authorizer_id,
            "scopes": auth.scopes,
            "api_key": route.body.api_key.unwrap_or(base.api.api_key),
            "parameters": assembly.keep(self.parameters(route))?,
            "model_id": models,
            "validator_id": validator_id(&base.id, route.body),
            "timeout_ms": route.body.timeout.map(|timeout| u64::from(timeout.0) * 1000),
            "allow_origin": cors::rest_origin(base.api.cors.as_ref()),
            "output_id": format!("{id}Url"),
            "output_description": format!("URL of {} {}", route.method, route.path),
            "url": base.url().text(route.path.trim_end_matches('/')).value(),
        }))
    }

    /// A function: it is given the whole request, or the event that `request` describes.
    fn function(&self, assembly: &mut Assembly<'_>, route: &Route<'_>, function: &str, id: &str) -> Option<Value> {
        if !self.base.knows_function(assembly, function, &format!("{}/function", route.pointer)) {
            return None;
        }
        let request_template = match &route.body.request {
            Some(fields) => {
                let template = request::template(self.base.references, fields, &format!("{}/request", route.pointer));
                assembly.keep(template)?.value()
            }
            None => Value::Null,
        };
        let errors: Vec<Value> = ERROR_STATUSES
            .iter()
            .map(|status| json!({ "status": status.to_string(), "pattern": format!(r"\[{status}\][\s\S]*") }))
            .collect();
        let target = function_target(self.base.references, function);
        Some(json!({
            "permission_id": format!("{id}Permission"),
            "function_arn": target.value(),
            "function_uri": function_uri(target).value(),
            "request_template": request_template,
            "errors": errors,
            "timed_out": TIMED_OUT,
            "other_errors": OTHER_ERRORS,
            "source_arn": self.base.route_calls(route.method, route.path).value(),
        }))
    }

    /// Another HTTP address, through a VPC link or not.
    fn address(
        &self,
        assembly: &mut Assembly<'_>,
        route: &Route<'_>,
        (url, key): (&Text, &str),
        method: &str,
        link: Option<Expression>,
    ) -> Option<Value> {
        let url = assembly.keep(self.base.references.text(url, &format!("{}/{key}", route.pointer)))?;
        let mut parameters = Map::new();
        for name in path_variables(route.path) {
            parameters.insert(format!("integration.request.path.{name}"), json!(format!("method.request.path.{name}")));
        }
        Some(json!({
            "uri": url.value(),
            "integration_method": method,
            "integration_parameters": parameters,
            "link": link.map(|link| link.value()),
        }))
    }

    /// An AWS service, called with a role that may do what the route says and nothing more.
    fn aws(&self, assembly: &mut Assembly<'_>, route: &Route<'_>, aws: &AwsIntegration, id: &str) -> Option<Value> {
        let references = self.base.references;
        let pointer = format!("{}/aws", route.pointer);
        let mut statements = Vec::new();
        for (index, grant) in aws.uses.iter().enumerate() {
            statements.extend(assembly.keep(grants::statements(
                references,
                grant,
                &format!("{pointer}/uses/{index}"),
            ))?);
        }
        let template = match &aws.request {
            Some(tree) => assembly.keep(request::tree(references, &tree.0, &format!("{pointer}/request")))?,
            None => Expression::literal("{}"),
        };
        let version = JSON_SERVICES.iter().find(|(service, _)| *service == aws.service).map_or("1.1", |(_, it)| it);
        let uri = Expression::literal("arn:")
            .then(Expression::reference("AWS::Partition"))
            .text(":apigateway:")
            .then(Expression::reference("AWS::Region"))
            .text(format!(":{}:action/{}", aws.service, aws.action));
        let policy = (!statements.is_empty()).then(|| Policy::of(statements).to_value());
        Some(json!({
            "role_id": format!("{id}Role"),
            "role_description": format!("What API Gateway may do for {} of {}", id, references.spec().name),
            "trust": trust().to_value(),
            "policy": policy,
            "uri": uri.value(),
            "content_type": format!("'application/x-amz-json-{version}'"),
            "request_template": template.value(),
        }))
    }

    /// What the route takes from a request, true where the request is refused without it.
    fn parameters(&self, route: &Route<'_>) -> Result<Map<String, Value>, Finding> {
        let mut parameters = Map::new();
        for name in path_variables(route.path) {
            parameters.insert(format!("method.request.path.{name}"), json!(true));
        }
        let required =
            [("query", "querystring", &route.body.require.query), ("headers", "header", &route.body.require.headers)];
        for (key, place, names) in required {
            for (index, name) in names.iter().enumerate() {
                let pointer = format!("{}/require/{key}/{index}", route.pointer);
                request::check_name(self.base.references, place, name, &pointer)?;
                parameters.insert(format!("method.request.{place}.{name}"), json!(true));
            }
        }
        parameters.sort_keys();
        Ok(parameters)
    }
}

/// The variables in a path, `{proxy+}` as `proxy`.
fn path_variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_end_matches('+'))
}

/// Only API Gateway may take the role. No `aws:SourceArn` or `aws:SourceAccount`: no page of the API Gateway Developer Guide
/// that we found says that it sends them when it takes the role of an integration, and an API that cannot call its service
/// is worse than a missing condition. A role can be passed to a service in its own account only, so little is lost.
fn trust() -> Policy {
    Policy::of([Statement::allow(["sts:AssumeRole"], []).to(Principal::service("apigateway.amazonaws.com"))])
}
