//! Templates: functions, conditions, transforms, and what the API tells of them.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn functions_conditions_mappings_and_pseudo_parameters_are_resolved() {
    let world = World::new().await;
    let mut body = template(json!({
        "Log": log_group(json!({
            "LogGroupName": {"Fn::Join": ["/", ["", {"Ref": "AWS::StackName"}, {"Ref": "AWS::Region"}, {"Fn::Select": [1, {"Ref": "Names"}]}]]},
            "RetentionInDays": {"Fn::FindInMap": ["Days", {"Ref": "Stage"}, "Log"]},
            "KmsKeyId": {"Fn::If": ["IsProd", "arn:aws:kms:us-west-2:123456789012:key/1", {"Ref": "AWS::NoValue"}]},
        })),
        "OnlyProd": {"Type": "AWS::Logs::LogGroup", "Condition": "IsProd"},
    }));
    body["Parameters"] = json!({
        "Stage": {"Type": "String", "Default": "dev"},
        "Names": {"Type": "CommaDelimitedList", "Default": "a,b,c"},
    });
    body["Mappings"] = json!({"Days": {"dev": {"Log": 1}, "prod": {"Log": 30}}});
    body["Conditions"] = json!({"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}});
    body["Outputs"] = json!({
        "Account": {"Value": {"Ref": "AWS::AccountId"}},
        "Name": {"Value": {"Ref": "Log"}},
        "Only": {"Condition": "IsProd", "Value": "x"},
        "Id": {"Value": {"Ref": "AWS::StackId"}},
    });
    let stack = world.create("demo", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{}", world.events("demo").await.join("\n"));
    assert_eq!(output(&stack, "Account"), "123456789012");
    assert_eq!(output(&stack, "Name"), "/demo/us-west-2/b");
    assert_eq!(output(&stack, "Id"), stack.stack_id().expect("an id"));
    assert_eq!(stack.outputs().len(), 3);
    let summaries = world.cfn.list_stack_resources().stack_name("demo").send().await.expect("resources");
    assert_eq!(summaries.stack_resource_summaries().len(), 1);
    // The condition turns: one resource more.
    let update = world.cfn.update_stack().stack_name("demo").use_previous_template(true);
    update.parameters(parameter("Stage", "prod")).send().await.expect("an update");
    let stack = world.settled("demo").await;
    assert_eq!(status(&stack), "UPDATE_COMPLETE");
    assert_eq!(stack.outputs().len(), 4);
    assert!(!world.physical("demo", "OnlyProd").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_in_yaml_and_by_url_are_read_and_given_back() {
    let world = World::new().await;
    let text = "Description: yaml\nResources:\n  Log:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      LogGroupName: !Sub '/${AWS::StackName}'\n";
    world.make_bucket("template-store").await;
    world.put("template-store", "a/t.yaml", text).await;
    for url in [
        "https://template-store.s3.us-west-2.amazonaws.com/a/t.yaml".to_owned(),
        format!("{}/template-store/a/t.yaml", world.target.url()),
    ] {
        let name = format!("yaml{}", url.len());
        world.cfn.create_stack().stack_name(&name).template_url(&url).send().await.expect("a stack");
        assert_eq!(status(&world.settled(&name).await), "CREATE_COMPLETE");
        assert_eq!(world.physical(&name, "Log").await, format!("/{name}"));
        let got = world.cfn.get_template().stack_name(&name).send().await.expect("a template");
        assert_eq!(got.template_body(), Some(text));
    }
    let missing = "https://template-store.s3.us-west-2.amazonaws.com/none.yaml";
    let (code, message) = refused(world.cfn.create_stack().stack_name("missing").template_url(missing).send().await);
    assert_eq!(code, "ValidationError");
    assert!(message.contains("none.yaml"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_summed_up() {
    let world = World::new().await;
    let mut body = template(json!({"Posters": bucket(json!({})), "Role": role()}));
    body["Description"] = json!("Posters and more");
    body["Parameters"] = json!({"Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"], "Description": "which"}});
    let summary = world.cfn.get_template_summary().template_body(body.to_string()).send().await.expect("a summary");
    assert_eq!(summary.resource_types(), ["AWS::IAM::Role", "AWS::S3::Bucket"]);
    assert_eq!(summary.capabilities().first().map(Capability::as_str), Some("CAPABILITY_IAM"));
    assert_eq!(summary.description(), Some("Posters and more"));
    let stage = summary.parameters().first().expect("a parameter");
    assert_eq!((stage.parameter_key(), stage.default_value()), (Some("Stage"), Some("dev")));
    assert_eq!(stage.parameter_constraints().expect("constraints").allowed_values(), ["dev", "prod"]);
    let identifiers = summary.resource_identifier_summaries();
    let bucket = identifiers.iter().find(|one| one.resource_type() == Some("AWS::S3::Bucket")).expect("buckets");
    assert_eq!(bucket.resource_identifiers(), ["BucketName"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn language_extensions_are_expanded_and_have_to_be_acknowledged() {
    let world = World::new().await;
    let body = json!({
        "Transform": "AWS::LanguageExtensions",
        "Resources": {
            "Fn::ForEach::Logs": ["Name", ["Alpha", "Beta"], {
                "Log${Name}": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::Sub": "/each/${Name}"}}},
            }],
        },
        "Outputs": {"Text": {"Value": {"Fn::ToJsonString": {"log": {"Ref": "LogAlpha"}}}}},
    });
    let (code, message) =
        refused(world.cfn.create_stack().stack_name("demo").template_body(body.to_string()).send().await);
    assert_eq!(code, "InsufficientCapabilitiesException", "{message}");
    assert_eq!(message, "Requires capabilities : [CAPABILITY_AUTO_EXPAND]");
    let stack = world.create("demo", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{}", world.events("demo").await.join("\n"));
    assert_eq!(world.physical("demo", "LogBeta").await, "/each/Beta");
    assert_eq!(output(&stack, "Text"), r#"{"log":"/each/Alpha"}"#);
    let stage = cfn::types::TemplateStage::Processed;
    let got = world.cfn.get_template().stack_name("demo").template_stage(stage).send().await.expect("a template");
    assert!(got.template_body().expect("a body").contains("LogBeta"));
    let got = world.cfn.get_template().stack_name("demo").send().await.expect("a template");
    assert!(got.template_body().expect("a body").contains("Fn::ForEach::Logs"));
}
