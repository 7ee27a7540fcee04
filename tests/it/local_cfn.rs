//! CloudFormation in the local target, driven through the AWS SDK as a user's tools drive it.

use std::path::Path;
use std::time::Duration;

use aws_sdk_cloudformation as cfn;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudformation::types::{Capability, ChangeSetType, Parameter, Stack, StackStatus};
use bedplate::local::{self, LocalOptions};
use serde_json::{Value, json};

mod attributes;
mod bounds;
mod changes;
mod custom;
mod durability;
mod guards;
mod lifecycle;
mod nested;
mod privacy;
mod refusals;
mod resources;
mod services;
mod tables;
mod templates;
mod trouble;
mod values;

/// A local target in a folder of its own, with clients for it.
struct World {
    _dir: Option<tempfile::TempDir>,
    target: local::Running,
    cfn: cfn::Client,
    s3: aws_sdk_s3::Client,
}

const REGION: &str = "us-west-2";

fn credentials() -> aws_credential_types::Credentials {
    aws_credential_types::Credentials::new("local", "local", None, None, "test")
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let options = LocalOptions::new(dir.path());
        Self { _dir: Some(dir), ..Self::with(options).await }
    }

    async fn at(dir: &Path) -> Self {
        Self::with(LocalOptions::new(dir)).await
    }

    async fn with(options: LocalOptions) -> Self {
        let target = local::start(options).await.expect("a local target");
        let cfn = cfn::Config::builder()
            .behavior_version_latest()
            .region(cfn::config::Region::new(REGION))
            .credentials_provider(credentials())
            .retry_config(cfn::config::retry::RetryConfig::disabled())
            .endpoint_url(target.url())
            .build();
        let s3 = aws_sdk_s3::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_s3::config::Region::new(REGION))
            .credentials_provider(credentials())
            .force_path_style(true)
            .endpoint_url(target.url())
            .build();
        Self { _dir: None, target, cfn: cfn::Client::from_conf(cfn), s3: aws_sdk_s3::Client::from_conf(s3) }
    }

    /// Creates a stack and waits until it rests.
    async fn create(&self, name: &str, template: &Value) -> Stack {
        self.cfn
            .create_stack()
            .stack_name(name)
            .template_body(template.to_string())
            .capabilities(Capability::CapabilityNamedIam)
            .capabilities(Capability::CapabilityAutoExpand)
            .send()
            .await
            .expect("a stack");
        self.settled(name).await
    }

    /// Updates a stack and waits until it rests.
    async fn update(&self, name: &str, template: &Value) -> Stack {
        self.cfn
            .update_stack()
            .stack_name(name)
            .template_body(template.to_string())
            .capabilities(Capability::CapabilityNamedIam)
            .capabilities(Capability::CapabilityAutoExpand)
            .send()
            .await
            .expect("an update");
        self.settled(name).await
    }

    /// Deletes a stack and waits until it rests; its ARN keeps it describable.
    async fn delete(&self, stack: &Stack) -> Stack {
        let id = stack.stack_id().expect("an id");
        self.cfn.delete_stack().stack_name(id).send().await.expect("a deletion");
        self.settled(id).await
    }

    /// The stack once nothing is under way on it.
    async fn settled(&self, name: &str) -> Stack {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            let stack = self.stack(name).await;
            let status = stack.stack_status().expect("a status").as_str().to_owned();
            if !status.ends_with("_IN_PROGRESS") || status == "REVIEW_IN_PROGRESS" {
                return stack;
            }
            assert!(std::time::Instant::now() < deadline, "{name} is still {status}");
            tokio::task::yield_now().await;
        }
    }

    async fn stack(&self, name: &str) -> Stack {
        let all = self.cfn.describe_stacks().stack_name(name).send().await.expect("a description");
        all.stacks().first().expect("a stack").clone()
    }

    /// `logical id status reason` of each event, oldest first.
    async fn events(&self, name: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut pages = self.cfn.describe_stack_events().stack_name(name).into_paginator().items().send();
        while let Some(event) = pages.next().await {
            let event = event.expect("an event");
            let status = event.resource_status().map(|status| status.as_str()).unwrap_or_default();
            let reason = event.resource_status_reason().unwrap_or_default();
            let line = format!("{} {status} {reason}", event.logical_resource_id().unwrap_or_default());
            lines.push(line.trim_end().to_owned());
        }
        lines.reverse();
        lines
    }

    /// What `Ref` to a resource gives.
    async fn physical(&self, stack: &str, logical_id: &str) -> String {
        let all = self.cfn.describe_stack_resources().stack_name(stack).send().await.expect("resources");
        let found = all.stack_resources().iter().find(|one| one.logical_resource_id() == Some(logical_id));
        found.and_then(|one| one.physical_resource_id()).unwrap_or_default().to_owned()
    }

    async fn put(&self, bucket: &str, key: &str, body: &str) {
        self.s3.put_object().bucket(bucket).key(key).body(body.as_bytes().to_vec().into()).send().await.expect("a put");
    }

    async fn make_bucket(&self, name: &str) {
        use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
        let place =
            CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(REGION)).build();
        self.s3.create_bucket().bucket(name).create_bucket_configuration(place).send().await.expect("a bucket");
    }

    /// Calls a service of the JSON protocol as the administrator; gives status and answer.
    async fn ask(&self, service: &str, target: &str, body: Value) -> (u16, Value) {
        let headers = format!("x-amz-target: {target}\r\ncontent-type: application/x-amz-json-1.1\r\n");
        let (status, body) = self.post(service, &headers, &body.to_string()).await;
        (status, serde_json::from_str(&body).unwrap_or_else(|_| json!(body)))
    }

    /// Calls a service of the query protocol as the administrator; gives status and answer.
    async fn form(&self, service: &str, body: &str) -> (u16, String) {
        self.post(service, "content-type: application/x-www-form-urlencoded\r\n", body).await
    }

    async fn post(&self, service: &str, headers: &str, body: &str) -> (u16, String) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let address = self.target.address();
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
        let request = format!(
            "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential=local/20261124/{REGION}/{service}/aws4_request\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// Asks Secrets Manager, which answers.
    async fn secrets(&self, operation: &str, body: Value) -> Value {
        let (status, answer) = self.ask("secretsmanager", &format!("secretsmanager.{operation}"), body).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// Asks Parameter Store, which answers.
    async fn ssm(&self, operation: &str, body: Value) -> Value {
        let (status, answer) = self.ask("ssm", &format!("AmazonSSM.{operation}"), body).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    async fn bucket_exists(&self, name: &str) -> bool {
        self.s3.head_bucket().bucket(name).send().await.is_ok()
    }
}

fn status(stack: &Stack) -> &str {
    stack.stack_status().map(StackStatus::as_str).unwrap_or_default()
}

fn reason(stack: &Stack) -> &str {
    stack.stack_status_reason().unwrap_or_default()
}

fn output(stack: &Stack, key: &str) -> String {
    let found = stack.outputs().iter().find(|one| one.output_key() == Some(key));
    found.and_then(|one| one.output_value()).unwrap_or_default().to_owned()
}

/// Code and message of a refusal.
fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
) -> (String, String) {
    let error = result.expect_err("a refusal");
    let code = error.code().unwrap_or_default().to_owned();
    (code, error.message().unwrap_or_default().to_owned())
}

/// A template of these resources.
fn template(resources: Value) -> Value {
    json!({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
}

fn log_group(properties: Value) -> Value {
    json!({"Type": "AWS::Logs::LogGroup", "Properties": properties})
}

fn bucket(properties: Value) -> Value {
    json!({"Type": "AWS::S3::Bucket", "Properties": properties})
}

fn role() -> Value {
    json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }}})
}

fn parameter(key: &str, value: &str) -> Parameter {
    Parameter::builder().parameter_key(key).parameter_value(value).build()
}
