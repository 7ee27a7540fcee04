//! A proxy before the local target that remembers what it was asked and answers some of it itself: another account, or an
//! endpoint that marks no bucket. And another person's hands: plain SDK clients.

use std::sync::{Arc, Mutex};

use aws_sdk_cloudformation::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use bedplate::aws::{Clients, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::deploys::World;

/// The one account of the local target.
pub(super) const ACCOUNT: &str = "123456789012";

/// A request, as it came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Such as `GET`.
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    /// The headers, in lower case.
    pub(super) headers: String,
    /// The body, as text.
    pub(super) body: String,
}

impl Asked {
    /// Whether it goes to S3.
    pub(super) fn is_s3(&self) -> bool {
        self.headers.contains("/s3/aws4_request")
    }

    /// The method, path and query, for a message.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What the proxy does with a request.
pub(super) enum Reaction {
    /// Hands it on.
    Pass,
    /// Answers itself.
    Answer(u16, String),
    /// Hands it on and changes the body of the answer.
    Change(fn(&str) -> String),
}

/// The S3 error document of a code.
pub(super) fn s3_error(status: u16, code: &str) -> Reaction {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>said by the proxy</Message></Error>");
    Reaction::Answer(status, body)
}

type Rule = Arc<dyn Fn(&Asked) -> Reaction + Send + Sync>;

/// A running proxy.
pub(super) struct Proxy {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Proxy {
    pub(super) async fn before(world: &World, rule: impl Fn(&Asked) -> Reaction + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (heard, rule, upstream) = (Arc::clone(&asked), Arc::new(rule) as Rule, world.running.address());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (heard, rule) = (Arc::clone(&heard), Arc::clone(&rule));
                tokio::spawn(async move { serve(stream, upstream, &heard, &rule).await });
            }
        });
        Self { url, asked }
    }

    /// Clients that go through it, as to the local target.
    pub(super) async fn clients(&self) -> Clients {
        Clients::connect(&Target::local(&self.url, "us-west-2")).await.expect("a region is set")
    }

    /// Clients that go through it, as to somebody else's endpoint.
    pub(super) async fn clients_of_another_endpoint(&self) -> Clients {
        let target = Target { endpoint_url: Some(self.url.clone()), region: Some("us-west-2".into()), ..Target::aws() };
        Clients::connect(&target).await.expect("a region is set")
    }

    /// What it was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic while asking").clone()
    }
}

/// Serves one request of a connection: the answer says that there are no more.
async fn serve(mut stream: TcpStream, upstream: std::net::SocketAddr, heard: &Mutex<Vec<Asked>>, rule: &Rule) {
    let mut read = Vec::new();
    let head = loop {
        let mut buffer = [0; 16_384];
        let Ok(count) = stream.read(&mut buffer).await else { return };
        if count == 0 {
            return;
        }
        read.extend_from_slice(&buffer[..count]);
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&read[..head]).into_owned();
    let lower = text.to_ascii_lowercase();
    let length: usize = lower
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.trim().parse().ok())
        .unwrap_or_default();
    if lower.contains("\r\nexpect: 100-continue") {
        let _ = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
    }
    while read.len() < head + length {
        let mut buffer = vec![0; 262_144];
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let mut words = text.split(' ');
    let asked = Asked {
        method: words.next().unwrap_or_default().to_owned(),
        target: words.next().unwrap_or_default().to_owned(),
        headers: lower.clone(),
        body: String::from_utf8_lossy(&read[head..]).into_owned(),
    };
    let reaction = rule(&asked);
    heard.lock().expect("no panic while asking").push(asked);
    if let Reaction::Answer(status, body) = reaction {
        let _ = stream.write_all(&answer(status, &body)).await;
        return;
    }
    let Ok(mut onward) = TcpStream::connect(upstream).await else { return };
    let lines = text.trim_end().split("\r\n").filter(|line| {
        let line = line.to_ascii_lowercase();
        !line.starts_with("connection:") && !line.starts_with("expect:")
    });
    let forwarded = format!("{}\r\nconnection: close\r\n\r\n", lines.collect::<Vec<_>>().join("\r\n"));
    if onward.write_all(forwarded.as_bytes()).await.is_err() || onward.write_all(&read[head..]).await.is_err() {
        return;
    }
    let mut back = Vec::new();
    let _ = onward.read_to_end(&mut back).await;
    if let Reaction::Change(change) = reaction {
        let text = String::from_utf8_lossy(&back).into_owned();
        let (_, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        back = answer(200, &change(body));
    }
    let _ = stream.write_all(&back).await;
}

fn answer(status: u16, body: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

/// Another person's client for S3.
pub(super) fn s3(world: &World) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-west-2"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(world.running.url())
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// Another person's client for CloudFormation.
pub(super) fn cloudformation(world: &World) -> aws_sdk_cloudformation::Client {
    let config = aws_sdk_cloudformation::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-west-2"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(world.running.url())
        .build();
    aws_sdk_cloudformation::Client::from_conf(config)
}

/// Makes a bucket by hand.
pub(super) async fn make_bucket(world: &World, name: &str) {
    let here = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::UsWest2).build();
    let call = s3(world).create_bucket().bucket(name).create_bucket_configuration(here).send();
    call.await.expect("a bucket");
}

/// Deletes an empty bucket by hand, makes it again, and puts an object into it if there is to be one.
pub(super) async fn make_again(world: &World, bucket: &str, key: Option<&str>) {
    s3(world).delete_bucket().bucket(bucket).send().await.expect("an empty bucket");
    make_bucket(world, bucket).await;
    if let Some(key) = key {
        put(world, bucket, key).await;
    }
}

/// Puts an object by hand.
pub(super) async fn put(world: &World, bucket: &str, key: &str) {
    let body = aws_sdk_s3::primitives::ByteStream::from_static(b"precious");
    s3(world).put_object().bucket(bucket).key(key).body(body).send().await.expect("a put");
}

/// The keys in a bucket; none when there is no bucket.
pub(super) async fn keys(world: &World, bucket: &str) -> Option<Vec<String>> {
    let listed = s3(world).list_objects_v2().bucket(bucket).send().await.ok()?;
    Some(listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect())
}
