//! Bodies on their way in: taken from the wire into the store, hashed as they go, and checked against what the client
//! said they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures::StreamExt;
use http::HeaderMap;
use md5::{Digest as _, Md5};
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::StreamingBlob;
use tokio::sync::mpsc;

use crate::ground::ApiError;
use crate::ground::store::{BlobWriter, Staged, Store, StoreError};

use super::chunked::Trailers;
use super::model::Checksums;
use super::refusals;

/// A checksum S3 knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(super) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// As the API spells it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
    }

    pub(super) fn of(self, checksums: &Checksums) -> Option<&str> {
        match self {
            Self::Crc32 => checksums.crc32.as_deref(),
            Self::Crc32c => checksums.crc32c.as_deref(),
            Self::Crc64Nvme => checksums.crc64nvme.as_deref(),
            Self::Sha1 => checksums.sha1.as_deref(),
            Self::Sha256 => checksums.sha256.as_deref(),
        }
    }

    pub(super) fn set(self, checksums: &mut Checksums, value: String) {
        *match self {
            Self::Crc32 => &mut checksums.crc32,
            Self::Crc32c => &mut checksums.crc32c,
            Self::Crc64Nvme => &mut checksums.crc64nvme,
            Self::Sha1 => &mut checksums.sha1,
            Self::Sha256 => &mut checksums.sha256,
        } = Some(value);
    }
}

/// One running checksum.
pub(super) enum Hasher {
    Crc32(Crc32),
    Crc32c(Crc32c),
    Crc64Nvme(Crc64Nvme),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(Crc32::new()),
            Algorithm::Crc32c => Self::Crc32c(Crc32c::new()),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(Crc64Nvme::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Crc32c(hasher) => hasher.update(bytes),
            Self::Crc64Nvme(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// In base64.
    pub(super) fn finish(self) -> String {
        match self {
            Self::Crc32(hasher) => BASE64.encode(hasher.finalize()),
            Self::Crc32c(hasher) => BASE64.encode(hasher.finalize()),
            Self::Crc64Nvme(hasher) => BASE64.encode(hasher.finalize()),
            Self::Sha1(hasher) => BASE64.encode(hasher.finalize()),
            Self::Sha256(hasher) => BASE64.encode(hasher.finalize()),
        }
    }
}

/// What the client says its body is.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// In headers; those in trailers come when the body has.
    checksums: Checksums,
    trailers: Option<Trailers>,
    algorithms: Vec<Algorithm>,
    content_md5: Option<String>,
    content_sha256: Option<String>,
    length: Option<u64>,
}

impl Expected {
    /// Reads the claims from a request's headers.
    ///
    /// `fallback` is the checksum to compute when the request names none.
    pub(super) fn of(headers: &HeaderMap, trailers: Option<Trailers>, fallback: Algorithm) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut expected = Self { trailers, content_md5: text("content-md5"), ..Self::default() };
        expected.content_sha256 =
            text("x-amz-content-sha256").filter(|sha| sha.len() == 64 && sha.bytes().all(|b| b.is_ascii_hexdigit()));
        expected.length = text("content-length").and_then(|length| length.parse().ok());
        let in_trailer = text("x-amz-trailer").unwrap_or_default().to_ascii_lowercase();
        let named = text("x-amz-sdk-checksum-algorithm").and_then(|name| Algorithm::parse(&name));
        for algorithm in Algorithm::ALL {
            let given = text(algorithm.header());
            if given.is_some()
                || named == Some(algorithm)
                || in_trailer.split(',').any(|name| name.trim() == algorithm.header())
            {
                expected.algorithms.push(algorithm);
            }
            if let Some(value) = given {
                algorithm.set(&mut expected.checksums, value);
            }
        }
        if expected.algorithms.is_empty() {
            expected.algorithms.push(fallback);
        }
        expected
    }

    /// The same, with one more checksum to compute.
    pub(super) fn and(mut self, algorithm: Algorithm) -> Self {
        if !self.algorithms.contains(&algorithm) {
            self.algorithms.push(algorithm);
        }
        self
    }

    fn check(self, received: &Received) -> Result<(), ApiError> {
        if let Some(length) = self.length
            && length != received.staged.size()
        {
            return Err(refusals::incomplete_body());
        }
        if let Some(given) = &self.content_md5 {
            let Some(given) = BASE64.decode(given).ok().filter(|digest| digest.len() == 16) else {
                return Err(ApiError::sender("InvalidDigest", "The Content-MD5 you specified was invalid."));
            };
            if hex::encode(given) != received.md5 {
                return Err(refusals::bad_digest("Content-MD5"));
            }
        }
        if let Some(given) = &self.content_sha256
            && !given.eq_ignore_ascii_case(received.staged.sha256())
        {
            return Err(ApiError::sender(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
        let mut claims = self.checksums;
        if let Some(trailers) = self.trailers {
            for algorithm in Algorithm::ALL {
                if let Some(value) = trailers.get(algorithm.header()) {
                    algorithm.set(&mut claims, value);
                }
            }
        }
        for algorithm in Algorithm::ALL {
            if let (Some(claimed), Some(computed)) = (algorithm.of(&claims), algorithm.of(&received.checksums))
                && claimed != computed
            {
                return Err(ApiError::sender(
                    "BadDigest",
                    format!("The {} you specified did not match the calculated checksum.", algorithm.as_str()),
                ));
            }
        }
        Ok(())
    }
}

/// A body that has been taken in, and is what the client said.
#[derive(Debug)]
pub(super) struct Received {
    pub staged: Staged,
    /// In lower-case hexadecimal.
    pub md5: String,
    pub checksums: Checksums,
}

/// Takes a body in.
///
/// # Errors
///
/// When it breaks off, is not what it claims to be, or the disk refuses.
pub(super) async fn receive(
    store: &Store,
    body: Option<StreamingBlob>,
    expected: Expected,
) -> Result<Received, ApiError> {
    // A writer of its own, fed a few chunks ahead, so that neither the runtime nor the client waits for the disk.
    let (feed, chunks) = mpsc::channel::<Bytes>(8);
    let writer = tokio::task::spawn_blocking({
        let store = store.clone();
        let algorithms = expected.algorithms.clone();
        move || write(&store, chunks, &algorithms)
    });
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| match error.downcast::<ApiError>() {
                Ok(refusal) => *refusal,
                Err(_) => refusals::incomplete_body(),
            })?;
            // The writer has failed when it takes no more; it says why below.
            if feed.send(chunk).await.is_err() {
                break;
            }
        }
    }
    drop(feed);
    let received = match writer.await {
        Ok(received) => received?,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => return Err(StoreError::ShuttingDown.into()),
    };
    expected.check(&received)?;
    Ok(received)
}

fn write(store: &Store, mut chunks: mpsc::Receiver<Bytes>, algorithms: &[Algorithm]) -> Result<Received, ApiError> {
    let mut writer = BlobWriter::new(store)?;
    let mut md5 = Md5::new();
    let mut hashers: Vec<(Algorithm, Hasher)> =
        algorithms.iter().map(|algorithm| (*algorithm, Hasher::new(*algorithm))).collect();
    while let Some(chunk) = chunks.blocking_recv() {
        writer.write(&chunk)?;
        md5.update(&chunk);
        for (_, hasher) in &mut hashers {
            hasher.update(&chunk);
        }
    }
    let mut checksums = Checksums::default();
    for (algorithm, hasher) in hashers {
        algorithm.set(&mut checksums, hasher.finish());
    }
    Ok(Received { staged: writer.finish()?, md5: hex::encode(md5.finalize()), checksums })
}
