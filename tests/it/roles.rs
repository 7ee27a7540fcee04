//! Roles of a spec's own, and what callers of models are allowed.

use bedplate::spec;
use serde_json::{Value, json};

use crate::render::{properties, rendered};

fn statements(rendered: &bedplate::render::Rendered, id: &str) -> Vec<Value> {
    let policies = &properties(rendered, id)["Policies"];
    policies[0]["PolicyDocument"]["Statement"].as_array().cloned().unwrap_or_default()
}

fn refused(text: &str) -> Vec<(&'static str, usize)> {
    let findings = spec::load_str(text, "usecase.yaml").expect_err("refused");
    findings.iter().map(|it| (it.code.as_str(), it.place.as_ref().map_or(0, |place| place.line))).collect()
}

#[test]
fn a_role_lets_in_whom_it_names_and_services_for_this_account_only() {
    let rendered = rendered(
        "bedplate: 1\nname: x\nroles:\n  r:\n    name: mine\n    session: 2h\n    assumed-by:\n      - service: \
         ecs-tasks.amazonaws.com\n      - service: ec2.amazonaws.com\n      - account: this\n      - account: \
         \"210987654321\"\n      - principal: ${roles.s.arn}\n  s: { assumed-by: [{ account: this }] }\n",
    );
    let role = properties(&rendered, "RRole");
    assert_eq!(role["MaxSessionDuration"], 7200);
    assert!(role.get("Policies").is_none(), "it uses nothing");
    assert_eq!(rendered.capabilities, ["CAPABILITY_NAMED_IAM"]);
    let trust = role["AssumeRolePolicyDocument"]["Statement"].as_array().expect("a list").clone();
    let of = |service: &str| trust.iter().find(|it| it["Principal"]["Service"] == service).expect(service);
    let here = json!({ "StringEquals": { "aws:SourceAccount": { "Ref": "AWS::AccountId" } } });
    assert_eq!(of("ecs-tasks.amazonaws.com")["Condition"], here);
    assert!(of("ec2.amazonaws.com").get("Condition").is_none(), "it does not say for whom it acts");
    let others = Value::from(trust).to_string();
    for principal in ["${AWS::AccountId}:root", "210987654321:root", r#"{"Fn::GetAtt":["SRole","Arn"]}"#] {
        assert!(others.contains(principal), "{principal}: {others}");
    }
}

#[test]
fn a_role_that_lets_in_nobody_or_anybody_is_refused() {
    let role = |who: &str| format!("bedplate: 1\nname: x\nroles:\n  r:\n    assumed-by: [{who}]\n");
    for who in [
        "",
        "{ service: ecs-tasks }",
        "{ service: \"*\" }",
        "{ account: \"12\" }",
        "{ principal: \"*\" }",
        "{ principal: \"arn:aws:iam::123456789012:role/*\" }",
        "{ principal: me }",
    ] {
        let told = refused(&role(who));
        assert!(told.contains(&("S210", 5)), "{who}: {told:?}");
    }
    assert_eq!(refused(&(role("{ account: this }") + "    session: 13h\n")), [("S032", 6)]);
    assert_eq!(refused(&(role("{ account: this }") + "    name: a b\n")), [("S211", 6)]);
}

#[test]
fn models_behind_a_profile_are_allowed_through_the_profile_only() {
    let with = |model: &str| {
        let rendered = rendered(&format!(
            "bedplate: 1\nname: x\nmodels: {{ m: {{ {model} }} }}\nroles:\n  r:\n    assumed-by: [{{ account: this \
             }}]\n    uses: [{{ invoke: models.m }}]\noutputs: {{ m: \"${{models.m}}\" }}\n"
        ));
        let output = rendered.template.value()["Outputs"]["M"]["Value"].clone();
        (statements(&rendered, "RRole"), output)
    };
    let arn = |rest: &str| json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:bedrock:{rest}") });
    let through = |profile: &Value| json!({ "StringEquals": { "bedrock:InferenceProfileArn": profile } });
    let allow = |resource: Value| json!({ "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": resource });
    let project = arn("${AWS::Region}:${AWS::AccountId}:project/default");
    // In the order of a rendered list: by the text of each.
    let with_project = |called: Value| {
        let mut both = [called, project.clone()];
        both.sort_by_key(Value::to_string);
        allow(json!(both))
    };
    let bounded = |resource: Value, profile: &Value| {
        let mut statement = allow(resource);
        statement["Condition"] = through(profile);
        statement
    };
    let holds = |(statements, _): (Vec<Value>, Value), wanted: &[Value]| {
        assert_eq!(statements.len(), wanted.len(), "{statements:#?}");
        for statement in wanted {
            assert!(statements.contains(statement), "{statement}\nin {statements:#?}");
        }
    };
    let id = "amazon.nova-2-lite-v1:0";
    let model = arn(&format!("${{AWS::Region}}::foundation-model/{id}"));
    let any_region = arn(&format!("*::foundation-model/{id}"));
    let profile = |prefix: &str| arn(&format!("${{AWS::Region}}:${{AWS::AccountId}}:inference-profile/{prefix}.{id}"));

    holds(
        with("id: \"amazon.nova-lite-v1:0\""),
        &[with_project(arn("${AWS::Region}::foundation-model/amazon.nova-lite-v1:0"))],
    );
    let geographic = profile("us");
    holds(
        with(&format!("id: \"us.{id}\"")),
        &[with_project(geographic.clone()), bounded(any_region.clone(), &geographic)],
    );
    let global = profile("global");
    holds(
        with(&format!("id: \"global.{id}\"")),
        &[with_project(global.clone()), bounded(json!([model, arn(&format!("::foundation-model/{id}"))]), &global)],
    );
    let own = json!({ "Fn::GetAtt": ["MModelProfile", "InferenceProfileArn"] });
    let (statements, output) = with(&format!("id: \"us.{id}\", application-profile: true"));
    assert_eq!(output, own, "programs are given the ARN of the profile made");
    holds((statements, output), &[with_project(own.clone()), bounded(any_region.clone(), &own)]);
    // A system profile by its whole ARN.
    let named = format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{id}");
    holds(with(&format!("id: \"{named}\"")), &[with_project(json!(named)), bounded(any_region, &json!(named))]);
}

#[test]
fn an_application_profile_copies_the_model_and_carries_its_name() {
    let rendered = rendered(
        "bedplate: 1\nname: bill-me\nmodels: { m--m: { id: \"us.amazon.nova-2-lite-v1:0\", application-profile: true } }\n",
    );
    let profile = properties(&rendered, "MMModelProfile");
    assert_eq!(profile["InferenceProfileName"], "bill-me-dev-m-m");
    let source = profile["ModelSource"]["CopyFrom"]["Fn::Sub"].as_str().expect("an ARN");
    assert!(source.ends_with(":inference-profile/us.amazon.nova-2-lite-v1:0"), "{source}");
    assert_eq!(profile["Tags"], json!([{ "Key": "bedplate:model", "Value": "m--m" }]));
}
