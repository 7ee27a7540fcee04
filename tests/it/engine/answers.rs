//! What services answer when they say no, and what a user is told then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bedplate::aws::{Clients, Target};
use bedplate::engine::{ApproveAll, DeployOptions, Desired, Outcome, Recorder, Run, deploy, list};
use bedplate::finding::Finding;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// An endpoint that answers each action with what was recorded for it, and remembers what it was asked.
struct Replay {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Replay {
    async fn start(answers: &[(&'static str, u16, &str)]) -> Self {
        let answers: BTreeMap<&'static str, (u16, String)> =
            answers.iter().map(|(action, status, body)| (*action, (*status, (*body).to_owned()))).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        let answers = Arc::new(answers);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answers), Arc::clone(&heard)));
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic while asking").clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: Arc<BTreeMap<&'static str, (u16, String)>>,
    heard: Arc<Mutex<Vec<String>>>,
) {
    let mut read = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let Ok(count) = stream.read(&mut buffer).await else { return };
        if count == 0 {
            return;
        }
        read.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
            .and_then(|length| length.trim().parse::<usize>().ok())
            .unwrap_or_default();
        if body.len() < length {
            continue;
        }
        let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or("none").to_owned();
        heard.lock().expect("no panic while asking").push(action.clone());
        let missing = (500, "<nobody expected this>".to_owned());
        let (status, body) = answers.get(action.as_str()).unwrap_or(&missing);
        let answer = format!(
            "HTTP/1.1 {status} Recorded\r\ncontent-type: text/xml\r\nx-amzn-requestid: 5f2a\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        read.clear();
    }
}

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>5f2a</RequestId></ErrorResponse>"
    )
}

const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
    <Arn>arn:aws:iam::123456789012:user/ann</Arn><UserId>A</UserId><Account>123456789012</Account>\
    </GetCallerIdentityResult></GetCallerIdentityResponse>";

/// What a user is told when the first call is answered like this.
async fn told(code: &str, message: &str) -> Finding {
    let replay = Replay::start(&[("GetCallerIdentity", 403, &error(code, message))]).await;
    let clients = Clients::connect(&Target::local(&replay.url, "eu-central-1")).await.expect("a region is set");
    clients.identity().await.expect_err("the endpoint says no").clone()
}

#[tokio::test]
async fn every_refusal_has_its_code_and_its_next_step() {
    for (aws, code) in [
        ("ExpiredToken", "C003"),
        ("InvalidClientTokenId", "C004"),
        ("RequestTimeTooSkewed", "C005"),
        ("AccessDenied", "C009"),
        ("ValidationError", "C010"),
    ] {
        let finding = told(aws, "the service's own words").await;
        assert_eq!(finding.code, code, "{aws}");
        assert!(finding.message.contains(aws), "{finding}");
        assert!(finding.message.contains("own words"), "{finding}");
        assert!(finding.help.is_some(), "{finding}");
    }
    let denied = told("AccessDenied", "not authorized to perform: sts:GetCallerIdentity").await;
    assert!(denied.message.contains("`sts:GetCallerIdentity` is denied"), "{denied}");
}

#[tokio::test]
async fn a_throttled_call_is_tried_again_before_it_is_reported() {
    let replay = Replay::start(&[("GetCallerIdentity", 400, &error("Throttling", "Rate exceeded"))]).await;
    let clients = Clients::connect(&Target::local(&replay.url, "eu-central-1")).await.expect("a region is set");
    assert_eq!(clients.identity().await.expect_err("always throttled").code, "C008");
    assert!(replay.asked().len() > 1, "{:?}", replay.asked());
}

#[tokio::test]
async fn a_wrong_signature_does_not_repeat_the_session_token() {
    let finding = told(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match.\n\nThe Canonical String should have been\n'POST\nx-amz-security-token:SECRETTOKEN'",
    )
    .await;
    assert_eq!(finding.code, "C004");
    assert!(!format!("{finding:?}").contains("SECRETTOKEN"), "{finding:?}");
}

#[tokio::test]
async fn nobody_at_the_endpoint_and_nonsense_from_it_are_told_apart() {
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", gone.local_addr().expect("an address"));
    drop(gone);
    let clients = Clients::connect(&Target::local(&url, "eu-central-1")).await.expect("a region is set");
    let finding = clients.identity().await.expect_err("nobody listens");
    assert_eq!(finding.code, "C006");
    assert!(finding.message.contains(&url), "{finding}");

    let replay = Replay::start(&[("GetCallerIdentity", 200, "<html>a proxy's page")]).await;
    let clients = Clients::connect(&Target::local(&replay.url, "eu-central-1")).await.expect("a region is set");
    assert_eq!(clients.identity().await.expect_err("not the service").code, "C011");
}

#[tokio::test]
async fn a_target_without_region_or_with_a_broken_url_is_refused_before_any_call() {
    let mut target = Target::local("not a url", "eu-central-1");
    assert_eq!(Clients::connect(&target).await.expect_err("no URL").code, "C012");
    target.endpoint_url = Some("127.0.0.1:4566".to_owned());
    assert_eq!(Clients::connect(&target).await.expect_err("no scheme").code, "C012");
}

#[tokio::test]
async fn the_wrong_account_stops_everything_before_it_begins() {
    let replay = Replay::start(&[("GetCallerIdentity", 200, IDENTITY)]).await;
    let mut target = Target::local(&replay.url, "eu-central-1");
    target.account = Some("999999999999".to_owned());
    let clients = Clients::connect(&target).await.expect("a region is set");
    let recorder = Recorder::default();
    let run = Run::new(&clients, &recorder, CancellationToken::new());
    let template = json!({ "Resources": { "Queue": { "Type": "AWS::SQS::Queue" } } });
    let desired = Desired::new("poster-dev", bedplate::cfn::Template::from_value(template).expect("a template"));
    let report = deploy(&run, &desired, &DeployOptions::default(), &ApproveAll).await;
    assert_eq!(report.outcome, Outcome::Failed);
    assert_eq!(report.findings[0].code, "C014");
    assert!(report.findings[0].message.contains("123456789012"), "{}", report.findings[0]);
    assert_eq!(replay.asked(), ["GetCallerIdentity"]);
}

#[tokio::test]
async fn a_denied_call_names_the_permission_that_is_missing() {
    let denied = error("AccessDenied", "User: arn:aws:iam::123456789012:user/ann is not authorized");
    let replay = Replay::start(&[("GetCallerIdentity", 200, IDENTITY), ("DescribeStacks", 403, &denied)]).await;
    let clients = Clients::connect(&Target::local(&replay.url, "eu-central-1")).await.expect("a region is set");
    let finding = list(&clients).await.expect_err("denied");
    assert_eq!(finding.code, "C009");
    assert!(finding.message.contains("`cloudformation:DescribeStacks` is denied"), "{finding}");
}

/// Who deploys, as an access policy names them, where `GetCallerIdentity` gives an ARN and `GetRole` an answer.
async fn principal(arn: &str, get_role: (u16, &str)) -> Result<String, Finding> {
    let identity = IDENTITY.replace("arn:aws:iam::123456789012:user/ann", arn);
    let replay = Replay::start(&[("GetCallerIdentity", 200, &identity), ("GetRole", get_role.0, get_role.1)]).await;
    let clients = Clients::connect(&Target::local(&replay.url, "eu-central-1")).await.expect("a region is set");
    let identity = clients.identity().await.expect("an identity").clone();
    clients.principal(&identity).await
}

#[tokio::test]
async fn who_deploys_is_named_as_policies_name_them() {
    let role = "<GetRoleResponse><GetRoleResult><Role><Path>/team/</Path><RoleName>Deployer</RoleName>\
                <Arn>arn:aws:iam::123456789012:role/team/Deployer</Arn></Role></GetRoleResult></GetRoleResponse>";
    let session = "arn:aws:sts::123456789012:assumed-role/Deployer/ann@example.com";
    let whole = principal(session, (200, role)).await.expect("an ARN");
    assert_eq!(whole, "arn:aws:iam::123456789012:role/team/Deployer", "with the path that a session's ARN lacks");
    let user = "arn:aws:iam::123456789012:user/team/ann";
    assert_eq!(principal(user, (403, "not asked")).await.expect("an ARN"), user);

    let denied = error("AccessDenied", "not authorized to perform: iam:GetRole");
    let finding = principal(session, (403, &denied)).await.expect_err("not allowed to look");
    assert_eq!(finding.code, "C015");
    assert!(finding.message.contains("`Deployer`") && finding.message.contains("iam:GetRole"), "{finding}");
    let other = role.replace("role/team/Deployer", "role/Another");
    assert_eq!(principal(session, (200, &other)).await.expect_err("another role").code, "C015");
    let federated = "arn:aws:sts::123456789012:federated-user/ann";
    assert_eq!(principal(federated, (200, role)).await.expect_err("no principal").code, "C015");
}
