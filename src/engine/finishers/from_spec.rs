//! The finishers of a spec.

use super::finisher::Finisher;
use crate::aws::{Item, ItemValue};
use crate::finding::Finding;
use crate::render::Rendered;
use crate::spec::{LoadedSpec, SeedRow, SeedValue, seed_rows};

/// What a spec wants done once its stack is complete.
///
/// # Errors
/// When rows are wrong; loading the spec tells that first.
pub(in crate::engine) fn from_spec(loaded: &LoadedSpec, rendered: &Rendered) -> Result<Vec<Finisher>, Vec<Finding>> {
    let mut finishers = Vec::new();
    let mut findings = Vec::new();
    for (name, bucket) in &loaded.spec.buckets {
        let Some(folder) = &bucket.documents else { continue };
        let Some(id) = logical_id(rendered, &format!("/buckets/{name}"), "AWS::S3::Bucket") else { continue };
        finishers.push(Finisher::Upload {
            component: format!("buckets.{name}"),
            bucket: id,
            folder: loaded.dir.join(folder),
            shown: folder.clone(),
            prefix: String::new(),
            place: loaded.place(&format!("/buckets/{name}/documents")),
        });
    }
    for (name, table) in &loaded.spec.tables {
        if table.seed.is_none() {
            continue;
        }
        let Some(id) = logical_id(rendered, &format!("/tables/{name}"), "AWS::DynamoDB::Table") else { continue };
        match seed_rows(loaded, name) {
            Ok(rows) => finishers.push(Finisher::Seed {
                component: format!("tables.{name}"),
                table: id,
                key: std::iter::once(&table.partition_key).chain(&table.sort_key).map(|key| key.name.clone()).collect(),
                rows: rows.into_iter().map(item).collect(),
                place: loaded.place(&format!("/tables/{name}/seed")),
            }),
            Err(wrong) => findings.extend(wrong),
        }
    }
    for (base, spec) in &loaded.spec.knowledge_bases {
        for (name, source) in &spec.sources {
            let Some(bucket) = &source.bucket else { continue };
            let pointer = format!("/knowledge-bases/{base}/sources/{name}");
            let Some(id) = logical_id(rendered, &pointer, "AWS::Bedrock::DataSource") else { continue };
            let Some(of) = logical_id(rendered, &format!("/buckets/{bucket}"), "AWS::S3::Bucket") else { continue };
            finishers.push(Finisher::Ingest {
                component: format!("knowledge-bases.{base}.sources.{name}"),
                source: id,
                bucket: of,
                filled_by: format!("buckets.{bucket}"),
                prefix: source.prefix.clone().unwrap_or_default(),
                place: loaded.place(&format!("{pointer}/bucket")),
            });
        }
    }
    if findings.is_empty() { Ok(finishers) } else { Err(findings) }
}

/// The resource of a type that a component was rendered to.
fn logical_id(rendered: &Rendered, pointer: &str, resource_type: &str) -> Option<String> {
    let resources = rendered.template.resources();
    let mut of_type = resources.filter(|resource| resource.type_ == resource_type).map(|resource| resource.logical_id);
    of_type.find(|id| rendered.origins.get(*id).is_some_and(|origin| origin == pointer)).map(str::to_owned)
}

fn item(row: SeedRow) -> Item {
    row.into_iter().map(|(name, one)| (name, value(one))).collect()
}

fn value(seed: SeedValue) -> ItemValue {
    match seed {
        SeedValue::Text(text) => ItemValue::Text(text),
        SeedValue::Number(text) => ItemValue::Number(text),
        SeedValue::Binary(bytes) => ItemValue::Binary(bytes),
        SeedValue::Boolean(flag) => ItemValue::Boolean(flag),
        SeedValue::Null => ItemValue::Null,
        SeedValue::List(entries) => ItemValue::List(entries.into_iter().map(value).collect()),
        SeedValue::Mapping(entries) => ItemValue::Map(item(entries)),
    }
}
