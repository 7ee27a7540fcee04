//! The connections uploads go over. What counts there is progress: as long as bytes go out the connection is left alone,
//! however slow it is; once none has gone for a while it is given up, and the call is tried again over a new one.
//!
//! The SDK's own limits cannot tell the two apart. Its read time-out counts from the first byte of the request, so a slow
//! line runs into it; and what it knows of a body's progress is what the kernel has taken, which on a slow line is
//! megabytes ahead of what has left. So the kernel is given a small buffer here, and the body in small pieces.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, sleep_until};

use crate::http_client;
use crate::proxies::ProxyConnector;

/// What the kernel holds of what was sent and has not arrived; it keeps twice as much. A line that is busy with more than
/// this at once is fast enough not to need it: 256 KiB every 50 ms are 5 MB a second, for each connection.
const KERNEL_BUFFER: usize = 256 << 10;
/// What is handed over at a time.
const PIECE: usize = 32 << 10;
/// What of a request may wait in this program.
const OWN_BUFFER: usize = 64 << 10;
/// What may be handed over and not yet have left this machine.
const OWN_AHEAD: u64 = 2 * KERNEL_BUFFER as u64 + OWN_BUFFER as u64;
/// What may be handed over and not yet have arrived, with what lies in buffers on the way: a proxy's kernel was seen to take
/// 3 MiB at once and pass them on at its own pace.
const AHEAD: u64 = 4 << 20;
/// A slow line is given this many times as long as its own pace would need for what is on its way.
const LENIENCE: u32 = 2;
/// But no more than so many times the limit.
const MOST_LIMITS: u32 = 10;

/// How far an upload is, for whoever waits for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Moved(Arc<AtomicU64>);

impl Moved {
    /// Bytes handed over so far; of a call that is tried again, those of the present try.
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Makes connections for uploads. Clones share them.
#[derive(Clone)]
pub(super) struct UploadConnector {
    /// Made when it is first needed, since it reads the machine's certificates.
    hyper: Arc<OnceLock<Hyper<HttpsConnector<ProxyConnector>, Metered>>>,
    connect: Duration,
    limit: Duration,
}

impl UploadConnector {
    /// Connections that are given up when nothing has moved for as long as the limit.
    pub(super) fn new(connect: Duration, limit: Duration) -> Self {
        Self { hyper: Arc::default(), connect, limit }
    }

    fn hyper(&self) -> &Hyper<HttpsConnector<ProxyConnector>, Metered> {
        self.hyper.get_or_init(|| {
            let mut builder = Hyper::builder(TokioExecutor::new());
            builder.pool_timer(TokioTimer::new()).http1_max_buf_size(OWN_BUFFER);
            builder.build(http_client::connector(self.connect, Some(KERNEL_BUFFER)))
        })
    }
}

impl fmt::Debug for UploadConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadConnector").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl HttpClient for UploadConnector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for UploadConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let moved = request.extension::<Moved>().cloned().unwrap_or_default();
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let meter = Meter::new(moved);
        let request = request.map(|inner| Metered { inner, waiting: Bytes::new(), meter: Arc::clone(&meter) });
        let answer = self.hyper().request(request);
        let limit = self.limit;
        HttpConnectorFuture::new(async move {
            tokio::select! {
                answer = answer => match answer {
                    Ok(answer) => HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                        .map_err(|error| ConnectorError::other(error.into(), None)),
                    // Whatever became of the connection, another one may fare better.
                    Err(error) => Err(ConnectorError::io(error.into())),
                },
                () = meter.standstill(limit) => {
                    let text = format!("no byte moved for {} s", limit.as_secs_f32());
                    Err(ConnectorError::timeout(text.into()))
                }
            }
        })
    }
}

/// What has moved of one request, and when last.
struct Meter {
    moved: Moved,
    start: Instant,
    last: Mutex<Last>,
}

/// The last piece that was handed over.
#[derive(Clone, Copy)]
struct Last {
    at: Instant,
    /// There is no more.
    whole: bool,
}

impl Meter {
    fn new(moved: Moved) -> Arc<Self> {
        let start = Instant::now();
        moved.0.store(0, Ordering::Relaxed);
        Arc::new(Self { moved, start, last: Mutex::new(Last { at: start, whole: false }) })
    }

    fn hand_over(&self, bytes: usize, whole: bool) {
        self.moved.0.fetch_add(bytes as u64, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Last { at: Instant::now(), whole };
    }

    /// Comes back when nothing has moved for too long: neither was a byte handed over, nor did the answer begin.
    async fn standstill(&self, limit: Duration) {
        loop {
            let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let within = last.at.duration_since(self.start);
            let until = last.at + time_limit(limit, last.whole, self.moved.bytes(), within);
            if Instant::now() >= until {
                return;
            }
            sleep_until(until).await;
        }
    }
}

/// How long it may take until the next piece is asked for or, once the whole was handed over within a time, until the answer
/// begins. What is ahead of that has to arrive first: of how much that may be, up to another limit's time is given; and
/// more on a line whose pace is known to need more.
fn time_limit(limit: Duration, whole: bool, handed_over: u64, within: Duration) -> Duration {
    let (ahead, least) =
        if whole { (AHEAD, limit.mul_f64(1.0 + ratio(handed_over.min(AHEAD), AHEAD))) } else { (OWN_AHEAD, limit) };
    let arrived = handed_over.saturating_sub(AHEAD);
    let needed = if arrived < OWN_AHEAD { least } else { within.mul_f64(ratio(ahead, arrived)) * LENIENCE };
    needed.clamp(least, limit * MOST_LIMITS)
}

#[expect(clippy::cast_precision_loss, reason = "a pace need not be exact")]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b as f64
}

/// A body in small pieces, each counted as it is handed over.
struct Metered {
    inner: SdkBody,
    waiting: Bytes,
    meter: Arc<Meter>,
}

impl Body for Metered {
    type Data = Bytes;
    type Error = <SdkBody as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        while self.waiting.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.waiting = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return Poll::Ready(other),
            }
        }
        let length = self.waiting.len().min(PIECE);
        let piece = self.waiting.split_to(length);
        let whole = self.waiting.is_empty() && self.inner.is_end_stream();
        self.meter.hand_over(piece.len(), whole);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.waiting.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, waiting) = (Body::size_hint(&self.inner), self.waiting.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + waiting);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + waiting);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_line_is_given_the_time_its_own_pace_needs() {
        let limit = Duration::from_secs(30);
        let (more, whole) = (false, true);
        let seconds = |number| Duration::from_secs(number);
        for handed_over in [0, AHEAD, 8 << 20] {
            assert_eq!(time_limit(limit, more, handed_over, seconds(2)), limit, "a fast line, {handed_over}");
        }
        // 6 kB a second: what this machine holds needs a minute and a half.
        assert!(time_limit(limit, more, AHEAD + 600_000, seconds(100)) > seconds(90));
        // All of a small file is on its way at once, and nobody knows how fast that is.
        assert_eq!(time_limit(limit, whole, 0, Duration::ZERO), limit);
        assert_eq!(time_limit(limit, whole, AHEAD / 2, Duration::ZERO), seconds(45));
        assert_eq!(time_limit(limit, whole, AHEAD, Duration::ZERO), seconds(60));
        // A part over a line of 100 kB a second: what lies on the way needs 42 seconds, and as many in reserve.
        let slow = time_limit(limit, whole, 8 << 20, seconds(42));
        assert!((seconds(80)..seconds(90)).contains(&slow), "{slow:?}");
        assert_eq!(time_limit(limit, whole, 8 << 20, seconds(10_000)), limit * MOST_LIMITS);
    }
}
