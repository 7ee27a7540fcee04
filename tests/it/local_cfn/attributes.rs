//! What `Ref` and `Fn::GetAtt` give, and where it can go.

use super::*;

fn attribute(logical_id: &str, name: &str) -> Value {
    json!({"Fn::GetAtt": [logical_id, name]})
}

fn outputs(values: &[(&str, Value)]) -> Value {
    values
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!({"Value": value})))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_that_is_a_property_has_its_value() {
    let world = World::new().await;
    let body = |shown: &str, delay: Value, described: bool| {
        let mut body = template(json!({
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": shown}},
            "Dead": {"Type": "AWS::SQS::Queue"},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": delay, "RedrivePolicy": {
                "deadLetterTargetArn": attribute("Dead", "Arn"), "maxReceiveCount": 3}}},
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "orders"}},
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
            "Stored": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": attribute("Topic", "DisplayName")}},
        }));
        if described {
            body["Resources"]["Bus"]["Properties"]["Description"] = json!("of orders");
        }
        body["Outputs"] = outputs(&[
            ("Shown", attribute("Topic", "DisplayName")),
            ("TopicName", attribute("Topic", "TopicName")),
            ("Delay", attribute("Queue", "DelaySeconds")),
            ("Waits", attribute("Queue", "VisibilityTimeout")),
            ("Dead", attribute("Queue", "RedrivePolicy.deadLetterTargetArn")),
            ("DeadArn", attribute("Dead", "Arn")),
            ("Times", attribute("Queue", "RedrivePolicy.maxReceiveCount")),
            ("BusName", attribute("Bus", "Name")),
            ("Described", attribute("Bus", "Description")),
            ("Cidr", attribute("Vpc", "CidrBlock")),
            ("Tenancy", attribute("Vpc", "InstanceTenancy")),
            ("Value", attribute("Stored", "Value")),
        ]);
        body
    };
    let stack = world.create("demo", &body("shown", json!(7), true)).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:?}", world.events("demo").await);
    for (key, value) in [
        ("Shown", "shown"),
        ("Delay", "7"),
        ("Waits", "30"),
        ("Times", "3"),
        ("BusName", "orders"),
        ("Described", "of orders"),
        ("Cidr", "10.1.0.0/16"),
        ("Tenancy", "default"),
        ("Value", "shown"),
    ] {
        assert_eq!(output(&stack, key), value, "{key}");
    }
    assert_eq!(output(&stack, "Dead"), output(&stack, "DeadArn"));
    assert!(output(&stack, "TopicName").starts_with("demo-Topic-"), "a name that is made is an attribute too");

    // An update is seen, also by what refers to the attribute; what the template leaves out has its default again.
    let stack = world.update("demo", &body("told anew", json!({"Ref": "AWS::NoValue"}), false)).await;
    assert_eq!(status(&stack), "UPDATE_COMPLETE", "{:?}", world.events("demo").await);
    for (key, value) in [("Shown", "told anew"), ("Value", "told anew"), ("Delay", "0"), ("Described", "")] {
        assert_eq!(output(&stack, key), value, "{key}");
    }
    let got = world.ssm("GetParameter", json!({"Name": world.physical("demo", "Stored").await})).await;
    assert_eq!(got["Parameter"]["Value"], "told anew");

    // What is added to a stack that is there has the value in its change set.
    let mut more = body("told anew", json!({"Ref": "AWS::NoValue"}), false);
    more["Resources"]["Second"] =
        json!({"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": attribute("Topic", "DisplayName")}});
    let make = world.cfn.create_change_set().stack_name("demo").change_set_name("more").template_body(more.to_string());
    make.send().await.expect("a change set");
    let describe = world.cfn.describe_change_set().stack_name("demo").change_set_name("more");
    let set = describe.include_property_values(true).send().await.expect("a description");
    let context = set.changes().first().and_then(|change| change.resource_change()?.after_context());
    assert_eq!(context, Some(r#"{"Properties":{"DisplayName":"told anew"}}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_that_is_a_secret_property_keeps_the_reference() {
    let world = World::new().await;
    let mut body = template(json!({
        "Login": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "login", "SecretString": "correct horse"}},
        "Topic": {"Type": "AWS::SNS::Topic", "DependsOn": "Login",
            "Properties": {"DisplayName": "{{resolve:secretsmanager:login:SecretString}}"}},
    }));
    body["Outputs"] = outputs(&[("Shown", attribute("Topic", "DisplayName"))]);
    let stack = world.create("demo", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:?}", world.events("demo").await);
    assert_eq!(output(&stack, "Shown"), "{{resolve:secretsmanager:login:SecretString}}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invented_ids_fit_where_they_go_and_agree_with_each_other() {
    let world = World::new().await;
    let mut trusted = role();
    trusted["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] =
        json!(["kendra.amazonaws.com", "bedrock.amazonaws.com", "sagemaker.amazonaws.com"]);
    let long = "AVeryLongNameOfANotebookLifecycleThatAloneIsLongerThanItsNameMayBe";
    let mut body = template(json!({
        "Role": trusted,
        "Index": {"Type": "AWS::Kendra::Index", "Properties": {
            "Name": "docs", "Edition": "GEN_AI_ENTERPRISE_EDITION", "RoleArn": attribute("Role", "Arn")}},
        "Base": {"Type": "AWS::Bedrock::KnowledgeBase", "Properties": {
            "Name": "base", "RoleArn": attribute("Role", "Arn"),
            "KnowledgeBaseConfiguration": {"Type": "KENDRA", "KendraKnowledgeBaseConfiguration": {
                "KendraIndexArn": attribute("Index", "Arn")}}}},
        long: {"Type": "AWS::SageMaker::NotebookInstanceLifecycleConfig"},
        "Notebook": {"Type": "AWS::SageMaker::NotebookInstance", "Properties": {
            "InstanceType": "ml.t3.medium", "RoleArn": attribute("Role", "Arn"),
            "LifecycleConfigName": attribute(long, "NotebookInstanceLifecycleConfigName")}},
        "Graph": {"Type": "AWS::AppSync::GraphQLApi", "Properties": {"Name": "graph", "AuthenticationType": "API_KEY"}},
        "Source": {"Type": "AWS::AppSync::DataSource", "Properties": {
            "ApiId": attribute("Graph", "ApiId"), "Name": "nothing", "Type": "NONE"}},
        "Resolver": {"Type": "AWS::AppSync::Resolver", "Properties": {
            "ApiId": attribute("Graph", "ApiId"), "TypeName": "Query", "FieldName": "f",
            "DataSourceName": attribute("Source", "Name")}},
    }));
    body["Outputs"] = outputs(&[
        ("Index", json!({"Ref": "Index"})),
        ("IndexArn", attribute("Index", "Arn")),
        ("Source", attribute("Source", "Name")),
    ]);
    let stack = world.create("a-stack-with-a-name-of-some-length", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:?}", world.events("a-stack-with-a-name-of-some-length").await);
    let (index, arn) = (output(&stack, "Index"), output(&stack, "IndexArn"));
    assert_eq!(index.len(), 36, "{index}");
    assert_eq!(arn, format!("arn:aws:kendra:us-west-2:123456789012:index/{index}"));
    assert_eq!(output(&stack, "Source"), "nothing");

    // What a template itself gives is held to the schema as before, and so is an id in a format that is known.
    for wrong in [json!("no-arn"), json!({"Ref": "AWS::StackName"}), attribute("Role", "Arn")] {
        let mut body = body.clone();
        body["Resources"]["Base"]["Properties"]["KnowledgeBaseConfiguration"]["KendraKnowledgeBaseConfiguration"]["KendraIndexArn"] =
            wrong;
        let stack = world.create("wrong", &body).await;
        assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
        let events = world.events("wrong").await.join("\n");
        assert!(events.contains("failed validation constraint for keyword [pattern]"), "{events}");
        world.delete(&stack).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_gives_what_aws_documents() {
    let world = World::new().await;
    let mut body = template(json!({
        "App": {"Type": "AWS::AppConfig::Application", "Properties": {"Name": "app"}},
        "Stage": {"Type": "AWS::AppConfig::Environment", "Properties": {"ApplicationId": {"Ref": "App"}, "Name": "dev"}},
        "Other": {"Type": "AWS::AppConfig::Application", "Properties": {"Name": "other"}},
        "Log": log_group(json!({"LogGroupName": "/one"})),
        "Log2": log_group(json!({"LogGroupName": "/two"})),
        "Stream": {"Type": "AWS::Logs::LogStream", "Properties": {"LogGroupName": {"Ref": "Log"}, "LogStreamName": "s"}},
        "Stream2": {"Type": "AWS::Logs::LogStream", "Properties": {"LogGroupName": {"Ref": "Log2"}, "LogStreamName": "s"}},
        "Mesh": {"Type": "AWS::AppMesh::Mesh", "Properties": {"MeshName": "mesh"}},
    }));
    body["Outputs"] = outputs(&[
        ("Stage", json!({"Ref": "Stage"})),
        ("StageId", attribute("Stage", "EnvironmentId")),
        ("Stream", json!({"Ref": "Stream"})),
        ("Mesh", json!({"Ref": "Mesh"})),
        ("MeshArn", attribute("Mesh", "Arn")),
    ]);
    let stack = world.create("demo", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:?}", world.events("demo").await);
    assert_eq!(output(&stack, "Stream"), "s");
    assert_eq!(output(&stack, "Stage"), output(&stack, "StageId"));
    assert!(!output(&stack, "Stage").contains('|'));
    assert_eq!(output(&stack, "Mesh"), output(&stack, "MeshArn"));
    assert!(
        output(&stack, "Mesh").starts_with("arn:aws:appmesh:us-west-2:123456789012:mesh/"),
        "{}",
        output(&stack, "Mesh")
    );
    assert_eq!(status(&world.delete(&stack).await), "DELETE_COMPLETE");
}
