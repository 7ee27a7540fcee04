//! What one request may take of this machine: seconds and little memory, or it is refused.
//!
//! The times are those of a debug build on a busy machine; what they would catch takes minutes or gigabytes.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Project, Served};

/// The longest a request may take.
const LONGEST: Duration = Duration::from_secs(60);

/// A request of a service, as a client of it sends it.
struct Asked<'a> {
    method: &'a str,
    path: String,
    service: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: Vec<u8>,
}

impl Served {
    /// Sends a request; gives status and body.
    fn request(&self, asked: &Asked<'_>) -> (u16, String) {
        let address = self.url.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(address).expect("the endpoint listens");
        stream.set_read_timeout(Some(LONGEST)).expect("a time-out");
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\nauthorization: \
             AWS4-HMAC-SHA256 Credential=local/20261129/us-west-2/{}/aws4_request, SignedHeaders=host, Signature=0\r\n",
            asked.method,
            asked.path,
            asked.body.len(),
            asked.service
        );
        for (name, value) in asked.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let began = Instant::now();
        stream.write_all(format!("{head}\r\n").as_bytes()).expect("a request");
        // Whoever is refused early may not be read to the end.
        let _ = stream.write_all(&asked.body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(began.elapsed() < LONGEST, "{} {} took {:?}", asked.method, asked.path, began.elapsed());
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("{} {}: no answer: {answer:?}", asked.method, asked.path));
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        (status, body)
    }

    fn form(&self, fields: &[(&str, &str)]) -> (u16, String) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Version", "2010-05-15").extend_pairs(fields);
        self.request(&Asked {
            method: "POST",
            path: "/".to_owned(),
            service: "cloudformation",
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body: form.finish().into_bytes(),
        })
    }

    fn json(&self, service: &str, target: &str, body: impl Into<Vec<u8>>) -> (u16, String) {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        self.request(&Asked { method: "POST", path: "/".to_owned(), service, headers: &headers, body: body.into() })
    }

    fn bedrock(&self, path: &str, body: &Value) -> (u16, String) {
        let headers = [("content-type", "application/json")];
        let body = body.to_string().into_bytes();
        self.request(&Asked { method: "POST", path: path.to_owned(), service: "bedrock", headers: &headers, body })
    }

    /// Creates a stack; gives the value of its output `Id`.
    fn stack(&self, name: &str, template: &Value) -> String {
        let put = |path: &str, body: Vec<u8>| {
            self.request(&Asked { method: "PUT", path: path.to_owned(), service: "s3", headers: &[], body })
        };
        let place =
            "<CreateBucketConfiguration><LocationConstraint>us-west-2</LocationConstraint></CreateBucketConfiguration>";
        put("/templates-of-bounds", place.as_bytes().to_vec());
        let (status, body) = put(&format!("/templates-of-bounds/{name}"), template.to_string().into_bytes());
        assert_eq!(status, 200, "{body}");
        let url = format!("{}/templates-of-bounds/{name}", self.url);
        let (status, body) = self.form(&[
            ("Action", "CreateStack"),
            ("StackName", name),
            ("TemplateURL", &url),
            ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
        ]);
        assert_eq!(status, 200, "{body}");
        let deadline = Instant::now() + LONGEST;
        loop {
            let (_, told) = self.form(&[("Action", "DescribeStacks"), ("StackName", name)]);
            if told.contains(">CREATE_COMPLETE<") {
                let value = told.split_once("<OutputValue>").and_then(|(_, rest)| rest.split_once("</OutputValue>"));
                return value.map(|(value, _)| value.to_owned()).unwrap_or_default();
            }
            assert!(told.contains(">CREATE_IN_PROGRESS<") && Instant::now() < deadline, "{told}");
        }
    }

    /// The most memory that the process ever had, in bytes.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
    }
}

/// A REST API with one method, `POST /x`.
fn api(mapping: &str, schema: Option<Value>) -> Value {
    let mut method = json!({
        "RestApiId": {"Ref": "Api"}, "ResourceId": {"Ref": "X"}, "HttpMethod": "POST", "AuthorizationType": "NONE",
        "Integration": {
            "Type": "MOCK",
            "RequestTemplates": {"application/json": mapping},
            "IntegrationResponses": [{"StatusCode": "200", "ResponseTemplates": {"application/json": "{}"}}],
        },
        "MethodResponses": [{"StatusCode": "200"}],
    });
    let mut resources = json!({
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "bounds"}},
        "X": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "Api"},
            "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": "x"}},
        "Deployed": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Post", "Properties": {"RestApiId": {"Ref": "Api"}}},
        "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"RestApiId": {"Ref": "Api"},
            "DeploymentId": {"Ref": "Deployed"}, "StageName": "s"}},
    });
    if let Some(schema) = schema {
        resources["Model"] = json!({"Type": "AWS::ApiGateway::Model", "Properties": {"RestApiId": {"Ref": "Api"},
            "ContentType": "application/json", "Name": "Body", "Schema": schema}});
        resources["Validator"] = json!({"Type": "AWS::ApiGateway::RequestValidator",
            "Properties": {"RestApiId": {"Ref": "Api"}, "ValidateRequestBody": true}});
        method["RequestValidatorId"] = json!({"Ref": "Validator"});
        method["RequestModels"] = json!({"application/json": {"Ref": "Model"}});
    }
    resources["Post"] = json!({"Type": "AWS::ApiGateway::Method", "Properties": method});
    json!({"Resources": resources, "Outputs": {"Id": {"Value": {"Ref": "Api"}}}})
}

fn call(served: &Served, api: &str, body: Vec<u8>) -> (u16, String) {
    let path = format!("/_aws/execute-api/{api}/s/x");
    let headers = [("content-type", "application/json")];
    served.request(&Asked { method: "POST", path, service: "execute-api", headers: &headers, body })
}

#[test]
fn requests_that_would_take_the_machine_are_answered_or_refused_in_seconds() {
    let project = Project::empty();
    let served = project.serve(&[]);
    let before = served.peak();

    // Forms that inflate, and templates that unfold.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b'a'; 200 << 20]).expect("deflated");
    let gzip = [("content-type", "application/x-www-form-urlencoded"), ("content-encoding", "gzip")];
    let body = encoder.finish().expect("deflated");
    let bomb = Asked { method: "POST", path: "/".to_owned(), service: "cloudformation", headers: &gzip, body };
    assert_eq!(served.request(&bomb).0, 413);
    let names: Vec<String> = (0..200).map(|index| format!("a{index}")).collect();
    let looped = (0..3).fold(json!({"L${A0}${A1}${A2}": {"Type": "AWS::Logs::LogGroup"}}), |inner, depth| {
        let variable = format!("A{depth}");
        json!({ format!("Fn::ForEach::{variable}"): [variable, names, inner] })
    });
    let looped = json!({"Transform": "AWS::LanguageExtensions", "Resources": looped}).to_string();
    let (status, body) = served.form(&[("Action", "CreateStack"), ("StackName", "loops"), ("TemplateBody", &looped)]);
    assert!(status == 400 && body.contains("make more than"), "{status} {body}");
    let long = "x".repeat(1 << 20);
    let body = json!({"Parameters": {"P": {"Type": "String"}}, "Resources": {"L": {"Type": "AWS::Logs::LogGroup"}}});
    let (status, body) = served.form(&[
        ("Action", "CreateStack"),
        ("StackName", "long"),
        ("TemplateBody", &body.to_string()),
        ("Parameters.member.1.ParameterKey", "P"),
        ("Parameters.member.1.ParameterValue", &long),
    ]);
    assert!(status == 400 && body.contains("at most 4096 bytes"), "{status} {body}");

    // What nests without end.
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    assert_eq!(served.json("dynamodb", "DynamoDB_20120810.PutItem", format!("{{\"Item\":{deep}}}")).0, 400);
    assert_eq!(served.form(&[("Action", "ValidateTemplate"), ("TemplateBody", &deep[..40_000])]).0, 400);
    let body = format!("<Delete>{}{}</Delete>", "<a>".repeat(500_000), "</a>".repeat(500_000)).into_bytes();
    let delete = Asked { method: "POST", path: "/b?delete".to_owned(), service: "s3", headers: &[], body };
    assert!(served.request(&delete).0 >= 400);

    // Patterns.
    assert_eq!(served.json("logs", "Logs_20140328.CreateLogGroup", r#"{"logGroupName":"g"}"#).0, 200);
    let pattern = (0..100_000).map(|index| format!("-t{index}")).collect::<Vec<_>>().join(" ");
    let body = json!({"logGroupName": "g", "filterPattern": pattern}).to_string();
    let (status, body) = served.json("logs", "Logs_20140328.FilterLogEvents", body);
    assert!(status == 400 && body.contains("less than or equal to 1024"), "{status} {body}");

    // Request models and mapping templates.
    let numbers = |count: usize| json!((0..count).collect::<Vec<_>>()).to_string().into_bytes();
    let unique = served.stack("unique", &api("{\"statusCode\": 200}", Some(json!({"uniqueItems": true}))));
    assert_eq!(call(&served, &unique, numbers(200_000)).0, 200);
    let endless = "#set($b = $input.body)#foreach($i in [1..1000])#foreach($j in [1..400])#set($x = $b.contains('yy'))\
                   #end#end{\"statusCode\": 200}";
    let endless = served.stack("endless", &api(endless, None));
    assert_eq!(call(&served, &endless, numbers(200_000)).0, 500);
    assert_eq!(call(&served, &unique, b"[".repeat(1_000_000)).0, 400);

    // Texts for models and guardrails.
    let model = "/model/amazon.nova-lite-v1%3A0/converse";
    let said = "Summarise: ".to_owned() + &"The pump has a filter. ".repeat(40_000);
    let (status, body) = served.bedrock(model, &json!({"messages": [{"role": "user", "content": [{"text": said}]}]}));
    assert_eq!(status, 200, "{body}");
    let list = |count: usize, one: &dyn Fn(usize) -> Value| (0..count).map(one).collect::<Vec<_>>();
    let guardrail = json!({
        "Name": "g", "BlockedInputMessaging": "no", "BlockedOutputsMessaging": "no",
        "TopicPolicyConfig": {"TopicsConfig": list(20, &|index| json!({"Name": format!("t{index}"), "Type": "DENY",
            "Definition": format!("about thing {index}"), "Examples": [format!("how is thing {index}")]}))},
        "WordPolicyConfig": {"WordsConfig": list(500, &|index| json!({"Text": format!("bad{index}")}))},
        "SensitiveInformationPolicyConfig": {"RegexesConfig": list(5, &|index| json!({"Name": format!("r{index}"),
            "Pattern": format!("(a{{1,50}}){{1,20}}b{index}"), "Action": "ANONYMIZE"}))},
    });
    let guardrail = json!({
        "Resources": {"G": {"Type": "AWS::Bedrock::Guardrail", "Properties": guardrail}},
        "Outputs": {"Id": {"Value": {"Fn::GetAtt": ["G", "GuardrailId"]}}},
    });
    let guardrail = served.stack("guardrail", &guardrail);
    let blocks = list(20_000, &|_| json!({"text": {"text": "thing number 7"}}));
    let apply = format!("/guardrail/{guardrail}/version/DRAFT/apply");
    let (status, body) = served.bedrock(&apply, &json!({"source": "INPUT", "content": blocks}));
    assert_eq!(status, 200, "{body}");

    let used = served.peak() - before;
    assert!(used < 400 << 20, "{} MiB", used >> 20);
}

#[test]
fn a_function_that_sends_itself_events_has_so_many_waiting_and_no_more() {
    let project = Project::empty();
    let served = project.serve(&[]);
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"}}]});
    let code = "import time\ndef handler(event, context):\n    time.sleep(30)\n";
    let name = served.stack(
        "waiting",
        &json!({
            "Resources": {
                "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
                "F": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.13", "Handler": "index.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": code}, "Timeout": 60}},
            },
            "Outputs": {"Id": {"Value": {"Ref": "F"}}},
        }),
    );
    let path = format!("/2015-03-31/functions/{name}/invocations");
    let headers = [("x-amz-invocation-type", "Event")];
    let send = || {
        served.request(&Asked {
            method: "POST",
            path: path.clone(),
            service: "lambda",
            headers: &headers,
            body: b"{}".to_vec(),
        })
    };
    for number in 0..1_000 {
        assert_eq!(send().0, 202, "event {number}");
    }
    let (status, body) = send();
    assert_eq!(status, 429, "{body}");
    assert!(body.contains("Rate Exceeded"), "{body}");
}
