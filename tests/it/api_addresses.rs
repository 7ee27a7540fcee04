//! The addresses that are printed for APIs on the local target are those that work, for whoever calls and for the functions
//! behind them.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::support::{self, Project};

/// The search path of programs with the Python of the judges first: it has `boto3`, as AWS's Python has.
fn with_boto3() -> String {
    let python = support::judges();
    let own = python.parent().expect("a folder").display().to_string();
    format!("{own}:{}", std::env::var("PATH").unwrap_or_default())
}

/// What is answered to a message at a WebSocket address.
fn say(url: &str, token: Option<&str>, message: &str) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut request = url.into_client_request().expect("an address");
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().expect("a header");
            request.headers_mut().insert("authorization", value);
        }
        let address = url.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).expect("an address");
        let stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("a socket");
        socket.send(Message::text(message)).await.expect("sent");
        let answer = tokio::time::timeout(std::time::Duration::from_secs(60), socket.next()).await.expect("in time");
        let answer = answer.expect("a message").expect("whole");
        serde_json::from_str(answer.to_text().expect("text")).expect("JSON")
    })
}

/// The WebSocket address that `bedplate outputs` prints.
fn printed(project: &Project, use_case: &str) -> String {
    let told = project.command(&["outputs", use_case]).output().expect("the program starts");
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    let url = told.split_whitespace().find(|word| word.starts_with("ws://"));
    url.unwrap_or_else(|| panic!("no address in {told}")).to_owned()
}

#[test]
fn the_labs_chat_answers_at_the_address_that_is_printed() {
    let path = with_boto3();
    let project = Project::with("api-gateway-lab");
    project.write("bedplate.yaml", "");
    let variables = [("PATH", path.as_str())];
    let run = project.run_with(&["deploy", "api-gateway-lab", "--yes"], &variables).ok();
    assert!(run.stderr.contains("smoke tests passed") && !run.stderr.contains("FAILED"), "{}", run.session());
    let served = project.serve_with(&[], &variables);
    let secrets = served.ask("us-west-2", "secretsmanager", "secretsmanager.ListSecrets", &json!({}));
    let id = json!({ "SecretId": secrets["SecretList"][0]["ARN"] });
    let token = served.ask("us-west-2", "secretsmanager", "secretsmanager.GetSecretValue", &id);
    let token = token["SecretString"].as_str().expect("a secret");
    let said = say(&printed(&project, "api-gateway-lab"), Some(token), "Hello");
    assert_eq!(said, json!({ "echo": "Hello" }));
}

const CHAT: &str = "bedplate: 1
name: chat
functions:
  talk:
    code: function/
    handler: app.talk
    runtime: python3.13
    uses:
      - push: apis.chat
apis:
  chat:
    kind: websocket
    routes:
      - $connect: { function: talk }
      - $default: { function: talk }
smoke:
  - chat: apis.chat
    turns: [{ say: Hi, expect: { text: { contains: 'You said Hi' } } }]
";

/// As API Gateway's guide has it: the endpoint is made of what the event says.
const TALK: &str = r#"import json


def talk(event, context):
    request = event["requestContext"]
    if request["routeKey"] != "$connect":
        import boto3

        endpoint = f"https://{request['domainName']}/{request['stage']}"
        management = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
        said = {"text": f"You said {event['body']}", "endpoint": management.meta.endpoint_url}
        management.post_to_connection(ConnectionId=request["connectionId"], Data=json.dumps(said).encode())
    return {"statusCode": 200}
"#;

#[test]
fn a_handler_that_posts_to_the_domain_of_its_event_reaches_the_connection() {
    let path = with_boto3();
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/chat/usecase.yaml", CHAT);
    project.write("stacks/chat/function/app.py", TALK);
    let variables = [("PATH", path.as_str())];
    let run = project.run_with(&["deploy", "chat", "--yes"], &variables).ok();
    assert!(run.stderr.contains("1 of 1 smoke test passed"), "{}", run.session());
    let _served = project.serve_with(&[], &variables);
    let said = say(&printed(&project, "chat"), None, "Hi");
    assert_eq!(said["text"], json!("You said Hi"));
    // The handler saw AWS's address and no other.
    let endpoint = said["endpoint"].as_str().expect("a text");
    assert!(endpoint.starts_with("https://") && endpoint.contains(".amazonaws.com/"), "{endpoint}");
}
