//! What single resource types do, as far as a user of their stacks can see.

use super::*;

/// A function with its role, log group and an API, as the first use case has them.
fn poster_stack() -> Value {
    let mut body = template(json!({
        "Role": role(),
        "Layer": {"Type": "AWS::Lambda::LayerVersion", "Properties": {
            "LayerName": "boto3", "Content": {"S3Bucket": "artifact-store", "S3Key": "layer.zip"}}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Bucket": "artifact-store", "S3Key": "code.zip"}, "Handler": "app.handler",
            "Runtime": "python3.13", "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Layers": [{"Ref": "Layer"}]}},
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "posters"}},
        "Path": {"Type": "AWS::ApiGateway::Resource", "Properties": {
            "RestApiId": {"Ref": "Api"}, "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": "design"}},
        "Validator": {"Type": "AWS::ApiGateway::RequestValidator", "Properties": {
            "RestApiId": {"Ref": "Api"}, "ValidateRequestParameters": true}},
        "Method": {"Type": "AWS::ApiGateway::Method", "Properties": {
            "RestApiId": {"Ref": "Api"}, "ResourceId": {"Ref": "Path"}, "HttpMethod": "GET", "AuthorizationType": "NONE",
            "RequestValidatorId": {"Ref": "Validator"}, "Integration": {"Type": "MOCK"}}},
        "Deployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Method",
            "Properties": {"RestApiId": {"Ref": "Api"}}},
        "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
            "RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "Deployment"}, "StageName": "dev"}},
        "Permission": {"Type": "AWS::Lambda::Permission", "Properties": {
            "Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "Function"}, "Principal": "apigateway.amazonaws.com"}},
    }));
    body["Outputs"] = json!({
        "Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
        "Function": {"Value": {"Fn::GetAtt": ["Function", "Arn"]}},
        "Layer": {"Value": {"Ref": "Layer"}},
        "Api": {"Value": {"Ref": "Api"}},
    });
    body
}

async fn with_artifacts() -> World {
    let world = World::new().await;
    world.make_bucket("artifact-store").await;
    world.put("artifact-store", "code.zip", "code").await;
    world.put("artifact-store", "layer.zip", "layer").await;
    world
}

async fn failure(world: &World, name: &str, body: &Value) -> String {
    let stack = world.create(name, body).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE", "{body}");
    world.events(name).await.into_iter().find(|line| line.contains("CREATE_FAILED")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_behind_an_api_has_ids_and_arns_in_their_real_formats() {
    let world = with_artifacts().await;
    let stack = world.create("poster-dev", &poster_stack()).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{}", world.events("poster-dev").await.join("\n"));
    for (key, pattern) in [
        ("Role", r"^arn:aws:iam::123456789012:role/poster-dev-Role-[A-Z0-9]{12}$"),
        ("Function", r"^arn:aws:lambda:us-west-2:123456789012:function:poster-dev-Function-[A-Z0-9]{12}$"),
        ("Layer", r"^arn:aws:lambda:us-west-2:123456789012:layer:boto3:1$"),
        ("Api", r"^[a-z0-9]{10}$"),
    ] {
        let value = output(&stack, key);
        assert!(regex::Regex::new(pattern).expect("a pattern").is_match(&value), "{key}: {value}");
    }
    // What the data plane will read is there: the deployment holds what was deployed.
    let rows = world
        .target
        .store()
        .read(|tx| {
            local::resources::resource_table::of_type(tx, "AWS::ApiGateway::Deployment", None)
                .map_err(local::store::StoreError::from)
        })
        .await
        .expect("the table");
    let deployment = rows.first().expect("a deployment");
    assert_eq!(deployment.state.pointer("/Methods/0/Properties/HttpMethod"), Some(&json!("GET")));
    assert_eq!(deployment.state.pointer("/Resources/0/Properties/PathPart"), Some(&json!("design")));
    assert_eq!(deployment.properties["RestApiId"], json!(output(&stack, "Api")));
    assert_eq!(status(&world.delete(&stack).await), "DELETE_COMPLETE");
    let left: i64 = world
        .target
        .store()
        .read(|tx| {
            tx.query_row("SELECT count(*) FROM resource", [], |row| row.get(0)).map_err(local::store::StoreError::from)
        })
        .await
        .expect("a count");
    assert_eq!(left, 0, "nothing is left of a deleted stack");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_gets_the_next_version_when_its_content_changes() {
    let world = with_artifacts().await;
    world.put("artifact-store", "layer2.zip", "more").await;
    let mut body = poster_stack();
    world.create("poster-dev", &body).await;
    body["Resources"]["Layer"]["Properties"]["Content"]["S3Key"] = json!("layer2.zip");
    let stack = world.update("poster-dev", &body).await;
    assert_eq!(status(&stack), "UPDATE_COMPLETE");
    assert_eq!(output(&stack, "Layer"), "arn:aws:lambda:us-west-2:123456789012:layer:boto3:2");
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_fail_where_lambda_would_refuse_them() {
    let world = with_artifacts().await;
    type Spoil = fn(&mut Value);
    let cases: [(&str, Spoil, &str); 7] = [
        (
            "code",
            |body| body["Resources"]["Function"]["Properties"]["Code"]["S3Key"] = json!("none.zip"),
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
        ),
        (
            "bucket",
            |body| body["Resources"]["Function"]["Properties"]["Code"]["S3Bucket"] = json!("none-such"),
            "S3 Error Code: NoSuchBucket",
        ),
        ("layer", |body| body["Resources"]["Layer"]["Properties"]["Content"]["S3Key"] = json!("none.zip"), "NoSuchKey"),
        (
            "layers",
            |body| {
                body["Resources"]["Function"]["Properties"]["Layers"] =
                    json!(["arn:aws:lambda:us-west-2:123456789012:layer:none:1"]);
            },
            "Layer version arn:aws:lambda:us-west-2:123456789012:layer:none:1 does not exist.",
        ),
        (
            "runtime",
            |body| {
                body["Resources"]["Function"]["Properties"].as_object_mut().expect("a mapping").remove("Runtime");
            },
            "Runtime and Handler are mandatory parameters",
        ),
        (
            "trust",
            |body| {
                body["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] =
                    json!("bedrock.amazonaws.com");
            },
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        (
            "permission",
            |body| {
                body["Resources"]["Permission"]["Properties"]["FunctionName"] = json!("nobody");
            },
            "Function not found: arn:aws:lambda:us-west-2:123456789012:function:nobody",
        ),
    ];
    for (name, spoil, expected) in cases {
        let mut body = poster_stack();
        spoil(&mut body);
        let told = failure(&world, name, &body).await;
        assert!(told.contains(expected), "{name}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn apis_fail_where_api_gateway_would_refuse_them() {
    let world = with_artifacts().await;
    type Spoil = fn(&mut Value);
    let cases: [(&str, Spoil, &str); 4] = [
        (
            "methods",
            |body| {
                let all = body["Resources"].as_object_mut().expect("a mapping");
                all.remove("Method");
                all["Deployment"].as_object_mut().expect("a mapping").remove("DependsOn");
            },
            "The REST API doesn't contain any methods",
        ),
        (
            "twice",
            |body| {
                let mut second = body["Resources"]["Path"].clone();
                second["DependsOn"] = json!("Path");
                body["Resources"]["Second"] = second;
            },
            "Another resource with the same parent already has this name: design",
        ),
        (
            "path",
            |body| body["Resources"]["Path"]["Properties"]["PathPart"] = json!("a/b"),
            "Resource's path part only allow",
        ),
        (
            "integration",
            |body| {
                body["Resources"]["Method"]["Properties"].as_object_mut().expect("a mapping").remove("Integration");
            },
            "No integration defined for method",
        ),
    ];
    for (name, spoil, expected) in cases {
        let mut body = poster_stack();
        spoil(&mut body);
        let told = failure(&world, name, &body).await;
        assert!(told.contains(expected), "{name}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_fail_where_iam_would_refuse_them() {
    let world = World::new().await;
    type Spoil = fn(&mut Value);
    let cases: [(&str, Spoil, &str); 4] = [
        (
            "policy",
            |role| {
                role["Properties"]["Policies"] = json!([{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "posters"}]}}]);
            },
            "Resource posters must be in ARN format or \\\"*\\\".",
        ),
        (
            "size",
            |role| {
                let long: Vec<String> =
                    (0..300).map(|index| format!("arn:aws:s3:::bucket-with-a-long-name-{index}/*")).collect();
                role["Properties"]["Policies"] = json!([{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": long}]}}]);
            },
            "Maximum policy size of 10240 bytes exceeded",
        ),
        (
            "session",
            |role| role["Properties"]["MaxSessionDuration"] = json!(60),
            "#/MaxSessionDuration: 60 is not greater or equal to 3600",
        ),
        (
            "trust",
            |role| {
                role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Effect"] = json!("Perhaps");
            },
            "MalformedPolicyDocument",
        ),
    ];
    for (name, spoil, expected) in cases {
        let mut spoilt = role();
        spoil(&mut spoilt);
        let told = failure(&world, name, &template(json!({"Role": spoilt}))).await;
        let expected = expected.replace("\\\"", "\"");
        assert!(told.contains(&expected), "{name}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_policy_has_to_be_there_and_to_be_known() {
    let world = World::new().await;
    let absent = |arn: &str| format!("Policy {arn} does not exist or is not attachable.");
    let of_aws = |name: &str| format!("arn:aws:iam::aws:policy/{name}");
    let cases = [
        (of_aws("AmazonNoSuchThingAccess"), absent(&of_aws("AmazonNoSuchThingAccess"))),
        // It exists, below `service-role/`.
        (of_aws("AWSLambdaVPCAccessExecutionRole"), absent(&of_aws("AWSLambdaVPCAccessExecutionRole"))),
        (
            of_aws("aws-service-role/AmazonECSServiceRolePolicy"),
            "Cannot attach a Service Role Policy to a Customer Role.".to_owned(),
        ),
        (
            of_aws("AmazonWorkMailFullAccess"),
            "The local target does not know the statements of the managed policy arn:aws:iam::aws:policy/AmazonWorkMailFullAccess"
                .to_owned(),
        ),
        ("arn:aws:iam::123456789012:policy/nobody".to_owned(), absent("arn:aws:iam::123456789012:policy/nobody")),
    ];
    for (index, (arn, words)) in cases.iter().enumerate() {
        let with = |mut resource: Value| {
            resource["Properties"]["ManagedPolicyArns"] = json!([arn]);
            template(json!({"One": resource}))
        };
        let user = json!({"Type": "AWS::IAM::User", "Properties": {}});
        let group = json!({"Type": "AWS::IAM::Group", "Properties": {}});
        let mut bounded = role();
        bounded["Properties"]["PermissionsBoundary"] = json!(arn);
        for (kind, body) in [
            ("role", with(role())),
            ("user", with(user)),
            ("group", with(group)),
            ("bounded", template(json!({"One": bounded}))),
        ] {
            let told = failure(&world, &format!("{kind}-{index}"), &body).await;
            assert!(told.contains(words), "{kind} {arn}: {told}");
        }
    }
    // What the usual tools attach, and a policy of the stack's own.
    let mut good = role();
    good["Properties"]["ManagedPolicyArns"] = json!([
        {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"},
        of_aws("ReadOnlyAccess"),
        {"Ref": "Own"},
    ]);
    let own = json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}}});
    let stack = world.create("good", &template(json!({"Role": good.clone(), "Own": own.clone()}))).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:?}", world.events("good").await);
    // An update is looked at as well.
    good["Properties"]["ManagedPolicyArns"][1] = json!(of_aws("AmazonNoSuchThingAccess"));
    let stack = world.update("good", &template(json!({"Role": good, "Own": own}))).await;
    assert_eq!(status(&stack), "UPDATE_ROLLBACK_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_in_the_account_regional_namespace_gets_its_suffix() {
    let world = World::new().await;
    let body = template(
        json!({"Posters": bucket(json!({"BucketNamePrefix": "posters", "BucketNamespace": "account-regional"}))}),
    );
    let stack = world.create("demo", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{}", world.events("demo").await.join("\n"));
    assert_eq!(world.physical("demo", "Posters").await, "posters-123456789012-us-west-2-an");
    assert!(world.bucket_exists("posters-123456789012-us-west-2-an").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn types_without_behaviour_of_their_own_have_ids_and_attributes_by_their_schema() {
    let world = World::new().await;
    let mut body = template(json!({
        "Vectors": {"Type": "AWS::S3Vectors::VectorBucket", "Properties": {"VectorBucketName": "vectors"}},
        "Index": {"Type": "AWS::S3Vectors::Index", "Properties": {
            "VectorBucketArn": {"Ref": "Vectors"}, "IndexName": "docs", "DataType": "float32", "Dimension": 256, "DistanceMetric": "cosine"}},
        "Guard": {"Type": "AWS::Bedrock::Guardrail", "Properties": {
            "Name": "guard", "BlockedInputMessaging": "no", "BlockedOutputsMessaging": "no"}},
        "GuardVersion": {"Type": "AWS::Bedrock::GuardrailVersion", "Properties": {
            "GuardrailIdentifier": {"Fn::GetAtt": ["Guard", "GuardrailId"]}}},
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}},
        "Flow": {"Type": "AWS::Athena::WorkGroup", "Properties": {"Name": "work"}},
    }));
    body["Outputs"] = json!({
        "Index": {"Value": {"Fn::GetAtt": ["Index", "IndexArn"]}},
        "Guard": {"Value": {"Fn::GetAtt": ["Guard", "GuardrailArn"]}},
        "Version": {"Value": {"Fn::GetAtt": ["GuardVersion", "Version"]}},
        "Table": {"Value": {"Fn::GetAtt": ["Table", "Arn"]}},
        "Group": {"Value": {"Ref": "Flow"}},
    });
    let stack = world.create("demo", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{}", world.events("demo").await.join("\n"));
    for (key, pattern) in [
        ("Index", r"^arn:aws:s3vectors:us-west-2:123456789012:bucket/vectors/index/docs$"),
        ("Guard", r"^arn:aws:bedrock:us-west-2:123456789012:guardrail/[a-z0-9]{12}$"),
        ("Version", r"^1$"),
        ("Table", r"^arn:aws:dynamodb:us-west-2:123456789012:table/demo-Table-[A-Z0-9]{12}$"),
        ("Group", r"^work$"),
    ] {
        let value = output(&stack, key);
        assert!(regex::Regex::new(pattern).expect("a pattern").is_match(&value), "{key}: {value}");
    }
}
