//! Functions as Python processes, AWS services behind methods, and callers that are roles: with the rights they have.

use std::time::SystemTime;

use aws_sdk_sts as sts;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use super::*;

fn role(service: &str, actions: &[&str], resource: Value) -> Value {
    let principal = if service == "account" { json!({ "AWS": "123456789012" }) } else { json!({ "Service": service }) };
    let mut role = json!({ "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": {
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }],
    } } });
    if !actions.is_empty() {
        role["Properties"]["Policies"] = json!([{ "PolicyName": "uses", "PolicyDocument": {
            "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": resource }],
        } }]);
    }
    role
}

#[tokio::test]
async fn a_python_function_answers_when_its_policy_lets_the_api_in() {
    let world = World::with_python().await;
    let code = "def handler(event, context):\n    if 'prompt' in event:\n        if event['prompt'] == 'bad': raise Exception('[404] no such thing')\n        return {'said': event['prompt']}\n    return {'statusCode': 200, 'body': event['path']}\n";
    let function = |name: &str| {
        json!({ "Type": "AWS::Lambda::Function", "Properties": {
            "FunctionName": name, "Runtime": "python3.13", "Handler": "index.handler", "Code": { "ZipFile": code },
            "Role": { "Fn::GetAtt": ["Role", "Arn"] },
        } })
    };
    let mapped = json!({ "Integration": {
        "Type": "AWS", "IntegrationHttpMethod": "POST", "Uri": function_uri("main"),
        "RequestTemplates": { "application/json": "{\"prompt\": \"$util.escapeJavaScript($input.params('prompt'))\"}" },
        "IntegrationResponses": [{ "StatusCode": "200" }, { "StatusCode": "404", "SelectionPattern": "\\[404\\].*" }],
    } });
    let methods = [("GET /proxied", proxy("main")), ("GET /mapped", mapped), ("GET /closed", proxy("closed"))];
    let outputs = world
        .deploy(&rest(
            &methods,
            json!({
                "Role": role("lambda.amazonaws.com", &[], json!("*")),
                "Main": function("main"),
                "Closed": function("closed"),
                "Permission": { "Type": "AWS::Lambda::Permission", "Properties": {
                    "Action": "lambda:InvokeFunction", "FunctionName": { "Fn::GetAtt": ["Main", "Arn"] },
                    "Principal": "apigateway.amazonaws.com", "SourceAccount": "123456789012",
                    "SourceArn": { "Fn::Sub": "arn:aws:execute-api:${AWS::Region}:123456789012:${Api}/*/GET/*" },
                } },
            }),
        ))
        .await;
    let proxied = world.get(&path(&outputs, "/proxied")).await;
    assert_eq!((proxied.status, proxied.text()), (200, "/proxied".to_owned()), "{proxied:?}");
    let mapped = world.get(&path(&outputs, "/mapped?prompt=hi")).await;
    assert_eq!((mapped.status, mapped.json()), (200, json!({ "said": "hi" })));
    assert_eq!(world.get(&path(&outputs, "/mapped?prompt=bad")).await.status, 404);
    let closed = world.get(&path(&outputs, "/closed")).await;
    assert_eq!((closed.status, closed.json()), (500, json!({ "message": "Internal server error" })));
    let why = closed.header("x-bedplate-reason").unwrap_or_default();
    assert!(why.contains("not authorized to perform: lambda:InvokeFunction"), "{why}");
}

#[tokio::test]
async fn a_service_answers_with_the_rights_of_the_integrations_role() {
    let world = World::new().await;
    let integration = |action: &str, role: &str, template: &str| {
        json!({ "Integration": {
            "Type": "AWS", "IntegrationHttpMethod": "POST", "PassthroughBehavior": "NEVER",
            "Uri": format!("arn:aws:apigateway:{REGION}:dynamodb:action/{action}"),
            "Credentials": { "Fn::GetAtt": [role, "Arn"] },
            "RequestParameters": { "integration.request.header.Content-Type": "'application/x-amz-json-1.0'" },
            "RequestTemplates": { "application/json": template },
            "IntegrationResponses": [
                { "StatusCode": "200" },
                { "StatusCode": "400", "SelectionPattern": "4\\d{2}", "ResponseTemplates": { "application/json": "{\"message\": \"The request was refused\"}" } },
            ],
        } })
    };
    let put = "{\"TableName\": \"items\", \"Item\": {\"id\": {\"S\": \"$input.params('id')\"}, \"n\": {\"S\": $input.json('$.n')}}}";
    let get = "{\"TableName\": \"items\", \"Key\": {\"id\": {\"S\": \"$input.params('id')\"}}}";
    let methods = [
        ("PUT /items/{id}", integration("PutItem", "Writer", put)),
        ("GET /items/{id}", integration("GetItem", "Reader", get)),
        ("POST /items/{id}", integration("PutItem", "Reader", put)),
        ("DELETE /items/{id}", integration("GetItem", "Stranger", get)),
    ];
    let table = json!({ "Fn::GetAtt": ["Items", "Arn"] });
    let outputs = world
        .deploy(&rest(
            &methods,
            json!({
                "Items": { "Type": "AWS::DynamoDB::Table", "Properties": {
                    "TableName": "items", "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                    "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                } },
                "Writer": role("apigateway.amazonaws.com", &["dynamodb:PutItem"], table.clone()),
                "Reader": role("apigateway.amazonaws.com", &["dynamodb:GetItem"], table.clone()),
                "Stranger": role("lambda.amazonaws.com", &["dynamodb:GetItem"], table),
            }),
        ))
        .await;
    let item = path(&outputs, "/items/7");
    let written = world.call("PUT", &item, &[], r#"{"n": "one"}"#).await;
    assert_eq!(written.status, 200, "{written:?} {}", written.text());
    let read = world.get(&item).await;
    assert_eq!((read.status, read.json()), (200, json!({ "Item": { "id": { "S": "7" }, "n": { "S": "one" } } })));
    let refused = world.call("POST", &item, &[], r#"{"n": "two"}"#).await;
    assert_eq!((refused.status, refused.json()), (400, json!({ "message": "The request was refused" })));
    let untrusted = world.call("DELETE", &item, &[], "").await;
    assert_eq!(untrusted.status, 500);
    assert!(untrusted.header("x-bedplate-reason").is_some_and(|why| why.contains("trust policy")), "{untrusted:?}");
}

#[tokio::test]
async fn a_managed_policy_of_aws_grants_what_its_statements_say() {
    let world = World::new().await;
    let integration = |action: &str, body: &str| {
        json!({ "Integration": {
            "Type": "AWS", "IntegrationHttpMethod": "POST", "Uri": format!("arn:aws:apigateway:{REGION}:dynamodb:action/{action}"),
            "Credentials": { "Fn::GetAtt": ["Reader", "Arn"] }, "RequestTemplates": { "application/json": body },
            "IntegrationResponses": [{ "StatusCode": "200" }, { "StatusCode": "400", "SelectionPattern": "4\\d{2}" }],
        } })
    };
    let mut reader = role("apigateway.amazonaws.com", &["logs:PutLogEvents"], json!("*"));
    reader["Properties"]["ManagedPolicyArns"] = json!(["arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"]);
    let table = json!({ "Type": "AWS::DynamoDB::Table", "Properties": {
        "TableName": "items", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
    } });
    let methods = [
        ("GET /items", integration("Scan", "{\"TableName\": \"items\"}")),
        ("POST /items", integration("PutItem", "{\"TableName\": \"items\", \"Item\": {\"id\": {\"S\": \"1\"}}}")),
    ];
    let outputs = world.deploy(&rest(&methods, json!({ "Items": table, "Reader": reader }))).await;
    let read = world.get(&path(&outputs, "/items")).await;
    assert_eq!((read.status, &read.json()["Count"]), (200, &json!(0)), "{}", read.text());
    let written = world.call("POST", &path(&outputs, "/items"), &[], "{}").await;
    assert_eq!(written.status, 400);
    assert!(
        written.text().contains("no identity-based policy allows the dynamodb:PutItem action"),
        "{}",
        written.text()
    );
}

/// Nothing is queued, told or started here, and no integration response may say otherwise.
#[tokio::test]
async fn a_service_that_is_not_simulated_is_refused_whatever_the_integration_responses_say() {
    let world = World::new().await;
    let integration = |uri: &str, template: &str, responses: Value| {
        json!({ "Integration": {
            "Type": "AWS", "IntegrationHttpMethod": "POST", "Uri": format!("arn:aws:apigateway:{REGION}:{uri}"),
            "Credentials": { "Fn::GetAtt": ["Role", "Arn"] },
            "RequestParameters": { "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'" },
            "RequestTemplates": { "application/json": template }, "IntegrationResponses": responses,
        } })
    };
    let mapped = json!([{ "StatusCode": "200", "ResponseTemplates": { "application/json": "{\"done\": true}" } }]);
    let chosen = json!([
        { "StatusCode": "200", "SelectionPattern": "5\\d{2}", "ResponseTemplates": { "application/json": "{\"done\": true}" } },
        { "StatusCode": "201" },
    ]);
    let methods = [
        ("POST /queue", integration("sqs:path/123456789012/jobs", "Action=SendMessage&MessageBody=hi", mapped.clone())),
        ("POST /topic", integration("sns:action/Publish", "{}", json!([{ "StatusCode": "200" }]))),
        ("POST /bus", integration("events:action/PutEvents", "{\"Entries\": []}", chosen.clone())),
        ("POST /machine", integration("states:action/StartExecution", "{\"input\": \"{}\"}", mapped)),
        ("POST /stream", integration("kinesis:action/PutRecord", "{}", chosen)),
    ];
    let actions = ["sqs:SendMessage", "sns:Publish", "events:PutEvents", "states:StartExecution", "kinesis:PutRecord"];
    let own_role = role("apigateway.amazonaws.com", &actions, json!("*"));
    let outputs = world.deploy(&rest(&methods, json!({ "Role": own_role }))).await;
    for (line, service) in methods.iter().map(|(line, _)| line).zip(["sqs", "sns", "events", "states", "kinesis"]) {
        let (_, at) = line.split_once(' ').expect("a path");
        let answer = world.call("POST", &path(&outputs, at), &[], "{\"a\": 1}").await;
        assert_eq!(answer.status, 501, "{line}: {}", answer.text());
        let message = answer.json()["message"].as_str().expect("a message").to_owned();
        assert!(message.contains(&format!("`{service}`")) && message.contains("does not simulate"), "{message}");
        assert!(answer.header("x-bedplate-reason").is_some_and(|why| why.contains(service)), "{answer:?}");
    }
}

/// The credentials of a role, as `AssumeRole` gives them.
async fn assumed(world: &World, arn: &str) -> aws_credential_types::Credentials {
    let config = sts::Config::builder()
        .behavior_version_latest()
        .region(sts::config::Region::new(REGION))
        .credentials_provider(aws_credential_types::Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(world.target.url())
        .build();
    let client = sts::Client::from_conf(config);
    let given = client.assume_role().role_arn(arn).role_session_name("ada").send().await.expect("credentials");
    let given = given.credentials().expect("credentials");
    aws_credential_types::Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        None,
        "test",
    )
}

/// A signed request for a path of the endpoint.
async fn signed(
    world: &World,
    path: &str,
    credentials: &aws_credential_types::Credentials,
    secret: Option<&str>,
) -> Answer {
    let credentials = aws_credential_types::Credentials::new(
        credentials.access_key_id(),
        secret.unwrap_or(credentials.secret_access_key()),
        credentials.session_token().map(str::to_owned),
        None,
        "test",
    );
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("execute-api")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("parameters")
        .into();
    let url = format!("{}{path}", world.target.url());
    let host = world.target.address().to_string();
    let headers = [("host", host.as_str())];
    let signable = SignableRequest::new("GET", &url, headers.into_iter(), SignableBody::Bytes(b"")).expect("a request");
    let (instructions, _) = sign(signable, &params).expect("a signature").into_parts();
    let (headers, _) = instructions.into_parts();
    let headers: Vec<(&str, &str)> = headers.iter().map(|header| (header.name(), header.value())).collect();
    world.call("GET", path, &headers, "").await
}

#[tokio::test]
async fn a_signed_call_is_let_in_by_its_roles_policies() {
    let world = World::new().await;
    world
        .fake
        .on("main", |event| Ok(json!({ "statusCode": 200, "body": event["requestContext"]["identity"]["userArn"] })));
    let closed = with(proxy("main"), json!({ "AuthorizationType": "AWS_IAM" }));
    let outputs = world
        .deploy(&rest(
            &[("GET /open", closed.clone()), ("GET /shut", closed)],
            json!({
                "Caller": role("account", &["execute-api:Invoke"],
                    json!({ "Fn::Sub": "arn:aws:execute-api:${AWS::Region}:123456789012:${Api}/dev/GET/open" })),
                "Outputs": { "Caller": { "Value": { "Fn::GetAtt": ["Caller", "Arn"] } } },
            }),
        ))
        .await;
    let credentials = assumed(&world, &outputs["Caller"]).await;
    let open = signed(&world, &path(&outputs, "/open"), &credentials, None).await;
    assert_eq!(open.status, 200, "{open:?} {}", open.text());
    assert!(open.text().ends_with("/ada"), "{}", open.text());
    let shut = signed(&world, &path(&outputs, "/shut"), &credentials, None).await;
    assert_eq!(shut.status, 403);
    assert!(shut.text().contains("is not authorized to perform: execute-api:Invoke"), "{}", shut.text());
    let forged = signed(&world, &path(&outputs, "/open"), &credentials, Some("another secret")).await;
    assert_eq!((forged.status, forged.header("x-amzn-errortype")), (403, Some("InvalidSignatureException")));
}
