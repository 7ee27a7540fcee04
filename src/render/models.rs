//! The ARNs a model stands for, by the kind of its id, and what callers of it must be allowed.

use serde_json::{Value, json};

use super::expression::Expression;
use super::ids::profile_id;
use super::references::References;
use crate::facts;
use crate::iam::Statement;
use crate::spec::Model;

/// What a program names when it calls a model of the spec: its id, or the ARN of the application inference profile made
/// of it.
pub(super) fn called(name: &str, model: &Model) -> Expression {
    match model.application_profile {
        true => Expression::attribute(profile_id(name), "InferenceProfileArn"),
        false => Expression::literal(&model.id),
    }
}

/// The ARN of what a program names when it calls a model of the spec.
pub(super) fn called_arn(name: &str, model: &Model) -> Expression {
    if model.application_profile { called(name, model) } else { arn(&model.id) }
}

/// The statements that let a program take `actions` on a model of the spec, such as `bedrock:InvokeModel`.
///
/// A call through an inference profile is checked against the profile and against the model in each region it may be sent
/// to; `bedrock:InferenceProfileArn` then keeps the right on the model to calls through that profile. Every call is checked
/// against its project too.
pub(super) fn statements(references: &References<'_>, name: &str, actions: &[&str]) -> Vec<Statement> {
    let Some(model) = references.spec().models.get(name) else { return Vec::new() };
    let called = called_arn(name, model).value();
    let allow = |resources: Vec<Value>| Statement::allow(actions.iter().copied(), resources);
    let mut statements = vec![allow(vec![called.clone(), default_project().value()])];
    let behind = match model.application_profile {
        // The models of the profile it copies, or the one model.
        true => match behind(&model.id) {
            behind if behind.is_empty() => vec![arn(&model.id)],
            behind => behind,
        },
        false => behind(&model.id),
    };
    if !behind.is_empty() {
        let behind = behind.iter().map(Expression::value).collect();
        statements.push(allow(behind).when("StringEquals", "bedrock:InferenceProfileArn", called));
    }
    statements
}

/// The ARN of the thing an id names: the model itself, or the inference profile.
pub(super) fn arn(id: &str) -> Expression {
    if id.starts_with("arn:") {
        Expression::literal(id)
    } else if facts::models().profile_of(id).is_some() {
        Expression::arn("bedrock", Expression::literal(format!("inference-profile/{id}")))
    } else {
        foundation_model(Expression::reference("AWS::Region"), id)
    }
}

/// The models behind an inference profile; none behind a model. A geographic profile stays within regions that only
/// Bedrock knows, so its region is a wildcard; a global profile is checked in the caller's region and with an empty one.
/// Which models an application inference profile of the account has, only Bedrock knows.
fn behind(id: &str) -> Vec<Expression> {
    let (region, profile) = match id.split_once(":inference-profile/") {
        Some((head, profile)) => {
            let region = head.split(':').nth(3).unwrap_or_default();
            (Expression::literal(region), profile)
        }
        None => (Expression::reference("AWS::Region"), id),
    };
    match facts::models().profile_of(profile) {
        Some(("global", model)) => {
            vec![foundation_model(region, model), foundation_model(Expression::default(), model)]
        }
        Some((_, model)) => vec![foundation_model(Expression::literal("*"), model)],
        None => Vec::new(),
    }
}

/// The project that a call belongs to which names none: InvokeModel and InvokeModelWithResponseStream need their action on
/// the inference target and on the project, by the text of botocore 1.44.8's bedrock-runtime model, which 1.44.5 did not
/// have. The user guide's policies of September 2026 do without it.
fn default_project() -> Expression {
    Expression::arn("bedrock", Expression::literal("project/default"))
}

/// The application inference profile of a model: the model or the system profile whose calls are told apart by it.
pub(super) fn source(model: &Model) -> Value {
    json!(arn(&model.id).value())
}

fn foundation_model(region: Expression, id: &str) -> Expression {
    Expression::literal("arn:")
        .then(Expression::reference("AWS::Partition"))
        .text(":bedrock:")
        .then(region)
        .text(format!("::foundation-model/{id}"))
}
