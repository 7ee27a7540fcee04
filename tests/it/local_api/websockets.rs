//! WebSocket APIs.

use futures::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::*;

fn v2(kind: &str, more: Value) -> Value {
    json!({ "Type": format!("AWS::ApiGatewayV2::{kind}"), "Properties": with(json!({ "ApiId": { "Ref": "Api" } }), more) })
}

fn websocket(routes: &[&str]) -> Value {
    let mut resources = json!({
        "Api": { "Type": "AWS::ApiGatewayV2::Api", "Properties": {
            "Name": "api", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action" } },
        "Integration": v2("Integration", json!({ "IntegrationType": "AWS_PROXY", "IntegrationUri": function_uri("main") })),
        "Stage": v2("Stage", json!({ "StageName": "dev", "AutoDeploy": true })),
    });
    for (index, key) in routes.iter().enumerate() {
        let target = json!({ "Fn::Join": ["/", ["integrations", { "Ref": "Integration" }]] });
        resources[format!("Route{index}")] = v2("Route", json!({ "RouteKey": key, "Target": target }));
        if *key == "ask" {
            let answer = json!({ "RouteId": { "Ref": format!("Route{index}") }, "RouteResponseKey": "$default" });
            resources["Answer"] = v2("RouteResponse", answer);
        }
    }
    json!({ "Resources": resources, "Outputs": { "Id": { "Value": { "Ref": "Api" } } } })
}

type Socket = tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>;

async fn connect(world: &World, outputs: &BTreeMap<String, String>, query: &str) -> Result<Socket, u16> {
    let address = world.target.address();
    let request = format!("ws://{address}{}{query}", path(outputs, "")).into_client_request().expect("a request");
    let stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

async fn next(socket: &mut Socket) -> Message {
    tokio::time::timeout(Duration::from_secs(20), socket.next())
        .await
        .expect("in time")
        .expect("a message")
        .expect("whole")
}

async fn manage(world: &World, method: &str, id: &str, body: &str) -> Answer {
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential=local/20260105/{REGION}/execute-api/aws4_request, SignedHeaders=host, Signature=x"
    );
    let id = id.replace('=', "%3D");
    world.call(method, &format!("/@connections/{id}"), &[("authorization", &signed)], body).await
}

#[tokio::test]
async fn messages_find_their_routes_and_functions_answer() {
    let world = World::new().await;
    world.fake.on("main", |event| {
        let context = &event["requestContext"];
        if context["routeKey"] == json!("fails") {
            return Err("boom".to_owned());
        }
        Ok(json!({ "statusCode": 200, "body": format!("{} {}", context["routeKey"], event["body"]) }))
    });
    let outputs = world.deploy(&websocket(&["$connect", "$disconnect", "ask", "fails"])).await;
    let mut socket = connect(&world, &outputs, "?name=ada").await.expect("a socket");
    let connected = world.fake.last("main");
    assert_eq!(connected["requestContext"]["eventType"], json!("CONNECT"));
    assert_eq!(connected["queryStringParameters"], json!({ "name": "ada" }));
    let id = connected["requestContext"]["connectionId"].as_str().expect("an id").to_owned();
    let ask = r#"{"action":"ask","n":1}"#;
    socket.send(Message::text(ask)).await.expect("sent");
    assert_eq!(next(&mut socket).await, Message::text(format!("\"ask\" {}", json!(ask))));
    socket.send(Message::text(r#"{"action":"fails"}"#)).await.expect("sent");
    let failed: Value = serde_json::from_str(next(&mut socket).await.to_text().expect("text")).expect("JSON");
    assert_eq!((&failed["message"], &failed["connectionId"]), (&json!("Internal server error"), &json!(id)));
    socket.send(Message::text("no route")).await.expect("sent");
    let refused: Value = serde_json::from_str(next(&mut socket).await.to_text().expect("text")).expect("JSON");
    assert_eq!(refused["message"], json!("Forbidden"));

    assert_eq!(manage(&world, "POST", &id, "from outside").await.status, 200);
    assert_eq!(next(&mut socket).await, Message::text("from outside"));
    let told = manage(&world, "GET", &id, "").await;
    assert_eq!((told.status, &told.json()["identity"]["sourceIp"]), (200, &json!("127.0.0.1")));
    assert_eq!(manage(&world, "DELETE", &id, "").await.status, 204);
    assert!(matches!(next(&mut socket).await, Message::Close(_)));
    while socket.next().await.is_some_and(|message| message.is_ok()) {}
    // The function is told, after which nobody is there.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while world.fake.last("main")["requestContext"]["eventType"] != json!("DISCONNECT") {
        assert!(std::time::Instant::now() < deadline, "no $disconnect");
        tokio::task::yield_now().await;
    }
    assert_eq!(world.fake.last("main")["requestContext"]["connectionId"], json!(id));
    let gone = manage(&world, "POST", &id, "x").await;
    assert_eq!((gone.status, gone.header("x-amzn-errortype")), (410, Some("GoneException")));
}

#[tokio::test]
async fn connect_may_be_refused_and_unknown_actions_go_to_default() {
    let world = World::new().await;
    world.fake.on("main", |event| {
        let allowed = event["queryStringParameters"]["name"] == json!("ada") || event["body"].is_string();
        Ok(json!({ "statusCode": if allowed { 200 } else { 401 } }))
    });
    let outputs = world.deploy(&websocket(&["$connect", "$default"])).await;
    assert_eq!(connect(&world, &outputs, "?name=eve").await.err(), Some(401));
    let mut socket = connect(&world, &outputs, "?name=ada").await.expect("a socket");
    socket.send(Message::text(r#"{"action":"other"}"#)).await.expect("sent");
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while world.fake.last("main")["requestContext"]["routeKey"] != json!("$default") {
        assert!(std::time::Instant::now() < deadline, "no $default");
        tokio::task::yield_now().await;
    }
    let unsigned = world
        .call("POST", "/dev/@connections/x", &[("host", &format!("{}.execute-api.localhost", outputs["Id"]))], "x")
        .await;
    assert_eq!(unsigned.status, 410);
    let plain = world.get(&path(&outputs, "")).await;
    assert_eq!(plain.status, 426);
}

#[tokio::test]
async fn an_event_tells_the_apis_own_domain_whatever_the_caller_names() {
    let world = World::new().await;
    world.fake.on("main", |_| Ok(json!({ "statusCode": 200, "body": "asked" })));
    let outputs = world.deploy(&websocket(&["$connect", "ask"])).await;
    let domain = format!("{}.execute-api.{REGION}.amazonaws.com", outputs["Id"]);
    let address = world.target.address();
    for (host, path) in [
        (address.to_string(), path(&outputs, "")),
        (format!("localhost:{}", address.port()), path(&outputs, "")),
        (format!("{}.execute-api.localhost", outputs["Id"]), "/dev".to_owned()),
        (domain.clone(), "/dev".to_owned()),
    ] {
        let mut request = format!("ws://{address}{path}").into_client_request().expect("a request");
        request.headers_mut().insert("host", host.parse().expect("a header"));
        let stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("a socket");
        let told = world.fake.last("main");
        let context = &told["requestContext"];
        assert_eq!((&context["domainName"], &context["stage"]), (&json!(domain), &json!("dev")), "{host}");
        socket.send(Message::text(r#"{"action":"ask"}"#)).await.expect("sent");
        assert!(next(&mut socket).await.is_text());
        assert_eq!(world.fake.last("main")["requestContext"]["domainName"], json!(domain), "{host}");
    }
    // A name of somebody else's leads nowhere, also where the path names the API.
    for host in ["evil.example", "other1.execute-api.us-west-2.amazonaws.com"] {
        let refused = world.call("GET", &path(&outputs, ""), &[("host", host)], "").await;
        assert!(matches!(refused.status, 403 | 404), "{host}: {}", refused.status);
    }
}
