//! Who may call a REST API.

use super::*;

/// A policy that lets through or refuses what it names.
fn policy(effect: &str, resource: &str) -> Value {
    json!({ "principalId": "ada", "context": { "tenant": "t1", "level": 3 }, "policyDocument": {
        "Version": "2012-10-17",
        "Statement": [{ "Action": "execute-api:Invoke", "Effect": effect, "Resource": resource }],
    } })
}

pub(super) fn authorizer(kind: &str, more: Value) -> Value {
    let own = json!({ "RestApiId": { "Ref": "Api" }, "Name": "a", "Type": kind, "AuthorizerUri": function_uri("auth"),
        "IdentitySource": "method.request.header.Authorization" });
    json!({ "Type": "AWS::ApiGateway::Authorizer", "Properties": with(own, more) })
}

fn guarded() -> Value {
    with(proxy("main"), json!({ "AuthorizationType": "CUSTOM", "AuthorizerId": { "Ref": "Auth" } }))
}

#[tokio::test]
async fn a_token_is_shown_to_the_function_and_its_word_is_kept() {
    let world = World::new().await;
    world.fake.on("main", |event| {
        Ok(json!({ "statusCode": 200, "body": event["requestContext"]["authorizer"].to_string() }))
    });
    world.fake.on("auth", |event| match event["authorizationToken"].as_str().unwrap_or_default() {
        "allow" => Ok(policy("Allow", event["methodArn"].as_str().expect("an ARN"))),
        "deny" => Ok(policy("Deny", "*")),
        "other" => Ok(policy("Allow", "arn:aws:execute-api:us-west-2:123456789012:other/*")),
        "who" => Err("Unauthorized".to_owned()),
        "broken" => Ok(json!({ "principalId": "x" })),
        _ => Err("boom".to_owned()),
    });
    let outputs = world
        .deploy(&rest(&[("GET /a", guarded()), ("GET /b", guarded())], json!({
            "Auth": authorizer("TOKEN", json!({ "AuthorizerResultTtlInSeconds": 60, "IdentityValidationExpression": "[a-z]+" })),
        })))
        .await;
    let ask =
        async |rest: &str, token: &str| world.call("GET", &path(&outputs, rest), &[("authorization", token)], "").await;
    let allowed = ask("/a", "allow").await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.json(), json!({ "principalId": "ada", "tenant": "t1", "level": "3" }));
    let event = world.fake.last("auth");
    assert_eq!(event["type"], json!("TOKEN"));
    assert_eq!(
        event["methodArn"],
        json!(format!("arn:aws:execute-api:{REGION}:123456789012:{}/dev/GET/a", outputs["Id"]))
    );
    // The word is kept and holds for what it names only.
    assert_eq!(ask("/a", "allow").await.status, 200);
    let elsewhere = ask("/b", "allow").await;
    assert_eq!(elsewhere.json(), json!({ "message": "User is not authorized to access this resource" }));
    assert_eq!(world.fake.events("auth").len(), 1);
    world.pass(61);
    assert_eq!(ask("/a", "allow").await.status, 200);
    assert_eq!(world.fake.events("auth").len(), 2);
    let denied = json!({ "message": "User is not authorized to access this resource with an explicit deny" });
    for (token, status, body) in [
        ("deny", 403, denied),
        ("other", 403, json!({ "message": "User is not authorized to access this resource" })),
        ("who", 401, json!({ "message": "Unauthorized" })),
        ("NOT LIKE ONE", 401, json!({ "message": "Unauthorized" })),
        ("", 401, json!({ "message": "Unauthorized" })),
        ("broken", 500, json!({ "message": null })),
        ("fails", 500, json!({ "message": null })),
    ] {
        let answer = ask("/a", token).await;
        assert_eq!((answer.status, answer.json()), (status, body), "{token}");
    }
    assert_eq!(world.get(&path(&outputs, "/a")).await.status, 401);
}

#[tokio::test]
async fn a_request_is_shown_to_the_function_whole() {
    let world = World::new().await;
    world.fake.on("main", |_| Ok(json!({ "statusCode": 200 })));
    world.fake.on("auth", |event| {
        let good =
            event["queryStringParameters"]["token"] == json!("good") && event["pathParameters"]["id"] == json!("7");
        Ok(policy(if good { "Allow" } else { "Deny" }, "*"))
    });
    let outputs = world
        .deploy(&rest(
            &[("GET /items/{id}", guarded())],
            json!({
                "Auth": authorizer("REQUEST", json!({ "IdentitySource": "method.request.querystring.token" })),
            }),
        ))
        .await;
    assert_eq!(world.get(&path(&outputs, "/items/7?token=good")).await.status, 200);
    assert_eq!(world.get(&path(&outputs, "/items/7?token=bad")).await.status, 403);
    assert_eq!(world.get(&path(&outputs, "/items/7")).await.status, 401);
    assert_eq!(world.fake.events("auth")[0]["type"], json!("REQUEST"));
}

#[tokio::test]
async fn a_signature_is_asked_for_and_a_user_pool_is_refused_by_name() {
    let world = World::new().await;
    world
        .fake
        .on("main", |event| Ok(json!({ "statusCode": 200, "body": event["requestContext"]["identity"]["userArn"] })));
    let signed = with(proxy("main"), json!({ "AuthorizationType": "AWS_IAM" }));
    let pooled =
        with(proxy("main"), json!({ "AuthorizationType": "COGNITO_USER_POOLS", "AuthorizerId": { "Ref": "Auth" } }));
    let outputs = world
        .deploy(&rest(
            &[("GET /signed", signed), ("GET /pooled", pooled)],
            json!({
                "Auth": authorizer("COGNITO_USER_POOLS", json!({
                    "ProviderARNs": ["arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_abc"] })),
            }),
        ))
        .await;
    let open = world.get(&path(&outputs, "/signed")).await;
    assert_eq!((open.status, open.json()), (403, json!({ "message": "Missing Authentication Token" })));
    let header = format!(
        "AWS4-HMAC-SHA256 Credential=ada/20260105/{REGION}/execute-api/aws4_request, SignedHeaders=host, Signature=x"
    );
    let signed = world.call("GET", &path(&outputs, "/signed"), &[("authorization", &header)], "").await;
    assert_eq!((signed.status, signed.text()), (200, "arn:aws:iam::123456789012:user/ada".to_owned()));
    assert_eq!(world.get(&path(&outputs, "/pooled")).await.status, 401);
    let pooled = world.call("GET", &path(&outputs, "/pooled"), &[("authorization", "a.b.c")], "").await;
    assert_eq!(pooled.status, 501);
    assert!(pooled.text().contains("user pool"), "{}", pooled.text());
}

#[tokio::test]
async fn an_apis_own_policy_is_held_against_every_call() {
    let world = World::new().await;
    world.fake.on("main", |_| Ok(json!({ "statusCode": 200 })));
    let statement = |effect: &str, resource: &str, condition: Value| {
        json!({ "Effect": effect, "Principal": "*",
        "Action": "execute-api:Invoke", "Resource": resource, "Condition": condition })
    };
    let outputs = world
        .deploy(&rest(&[("GET /open", proxy("main")), ("GET /shut", proxy("main"))], json!({ "Api": { "Policy": {
            "Version": "2012-10-17",
            "Statement": [
                statement("Allow", "execute-api:/*", json!({})),
                statement("Deny", "execute-api:/*/GET/shut", json!({ "StringEquals": { "aws:SourceIp": "127.0.0.1" } })),
            ],
        } } })))
        .await;
    assert_eq!(world.get(&path(&outputs, "/open")).await.status, 200);
    let shut = world.get(&path(&outputs, "/shut")).await;
    assert_eq!(shut.status, 403);
    assert!(shut.text().contains("with an explicit deny"), "{}", shut.text());
}
