//! Looks at what a stack holds before it is destroyed, nested stacks included.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::abort::Abort;
use super::artifact_bucket::{self, ArtifactBucket};
use super::artifact_names;
use super::bucket_origin::{BucketOrigin, bucket_origin};
use super::destroy_plan::{Disposition, Leftover, ObjectCount, PlannedDeletion};
use super::run::Run;
use crate::aws::{CallError, CallErrorKind, Clients, StackEvent, StackResource, StackSummary};
use crate::cfn::intrinsics::{Environment, policy_of};
use crate::cfn::{Resource, Template};
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
pub(super) async fn inventory(run: &Run<'_>, stack_id: &str) -> Result<(Vec<PlannedDeletion>, Vec<Leftover>), Abort> {
    run.unless_cancelled(look(run.clients, stack_id)).await?.map_err(Abort::from)
}

/// What earlier deployments of a stack replaced or removed and could not delete, by the stack's own events: only what
/// this stack itself created counts. Buckets that are proven to be it come as resources that go, anything else as what
/// stays.
pub(super) async fn orphans(
    run: &Run<'_>,
    stack_id: &str,
    known: &[PlannedDeletion],
) -> Result<(Vec<PlannedDeletion>, Vec<Leftover>), Abort> {
    let events = run.attempt(run.clients.stack_events(stack_id, None)).await?;
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
        let mut bucket = PlannedDeletion {
            logical_id: event.logical_id.clone(),
            resource_type: event.resource_type.clone(),
            physical_id: Some(event.physical_id.clone()),
            disposition: Disposition::Deleted,
            reason: None,
            stack_id: stack_id.to_owned(),
            objects: None,
            orphaned: true,
            data: holds_data(BUCKET),
        };
        match run.unless_cancelled(look_into(run.clients, &mut bucket)).await? {
            Ok(()) if bucket.disposition == Disposition::LeftAlone => {
                stays.extend(bucket.leftover());
                buckets.push(bucket);
            }
            Ok(()) if bucket.objects.is_none() => {}
            Ok(()) => buckets.push(bucket),
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

/// The artifact bucket and how many files a stack has in it; none when there is no bucket that is proven to be this
/// account's own.
pub(super) async fn artifacts_of(
    run: &Run<'_>,
    account: &str,
    stack: &str,
) -> Result<Option<(String, ObjectCount)>, Abort> {
    let ArtifactBucket::Own { name } = artifact_bucket::find(run, account, None).await? else { return Ok(None) };
    let folder = artifact_names::folder(stack);
    let counted = run.attempt(count(run.clients, &name, Some(&folder))).await?;
    Ok(Some((name, counted.unwrap_or_default())))
}

async fn look(clients: &Clients, stack_id: &str) -> Result<(Vec<PlannedDeletion>, Vec<Leftover>), CallError> {
    let mut resources = Vec::new();
    let mut stays = Vec::new();
    let mut ahead = vec![(stack_id.to_owned(), String::new(), 0)];
    while let Some((stack, prefix, depth)) = ahead.pop() {
        let (listed, template) = tokio::join!(clients.stack_resources(&stack), clients.processed_template_of(&stack));
        let listed = listed?;
        // Without the template every policy counts as the default, which is what most have.
        let policies = match template.ok().and_then(|text| Template::parse(&text).ok()) {
            Some(template) => policies(clients, &stack, &template).await?,
            None => Policies::default(),
        };
        stays.extend(undeclared_logs(&listed, &policies));
        for resource in listed {
            let nested = resource.resource_type == "AWS::CloudFormation::Stack";
            if let Some(id) = resource.physical_id.clone().filter(|_| nested && depth < DEPTH) {
                ahead.push((id, format!("{prefix}{}/", resource.logical_id), depth + 1));
            }
            let removed = {
                let disposition =
                    policies.dispositions.get(&resource.logical_id).copied().unwrap_or(Disposition::Deleted);
                describe(clients, stack.clone(), format!("{prefix}{}", resource.logical_id), resource, disposition)
            };
            resources.push(removed);
        }
    }
    let mut resources: Vec<PlannedDeletion> =
        stream::iter(resources).buffer_unordered(AT_ONCE).try_filter_map(|r| async { Ok(r) }).try_collect().await?;
    resources.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    stays.extend(resources.iter().filter_map(PlannedDeletion::leftover));
    stays.sort_by(|a, b| (&a.resource_type, &a.physical_id).cmp(&(&b.resource_type, &b.physical_id)));
    Ok((resources, stays))
}

/// Whether a resource is a bucket that exists.
fn is_bucket_there(resource: &StackResource) -> bool {
    resource.resource_type == BUCKET
        && !matches!(resource.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED" | "CREATE_FAILED")
}

/// None for what is gone already.
async fn describe(
    clients: &Clients,
    stack_id: String,
    logical_id: String,
    resource: StackResource,
    disposition: Disposition,
) -> Result<Option<PlannedDeletion>, CallError> {
    if resource.status == "DELETE_COMPLETE" {
        return Ok(None);
    }
    let is_there = is_bucket_there(&resource);
    let mut removed = PlannedDeletion {
        disposition,
        reason: None,
        stack_id,
        logical_id,
        data: holds_data(&resource.resource_type),
        resource_type: resource.resource_type,
        physical_id: resource.physical_id,
        objects: None,
        orphaned: false,
    };
    if is_there {
        look_into(clients, &mut removed).await?;
    }
    Ok(Some(removed))
}

/// Counts what a bucket holds, when it is proven to be the stack's; else it is left alone. A bucket that its policy
/// retains is counted too, whoever made it: nothing is done to it.
async fn look_into(clients: &Clients, bucket: &mut PlannedDeletion) -> Result<(), CallError> {
    let Some(name) = bucket.physical_id.clone() else { return Ok(()) };
    if bucket.disposition == Disposition::Deleted {
        match bucket_origin(clients, &name, &bucket.stack_id).await? {
            BucketOrigin::Stack => {}
            BucketOrigin::Gone => return Ok(()),
            BucketOrigin::Other(reason) => {
                bucket.leave_alone(reason);
                return Ok(());
            }
        }
    }
    bucket.objects = count(clients, &name, None).await?;
    Ok(())
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
    dispositions: BTreeMap<String, Disposition>,
    logging: BTreeSet<String>,
}

async fn policies(clients: &Clients, stack_id: &str, template: &Template) -> Result<Policies, CallError> {
    let mut found = Policies::default();
    let computed = |resource: &Resource<'_>| resource.attribute(POLICY).is_some_and(Value::is_object);
    let stack = match template.resources().any(|resource| computed(&resource)) {
        true => clients.stack(stack_id).await?,
        false => None,
    };
    let decided = stack.as_ref().map(|stack| DecidedPolicies::new(template, stack));
    for resource in template.resources() {
        let id = resource.logical_id.to_owned();
        let policy = match resource.attribute(POLICY) {
            // What is not known is taken as kept, so that nothing is emptied that stays.
            Some(policy) if policy.is_object() => {
                decided.as_ref().and_then(|it| it.policy(policy)).unwrap_or_else(|| "Retain".to_owned())
            }
            policy => policy.and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        let disposition = match policy.as_str() {
            "Retain" | "RetainExceptOnCreate" => Disposition::Retained,
            "Snapshot" => Disposition::Snapshot,
            _ => Disposition::Deleted,
        };
        if resource.properties().and_then(|properties| properties.get("LoggingConfig")).is_some_and(Value::is_object) {
            found.logging.insert(id.clone());
        }
        found.dispositions.insert(id, disposition);
    }
    Ok(found)
}

/// The attribute that says what becomes of a resource when its stack goes.
const POLICY: &str = "DeletionPolicy";

/// What the conditions of a deployed template decide about its policies.
struct DecidedPolicies {
    template: Template,
    values: BTreeMap<String, String>,
    environment: Environment,
}

impl DecidedPolicies {
    fn new(template: &Template, stack: &StackSummary) -> Self {
        // The service does not tell these values, and their defaults are not what they are.
        let untold = |name: &str| {
            template
                .parameter(name)
                .is_some_and(|it| it.no_echo() || it.type_().starts_with("AWS::SSM::Parameter::Value<"))
        };
        let mut value = template.value().clone();
        if let Some(Value::Object(parameters)) = value.get_mut("Parameters") {
            for (_, body) in parameters.iter_mut().filter(|(name, _)| untold(name)) {
                body.as_object_mut().map(|body| body.remove("Default"));
            }
        }
        let values = stack.parameters.iter().filter(|(name, _)| !untold(name));
        // arn:PARTITION:cloudformation:REGION:ACCOUNT:stack/NAME/ID
        let mut parts = stack.id.split(':').skip(3);
        let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Self {
            values: values.map(|(name, value)| (name.clone(), value.clone())).collect(),
            environment: Environment::new(account, region, stack.name.as_str()),
            template: Template::from_value(value).unwrap_or_else(|_| template.clone()),
        }
    }

    fn policy(&self, written: &Value) -> Option<String> {
        policy_of(written, &self.template, &self.values, &self.environment)
    }
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
