//! `${…}`: everything it can name, and nothing else.

use super::context::Rules;
use super::routes::{path_parameters, split_key, takes_body};
use crate::finding::code;
use crate::spec::marks::Marked;
use crate::spec::sections::{SECTIONS, Section};
use crate::spec::text::{Piece, Reference, Text, TextError};
use crate::spec::types::UseCase;
use crate::spec::words::{cut, nearest, suggest};

/// The words that refer to no component.
const WORDS: [&str; 6] = ["stage", "stage-suffix", "region", "account", "partition", "body"];

/// What authors who know CloudFormation write, and its word here.
const CLOUDFORMATION: [(&str, &str); 4] = [
    ("AWS::Region", "region"),
    ("AWS::AccountId", "account"),
    ("AWS::Partition", "partition"),
    ("AWS::StackName", "stage"),
];

/// More pieces than any one text of a stack has.
const MOST_PIECES: usize = 1000;

/// A text, with what its references may name.
struct ReferenceSite<'a> {
    pointer: &'a str,
    /// Section and name of the component it belongs to.
    owner: Option<(&'a str, &'a str)>,
    /// The route whose request it describes.
    route: Option<RouteOf<'a>>,
}

/// What a request text needs to know of its route.
#[derive(Clone, Copy)]
struct RouteOf<'a> {
    /// `METHOD /path`.
    key: &'a str,
    /// Query-string parameters a request must have.
    query: &'a [String],
    /// Headers a request must have.
    headers: &'a [String],
}

impl<'a> ReferenceSite<'a> {
    fn of(spec: &'a UseCase, mark: &'a Marked<Text>) -> Self {
        let owner = mark.owner.as_ref().map(|(section, name)| (section.as_str(), name.as_str()));
        Self { pointer: &mark.pointer, owner, route: route_of(spec, &mark.pointer) }
    }
}

/// The route that a text in `/apis/NAME/routes/INDEX/KEY/request/…` or `…/aws/request/…` describes the request of.
fn route_of<'a>(spec: &'a UseCase, pointer: &str) -> Option<RouteOf<'a>> {
    let segments: Vec<String> =
        pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect();
    let [section, api, routes, index, key, rest @ ..] = segments.as_slice() else { return None };
    let in_request = match rest {
        [first, ..] if first == "request" => true,
        [first, second, ..] => first == "aws" && second == "request",
        _ => false,
    };
    if section != "apis" || routes != "routes" || !in_request {
        return None;
    }
    let route = spec.apis.get(api)?.routes.get(index.parse::<usize>().ok()?)?;
    let (key, body) = route.0.get_key_value(key)?;
    Some(RouteOf { key, query: &body.require.query, headers: &body.require.headers })
}

pub(super) fn check(rules: &mut Rules<'_>) {
    let (spec, marks) = (rules.spec, rules.marks);
    for mark in &marks.texts {
        if rules.is_full() {
            return;
        }
        let site = ReferenceSite::of(spec, mark);
        match mark.value.pieces() {
            Ok(pieces) => {
                for piece in pieces.into_iter().take(MOST_PIECES) {
                    if let Piece::Reference(reference) = piece {
                        resolve(rules, &site, &reference);
                    }
                }
            }
            Err(error) => malformed(rules, site.pointer, &error),
        }
    }
    let plain = spec.models.iter().map(|(name, model)| (format!("/models/{name}/id"), &model.id));
    for (name, function) in &spec.functions {
        let fields = [("handler", &function.handler), ("runtime", &function.runtime)];
        for (field, text) in fields {
            no_references(rules, &format!("/functions/{name}/{field}"), text);
        }
    }
    for (pointer, text) in plain {
        no_references(rules, &pointer, text);
    }
    for file in &marks.files {
        no_references(rules, &file.pointer, &file.value.path);
    }
}

fn no_references(rules: &mut Rules<'_>, pointer: &str, text: &str) {
    if text.contains("${") {
        let message = format!("`{}` takes no `${{…}}` references", crate::spec::words::path(pointer));
        rules.error(code::S020, pointer, message, "write the value itself");
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
    rules.error(code::S020, pointer, message, help);
}

fn resolve(rules: &mut Rules<'_>, site: &ReferenceSite<'_>, reference: &Reference) {
    match reference {
        Reference::Stage | Reference::StageSuffix | Reference::Region | Reference::Account | Reference::Partition => {}
        Reference::Parameter(name) => {
            if !rules.has("parameters", name) {
                let help = rules.suggest_name("parameters", name);
                let message = format!("`${{parameters.{}}}` names no parameter", cut(name));
                rules.error(code::S021, site.pointer, message, help);
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
fn secret(rules: &mut Rules<'_>, site: &ReferenceSite<'_>, name: &str) {
    let shown = format!("${{parameters.{}}}", cut(name));
    match site.owner {
        // No parameter goes with a call: the rules of smoke tests say so.
        None if site.pointer.starts_with("/smoke/") => {}
        None => {
            let message = format!("`{shown}` is a secret, and an output shows it to all who may see the stack");
            rules.error(code::S045, site.pointer, message, "remove the output, or `secret: true` from the parameter");
        }
        Some(("functions", _)) => {
            let message = format!("the value of the secret `{shown}` can be read by everyone who can see the function");
            let help = "the Lambda console and GetFunctionConfiguration show it; keep it in Secrets Manager and have the \
                        function fetch it there where that matters";
            rules.warning(code::S046, site.pointer, message, help);
        }
        Some((section, _)) => {
            let message = format!("the value of the secret `{shown}` can be read by everyone who can see `{section}`");
            rules.warning(code::S046, site.pointer, message, "use a parameter that is not secret here");
        }
    }
}

fn component(rules: &mut Rules<'_>, site: &ReferenceSite<'_>, section: &str, name: &str, attribute: Option<&str>) {
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
        return rules.error(code::S021, site.pointer, format!("`{shown}` has a part too many"), help);
    }
    if section == "needs" || section == "resources" {
        return outside(rules, site, section, name, attribute, &shown);
    }
    let Some(known) = Section::of(section) else {
        let all = SECTIONS.iter().map(|section| section.key).chain(["parameters", "needs", "resources"]);
        let help = suggest(section, all, "the sections that can be named are");
        return rules.error(code::S021, site.pointer, format!("`{shown}` names no section"), help);
    };
    if !rules.has(section, name) {
        let help = rules.suggest_name(section, name);
        return rules.error(code::S021, site.pointer, format!("`{shown}` names nothing in this spec"), help);
    }
    if let Some(attribute) = attribute.filter(|attribute| !known.attributes.contains(attribute)) {
        let help = match known.attributes {
            [] => format!("write `${{{section}.{name}}}`"),
            attributes => suggest(attribute, attributes.iter().copied(), &format!("`{section}` have")),
        };
        return rules.error(code::S022, site.pointer, format!("`{shown}` has no attribute `{}`", cut(attribute)), help);
    }
    if let Some(help) = attribute.and_then(|attribute| lacking(rules.spec, section, name, attribute)) {
        rules.error(code::S022, site.pointer, format!("`{shown}` has no value"), help);
    }
}

/// What to do about an attribute that this one component lacks, as it depends on a key the author left out.
fn lacking(spec: &UseCase, section: &str, name: &str, attribute: &str) -> Option<String> {
    let missing = match section {
        "functions" => attribute == "url" && spec.functions.get(name)?.url.is_none(),
        "models" => {
            let model = spec.models.get(name)?;
            match attribute {
                "dimensions" => model.dimensions.is_none(),
                "max-tokens" => model.inference.max_tokens.is_none(),
                "temperature" => model.inference.temperature.is_none(),
                "top-k" => model.inference.top_k.is_none(),
                "top-p" => model.inference.top_p.is_none(),
                _ => false,
            }
        }
        _ => false,
    };
    let key = match (section, attribute) {
        ("models", "max-tokens" | "temperature" | "top-k" | "top-p") => format!("inference.{attribute}"),
        _ => attribute.to_owned(),
    };
    missing.then(|| format!("say `{key}` of `{section}.{name}`, or remove the reference"))
}

/// `${needs.alias.Output}` and `${resources.LogicalId}` or `${resources.LogicalId.Attribute}`: what the other stack
/// gives, and which attributes a type has, is not the spec's to say.
fn outside(
    rules: &mut Rules<'_>,
    site: &ReferenceSite<'_>,
    section: &str,
    name: &str,
    attribute: Option<&str>,
    shown: &str,
) {
    // The resources of a template made elsewhere are known when it has been read.
    if section == "resources" && rules.document.get("template").is_some() {
        return;
    }
    if !rules.has(section, name) {
        let help = rules.suggest_name(section, name);
        rules.error(code::S021, site.pointer, format!("`{shown}` names nothing in this spec"), help);
    } else if section == "needs" && attribute.is_none() {
        let message = format!("`{shown}` does not say which output it takes");
        rules.error(code::S022, site.pointer, message, format!("write `${{needs.{name}.OUTPUT}}`"));
    }
}

/// A reference to a part of the request.
fn request(rules: &mut Rules<'_>, site: &ReferenceSite<'_>, part: &str, name: Option<&String>) {
    let shown = match name {
        Some(name) => format!("${{{part}.{}}}", cut(name)),
        None => format!("${{{part}}}"),
    };
    let Some(route) = site.route else {
        let message = format!("`{shown}` means something in a route's `request` only");
        let help = "a request exists while it is answered; name a component or a parameter here";
        return rules.error(code::S023, site.pointer, message, help);
    };
    match (part, name) {
        ("path", Some(name)) => in_path(rules, site, route, &shown, name),
        ("query", Some(name)) => declared(rules, site, route.query, &shown, name, "query"),
        ("header", Some(name)) => declared(rules, site, route.headers, &shown, name, "headers"),
        _ => {
            let method = split_key(route.key).map(|(method, _)| method).unwrap_or_default();
            if !takes_body(method) {
                let message = format!("`{shown}`: a {method} request has no body");
                rules.error(
                    code::S023,
                    site.pointer,
                    message,
                    "use POST, PUT or PATCH, or take the value from the query",
                );
            }
        }
    }
}

fn in_path(rules: &mut Rules<'_>, site: &ReferenceSite<'_>, route: RouteOf<'_>, shown: &str, name: &str) {
    let parameters = path_parameters(route.key);
    if !parameters.contains(&name) {
        let message = format!("`{shown}`: the route `{}` has no `{{{}}}`", cut(route.key), cut(name));
        let help = match nearest(name, parameters.iter().copied()) {
            Some(parameter) => format!("did you mean `${{path.{parameter}}}`?"),
            None => format!("write `{{{}}}` in the route's path", cut(name)),
        };
        rules.error(code::S023, site.pointer, message, help);
    }
}

/// A parameter need not be required to be used (it is empty when a request lacks it); one letter off a required one
/// is a slip all the same.
fn declared(rules: &mut Rules<'_>, site: &ReferenceSite<'_>, required: &[String], shown: &str, name: &str, list: &str) {
    if !super::routes::is_parameter_name(name) {
        let message = format!("`{shown}` cannot be the name of a request's parameter");
        return rules.error(code::S023, site.pointer, message, "use letters, digits, `_`, `-` and `$`");
    }
    if required.iter().any(|other| other == name) {
        return;
    }
    if let Some(near) = nearest(name, required.iter().map(String::as_str)) {
        let message = format!("`{shown}` is not in `require.{list}`, which has `{}`", cut(near));
        let help = format!("write `{}` if you meant it; else requests without it give an empty text", cut(near));
        rules.warning(code::S024, site.pointer, message, help);
    }
}
