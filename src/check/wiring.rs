//! What hangs in the air: components nobody uses, names that stand in the way of a replacement, nothing to try.

use serde_json::Value;

use crate::cfn::schema::Schemas;
use crate::finding::{Finding, code};
use crate::render::Rendered;
use crate::spec::{LoadedSpec, escape};

pub(super) fn check(loaded: &LoadedSpec, rendered: &Rendered, findings: &mut Vec<Finding>) {
    unused(loaded, findings);
    names_in_the_way(loaded, rendered, findings);
    stored_values(loaded, rendered, findings);
    invoked_resources(loaded, rendered, findings);
    if loaded.spec.smoke.is_empty() {
        findings.push(
            Finding::note(
                code::R102,
                "there is no smoke test, so a deploy proves nothing about what the use case does",
            )
            .at(loaded.key_place("/name"))
            .help("add one under `smoke:`, such as `- invoke: functions.NAME`"),
        );
    }
}

/// Smoke tests that invoke a resource of a template made elsewhere, which is not known while the spec is loaded.
fn invoked_resources(loaded: &LoadedSpec, rendered: &Rendered, findings: &mut Vec<Finding>) {
    let resources = rendered.template.value().get("Resources");
    for (index, test) in loaded.spec.smoke.iter().enumerate() {
        let Some(id) = test.invoke.as_ref().and_then(|target| target.strip_prefix("resources.")) else { continue };
        let kind = |id: &str| resources?.get(id)?.get("Type")?.as_str();
        let message = match kind(id) {
            Some("AWS::Lambda::Function") => continue,
            Some(other) => format!("`{id}` is of type `{other}` and cannot be invoked"),
            None => format!("there is no resource `{id}` to invoke"),
        };
        let ids = resources.and_then(Value::as_object).into_iter().flat_map(|all| all.keys()).map(String::as_str);
        let functions: Vec<&str> = ids.filter(|id| kind(id) == Some("AWS::Lambda::Function")).collect();
        let help = match functions.is_empty() {
            true => "the template has no function".to_owned(),
            false => crate::spec::suggest(id, functions, "its functions are"),
        };
        let place = loaded.place(&format!("/smoke/{index}/invoke"));
        findings.push(Finding::error(code::R104, message).at(place).help(help));
    }
}

fn unused(loaded: &LoadedSpec, findings: &mut Vec<Finding>) {
    let spec = &loaded.spec;
    let mut texts = Vec::new();
    collect(&loaded.document, &mut texts);
    let layers = spec.layers.keys().filter(|layer| !spec.functions.values().any(|it| it.layers.contains(layer)));
    let in_air = spec.models.keys().map(|name| ("models", name)).chain(layers.map(|name| ("layers", name)));
    for (section, name) in in_air {
        let named = loaded.named.contains(&(section.to_owned(), name.clone()));
        if named || texts.iter().any(|text| names(text, &format!("{section}.{name}"))) {
            continue;
        }
        let what = section.trim_end_matches('s');
        let help = match section {
            "models" => format!("let a function use it with `- invoke: models.{name}`, or remove it"),
            _ => format!("let a function use it with `layers: [{name}]`, or remove it"),
        };
        findings.push(
            Finding::warning(code::R100, format!("nothing uses the {what} `{name}`"))
                .at(loaded.key_place(&format!("/{section}/{}", escape(name))))
                .help(help),
        );
    }
}

/// Whether a text names a component: `models.a` is in `${models.a.arn}` and not in `models.ab`.
fn names(text: &str, component: &str) -> bool {
    text.match_indices(component).any(|(at, _)| {
        let rest = text.get(at + component.len()..).unwrap_or_default();
        !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    })
}

fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        _ => {}
    }
}

/// A name of one's own on a resource that some other property can replace: the new one is made before the old one goes,
/// and cannot have its name.
fn names_in_the_way(loaded: &LoadedSpec, rendered: &Rendered, findings: &mut Vec<Finding>) {
    for resource in rendered.template.resources() {
        let Some((schema, properties)) = Schemas::embedded().get(resource.type_).zip(resource.properties()) else {
            continue;
        };
        let [identifier] = schema.primary_identifier() else { continue };
        let name = identifier.top();
        let creates = |key: &str| schema.create_only().iter().any(|pointer| pointer.top() == key);
        if !identifier.is_top() || !creates(name) || !name.ends_with("Name") || schema.delete_before_create() {
            continue;
        }
        let Some(Value::String(own)) = properties.get(name) else { continue };
        if let Some(other) = properties.keys().find(|key| *key != name && creates(key)) {
            let path = format!("Resources/{}/Properties/{name}", resource.logical_id);
            findings.push(
                Finding::warning(
                    code::R101,
                    format!("a change of `{other}` replaces this, and cannot while it is named `{own}`"),
                )
                .at(rendered.place(loaded, &path))
                .in_template(path)
                .help("leave the name to CloudFormation, or change the name together with it"),
            );
        }
    }
}

/// Text that CloudFormation does not take as it is: it puts a value kept elsewhere in the place of `{{resolve:…}}`.
fn stored_values(loaded: &LoadedSpec, rendered: &Rendered, findings: &mut Vec<Finding>) {
    for resource in rendered.template.resources() {
        for (key, value) in resource.properties().into_iter().flatten() {
            if let Some(within) = stored(value) {
                let path = format!("Resources/{}/Properties/{key}{within}", resource.logical_id);
                findings.push(
                    Finding::warning(
                        code::R103,
                        "CloudFormation puts the stored value in the place of `{{resolve:…}}`, for all to see who may look at the resource",
                    )
                    .at(rendered.place(loaded, &path))
                    .in_template(path)
                    .help("let the function read the value itself when it runs"),
                );
            }
        }
    }
}

/// The path within a value of the first text that holds a reference to a value kept elsewhere.
fn stored(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains("{{resolve:").then(String::new),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| Some(format!("/{index}{}", stored(item)?)))
        }
        Value::Object(members) => members.iter().find_map(|(key, member)| Some(format!("/{key}{}", stored(member)?))),
        _ => None,
    }
}
