//! What is behind methods: functions, other addresses, API Gateway itself.

use super::*;

/// A mapped function, with the patterns that the renderer writes.
fn mapped(name: &str, template: &str) -> Value {
    let declared = [json!({ "StatusCode": "200", "ResponseParameters": { "method.response.header.X-Kind": false } })];
    json!({ "MethodResponses": declared, "Integration": {
        "Type": "AWS", "IntegrationHttpMethod": "POST", "Uri": function_uri(name), "PassthroughBehavior": "NEVER",
        "RequestTemplates": { "application/json": template },
        "IntegrationResponses": [
            { "StatusCode": "200", "ResponseParameters": { "method.response.header.X-Kind": "integration.response.body.kind" } },
            { "StatusCode": "404", "SelectionPattern": "\\[404\\][\\s\\S]*", "ResponseTemplates": { "application/json":
                "{\"message\": \"$util.escapeJavaScript($input.path('$.errorMessage').substring(5).trim()).replaceAll(\"\\\\'\", \"'\")\"}" } },
            { "StatusCode": "504", "SelectionPattern": "[^\\[][\\s\\S]*Task timed out after[\\s\\S]*" },
            { "StatusCode": "500", "SelectionPattern": "(?!\\[(?:404)\\])(?![^\\[][\\s\\S]*Task timed out after)[\\s\\S]+",
              "ResponseTemplates": { "application/json": "{\"message\": \"Internal server error\"}" } },
        ],
    } })
}

#[tokio::test]
async fn a_mapped_function_gets_what_the_template_makes_and_its_errors_choose_a_status() {
    let world = World::new().await;
    world.fake.on("main", |event| match event["prompt"].as_str().unwrap_or_default() {
        "missing" => Err("[404] no \"such\" thing, isn't there".to_owned()),
        "slow" => Err("2026-01-01 x Task timed out after 3.00 seconds".to_owned()),
        "bad" => Err("secret".to_owned()),
        prompt => Ok(json!({ "kind": "echo", "prompt": prompt })),
    });
    let template = "{\"prompt\": \"$util.escapeJavaScript($input.params('prompt')).replaceAll(\"\\\\'\", \"'\")\"}";
    let outputs = world.deploy(&rest(&[("GET /draw", mapped("main", template))], json!({}))).await;
    let ask = async |prompt: &str| world.get(&path(&outputs, &format!("/draw?prompt={prompt}"))).await;
    let answer = ask("it%27s%20%22so%22%0Aand%20%F0%9F%98%80").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["prompt"], json!("it's \"so\"\nand \u{1f600}"));
    assert_eq!(answer.header("x-kind"), Some("echo"));
    let missing = ask("missing").await;
    assert_eq!((missing.status, missing.json()), (404, json!({ "message": "no \"such\" thing, isn't there" })));
    assert_eq!(ask("slow").await.status, 504);
    let bad = ask("bad").await;
    assert_eq!((bad.status, bad.json()), (500, json!({ "message": "Internal server error" })));
    let media = world.call("GET", &path(&outputs, "/draw"), &[("content-type", "text/plain")], "").await;
    assert_eq!((media.status, media.json()), (415, json!({ "message": "Unsupported Media Type" })));
}

#[tokio::test]
async fn a_template_that_makes_no_json_is_told_to_the_caller() {
    let world = World::new().await;
    world.fake.on("main", Ok);
    let naive = mapped("main", "{\"prompt\": \"$input.params('prompt')\"}");
    let outputs = world.deploy(&rest(&[("GET /draw", naive)], json!({}))).await;
    let answer = world.get(&path(&outputs, "/draw?prompt=a%22b")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("Could not parse request body into json"), "{}", answer.text());
}

#[tokio::test]
async fn a_proxied_function_gets_the_whole_request() {
    let world = World::new().await;
    world.fake.on("main", |_| {
        Ok(json!({
            "statusCode": 201, "body": "made", "headers": { "X-One": "1", "Content-Type": "text/plain" },
            "multiValueHeaders": { "Set-Cookie": ["a=1"] },
        }))
    });
    let outputs = world
        .deploy(&rest(&[("ANY /items/{id}/{rest+}", proxy("main"))], json!({ "Stage": { "Variables": { "v": "w" } } })))
        .await;
    let answer = world
        .call(
            "POST",
            &path(&outputs, "/items/7/a%20b/c?q=1&q=2"),
            &[("content-type", "text/plain"), ("x-my", "y")],
            "hi",
        )
        .await;
    assert_eq!((answer.status, answer.text()), (201, "made".to_owned()));
    assert_eq!((answer.header("x-one"), answer.header("content-type")), (Some("1"), Some("text/plain")));
    assert_eq!(answer.header("set-cookie"), Some("a=1"));
    let event = world.fake.last("main");
    for (pointer, value) in [
        ("/resource", json!("/items/{id}/{rest+}")),
        ("/httpMethod", json!("POST")),
        ("/headers/X-My", json!("y")),
        ("/queryStringParameters", json!({ "q": "2" })),
        ("/multiValueQueryStringParameters", json!({ "q": ["1", "2"] })),
        ("/pathParameters", json!({ "id": "7", "rest": "a b/c" })),
        ("/stageVariables", json!({ "v": "w" })),
        ("/body", json!("hi")),
        ("/isBase64Encoded", json!(false)),
        ("/requestContext/apiId", json!(outputs["Id"])),
        ("/requestContext/stage", json!("dev")),
        ("/requestContext/resourcePath", json!("/items/{id}/{rest+}")),
        ("/requestContext/identity/sourceIp", json!("127.0.0.1")),
        ("/requestContext/requestTime", json!("05/Jan/2026:10:00:00 +0000")),
    ] {
        assert_eq!(event.pointer(pointer), Some(&value), "{pointer}: {event}");
    }
    world.get(&path(&outputs, "/items/7/x")).await;
    let event = world.fake.last("main");
    assert_eq!((&event["body"], &event["queryStringParameters"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_malformed_answer_is_a_bad_gateway_and_says_why() {
    let world = World::new().await;
    world.fake.on("main", |_| Ok(json!({ "message": "not what a proxy answers" })));
    world.fake.on("fails", |_| Err("boom".to_owned()));
    world.fake.on("never", |_| Ok(json!({})));
    let mut hangs = proxy("never");
    hangs["Integration"]["TimeoutInMillis"] = json!(50);
    let methods = [
        ("GET /main", proxy("main")),
        ("GET /fails", proxy("fails")),
        ("GET /gone", proxy("gone")),
        ("GET /never", hangs),
    ];
    let outputs = world.deploy(&rest(&methods, json!({}))).await;
    for (rest, status, reason) in [("/main", 502, "statusCode"), ("/fails", 502, "boom"), ("/gone", 500, "no gone")] {
        let answer = world.get(&path(&outputs, rest)).await;
        assert_eq!((answer.status, answer.json()), (status, json!({ "message": "Internal server error" })), "{rest}");
        let told = answer.header("x-bedplate-reason").unwrap_or_default();
        assert!(told.contains(reason), "{rest}: {told}");
    }
    let late = world.get(&path(&outputs, "/never")).await;
    assert_eq!((late.status, late.json()), (504, json!({ "message": "Endpoint request timed out" })));
}

#[tokio::test]
async fn a_function_is_invoked_with_post_only() {
    let world = World::new().await;
    let by_get =
        json!({ "Integration": { "Type": "AWS_PROXY", "IntegrationHttpMethod": "GET", "Uri": function_uri("main") } });
    let outputs = world.deploy(&rest(&[("GET /a", by_get)], json!({}))).await;
    let answer = world.get(&path(&outputs, "/a")).await;
    assert_eq!((answer.status, answer.json()), (500, json!({ "message": "Internal server error" })));
    assert!(answer.header("x-bedplate-reason").unwrap_or_default().contains("POST only"));
}

#[tokio::test]
async fn a_browser_may_ask_first() {
    let world = World::new().await;
    let declared = json!([{ "StatusCode": "204", "ResponseParameters": {
        "method.response.header.Access-Control-Allow-Origin": false,
        "method.response.header.Access-Control-Allow-Methods": false,
    } }]);
    let options = json!({ "MethodResponses": declared, "Integration": {
        "Type": "MOCK", "PassthroughBehavior": "NEVER",
        "RequestTemplates": { "application/json": "{\"statusCode\": 204}" },
        "IntegrationResponses": [{ "StatusCode": "204", "ResponseParameters": {
            "method.response.header.Access-Control-Allow-Origin": "'https://example.com'",
            "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'",
        } }],
    } });
    let outputs = world.deploy(&rest(&[("OPTIONS /items", options)], json!({}))).await;
    let headers = [("origin", "https://example.com"), ("access-control-request-method", "GET")];
    let answer = world.call("OPTIONS", &path(&outputs, "/items"), &headers, "").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://example.com"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET,OPTIONS"));
}

#[tokio::test]
async fn another_address_answers_through_the_api() {
    let world = World::new().await;
    world.fake.on("main", |event| {
        let told = json!({ "path": event["path"], "method": event["httpMethod"], "query": event["queryStringParameters"],
            "body": event["body"], "header": event["headers"]["X-My"] });
        Ok(json!({ "statusCode": 418, "body": told.to_string(), "headers": { "X-Back": "b" } }))
    });
    let mut template = rest(&[("ANY /{all+}", proxy("main"))], json!({}));
    let behind = world.deploy(&template).await;
    // The address behind the API is another path of the endpoint itself.
    let base = format!("{}{}", world.target.url(), path(&behind, ""));
    let methods = [
        ("ANY /{all+}", proxy("main")),
        (
            "POST /pass/{id}",
            json!({ "Integration": {
            "Type": "HTTP_PROXY", "IntegrationHttpMethod": "PUT", "Uri": format!("{base}/there/{{name}}"),
            "RequestParameters": { "integration.request.path.name": "method.request.path.id" },
        } }),
        ),
        (
            "GET /map",
            json!({ "Integration": {
            "Type": "HTTP", "IntegrationHttpMethod": "GET", "Uri": format!("{base}/mapped"),
            "RequestParameters": { "integration.request.querystring.p": "method.request.querystring.q" },
            "IntegrationResponses": [
                { "StatusCode": "200" },
                { "StatusCode": "400", "SelectionPattern": "4\\d{2}", "ResponseTemplates": { "application/json": "{\"was\": $input.json('$.path')}" } },
            ],
        } }),
        ),
        (
            "GET /down",
            json!({ "Integration": { "Type": "HTTP_PROXY", "IntegrationHttpMethod": "GET", "Uri": "http://127.0.0.1:1/" } }),
        ),
    ];
    template = rest(&methods, json!({}));
    let deployment = template["Resources"]["Deployment1"].clone();
    template["Resources"].as_object_mut().expect("resources").remove("Deployment1");
    template["Resources"]["Deployment2"] = deployment;
    template["Resources"]["Stage"]["Properties"]["DeploymentId"] = json!({ "Ref": "Deployment2" });
    let outputs = world.deploy(&template).await;
    let answer = world.call("POST", &path(&outputs, "/pass/a%20b?x=1"), &[("x-my", "h")], "body").await;
    assert_eq!((answer.status, answer.header("x-back")), (418, Some("b")));
    let told = answer.json();
    assert_eq!(
        told,
        json!({ "path": "/there/a%20b", "method": "PUT", "query": { "x": "1" }, "body": "body", "header": "h" })
    );
    let mapped = world.get(&path(&outputs, "/map?q=v")).await;
    assert_eq!((mapped.status, mapped.json()), (400, json!({ "was": "/mapped" })));
    assert_eq!(world.fake.last("main")["queryStringParameters"], json!({ "p": "v" }));
    let down = world.get(&path(&outputs, "/down")).await;
    assert_eq!(down.status, 504);
    assert!(down.header("x-bedplate-reason").is_some_and(|why| why.contains("127.0.0.1:1")), "{down:?}");
}

#[tokio::test]
async fn what_is_not_simulated_is_refused_by_name() {
    let world = World::new().await;
    world.fake.on("main", |_| Ok(json!({ "statusCode": 200 })));
    let linked = json!({ "Integration": { "Type": "HTTP_PROXY", "IntegrationHttpMethod": "GET",
        "Uri": "http://internal.example.com/", "ConnectionType": "VPC_LINK", "ConnectionId": "abc" } });
    let outputs = world.deploy(&rest(&[("GET /linked", linked)], json!({}))).await;
    let answer = world.get(&path(&outputs, "/linked")).await;
    assert_eq!(answer.status, 501);
    assert!(answer.text().contains("VPC link"), "{}", answer.text());
}
