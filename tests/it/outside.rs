//! What comes from outside the language: raw resources, templates made elsewhere, outputs of other use cases.

use bedplate::check::{CheckOptions, check};
use bedplate::facts::Day;
use bedplate::finding::Finding;
use bedplate::render::{Partials, Rendered, render};
use bedplate::spec::{self, LoadedSpec};
use serde_json::{Value, json};

use crate::render::{DEV, properties, rendered};
use crate::support::Project;

fn told(findings: &[Finding]) -> Vec<(&'static str, String)> {
    let place =
        |it: &Finding| it.place.as_ref().map_or(String::new(), |place| format!("{}:{}", place.file, place.line));
    findings.iter().map(|it| (it.code.as_str(), place(it))).collect()
}

fn checked(loaded: &LoadedSpec, rendered: &Rendered) -> Vec<(&'static str, String)> {
    let options = CheckOptions { today: Day::parse("2026-11-24").expect("a day"), region: DEV.region };
    let mut told = told(&check(loaded, rendered, &options));
    told.retain(|(code, _)| *code != "R102");
    told
}

#[test]
fn raw_resources_hold_references_and_can_be_referred_to() {
    let rendered = rendered(
        "bedplate: 1\nname: x\nbuckets: { b: {} }\nresources:\n  Jobs:\n    Type: AWS::SQS::Queue\n    DeletionPolicy: \
         Retain\n    Metadata: { owner: me }\n    Properties:\n      QueueName: jobs-${stage}-${buckets.b}\n      \
         Tags: [{ Key: sub, Value: { \"Fn::Sub\": \"$${AWS::StackName}\" } }]\n  After: { Type: \
         \"AWS::SQS::Queue\", DependsOn: [BBucket] }\noutputs: { url: \"${resources.Jobs}\", arn: \
         \"${resources.Jobs.Arn}\" }\n",
    );
    let jobs = properties(&rendered, "Jobs");
    assert_eq!(jobs["QueueName"], json!({ "Fn::Sub": "jobs-dev-${BBucket}" }));
    assert_eq!(jobs["Tags"][0]["Value"], json!({ "Fn::Sub": "${AWS::StackName}" }), "CloudFormation's own");
    let body = &rendered.template.value()["Resources"];
    assert_eq!(body["Jobs"]["DeletionPolicy"], "Retain");
    assert_eq!(body["Jobs"]["Metadata"], json!({ "owner": "me" }));
    assert_eq!(body["After"]["DependsOn"], json!(["BBucket"]));
    let outputs = &rendered.template.value()["Outputs"];
    assert_eq!(outputs["Url"]["Value"], json!({ "Ref": "Jobs" }));
    assert_eq!(outputs["Arn"]["Value"], json!({ "Fn::GetAtt": ["Jobs", "Arn"] }));
}

#[test]
fn a_raw_resource_is_checked_at_its_own_lines() {
    let text = "bedplate: 1\nname: x\nresources:\n  Jobs:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueNam: \
                a\n      DelaySeconds: [1]\n";
    let loaded = spec::load_str(text, "usecase.yaml").expect("a spec");
    let rendered = render(&loaded, &DEV, Partials::embedded()).expect("a template");
    let wanted = [("T202", "usecase.yaml:7".to_owned()), ("T204", "usecase.yaml:8".to_owned())];
    assert_eq!(checked(&loaded, &rendered), wanted);
    let clash = "bedplate: 1\nname: x\nbuckets: { b: {} }\nresources:\n  BBucket: { Type: \"AWS::S3::Bucket\" }\n";
    let loaded = spec::load_str(clash, "usecase.yaml").expect("a spec");
    let findings = render(&loaded, &DEV, Partials::embedded()).expect_err("two of one id");
    assert_eq!(told(&findings), [("R010", "usecase.yaml:5".to_owned())]);
    let nowhere = "bedplate: 1\nname: x\nbuckets: { b: { name: \"${resources.Nix}\" } }\n";
    let findings = spec::load_str(nowhere, "usecase.yaml").expect_err("no such resource");
    assert_eq!(told(&findings), [("S021", "usecase.yaml:3".to_owned())]);
}

const TEMPLATE: &str = r#"{
 "Description": "not ours",
 "Parameters": { "Days": { "Type": "Number", "Default": 3 }, "Who": { "Type": "String" } },
 "Conditions": { "Long": { "Fn::Equals": [{ "Ref": "Days" }, 30] } },
 "Resources": {
  "Queue": { "Type": "AWS::SQS::Queue", "Condition": "Long",
   "Properties": {
    "QueueName": { "Ref": "Who" }
   }
  },
  "Always": { "Type": "AWS::SQS::Queue" }
 },
 "Outputs": { "Arn": { "Condition": "Long", "Value": { "Fn::GetAtt": ["Queue", "Arn"] } } }
}"#;

/// A spec in a folder with a template beside it.
fn with_template(spec: &str, template: &str) -> Result<(LoadedSpec, Rendered), Vec<Finding>> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("t.json"), template).expect("a file");
    let text = format!("bedplate: 1\nname: x\ndescription: ours\ntemplate: t.json\n{spec}");
    let loaded = spec::load_text(&text, folder.path(), "stacks/x/usecase.yaml")?;
    let rendered = render(&loaded, &DEV, Partials::embedded())?;
    Ok((loaded, rendered))
}

#[test]
fn a_template_made_elsewhere_stands_beside_the_components() {
    let spec = "buckets: { b: {} }\noutputs: { always: \"${resources.Always}\" }\n";
    let (loaded, rendered) = with_template(spec, TEMPLATE).expect("a template");
    let value = rendered.template.value();
    assert_eq!(value["Description"], "ours");
    assert_eq!(value["Conditions"]["Long"], json!({ "Fn::Equals": [{ "Ref": "Days" }, 30] }));
    assert_eq!(value["Resources"]["Queue"]["Condition"], "Long");
    assert!(value["Resources"]["BBucket"].is_object());
    assert_eq!(value["Outputs"]["Always"]["Value"], json!({ "Ref": "Always" }));
    assert_eq!(checked(&loaded, &rendered), []);
}

#[test]
fn what_is_wrong_with_the_template_is_told_at_its_own_lines() {
    let (loaded, rendered) = with_template("", &TEMPLATE.replace("QueueName", "QueueNam")).expect("a template");
    assert_eq!(checked(&loaded, &rendered), [("T202", "stacks/x/t.json:8".to_owned())]);
    let broken = with_template("", "{\n \"Resources\": {,}\n}").expect_err("no JSON");
    assert_eq!(told(&broken), [("R143", "stacks/x/t.json:2".to_owned())]);
    let other = with_template("", "{ \"openapi\": \"3.0.0\" }").expect_err("no template");
    assert_eq!(told(&other), [("R143", "stacks/x/usecase.yaml:4".to_owned())]);
    let clash = with_template("resources: { Queue: { Type: \"AWS::SQS::Queue\" } }\n", TEMPLATE).expect_err("a clash");
    assert_eq!(told(&clash), [("R010", "stacks/x/usecase.yaml:4".to_owned())]);
    let nowhere = with_template("outputs: { a: \"${resources.Nix}\" }\n", TEMPLATE).expect_err("no such resource");
    assert_eq!(told(&nowhere), [("R020", "stacks/x/usecase.yaml:5".to_owned())]);
}

#[test]
fn what_only_cdk_deploy_could_give_is_refused() {
    let mut template: Value = serde_json::from_str(TEMPLATE).expect("JSON");
    template["Parameters"]["BootstrapVersion"] = json!({ "Type": "AWS::SSM::Parameter::Value<String>" });
    template["Resources"]["Code"] = json!({ "Type": "AWS::Lambda::Function", "Properties": { "Code": {
        "S3Bucket": { "Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}" }, "S3Key": "a.zip" } } });
    let text = serde_json::to_string_pretty(&template).expect("JSON");
    let findings = with_template("", &text).expect_err("refused");
    let line = |needle: &str| 1 + text.lines().position(|line| line.contains(needle)).expect(needle);
    let at = |needle: &str| ("R144", format!("stacks/x/t.json:{}", line(needle)));
    assert_eq!(told(&findings), [at("BootstrapVersion"), at("cdk-hnb659fds")]);
    assert!(findings[0].help.as_deref().is_some_and(|help| help.contains("generateBootstrapVersionRule: false")));
}

#[test]
fn parameters_of_a_template_are_given_by_their_own_names() {
    let project = Project::empty();
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: x\ntemplate: t.json\n");
    project.write("stacks/x/t.json", TEMPLATE);
    let missing = project.run(&["deploy", "x", "--yes"]);
    assert_eq!(missing.code, 1, "{}", missing.session());
    assert!(missing.stderr.contains("error[D003]: the parameter `Who` has no value"), "{}", missing.session());
    let wrong = project.run(&["deploy", "x", "--yes", "-p", "Whom=me"]);
    assert!(wrong.stderr.contains("it has `Days`, `Who`"), "{}", wrong.session());
    let done = project.run(&["deploy", "x", "--yes", "-p", "Who=me", "-p", "Days=30"]).ok();
    assert!(done.stdout.contains("Arn = arn:aws:sqs:us-east-1:123456789012:me"), "{}", done.session());
    let gone = project.run(&["destroy", "x", "--yes"]).ok();
    assert!(gone.stderr.contains("nothing of it remains"), "{}", gone.session());
}

/// A project in which `app` takes two outputs of `bank`.
fn bank_and_app() -> Project {
    let project = Project::empty();
    project
        .write("stacks/bank/usecase.yaml", "bedplate: 1\nname: bank\nbuckets: { docs: {} }\noutputs: { motto: one }\n");
    project.write(
        "stacks/app/usecase.yaml",
        "bedplate: 1\nname: app\nneeds: { bank: {} }\nresources:\n  Setting: { Type: \"AWS::SSM::Parameter\", \
         Properties: { Type: String, Value: \"${needs.bank.DocsBucketName} ${needs.bank.Motto}\" } }\n",
    );
    project
}

#[test]
fn outputs_of_others_come_in_by_parameters() {
    let text = "bedplate: 1\nname: x\ndescription: \"takes ${needs.b.Other}\"\nneeds: { b: { use-case: bank, stage: prod } }\n\
                buckets: { a: {} }\noutputs: { t: \"${needs.b.TableName}\" }\n";
    let rendered = rendered(text);
    assert_eq!(rendered.template.value()["Outputs"]["T"]["Value"], json!({ "Ref": "NeedsBTableName" }));
    let needs: Vec<_> =
        rendered.needs.iter().map(|it| (&*it.parameter, &*it.use_case, &*it.stage, &*it.output)).collect();
    assert_eq!(needs, [("NeedsBTableName", "bank", "prod", "TableName")], "a description takes nothing");
    let declared = rendered.template.value()["Parameters"].as_object().expect("parameters").len();
    assert_eq!(declared, 1);
}

#[test]
fn use_cases_go_in_the_order_of_their_needs_and_new_outputs_come_in() {
    let project = bank_and_app();
    let alone = project.run(&["deploy", "app", "--yes"]);
    assert_eq!(alone.code, 1);
    assert!(alone.stderr.contains("error[D050]: `app` needs the stack `bank-dev`"), "{}", alone.session());
    assert!(alone.stderr.contains("stacks/app/usecase.yaml:3:"), "{}", alone.session());
    assert!(alone.stderr.contains("deploy it first: `bedplate deploy bank`"), "{}", alone.session());

    let both = project.run(&["deploy", "--yes"]).ok();
    let (bank, app) = (both.stderr.find("deployed bank-dev"), both.stderr.find("deployed app-dev"));
    assert!(bank.is_some() && bank < app, "{}", both.session());

    // What another use case gives now counts, whatever the stack was made with.
    let spec = project.read("stacks/bank/usecase.yaml").replace("one", "two");
    project.write("stacks/bank/usecase.yaml", spec);
    let _ = project.run(&["deploy", "bank", "--yes"]).ok();
    let plan = project.run(&["plan", "app"]).ok();
    assert!(plan.stdout.contains("NeedsBankMotto: one → two"), "{}", plan.session());

    let needed = project.run(&["destroy", "bank", "--yes"]);
    assert_eq!(needed.code, 1);
    assert!(needed.stderr.contains("error[D054]: `app-dev` takes outputs of `bank-dev`"), "{}", needed.session());
    let gone = project.run(&["destroy", "bank", "app", "--yes"]).ok();
    let (bank, app) = (gone.stderr.find("destroyed bank-dev"), gone.stderr.find("destroyed app-dev"));
    assert!(app.is_some() && app < bank, "{}", gone.session());
}

#[test]
fn a_stack_without_the_output_says_what_it_has() {
    let project = bank_and_app();
    let _ = project.run(&["deploy", "bank", "--yes"]).ok();
    let spec = project.read("stacks/bank/usecase.yaml").replace("motto", "slogan");
    project.write("stacks/bank/usecase.yaml", spec);
    let run = project.run(&["deploy", "bank", "app", "--yes"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("error[D051]: the stack `bank-dev` has no output `Motto`"), "{}", run.session());
    assert!(run.stderr.contains("the stack has `DocsBucketName`, `Slogan`"), "{}", run.session());
}

#[test]
fn a_check_knows_the_outputs_and_the_circles_of_the_project() {
    let project = bank_and_app();
    let _ = project.run(&["check", "--strict"]).ok();
    let spec = project.read("stacks/app/usecase.yaml").replace("Motto", "Moto");
    project.write("stacks/app/usecase.yaml", spec);
    // `bank` is looked up in the project even when only `app` is checked.
    let run = project.run(&["check", "app"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("error[D052]: `bank` has no output `Moto`"), "{}", run.session());
    assert!(run.stdout.contains("did you mean `Motto`?"), "{}", run.session());

    let bank =
        "bedplate: 1\nname: bank\nneeds: { app: {} }\nbuckets: { docs: {} }\noutputs: { motto: \"${needs.app.A}\" }\n";
    project.write("stacks/bank/usecase.yaml", bank);
    let run = project.run(&["check"]);
    assert!(run.stdout.contains("error[D053]"), "{}", run.session());
    assert!(run.stdout.contains("`app` → `bank` → `app`"), "{}", run.session());
    assert_eq!(project.run(&["deploy", "--yes"]).code, 1);

    let own = "bedplate: 1\nname: x\nneeds: { x: {}, y: { stage: \"a b\" } }\nbuckets: { b: {} }\noutputs: { a: \"${needs.y.a-b}\", b: \"${needs.y}\" }\n";
    let findings = spec::load_str(own, "usecase.yaml").expect_err("refused");
    let codes: Vec<_> = findings.iter().map(|it| it.code).collect();
    assert_eq!(codes, ["S215", "S215", "S215", "S022"]);
}

#[test]
fn a_new_use_case_works_as_it_is_and_overwrites_nothing() {
    let project = Project::empty();
    let made = project.run(&["new", "greetings"]).ok();
    assert_eq!(made.stdout, "stacks/greetings/usecase.yaml\nstacks/greetings/function/app.py\n");
    let _ = project.run(&["check", "greetings", "--strict"]).ok();
    let again = project.run(&["new", "greetings", "--from", "movie-poster"]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("error[P041]"), "{}", again.session());
    assert!(project.read("stacks/greetings/usecase.yaml").contains("name: greetings"));

    let _ = project.run(&["new", "posters", "--from", "movie-poster", "--quiet"]).ok();
    let _ = project.run(&["check", "--strict"]).ok();
    let both = project.read("stacks/posters/usecase.yaml");
    assert!(both.contains("name: posters-design"), "{both}");

    let no_names = ["", "../up", "a b", "a: b", "ok #/../../../up", "a\nbuckets: {}", "zz #x", "\"q\"", "-x"];
    for name in no_names {
        for args in [&["new", "--", name][..], &["new", "--from", "movie-poster", "--", name]] {
            let run = project.run(args);
            assert_eq!(run.code, 1, "{}", run.session());
            assert!(run.stderr.contains("error[S015]") && !run.stderr.contains("-->"), "{}", run.session());
        }
    }
    let run = project.run(&["new", "x", "--from", "movie-poste"]);
    assert!(run.code == 1 && run.stderr.contains("error[P040]"), "{}", run.session());
    let made: Vec<_> = std::fs::read_dir(project.path().join("stacks")).expect("a folder").collect();
    assert_eq!(made.len(), 2, "nothing but what was asked for: {made:?}");
    assert!(!project.path().join("up").exists());
    assert_eq!(project.run(&["new"]).code, 2, "a name or --list");
    let list = project.run(&["new", "--list"]).ok();
    assert!(list.stdout.contains("movie-poster "), "{}", list.session());
    // A folder that holds anything is left alone, a use case or not.
    project.write("stacks/taken/notes.txt", "mine");
    assert!(project.run(&["new", "taken"]).stderr.contains("error[P041]"));
    assert_eq!(project.read("stacks/taken/notes.txt"), "mine");
}
