//! What all parts of an API know of it, and how they write what they share.

use serde_json::{Value, json};

use crate::finding::{Finding, code};
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::api_id;
use crate::render::references::References;
use crate::render::words::did_you_mean;
use crate::spec::{Api, ApiKind, Throttle};

/// What all parts of one API need to know.
pub(super) struct ApiContext<'a> {
    pub(super) references: &'a References<'a>,
    pub(super) api: &'a Api,
    /// Its name under `apis`.
    pub(super) name: &'a str,
    /// Its name in API Gateway.
    pub(super) own_name: Expression,
    pub(super) pointer: String,
    /// Its logical id.
    pub(super) id: String,
    pub(super) stage: String,
}

impl ApiContext<'_> {
    /// The URL of its stage, without a slash at its end.
    pub(super) fn url(&self) -> Expression {
        url(self.api.kind, self.name, &self.stage)
    }

    /// The ARN of calls of it, at any stage so that the console's test button works too.
    pub(super) fn calls(&self, what: &str) -> Expression {
        Expression::arn("execute-api", Expression::reference(&self.id).text(format!("/*/{what}")))
    }

    /// The ARN of the calls of a route, such as `GET /items/{id}`.
    pub(super) fn route_calls(&self, method: &str, path: &str) -> Expression {
        let method = if method == "ANY" { "*" } else { method };
        let path: Vec<&str> =
            path.split('/').map(|segment| if segment.starts_with('{') { "*" } else { segment }).collect();
        self.calls(&format!("{method}{}", path.join("/")))
    }

    /// Reports a function that is not there; true when it is.
    pub(super) fn knows_function(&self, assembly: &mut Assembly<'_>, function: &str, pointer: &str) -> bool {
        let known = &self.references.spec().functions;
        if known.contains_key(function) {
            return true;
        }
        assembly.report(
            Finding::error(code::R020, format!("there is no `{function}` under `functions`"))
                .at(self.references.loaded.place(pointer))
                .help(did_you_mean(function, known.keys())),
        );
        false
    }
}

/// The URL of an API's stage, without a slash at its end. The stage `$default` of an HTTP API has no part in it.
pub(super) fn url(kind: ApiKind, name: &str, stage: &str) -> Expression {
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
pub(super) fn function_uri(target: Expression) -> Expression {
    Expression::literal("arn:")
        .then(Expression::reference("AWS::Partition"))
        .text(":apigateway:")
        .then(Expression::reference("AWS::Region"))
        .text(":lambda:path/2015-03-31/functions/")
        .then(target)
        .text("/invocations")
}

/// A throttle's two numbers, which stand at a place; a whole rate without a point.
pub(super) fn throttle(pointer: &str, throttle: &Throttle) -> PartialData {
    PartialData::new(pointer).said("rate", "rate", rate(throttle.rate)).said("burst", "burst", throttle.burst)
}

/// A rate as a number; a whole one without a point.
pub(super) fn rate(rate: f64) -> Value {
    // Beyond what any API takes, and far below where a float stops being exact.
    if rate.fract() == 0.0 && (0.0..=1e9).contains(&rate) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number in those bounds")]
        return json!(rate as u64);
    }
    json!(rate)
}
