//! Functions beyond code behind an API: inline code, aliases, URLs, queues, networks; and buckets with a key.

use bedplate::finding::Finding;
use bedplate::render::{Partials, Rendered, render};
use bedplate::spec;
use serde_json::{Value, json};

use crate::render::{DEV, properties, rendered};

/// Renders a spec that lies in a folder with `index.py`.
fn with_code(text: &str, code: &str) -> Result<Rendered, Vec<Finding>> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("index.py"), code).expect("a file");
    let loaded = spec::load_text(text, folder.path(), "usecase.yaml")?;
    render(&loaded, &DEV, Partials::embedded())
}

fn function(more: &str) -> String {
    format!(
        "bedplate: 1\nname: x\nfunctions:\n  f:\n    inline: index.py\n    handler: index.handler\n    runtime: \
         python3.13\n{more}"
    )
}

/// Codes and lines of findings.
fn told(findings: &[Finding]) -> Vec<(&'static str, usize)> {
    findings.iter().map(|it| (it.code.as_str(), it.place.as_ref().map_or(0, |place| place.line))).collect()
}

fn refused(text: &str) -> Vec<(&'static str, usize)> {
    told(&spec::load_str(text, "usecase.yaml").expect_err("refused"))
}

const CODE: &str = "def handler(event, context):\n    return '${x}'\n";

#[test]
fn inline_code_is_in_the_template_and_needs_no_artifact() {
    let rendered = with_code(&function(""), CODE).expect("a template");
    assert_eq!(properties(&rendered, "FFunction")["Code"], json!({ "ZipFile": CODE }));
    assert!(rendered.artifacts.is_empty());
    assert!(rendered.template.value().get("Parameters").is_none(), "no artifact bucket either");
}

#[test]
fn inline_code_must_fit_the_template() {
    let long = "#".repeat(4097);
    assert_eq!(told(&with_code(&function(""), &long).expect_err("too long")), [("R140", 5)]);
    assert_eq!(told(&with_code(&function(""), " \n").expect_err("empty")), [("R140", 5)]);
    assert!(with_code(&function(""), &"#".repeat(4096)).is_ok());
    let head = "bedplate: 1\nname: x\nfunctions:\n  f:\n";
    assert_eq!(refused(&format!("{head}    handler: a.b\n    runtime: python3.13\n")), [("S200", 4)]);
    assert_eq!(
        refused(&format!("{head}    handler: index.b\n    runtime: python3.13\n    code: f/\n    inline: a.py\n")),
        [("S200", 8)]
    );
    assert_eq!(
        refused(&format!("{head}    handler: app.b\n    runtime: java21\n    inline: a.py\n")),
        [("S201", 5), ("S201", 6)]
    );
}

/// Logical id and properties of the version of the function `f`.
fn version(rendered: &Rendered) -> (String, Value) {
    let version = rendered.template.resources().find(|it| it.type_ == "AWS::Lambda::Version").expect("a version");
    (version.logical_id.to_owned(), version.properties().expect("properties").clone().into())
}

#[test]
fn a_changed_function_is_a_new_version_and_a_changed_name_is_not() {
    let with = |more: &str| {
        rendered(&format!(
            "bedplate: 1\nname: x\nlayers: {{ l: {{ requirements: [boto3], runtimes: [python3.13] }} }}\nfunctions:\n  f:\n    code: f/\n    handler: app.handler\n    runtime: python3.13\n    layers: [l]\n    alias: live\n{more}"
        ))
    };
    let plain = with("");
    let (id, properties_) = version(&plain);
    // What is known at a deploy only is in the description, which cannot change without a new version.
    let layer = json!({ "Fn::Select": [7, { "Fn::Split": [":", { "Ref": "LLayer" }] }] });
    assert_eq!(properties_["Description"], json!({ "Fn::Join": [" ", [{ "Ref": "FCodeKey" }, layer]] }));
    assert_eq!(properties(&plain, "FFunctionAlias")["FunctionVersion"], json!({ "Fn::GetAtt": [id, "Version"] }));
    for same in ["    name: other\n", "    concurrency: 3\n"] {
        assert_eq!(version(&with(same)).0, id, "{same}");
    }
    for other in ["    memory: 1024\n", "    environment: { AB: c }\n", "    timeout: 3s\n", "    description: d\n"] {
        assert_ne!(version(&with(other)).0, id, "{other}");
    }
}

#[test]
fn whoever_calls_a_function_with_an_alias_calls_the_alias() {
    let text = function(
        "    alias: live\n  g:\n    code: g/\n    handler: app.handler\n    runtime: python3.13\n    uses: [{ invoke: \
         functions.f }]\n    environment: { F: \"${functions.f}\", ARN: \"${functions.f.arn}\", NAME: \
         \"${functions.f.name}\" }\napis:\n  a: { kind: rest, routes: [ GET /x: { function: f } ] }\n",
    );
    let text =
        text.replace("{ F:", "{ FUN:").replace("code: g/", "inline: index.py").replace("app.handler", "index.handler");
    let rendered = with_code(&text, CODE).expect("a template");
    let alias = json!({ "Ref": "FFunctionAlias" });
    let variables = &properties(&rendered, "GFunction")["Environment"]["Variables"];
    assert_eq!(*variables, json!({ "FUN": alias, "ARN": alias, "NAME": { "Ref": "FFunction" } }));
    assert_eq!(properties(&rendered, "AApiXGetPermission")["FunctionName"], alias);
    let uri = properties(&rendered, "AApiXGet")["Integration"]["Uri"].to_string();
    assert!(uri.contains("${FFunctionAlias}"), "{uri}");
    let policy = properties(&rendered, "GFunctionRole")["Policies"].to_string();
    assert!(policy.contains("lambda:InvokeFunction") && policy.contains("FFunctionAlias"), "{policy}");
}

#[test]
fn an_open_url_is_a_warning_and_has_two_permissions() {
    let text = function("    url: { auth: none }\n");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("index.py"), CODE).expect("a file");
    let loaded = spec::load_text(&text, folder.path(), "usecase.yaml").expect("a spec");
    assert_eq!(told(&loaded.warnings), [("S205", 8)]);
    let rendered = render(&loaded, &DEV, Partials::embedded()).expect("a template");
    assert_eq!(properties(&rendered, "FFunctionUrl")["AuthType"], "NONE");
    assert_eq!(properties(&rendered, "FFunctionUrlPermission")["FunctionUrlAuthType"], "NONE");
    assert_eq!(properties(&rendered, "FFunctionUrlCallPermission")["InvokedViaFunctionUrl"], true);
    let closed = with_code(&function("    url: {}\n"), CODE).expect("a template");
    assert_eq!(properties(&closed, "FFunctionUrl")["AuthType"], "AWS_IAM");
    assert!(closed.template.resource("FFunctionUrlPermission").is_none(), "callers' own policies say who may");
    let strange = function("    url: { cors: { origins: [a], methods: [OPTIONS], max-age: 48h } }\n");
    assert_eq!(refused(&strange), [("S204", 8), ("S204", 8)]);
    assert_eq!(refused(&function("outputs: { u: \"${functions.f.url}\" }\n")), [("S022", 8)]);
}

#[test]
fn failed_events_go_to_a_queue_that_only_the_function_may_write() {
    let rendered = with_code(&function("    dead-letter: true\n    concurrency: 0\n"), CODE).expect("a template");
    let queue = json!({ "Fn::GetAtt": ["FFunctionDeadLetters", "Arn"] });
    assert_eq!(properties(&rendered, "FFunction")["DeadLetterConfig"], json!({ "TargetArn": queue }));
    assert_eq!(properties(&rendered, "FFunction")["ReservedConcurrentExecutions"], 0);
    assert_eq!(properties(&rendered, "FFunctionDeadLetters")["SqsManagedSseEnabled"], true);
    let statements = &properties(&rendered, "FFunctionRole")["Policies"][0]["PolicyDocument"]["Statement"];
    let send = json!({ "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue });
    assert!(statements.as_array().expect("a list").contains(&send), "{statements}");
}

#[test]
fn a_function_in_the_network_gets_lambdas_rights_and_loses_them_in_its_code() {
    let rendered = with_code(&function("    in-network: true\nnetwork: { zones: 1 }\n"), CODE).expect("a template");
    let place = &properties(&rendered, "FFunction")["VpcConfig"];
    assert_eq!(place["SubnetIds"], json!([{ "Ref": "NetworkSubnet1" }]));
    let policy = &properties(&rendered, "FFunctionRole")["Policies"][0]["PolicyDocument"];
    for statement in policy["Statement"].as_array().expect("a list") {
        let on_all = statement["Resource"] == "*";
        let looks = statement["Action"] == json!(["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]);
        assert_eq!(on_all, looks, "only looking is on everything: {statement}");
        let interfaces = statement["Action"].to_string().contains("NetworkInterface\"") && !looks;
        assert!(!interfaces || statement["Resource"].to_string().ends_with(":*/*\"}"), "nothing narrower: {statement}");
    }
    let guard = &properties(&rendered, "FFunctionRoleGuard")["PolicyDocument"]["Statement"][0];
    assert_eq!(guard["Effect"], "Deny");
    let function_arn = json!({ "Fn::GetAtt": ["FFunction", "Arn"] });
    assert_eq!(guard["Condition"], json!({ "ArnEquals": { "lambda:SourceFunctionArn": function_arn } }));
    assert_eq!(refused(&function("    in-network: true\n")), [("S202", 8)]);
    for name in ["1", "a b", "\"\""] {
        assert_eq!(refused(&function(&format!("    alias: \"{name}\"\n").replace("\"\"\"\"", "\"\""))), [("S203", 8)]);
    }
}

#[test]
fn a_buckets_key_is_used_by_who_may_use_the_bucket() {
    let key = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let text = function("    uses: [USES]\n") + &format!("buckets: {{ b: {{ kms-key: \"{key}\" }} }}\n");
    let actions = |uses: &str| {
        let rendered = with_code(&text.replace("USES", uses), CODE).expect("a template");
        let bucket = properties(&rendered, "BBucket")["BucketEncryption"].to_string();
        assert!(bucket.contains("aws:kms") && bucket.contains(key), "{bucket}");
        let policy = properties(&rendered, "FFunctionRole")["Policies"][0]["PolicyDocument"]["Statement"].clone();
        let on_key = |it: &&Value| it["Resource"] == key;
        let statement = policy.as_array().expect("a list").iter().find(on_key).cloned();
        if let Some(statement) = &statement {
            assert!(statement["Condition"]["StringEquals"]["kms:ViaService"].is_object(), "{statement}");
        }
        statement.map_or(Value::Null, |statement| statement["Action"].clone())
    };
    assert_eq!(actions("{ read: buckets.b }"), "kms:Decrypt");
    assert_eq!(actions("{ write: buckets.b }"), json!(["kms:Decrypt", "kms:GenerateDataKey"]));
    assert_eq!(actions("{ delete: buckets.b }"), Value::Null);
}
