//! Roles: who may take them, under which name, for how long.

use super::context::Rules;
use crate::finding::code;
use crate::spec::text::{Piece, Text};
use crate::spec::types::Assumer;
use crate::spec::values::Seconds;
use crate::spec::words::{cut, escape};

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, role) in &spec.roles {
        let base = format!("/roles/{}", escape(name));
        if role.assumed_by.is_empty() && rules.intact(&format!("{base}/assumed-by")) {
            let message = format!("no one can assume the role `{name}`");
            let help = "name who may, such as `- service: ecs-tasks.amazonaws.com` or `- account: this`";
            rules.error(code::S210, &format!("{base}/assumed-by"), message, help);
        }
        for (index, assumer) in role.assumed_by.iter().enumerate() {
            let pointer = format!("{base}/assumed-by/{index}");
            match assumer {
                Assumer::Service(service) => is_service(rules, &format!("{pointer}/service"), service),
                Assumer::Principal(text) => is_principal(rules, &format!("{pointer}/principal"), text),
                Assumer::Account(account) => is_account(rules, &format!("{pointer}/account"), account),
            }
        }
        if let Some(text) = &role.name {
            let all: String = literals(text);
            let fits = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
            if text.source().is_empty() || all.len() > 64 || !all.bytes().all(fits) {
                let message = format!("`{}` cannot be the name of a role", cut(text.source()));
                rules.error(
                    code::S211,
                    &format!("{base}/name"),
                    message,
                    "use letters, digits and `_+=,.@-`, at most 64",
                );
            }
        }
        if let Some(Seconds(session)) = role.session.filter(|session| !(3600..=43_200).contains(&session.0)) {
            let message = format!("a session of {} is out of bounds", Seconds(session));
            rules.error(code::S032, &format!("{base}/session"), message, "IAM takes 1h to 12h");
        }
    }
}

fn literals(text: &Text) -> String {
    let pieces = text.pieces().unwrap_or_default();
    pieces
        .iter()
        .filter_map(|piece| if let Piece::Literal(literal) = piece { Some(literal.as_str()) } else { None })
        .collect()
}

fn is_service(rules: &mut Rules<'_>, pointer: &str, service: &str) {
    let word = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b));
    let name = service.strip_suffix(".amazonaws.com").or_else(|| service.strip_suffix(".amazonaws.com.cn"));
    if name.is_some_and(|name| !name.is_empty() && word(name)) {
        return;
    }
    let message = format!("`{}` is not an AWS service", cut(service));
    let help = match word(service) && !service.is_empty() && !service.contains('.') {
        true => format!("write `{service}.amazonaws.com`"),
        false => "write one such as `ecs-tasks.amazonaws.com`".to_owned(),
    };
    rules.error(code::S210, pointer, message, help);
}

fn is_principal(rules: &mut Rules<'_>, pointer: &str, text: &Text) {
    let source = text.source();
    if source.contains(['*', '?']) {
        let message = format!("`{}` has a wildcard: it lets in who was not meant", cut(source));
        return rules.error(
            code::S210,
            pointer,
            message,
            "write the ARN of one user or role, or `account:` for a whole account",
        );
    }
    if !source.starts_with("arn:") && !source.starts_with("${") {
        let message = format!("`{}` is not the ARN of a user or role", cut(source));
        let help = "write `arn:aws:iam::123456789012:role/NAME`, or a reference such as `${roles.NAME.arn}`";
        rules.error(code::S210, pointer, message, help);
    }
}

fn is_account(rules: &mut Rules<'_>, pointer: &str, account: &str) {
    if account != "this" && (account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit())) {
        let message = format!("`{}` is not an account", cut(account));
        rules.error(code::S210, pointer, message, "write `this`, or the twelve digits of another account in quotes");
    }
}
