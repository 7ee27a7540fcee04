//! Foundation models: nothing is made for one, but for an application inference profile.

use super::{Ask, Kind};
use crate::finding::Finding;
use crate::iam::Statement;
use crate::render::expression::Expression;
use crate::render::models;
use crate::render::references::References;

/// Models.
pub(super) const KIND: Kind = Kind { section: "models", add: |_, _| {}, attribute, grant };

fn attribute(references: &References<'_>, name: &str, attribute: &str) -> Option<Expression> {
    let model = references.spec().models.get(name)?;
    let inference = &model.inference;
    let number = |value: Option<String>| value.map(Expression::literal);
    match attribute {
        "" | "id" => Some(Expression::literal(&model.id)),
        "arn" => Some(models::arn(&model.id)),
        "max-tokens" => number(inference.max_tokens.map(|it| it.to_string())),
        "temperature" => number(inference.temperature.map(|it| it.to_string())),
        "top-p" => number(inference.top_p.map(|it| it.to_string())),
        "top-k" => number(inference.top_k.map(|it| it.to_string())),
        "dimensions" => number(model.dimensions.map(|it| it.to_string())),
        _ => None,
    }
}

/// Calls through Converse are checked as `bedrock:InvokeModel` too; answers that come bit by bit have an action of
/// their own.
fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    let action = match ask.verb {
        "invoke" => "bedrock:InvokeModel",
        "stream" => "bedrock:InvokeModelWithResponseStream",
        _ => return Err(references.cannot(ask)),
    };
    let Some(model) = references.spec().models.get(ask.name) else { return Err(references.cannot(ask)) };
    let arns = models::invoke_arns(&model.id);
    Ok(vec![Statement::allow([action], arns.iter().map(Expression::value))])
}
