//! Buckets.

use serde_json::Value;

use crate::finding::{Finding, code};
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::bucket_id;
use crate::render::references::{Ask, Kind, References};
use crate::spec::{Bucket, escape};

/// Buckets.
pub(super) const KIND: Kind = Kind {
    section: "buckets",
    add: |assembly, references| {
        for (name, bucket) in &references.spec().buckets {
            add(assembly, references, name, bucket);
        }
    },
    attribute: |_, name, attribute| {
        let id = bucket_id(name);
        Some(match attribute {
            "" | "name" => Expression::reference(id),
            "arn" => Expression::attribute(id, "Arn"),
            "domain" => Expression::attribute(id, "RegionalDomainName"),
            _ => return None,
        })
    },
    grant,
};

/// Buckets: by objects, all of them or those below a prefix, and by their keys.
fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    let actions: &[&str] = match ask.verb {
        "read" => &["s3:GetObject"],
        "write" => &["s3:PutObject"],
        "read-write" => &["s3:GetObject", "s3:PutObject"],
        "delete" => &["s3:DeleteObject"],
        "list" if ask.rest.is_empty() => {
            let bucket = Expression::attribute(bucket_id(ask.name), "Arn");
            return Ok(vec![Statement::allow(["s3:ListBucket"], [bucket.value()])]);
        }
        _ => return Err(references.cannot(ask)),
    };
    let prefix = ask.rest;
    if prefix.contains(['*', '?', '$']) {
        return Err(Finding::error(code::R022, format!("the prefix `{prefix}` holds a wildcard or a reference"))
            .at(references.loaded.place(ask.pointer))
            .help("write the prefix as it starts the objects' keys, such as `buckets.NAME/posters/`"));
    }
    let objects = Expression::attribute(bucket_id(ask.name), "Arn").text(format!("/{prefix}*"));
    let mut statements = vec![Statement::allow(actions.iter().copied(), [objects.value()])];
    statements.extend(key_statement(references, ask.name, actions)?);
    Ok(statements)
}

/// What objects under a key of the account's own take beside the bucket: S3 asks KMS in the caller's name, to read an
/// object and to write one, and to put an upload's parts together it reads them.
fn key_statement(references: &References<'_>, name: &str, actions: &[&str]) -> Result<Option<Statement>, Finding> {
    let Some(key) = references.spec().buckets.get(name).and_then(|bucket| bucket.kms_key.as_ref()) else {
        return Ok(None);
    };
    let key = references.text(key, &format!("/buckets/{}/kms-key", escape(name)))?;
    let kms: &[&str] = match (actions.contains(&"s3:PutObject"), actions.contains(&"s3:GetObject")) {
        (true, _) => &["kms:Decrypt", "kms:GenerateDataKey"],
        (false, true) => &["kms:Decrypt"],
        (false, false) => return Ok(None),
    };
    let s3 = Expression::literal("s3.")
        .then(Expression::reference("AWS::Region"))
        .text(".")
        .then(Expression::reference("AWS::URLSuffix"));
    Ok(Some(Statement::allow(kms.iter().copied(), [key.value()]).when("StringEquals", "kms:ViaService", s3.value())))
}

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, bucket: &Bucket) {
    let pointer = format!("/buckets/{}", escape(name));
    let name_prefix = match &bucket.name {
        Some(text) => match assembly.keep(references.text(text, &format!("{pointer}/name"))) {
            Some(prefix) => prefix.value(),
            None => return,
        },
        None => Value::Null,
    };
    let kms_key = match &bucket.kms_key {
        Some(text) => match assembly.keep(references.text(text, &format!("{pointer}/kms-key"))) {
            Some(key) => key.value(),
            None => return,
        },
        None => Value::Null,
    };
    let id = bucket_id(name);
    let data = PartialData::new(pointer)
        .said("kms_key", "kms-key", kms_key)
        .made("policy_id", format!("{id}Policy"))
        .made("objects_arn", Expression::attribute(&id, "Arn").text("/*").value())
        .said("name_prefix", "name", name_prefix)
        .said("expire_days", "expire-after", bucket.expire_after.map(|days| days.0))
        .said("versioning", "versioning", bucket.versioning)
        .made("output_id", format!("{id}Name"))
        .made("id", id);
    assembly.add("bucket", data);
}
