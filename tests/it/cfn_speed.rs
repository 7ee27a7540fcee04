//! How long a large template takes: `cargo test --release --test it cfn_speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use bedplate::cfn::{ResourceGraph, Template, validate};
use serde_json::{Map, json};

/// A template of 500 resources of five types, chained by references.
fn large() -> String {
    let mut resources = Map::new();
    for number in 0..100 {
        let before = number.max(1) - 1;
        resources.insert(format!("Role{number}"), json!({"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
            "Policies": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": {"Fn::Sub": format!("${{Bucket{number}.Arn}}/*")}}]}}]
        }}));
        resources.insert(format!("Bucket{number}"), json!({"Type": "AWS::S3::Bucket", "Properties": {
            "BucketName": {"Fn::Sub": format!("b{number}-${{AWS::AccountId}}")},
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]},
            "Tags": [{"Key": "number", "Value": number.to_string()}]
        }}));
        resources.insert(format!("Function{number}"), json!({"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Bucket": {"Ref": format!("Bucket{before}")}, "S3Key": "code.zip"}, "Handler": "app.handler", "Runtime": "python3.13",
            "Role": {"Fn::GetAtt": [format!("Role{number}"), "Arn"]}, "Timeout": 30, "MemorySize": "256",
            "Environment": {"Variables": {"BUCKET": {"Ref": format!("Bucket{number}")}}}
        }}));
        resources.insert(
            format!("Queue{number}"),
            json!({"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}}),
        );
        resources.insert(format!("Mapping{number}"), json!({"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
            "EventSourceArn": {"Fn::GetAtt": [format!("Queue{number}"), "Arn"]}, "FunctionName": {"Ref": format!("Function{number}")}, "BatchSize": 10
        }}));
    }
    json!({"Resources": resources}).to_string()
}

#[test]
#[ignore = "a measurement, not a test"]
fn five_hundred_resources() {
    let text = large();
    let mut best = [Duration::MAX; 3];
    for round in 0..20 {
        let start = Instant::now();
        let template = Template::parse(&text).expect("a template");
        let parsed = start.elapsed();
        let start = Instant::now();
        let order = ResourceGraph::from_template(&template).order().map(|order| order.len());
        let ordered = start.elapsed();
        let start = Instant::now();
        let findings = validate(&template, Some("us-west-2"));
        let checked = start.elapsed();
        assert_eq!(order, Ok(500));
        assert!(findings.is_empty(), "{findings:?}");
        if round == 0 {
            println!("first: parse {parsed:?}, graph {ordered:?}, check {checked:?}");
        }
        for (best, time) in best.iter_mut().zip([parsed, ordered, checked]) {
            *best = time.min(*best);
        }
    }
    println!("best of 20: parse, graph, check {best:?}; {} bytes", text.len());
}
