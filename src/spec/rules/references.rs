//! `${…}`: everything it can name, and nothing else.

use super::routes::{path_parameters, split_key, takes_body};
use super::texts::{RouteOf, Site, sites};
use super::{Rules, SECTIONS};
use crate::spec::text::{Piece, Reference, TextError};
use crate::spec::words::{cut, nearest, suggest};

/// The attributes of a section's components beside the name a program uses.
fn attributes(section: &str) -> &'static [&'static str] {
    match section {
        "models" => &["arn", "id"],
        "buckets" => &["arn", "domain", "name"],
        "layers" => &["arn"],
        "functions" => &["arn", "name"],
        "apis" => &["id", "url"],
        _ => &[],
    }
}

/// The words that refer to no component.
const WORDS: [&str; 4] = ["stage", "region", "account", "body"];

/// What authors who know CloudFormation write, and its word here.
const CLOUDFORMATION: [(&str, &str); 3] =
    [("AWS::Region", "region"), ("AWS::AccountId", "account"), ("AWS::StackName", "stage")];

/// More pieces than any one text of a stack has.
const MOST_PIECES: usize = 1000;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for site in sites(spec) {
        if rules.is_full() {
            return;
        }
        match site.text.pieces() {
            Ok(pieces) => {
                for piece in pieces.into_iter().take(MOST_PIECES) {
                    if let Piece::Reference(reference) = piece {
                        resolve(rules, &site, &reference);
                    }
                }
            }
            Err(error) => malformed(rules, &site.pointer, &error),
        }
    }
    let plain = spec.models.iter().map(|(name, model)| (format!("/models/{name}/id"), &model.id));
    for (name, function) in &spec.functions {
        let fields = [("code", &function.code), ("handler", &function.handler), ("runtime", &function.runtime)];
        for (field, text) in fields {
            no_references(rules, &format!("/functions/{name}/{field}"), text);
        }
    }
    for (pointer, text) in plain {
        no_references(rules, &pointer, text);
    }
}

fn no_references(rules: &mut Rules<'_>, pointer: &str, text: &str) {
    if text.contains("${") {
        let message = format!("`{}` takes no `${{…}}` references", crate::spec::words::path(pointer));
        rules.error("S020", pointer, message, "write the value itself");
    }
}

fn malformed(rules: &mut Rules<'_>, pointer: &str, error: &TextError) {
    let (message, help) = match error {
        TextError::Unclosed => {
            ("a `${` is never closed".to_owned(), "add the `}`, or write `$${` for a literal `${`".to_owned())
        }
        TextError::Unknown(inside) => {
            let known = CLOUDFORMATION.iter().find(|(theirs, _)| *theirs == inside.trim());
            let help = match known {
                Some((_, ours)) => format!("write `${{{ours}}}`"),
                None => match nearest(inside, WORDS) {
                    Some(word) => format!("did you mean `${{{word}}}`?"),
                    None => "write `${section.name}`, `${parameters.name}`, `${stage}`, `${region}` or `${account}`; \
                             `$${` stands for a literal `${`"
                        .to_owned(),
                },
            };
            (format!("`${{{}}}` is not a reference", cut(inside)), help)
        }
    };
    rules.error("S020", pointer, message, help);
}

fn resolve(rules: &mut Rules<'_>, site: &Site<'_>, reference: &Reference) {
    match reference {
        Reference::Stage | Reference::Region | Reference::Account => {}
        Reference::Parameter(name) => {
            if !rules.has("parameters", name) {
                let help = rules.suggest_name("parameters", name);
                let message = format!("`${{parameters.{}}}` names no parameter", cut(name));
                rules.error("S021", &site.pointer, message, help);
            } else if rules.spec.parameters.get(name).is_some_and(|parameter| parameter.secret) {
                secret(rules, site, name);
            }
        }
        Reference::Component { section, name, attribute } => {
            component(rules, site, section, name, attribute.as_deref());
        }
        Reference::Query(name) => request(rules, site, "query", Some(name)),
        Reference::Header(name) => request(rules, site, "header", Some(name)),
        Reference::Path(name) => request(rules, site, "path", Some(name)),
        Reference::Body => request(rules, site, "body", None),
    }
}

/// A secret parameter where others can read it.
fn secret(rules: &mut Rules<'_>, site: &Site<'_>, name: &str) {
    let shown = format!("${{parameters.{}}}", cut(name));
    match site.owner {
        None => {
            let message = format!("`{shown}` is a secret, and an output shows it to all who may see the stack");
            rules.error("S045", &site.pointer, message, "take the output away, or `secret: true` from the parameter");
        }
        Some(("functions", _)) => {
            let message = format!("the value of the secret `{shown}` can be read by whoever may see the function");
            let help = "the Lambda console and GetFunctionConfiguration show it; keep it in Secrets Manager and have the \
                        function fetch it there where that matters";
            rules.warning("S046", &site.pointer, message, help);
        }
        Some((section, _)) => {
            let message = format!("the value of the secret `{shown}` can be read by whoever may see `{section}`");
            rules.warning("S046", &site.pointer, message, "use a parameter that is no secret here");
        }
    }
}

fn component(rules: &mut Rules<'_>, site: &Site<'_>, section: &str, name: &str, attribute: Option<&str>) {
    let shown = match attribute {
        Some(attribute) => format!("${{{}.{}.{}}}", cut(section), cut(name), cut(attribute)),
        None => format!("${{{}.{}}}", cut(section), cut(name)),
    };
    let whole = match section {
        "query" | "header" | "path" | "parameters" => Some(format!("write `${{{section}.NAME}}`")),
        "body" => Some("write `${body}`, which is the whole body, and take it apart in the function".to_owned()),
        _ => None,
    };
    if let Some(help) = whole {
        return rules.error("S021", &site.pointer, format!("`{shown}` has a part too many"), help);
    }
    if !SECTIONS.contains(&section) {
        let all = SECTIONS.iter().copied().chain(["parameters"]);
        let help = suggest(section, all, "the sections that can be named are");
        return rules.error("S021", &site.pointer, format!("`{shown}` names no section"), help);
    }
    if !rules.has(section, name) {
        let help = rules.suggest_name(section, name);
        return rules.error("S021", &site.pointer, format!("`{shown}` names nothing in this spec"), help);
    }
    if let Some(attribute) = attribute.filter(|attribute| !attributes(section).contains(attribute)) {
        let help = suggest(attribute, attributes(section).iter().copied(), &format!("`{section}` have"));
        rules.error("S022", &site.pointer, format!("`{shown}` has no attribute `{}`", cut(attribute)), help);
    }
}

/// A reference to a part of the request.
fn request(rules: &mut Rules<'_>, site: &Site<'_>, part: &str, name: Option<&String>) {
    let shown = match name {
        Some(name) => format!("${{{part}.{}}}", cut(name)),
        None => format!("${{{part}}}"),
    };
    let Some(route) = site.route else {
        let message = format!("`{shown}` means something in a route's `request` only");
        let help = "a request exists while it is answered; name a component or a parameter here";
        return rules.error("S023", &site.pointer, message, help);
    };
    match (part, name) {
        ("path", Some(name)) => in_path(rules, site, route, &shown, name),
        ("query", Some(name)) => declared(rules, site, route.query, &shown, name, "query"),
        ("header", Some(name)) => declared(rules, site, route.headers, &shown, name, "headers"),
        _ => {
            let method = split_key(route.key).map(|(method, _)| method).unwrap_or_default();
            if !takes_body(method) {
                let message = format!("`{shown}`: a {method} request has no body");
                rules.error("S023", &site.pointer, message, "use POST, PUT or PATCH, or take the value from the query");
            }
        }
    }
}

fn in_path(rules: &mut Rules<'_>, site: &Site<'_>, route: RouteOf<'_>, shown: &str, name: &str) {
    let parameters = path_parameters(route.key);
    if !parameters.contains(&name) {
        let message = format!("`{shown}`: the route `{}` has no `{{{}}}`", cut(route.key), cut(name));
        let help = match nearest(name, parameters.iter().copied()) {
            Some(parameter) => format!("did you mean `${{path.{parameter}}}`?"),
            None => format!("write `{{{}}}` in the route's path", cut(name)),
        };
        rules.error("S023", &site.pointer, message, help);
    }
}

/// A parameter need not be required to be used (it is empty when a request lacks it); one letter off a required one
/// is a slip all the same.
fn declared(rules: &mut Rules<'_>, site: &Site<'_>, required: &[String], shown: &str, name: &str, list: &str) {
    if !super::routes::is_parameter_name(name) {
        let message = format!("`{shown}` cannot be the name of a request's parameter");
        return rules.error("S023", &site.pointer, message, "use letters, digits, `_`, `-` and `$`");
    }
    if required.iter().any(|other| other == name) {
        return;
    }
    if let Some(near) = nearest(name, required.iter().map(String::as_str)) {
        let message = format!("`{shown}` is not in `require.{list}`, which has `{}`", cut(near));
        let help = format!("write `{}` if you meant it; else requests without it give an empty text", cut(near));
        rules.warning("S024", &site.pointer, message, help);
    }
}
