//! What answers a route of a REST API: a function, another address, API Gateway itself, an AWS service.

use serde_json::{Map, Value, json};

use super::base::function_uri;
use super::rest::{Context, RestRoute, model_id, validator_id};
use super::{authorizers, cors};
use crate::finding::{Finding, code};
use crate::iam::{Policy, Principal, Statement};
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::grants::Asked;
use crate::render::names::{method_word, path_words};
use crate::render::references::function_target;
use crate::render::words::did_you_mean;
use crate::render::{grants, request};
use crate::spec::{AwsIntegration, JSON_SERVICES, Text, escape};

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
        route: &RestRoute<'_>,
    ) -> Option<(String, Map<String, Value>)> {
        let id = format!("{}{}{}", self.base.id, path_words(route.path), method_word(route.method));
        let data = self.method(assembly, route, &id)?;
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
                PartialData::new(&route.pointer)
                    .said("status", "mock/status", mock.status.unwrap_or(200).to_string())
                    .said("answer", "mock/body", answer)
                    .said("ask", "mock/status", format!("{{\"statusCode\": {}}}", mock.status.unwrap_or(200))),
            )
        } else if let Some(aws) = &body.aws {
            ("rest-aws", self.aws(assembly, route, aws, &id)?)
        } else {
            let finding = Finding::error(code::R112, format!("nothing answers `{} {}`", route.method, route.path));
            let place = self.base.references.loaded.key_place(&route.pointer);
            assembly.report(finding.at(place).help("name a `function`, `http`, `mock`, `aws` or `vpc-link`"));
            return None;
        };
        let mut resources = assembly.add_known(partial, data.with(more));
        // Who may call the function, and what API Gateway may do, is no part of the API's own content.
        resources.retain(|_, resource| {
            resource.get("Type").and_then(Value::as_str).is_some_and(|type_| type_.starts_with("AWS::ApiGateway::"))
        });
        Some((id, resources))
    }

    /// What every method says, whatever answers.
    fn method(&self, assembly: &mut Assembly<'_>, route: &RestRoute<'_>, id: &str) -> Option<PartialData> {
        let base = self.base;
        let auth = assembly.keep(authorizers::of_route(base, route.body.auth.as_deref(), &route.pointer))?;
        let models = match &route.body.require.body {
            Some(schema) if !base.api.schemas.contains_key(schema) => {
                assembly.report(
                    Finding::error(code::R113, format!("there is no `{schema}` under `schemas`"))
                        .at(base.references.loaded.place(&format!("{}/require/body", route.pointer)))
                        .help(did_you_mean(schema, base.api.schemas.keys())),
                );
                return None;
            }
            Some(schema) => Some(model_id(&base.id, schema)),
            None => None,
        };
        let parameters = assembly.keep(self.parameters(route))?;
        let api_key_at = match route.body.api_key {
            Some(_) => format!("{}/api-key", route.pointer),
            None => format!("{}/api-key", base.pointer),
        };
        let origin_at = format!("{}/cors/origins/0", base.pointer);
        let data = PartialData::new(&route.pointer)
            .made("id", id)
            .made("api_id", &base.id)
            .made("resource_id", self.resources.get(route.path))
            .made("method", route.method)
            .said("api_key", &api_key_at, route.body.api_key.unwrap_or(base.api.api_key))
            .made("parameters", parameters)
            .said("model_id", "require/body", models)
            .said("validator_id", "require", validator_id(&base.id, route.body))
            .said("timeout_ms", "timeout", route.body.timeout.map(|timeout| u64::from(timeout.0) * 1000))
            .said("allow_origin", &origin_at, cors::rest_origin(base.api.cors.as_ref()))
            .made("output_id", format!("{id}Url"))
            .made("output_description", format!("URL of {} {}", route.method, route.path))
            .made("url", base.url().text(route.path.trim_end_matches('/')).value());
        let required =
            [("query", "querystring", &route.body.require.query), ("headers", "header", &route.body.require.headers)];
        let required = required.into_iter().flat_map(|(key, place, names)| {
            let named = names.iter().enumerate();
            named.map(move |(index, name)| (place, name, format!("require/{key}/{index}")))
        });
        let data = required.fold(auth.tell(data), |data, (place, name, key)| {
            data.at(&format!("/parameters/{}", escape(&format!("method.request.{place}.{name}"))), &key)
        });
        Some(data)
    }

    /// A function: it is given the whole request, or the event that `request` describes.
    fn function(
        &self,
        assembly: &mut Assembly<'_>,
        route: &RestRoute<'_>,
        function: &str,
        id: &str,
    ) -> Option<PartialData> {
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
        Some(
            PartialData::new(&route.pointer)
                .made("permission_id", format!("{id}Permission"))
                .said("function_arn", "function", target.value())
                .said("function_uri", "function", function_uri(target).value())
                .said("request_template", "request", request_template)
                .made("errors", errors)
                .made("timed_out", TIMED_OUT)
                .made("other_errors", OTHER_ERRORS)
                .made("source_arn", self.base.route_calls(route.method, route.path).value()),
        )
    }

    /// Another HTTP address, through a VPC link or not.
    fn address(
        &self,
        assembly: &mut Assembly<'_>,
        route: &RestRoute<'_>,
        (url, key): (&Text, &str),
        method: &str,
        link: Option<Expression>,
    ) -> Option<PartialData> {
        let url = assembly.keep(self.base.references.text(url, &format!("{}/{key}", route.pointer)))?;
        let mut parameters = Map::new();
        for name in path_variables(route.path) {
            parameters.insert(format!("integration.request.path.{name}"), json!(format!("method.request.path.{name}")));
        }
        Some(
            PartialData::new(&route.pointer)
                .said("uri", key, url.value())
                .said("integration_method", "http/method", method)
                .made("integration_parameters", parameters)
                .said("link", "vpc-link/link", link.map(|link| link.value())),
        )
    }

    /// An AWS service, called with a role that may do what the route says and nothing more.
    fn aws(
        &self,
        assembly: &mut Assembly<'_>,
        route: &RestRoute<'_>,
        aws: &AwsIntegration,
        id: &str,
    ) -> Option<PartialData> {
        let references = self.base.references;
        let pointer = format!("{}/aws", route.pointer);
        let mut asked = Asked::default();
        for (index, grant) in aws.uses.iter().enumerate() {
            let pointer = format!("{pointer}/uses/{index}");
            let statements = assembly.keep(grants::statements(references, grant, &pointer))?;
            asked.add(pointer, statements);
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
        let description = format!("What API Gateway may do for {id} of {}", references.spec().name);
        Some(
            PartialData::new(&route.pointer)
                .made("role_id", format!("{id}Role"))
                .made("role_description", description)
                .made("trust", trust().to_value())
                .policy("policy", "aws/uses", &asked)
                .said("uri", "aws/action", uri.value())
                .said("content_type", "aws/service", format!("'application/x-amz-json-{version}'"))
                .said("request_template", "aws/request", template.value()),
        )
    }

    /// What the route takes from a request, true where the request is refused without it.
    fn parameters(&self, route: &RestRoute<'_>) -> Result<Map<String, Value>, Finding> {
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
