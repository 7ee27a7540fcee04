//! API keys, usage plans, quotas and throttles.

use super::*;

fn keyed(quota: u32, burst: u32) -> Value {
    rest(
        &[("GET /keyed", with(proxy("main"), json!({ "ApiKeyRequired": true })))],
        json!({
            "Key": { "Type": "AWS::ApiGateway::ApiKey", "Properties": { "Enabled": true } },
            "Asleep": { "Type": "AWS::ApiGateway::ApiKey", "Properties": { "Value": "a-key-that-is-not-enabled" } },
            "Plan": { "Type": "AWS::ApiGateway::UsagePlan", "Properties": {
                "ApiStages": [{ "ApiId": { "Ref": "Api" }, "Stage": { "Ref": "Stage" } }],
                "Quota": { "Limit": quota, "Period": "DAY" }, "Throttle": { "RateLimit": 1, "BurstLimit": burst },
            } },
            "Member": { "Type": "AWS::ApiGateway::UsagePlanKey", "Properties": {
                "KeyId": { "Ref": "Key" }, "KeyType": "API_KEY", "UsagePlanId": { "Ref": "Plan" } } },
            "AsleepMember": { "Type": "AWS::ApiGateway::UsagePlanKey", "Properties": {
                "KeyId": { "Ref": "Asleep" }, "KeyType": "API_KEY", "UsagePlanId": { "Ref": "Plan" } } },
            "Outputs": { "Key": { "Value": { "Ref": "Key" } } },
        }),
    )
}

/// The value of a key, as any AWS client asks for it.
async fn value(world: &World, id: &str) -> String {
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential=local/20260105/{REGION}/apigateway/aws4_request, SignedHeaders=host, Signature=x"
    );
    let answer =
        world.call("GET", &format!("/apikeys/{id}?includeValue=true"), &[("authorization", &signed)], "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["value"].as_str().expect("a value").to_owned()
}

#[tokio::test]
async fn a_key_opens_and_its_plan_limits() {
    let world = World::new().await;
    world
        .fake
        .on("main", |event| Ok(json!({ "statusCode": 200, "body": event["requestContext"]["identity"]["apiKeyId"] })));
    let outputs = world.deploy(&keyed(3, 2)).await;
    let key = value(&world, &outputs["Key"]).await;
    assert_eq!(key.len(), 40);
    let ask = async |key: &str| world.call("GET", &path(&outputs, "/keyed"), &[("x-api-key", key)], "").await;
    for wrong in ["", "nonsense", "a-key-that-is-not-enabled"] {
        let answer = ask(wrong).await;
        assert_eq!((answer.status, answer.json()), (403, json!({ "message": "Forbidden" })), "{wrong}");
    }
    let good = ask(&key).await;
    assert_eq!((good.status, good.text()), (200, outputs["Key"].clone()));
    assert_eq!(ask(&key).await.status, 200);
    let throttled = ask(&key).await;
    assert_eq!((throttled.status, throttled.json()), (429, json!({ "message": "Too Many Requests" })));
    world.pass(10);
    assert_eq!(ask(&key).await.status, 200);
    let spent = ask(&key).await;
    assert_eq!((spent.status, spent.json()), (429, json!({ "message": "Limit Exceeded" })));
    world.pass(86_400);
    assert_eq!(ask(&key).await.status, 200);
}

#[tokio::test]
async fn a_stage_and_a_method_have_limits_of_their_own() {
    let world = World::new().await;
    world.fake.on("main", |_| Ok(json!({ "statusCode": 200 })));
    let settings = json!({ "Stage": { "MethodSettings": [
        { "ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 3 },
        { "ResourcePath": "/~1small", "HttpMethod": "GET", "ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1 },
    ] } });
    let outputs = world.deploy(&rest(&[("GET /small", proxy("main")), ("GET /large", proxy("main"))], settings)).await;
    let statuses = async |rest: &str, times: usize| {
        let mut all = Vec::new();
        for _ in 0..times {
            all.push(world.get(&path(&outputs, rest)).await.status);
        }
        all
    };
    assert_eq!(statuses("/small", 2).await, [200, 429]);
    assert_eq!(statuses("/large", 4).await, [200, 200, 200, 429]);
    world.pass(1);
    assert_eq!(statuses("/small", 2).await, [200, 429]);
}
