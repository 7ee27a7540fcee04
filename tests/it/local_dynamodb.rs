//! DynamoDB of the local target from outside, on tables that a stack makes.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::AttributeValue;

/// The SDK's client for DynamoDB at an address.
pub(crate) fn client(url: &str) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-west-2"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(url)
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_reads_items_and_refusals() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = bedplate::local::start(bedplate::local::LocalOptions::new(dir.path())).await.expect("a local target");
    let client = client(target.url());
    let error = client.describe_table().table_name("none").send().await.expect_err("no table").into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    assert_eq!(error.message(), Some("Requested resource not found: Table: none not found"));
    let put = client.put_item().table_name("none").item("id", AttributeValue::N("one".to_owned())).send().await;
    let error = put.expect_err("no number").into_service_error();
    assert_eq!(error.code(), Some("ValidationException"));
    assert!(client.list_tables().send().await.expect("a list").table_names().is_empty());
    target.shutdown().await;
}
