//! The one bucket an account and region has for artifacts, made and removed by a stack of its own.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::abort::Abort;
use super::artifact_names::{ARTIFACT_STACK, artifact_bucket_name};
use super::bucket_origin::{BucketOrigin, bucket_origin};
use super::change_set::RECONCILE_TRIES;
use super::effect::Effect;
use super::events::{EventEmitter, EventKind};
use super::follow::{StackFollower, wait_for};
use super::ledger::EffectError;
use super::operation_end::OperationEnd;
use super::run::Run;
use crate::aws::{CallErrorKind, StackState, StackSummary};
use crate::finding::{Finding, code};

/// What a bucket nobody has finished an upload to keeps of it, in days.
const UNFINISHED_UPLOAD_DAYS: u32 = 1;

/// The tag, and its value, that say what the stack is for.
const PURPOSE_TAG: &str = "bedplate:purpose";
const PURPOSE: &str = "artifacts";
/// The stack's output that says what the bucket is called.
const BUCKET_OUTPUT: &str = "BucketName";

/// Encrypted, closed to the public, TLS only.
pub(super) fn template(bucket: &str) -> Value {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Bedplate's artifact bucket: code and layers of the use cases deployed in this account and region",
        "Resources": {
            "Artifacts": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketName": bucket,
                    "BucketEncryption": { "ServerSideEncryptionConfiguration": [
                        { "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } },
                    ] },
                    "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
                    "PublicAccessBlockConfiguration": {
                        "BlockPublicAcls": true,
                        "BlockPublicPolicy": true,
                        "IgnorePublicAcls": true,
                        "RestrictPublicBuckets": true,
                    },
                    "LifecycleConfiguration": { "Rules": [{
                        "Id": "UnfinishedUploads",
                        "Status": "Enabled",
                        "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": UNFINISHED_UPLOAD_DAYS },
                    }] },
                },
            },
            "TlsOnly": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {
                    "Bucket": { "Ref": "Artifacts" },
                    "PolicyDocument": { "Version": "2012-10-17", "Statement": [{
                        "Sid": "TlsOnly",
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": [
                            { "Fn::GetAtt": ["Artifacts", "Arn"] },
                            { "Fn::Sub": "${Artifacts.Arn}/*" },
                        ],
                        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
                    }] },
                },
            },
        },
        "Outputs": { BUCKET_OUTPUT: { "Value": { "Ref": "Artifacts" } } },
    })
}

/// The artifact bucket of an account and region, as it is found.
#[derive(Debug)]
pub(super) enum ArtifactBucket {
    /// The stack made it.
    Own {
        /// Its name.
        name: String,
    },
    /// There is no stack and the name is free.
    Missing {
        /// The name it will have.
        name: String,
    },
    /// There is one that must not be used, or a stack without one; the finding says why.
    Unusable(Box<Finding>),
}

/// Looks for the artifact bucket. Its stack says what it is called; without a stack it gets the name that is `wanted`,
/// or the usual one.
pub(super) async fn find(run: &Run<'_>, account: &str, wanted: Option<&str>) -> Result<ArtifactBucket, Abort> {
    let usual = artifact_bucket_name(account, run.clients.region());
    let stack = loop {
        match run.attempt(run.clients.stack(ARTIFACT_STACK)).await? {
            // Another run makes or removes it at this moment.
            Some(stack) if stack.state() == StackState::InProgress => {
                wait_for(run, &EventEmitter::silent(), &stack).await?
            }
            Some(stack) if stack.state() == StackState::Deleted => break None,
            other => break other,
        }
    };
    let Some(stack) = stack else {
        let name = wanted.map_or(usual, str::to_owned);
        return Ok(match run.unless_cancelled(run.clients.bucket_exists(&name)).await? {
            Ok(false) => ArtifactBucket::Missing { name },
            Ok(true) => taken(&name, &format!("it was not made by the stack `{ARTIFACT_STACK}`, which does not exist")),
            Err(error) if error.kind == CallErrorKind::Denied => {
                taken(&name, "it is another account's, or this identity may not look at it")
            }
            Err(error) => return Err(error.into()),
        });
    };
    if !is_own(&stack) {
        return Ok(ArtifactBucket::Unusable(Box::new(not_own(&stack))));
    }
    let name = stack.outputs.iter().find(|output| output.key == BUCKET_OUTPUT).map(|output| output.value.clone());
    let name = name.unwrap_or(usual);
    Ok(match run.attempt(bucket_origin(run.clients, &name, &stack.id)).await? {
        BucketOrigin::Stack => ArtifactBucket::Own { name },
        BucketOrigin::Gone => ArtifactBucket::Unusable(Box::new(gone_by_hand(&name))),
        BucketOrigin::Other(reason) => taken(&name, &reason),
    })
}

/// Whether the stack of the artifact bucket was made by this program.
pub(super) fn is_own(stack: &StackSummary) -> bool {
    stack.tags.get(PURPOSE_TAG).is_some_and(|purpose| purpose == PURPOSE)
}

/// A stack that has the name and is not it.
pub(super) fn not_own(stack: &StackSummary) -> Finding {
    let message =
        format!("the stack `{}` lacks the tag `{PURPOSE_TAG}: {PURPOSE}`, so Bedplate did not make it", stack.name);
    Finding::error(code::D075, message)
        .help("it is left alone; it has to go, or to be renamed, before there can be an artifact bucket")
}

/// A bucket that has the name and must not be used.
fn taken(bucket: &str, reason: &str) -> ArtifactBucket {
    let message = format!("the bucket `{bucket}` is not this account's artifact bucket: {reason}");
    ArtifactBucket::Unusable(Box::new(Finding::error(code::D074, message).help(
        "it is neither used nor emptied; choose another name with `bedplate bootstrap --bucket NAME`, which every later \
         command then finds",
    )))
}

/// Makes the bucket unless it exists, and gives its name and whether it was made.
pub(super) async fn ensure(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    account: &str,
    wanted: Option<&str>,
) -> Result<(String, bool), Abort> {
    let bucket = match find(run, account, wanted).await? {
        ArtifactBucket::Own { name } => return Ok((name, false)),
        ArtifactBucket::Missing { name } => name,
        ArtifactBucket::Unusable(finding) => return Err((*finding).into()),
    };
    let token = format!("bedplate-{}", Uuid::new_v4());
    let tags = BTreeMap::from([(PURPOSE_TAG.to_owned(), PURPOSE.to_owned())]);
    emitter.emit(EventKind::ArtifactBucketMade { bucket: bucket.clone(), stack: ARTIFACT_STACK.to_owned() });
    let text = template(&bucket).to_string();
    let effect = Effect::ArtifactBucket { bucket: bucket.clone(), stack: ARTIFACT_STACK.to_owned() };
    let asked = run.effect(effect.clone(), run.clients.create_stack(ARTIFACT_STACK, &text, &tags, &token));
    let follow = match run.until_answered(asked).await? {
        Ok(stack) => StackFollower::operation(stack, token, None),
        Err(failed) if failed.lost => match made_nevertheless(run, failed, &effect).await? {
            Some(stack) => StackFollower::operation(stack, token, None),
            // It never arrived; the token makes it the same request should it still do so.
            None => {
                let create = run.clients.create_stack(ARTIFACT_STACK, &text, &tags, &token);
                let again = run.until_answered(run.effect(effect.clone(), create)).await?;
                if again.as_ref().is_err_and(|failed| !failed.lost) {
                    run.ledger().reopen(&effect);
                }
                StackFollower::operation(again?, token, None)
            }
        },
        // Another run was faster: what it makes is looked at like any other.
        Err(EffectError { error, .. }) if error.is("AlreadyExistsException") => {
            return match find(run, account, wanted).await? {
                ArtifactBucket::Own { name } => Ok((name, false)),
                ArtifactBucket::Missing { .. } => Err(error.into()),
                ArtifactBucket::Unusable(finding) => Err((*finding).into()),
            };
        }
        Err(error) => return Err(error.into()),
    };
    let end: OperationEnd = follow.until_terminal(run, &EventEmitter::silent()).await?;
    run.ledger().operation_ended(ARTIFACT_STACK, &end.status);
    if StackState::from_status(&end.status) == StackState::Good {
        return Ok((bucket, true));
    }
    let cause = end.root_cause().map(|event| event.reason.clone().unwrap_or_default());
    let reason = cause.or(end.reason).unwrap_or_else(|| "CloudFormation gave no reason".to_owned());
    Err(Finding::error(code::D004, format!("the artifact bucket `{bucket}` could not be made: {reason}"))
        .help("the identity in use needs to create an S3 bucket and its policy, once for each account and region")
        .into())
}

/// The stack whose creation was asked for and not answered, if it is there.
async fn made_nevertheless(run: &Run<'_>, failed: EffectError, effect: &Effect) -> Result<Option<String>, Abort> {
    for _ in 0..RECONCILE_TRIES {
        run.unless_cancelled(run.clients.pace().turn()).await?;
        match run.until_answered(run.clients.stack(ARTIFACT_STACK)).await? {
            Ok(Some(stack)) => {
                run.ledger().confirm(effect);
                return Ok(Some(stack.id));
            }
            Ok(None) => {
                run.ledger().retract(effect);
                return Ok(None);
            }
            Err(error) if error.is_transient() => {}
            Err(_) => break,
        }
    }
    Err(failed.into())
}

fn gone_by_hand(bucket: &str) -> Finding {
    Finding::error(code::D005, format!("the stack `{ARTIFACT_STACK}` exists but its bucket `{bucket}` does not"))
        .help("run `bedplate bootstrap --remove` and repeat the command: it makes both anew")
}
