//! A component's `uses:` → the statements of its role.

use super::expression::Expression;
use super::models;
use super::references::{References, bucket_id, component_names, function_id};
use crate::finding::Finding;
use crate::iam::Statement;
use crate::spec::Grant;

/// The S3 actions of each way to use a bucket's objects.
const READ: [&str; 1] = ["s3:GetObject"];
const WRITE: [&str; 1] = ["s3:PutObject"];
const READ_WRITE: [&str; 2] = ["s3:GetObject", "s3:PutObject"];

/// The statement of one grant; `pointer` is the grant's place.
///
/// # Errors
/// `R022` for a grant on what is not there or cannot be used that way.
pub(super) fn statement(references: &References<'_>, grant: &Grant, pointer: &str) -> Result<Statement, Finding> {
    match grant {
        Grant::Invoke(target) => invoke(references, target, &format!("{pointer}/invoke")),
        Grant::Read(target) => objects(references, &READ, target, &format!("{pointer}/read")),
        Grant::Write(target) => objects(references, &WRITE, target, &format!("{pointer}/write")),
        Grant::ReadWrite(target) => objects(references, &READ_WRITE, target, &format!("{pointer}/read-write")),
        Grant::Statement(raw) => {
            let resources = raw.resources.iter().enumerate().map(|(index, resource)| {
                let pointer = format!("{pointer}/statement/resources/{index}");
                references.text(resource, &pointer).map(|resource| resource.value())
            });
            let resources: Result<Vec<_>, Finding> = resources.collect();
            Ok(Statement::allow(raw.actions.iter().map(String::as_str), resources?))
        }
    }
}

fn invoke(references: &References<'_>, target: &str, pointer: &str) -> Result<Statement, Finding> {
    if let Some(name) = target.strip_prefix("models.") {
        let Some(model) = references.spec().models.get(name) else {
            return Err(missing(references, "models", name, pointer));
        };
        let arns = models::invoke_arns(&model.id);
        return Ok(Statement::allow(["bedrock:InvokeModel"], arns.iter().map(Expression::value)));
    }
    if let Some(name) = target.strip_prefix("functions.") {
        if !references.spec().functions.contains_key(name) {
            return Err(missing(references, "functions", name, pointer));
        }
        let arn = Expression::attribute(function_id(name), "Arn");
        return Ok(Statement::allow(["lambda:InvokeFunction"], [arn.value()]));
    }
    Err(Finding::error("R022", format!("`{target}` cannot be invoked"))
        .at(references.loaded.place(pointer))
        .help("invoke a model, `models.NAME`, or a function, `functions.NAME`"))
}

fn objects(
    references: &References<'_>,
    actions: &[&'static str],
    target: &str,
    pointer: &str,
) -> Result<Statement, Finding> {
    let Some(rest) = target.strip_prefix("buckets.") else {
        return Err(Finding::error("R022", format!("`{target}` cannot be read or written"))
            .at(references.loaded.place(pointer))
            .help("read or write a bucket's objects, `buckets.NAME` or `buckets.NAME/prefix/`"));
    };
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if !references.spec().buckets.contains_key(name) {
        return Err(missing(references, "buckets", name, pointer));
    }
    if prefix.contains(['*', '?', '$']) {
        return Err(Finding::error("R022", format!("the prefix `{prefix}` holds a wildcard or a reference"))
            .at(references.loaded.place(pointer))
            .help("write the prefix as it starts the objects' keys, such as `buckets.NAME/posters/`"));
    }
    let objects = Expression::attribute(bucket_id(name), "Arn").text(format!("/{prefix}*"));
    Ok(Statement::allow(actions.iter().copied(), [objects.value()]))
}

fn missing(references: &References<'_>, section: &str, name: &str, pointer: &str) -> Finding {
    let names = component_names(references.spec(), section).unwrap_or_default();
    Finding::error("R022", format!("there is no `{name}` under `{section}`"))
        .at(references.loaded.place(pointer))
        .help(super::did_you_mean(name, names.iter()))
}
