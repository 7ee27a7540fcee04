//! APIs in API Gateway: REST and private ones in version 1 of its resource types, HTTP and WebSocket ones in version 2.
//!
//! | file | its subject |
//! | --- | --- |
//! | `rest`, `rest_routes` | REST and private APIs: paths, deployment, stage; what answers a route |
//! | `v2` | HTTP and WebSocket APIs |
//! | `authorizers` | who may call |
//! | `cors` | web pages of other origins |
//! | `extras` | access logs, domain names, usage plans |

mod authorizers;
mod cors;
mod extras;
mod rest;
mod rest_routes;
mod v2;

use serde_json::{Value, json};

use super::{Ask, Kind};
use crate::finding::Finding;
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::expression::Expression;
use crate::render::references::{References, api_id};
use crate::render::{did_you_mean, escape};
use crate::spec::{Api, ApiKind, Throttle};

/// Seconds for which REST and WebSocket APIs wait for an answer at most.
pub const REST_API_WAIT: u32 = 29;

/// Seconds for which HTTP APIs wait for an answer at most.
pub const HTTP_API_WAIT: u32 = 30;

/// APIs.
pub(super) const KIND: Kind = Kind {
    section: "apis",
    add: |assembly, references| {
        extras::account(assembly, references);
        for (name, api) in &references.spec().apis {
            add(assembly, references, name, api);
        }
    },
    attribute: |references, name, attribute| match attribute {
        "" | "url" => {
            let kind = references.spec().apis.get(name)?.kind;
            Some(url(kind, name, &references.stage_of(name).ok()?))
        }
        "id" => Some(Expression::reference(api_id(name))),
        "arn" => Some(Expression::arn("execute-api", Expression::reference(api_id(name)))),
        _ => None,
    },
    grant,
};

/// Calling routes that ask for IAM credentials, and sending messages down connections.
fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    let Some(api) = references.spec().apis.get(ask.name) else { return Err(references.cannot(ask)) };
    let (action, calls) = match (ask.verb, api.kind) {
        ("invoke", ApiKind::Websocket) => ("execute-api:Invoke", "$connect"),
        ("invoke", _) => ("execute-api:Invoke", "*"),
        ("push", ApiKind::Websocket) => ("execute-api:ManageConnections", "POST/@connections/*"),
        _ => return Err(references.cannot(ask)),
    };
    let stage = references.stage_of(ask.name)?;
    let calls = Expression::reference(api_id(ask.name)).text(format!("/{stage}/{calls}"));
    Ok(vec![Statement::allow([action], [Expression::arn("execute-api", calls).value()])])
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, api: &Api) {
    let pointer = format!("/apis/{}", escape(name));
    let Some(stage) = assembly.keep(references.stage_of(name)) else { return };
    let own_name = match &api.name {
        Some(text) => assembly.keep(references.text(text, &format!("{pointer}/name"))),
        None => Some(Expression::literal(format!("{}-{}-{name}", references.spec().name, references.options.stage))),
    };
    let Some(own_name) = own_name else { return };
    let base = Base { references, api, name, own_name, pointer, id: api_id(name), stage };
    match api.kind {
        ApiKind::Rest | ApiKind::Private => rest::add(assembly, &base),
        ApiKind::Http | ApiKind::Websocket => v2::add(assembly, &base),
    }
}

/// What all parts of one API need to know.
struct Base<'a> {
    references: &'a References<'a>,
    api: &'a Api,
    /// Its name under `apis`.
    name: &'a str,
    /// Its name in API Gateway.
    own_name: Expression,
    pointer: String,
    /// Its logical id.
    id: String,
    stage: String,
}

impl Base<'_> {
    /// The URL of its stage, without a slash at its end.
    fn url(&self) -> Expression {
        url(self.api.kind, self.name, &self.stage)
    }

    /// The ARN of calls of it, at any stage so that the console's test button works too.
    fn calls(&self, what: &str) -> Expression {
        Expression::arn("execute-api", Expression::reference(&self.id).text(format!("/*/{what}")))
    }

    /// The ARN of the calls of a route, such as `GET /items/{id}`.
    fn route_calls(&self, method: &str, path: &str) -> Expression {
        let method = if method == "ANY" { "*" } else { method };
        let path: Vec<&str> =
            path.split('/').map(|segment| if segment.starts_with('{') { "*" } else { segment }).collect();
        self.calls(&format!("{method}{}", path.join("/")))
    }

    /// Reports a function that is not there; true when it is.
    fn knows_function(&self, assembly: &mut Assembly<'_>, function: &str, pointer: &str) -> bool {
        let known = &self.references.spec().functions;
        if known.contains_key(function) {
            return true;
        }
        assembly.report(
            Finding::error("R020", format!("there is no `{function}` under `functions`"))
                .at(self.references.loaded.place(pointer))
                .help(did_you_mean(function, known.keys())),
        );
        false
    }
}

/// The URL of an API's stage, without a slash at its end. The stage `$default` of an HTTP API has no part in it.
fn url(kind: ApiKind, name: &str, stage: &str) -> Expression {
    let scheme = if kind == ApiKind::Websocket { "wss://" } else { "https://" };
    let stage = if stage == "$default" { String::new() } else { format!("/{stage}") };
    Expression::literal(scheme)
        .then(Expression::reference(api_id(name)))
        .text(".execute-api.")
        .then(Expression::reference("AWS::Region"))
        .text(".")
        .then(Expression::reference("AWS::URLSuffix"))
        .text(stage)
}

/// The address under which API Gateway calls a function.
fn function_uri(target: Expression) -> Expression {
    Expression::literal("arn:")
        .then(Expression::reference("AWS::Partition"))
        .text(":apigateway:")
        .then(Expression::reference("AWS::Region"))
        .text(":lambda:path/2015-03-31/functions/")
        .then(target)
        .text("/invocations")
}

/// A throttle's two numbers; a whole rate without a point.
fn throttle(throttle: &Throttle) -> Value {
    json!({ "rate": rate(throttle.rate), "burst": throttle.burst })
}

fn rate(rate: f64) -> Value {
    // Beyond what any API takes, and far below where a float stops being exact.
    if rate.fract() == 0.0 && (0.0..=1e9).contains(&rate) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number in those bounds")]
        return json!(rate as u64);
    }
    json!(rate)
}
