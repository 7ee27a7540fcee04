//! DynamoDB of the local target from outside, on tables that a stack makes.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::support::{self, Project};

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

/// Every operation through `boto3`, where the environment names a Python that has it.
#[test]
fn boto3_finds_dynamodb_as_it_expects_it() {
    let Some(python) = support::judges() else { return };
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let served = project.serve(&[]);
    let script = support::repository().join("tests/local/dynamodb.py");
    let output = std::process::Command::new(python).arg(script).arg(&served.url).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
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
