//! The ARNs a model stands for, by the kind of its id.

use super::expression::Expression;
use crate::facts;

/// The ARN of the thing a program names when it calls the model: the model itself, or the inference profile.
pub(super) fn arn(id: &str) -> Expression {
    if id.starts_with("arn:") {
        Expression::literal(id)
    } else if facts::models().profile_of(id).is_some() {
        Expression::arn("bedrock", Expression::literal(format!("inference-profile/{id}")))
    } else {
        foundation_model(Expression::reference("AWS::Region"), id)
    }
}

/// Every ARN a caller of the model must be allowed on: a call through an inference profile is checked against the profile
/// and against the model in each region it may be sent to. A geographic profile stays within regions that only Bedrock
/// knows, so its region is a wildcard; a global profile is checked in the caller's region and with an empty one.
pub(super) fn invoke_arns(id: &str) -> Vec<Expression> {
    let mut arns = vec![arn(id)];
    if let Some((prefix, model)) = facts::models().profile_of(id) {
        if prefix == "global" {
            arns.push(foundation_model(Expression::reference("AWS::Region"), model));
            arns.push(foundation_model(Expression::default(), model));
        } else {
            arns.push(foundation_model(Expression::literal("*"), model));
        }
    }
    arns
}

fn foundation_model(region: Expression, id: &str) -> Expression {
    Expression::literal("arn:")
        .then(Expression::reference("AWS::Partition"))
        .text(":bedrock:")
        .then(region)
        .text(format!("::foundation-model/{id}"))
}
