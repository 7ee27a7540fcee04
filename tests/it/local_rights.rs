//! A role is held to its rights however its request is written: what is decided is what is done. A role that may do
//! everything but a few things tries these in every form in which one reader could take them for something else.

use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use serde_json::{Value, json};

use crate::support::{Project, Served, administrator};

const REGION: &str = "us-west-2";

/// What the role may not do; it may do all else, so that whatever is taken for something else goes through.
fn denied() -> Value {
    json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Effect": "Deny", "Action": "cloudformation:DeleteStack", "Resource": "*" },
        { "Effect": "Deny", "Action": "cloudformation:*", "Resource": "arn:aws:cloudformation:*:*:stack/closed/*" },
        { "Effect": "Deny", "Action": "dynamodb:*", "Resource": format!("arn:aws:dynamodb:{REGION}:123456789012:table/closed") },
        { "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::cellar/closed/*" },
        { "Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*" },
        { "Effect": "Deny", "Action": "lambda:*", "Resource": format!("arn:aws:lambda:{REGION}:123456789012:function:closed*") },
        { "Effect": "Deny", "Action": "bedrock:*", "Resource": [
            format!("arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-text-v2:0"),
            format!("arn:aws:bedrock:{REGION}:123456789012:guardrail/closed"),
            format!("arn:aws:bedrock:{REGION}:123456789012:knowledge-base/CLOSED"),
        ] },
        { "Effect": "Deny", "Action": "ssm:*", "Resource": format!("arn:aws:ssm:{REGION}:123456789012:parameter/closed") },
    ])
}

fn template() -> Value {
    let table = |name: &str| {
        json!({ "Type": "AWS::DynamoDB::Table", "Properties": { "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }] } })
    };
    json!({ "Resources": {
        "Open": table("open"),
        "Closed": table("closed"),
        "Bucket": { "Type": "AWS::S3::Bucket", "Properties": {
            "BucketName": "cellar", "VersioningConfiguration": { "Status": "Enabled" } } },
        "Role": { "Type": "AWS::IAM::Role", "Properties": { "RoleName": "nearly",
            "AssumeRolePolicyDocument": { "Statement": [{
                "Effect": "Allow", "Principal": { "AWS": "123456789012" }, "Action": "sts:AssumeRole" }] },
            "Policies": [{ "PolicyName": "own", "PolicyDocument": { "Statement": denied() } }] } },
    }})
}

/// The endpoint, with credentials of the role.
struct Cellar {
    _project: Project,
    served: Served,
    keys: Credentials,
    /// The ARN of a change set of the stack `closed`.
    change_set: String,
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn create(name: &str, template: &Value) -> String {
    let template = encoded(&template.to_string());
    format!(
        "Action=CreateStack&Version=2010-05-15&StackName={name}&Capabilities.member.1=CAPABILITY_NAMED_IAM&TemplateBody={template}"
    )
}

fn between<'a>(text: &'a str, tag: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("<{tag}>")).unwrap_or_else(|| panic!("no {tag} in {text}"));
    rest.split('<').next().unwrap_or_default()
}

impl Cellar {
    fn new() -> Self {
        let project = Project::empty();
        project.write("bedplate.yaml", "");
        let served = project.serve(&[]);
        let act = |form: &str| served.act(REGION, "cloudformation", form);
        let one = json!({ "Resources": { "Log": { "Type": "AWS::Logs::LogGroup" } } });
        for (name, template) in [("things", &template()), ("closed", &one), ("open", &one)] {
            act(&create(name, template));
            let deadline = Instant::now() + Duration::from_secs(60);
            let form = format!("Action=DescribeStacks&Version=2010-05-15&StackName={name}");
            while !act(&form).contains("CREATE_COMPLETE") {
                assert!(Instant::now() < deadline, "{}", act(&form));
                std::thread::yield_now();
            }
        }
        let more = json!({ "Resources": {
            "Log": { "Type": "AWS::Logs::LogGroup" }, "More": { "Type": "AWS::Logs::LogGroup" } } });
        let change = act(&format!(
            "Action=CreateChangeSet&Version=2010-05-15&StackName=closed&ChangeSetName=more&TemplateBody={}",
            encoded(&more.to_string())
        ));
        let change_set = between(&change, "Id").to_owned();
        let role = "arn:aws:iam::123456789012:role/nearly";
        let form = format!("Action=AssumeRole&Version=2011-06-15&RoleArn={}&RoleSessionName=me", encoded(role));
        let session = served.act(REGION, "sts", &form);
        let part = |tag: &str| between(&session, tag).to_owned();
        let token = Some(part("SessionToken"));
        let keys = Credentials::new(part("AccessKeyId"), part("SecretAccessKey"), token, None, "test");
        let signature = administrator(REGION, "s3");
        for key in ["closed/x", "open/x"] {
            let headers = [("authorization", signature.as_str())];
            assert_eq!(served.send(&format!("PUT /cellar/{key}"), &headers, b"secret").0, 200);
        }
        Self { _project: project, served, keys, change_set }
    }

    /// Sends a request signed by the role; headers after the signed ones are added to what was signed.
    fn send(
        &self,
        service: &str,
        line: &str,
        signed: &[(&str, &str)],
        more: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, String) {
        let (method, target) = line.split_once(' ').expect("a method and a target");
        let identity = self.keys.clone().into();
        let mut settings = SigningSettings::default();
        if service == "s3" {
            settings.percent_encoding_mode = aws_sigv4::http_request::PercentEncodingMode::Single;
            settings.payload_checksum_kind = aws_sigv4::http_request::PayloadChecksumKind::XAmzSha256;
            settings.uri_path_normalization_mode = aws_sigv4::http_request::UriPathNormalizationMode::Disabled;
        }
        let parameters = aws_sigv4::sign::v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .expect("parameters");
        // What S3 signs is the key, however its path is encoded.
        let key = |target: &str| target.replace("%63", "c").replace("%2F", "/").replace("%2e", ".");
        let target = if service == "s3" { key(target) } else { target.to_owned() };
        let url = format!("{}{target}", self.served.url);
        let host = self.served.url.trim_start_matches("http://").to_owned();
        let headers: Vec<(&str, &str)> = [("host", host.as_str())].into_iter().chain(signed.iter().copied()).collect();
        let request = SignableRequest::new(method, url.as_str(), headers.iter().copied(), SignableBody::Bytes(body));
        let (instructions, _) = sign(request.expect("a request"), &parameters.into()).expect("signed").into_parts();
        let added: Vec<(&str, &str)> = instructions.headers().collect();
        let all: Vec<(&str, &str)> = headers.into_iter().chain(added).chain(more.iter().copied()).collect();
        let (status, _, answer) = self.served.send(line, &all, body);
        (status, answer)
    }

    /// The role is refused, with a word of the refusal.
    fn refused(&self, what: &str, answered: (u16, String), code: &str) {
        let (status, body) = answered;
        assert!((400..500).contains(&status) && body.contains(code), "{what}: {status} {body}");
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("written");
    encoder.finish().expect("gzip")
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
const JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.0");

#[test]
fn an_action_is_the_one_that_is_carried_out_however_the_form_is_written() {
    let cellar = Cellar::new();
    let send = |line: &str, signed: &[(&str, &str)], more: &[(&str, &str)], body: &[u8]| {
        cellar.send("cloudformation", line, signed, more, body)
    };
    let list = "Action=ListStacks&Version=2010-05-15";
    let delete = "Action=DeleteStack&Version=2010-05-15&StackName=open";
    assert_eq!(send("POST /", &[FORM], &[], list.as_bytes()).0, 200, "it may list");
    assert_eq!(send("POST /", &[FORM, ("content-encoding", "gzip")], &[], &gzip(list)).0, 200, "and by a gzipped form");
    cellar.refused("plain", send("POST /", &[FORM], &[], delete.as_bytes()), "AccessDenied");
    for coding in ["gzip", "GZIP", "x-gzip", "identity,gzip"] {
        let signed = send("POST /", &[FORM, ("content-encoding", coding)], &[], &gzip(delete));
        cellar.refused(coding, signed, "AccessDenied");
        let beside = send("POST /", &[FORM], &[("content-encoding", coding)], &gzip(delete));
        cellar.refused(coding, beside, "AccessDenied");
    }
    for coding in ["gzip, gzip", "deflate", "br", "zstd"] {
        let answered = send("POST /", &[FORM, ("content-encoding", coding)], &[], &gzip(delete));
        cellar.refused(coding, answered, "UnsupportedMediaType");
    }
    // A form that says of itself that it is gzipped, and is not.
    cellar.refused(
        "not gzip",
        send("POST /", &[FORM, ("content-encoding", "gzip")], &[], delete.as_bytes()),
        "Serialization",
    );
    let two = send(&format!("POST /?{list}"), &[FORM], &[], delete.as_bytes());
    cellar.refused("address and body", two, "MethodNotAllowed");
    cellar.refused("address", send(&format!("GET /?{delete}"), &[], &[], b""), "MethodNotAllowed");
    let twice = send("POST /", &[FORM], &[], format!("Action=ListStacks&{delete}").as_bytes());
    cellar.refused("twice", twice, "MalformedQueryString");
    let target = ("x-amz-target", "CloudFormation.ListStacks");
    cellar.refused("target", send("POST /", &[FORM, target], &[], delete.as_bytes()), "AccessDenied");
    let other = ("content-type", "Application/X-WWW-Form-Urlencoded");
    cellar.refused("media type", send("POST /", &[other], &[], delete.as_bytes()), "AccessDenied");
    cellar.refused(
        "encoded name",
        send("POST /", &[FORM], &[], delete.replace("Action", "%41ction").as_bytes()),
        "AccessDenied",
    );
    // A change set is of its own stack, whatever stack is named beside it.
    let id = encoded(&cellar.change_set);
    for action in ["ExecuteChangeSet", "DescribeChangeSet", "DeleteChangeSet", "GetTemplate", "DescribeEvents"] {
        let form = format!("Action={action}&Version=2010-05-15&StackName=open&ChangeSetName={id}");
        cellar.refused(action, send("POST /", &[FORM], &[], form.as_bytes()), "AccessDenied");
    }
    let told = cellar.served.act(REGION, "cloudformation", "Action=DescribeStacks&Version=2010-05-15&StackName=open");
    assert!(told.contains("CREATE_COMPLETE"), "{told}");
}

#[test]
fn json_is_read_once_and_things_are_decided_by_what_finds_them() {
    let cellar = Cellar::new();
    let send = |operation: &str, more: &[(&str, &str)], body: &[u8]| {
        let target = format!("DynamoDB_20120810.{operation}");
        cellar.send("dynamodb", "POST /", &[JSON, ("x-amz-target", &target)], more, body)
    };
    let get = |table: &str| format!(r#"{{"Key": {{"id": {{"S": "1"}}}}, {table}}}"#);
    let answered = send("GetItem", &[], get(r#""TableName": "open""#).as_bytes());
    assert_eq!(answered.0, 200, "{}", answered.1);
    for tables in [
        r#""TableName": "closed""#,
        r#""TableName": "open", "TableName": "closed""#,
        r#""TableName": "open", "Table\u004eame": "closed""#,
        r#""TableName": "closed", "IndexName": "open""#,
        r#""TableName": "arn:aws:dynamodb:us-west-2:123456789012:table/closed""#,
        r#""TableName": "arn:aws:dynamodb:eu-west-1:999999999999:table/closed""#,
    ] {
        cellar.refused(tables, send("GetItem", &[], get(tables).as_bytes()), "AccessDeniedException");
    }
    let put = r#"{"TableName": "closed", "IndexName": "x", "Item": {"id": {"S": "1"}}}"#;
    cellar.refused("an index of a write", send("PutItem", &[], put.as_bytes()), "AccessDeniedException");
    let closed = get(r#""TableName": "closed""#);
    cellar.refused("gzip", send("GetItem", &[("content-encoding", "gzip")], &gzip(&closed)), "AccessDeniedException");
    let targets = send("ListTables", &[("x-amz-target", "DynamoDB_20120810.GetItem")], closed.as_bytes());
    cellar.refused("two targets", targets, "InvalidRequest");
    let rpc = [JSON, ("x-amz-target", "DynamoDB_20120810.GetItem"), ("smithy-protocol", "rpc-v2-cbor")];
    let line = "POST /service/DynamoDB_20120810/operation/ListTables";
    let answered = cellar.send("dynamodb", line, &rpc, &[], closed.as_bytes());
    cellar.refused("path and header", answered, "AccessDeniedException");
    let form = [FORM, ("x-amz-target", "DynamoDB_20120810.GetItem")];
    let answered = cellar.send("dynamodb", "POST /", &form, &[], closed.as_bytes());
    assert_eq!(answered.0, 501, "a form is no JSON: {}", answered.1);

    let parameter = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AmazonSSM.PutParameter")];
    for name in ["/closed", "closed", "arn:aws:ssm:us-west-2:123456789012:parameter/closed"] {
        let body = json!({ "Name": name, "Value": "x", "Type": "String" }).to_string();
        let answered = cellar.send("ssm", "POST /", &parameter, &[], body.as_bytes());
        cellar.refused(name, answered, "AccessDeniedException");
    }

    // Services that are told by path: the end of a name is what finds the thing.
    let invoke = |line: &str, more: &[(&str, &str)]| cellar.send("lambda", line, &[], more, b"{}");
    for name in [
        "closed",
        "function%3Aclosed",
        "123456789012%3Afunction%3Aclosed",
        "closed%3Alive",
        "%63losed",
        "arn%3Aaws%3Alambda%3Aus-west-2%3A123456789012%3Afunction%3Aclosed",
    ] {
        let answered = invoke(&format!("POST /2015-03-31/functions/{name}/invocations"), &[]);
        cellar.refused(name, answered, "AccessDeniedException");
    }
    let twice = invoke("POST /2015-03-31/functions/open/invocations?Qualifier=1&Qualifier=2", &[]);
    cellar.refused("two qualifiers", twice, "InvalidRequest");

    let bedrock = |line: &str, more: &[(&str, &str)], body: &Value| {
        cellar.send("bedrock", line, &[("content-type", "application/json")], more, body.to_string().as_bytes())
    };
    let text = json!({ "inputText": "x" });
    for id in [
        "amazon.titan-embed-text-v2%3A0",
        "amazon.nova-lite-v1%3A0%2Famazon.titan-embed-text-v2%3A0",
        "arn%3Aaws%3Abedrock%3Aeu-west-1%3A%3Afoundation-model%2Famazon.titan-embed-text-v2%3A0",
        "arn%3Aaws%3Abedrock%3Aus-west-2%3A%3Afoundation-model%2Famazon.nova-lite-v1%3A0%2Famazon.titan-embed-text-v2%3A0",
    ] {
        cellar.refused(id, bedrock(&format!("POST /model/{id}/invoke"), &[], &text), "AccessDeniedException");
    }
    let said = json!({
        "messages": [{ "role": "user", "content": [{ "text": "Hi" }] }],
        "guardrailConfig": { "guardrailIdentifier": "closed", "guardrailVersion": "DRAFT" },
    });
    let header = ("x-amzn-bedrock-guardrailidentifier", "open");
    let converse = bedrock("POST /model/amazon.nova-lite-v1%3A0/converse", &[header], &said);
    cellar.refused("guardrail of the body", converse, "AccessDeniedException");
    let base = json!({ "retrievalQuery": { "text": "x" } });
    for id in ["CLOSED", "OPEN%2FCLOSED", "arn%3Aaws%3Abedrock%3Ar%3A1%3Aknowledge-base%2FCLOSED"] {
        let answered = bedrock(&format!("POST /knowledgebases/{id}/retrieve"), &[], &base);
        cellar.refused(id, answered, "AccessDeniedException");
    }
    let harness = "POST /harnesses/invoke?harnessArn=a&harnessArn=b";
    let answered = cellar.send("bedrock-agentcore", harness, &[], &[], b"{}");
    cellar.refused("two harnesses", answered, "InvalidRequest");
}

#[test]
fn objects_are_decided_by_the_key_that_is_read_or_written() {
    let cellar = Cellar::new();
    let send = |line: &str, signed: &[(&str, &str)], more: &[(&str, &str)], body: &[u8]| {
        cellar.send("s3", line, signed, more, body)
    };
    assert_eq!(send("GET /cellar/open/x", &[], &[], b""), (200, "secret".to_owned()));
    for path in ["closed/x", "%63losed/x", "closed%2Fx", "closed/x?versionId=null", "closed/x?response-content-type=a"]
    {
        cellar.refused(path, send(&format!("GET /cellar/{path}"), &[], &[], b""), "AccessDenied");
    }
    for path in ["open/../closed/x", "open/%2e%2e/closed/x", "/closed/x", "./closed/x"] {
        let (status, body) = send(&format!("GET /cellar/{path}"), &[], &[], b"");
        assert!((400..500).contains(&status) && body != "secret", "{path}: {status} {body}");
    }
    for source in [
        "cellar/closed/x",
        "/cellar/closed/x",
        "cellar/%63losed%2Fx",
        "cellar%2Fclosed%2Fx",
        "/cellar/closed/x?versionId=1",
    ] {
        let answered = send("PUT /cellar/open/copy", &[("x-amz-copy-source", source)], &[], b"");
        assert!((400..500).contains(&answered.0), "{source}: {answered:?}");
        let beside = send("PUT /cellar/open/copy", &[], &[("x-amz-copy-source", source)], b"");
        assert!((400..500).contains(&beside.0), "{source}: {beside:?}");
    }
    let plain = send("PUT /cellar/open/copy", &[("x-amz-copy-source", "cellar/closed/x")], &[], b"");
    cellar.refused("a copy", plain, "AccessDenied");
    let sources = send(
        "PUT /cellar/open/copy",
        &[("x-amz-copy-source", "cellar/open/x")],
        &[("x-amz-copy-source", "cellar/closed/x")],
        b"",
    );
    cellar.refused("two sources", sources, "InvalidRequest");
    let chunked = b"6\r\nsecret\r\n0\r\n\r\n";
    let headers = [("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", "6")];
    cellar.refused("chunked", send("PUT /cellar/closed/y", &headers, &[], chunked), "AccessDenied");
    // It may delete versions and nothing else: a version named twice is none to one reader and one to the other.
    cellar.refused("plain", send("DELETE /cellar/open/x", &[], &[], b""), "AccessDenied");
    cellar.refused(
        "two versions",
        send("DELETE /cellar/open/x?versionId=a&versionId=b", &[], &[], b""),
        "InvalidRequest",
    );
    let (status, _) = send("PUT /cellar?acl&policy", &[], &[], b"{}");
    assert_ne!(status, 200, "two sub-resources are none");
    assert_eq!(send("GET /cellar/open/x", &[], &[], b""), (200, "secret".to_owned()));
}

#[test]
fn a_signature_is_one_and_is_verified() {
    let cellar = Cellar::new();
    let form = b"Action=ListStacks&Version=2010-05-15";
    let key = cellar.keys.access_key_id();
    let token = encoded(cellar.keys.session_token().expect("a token"));
    let scope = format!("{key}/20260101/{REGION}/cloudformation/aws4_request");
    // Every one of these would be the administrator's, or nobody's, to who reads it in another way.
    for authorization in [
        format!("AWS {key}:x"),
        format!(
            "AWS4-ECDSA-P256-SHA256 Credential={key}/20260101/cloudformation/aws4_request, SignedHeaders=host, Signature=x"
        ),
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20260101/cloudformation/aws4_request, SignedHeaders=host, Signature=x"
        ),
        format!("AWS4-HMAC-SHA256 Credential={key}, SignedHeaders=host, Signature=x"),
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"),
        format!("AWS4-HMAC-SHA256 SignedHeaders=host, Credential={scope}, Signature=x"),
    ] {
        let headers = [("authorization", authorization.as_str()), FORM];
        let (status, _, body) = cellar.served.send("POST /", &headers, form);
        assert!((400..500).contains(&status), "{authorization}: {status} {body}");
        let (status, _, body) = cellar.served.send("GET /cellar/closed/x", &headers[..1], b"");
        assert!((400..500).contains(&status) && body != "secret", "{authorization}: {status} {body}");
    }
    let second = administrator(REGION, "cloudformation");
    let twice = cellar.send("cloudformation", "POST /", &[FORM], &[("authorization", &second)], form);
    cellar.refused("two headers", twice, "InvalidRequest");
    let in_url = format!("X-Amz-Credential=local%2F20260101%2F{REGION}%2Fs3%2Faws4_request&X-Amz-Signature=x");
    let both = cellar.send("s3", &format!("GET /cellar/closed/x?{in_url}"), &[], &[], b"");
    cellar.refused("header and address", both, "InvalidArgument");
    let own = scope.replace("cloudformation", "s3").replace('/', "%2F");
    for query in [
        format!("X-Amz-Credential={own}&X-Amz-Security-Token={token}"),
        format!("AWSAccessKeyId={key}&x-amz-security-token={token}"),
        format!("AWSAccessKeyId={key}&Signature=x&Expires=9999999999&{in_url}"),
        format!("X-Amz-Credential={own}&X-Amz-Security-Token={token}&X-Amz-Signature=x"),
    ] {
        let (status, _, body) = cellar.served.send(&format!("GET /cellar/open/x?{query}"), &[], b"");
        assert!((400..500).contains(&status) && body != "secret", "{query}: {status} {body}");
    }
}
