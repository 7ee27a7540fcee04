//! Whether a bucket is the one a stack made, and not another that got its name later.
//!
//! CloudFormation marks what it makes: a bucket carries the id of its stack as the tag `aws:cloudformation:stack-id`, and
//! tags that begin with `aws:` can be set, changed and removed by nobody else. A stack's id is never given twice, so the
//! tag proves it; a bucket made again by hand, or by another stack, has none or another.
//! Source: "CloudFormation resource tagging" in the CloudFormation template reference, read 2026-11-29.
//!
//! Some endpoints that stand for AWS mark no bucket. There, and only there, the stack's own record of making it counts:
//! the bucket is not older than the stack and not younger than the event that says it is complete. An endpoint that has
//! marked any other bucket is taken to mark all.

use jiff::{SignedDuration, Timestamp};

use crate::aws::{CallError, CallErrorKind, Clients, ListedBucket, StackEvent, TargetKind};

/// The tag that CloudFormation puts on what it makes.
const STACK_ID_TAG: &str = "aws:cloudformation:stack-id";
/// Other buckets that are looked at for the tag, to see whether an endpoint marks buckets at all.
const OTHERS: usize = 20;
/// A bucket's time of creation is told to the second.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Where a bucket comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BucketOrigin {
    /// The stack made it.
    Stack,
    /// There is no bucket of this name.
    Gone,
    /// It is not proven that the stack made it, for this reason.
    Other(String),
}

/// Where the bucket that now has this name comes from, as seen from a stack.
///
/// # Errors
/// When a call fails, or the tags of one of the account's own buckets may not be read.
pub(super) async fn bucket_origin(clients: &Clients, bucket: &str, stack_id: &str) -> Result<BucketOrigin, CallError> {
    let tags = match clients.bucket_tags(bucket).await {
        Ok(Some(tags)) => tags,
        Ok(None) => return Ok(BucketOrigin::Gone),
        Err(error) if error.kind == CallErrorKind::Denied => return of_another_account(clients, bucket, error).await,
        Err(error) => return Err(error),
    };
    match tags.get(STACK_ID_TAG) {
        Some(id) if id == stack_id => Ok(BucketOrigin::Stack),
        Some(id) => Ok(BucketOrigin::Other(format!("its tag `{STACK_ID_TAG}` names `{id}`"))),
        None if is_like_aws(clients) => Ok(unmarked()),
        None => by_record(clients, bucket, stack_id).await,
    }
}

fn unmarked() -> BucketOrigin {
    BucketOrigin::Other(format!(
        "it lacks the tag `{STACK_ID_TAG}`, which CloudFormation puts on every bucket it makes"
    ))
}

/// A denial: the bucket is another account's, or the identity may not read the tags of its own. The list of the account's
/// own buckets tells which.
async fn of_another_account(clients: &Clients, bucket: &str, denial: CallError) -> Result<BucketOrigin, CallError> {
    match clients.own_buckets().await {
        Ok(own) if !own.iter().any(|listed| listed.name == bucket) => {
            Ok(BucketOrigin::Other("it is not among the buckets of this account".to_owned()))
        }
        _ => Err(denial),
    }
}

/// Whether the endpoint is known to mark every bucket and to delete none that holds something: AWS and the local target.
pub(super) fn is_like_aws(clients: &Clients) -> bool {
    let Some(endpoint) = clients.endpoint() else { return true };
    let host = endpoint.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_ascii_lowercase));
    let of_aws =
        |host: String| [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|end| host.ends_with(end));
    clients.target().kind == TargetKind::Local || host.is_some_and(of_aws)
}

async fn by_record(clients: &Clients, bucket: &str, stack_id: &str) -> Result<BucketOrigin, CallError> {
    let listed = clients.own_buckets().await?;
    for other in listed.iter().filter(|other| other.name != bucket).take(OTHERS) {
        // One that cannot be read says nothing of the endpoint.
        let tags = clients.bucket_tags(&other.name).await.ok().flatten().unwrap_or_default();
        if tags.contains_key(STACK_ID_TAG) {
            return Ok(unmarked());
        }
    }
    let events = clients.stack_events(stack_id, None).await?;
    Ok(if is_recorded(bucket, &listed, &events) {
        BucketOrigin::Stack
    } else {
        BucketOrigin::Other(format!(
            "it lacks the tag `{STACK_ID_TAG}`, and the stack's events do not say that the stack made it at the time it was \
             made"
        ))
    })
}

/// Whether a stack's events, oldest first, and the time a bucket was made agree on that the stack made it.
fn is_recorded(bucket: &str, listed: &[ListedBucket], events: &[StackEvent]) -> bool {
    let made: Option<Timestamp> = listed.iter().find(|other| other.name == bucket).and_then(|other| other.created);
    let begun = events.first().and_then(|event| event.at);
    let last = events.iter().rev().find(|event| {
        event.physical_id == bucket && matches!(event.status.as_str(), "CREATE_COMPLETE" | "DELETE_COMPLETE")
    });
    let complete = last.filter(|event| event.status == "CREATE_COMPLETE").and_then(|event| event.at);
    match (made, begun, complete) {
        (Some(made), Some(begun), Some(complete)) => made <= complete && begun.duration_since(made) <= SECOND,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(1_764_000_000 + second).ok()
    }

    fn event(physical_id: &str, status: &str, second: i64) -> StackEvent {
        StackEvent {
            id: String::new(),
            stack_id: "arn:stack".into(),
            stack_name: "stack".into(),
            logical_id: "Posters".into(),
            physical_id: physical_id.into(),
            resource_type: "AWS::S3::Bucket".into(),
            status: status.into(),
            reason: None,
            at: at(second),
            token: None,
        }
    }

    #[test]
    fn a_record_counts_only_while_nothing_contradicts_it() {
        let listed = |second| vec![ListedBucket { name: "posters".into(), created: at(second) }];
        let events = [event("", "CREATE_IN_PROGRESS", 10), event("posters", "CREATE_COMPLETE", 14)];
        assert!(is_recorded("posters", &listed(12), &events));
        assert!(!is_recorded("posters", &listed(15), &events), "made again after the stack had made it");
        assert!(!is_recorded("posters", &listed(5), &events), "older than the stack");
        assert!(!is_recorded("others", &listed(12), &events));
        assert!(!is_recorded("posters", &[ListedBucket { name: "posters".into(), created: None }], &events));
        let deleted = [events.as_slice(), &[event("posters", "DELETE_COMPLETE", 20)]].concat();
        assert!(!is_recorded("posters", &listed(12), &deleted), "the stack deleted what it had made");
        assert!(!is_recorded("posters", &listed(12), &events[..1]), "events that are cut off prove nothing");
    }
}
