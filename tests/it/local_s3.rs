//! The local target from outside: its store, its HTTP surface, STS and S3.

mod crash;
mod objects;
mod settings;
mod store;
mod surface;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration,
};
use bedplate::local::{self, LocalOptions, Running};

/// A local target over a folder.
async fn serve(dir: &std::path::Path) -> Running {
    local::start(LocalOptions::new(dir)).await.expect("a local target")
}

/// The SDK's client for S3 there.
pub(crate) fn s3(target: &Running) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-west-2"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(target.url())
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

pub(crate) async fn make_bucket(client: &Client, name: &str) {
    let here = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::UsWest2).build();
    client.create_bucket().bucket(name).create_bucket_configuration(here).send().await.expect("a bucket");
}

async fn keep_versions(client: &Client, bucket: &str) {
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket(bucket).versioning_configuration(on).send().await.expect("versioning");
}

async fn put(client: &Client, bucket: &str, key: &str, body: impl Into<Vec<u8>>) -> Option<String> {
    let body = ByteStream::from(body.into());
    let put = client.put_object().bucket(bucket).key(key).body(body).send().await.expect("a put");
    put.version_id().map(str::to_owned)
}

pub(crate) async fn get(client: &Client, bucket: &str, key: &str) -> Vec<u8> {
    let object = client.get_object().bucket(bucket).key(key).send().await.expect("an object");
    object.body.collect().await.expect("its body").to_vec()
}

/// The code of a refusal; a panic when the call went through.
macro_rules! refused {
    ($call:expr) => {{
        use aws_sdk_s3::error::ProvideErrorMetadata as _;
        match $call.await {
            Ok(_) => panic!("it should have been refused"),
            Err(error) => error.into_service_error().code().unwrap_or_default().to_owned(),
        }
    }};
}
use refused;
