//! What a bucket notifies, which must let S3 in before the bucket is made.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{at, entries, inside, literal, mentions, of_type, target};
use crate::cfn::{Resource, ResourceGraph, Template};
use crate::finding::{Finding, code};

/// A kind of destination: the list, the key that names it, its type, and what lets S3 in.
const KINDS: [(&str, &str, &str, &[&str]); 3] = [
    ("LambdaConfigurations", "Function", "AWS::Lambda::Function", &["AWS::Lambda::Permission"]),
    ("QueueConfigurations", "Queue", "AWS::SQS::Queue", &["AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy"]),
    ("TopicConfigurations", "Topic", "AWS::SNS::Topic", &["AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy"]),
];

/// S3 tries a destination when the notification is set, and refuses it: `Unable to validate the following destination
/// configurations` (S3 user guide, granting permissions to publish event notification messages, read 2026-11).
pub(super) fn check(template: &Template, findings: &mut Vec<Finding>) {
    // Made when the first is met.
    let mut graph = None;
    for bucket in of_type(template, "AWS::S3::Bucket") {
        for (list, key, type_, openers) in KINDS {
            for (index, configuration) in
                entries(inside(bucket, &["NotificationConfiguration", list])).iter().enumerate()
            {
                let Some(destination) = configuration.get(key).and_then(target) else { continue };
                // What is elsewhere, or stands for a version or an alias, is not looked into.
                if template.resource(destination).is_none_or(|resource| resource.type_ != type_) {
                    continue;
                }
                let path = at(bucket, &format!("NotificationConfiguration/{list}/{index}/{key}"));
                let opener =
                    template.resources().find(|other| openers.contains(&other.type_) && lets_in(*other, destination));
                let graph = graph.get_or_insert_with(|| ResourceGraph::from_template(template));
                findings.extend(judge(graph, bucket, destination, opener, openers).map(|it| it.in_template(path)));
            }
        }
    }
}

/// Whether a permission or policy is about the destination and for S3.
fn lets_in(opener: Resource<'_>, destination: &str) -> bool {
    let properties = Value::Object(opener.properties().cloned().unwrap_or_default());
    let open = opener.type_ != "AWS::Lambda::Permission"
        || literal(properties.get("Principal"))
            .is_none_or(|principal| principal == "*" || principal.starts_with("s3."));
    open && mentions(&properties, destination)
}

fn judge(
    graph: &ResourceGraph,
    bucket: Resource<'_>,
    destination: &str,
    opener: Option<Resource<'_>>,
    openers: &[&str],
) -> Option<Finding> {
    let Some(opener) = opener else {
        let wanted = openers.first().copied().unwrap_or_default();
        return Some(
            Finding::error(
                code::L128,
                format!("the bucket notifies `{destination}`, and nothing in the template lets S3 do so"),
            )
            .help(format!("add an `{wanted}` for `s3.amazonaws.com`, and let the bucket depend on it")),
        );
    };
    (!waits_for(graph, bucket.logical_id, opener.logical_id)).then(|| {
        Finding::warning(
            code::L129,
            format!("the bucket may be made before `{}`, without which S3 refuses to notify `{destination}`", opener.logical_id),
        )
        .help(format!(
            "add `DependsOn: {}` to the bucket; a `SourceArn` there must then not refer to the bucket but write its name",
            opener.logical_id
        ))
    })
}

/// Whether one resource is made after another.
fn waits_for(graph: &ResourceGraph, later: &str, earlier: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![later];
    while let Some(here) = waiting.pop() {
        if here == earlier {
            return true;
        }
        if seen.insert(here) {
            waiting.extend(graph.dependencies(here));
        }
    }
    false
}
