//! A bucket made by other means than the API, seen through the API.

use bedplate::local::errors::ApiError;
use bedplate::local::s3::{Buckets, Namespace};
use serde_json::{Value, json};

use super::{put, refused, s3, serve};

/// Makes a bucket as a CloudFormation resource would.
async fn make(target: &bedplate::local::Running, name: &'static str, properties: Value) -> Result<(), ApiError> {
    let now = target.host().clock.now();
    target
        .store()
        .write(move |tx| {
            Buckets::create(tx, name, "us-west-2", Namespace::Global, now)?;
            let Value::Object(properties) = properties else { panic!("an object") };
            Buckets::configure(tx, name, &properties)
        })
        .await
}

#[tokio::test]
async fn what_a_template_sets_on_a_bucket_is_what_the_api_gives_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let properties = json!({
        "Tags": [{"Key": "bedplate:stage", "Value": "dev"}],
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/k"}, "BucketKeyEnabled": "true"}
        ]},
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "BlockPublicPolicy": "true"},
        "VersioningConfiguration": {"Status": "Enabled"},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
        "LifecycleConfiguration": {"Rules": [
            {"Id": "expire", "Status": "Enabled", "ExpirationInDays": "7"},
            {"Status": "Disabled", "Prefix": "tmp/", "TagFilters": [{"Key": "a", "Value": "b"}],
             "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
             "NoncurrentVersionExpiration": {"NoncurrentDays": 3}}
        ]}
    });
    make(&target, "posters", properties).await.expect("a bucket");
    let client = s3(&target);

    let tags = client.get_bucket_tagging().bucket("posters").send().await.expect("tags");
    assert_eq!(tags.tag_set().first().map(|tag| (tag.key(), tag.value())), Some(("bedplate:stage", "dev")));
    let encryption = client.get_bucket_encryption().bucket("posters").send().await.expect("encryption");
    let rule = encryption
        .server_side_encryption_configuration()
        .expect("a configuration")
        .rules()
        .first()
        .expect("a rule")
        .clone();
    assert_eq!(rule.bucket_key_enabled(), Some(true));
    assert_eq!(rule.apply_server_side_encryption_by_default().expect("a default").kms_master_key_id(), Some("alias/k"));
    let block = client.get_public_access_block().bucket("posters").send().await.expect("a block");
    let block = block.public_access_block_configuration().expect("a configuration");
    assert_eq!((block.block_public_policy(), block.restrict_public_buckets()), (Some(true), Some(false)));
    let versioning = client.get_bucket_versioning().bucket("posters").send().await.expect("versioning");
    assert_eq!(versioning.status().map(|status| status.as_str()), Some("Enabled"));
    let ownership = client.get_bucket_ownership_controls().bucket("posters").send().await.expect("ownership");
    let rules = ownership.ownership_controls().expect("controls").rules();
    assert_eq!(rules.first().map(|rule| rule.object_ownership().as_str()), Some("ObjectWriter"));
    let lifecycle = client.get_bucket_lifecycle_configuration().bucket("posters").send().await.expect("a lifecycle");
    let [expire, other] = lifecycle.rules() else { panic!("two rules: {lifecycle:?}") };
    assert_eq!(expire.expiration().and_then(|expiration| expiration.days()), Some(7));
    let and = other.filter().and_then(|filter| filter.and()).expect("two conditions joined");
    assert_eq!((and.prefix(), and.tags().len()), (Some("tmp/"), 1));

    assert!(put(&client, "posters", "k", "x").await.is_some(), "versions are kept");
    target.shutdown().await;
}

#[tokio::test]
async fn a_bucket_that_cannot_be_set_up_is_not_made() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let rules = json!({"LifecycleConfiguration": {"Rules": [{"Status": "Enabled"}]}});
    let error = make(&target, "posters", rules).await.expect_err("a rule that does nothing");
    assert_eq!(error.code, "InvalidRequest");
    assert_eq!(refused!(s3(&target).list_objects_v2().bucket("posters").send()), "NoSuchBucket");
    target.shutdown().await;
}

#[tokio::test]
async fn a_bucket_with_anything_in_it_stays_for_the_api_and_for_cloudformation_alike() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let client = s3(&target);
    make(&target, "full", json!({"VersioningConfiguration": {"Status": "Enabled"}})).await.expect("a bucket");
    client.delete_object().bucket("full").key("k").send().await.expect("a marker");
    assert_eq!(refused!(client.delete_bucket().bucket("full").send()), "BucketNotEmpty");
    let error = target.store().write(|tx| Buckets::delete(tx, "full")).await.expect_err("not empty");
    assert_eq!(error.code, "BucketNotEmpty");
    target.shutdown().await;
}
