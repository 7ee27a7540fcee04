//! Looks at what a stack holds before it is destroyed, nested stacks included.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::artifact_bucket::artifact_bucket_name;
use super::outcome::Leftover;
use super::recover::is_bucket_there;
use super::removal::{Fate, ObjectCount, RemovedResource};
use super::run::{Run, Stop};
use crate::aws::{CallError, CallErrorKind, Clients, StackEvent, StackResource};
use crate::cfn::Template;
use crate::plan::holds_data;

/// Pages of a thousand that are counted: enough to say how long it will take, and no longer than a breath.
const COUNTED_PAGES: usize = 10;
/// The type of a bucket.
const BUCKET: &str = "AWS::S3::Bucket";
/// Buckets counted at once.
const AT_ONCE: usize = 8;
/// How deep nested stacks are followed; CloudFormation itself sets no limit, people stop at three.
const DEPTH: usize = 8;

/// The resources of a stack, and what will stay.
pub(super) async fn survey(run: &Run<'_>, stack_id: &str) -> Result<(Vec<RemovedResource>, Vec<Leftover>), Stop> {
    run.unless_cancelled(look(run.clients, stack_id)).await?.map_err(Stop::from)
}

/// What earlier deployments of a stack replaced or removed and could not delete, by the stack's own events: only what
/// this stack itself created counts. Buckets come as resources that go, anything else as what stays.
pub(super) async fn orphans(
    run: &Run<'_>,
    stack_id: &str,
    known: &[RemovedResource],
) -> Result<(Vec<RemovedResource>, Vec<Leftover>), Stop> {
    let events = run.unless_cancelled(run.clients.stack_events(stack_id, None)).await??;
    let mut buckets = Vec::new();
    let mut stays = Vec::new();
    for event in forgotten(&events) {
        if known.iter().any(|resource| resource.physical_id.as_deref() == Some(event.physical_id.as_str())) {
            continue;
        }
        let left = |reason: &str| Leftover {
            resource_type: event.resource_type.clone(),
            logical_id: Some(event.logical_id.clone()),
            physical_id: event.physical_id.clone(),
            reason: reason.to_owned(),
            intended: false,
        };
        if event.resource_type != BUCKET {
            stays.push(left("an earlier deployment replaced or removed it and could not delete it"));
            continue;
        }
        match run.unless_cancelled(count(run.clients, &event.physical_id, None)).await? {
            Ok(None) => {}
            Ok(objects) => buckets.push(RemovedResource {
                logical_id: event.logical_id.clone(),
                resource_type: event.resource_type.clone(),
                physical_id: Some(event.physical_id.clone()),
                fate: Fate::Deleted,
                objects,
                orphaned: true,
                data: holds_data(BUCKET),
            }),
            Err(_) => stays.push(left("an earlier deployment could not delete it, and it cannot be read")),
        }
    }
    Ok((buckets, stays))
}

/// Of a stack's events, oldest first, the failed deletions of what the stack created, one a thing and none of what was
/// deleted after all.
fn forgotten(events: &[StackEvent]) -> Vec<&StackEvent> {
    let mut created: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut failed: BTreeMap<(&str, &str), &StackEvent> = BTreeMap::new();
    for event in events.iter().filter(|event| !event.is_stack() && !event.physical_id.is_empty()) {
        let thing = (event.resource_type.as_str(), event.physical_id.as_str());
        match event.status.as_str() {
            "CREATE_COMPLETE" => {
                created.insert(thing);
            }
            "DELETE_FAILED" if created.contains(&thing) => {
                failed.insert(thing, event);
            }
            "DELETE_COMPLETE" => {
                failed.remove(&thing);
            }
            _ => {}
        }
    }
    failed.into_values().collect()
}

/// Counts the files a stack has in the artifact bucket.
pub(super) async fn artifacts_of(run: &Run<'_>, account: &str, stack: &str) -> Result<ObjectCount, Stop> {
    let bucket = artifact_bucket_name(account, run.clients.region());
    let folder = format!("{stack}/");
    let count = count(run.clients, &bucket, Some(&folder));
    Ok(run.unless_cancelled(count).await??.unwrap_or_default())
}

async fn look(clients: &Clients, stack_id: &str) -> Result<(Vec<RemovedResource>, Vec<Leftover>), CallError> {
    let mut resources = Vec::new();
    let mut stays = Vec::new();
    let mut ahead = vec![(stack_id.to_owned(), String::new(), 0)];
    while let Some((stack, prefix, depth)) = ahead.pop() {
        let (listed, template) = tokio::join!(clients.stack_resources(&stack), clients.template_of(&stack));
        let listed = listed?;
        // Without the template every policy counts as the default, which is what most have.
        let policies =
            template.ok().and_then(|text| Template::parse(&text).ok()).map(|t| policies(&t)).unwrap_or_default();
        stays.extend(undeclared_logs(&listed, &policies));
        for resource in listed {
            let nested = resource.resource_type == "AWS::CloudFormation::Stack";
            if let Some(id) = resource.physical_id.clone().filter(|_| nested && depth < DEPTH) {
                ahead.push((id, format!("{prefix}{}/", resource.logical_id), depth + 1));
            }
            let removed = {
                let fate = policies.fates.get(&resource.logical_id).copied().unwrap_or(Fate::Deleted);
                describe(clients, format!("{prefix}{}", resource.logical_id), resource, fate)
            };
            resources.push(removed);
        }
    }
    let mut resources: Vec<RemovedResource> =
        stream::iter(resources).buffer_unordered(AT_ONCE).try_filter_map(|r| async { Ok(r) }).try_collect().await?;
    resources.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    stays.extend(resources.iter().filter(|resource| resource.fate != Fate::Deleted).map(kept));
    stays.sort_by(|a, b| (&a.resource_type, &a.physical_id).cmp(&(&b.resource_type, &b.physical_id)));
    Ok((resources, stays))
}

/// None for what is gone already.
async fn describe(
    clients: &Clients,
    logical_id: String,
    resource: StackResource,
    fate: Fate,
) -> Result<Option<RemovedResource>, CallError> {
    if resource.status == "DELETE_COMPLETE" {
        return Ok(None);
    }
    let objects = match &resource.physical_id {
        Some(bucket) if is_bucket_there(&resource) => count(clients, bucket, None).await?,
        _ => None,
    };
    Ok(Some(RemovedResource {
        fate,
        logical_id,
        data: holds_data(&resource.resource_type),
        resource_type: resource.resource_type,
        physical_id: resource.physical_id,
        objects,
        orphaned: false,
    }))
}

/// Counts versions and delete markers; none when the bucket is not there.
async fn count(clients: &Clients, bucket: &str, prefix: Option<&str>) -> Result<Option<ObjectCount>, CallError> {
    let mut total = ObjectCount::default();
    let mut from = None;
    for page in 1..=COUNTED_PAGES {
        let read = match clients.object_versions(bucket, prefix, from).await {
            Ok(read) => read,
            Err(error) if error.kind == CallErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        total.count += read.versions.len() as u64;
        if !read.truncated {
            break;
        }
        total.more = page == COUNTED_PAGES;
        from = read.next;
    }
    Ok(Some(total))
}

/// What a template says about leaving things behind.
#[derive(Default)]
struct Policies {
    fates: BTreeMap<String, Fate>,
    logging: BTreeSet<String>,
}

fn policies(template: &Template) -> Policies {
    let mut found = Policies::default();
    for resource in template.resources() {
        let id = resource.logical_id.to_owned();
        let fate = match resource.deletion_policy() {
            Some("Retain" | "RetainExceptOnCreate") => Fate::Retained,
            Some("Snapshot") => Fate::Snapshot,
            _ => Fate::Deleted,
        };
        if resource.properties().and_then(|properties| properties.get("LoggingConfig")).is_some_and(Value::is_object) {
            found.logging.insert(id.clone());
        }
        found.fates.insert(id, fate);
    }
    found
}

/// Functions that write to a log group nobody declared: Lambda makes it on the first call and nothing deletes it.
fn undeclared_logs(resources: &[StackResource], policies: &Policies) -> Vec<Leftover> {
    let declared: BTreeSet<&str> = resources
        .iter()
        .filter(|resource| resource.resource_type == "AWS::Logs::LogGroup")
        .filter_map(|resource| resource.physical_id.as_deref())
        .collect();
    resources
        .iter()
        .filter(|resource| resource.resource_type == "AWS::Lambda::Function")
        .filter(|resource| !policies.logging.contains(&resource.logical_id))
        .filter_map(|function| {
            let name = format!("/aws/lambda/{}", function.physical_id.as_deref()?);
            (!declared.contains(name.as_str())).then(|| Leftover {
                resource_type: "AWS::Logs::LogGroup".to_owned(),
                logical_id: Some(function.logical_id.clone()),
                physical_id: name,
                reason: "Lambda makes it on the first call, outside the stack, if the function was ever called"
                    .to_owned(),
                intended: true,
            })
        })
        .collect()
}

fn kept(resource: &RemovedResource) -> Leftover {
    Leftover {
        resource_type: resource.resource_type.clone(),
        logical_id: Some(resource.logical_id.clone()),
        physical_id: resource.physical_id.clone().unwrap_or_default(),
        reason: match resource.fate {
            Fate::Snapshot => "its deletion policy keeps a snapshot".to_owned(),
            Fate::Retained | Fate::Deleted => "its deletion policy retains it".to_owned(),
        },
        intended: true,
    }
}
