//! Roles for people, apps and services.

use serde_json::{Value, json};

use crate::facts;
use crate::finding::Finding;
use crate::iam::{Principal, Statement};
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::grants::{self, Asked};
use crate::render::ids::role_id;
use crate::render::references::{Kind, References, no_grant};
use crate::spec::{Assumer, Role, escape};

/// Roles.
pub(super) const KIND: Kind = Kind {
    section: "roles",
    add: |assembly, references| {
        for (name, role) in &references.spec().roles {
            add(assembly, references, name, role);
        }
    },
    attribute: |_, name, attribute| {
        let id = role_id(name);
        Some(match attribute {
            "" | "name" => Expression::reference(id),
            "arn" => Expression::attribute(id, "Arn"),
            _ => return None,
        })
    },
    grant: no_grant,
};

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, role: &Role) {
    let pointer = format!("/roles/{}", escape(name));
    let own_name = match &role.name {
        Some(text) => assembly.keep(references.text(text, &format!("{pointer}/name"))).map(|it| it.value()),
        None => Some(Value::Null),
    };
    let trust = assembly.keep(trust(references, role, &pointer));
    let (mut asked, mut whole) = (Asked::default(), true);
    for (index, grant) in role.uses.iter().enumerate() {
        let pointer = format!("{pointer}/uses/{index}");
        match assembly.keep(grants::statements(references, grant, &pointer)) {
            Some(statements) => asked.add(pointer, statements),
            None => whole = false,
        }
    }
    let (Some(own_name), Some(trust), true) = (own_name, trust, whole) else { return };
    let id = role_id(name);
    let description = role.description.clone().unwrap_or_else(|| {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { ' ' };
        format!("The role {name} of {}", references.spec().name).chars().map(plain).collect()
    });
    let data = PartialData::new(pointer)
        .said("name", "name", own_name)
        .said("description", "description", description)
        .said("session_seconds", "session", role.session.map(|session| session.0))
        .policy("trust", "assumed-by", &trust)
        .policy("policy", "uses", &asked)
        .made("policy_name", "uses")
        .made("output_id", format!("{id}Arn"))
        .made("id", id);
    assembly.add("role", data);
}

/// Who may take the role. A service is let in for this account only, but for those that do not say for whom they act: a
/// role that asks a service for what it does not say can be taken by nobody.
fn trust(references: &References<'_>, role: &Role, pointer: &str) -> Result<Asked, Finding> {
    let mut asked = Asked::default();
    for (index, assumer) in role.assumed_by.iter().enumerate() {
        let pointer = format!("{pointer}/assumed-by/{index}");
        let assume = Statement::allow(["sts:AssumeRole"], []);
        let (key, statement) = match assumer {
            Assumer::Service(service) => {
                let statement = assume.to(Principal::service(service));
                let ours = json!({ "Ref": "AWS::AccountId" });
                match facts::iam_exceptions().sends_no_source(service) {
                    true => ("service", statement),
                    false => ("service", statement.when("StringEquals", "aws:SourceAccount", ours)),
                }
            }
            Assumer::Principal(text) => {
                let arn = references.text(text, &format!("{pointer}/principal"))?;
                ("principal", assume.to(aws(&arn)))
            }
            Assumer::Account(account) => {
                let account = match account.as_str() {
                    "this" => Expression::reference("AWS::AccountId"),
                    digits => Expression::literal(digits),
                };
                let root = Expression::literal("arn:")
                    .then(Expression::reference("AWS::Partition"))
                    .text(":iam::")
                    .then(account)
                    .text(":root");
                ("account", assume.to(aws(&root)))
            }
        };
        asked.add(format!("{pointer}/{key}"), [statement]);
    }
    Ok(asked)
}

fn aws(arn: &Expression) -> Principal {
    Principal::Of("AWS".to_owned(), arn.value().to_string())
}
