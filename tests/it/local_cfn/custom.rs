//! Custom resources: functions that make, change and delete, and what CloudFormation makes of their answers.

use std::sync::{Arc, Mutex};

use bedplate::local::Clock;

use super::*;

/// A provider as people write them. It remembers its events as parameters of the log group's events: it prints them.
const PROVIDER: &str = r#"
import json
import urllib.request

def send(event, status, **more):
    answer = {
        "Status": status, "StackId": event["StackId"], "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"], **more,
    }
    # As cfn-response does it: no content type.
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"content-type": ""}, method="PUT")
    with urllib.request.urlopen(request) as answered:
        assert answered.status == 200

def handler(event, context):
    shown = {name: value for name, value in event.items() if name not in ("ResponseURL", "StackId", "RequestId")}
    print("EVENT", json.dumps(shown, sort_keys=True))
    wanted = event["ResourceProperties"]
    kind = event["RequestType"]
    if wanted.get("Raise") == kind:
        raise RuntimeError("out of paint")
    if wanted.get("Silent") == kind:
        return
    if wanted.get("Fail") == kind:
        send(event, "FAILED", Reason="no luck", PhysicalResourceId=event.get("PhysicalResourceId", "half-made"))
        return
    send(event, "SUCCESS", PhysicalResourceId=wanted.get("Name", "thing"), NoEcho=wanted.get("Hide") == "true",
         Data={"Colour": wanted.get("Colour", "none"), "Times": 3})
"#;

/// A provider and the resources that use it.
fn with_provider(resources: Value) -> Value {
    let mut body = template(json!({
        "Role": {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
            "Policies": [{"PolicyName": "logs", "PolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}}]}},
        "Provider": {"Type": "AWS::Lambda::Function", "Properties": {
            "FunctionName": "provider", "Runtime": "python3.13", "Handler": "index.handler", "Timeout": 20,
            "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": PROVIDER}}},
    }));
    for (name, resource) in resources.as_object().expect("resources") {
        body["Resources"][name] = resource.clone();
    }
    body
}

fn thing(properties: Value) -> Value {
    let mut properties = properties;
    properties["ServiceToken"] = json!({"Fn::GetAtt": ["Provider", "Arn"]});
    json!({"Type": "Custom::Thing", "Properties": properties})
}

impl World {
    /// The events the provider was given, oldest first.
    async fn asked(&self) -> Vec<Value> {
        let body = json!({"logGroupName": "/aws/lambda/provider", "filterPattern": "EVENT"});
        let (_, answer) = self.ask("logs", "Logs_20140328.FilterLogEvents", body).await;
        let events = answer["events"].as_array().cloned().unwrap_or_default();
        let texts =
            events.iter().filter_map(|event| event["message"].as_str()).filter_map(|text| text.split_once("EVENT "));
        texts.map(|(_, json)| serde_json::from_str(json).expect("an event")).collect()
    }

    /// What the function was asked, once it was asked so many times: the stack goes on at the function's answer, and the log
    /// is written when the call is over.
    async fn kinds(&self, times: usize) -> Vec<String> {
        let began = std::time::Instant::now();
        while self.asked().await.len() < times && began.elapsed().as_secs() < 30 {}
        let of = |event: &Value| {
            format!(
                "{} {}",
                event["RequestType"].as_str().unwrap_or_default(),
                event["PhysicalResourceId"].as_str().unwrap_or("-")
            )
        };
        self.asked().await.iter().map(of).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_makes_changes_replaces_and_deletes() {
    let world = World::new().await;
    let with = |properties: Value| {
        let mut body = with_provider(json!({"Thing": thing(properties)}));
        body["Outputs"] = json!({
            "Colour": {"Value": {"Fn::GetAtt": ["Thing", "Colour"]}},
            "Times": {"Value": {"Fn::Sub": "${Thing.Times} times ${Thing}"}},
        });
        body
    };
    let stack = world.create("custom", &with(json!({"Name": "a", "Colour": "red", "Count": 2, "On": true}))).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:?}", world.events("custom").await);
    assert_eq!((output(&stack, "Colour"), output(&stack, "Times")), ("red".to_owned(), "3 times a".to_owned()));
    let arn = "arn:aws:lambda:us-west-2:123456789012:function:provider";
    assert_eq!(
        world.asked().await,
        [json!({
            "RequestType": "Create", "ServiceToken": arn, "LogicalResourceId": "Thing", "ResourceType": "Custom::Thing",
            "ResourceProperties": {"Name": "a", "Colour": "red", "Count": "2", "On": "true", "ServiceToken": arn},
        })]
    );

    let stack = world.update("custom", &with(json!({"Name": "a", "Colour": "blue"}))).await;
    assert_eq!((status(&stack), output(&stack, "Colour")), ("UPDATE_COMPLETE", "blue".to_owned()));
    let asked = world.asked().await;
    assert_eq!(asked[1]["PhysicalResourceId"], "a");
    assert_eq!(asked[1]["OldResourceProperties"]["Colour"], "red");

    // Another id is another thing, and the old one goes when all is well.
    let stack = world.update("custom", &with(json!({"Name": "b", "Colour": "blue"}))).await;
    assert_eq!((status(&stack), output(&stack, "Times")), ("UPDATE_COMPLETE", "3 times b".to_owned()));
    assert_eq!(world.kinds(4).await, ["Create -", "Update a", "Update a", "Delete a"]);
    assert_eq!(world.asked().await[3]["ResourceProperties"]["Name"], "a");

    let gone = world.delete(&stack).await;
    assert_eq!(status(&gone), "DELETE_COMPLETE", "{:?}", world.events(gone.stack_id().expect("an id")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_rolled_back_with_the_functions_reason() {
    let world = World::new().await;
    let stack = world.create("custom", &with_provider(json!({"Thing": thing(json!({"Fail": "Create"}))}))).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let events = world.events("custom").await.join("\n");
    let told = "Thing CREATE_FAILED Received response status [FAILED] from custom resource. Message returned: no luck (RequestId: ";
    assert!(events.contains(told), "{events}");
    // What was half made is deleted by the id that came with the failure.
    assert_eq!(world.kinds(2).await, ["Create -", "Delete half-made"]);
    world.delete(&stack).await;

    // A function that raises and answers nothing: told at once, in the words AWS has for it an hour later.
    let stack = world.create("raises", &with_provider(json!({"Thing": thing(json!({"Raise": "Create"}))}))).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let events = world.events("raises").await.join("\n");
    assert!(events.contains("CloudFormation did not receive a response from your custom resource"), "{events}");
    assert!(events.contains("RuntimeError: out of paint"), "{events}");
    world.delete(&stack).await;

    // An update that fails is put back by another one, and a replacement that comes to nothing is deleted.
    let body = |properties: Value, broken: bool| {
        let mut body = with_provider(json!({"Thing": thing(properties)}));
        if broken {
            body["Resources"]["Last"] = json!({"Type": "AWS::Logs::LogGroup", "DependsOn": "Thing",
                "Metadata": {"Bedplate": {"Fail": "on purpose"}}});
        }
        body
    };
    world.create("update", &body(json!({"Name": "a", "Colour": "red"}), false)).await;
    let before = world.kinds(1).await.len();
    let stack = world.update("update", &body(json!({"Name": "a", "Colour": "blue", "Fail": "Update"}), false)).await;
    assert_eq!(status(&stack), "UPDATE_ROLLBACK_COMPLETE", "{:?}", world.events("update").await);
    assert_eq!(world.kinds(before + 2).await[before..], ["Update a", "Update a"]);
    let back = world.asked().await.pop().expect("an event");
    assert_eq!(
        (&back["ResourceProperties"]["Colour"], &back["OldResourceProperties"]["Colour"]),
        (&json!("red"), &json!("blue"))
    );
    let stack = world.update("update", &body(json!({"Name": "c", "Colour": "red"}), true)).await;
    assert_eq!(status(&stack), "UPDATE_ROLLBACK_COMPLETE", "{:?}", world.events("update").await);
    assert_eq!(world.kinds(before + 4).await[before + 2..], ["Update a", "Delete c"]);
    assert_eq!(world.physical("update", "Thing").await, "a");

    let stack = world.update("update", &body(json!({"Name": "a", "Fail": "Delete"}), false)).await;
    let kept = world.delete(&stack).await;
    assert_eq!(status(&kept), "DELETE_FAILED");
    assert!(world.events("update").await.join("\n").contains("Thing DELETE_FAILED Received response status [FAILED]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_waited_for_until_its_time_is_over() {
    let dir = tempfile::tempdir().expect("a folder");
    let now = Arc::new(Mutex::new("2026-01-05T10:00:00Z".parse::<jiff::Timestamp>().expect("a time")));
    let clock = Arc::clone(&now);
    let clock = Clock::from_fn(move || *clock.lock().expect("no panic"));
    let world = World::with(LocalOptions { clock, ..LocalOptions::new(dir.path()) }).await;
    let silent = json!({"Silent": "Create", "ServiceTimeout": 90});
    let body = with_provider(json!({"Thing": thing(silent)}));
    let make = world.cfn.create_stack().stack_name("waits").template_body(body.to_string());
    make.capabilities(Capability::CapabilityNamedIam).send().await.expect("a stack");
    while world.asked().await.is_empty() {
        tokio::task::yield_now().await;
    }
    let pass = |seconds: i64| {
        let mut now = now.lock().expect("no panic");
        *now = now.checked_add(jiff::SignedDuration::from_secs(seconds)).expect("a time");
    };
    pass(80);
    assert_eq!(status(&world.stack("waits").await), "CREATE_IN_PROGRESS");
    pass(20);
    assert_eq!(status(&world.settled("waits").await), "ROLLBACK_COMPLETE");
    let events = world.events("waits").await.join("\n");
    assert!(events.contains("CloudFormation did not receive a response from your custom resource"), "{events}");
    assert!(!events.contains("does not wait"), "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_an_operation_up_asks_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let body = with_provider(json!({"Thing": thing(json!({"Silent": "Create"}))}));
    let first = World::at(dir.path()).await;
    let make = first.cfn.create_stack().stack_name("taken").template_body(body.to_string());
    make.capabilities(Capability::CapabilityNamedIam).send().await.expect("a stack");
    while first.asked().await.is_empty() {
        tokio::task::yield_now().await;
    }
    first.target.shutdown().await;
    let second = World::at(dir.path()).await;
    assert_eq!(status(&second.stack("taken").await), "CREATE_IN_PROGRESS");
    while second.asked().await.len() < 2 {
        tokio::task::yield_now().await;
    }
    // The answer may come from anybody who has the address; the request is the same one.
    let (url, request_id, stack_id) = second
        .target
        .store()
        .read(|tx| {
            let text: String = tx.query_row("SELECT request FROM cfn_custom_request", [], |row| row.get(0))?;
            let token: String = tx.query_row("SELECT token FROM cfn_custom_request", [], |row| row.get(0))?;
            let event: Value = serde_json::from_str(&text).expect("JSON");
            let of = |name: &str| event[name].as_str().expect("text").to_owned();
            let url = format!("/_aws/cloudformation-custom-resource-response/{token}");
            Ok::<_, bedplate::local::store::StoreError>((url, of("RequestId"), of("StackId")))
        })
        .await
        .expect("a request");
    let answer = json!({"Status": "SUCCESS", "PhysicalResourceId": "late", "StackId": stack_id, "RequestId": request_id,
        "LogicalResourceId": "Thing"});
    assert_eq!(put(&second, &format!("{url}x"), &answer.to_string()).await, 403);
    assert_eq!(put(&second, &url, &answer.to_string()).await, 200);
    assert_eq!(status(&second.settled("taken").await), "CREATE_COMPLETE");
    assert_eq!(second.physical("taken", "Thing").await, "late");
}

/// The status of an upload.
async fn put(world: &World, path: &str, body: &str) -> u16 {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = world.target.address();
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "PUT {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: \r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_and_hidden_data_stay_hidden() {
    let world = World::new().await;
    let mut body = with_provider(json!({"Thing": thing(json!({"Colour": "ultraviolet", "Hide": true}))}));
    body["Resources"]["Log"] = log_group(json!({"LogGroupName": {"Fn::GetAtt": ["Thing", "Colour"]}}));
    let stack = world.create("hides", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:?}", world.events("hides").await);
    assert_eq!(world.physical("hides", "Log").await, "ultraviolet");
    let events = world.cfn.describe_stack_events().stack_name("hides").send().await.expect("events");
    for event in events.stack_events().iter().filter(|event| event.logical_resource_id() == Some("Log")) {
        let properties = event.resource_properties().unwrap_or_default();
        assert!(properties.contains("****") && !properties.contains("ultraviolet"), "{properties}");
    }
    world.delete(&stack).await;

    let missing = |mut body: Value| {
        body["Outputs"] = json!({"Shape": {"Value": {"Fn::GetAtt": ["Thing", "Shape"]}}});
        body
    };
    for (body, words) in [
        (with_provider(json!({"Thing": {"Type": "Custom::Thing", "Properties": {}}})), "required key [ServiceToken]"),
        (
            with_provider(json!({"Thing": {"Type": "Custom::Thing", "Properties": {"ServiceToken":
                {"Fn::Sub": "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:topic"}}}})),
            "does not simulate custom resources behind anything but a Lambda function",
        ),
        (
            with_provider(
                json!({"Thing": {"Type": "AWS::CloudFormation::CustomResource", "Properties": {"ServiceToken":
                {"Fn::Sub": "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:nobody"}}}}),
            ),
            "Function not found",
        ),
        (missing(with_provider(json!({"Thing": thing(json!({}))}))), "Vendor response doesn't contain Shape key"),
    ] {
        let stack = world.create("refused", &body).await;
        assert_eq!(status(&stack), "ROLLBACK_COMPLETE", "{words}");
        let events = format!("{}\n{}", world.events("refused").await.join("\n"), reason(&stack));
        assert!(events.contains(words), "{words}: {events}");
        world.delete(&stack).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_in_a_template_answers_with_the_module_aws_gives_it() {
    let world = World::new().await;
    let code = "import cfnresponse\n\ndef handler(event, context):\n    \
                cfnresponse.send(event, context, cfnresponse.SUCCESS, {'Seen': event['RequestType']})\n";
    let mut body = with_provider(json!({"Thing": thing(json!({}))}));
    body["Resources"]["Provider"]["Properties"]["Code"]["ZipFile"] = json!(code);
    body["Outputs"] = json!({"Seen": {"Value": {"Fn::GetAtt": ["Thing", "Seen"]}}});
    let stack = world.create("module", &body).await;
    assert_eq!((status(&stack), output(&stack, "Seen")), ("CREATE_COMPLETE", "Create".to_owned()));
    assert!(world.physical("module", "Thing").await.contains("[$LATEST]"), "its id is the log stream's name");
    let gone = world.delete(&stack).await;
    assert_eq!(status(&gone), "DELETE_COMPLETE");
}
