//! What every operation is given, and what it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use s3s::dto;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response};

use super::chunked::Trailers;
use crate::ground::{ApiError, DEFAULT_REGION, Host};

/// How long bodies that nothing uses may wait for their removal, so that one sweep serves many deletions.
const SWEEP_DELAY: Duration = Duration::from_millis(200);

/// S3 over the store.
#[derive(Debug, Clone)]
pub(super) struct S3Api {
    pub host: Arc<Host>,
    sweeping: Arc<AtomicBool>,
}

/// What the service knows of a request beyond what `s3s` sees.
#[derive(Debug, Clone)]
pub(super) struct S3Context {
    pub region: String,
    pub trailers: Option<Trailers>,
}

/// An error and the headers that go with it.
#[derive(Debug)]
pub(super) struct S3Refusal {
    pub error: ApiError,
    pub headers: Option<Box<HeaderMap>>,
}

impl<E: Into<ApiError>> From<E> for S3Refusal {
    fn from(error: E) -> Self {
        Self { error: error.into(), headers: None }
    }
}

impl From<S3Refusal> for S3Error {
    fn from(refusal: S3Refusal) -> Self {
        let ApiError { status, code, message } = refusal.error;
        let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
        let mut error = Self::with_message(code, message);
        error.set_status_code(status);
        if let Some(headers) = refusal.headers {
            error.set_headers(*headers);
        }
        error
    }
}

/// What an operation answers.
pub(super) type S3Answer<T> = Result<S3Response<T>, S3Refusal>;

impl S3Api {
    pub(super) fn new(host: Arc<Host>) -> Self {
        Self { host, sweeping: Arc::new(AtomicBool::new(false)) }
    }

    /// Has the bodies that a deletion left unused removed, a little later and away from any request.
    pub(super) fn sweep_soon(&self) {
        if self.sweeping.swap(true, Ordering::AcqRel) {
            return;
        }
        let (store, sweeping) = (self.host.store.clone(), Arc::clone(&self.sweeping));
        tokio::spawn(async move {
            tokio::time::sleep(SWEEP_DELAY).await;
            sweeping.store(false, Ordering::Release);
            let sweep = store.clone();
            // What stays is swept next time, or at the next start.
            let _ = store.blocking(move || sweep.sweep_unused()).await;
        });
    }
}

impl S3Context {
    pub(super) fn of<T>(request: &S3Request<T>) -> Self {
        let known = request.extensions.get::<Self>().cloned();
        known.unwrap_or_else(|| Self { region: DEFAULT_REGION.to_owned(), trailers: None })
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }
}

/// A time of the tables as `s3s` has it.
pub(super) fn time(seconds: i64) -> dto::Timestamp {
    dto::Timestamp::from(UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}
