//! Routes, addresses, deployments and what a request must have.

use super::*;

#[tokio::test]
async fn an_api_answers_under_every_one_of_its_names() {
    let world = World::new().await;
    world.fake.on("main", |event| Ok(json!({ "statusCode": 200, "body": event["path"] })));
    let outputs = world.deploy(&rest(&[("GET /items/{id}", proxy("main"))], json!({}))).await;
    let id = &outputs["Id"];
    let answer = world.get(&path(&outputs, "/items/7?x=1")).await;
    assert_eq!((answer.status, answer.text()), (200, "/items/7".to_owned()));
    assert!(answer.header("x-amzn-requestid").is_some());
    for host in [format!("{id}.execute-api.localhost:1"), format!("{id}.execute-api.us-west-2.amazonaws.com")] {
        let answer = world.call("GET", "/dev/items/7", &[("host", &host)], "").await;
        assert_eq!((answer.status, answer.text()), (200, "/items/7".to_owned()), "{host}");
    }
    let page = world.call("GET", &path(&outputs, "/items/7"), &[("origin", "https://example.com")], "").await;
    assert_eq!(page.status, 200);
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_the_words_of_aws() {
    let world = World::new().await;
    world.fake.on("main", |_| Ok(json!({ "statusCode": 200 })));
    let outputs = world.deploy(&rest(&[("GET /items", proxy("main"))], json!({}))).await;
    let missing = json!({ "message": "Missing Authentication Token" });
    for (method, rest) in [("GET", "/nope"), ("POST", "/items"), ("GET", "/")] {
        let answer = world.call(method, &path(&outputs, rest), &[], "").await;
        assert_eq!((answer.status, answer.json()), (403, missing.clone()), "{method} {rest}");
        assert_eq!(answer.header("x-amzn-errortype"), Some("MissingAuthenticationTokenException"));
    }
    let stage = world.get(&format!("/_aws/execute-api/{}/prod/items", outputs["Id"])).await;
    assert_eq!((stage.status, stage.json()), (403, json!({ "message": "Forbidden" })));
    let api = world.get("/_aws/execute-api/nothere123/dev/items").await;
    assert_eq!(api.status, 404);
    assert!(api.text().contains("nothere123"), "{}", api.text());
    // Everything else of the endpoint keeps its guard.
    let strange = world.call("GET", "/bucket/key", &[("host", "api.example.com")], "").await;
    assert_eq!(strange.status, 403);
    assert!(strange.text().contains("loopback only"), "{}", strange.text());
}

#[tokio::test]
async fn only_what_was_deployed_answers() {
    let world = World::new().await;
    let mock = |body: &str| {
        json!({ "Integration": {
            "Type": "MOCK",
            "RequestTemplates": { "application/json": "{\"statusCode\": 200}" },
            "IntegrationResponses": [{ "StatusCode": "200", "ResponseTemplates": { "application/json": body } }],
        } })
    };
    let mut template = rest(&[("GET /", mock("one"))], json!({}));
    let outputs = world.deploy(&template).await;
    assert_eq!(world.get(&path(&outputs, "")).await.text(), "one");
    // The method changes, the deployment does not.
    template["Resources"]["PathGETMethod"] =
        rest(&[("GET /", mock("two"))], json!({}))["Resources"]["PathGETMethod"].clone();
    world.deploy(&template).await;
    assert_eq!(world.get(&path(&outputs, "")).await.text(), "one");
    // A deployment under another name takes a new picture.
    let deployment = template["Resources"]["Deployment1"].clone();
    template["Resources"].as_object_mut().expect("resources").remove("Deployment1");
    template["Resources"]["Deployment2"] = deployment;
    template["Resources"]["Stage"]["Properties"]["DeploymentId"] = json!({ "Ref": "Deployment2" });
    world.deploy(&template).await;
    assert_eq!(world.get(&path(&outputs, "")).await.text(), "two");
}

#[tokio::test]
async fn a_validator_refuses_before_the_function_is_called() {
    let world = World::new().await;
    world.fake.on("main", |_| Ok(json!({ "statusCode": 200 })));
    let validator = |parameters: bool, body: bool| {
        json!({ "Type": "AWS::ApiGateway::RequestValidator", "Properties": {
            "RestApiId": { "Ref": "Api" }, "ValidateRequestParameters": parameters, "ValidateRequestBody": body,
        } })
    };
    let asks = with(
        proxy("main"),
        json!({
            "RequestValidatorId": { "Ref": "Parameters" },
            "RequestParameters": {
                "method.request.querystring.prompt": true, "method.request.header.x-tenant": true,
                "method.request.querystring.extra": false,
            },
        }),
    );
    let order = with(
        proxy("main"),
        json!({
            "RequestValidatorId": { "Ref": "Body" },
            "RequestModels": { "application/json": { "Ref": "Order" }, "$default": { "Ref": "Order" } },
        }),
    );
    let outputs = world
        .deploy(&rest(
            &[("GET /ask", asks), ("POST /order", order)],
            json!({
                "Parameters": validator(true, false),
                "Body": validator(false, true),
                "Order": { "Type": "AWS::ApiGateway::Model", "Properties": {
                    "RestApiId": { "Ref": "Api" }, "ContentType": "application/json",
                    "Schema": { "type": "object", "required": ["item"], "properties": { "item": { "type": "string" } } },
                } },
            }),
        ))
        .await;
    let one = world.call("GET", &path(&outputs, "/ask"), &[("x-tenant", "t")], "").await;
    assert_eq!((one.status, one.json()), (400, json!({ "message": "Missing required request parameters: [prompt]" })));
    let both = world.get(&path(&outputs, "/ask?prompt=")).await;
    assert_eq!(both.status, 400);
    assert!(both.text().contains("prompt") && both.text().contains("x-tenant"), "{}", both.text());
    for bad in ["", "{", "[]", "{}", r#"{"item": 1}"#] {
        let answer = world.call("POST", &path(&outputs, "/order"), &[("content-type", "text/plain")], bad).await;
        assert_eq!((answer.status, answer.json()), (400, json!({ "message": "Invalid request body" })), "{bad}");
    }
    assert!(world.fake.events("main").is_empty());
    assert_eq!(world.call("GET", &path(&outputs, "/ask?prompt=a"), &[("x-tenant", "t")], "").await.status, 200);
    assert_eq!(world.call("POST", &path(&outputs, "/order"), &[], r#"{"item": "a"}"#).await.status, 200);
}

#[tokio::test]
async fn gateway_responses_are_the_apis_own() {
    let world = World::new().await;
    let response = |kind: &str, more: Value| {
        json!({ "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": with(json!({ "RestApiId": { "Ref": "Api" }, "ResponseType": kind }), more) })
    };
    let closed = with(proxy("main"), json!({ "AuthorizationType": "AWS_IAM" }));
    let keyed = with(proxy("main"), json!({ "ApiKeyRequired": true }));
    let outputs = world
        .deploy(&rest(
            &[("GET /closed", closed), ("GET /keyed", keyed)],
            json!({
                "Missing": response("MISSING_AUTHENTICATION_TOKEN", json!({
                    "StatusCode": "404",
                    "ResponseTemplates": { "application/json": "{\"error\": $context.error.messageString, \"type\": \"$context.error.responseType\"}" },
                    "ResponseParameters": { "gatewayresponse.header.X-Path": "context.path", "gatewayresponse.header.X-Fixed": "'yes'" },
                })),
                "Others": response("DEFAULT_4XX", json!({
                    "ResponseParameters": { "gatewayresponse.header.Access-Control-Allow-Origin": "'*'" },
                })),
            }),
        ))
        .await;
    let answer = world.get(&path(&outputs, "/closed")).await;
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.json(),
        json!({ "error": "Missing Authentication Token", "type": "MISSING_AUTHENTICATION_TOKEN" })
    );
    assert_eq!((answer.header("x-path"), answer.header("x-fixed")), (Some("/dev/closed"), Some("yes")));
    let answer = world.get(&path(&outputs, "/keyed")).await;
    assert_eq!((answer.status, answer.json()), (403, json!({ "message": "Forbidden" })));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn three_hundred_calls_at_once_are_answered() {
    let world = World::new().await;
    world.fake.on("main", |event| Ok(json!({ "statusCode": 200, "body": event["queryStringParameters"]["n"] })));
    let outputs = world.deploy(&rest(&[("GET /echo", proxy("main"))], json!({}))).await;
    let world = &world;
    let calls = (0..300).map(|n| {
        let path = path(&outputs, &format!("/echo?n={n}"));
        async move {
            let answer = world.get(&path).await;
            (answer.status, answer.text()) == (200, n.to_string())
        }
    });
    let answered = futures::future::join_all(calls).await;
    assert_eq!(answered.iter().filter(|good| **good).count(), 300);
}
