//! A function's role: who may take it, and what it allows.

use serde_json::json;

use super::ids::{dead_letter_id, logs_id};
use crate::iam::{Effect, Policy, Principal, Statement};
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::grants::{self, Asked};
use crate::render::ids::function_id;
use crate::render::references::References;
use crate::spec::{Function, UseCase};

/// What Lambda does with network interfaces by a function's role, and the function itself has no need of.
const INTERFACES: [&str; 4] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
];

/// What EC2 lets nobody narrow to a resource.
const LOOKS: [&str; 2] = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"];

pub(super) fn role_id(name: &str) -> String {
    function_id(name) + "Role"
}

/// IAM takes few characters in a description, and names have only those.
pub(super) fn description(spec: &UseCase, name: &str) -> String {
    let plain: String = format!("What the function {name} of {} may do", spec.name)
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .collect();
    plain
}

/// Only Lambda may take the role. There is no condition on the source, for the reason and by the sources that
/// `schemas/iam-exceptions.json` gives.
pub(super) fn trust() -> Policy {
    Policy::of([Statement::allow(["sts:AssumeRole"], []).to(Principal::service("lambda.amazonaws.com"))])
}

/// What the function may do: write its log, what `uses` says, and what Lambda does for it by its role.
pub(super) fn policy(
    assembly: &mut Assembly<'_>,
    references: &References<'_>,
    name: &str,
    function: &Function,
    pointer: &str,
) -> Option<Asked> {
    // The ARN of a log group ends in `:*`, which is its streams. No `logs:CreateLogGroup`: a late write after a destroy
    // would bring the group back.
    let log = Expression::attribute(logs_id(name), "Arn").value();
    let mut asked = Asked::default();
    asked.add(pointer, [Statement::allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log])]);
    if function.dead_letter {
        let queue = Expression::attribute(dead_letter_id(name), "Arn").value();
        asked.add(format!("{pointer}/dead-letter"), [Statement::allow(["sqs:SendMessage"], [queue])]);
    }
    if references.spec().network.is_some() && function.in_network {
        asked.add(format!("{pointer}/in-network"), interfaces());
    }
    let mut whole = true;
    for (index, grant) in function.uses.iter().enumerate() {
        let pointer = format!("{pointer}/uses/{index}");
        match assembly.keep(grants::statements(references, grant, &pointer)) {
            Some(statements) => asked.add(pointer, statements),
            None => whole = false,
        }
    }
    whole.then_some(asked)
}

/// What Lambda needs to put a function into subnets, on whatever of EC2's is in the account and region: narrower resources,
/// such as `network-interface/*`, are refused when the function is made. Sources: Lambda Developer Guide, execution role
/// permissions of functions in a VPC; github.com/hashicorp/terraform-provider-aws issue 20698.
fn interfaces() -> Vec<Statement> {
    let any = Expression::arn("ec2", Expression::literal("*/*")).value();
    vec![Statement::allow(INTERFACES, [any]), Statement::allow(LOOKS, [json!("*")])]
}

/// Takes from the function's own code what only Lambda needs of its role. `lambda:SourceFunctionArn` is in every call
/// that the code makes and in none that Lambda makes. A policy apart from the role: it names the function, and the
/// function names the role.
pub(super) fn add_guard(assembly: &mut Assembly<'_>, name: &str, pointer: &str) {
    let function = Expression::attribute(function_id(name), "Arn").value();
    let mut deny = Statement::allow(INTERFACES.into_iter().chain(LOOKS), [json!("*")]).when(
        "ArnEquals",
        "lambda:SourceFunctionArn",
        function,
    );
    deny.effect = Effect::Deny;
    let data = PartialData::new(format!("{pointer}/in-network"))
        .made("id", role_id(name) + "Guard")
        .made("role_id", role_id(name))
        .made("policy", Policy::of([deny]).to_value());
    assembly.add("function-guard", data);
}
