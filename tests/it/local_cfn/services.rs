//! What services look at before they make a resource, and the words in which they refuse it.

use super::*;

/// Why the stack of a template fails, by its events; nothing for one that does not.
async fn failure(world: &World, name: &str, resources: Value) -> String {
    let stack = world.create(name, &template(resources)).await;
    if status(&stack) == "CREATE_COMPLETE" {
        return String::new();
    }
    let events = world.events(stack.stack_id().expect("an id")).await;
    events.into_iter().find(|line| line.contains(" CREATE_FAILED ")).unwrap_or_default()
}

fn role_for(service: &str) -> Value {
    let mut role = role();
    role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] = json!(service);
    role
}

fn base(name: &str, dimensions: u32) -> Value {
    json!({
        "Vectors": {"Type": "AWS::S3Vectors::VectorBucket"},
        "Index": {"Type": "AWS::S3Vectors::Index", "Properties": {"VectorBucketArn": {"Fn::GetAtt": ["Vectors", "VectorBucketArn"]},
            "DataType": "float32", "Dimension": dimensions, "DistanceMetric": "cosine"}},
        "Role": role_for("bedrock.amazonaws.com"),
        "Base": {"Type": "AWS::Bedrock::KnowledgeBase", "Properties": {
            "Name": name,
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "KnowledgeBaseConfiguration": {"Type": "VECTOR", "VectorKnowledgeBaseConfiguration": {
                "EmbeddingModelArn": "arn:aws:bedrock:us-west-2::foundation-model/amazon.titan-embed-text-v2:0"}},
            "StorageConfiguration": {"Type": "S3_VECTORS", "S3VectorsConfiguration": {"IndexArn": {"Fn::GetAtt": ["Index", "IndexArn"]}}},
        }},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_knowledge_base_needs_a_role_and_an_index_that_fit() {
    let world = World::new().await;
    assert_eq!(failure(&world, "good", base("good", 1024)).await, "");
    let mut elsewhere = base("elsewhere", 1024);
    elsewhere["Base"]["Properties"]["RoleArn"] = json!("arn:aws:iam::123456789012:role/none");
    let mut untrusted = base("untrusted", 1024);
    untrusted["Role"] = role_for("lambda.amazonaws.com");
    let mut nowhere = base("nowhere", 1024);
    nowhere["Base"]["Properties"]["StorageConfiguration"]["S3VectorsConfiguration"]["IndexArn"] =
        json!("arn:aws:s3vectors:us-west-2:123456789012:bucket/none/index/none");
    let mut managed = base("managed", 1024);
    managed["Base"]["Properties"]["StorageConfiguration"].take();
    managed["Base"]["Properties"].as_object_mut().expect("properties").remove("StorageConfiguration");
    managed["Base"]["Properties"]["KnowledgeBaseConfiguration"] = json!({"Type": "MANAGED", "ManagedKnowledgeBaseConfiguration": {
        "EmbeddingModelType": "MANAGED",
        "EmbeddingModelArn": "arn:aws:bedrock:us-west-2::foundation-model/amazon.titan-embed-text-v2:0"}});
    for (name, resources, words) in [
        ("elsewhere", elsewhere, "was unable to assume the given role"),
        ("untrusted", untrusted, "was unable to assume the given role"),
        ("nowhere", nowhere, "storage configuration provided is invalid... The specified index could not be found"),
        ("short", base("short", 512), "vectors of 512 dimensions, and those of the embedding model have 1024"),
        ("managed", managed, "EmbeddingModelArn cannot be given when EmbeddingModelType is MANAGED"),
    ] {
        let failed = failure(&world, name, resources).await;
        assert!(failed.contains(words), "{name}: {failed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_bedrock_are_unique_in_the_account() {
    let world = World::new().await;
    let guardrail = |name: &str, after: Option<&str>| {
        let mut made = json!({"Type": "AWS::Bedrock::Guardrail", "Properties": {"Name": name, "BlockedInputMessaging": "no",
            "BlockedOutputsMessaging": "no", "WordPolicyConfig": {"WordsConfig": [{"Text": "foo"}]}}});
        if let Some(after) = after {
            made["DependsOn"] = json!(after);
        }
        made
    };
    assert_eq!(failure(&world, "one", json!({"G": guardrail("same", None)})).await, "");
    let failed = failure(&world, "two", json!({"G": guardrail("same", None)})).await;
    assert!(failed.contains("Another guardrail in your account already has this name."), "{failed}");
    let prompts = json!({
        "P": {"Type": "AWS::Bedrock::Prompt", "Properties": {"Name": "same"}},
        "Q": {"Type": "AWS::Bedrock::Prompt", "Properties": {"Name": "same"}, "DependsOn": "P"},
    });
    let failed = failure(&world, "prompts", prompts).await;
    assert!(failed.starts_with("Q ") && failed.contains("Status Code: 409"), "{failed}");
    // Renaming one to the name of another is refused too, and its own name it may keep.
    let pair = |second: &str| template(json!({"A": guardrail("first", None), "B": guardrail(second, Some("A"))}));
    assert_eq!(status(&world.create("pair", &pair("second")).await), "CREATE_COMPLETE");
    assert_eq!(status(&world.update("pair", &pair("first")).await), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(status(&world.update("pair", &pair("third")).await), "UPDATE_COMPLETE");

    // A replacement that keeps the name meets the old one.
    assert_eq!(failure(&world, "kept", base("kept", 1024)).await, "");
    let mut moved = base("kept", 1024);
    let other = moved["Index"].clone();
    moved["Other"] = other;
    moved["Base"]["Properties"]["StorageConfiguration"]["S3VectorsConfiguration"]["IndexArn"] =
        json!({"Fn::GetAtt": ["Other", "IndexArn"]});
    assert_eq!(status(&world.update("kept", &template(moved)).await), "UPDATE_ROLLBACK_COMPLETE");
    let events = world.events("kept").await;
    assert!(events.iter().any(|line| line.contains("KnowledgeBase with name kept already exists.")), "{events:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_schema_is_read_when_the_agent_is_made() {
    let world = World::new().await;
    let agent = |schema: Value| {
        json!({"Role": role_for("bedrock.amazonaws.com"), "Agent": {"Type": "AWS::Bedrock::Agent", "Properties": {
            "AgentName": "reader", "AgentResourceRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "FoundationModel": "amazon.nova-lite-v1:0", "Instruction": "Answer questions about orders, please, in a few words.",
            "ActionGroups": [{"ActionGroupName": "orders", "ActionGroupExecutor": {"CustomControl": "RETURN_CONTROL"}, "ApiSchema": schema}],
        }}})
    };
    const WORDS: &str =
        "Failed to create OpenAPI 3 model from the JSON/YAML object that you provided for action: orders";
    let swagger = json!({"Payload": "{\"swagger\": \"2.0\", \"paths\": {\"/a\": {}}}"});
    let missing = json!({"S3": {"S3BucketName": "no-such-bucket-d", "S3ObjectKey": "schema.json"}});
    let silent =
        json!({"Payload": "openapi: 3.0.0\ninfo: {title: t, version: '1'}\npaths: {/a: {get: {description: d}}}"});
    for (name, schema, detail) in [
        ("swagger", swagger, "attribute openapi is missing"),
        ("missing", missing, "does not exist"),
        ("silent", silent, "attribute paths.'/a'(get).responses is missing"),
    ] {
        let failed = failure(&world, name, agent(schema)).await;
        assert!(failed.contains(WORDS) && failed.contains(detail), "{name}: {failed}");
    }
}

/// An API with one mock method, and a stage of these settings.
fn staged(method: &Value, stage: &Value) -> Value {
    let mut stage = stage.clone();
    stage["RestApiId"] = json!({"Ref": "Api"});
    stage["DeploymentId"] = json!({"Ref": "Deployment"});
    stage["StageName"] = json!("prod");
    let mut method = method.clone();
    method["RestApiId"] = json!({"Ref": "Api"});
    method["ResourceId"] = json!({"Fn::GetAtt": ["Api", "RootResourceId"]});
    method["HttpMethod"] = json!("GET");
    method["AuthorizationType"] = json!("NONE");
    json!({
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "logging"}},
        "Get": {"Type": "AWS::ApiGateway::Method", "Properties": method},
        "Deployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Get", "Properties": {"RestApiId": {"Ref": "Api"}}},
        "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": stage},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_logs_needs_the_role_of_the_account() {
    let world = World::new().await;
    let mock = json!({"Integration": {"Type": "MOCK"}});
    let logs = json!({"MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "LoggingLevel": "INFO"}]});
    let access = json!({"AccessLogSetting": {"DestinationArn": "arn:aws:logs:us-west-2:123456789012:log-group:a", "Format": "$context.requestId"}});
    assert_eq!(failure(&world, "quiet", staged(&mock, &json!({}))).await, "");
    for (name, stage) in [("logs", &logs), ("access", &access)] {
        let failed = failure(&world, name, staged(&mock, stage)).await;
        assert!(
            failed.contains("CloudWatch Logs role ARN must be set in account settings to enable logging"),
            "{failed}"
        );
    }
    let account = json!({
        "Role": role_for("apigateway.amazonaws.com"),
        "Account": {"Type": "AWS::ApiGateway::Account", "Properties": {"CloudWatchRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}},
    });
    assert_eq!(failure(&world, "account", account).await, "");
    assert_eq!(failure(&world, "logs-now", staged(&mock, &logs)).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_response_sets_what_the_method_response_declares() {
    let world = World::new().await;
    let method = |declared: Value| {
        json!({"MethodResponses": [{"StatusCode": "200", "ResponseParameters": declared}], "Integration": {"Type": "MOCK",
            "IntegrationResponses": [{"StatusCode": "200", "ResponseParameters": {"method.response.header.X-Kind": "'mock'"}}]}})
    };
    let good = method(json!({"method.response.header.X-Kind": false}));
    assert_eq!(failure(&world, "good", staged(&good, &json!({}))).await, "");
    let failed =
        failure(&world, "other", staged(&method(json!({"method.response.header.X-Other": false})), &json!({}))).await;
    assert!(
        failed.contains("Invalid mapping expression parameter specified: method.response.header.X-Kind"),
        "{failed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_of_ended_runtimes_and_with_reserved_variables_are_refused() {
    let world = World::new().await;
    let function = |runtime: &str, variables: Value| {
        json!({"Role": role(), "F": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": runtime, "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Environment": {"Variables": variables},
            "Code": {"ZipFile": "def handler(event, context): return 1"}}}})
    };
    for (name, resources, words) in [
        (
            "ended",
            function("nodejs4.3", json!({})),
            "The runtime parameter of nodejs4.3 is no longer supported for creating or updating",
        ),
        (
            "reserved",
            function("python3.13", json!({"AWS_REGION": "x"})),
            "Reserved keys used in this request: AWS_REGION",
        ),
        ("large", function("python3.13", json!({"AB": "x".repeat(4096)})), "4098 bytes, and Lambda takes 4096"),
    ] {
        let failed = failure(&world, name, resources).await;
        assert!(failed.contains(words), "{name}: {failed}");
    }
}
