//! The one bucket an account and region has for artifacts, made and removed by a stack of its own.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::change_set::SETTLING_TRIES;
use super::events::{EventKind, Teller};
use super::follow::{End, Follow};
use super::ledger::{Effect, EffectError};
use super::run::{Run, Stop};
use crate::aws::StackState;
use crate::finding::Finding;

/// The stack that holds the artifact bucket.
pub const ARTIFACT_STACK: &str = "bedplate-artifacts";
/// What a bucket nobody has finished an upload to keeps of it, in days.
const UNFINISHED_UPLOAD_DAYS: u32 = 1;

/// The artifact bucket's name: bucket names are global, so it carries account and region.
pub fn artifact_bucket_name(account: &str, region: &str) -> String {
    format!("{ARTIFACT_STACK}-{account}-{region}")
}

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
        "Outputs": { "BucketName": { "Value": { "Ref": "Artifacts" } } },
    })
}

/// Makes the bucket unless it is there, and gives its name and whether it was made.
pub(super) async fn ensure(run: &Run<'_>, teller: &Teller<'_>, account: &str) -> Result<(String, bool), Stop> {
    let bucket = artifact_bucket_name(account, run.clients.region());
    if run.unless_cancelled(run.clients.bucket_exists(&bucket)).await?? {
        return Ok((bucket, false));
    }
    let token = format!("bedplate-{}", Uuid::new_v4());
    let tags = BTreeMap::from([("bedplate:purpose".to_owned(), "artifacts".to_owned())]);
    teller.tell(EventKind::ArtifactBucketMade { bucket: bucket.clone(), stack: ARTIFACT_STACK.to_owned() });
    let text = template(&bucket).to_string();
    let effect = Effect::ArtifactBucket { bucket: bucket.clone(), stack: ARTIFACT_STACK.to_owned() };
    let asked = run.effect(effect.clone(), run.clients.create_stack(ARTIFACT_STACK, &text, &tags, &token));
    let follow = match run.until_answered(asked).await? {
        Ok(stack) => Follow::operation(stack, token, None),
        Err(failed) if failed.lost => match made_nevertheless(run, failed, &effect).await? {
            Some(stack) => Follow::operation(stack, token, None),
            // It never arrived; the token makes it the same request should it still do so.
            None => {
                let create = run.clients.create_stack(ARTIFACT_STACK, &text, &tags, &token);
                let again = run.until_answered(run.effect(effect.clone(), create)).await?;
                if again.as_ref().is_err_and(|failed| !failed.lost) {
                    run.ledger().reopen(&effect);
                }
                Follow::operation(again?, token, None)
            }
        },
        // Another run is making it at this moment, or one did and the bucket was taken away by hand.
        Err(EffectError { error, .. }) if error.is("AlreadyExistsException") => {
            let stack = run.unless_cancelled(run.clients.stack(ARTIFACT_STACK)).await??;
            match stack {
                Some(stack) if stack.state() == StackState::InProgress => Follow::whatever_runs(stack.id, None),
                _ => return Err(gone_by_hand(&bucket).into()),
            }
        }
        Err(error) => return Err(error.into()),
    };
    let end: End = follow.until_rest(run, &Teller::silent()).await?;
    run.ledger().ended(ARTIFACT_STACK, &end.status);
    if StackState::of(&end.status) == StackState::Good {
        return Ok((bucket, true));
    }
    let cause = end.root_cause().map(|event| event.reason.clone().unwrap_or_default());
    let reason = cause.or(end.reason).unwrap_or_else(|| "CloudFormation gave no reason".to_owned());
    Err(Finding::error("D004", format!("the artifact bucket `{bucket}` could not be made: {reason}"))
        .help("the identity in use needs to create an S3 bucket and its policy, once for each account and region")
        .into())
}

/// The stack whose creation was asked for and not answered, if it is there.
async fn made_nevertheless(run: &Run<'_>, failed: EffectError, effect: &Effect) -> Result<Option<String>, Stop> {
    for _ in 0..SETTLING_TRIES {
        run.unless_cancelled(run.clients.pace().turn()).await?;
        match run.until_answered(run.clients.stack(ARTIFACT_STACK)).await? {
            Ok(Some(stack)) => {
                run.ledger().confirm(effect);
                return Ok(Some(stack.id));
            }
            Ok(None) => {
                run.ledger().strike(effect);
                return Ok(None);
            }
            Err(error) if error.is_passing() => {}
            Err(_) => break,
        }
    }
    Err(failed.into())
}

fn gone_by_hand(bucket: &str) -> Finding {
    Finding::error("D005", format!("the stack `{ARTIFACT_STACK}` is there but its bucket `{bucket}` is not"))
        .help("run `bedplate bootstrap --remove` and repeat the command: it makes both anew")
}
