//! Uploads over lines that are slow, that break and that stand still.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bedplate::aws::{CallErrorKind, Clients, Labels, Target, UploadLimits, UploadProgress};
use bedplate::engine::{
    ApproveAll, DeployOptions, Desired, Event, EventKind, EventSink, Outcome, Run, StackArtifact, deploy,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::deploys::{World, desired};
use crate::local_s3;

const OWNER: &str = "123456789012";
const BUCKET: &str = "files";
const MIB: u64 = 1 << 20;
/// What the files here have: two parts, the second a short one.
const SIZE: usize = 15_000_000;

/// What a line does to what goes up over it; what comes back is left alone.
#[derive(Debug, Clone, Copy)]
enum Line {
    /// Takes everything.
    Free,
    /// Takes so many bytes a second, of all connections together.
    Slow(u64),
    /// Breaks the first so many connections that carry more than so many bytes.
    Breaks { connections: u64, after: u64 },
    /// Takes nothing more, for ever, of the first so many connections that carry more than so many bytes.
    StandsStill { connections: u64, after: u64 },
    /// Takes nothing more, for ever, of connections with more than a MiB, once all of them have carried more than so many bytes.
    Ends { after: u64 },
}

/// A line to an endpoint.
struct Proxy {
    url: String,
    /// Bytes that went up.
    carried: Arc<AtomicU64>,
    /// Connections that the line has spoilt.
    spoilt: Arc<AtomicU64>,
}

impl Proxy {
    async fn to(world: &World, line: Line) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (carried, spoilt) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (to, counts) = (world.running.address(), (Arc::clone(&carried), Arc::clone(&spoilt)));
        let free_at = Arc::new(Mutex::new(tokio::time::Instant::now()));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(to).await.expect("the endpoint listens");
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, to_server) = server.into_split();
                let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
                let (carried, spoilt, free_at) = (Arc::clone(&counts.0), Arc::clone(&counts.1), Arc::clone(&free_at));
                tokio::spawn(async move {
                    let (mut to_server, mut own, mut buffer) = (to_server, 0, vec![0; 16 << 10]);
                    while let Ok(count) = from_client.read(&mut buffer).await {
                        if count == 0 || to_server.write_all(&buffer[..count]).await.is_err() {
                            break;
                        }
                        own += count as u64;
                        let together = carried.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
                        match line {
                            Line::Free => {}
                            Line::Slow(rate) => {
                                let next = {
                                    let mut at = free_at.lock().expect("no panic on the line");
                                    *at = (*at).max(tokio::time::Instant::now())
                                        + Duration::from_secs_f64(count as f64 / rate as f64);
                                    *at
                                };
                                tokio::time::sleep_until(next).await;
                            }
                            Line::Breaks { connections, after } if own > after => {
                                if spoilt.fetch_add(1, Ordering::Relaxed) < connections {
                                    back.abort();
                                    break;
                                }
                            }
                            Line::StandsStill { connections, after } if own > after => {
                                if spoilt.fetch_add(1, Ordering::Relaxed) < connections {
                                    std::future::pending::<()>().await;
                                }
                            }
                            Line::Ends { after } if together > after && own > MIB => {
                                std::future::pending::<()>().await;
                            }
                            Line::Breaks { .. } | Line::StandsStill { .. } | Line::Ends { .. } => {}
                        }
                    }
                });
            }
        });
        Self { url, carried, spoilt }
    }

    async fn clients(&self, standstill: Duration, attempts: u32) -> Clients {
        let uploads = UploadLimits { standstill, attempts };
        let target = Target { uploads, ..Target::local(&self.url, "us-west-2") };
        Clients::connect(&target).await.expect("a region is set")
    }
}

/// Bytes that no two parts have the same of.
fn content(seed: u8) -> Vec<u8> {
    (0..SIZE).map(|at| (at / 7 + at / 4096) as u8 ^ seed).collect()
}

fn file(world: &World, bytes: &[u8]) -> PathBuf {
    let path = world.dir.path().join("file.bin");
    std::fs::write(&path, bytes).expect("a file");
    path
}

async fn world() -> World {
    let world = World::start().await;
    local_s3::make_bucket(&local_s3::s3(&world.running), BUCKET).await;
    world
}

async fn arrived(world: &World, key: &str) -> Vec<u8> {
    local_s3::get(&local_s3::s3(&world.running), BUCKET, key).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_line_is_left_alone_as_long_as_something_moves() {
    let world = world().await;
    let bytes = content(1);
    let path = file(&world, &bytes);
    // 15 MB at 200 kB a second, twelve times as fast; and the limits a twelfth of what they are.
    let proxy = Proxy::to(&world, Line::Slow(2_400_000)).await;
    let clients = proxy.clients(Duration::from_millis(2_500), 1).await;
    let (start, progress) = (Instant::now(), UploadProgress::default());
    clients.upload_file(BUCKET, "a", &path, OWNER, &progress).await.expect("an upload");
    assert!(start.elapsed() > Duration::from_secs(5), "it took longer than any limit: {:?}", start.elapsed());
    assert_eq!(progress.bytes(), SIZE as u64);
    assert!(arrived(&world, "a").await == bytes, "what arrived is not what was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_again_and_again_costs_the_parts_under_way() {
    let world = world().await;
    let bytes = content(2);
    let path = file(&world, &bytes);
    let proxy = Proxy::to(&world, Line::Breaks { connections: 5, after: 3 * MIB }).await;
    let clients = proxy.clients(Duration::from_secs(30), 8).await;
    clients.upload_file(BUCKET, "a", &path, OWNER, &UploadProgress::default()).await.expect("an upload");
    assert!(proxy.spoilt.load(Ordering::Relaxed) >= 5);
    assert!(arrived(&world, "a").await == bytes, "what arrived is not what was sent");
    assert!(clients.unfinished_uploads(BUCKET).await.expect("an answer").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_stands_still_is_given_up_and_the_part_goes_over_a_new_one() {
    let world = world().await;
    for (key, size) in [("large", SIZE), ("small", 5_000_000)] {
        let bytes = &content(3)[..size];
        let path = file(&world, bytes);
        let proxy = Proxy::to(&world, Line::StandsStill { connections: 1, after: MIB }).await;
        let clients = proxy.clients(Duration::from_millis(1_500), 3).await;
        clients.upload_file(BUCKET, key, &path, OWNER, &UploadProgress::default()).await.expect("an upload");
        assert!(proxy.spoilt.load(Ordering::Relaxed) >= 1);
        assert!(arrived(&world, key).await == bytes, "what arrived is not what was sent");
    }
}

/// An upload that was given up once its first part was there.
async fn cut_short(world: &World, bytes: &[u8], labels: &Labels) {
    let path = file(world, bytes);
    let proxy = Proxy::to(world, Line::Ends { after: 10 * MIB }).await;
    let clients = proxy.clients(Duration::from_millis(700), 1).await;
    let sent = clients.upload_labelled(BUCKET, "a", &path, OWNER, labels, &UploadProgress::default()).await;
    assert_eq!(sent.expect_err("the line stands still").kind, CallErrorKind::TimedOut);
    let left = world.clients.unfinished_uploads(BUCKET).await.expect("an answer");
    assert_eq!(left.len(), 1, "what went up is kept for the next run");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_an_upload_is_taken_up_again() {
    let world = world().await;
    let bytes = content(4);
    cut_short(&world, &bytes, &Labels::default()).await;
    let proxy = Proxy::to(&world, Line::Free).await;
    let clients = proxy.clients(Duration::from_secs(30), 1).await;
    let path = file(&world, &bytes);
    clients.upload_file(BUCKET, "a", &path, OWNER, &UploadProgress::default()).await.expect("an upload");
    let carried = proxy.carried.load(Ordering::Relaxed);
    assert!(carried < 8 * MIB, "only the part that was missing: {carried}");
    assert!(arrived(&world, "a").await == bytes, "what arrived is not what was sent");
    assert!(clients.unfinished_uploads(BUCKET).await.expect("an answer").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_other_contents_is_not_mixed_in() {
    let world = world().await;
    let labels = |text: &str| Labels {
        content_type: Some("text/plain".to_owned()),
        metadata: [("digest".to_owned(), text.to_owned())].into(),
    };
    let first = content(5);
    cut_short(&world, &first, &labels("one")).await;
    // The same beginning, another end: the first part is there already and belongs to something else.
    let mut second = first;
    second[SIZE - 1] ^= 0xff;
    let path = file(&world, &second);
    let clients = &world.clients;
    let sent = clients.upload_labelled(BUCKET, "a", &path, OWNER, &labels("two"), &UploadProgress::default()).await;
    sent.expect("an upload");
    assert!(arrived(&world, "a").await == second, "what arrived is not what was sent");
    let marks = clients.object_marks(BUCKET, "a", OWNER).await.expect("an answer").expect("an object");
    assert_eq!(marks.metadata["digest"], "two");
    assert!(clients.unfinished_uploads(BUCKET).await.expect("an answer").is_empty());
}

/// Interrupts when it is first said how far an upload is.
struct InterruptsUpload(CancellationToken, Mutex<Option<Instant>>);

impl EventSink for InterruptsUpload {
    fn emit(&self, event: Event) {
        if let EventKind::Uploading { done, total, .. } = event.what {
            // What the system has taken over and not sent yet counts as done.
            assert!(done > 0 && done <= total && total == SIZE as u64, "{done} of {total}");
            self.0.cancel();
            self.1.lock().expect("no panic while telling").get_or_insert_with(Instant::now);
        }
    }
}

fn with_artifact(world: &World) -> Desired {
    let mut desired = desired(
        "poster-dev",
        json!({ "Wait": { "Type": "AWS::SQS::Queue", "Properties": {
            "Tags": [{ "Key": "code", "Value": { "Ref": "CodeKey" } }] } } }),
    );
    desired.artifacts.push(StackArtifact {
        parameter: "CodeKey".into(),
        component: "functions.design".into(),
        path: file(world, &content(6)),
        sha256: "ab".repeat(32),
        size: SIZE as u64,
    });
    desired
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_ends_an_upload_at_once_and_the_next_deploy_goes_on() {
    let world = World::start().await;
    let desired = with_artifact(&world);
    let proxy = Proxy::to(&world, Line::Ends { after: 10 * MIB }).await;
    let standstill = Duration::from_secs(60);
    let clients = proxy.clients(standstill, 1).await;
    let cancel = CancellationToken::new();
    let sink = InterruptsUpload(cancel.clone(), Mutex::default());
    let run = Run::new(&clients, &sink, cancel);
    let report = deploy(&run, &desired, &DeployOptions::default(), &ApproveAll).await;
    let told = sink.1.lock().expect("no panic while telling").expect("it was said how far the upload is");
    assert_eq!(report.outcome, Outcome::Interrupted, "{:?}", report.findings);
    // Nobody waited for the line to move, however busy the machine is.
    assert!(told.elapsed() < standstill / 2, "{:?}", told.elapsed());
    assert!(world.clients.stack("poster-dev").await.expect("an answer").is_none(), "nothing of the stack is left");

    let (report, _) = world.deploy(&desired).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let bucket = bedplate::engine::artifact_bucket_name(OWNER, "us-west-2");
    let left = world.clients.unfinished_uploads(&bucket).await.expect("an answer");
    assert!(left.is_empty(), "{left:?}");
}
