//! Buckets.

use serde_json::{Value, json};

use crate::render::assemble::Assembly;
use crate::render::escape;
use crate::render::expression::Expression;
use crate::render::references::{References, bucket_id};
use crate::spec::Bucket;

pub(super) fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, bucket: &Bucket) {
    let pointer = format!("/buckets/{}", escape(name));
    let name_prefix = match &bucket.name {
        Some(text) => match assembly.keep(references.text(text, &format!("{pointer}/name"))) {
            Some(prefix) => prefix.value(),
            None => return,
        },
        None => Value::Null,
    };
    let id = bucket_id(name);
    let data = json!({
        "policy_id": format!("{id}Policy"),
        "objects_arn": Expression::attribute(&id, "Arn").text("/*").value(),
        "name_prefix": name_prefix,
        "expire_days": bucket.expire_after.map(|days| days.0),
        "versioning": bucket.versioning,
        "output_id": format!("{id}Name"),
        "id": id,
    });
    assembly.add("bucket", &data, &pointer);
}
