//! Who may reach the endpoint, told by requests as they are written: hosts, signatures, content types, and what browsers say
//! of themselves. `hostile_pages` tries the same with a browser.

use serde_json::json;

use crate::support::{Project, Served, administrator};

const REGION: &str = "us-west-2";

const FORM: &str = "application/x-www-form-urlencoded";

fn served() -> (Project, Served) {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let served = project.serve(&[]);
    (project, served)
}

/// A stack that is one log group.
fn create(name: &str) -> String {
    let template = json!({ "Resources": { "Log": { "Type": "AWS::Logs::LogGroup" } } }).to_string();
    let template: String = form_urlencoded::byte_serialize(template.as_bytes()).collect();
    format!("Action=CreateStack&Version=2010-05-15&StackName={name}&TemplateBody={template}")
}

fn stacks(served: &Served) -> usize {
    served.act(REGION, "cloudformation", "Action=ListStacks&Version=2010-05-15").matches("<StackId>").count()
}

#[test]
fn only_names_of_this_machine_are_answered_to() {
    let (_project, served) = served();
    let port = served.url.rsplit(':').next().expect("a port").to_owned();
    let signature = administrator(REGION, "s3");
    let ask = |line: &str, host: &str| served.send(line, &[("host", host), ("authorization", &signature)], b"");
    for host in ["localhost", "127.0.0.1", "[::1]", "any.localhost", "LOCALHOST"] {
        let (status, _, body) = ask("GET /_bedplate/health", &format!("{host}:{port}"));
        assert_eq!(status, 200, "{host}: {body}");
    }
    for host in [
        "evil.example",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[::]",
        "localhost.",
        "localhost.evil.example",
        "me@localhost",
        "local\u{00ff}host",
        "",
        "localhost:x",
        "::1",
        "a1.execute-api.us-west-2.amazonaws.com.evil.example",
        "s3.us-west-2.amazonaws.com",
        "cognito-idp.us-west-2.amazonaws.com",
    ] {
        for path in ["/", "/_bedplate/health", "/bucket/key"] {
            let (status, _, body) = ask(&format!("GET {path}"), host);
            assert_eq!(status, 403, "{host}{path}: {body}");
        }
    }
    // Neither an API, nor a gateway, nor the keys of a pool answer to a foreign name.
    for path in ["/_aws/execute-api/a1b2/dev", "/_aws/bedrock-agentcore/g1/mcp", "/us-west-2_x/.well-known/jwks.json"] {
        let (status, _, body) = ask(&format!("GET {path}"), "evil.example");
        assert_eq!(status, 403, "{path}: {body}");
        assert_ne!(ask(&format!("GET {path}"), "localhost").0, 403, "{path}");
    }
    assert_ne!(ask("GET /us-west-2_x/.well-known/jwks.json", "cognito-idp.us-west-2.amazonaws.com").0, 403);
    let two = [("host", "localhost"), ("host", "localhost")];
    assert_eq!(served.send("GET /_bedplate/health", &two, b"").0, 403);
    let own = served.url.clone();
    for target in ["http://evil.example/_bedplate/health".to_owned(), format!("{own}/_bedplate/health")] {
        let (status, _, body) = ask(&format!("GET {target}"), "localhost");
        assert!(status == 403 && body.contains("not a proxy"), "{target}: {status} {body}");
    }
}

#[test]
fn nothing_is_done_by_an_address_and_nothing_unsigned() {
    let (_project, served) = served();
    let signature = administrator(REGION, "cloudformation");
    let in_address = format!("/?{}", create("by-address"));
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT"] {
        for headers in [&[][..], &[("authorization", signature.as_str())], &[("content-type", FORM)]] {
            let (status, _, body) = served.send(&format!("{method} {in_address}"), headers, b"");
            assert!(matches!(status, 403 | 405), "{method} {headers:?}: {status} {body}");
        }
    }
    let form = create("by-form");
    for media in [
        Some(FORM),
        Some("application/x-www-form-urlencoded; charset=utf-8"),
        Some("text/plain"),
        Some("multipart/form-data; boundary=b"),
        Some("TEXT/PLAIN"),
        Some("application/json"),
        None,
    ] {
        let headers: Vec<(&str, &str)> = media.map(|media| ("content-type", media)).into_iter().collect();
        let (status, _, body) = served.send("POST /", &headers, form.as_bytes());
        assert!(status == 403 && body.contains("must be signed"), "{media:?}: {status} {body}");
    }
    // A signature in the address is one that a page can write.
    let credential = "X-Amz-Credential=local%2F20260101%2Fus-west-2%2Fcloudformation%2Faws4_request&X-Amz-Signature=x";
    let (status, _, body) = served.send(&format!("POST /?{credential}"), &[("content-type", FORM)], form.as_bytes());
    assert_eq!(status, 403, "{body}");
    let lambda = "/2015-03-31/functions/f/invocations?X-Amz-Credential=local%2F20260101%2Fr%2Flambda%2Faws4_request&X-Amz-Signature=x";
    assert_eq!(served.send(&format!("POST {lambda}"), &[("content-type", "text/plain")], b"{}").0, 403);
    let target = [("x-amz-target", "AmazonSSM.PutParameter"), ("content-type", "application/x-amz-json-1.1")];
    assert_eq!(served.send("POST /", &target, b"{}").0, 403, "only what AWS's clients do not sign needs no signature");
    assert_eq!(stacks(&served), 0);
    served.act(REGION, "cloudformation", &form);
    assert_eq!(stacks(&served), 1, "and the same, signed, does");
}

#[test]
fn what_a_browser_says_of_itself_is_heard() {
    let (_project, served) = served();
    let signature = administrator(REGION, "cloudformation");
    let signed = [("authorization", signature.as_str()), ("content-type", FORM)];
    let form = create("by-page");
    for said in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "NONE"),
        ("sec-fetch-site", ""),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", &served.url),
    ] {
        let headers = [&signed[..], &[said]].concat();
        let (status, _, body) = served.send("POST /", &headers, form.as_bytes());
        assert!(status == 403 && body.contains("answers no web page"), "{said:?}: {status} {body}");
        for path in ["/_bedplate/health", "/", "/us-west-2_x/.well-known/jwks.json", "/_aws/bedrock-agentcore/g1/mcp"] {
            assert_eq!(served.send(&format!("GET {path}"), &[said], b"").0, 403, "{said:?} {path}");
        }
        let token = "/_aws/cloudformation-custom-resource-response/x";
        assert_eq!(served.send(&format!("PUT {token}"), &[said], b"{}").0, 403, "{said:?}");
    }
    // Who types an address may read.
    let typed = ("sec-fetch-site", "none");
    assert_eq!(served.send("GET /_bedplate/health", &[typed], b"").0, 200);
    assert_eq!(served.send("POST /", &[&signed[..], &[typed]].concat(), form.as_bytes()).0, 403);
    // What Node's `fetch` sends beside is no sign of a page.
    assert_eq!(served.send("GET /_bedplate/health", &[("sec-fetch-mode", "cors")], b"").0, 200);
    assert_eq!(stacks(&served), 0);
}

#[test]
fn what_aws_clients_do_not_sign_works_where_no_page_can_send_it() {
    let (_project, served) = served();
    let signature = administrator("us-east-1", "s3");
    let signed = [("authorization", signature.as_str()), ("content-type", "text/html")];
    assert_eq!(served.send("PUT /public", &signed[..1], b"").0, 200);
    assert_eq!(served.send("PUT /public/page", &signed, b"<script>1</script>").0, 200);
    let (status, head, body) = served.send("GET /public/page", &[], b"");
    assert_eq!((status, body.as_str()), (200, "<script>1</script>"), "reads of S3 need no signature");
    // As a page it runs nothing.
    assert!(
        head.contains("content-security-policy: sandbox\r\n") && head.contains("x-content-type-options: nosniff"),
        "{head}"
    );
    for (method, path) in
        [("PUT", "/other"), ("PUT", "/public/new"), ("DELETE", "/public/page"), ("POST", "/public?delete")]
    {
        let (status, _, body) = served.send(&format!("{method} {path}"), &[("content-type", "application/xml")], b"");
        assert!(status == 403 && body.contains("must be signed"), "{method} {path}: {status} {body}");
    }
    let target = ("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth");
    let body = json!({ "ClientId": "none", "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {} }).to_string();
    let (status, _, answer) =
        served.send("POST /", &[target, ("content-type", "application/x-amz-json-1.1")], body.as_bytes());
    assert!(status == 400 && answer.contains("__type"), "Cognito itself answers: {status} {answer}");
    for media in ["text/plain", FORM, "application/x-amz-json-1.1, text/plain"] {
        assert_eq!(served.send("POST /", &[target, ("content-type", media)], body.as_bytes()).0, 403, "{media}");
    }
}
