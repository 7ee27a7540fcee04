//! What the server does before any service sees a request.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::serve;

/// Sends a request as it is written and gives the whole answer.
async fn raw(address: SocketAddr, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(line: &str, headers: &[&str], body: &str) -> String {
    let mut text = format!("{line} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text + "\r\n" + body
}

const FORM: &str = "content-type: application/x-www-form-urlencoded";

/// A signature as the administrator's, which nobody verifies.
fn signed(service: &str) -> String {
    format!(
        "authorization: AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

#[tokio::test]
async fn sts_says_who_is_asking_and_refuses_the_rest_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let config = aws_sdk_sts::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_sts::config::Region::new("us-west-2"))
        .credentials_provider(aws_sdk_sts::config::Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(target.url())
        .build();
    let sts = aws_sdk_sts::Client::from_conf(config);
    let identity = sts.get_caller_identity().send().await.expect("an identity");
    assert_eq!(identity.account(), Some("123456789012"));
    assert_eq!(identity.arn(), Some("arn:aws:iam::123456789012:user/local"));

    let refused = sts.get_session_token().send().await.expect_err("not simulated").into_service_error();
    assert_eq!(refused.meta().code(), Some("NotImplemented"));
    assert!(refused.meta().message().expect("a message").contains("`GetSessionToken` of `sts`"));
    target.shutdown().await;
}

#[tokio::test]
async fn health_tells_version_folder_and_counts() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let answer = raw(target.address(), &request("GET /_bedplate/health", &["host: localhost"], "")).await;
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let health: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(health["counts"]["buckets"], 0);
    assert_eq!(health["dir"], dir.path().to_str().expect("UTF-8"));
    target.shutdown().await;
}

#[tokio::test]
async fn what_is_not_simulated_is_refused_by_name_in_its_own_protocol() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let cases = [
        (
            request("POST /", &["host: localhost", FORM, &signed("sns")], "Action=ListTopics&Version=2010-03-31"),
            "<ErrorResponse><Error><Type>Receiver</Type><Code>NotImplemented</Code>",
            "`ListTopics` of `sns`",
        ),
        (
            request(
                "POST /",
                &["host: localhost", "x-amz-target: DynamoDB_20120810.CreateTable", &signed("dynamodb")],
                "{}",
            ),
            "\"__type\":\"NotImplemented\"",
            "`CreateTable` of `dynamodb`",
        ),
        (
            request("DELETE /2015-03-31/functions/f", &["host: localhost", &signed("lambda")], ""),
            "x-amzn-errortype: NotImplemented",
            "`DeleteFunction` of `lambda`",
        ),
        (
            request("GET /2013-04-01/hostedzone", &["host: localhost", &signed("route53")], ""),
            "<Error><Code>NotImplemented</Code>",
            "`GET /2013-04-01/hostedzone` of `route53`",
        ),
        (
            request("GET /bucket?acl", &["host: localhost", &signed("s3")], ""),
            "<Error><Code>NotImplemented</Code>",
            "`GetBucketAcl` of `s3`",
        ),
        (
            request("PUT /bucket?abac", &["host: localhost", &signed("s3")], ""),
            "<Error><Code>NotImplemented</Code>",
            "`PUT /bucket?abac` of `s3`",
        ),
    ];
    for (request, shape, name) in cases {
        let answer = raw(target.address(), &request).await;
        assert!(answer.starts_with("HTTP/1.1 501 "), "{answer}");
        assert!(answer.contains(shape), "{answer}");
        assert!(answer.contains(name), "{answer}");
        assert!(answer.contains("x-amzn-requestid: "), "{answer}");
    }
    target.shutdown().await;
}

#[tokio::test]
async fn neither_strange_hosts_nor_web_pages_are_served() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let signature = signed("sts");
    let accepted = raw(target.address(), &request("POST /", &["host: localhost", FORM, &signature], body)).await;
    assert!(accepted.starts_with("HTTP/1.1 200 "), "{accepted}");
    let unsigned = raw(target.address(), &request("POST /", &["host: localhost", FORM], body)).await;
    assert!(unsigned.starts_with("HTTP/1.1 403 ") && unsigned.contains("must be signed"), "{unsigned}");
    let strange = ["host: evil.example:4566", FORM, &signature];
    let rebound = raw(target.address(), &request("POST /", &strange, body)).await;
    assert!(rebound.starts_with("HTTP/1.1 403 "), "{rebound}");
    let page = ["host: localhost", FORM, "origin: https://evil.example", &signature];
    let posted = raw(target.address(), &request("POST /", &page, body)).await;
    assert!(posted.starts_with("HTTP/1.1 403 "), "{posted}");
    target.shutdown().await;
}

#[tokio::test]
async fn a_form_beyond_the_limit_or_malformed_is_refused_clearly() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let signature = signed("sts");
    let headers = ["host: localhost", FORM, &signature];
    let twice = raw(target.address(), &request("POST /", &headers, "Action=A&Action=B")).await;
    assert!(twice.contains("<Code>MalformedQueryString</Code>"), "{twice}");
    let large = format!("Action=GetCallerIdentity&Version=2011-06-15&A={}", "a".repeat(5 << 20));
    let large = raw(target.address(), &request("POST /", &headers, &large)).await;
    assert!(large.starts_with("HTTP/1.1 413 ") && large.contains("RequestEntityTooLarge"), "{large}");
    target.shutdown().await;
}

#[tokio::test]
async fn a_bucket_is_reached_by_its_host_name_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let host = "host: posters.localhost";
    let signature = signed("s3");
    let headers = [host, &signature];
    assert!(raw(target.address(), &request("PUT /", &headers, "")).await.starts_with("HTTP/1.1 200 "));
    assert!(raw(target.address(), &request("PUT /a/b", &headers, "hello")).await.starts_with("HTTP/1.1 200 "));
    let by_path = raw(target.address(), &request("GET /posters/a/b", &["host: localhost"], "")).await;
    assert!(by_path.ends_with("\r\n\r\nhello"), "{by_path}");
    target.shutdown().await;
}

#[tokio::test]
async fn a_port_in_use_is_told_with_what_to_do() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = serve(dir.path()).await;
    let mut options = bedplate::local::LocalOptions::new(dir.path());
    options.port = Some(target.address().port());
    let error = bedplate::local::start(options).await.expect_err("the port is taken");
    assert!(error.to_string().contains("choose another port with `--port`"), "{error}");
    target.shutdown().await;
}
