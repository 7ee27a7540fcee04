//! What a request asks for: its head, its body, and the name of the operation in whatever protocol it is written.

use std::io::Read;
use std::net::TcpStream;

/// The largest head; the longest there are carry a session token.
const LARGEST_HEAD: usize = 64 * 1024;

/// The head of an HTTP/1.1 request.
#[derive(Debug)]
pub struct Head {
    /// As it came, with the empty line after it.
    pub raw: Vec<u8>,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// Reads a head and what came after it; none when the client went away before.
    pub fn read(stream: &mut TcpStream) -> std::io::Result<Option<(Self, Vec<u8>)>> {
        let mut read = Vec::new();
        let end = loop {
            if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            let mut buffer = [0; 8192];
            let count = stream.read(&mut buffer)?;
            if count == 0 || read.len() > LARGEST_HEAD {
                return Ok(None);
            }
            read.extend_from_slice(&buffer[..count]);
        };
        let rest = read.split_off(end);
        let text = String::from_utf8_lossy(&read).into_owned();
        let mut lines = text.split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers =
            headers.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect();
        Ok(Some((Self { raw: read, method: method.to_owned(), target: target.to_owned(), headers }, rest)))
    }

    /// The value of a header.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether it asks for another protocol.
    pub fn upgrades(&self) -> bool {
        self.value("upgrade").is_some()
    }

    /// Reads the body, as it is on the wire.
    pub fn body(&self, stream: &mut TcpStream, mut read: Vec<u8>) -> std::io::Result<Vec<u8>> {
        let chunked = self.value("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length = self.value("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut buffer = vec![0; 64 * 1024];
        while if chunked { !read.ends_with(b"0\r\n\r\n") } else { read.len() < length } {
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            read.extend_from_slice(&buffer[..count]);
        }
        Ok(read)
    }

    /// The head as it is passed on: the endpoint closes the connection after its answer.
    pub fn closing(&self) -> Vec<u8> {
        let text = String::from_utf8_lossy(&self.raw);
        let kept = text.trim_end().split("\r\n").filter(|line| {
            let line = line.to_ascii_lowercase();
            !line.starts_with("connection:") && !line.starts_with("expect:")
        });
        let lines: Vec<&str> = kept.chain(["connection: close"]).collect();
        format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
    }
}

/// How a service writes its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Forms in, XML out: CloudFormation, STS.
    Query,
    /// S3.
    RestXml,
    /// JSON to one path: DynamoDB, CloudWatch Logs.
    Json,
    /// JSON by path: Bedrock, Lambda.
    RestJson,
}

/// What a request asks for.
#[derive(Debug)]
pub struct Asked {
    /// The service by its signing name; empty when it is not signed.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The request's target.
    pub target: String,
    /// How the service writes its errors.
    pub protocol: Protocol,
    /// A request for the head alone: its answer has no body.
    pub head_only: bool,
    body: String,
}

impl Asked {
    /// Reads it off a request.
    pub fn of(head: &Head, body: &[u8]) -> Self {
        // `Credential=KEY/DATE/REGION/SERVICE/aws4_request`
        let scope = head.value("authorization").and_then(|value| value.split_once("Credential=")).map(|(_, it)| it);
        let service = scope.and_then(|scope| scope.split('/').nth(3)).unwrap_or_default().to_owned();
        let body = String::from_utf8_lossy(body).into_owned();
        let (protocol, operation) = operation(head, &service, &body);
        let head_only = head.method == "HEAD";
        Self { service, operation, target: head.target.clone(), protocol, head_only, body }
    }

    /// Whether a text is in the target or the body.
    pub fn has(&self, text: &str) -> bool {
        self.target.contains(text) || self.body.contains(text)
    }
}

fn operation(head: &Head, service: &str, body: &str) -> (Protocol, String) {
    if let Some(target) = head.value("x-amz-target") {
        return (Protocol::Json, target.rsplit('.').next().unwrap_or(target).to_owned());
    }
    if let Some(action) = body.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
        return (Protocol::Query, action.to_owned());
    }
    let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
    if service == "s3" {
        return (Protocol::RestXml, s3(&head.method, path, query));
    }
    if path.contains("/functions/") && path.ends_with("/invocations") {
        return (Protocol::RestJson, "Invoke".to_owned());
    }
    if path.contains("/ingestionjobs/") {
        let one = !path.ends_with("/ingestionjobs/");
        let name = match head.method.as_str() {
            "PUT" => "StartIngestionJob",
            "POST" => "ListIngestionJobs",
            _ if one => "GetIngestionJob",
            _ => "unknown",
        };
        return (Protocol::RestJson, name.to_owned());
    }
    let host = head.value("host").unwrap_or_default();
    if host.contains(".execute-api.") || path.starts_with("/execute-api/") {
        return (Protocol::RestJson, "CallApi".to_owned());
    }
    (Protocol::RestJson, format!("{} {path}", head.method))
}

/// An operation of S3 by method, path and query. Source: the "Request Syntax" of each in the S3 API reference.
fn s3(method: &str, path: &str, query: &str) -> String {
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let object = path.trim_start_matches('/').split_once('/').is_some_and(|(_, key)| !key.is_empty());
    let name = match (method, object) {
        ("HEAD", true) => "HeadObject",
        ("HEAD", false) => "HeadBucket",
        ("PUT", true) if has("partNumber") => "UploadPart",
        ("PUT", true) => "PutObject",
        ("PUT", false) => "CreateBucket",
        ("POST", true) if has("uploads") => "CreateMultipartUpload",
        ("POST", true) => "CompleteMultipartUpload",
        ("POST", false) => "DeleteObjects",
        ("DELETE", true) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", true) => "DeleteObject",
        ("DELETE", false) => "DeleteBucket",
        ("GET", true) if has("uploadId") => "ListParts",
        ("GET", true) => "GetObject",
        ("GET", false) if has("versions") => "ListObjectVersions",
        ("GET", false) if has("uploads") => "ListMultipartUploads",
        ("GET", false) if has("tagging") => "GetBucketTagging",
        ("GET", false) if path == "/" => "ListBuckets",
        _ => "ListObjectsV2",
    };
    name.to_owned()
}
