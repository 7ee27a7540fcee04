//! The network, its endpoints, and alarms.

use bedplate::check::{CheckOptions, check};
use bedplate::facts::Day;
use bedplate::render::{Partials, render};
use bedplate::spec;
use serde_json::json;

use crate::render::{DEV, properties, rendered};

const INSIDE: &str = "functions:\n  f:\n    code: f/\n    handler: app.handler\n    runtime: python3.13\n    in-network: \
                      true\n    uses: [{ invoke: models.m }, { read: buckets.b }]\nmodels: { m: { id: \
                      \"amazon.nova-lite-v1:0\" } }\nbuckets: { b: {} }\n";

fn network(body: &str) -> String {
    format!("bedplate: 1\nname: x\nnetwork:\n{body}{INSIDE}")
}

/// Codes and lines of what a check says, smoke tests aside.
fn checked(text: &str) -> Vec<(&'static str, usize, String)> {
    let loaded = spec::load_str(text, "usecase.yaml").expect("a spec");
    let rendered = render(&loaded, &DEV, Partials::embedded()).expect("a template");
    let options = CheckOptions { today: Day::parse("2026-11-24").expect("a day"), region: DEV.region };
    let findings = loaded.warnings.iter().cloned().chain(check(&loaded, &rendered, &options));
    findings
        .filter(|it| it.code != "R102")
        .map(|it| (it.code.as_str(), it.place.as_ref().map_or(0, |place| place.line), it.message))
        .collect()
}

fn refused(text: &str) -> Vec<(&'static str, usize)> {
    let findings = spec::load_str(text, "usecase.yaml").expect_err("refused");
    findings.iter().map(|it| (it.code.as_str(), it.place.as_ref().map_or(0, |place| place.line))).collect()
}

#[test]
fn subnets_share_the_addresses_and_nothing_leads_to_the_internet() {
    let rendered = rendered(&network("  cidr: 10.9.0.0/20\n  zones: 3\n  endpoints: { bedrock-runtime: {} }\n"));
    let subnets: Vec<_> = rendered.template.resources().filter(|it| it.type_ == "AWS::EC2::Subnet").collect();
    assert_eq!(subnets.len(), 3);
    for (index, subnet) in subnets.iter().enumerate() {
        let properties = subnet.properties().expect("properties");
        let by_name = json!({ "Fn::Select": [index, { "Fn::GetAZs": "" }] });
        let by_id = json!({ "Ref": "AWS::NoValue" });
        assert_eq!(properties["AvailabilityZone"], json!({ "Fn::If": ["NetworkZonesChosen", by_id, by_name] }));
        let chosen = properties["AvailabilityZoneId"].to_string();
        assert!(chosen.contains("use1-az") && !chosen.contains("use1-az3"), "{chosen}");
        // A /22 of the /20: ten bits.
        let blocks = json!({ "Fn::Cidr": [{ "Fn::GetAtt": ["NetworkVpc", "CidrBlock"] }, 3, 10] });
        assert_eq!(properties["CidrBlock"], json!({ "Fn::Select": [index, blocks] }));
    }
    let ways = ["AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"];
    assert!(rendered.template.resources().all(|it| !ways.contains(&it.type_)));
    let leaves = &properties(&rendered, "NetworkSecurityGroup")["SecurityGroupEgress"];
    assert_eq!(leaves[0]["CidrIp"], json!({ "Fn::GetAtt": ["NetworkVpc", "CidrBlock"] }));
}

#[test]
fn an_endpoint_lets_through_what_the_functions_inside_are_granted() {
    let rendered = rendered(&network("  endpoints: { bedrock-runtime: {}, s3: {}, sqs: {}, execute-api: {} }\n"));
    let policy = |id: &str| properties(&rendered, id)["PolicyDocument"]["Statement"].clone();
    let ours = json!({ "StringEquals": { "aws:PrincipalAccount": { "Ref": "AWS::AccountId" } } });
    let model =
        json!({ "Fn::Sub": "arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/amazon.nova-lite-v1:0" });
    let statement = |action: &str, resource: serde_json::Value, condition: &serde_json::Value| json!([{ "Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource, "Condition": condition }]);
    let project =
        json!({ "Fn::Sub": "arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}:project/default" });
    let both = json!([project, model]);
    assert_eq!(policy("NetworkBedrockRuntimeEndpoint"), statement("bedrock:InvokeModel", both, &ours));
    assert_eq!(policy("NetworkS3Endpoint"), statement("s3:GetObject", json!({ "Fn::Sub": "${BBucket.Arn}/*" }), &ours));
    assert_eq!(policy("NetworkSqsEndpoint"), statement("sqs:SendMessage", json!("*"), &ours), "nothing is granted");
    let apis = json!({ "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:*" });
    let from_here = json!({ "StringEquals": { "aws:SourceVpc": { "Ref": "NetworkVpc" } } });
    assert_eq!(policy("NetworkExecuteApiEndpoint"), statement("execute-api:Invoke", apis, &from_here));
    assert_eq!(properties(&rendered, "NetworkS3Endpoint")["VpcEndpointType"], "Gateway");
    assert_eq!(properties(&rendered, "NetworkSqsEndpoint")["PrivateDnsEnabled"], true);
    // S3 has public addresses, and there is still no route to any other.
    assert_eq!(properties(&rendered, "NetworkSecurityGroup")["SecurityGroupEgress"][0]["CidrIp"], "0.0.0.0/0");
}

#[test]
fn a_check_tells_the_price_and_the_ways_that_are_missing() {
    let told = checked(&network("  endpoints: { bedrock-runtime: {}, logs: {} }\n"));
    let codes: Vec<_> = told.iter().map(|(code, line, _)| (*code, *line)).collect();
    assert_eq!(codes, [("L142", 11), ("L141", 4)], "{told:?}");
    assert!(told[0].2.contains("buckets.b"), "{told:?}");
    assert!(told[1].2.contains("2 interface endpoints in 2 zones: about 29 US dollars a month"), "{told:?}");
    let whole = checked(&network("  zones: 1\n  endpoints: { bedrock-runtime: {}, s3: {} }\n"));
    assert_eq!(whole.len(), 1, "a gateway endpoint costs nothing: {whole:?}");
    assert!(whole[0].2.contains("one interface endpoint in one zone: about 7 US dollars"), "{whole:?}");
}

#[test]
fn what_a_network_cannot_be_is_refused_at_its_line() {
    for cidr in ["10.0.0.0/8", "10.0.0.1/16", "52.0.0.0/16", "10.0.0.0/28"] {
        assert_eq!(refused(&network(&format!("  cidr: {cidr}\n"))), [("S212", 4)], "{cidr}");
    }
    let loaded = spec::load_str(&network("  endpoints: { bedrock-runtim: {} }\n"), "usecase.yaml").expect("a spec");
    let findings = render(&loaded, &DEV, Partials::embedded()).expect_err("no such endpoint");
    assert_eq!(findings[0].code, "R141");
    assert_eq!(findings[0].help.as_deref(), Some("did you mean `bedrock-runtime`?"));
    let empty = "bedplate: 1\nname: x\nbuckets: { b: {} }\nnetwork: {}\n";
    let told: Vec<_> = checked(empty).into_iter().map(|(code, line, _)| (code, line)).collect();
    assert_eq!(told, [("S213", 4)]);
}

#[test]
fn parts_of_the_network_can_be_named() {
    let text = network("  zones: 2\n")
        + "outputs: { v: \"${network.vpc}\", s: \"${network.subnets}\", g: \"${network.security-group}\" }\n";
    let outputs = rendered(&text).template.value()["Outputs"].clone();
    assert_eq!(outputs["V"]["Value"], json!({ "Ref": "NetworkVpc" }));
    assert_eq!(outputs["S"]["Value"], json!({ "Fn::Sub": "${NetworkSubnet1},${NetworkSubnet2}" }));
    assert_eq!(outputs["G"]["Value"], json!({ "Fn::GetAtt": ["NetworkSecurityGroup", "GroupId"] }));
}

#[test]
fn an_alarm_watches_one_figure_or_the_sum_of_two() {
    let text = format!(
        "bedplate: 1\nname: x\nnetwork: {{}}\n{INSIDE}tables: {{ t: {{ partition-key: {{ name: id }} }} }}\napis: {{ a: \
         {{ kind: rest, routes: [ GET /x: {{ function: f }} ] }} }}\nalarms:\n  broken: {{ on: functions.f, metric: \
         errors, above: 0 }}\n  slow: {{ on: apis.a, metric: duration, above: 100.5, over: 1h, notify: \
         \"arn:aws:sns:us-west-2:123456789012:t\" }}\n  busy: {{ on: tables.t, metric: throttles, above: 3 }}\n"
    );
    let rendered = rendered(&text);
    let broken = properties(&rendered, "BrokenAlarm");
    assert_eq!(broken["MetricName"], "Errors");
    assert_eq!(broken["Dimensions"], json!([{ "Name": "FunctionName", "Value": { "Ref": "FFunction" } }]));
    assert_eq!((broken["Period"].clone(), broken["Threshold"].clone()), (json!(300), json!(0.0)));
    let slow = properties(&rendered, "SlowAlarm");
    assert_eq!(slow["Dimensions"], json!([{ "Name": "ApiName", "Value": "x-dev-a" }]));
    assert_eq!(slow["AlarmActions"], json!(["arn:aws:sns:us-west-2:123456789012:t"]));
    let busy = properties(&rendered, "BusyAlarm")["Metrics"].clone();
    assert_eq!(busy[0]["Expression"], "FILL(m0, 0) + FILL(m1, 0)");
    assert_eq!(busy[2]["MetricStat"]["Metric"]["MetricName"], "WriteThrottleEvents");
}

#[test]
fn an_alarm_on_what_has_no_such_figure_is_refused() {
    let alarm = |body: &str| format!("bedplate: 1\nname: x\n{INSIDE}network: {{}}\nalarms:\n  a: {{ {body} }}\n");
    let line = alarm("").lines().count();
    for (body, code) in [
        ("on: f, metric: errors, above: 0", "S025"),
        ("on: functions.g, metric: errors, above: 0", "S025"),
        ("on: buckets.b, metric: errors, above: 0", "S025"),
        ("on: functions.f, metric: errors, above: -1", "S214"),
        ("on: functions.f, metric: errors, above: 0, over: 90s", "S214"),
    ] {
        assert_eq!(refused(&alarm(body)), [(code, line)], "{body}");
    }
    let text = "bedplate: 1\nname: x\ntables: { t: { partition-key: { name: id } } }\nalarms:\n  a: { on: tables.t, metric: calls, above: 0 }\n";
    assert_eq!(refused(text), [("S214", 5)]);
}
