//! HTTP APIs.

use super::*;

pub(super) fn v2(kind: &str, more: Value) -> Value {
    json!({ "Type": format!("AWS::ApiGatewayV2::{kind}"), "Properties": with(json!({ "ApiId": { "Ref": "Api" } }), more) })
}

/// An HTTP API with routes, each with a function, and a stage that deploys by itself.
pub(super) fn http(routes: &[(&str, &str, Value)], stage: &str, api: Value, more: Value) -> Value {
    let mut resources = serde_json::Map::new();
    let own = json!({ "Name": "api", "ProtocolType": "HTTP" });
    resources.insert("Api".to_owned(), json!({ "Type": "AWS::ApiGatewayV2::Api", "Properties": with(own, api) }));
    for (index, (key, function, own)) in routes.iter().enumerate() {
        resources.insert(
            format!("Integration{index}"),
            v2("Integration", json!({ "IntegrationType": "AWS_PROXY", "IntegrationUri": function_arn(function), "PayloadFormatVersion": "2.0" })),
        );
        let target = json!({ "Fn::Join": ["/", ["integrations", { "Ref": format!("Integration{index}") }]] });
        let route = json!({ "RouteKey": key, "AuthorizationType": "NONE", "Target": target });
        resources.insert(format!("Route{index}"), v2("Route", with(route, own.clone())));
    }
    resources.insert("Stage".to_owned(), v2("Stage", json!({ "StageName": stage, "AutoDeploy": true })));
    for (key, value) in more.as_object().expect("more") {
        resources.insert(key.clone(), value.clone());
    }
    json!({ "Resources": resources, "Outputs": { "Id": { "Value": { "Ref": "Api" } } } })
}

pub(super) fn at(outputs: &BTreeMap<String, String>, rest: &str) -> String {
    format!("/_aws/execute-api/{}{rest}", outputs["Id"])
}

#[tokio::test]
async fn routes_get_events_of_format_2_and_answers_are_inferred() {
    let world = World::new().await;
    world.fake.on("item", |event| Ok(json!({ "id": event["pathParameters"]["id"] })));
    world.fake.on("full", |_| {
        Ok(json!({ "statusCode": 202, "headers": { "X-A": "b" }, "cookies": ["c=d"], "body": "aGk=", "isBase64Encoded": true }))
    });
    world.fake.on("rest", |_| Ok(json!("plain")));
    world.fake.on("fails", |_| Err("boom".to_owned()));
    let none = json!({});
    let routes = [
        ("GET /items/{id}", "item", none.clone()),
        ("POST /full", "full", none.clone()),
        ("GET /fails", "fails", none.clone()),
        ("$default", "rest", none.clone()),
    ];
    let outputs = world.deploy(&http(&routes, "$default", json!({}), json!({}))).await;
    let item =
        world.call("GET", &at(&outputs, "/items/7?a=1&a=2&b=3"), &[("cookie", "x=1; y=2"), ("X-My", "h")], "").await;
    assert_eq!((item.status, item.json()), (200, json!({ "id": "7" })));
    assert_eq!(item.header("content-type"), Some("application/json"));
    let event = world.fake.last("item");
    for (pointer, value) in [
        ("/version", json!("2.0")),
        ("/routeKey", json!("GET /items/{id}")),
        ("/rawPath", json!("/items/7")),
        ("/rawQueryString", json!("a=1&a=2&b=3")),
        ("/queryStringParameters", json!({ "a": "1,2", "b": "3" })),
        ("/cookies", json!(["x=1", "y=2"])),
        ("/headers/x-my", json!("h")),
        ("/requestContext/http/method", json!("GET")),
        ("/requestContext/stage", json!("$default")),
        ("/isBase64Encoded", json!(false)),
    ] {
        assert_eq!(event.pointer(pointer), Some(&value), "{pointer}: {event}");
    }
    let full = world.call("POST", &at(&outputs, "/full"), &[("content-type", "application/json")], "{}").await;
    assert_eq!(
        (full.status, full.text(), full.header("x-a"), full.header("set-cookie")),
        (202, "hi".to_owned(), Some("b"), Some("c=d"))
    );
    assert_eq!(world.call("PUT", &at(&outputs, "/else/where"), &[], "").await.text(), "plain");
    assert_eq!(world.fake.last("rest")["routeKey"], json!("$default"));
    let fails = world.get(&at(&outputs, "/fails")).await;
    assert_eq!((fails.status, fails.json()), (500, json!({ "message": "Internal Server Error" })));
}

#[tokio::test]
async fn a_named_stage_is_in_the_path_and_nothing_else_is_found() {
    let world = World::new().await;
    world.fake.on("main", |event| Ok(json!({ "path": event["rawPath"] })));
    let outputs = world.deploy(&http(&[("GET /x", "main", json!({}))], "dev", json!({}), json!({}))).await;
    assert_eq!(world.get(&at(&outputs, "/dev/x")).await.json(), json!({ "path": "/dev/x" }));
    for rest in ["/x", "/dev/y", "/dev"] {
        let answer = world.get(&at(&outputs, rest)).await;
        assert_eq!((answer.status, answer.json()), (404, json!({ "message": "Not Found" })), "{rest}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_let_in_as_configured() {
    let world = World::new().await;
    world.fake.on("main", |_| Ok(json!({ "statusCode": 200, "headers": { "Access-Control-Allow-Origin": "*" } })));
    let cors = json!({ "CorsConfiguration": { "AllowOrigins": ["https://example.com"], "AllowMethods": ["GET"], "AllowHeaders": ["x-a"], "MaxAge": 60 } });
    let outputs = world.deploy(&http(&[("GET /x", "main", json!({}))], "$default", cors, json!({}))).await;
    let page = ("origin", "https://example.com");
    let asked = world.call("OPTIONS", &at(&outputs, "/x"), &[page, ("access-control-request-method", "GET")], "").await;
    assert_eq!(asked.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", "https://example.com"),
        ("access-control-allow-methods", "GET"),
        ("access-control-allow-headers", "x-a"),
        ("access-control-max-age", "60"),
    ] {
        assert_eq!(asked.header(name), Some(value), "{name}");
    }
    let good = world.call("GET", &at(&outputs, "/x"), &[page], "").await;
    assert_eq!((good.status, good.header("access-control-allow-origin")), (200, Some("https://example.com")));
    let strange = world.call("GET", &at(&outputs, "/x"), &[("origin", "https://other.example")], "").await;
    assert_eq!((strange.status, strange.header("access-control-allow-origin")), (200, None));
}

#[tokio::test]
async fn authorizers_say_yes_or_no() {
    let world = World::new().await;
    world.fake.on("main", |event| Ok(json!({ "who": event["requestContext"]["authorizer"] })));
    world.fake.on("auth", |event| match event["identitySource"][0].as_str().unwrap_or_default() {
        "yes" => Ok(json!({ "isAuthorized": true, "context": { "user": "ada" } })),
        "no" => Ok(json!({ "isAuthorized": false })),
        _ => Ok(json!({})),
    });
    let simple = v2(
        "Authorizer",
        json!({ "Name": "simple", "AuthorizerType": "REQUEST", "AuthorizerUri": function_uri("auth"),
        "IdentitySource": ["$request.header.Authorization"], "AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": true }),
    );
    let jwt = v2(
        "Authorizer",
        json!({ "Name": "jwt", "AuthorizerType": "JWT", "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": { "Issuer": "https://login.example.com/", "Audience": ["a"] } }),
    );
    let by = |kind: &str, id: &str| json!({ "AuthorizationType": kind, "AuthorizerId": { "Ref": id } });
    let routes = [
        ("GET /x", "main", by("CUSTOM", "Simple")),
        ("GET /jwt", "main", by("JWT", "Jwt")),
        ("GET /iam", "main", json!({ "AuthorizationType": "AWS_IAM" })),
    ];
    let outputs = world.deploy(&http(&routes, "$default", json!({}), json!({ "Simple": simple, "Jwt": jwt }))).await;
    let ask =
        async |rest: &str, token: &str| world.call("GET", &at(&outputs, rest), &[("authorization", token)], "").await;
    assert_eq!(ask("/x", "yes").await.json(), json!({ "who": { "lambda": { "user": "ada" } } }));
    for (rest, token, status, message) in [
        ("/x", "no", 403, "Forbidden"),
        ("/x", "", 401, "Unauthorized"),
        ("/x", "odd", 500, "Internal Server Error"),
        ("/jwt", "", 401, "Unauthorized"),
        ("/iam", "", 403, "Forbidden"),
    ] {
        let answer = ask(rest, token).await;
        assert_eq!((answer.status, answer.json()), (status, json!({ "message": message })), "{rest} {token}");
    }
    let refused = ask("/jwt", "Bearer a.b.c").await;
    assert_eq!(refused.status, 501);
    assert!(refused.text().contains("https://login.example.com/"), "{}", refused.text());
}

#[tokio::test]
async fn a_stage_that_does_not_deploy_by_itself_answers_as_deployed() {
    let world = World::new().await;
    world.fake.on("one", |_| Ok(json!({ "from": "one" })));
    world.fake.on("two", |_| Ok(json!({ "from": "two" })));
    let template = |function: &str| {
        let mut template = http(&[("GET /x", function, json!({}))], "unused", json!({}), json!({}));
        template["Resources"]["Deployment"] = v2("Deployment", json!({}));
        template["Resources"]["Deployment"]["DependsOn"] = json!(["Route0"]);
        template["Resources"]["Stage"] =
            v2("Stage", json!({ "StageName": "dev", "DeploymentId": { "Ref": "Deployment" } }));
        template
    };
    let outputs = world.deploy(&template("one")).await;
    assert_eq!(world.get(&at(&outputs, "/dev/x")).await.json(), json!({ "from": "one" }));
    world.deploy(&template("two")).await;
    assert_eq!(world.get(&at(&outputs, "/dev/x")).await.json(), json!({ "from": "one" }));
}
