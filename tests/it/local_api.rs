//! API Gateway in the local target: stacks deployed to it, and calls of their APIs over HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudformation as cfn;
use aws_sdk_cloudformation::types::Capability;
use bedplate::local::execute_api::{FunctionAnswer, FunctionCall, FunctionRefusal, FunctionRunner, Functions};
use bedplate::local::{self, Clock, LocalOptions};
use jiff::Timestamp;
use serde_json::{Value, json};

mod authorizers;
mod http_apis;
mod integrations;
mod limits;
mod requests;
mod roles;
mod stages;
mod templates;
mod user_pools;
mod websockets;

const REGION: &str = "us-west-2";

/// Functions that are Rust: by name, from an event to an answer or an error's message.
type Function = Arc<dyn Fn(Value) -> Result<Value, String> + Send + Sync>;

/// What was asked of functions.
#[derive(Clone, Default)]
struct Fake {
    functions: Arc<Mutex<BTreeMap<String, Function>>>,
    calls: Arc<Mutex<Vec<FunctionCall>>>,
}

impl Fake {
    fn on(&self, name: &str, function: impl Fn(Value) -> Result<Value, String> + Send + Sync + 'static) {
        self.functions.lock().expect("no panic").insert(name.to_owned(), Arc::new(function));
    }

    /// The events a function was given, oldest first.
    fn events(&self, name: &str) -> Vec<Value> {
        let calls = self.calls.lock().expect("no panic");
        let own = calls.iter().filter(|call| call.function.ends_with(&format!(":{name}")));
        own.map(|call| serde_json::from_slice(&call.payload).expect("an event")).collect()
    }

    fn last(&self, name: &str) -> Value {
        self.events(name).pop().expect("a call")
    }
}

#[async_trait]
impl Functions for Fake {
    async fn invoke(&self, call: FunctionCall) -> Result<FunctionAnswer, FunctionRefusal> {
        self.calls.lock().expect("no panic").push(call.clone());
        let name = call.function.rsplit(':').next().expect("a name").to_owned();
        let function = self.functions.lock().expect("no panic").get(&name).cloned();
        let Some(function) = function else { return Err(FunctionRefusal::Refused(format!("no {name}"))) };
        if name == "never" {
            std::future::pending::<()>().await;
        }
        let event = serde_json::from_slice(&call.payload).expect("an event");
        Ok(match function(event) {
            Ok(answer) => FunctionAnswer { payload: answer.to_string().into_bytes(), failed: false },
            Err(message) => {
                let error = json!({ "errorMessage": message, "errorType": "Exception" });
                FunctionAnswer { payload: error.to_string().into_bytes(), failed: true }
            }
        })
    }
}

/// A local target with functions of its own and a clock that stands still until it is moved.
struct World {
    _dir: tempfile::TempDir,
    target: local::Running,
    cfn: cfn::Client,
    fake: Fake,
    now: Arc<Mutex<Timestamp>>,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?} {}", self.text()))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl World {
    /// A local target whose functions are Rust.
    async fn new() -> Self {
        Self::with(true).await
    }

    /// A local target whose functions are what they are: Python processes.
    async fn with_python() -> Self {
        Self::with(false).await
    }

    async fn with(fake_functions: bool) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let fake = Fake::default();
        let now = Arc::new(Mutex::new("2026-01-05T10:00:00Z".parse::<Timestamp>().expect("a time")));
        let clock = Arc::clone(&now);
        let options = LocalOptions {
            functions: if fake_functions { FunctionRunner::new(fake.clone()) } else { FunctionRunner::default() },
            clock: Clock::from_fn(move || *clock.lock().expect("no panic")),
            ..LocalOptions::new(dir.path())
        };
        let target = local::start(options).await.expect("a local target");
        let config = cfn::Config::builder()
            .behavior_version_latest()
            .region(cfn::config::Region::new(REGION))
            .credentials_provider(aws_credential_types::Credentials::new("local", "local", None, None, "test"))
            .retry_config(cfn::config::retry::RetryConfig::disabled())
            .endpoint_url(target.url())
            .build();
        Self { _dir: dir, target, cfn: cfn::Client::from_conf(config), fake, now }
    }

    fn pass(&self, seconds: i64) {
        let mut now = self.now.lock().expect("no panic");
        *now = now.checked_add(jiff::SignedDuration::from_secs(seconds)).expect("a time");
    }

    /// Deploys a template, as a new stack or over the old one, and gives its outputs.
    async fn deploy(&self, template: &Value) -> BTreeMap<String, String> {
        let known = self.cfn.describe_stacks().stack_name("api").send().await.is_ok();
        let body = template.to_string();
        if known {
            let update = self.cfn.update_stack().stack_name("api").template_body(body);
            update.capabilities(Capability::CapabilityNamedIam).send().await.expect("an update");
        } else {
            let create = self.cfn.create_stack().stack_name("api").template_body(body);
            create.capabilities(Capability::CapabilityNamedIam).send().await.expect("a stack");
        }
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        loop {
            let all = self.cfn.describe_stacks().stack_name("api").send().await.expect("a description");
            let stack = all.stacks().first().expect("a stack");
            let status = stack.stack_status().expect("a status").as_str();
            if status.ends_with("_COMPLETE")
                && !status.ends_with("_CLEANUP_IN_PROGRESS")
                && !status.contains("ROLLBACK")
            {
                let outputs = stack.outputs().iter();
                return outputs
                    .map(|it| {
                        (it.output_key().expect("a key").to_owned(), it.output_value().expect("a value").to_owned())
                    })
                    .collect();
            }
            assert!(status.ends_with("_IN_PROGRESS"), "{status}: {}", self.reasons().await);
            assert!(std::time::Instant::now() < deadline, "still {status}");
            tokio::task::yield_now().await;
        }
    }

    async fn reasons(&self) -> String {
        let events = self.cfn.describe_stack_events().stack_name("api").send().await.expect("events");
        events.stack_events().iter().filter_map(|event| event.resource_status_reason()).collect::<Vec<_>>().join("\n")
    }

    /// Calls the path of an API under the endpoint's own address.
    async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        request(&self.target.address().to_string(), method, path, headers, body.as_bytes()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], "").await
    }
}

/// One HTTP request, written by hand: whatever a caller may send can be sent.
async fn request(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        text.push_str(&format!("host: {address}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes()).await.expect("a request");
    stream.write_all(body).await.expect("a body");
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.expect("an answer");
    let end = all.windows(4).position(|window| window == b"\r\n\r\n").expect("headers");
    let head = String::from_utf8(all[..end].to_vec()).expect("text");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status").parse().expect("a status");
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer { status, headers, body: all[end + 4..].to_vec() }
}

/// The parts of a template around methods of a REST API: functions `main` and others, a role, a deployment, a stage `dev`.
/// `methods` are `VERB /path` with the properties that differ from an open method.
fn rest(methods: &[(&str, Value)], more: Value) -> Value {
    let mut resources = serde_json::Map::new();
    resources.insert("Api".to_owned(), json!({ "Type": "AWS::ApiGateway::RestApi", "Properties": { "Name": "api" } }));
    let mut ids = Vec::new();
    for (line, own) in methods {
        let (verb, path) = line.split_once(' ').expect("a method and a path");
        let mut parent = json!({ "Fn::GetAtt": ["Api", "RootResourceId"] });
        let mut name = "Path".to_owned();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            name.extend(part.chars().filter(char::is_ascii_alphanumeric));
            resources.insert(
                name.clone(),
                json!({
                    "Type": "AWS::ApiGateway::Resource",
                    "Properties": { "RestApiId": { "Ref": "Api" }, "ParentId": parent, "PathPart": part },
                }),
            );
            parent = json!({ "Ref": name });
        }
        let mut properties = json!({
            "RestApiId": { "Ref": "Api" }, "ResourceId": parent, "HttpMethod": verb, "AuthorizationType": "NONE",
        });
        for (key, value) in own.as_object().expect("properties") {
            properties[key] = value.clone();
        }
        let id = format!("{name}{verb}Method");
        resources.insert(id.clone(), json!({ "Type": "AWS::ApiGateway::Method", "Properties": properties }));
        ids.push(id);
    }
    let mut stage = json!({
        "RestApiId": { "Ref": "Api" }, "DeploymentId": { "Ref": "Deployment1" }, "StageName": "dev",
    });
    let mut outputs = json!({ "Id": { "Value": { "Ref": "Api" } } });
    for (key, value) in more.as_object().expect("more") {
        match key.as_str() {
            "Stage" => value.as_object().expect("a stage").iter().for_each(|(key, value)| stage[key] = value.clone()),
            "Api" => {
                for (key, value) in value.as_object().expect("an API") {
                    resources["Api"]["Properties"][key] = value.clone();
                }
            }
            "Outputs" => outputs.as_object_mut().expect("outputs").extend(value.as_object().expect("outputs").clone()),
            _ => drop(resources.insert(key.clone(), value.clone())),
        }
    }
    resources.insert(
        "Deployment1".to_owned(),
        json!({
            "Type": "AWS::ApiGateway::Deployment", "DependsOn": ids, "Properties": { "RestApiId": { "Ref": "Api" } },
        }),
    );
    resources.insert("Stage".to_owned(), json!({ "Type": "AWS::ApiGateway::Stage", "Properties": stage }));
    json!({ "Resources": resources, "Outputs": outputs })
}

fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:123456789012:function:{name}")
}

/// The address under which API Gateway calls a function.
fn function_uri(name: &str) -> String {
    format!("arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{}/invocations", function_arn(name))
}

/// An integration that gives a function the whole request.
fn proxy(name: &str) -> Value {
    json!({ "Integration": { "Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": function_uri(name) } })
}

/// Two objects in one.
fn with(mut one: Value, more: Value) -> Value {
    for (key, value) in more.as_object().expect("an object") {
        one[key] = value.clone();
    }
    one
}

/// A deployed API's path under the endpoint.
fn path(outputs: &BTreeMap<String, String>, rest: &str) -> String {
    format!("/_aws/execute-api/{}/dev{rest}", outputs["Id"])
}
