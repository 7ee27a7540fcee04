//! The `aws-chunked` encoding: how SDKs send a body whose checksum comes after it.
//!
//! Chunk signatures are not checked: nothing on loopback is authenticated by them, and the checksum in the trailer is what
//! protects the content.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use hyper::body::{Body, Frame};

use crate::ground::ApiError;

use super::refusals;

/// The longest line of the encoding: a size, a signature, or a trailer.
const MAX_LINE: usize = 4096;

/// The most trailers taken.
const MAX_TRAILERS: usize = 16;

/// The trailers of a body, there once it has been read to its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Trailers(Arc<Mutex<HeaderMap>>);

impl Trailers {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let trailers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        trailers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    fn add(&self, line: &[u8]) -> Result<(), ApiError> {
        let text = std::str::from_utf8(line).map_err(|_| malformed())?;
        let (name, value) = text.split_once(':').ok_or_else(malformed)?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| malformed())?;
        let value = HeaderValue::from_str(value.trim()).map_err(|_| malformed())?;
        let mut trailers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if trailers.len() >= MAX_TRAILERS {
            return Err(malformed());
        }
        trailers.insert(name, value);
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Data(u64),
    AfterData,
    Trailer,
    End,
}

/// The decoding itself, apart from where the bytes come from.
#[derive(Debug)]
struct Decoder {
    buffer: BytesMut,
    state: State,
    trailers: Trailers,
}

impl Decoder {
    /// The next bytes of the content; none when more input is needed, or the content has ended.
    fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            match self.state {
                State::Data(0) => self.state = State::AfterData,
                State::Data(left) => {
                    if self.buffer.is_empty() {
                        return Ok(None);
                    }
                    let take = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    self.state = State::Data(left - take as u64);
                    return Ok(Some(self.buffer.split_to(take).freeze()));
                }
                State::End => return Ok(None),
                State::Size | State::AfterData | State::Trailer => {
                    let Some(line) = self.line()? else { return Ok(None) };
                    self.take_line(&line)?;
                }
            }
        }
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), ApiError> {
        self.state = match self.state {
            State::Size => {
                let size = line.split(|b| *b == b';').next().unwrap_or_default();
                let size = std::str::from_utf8(size).ok().and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
                match size.ok_or_else(malformed)? {
                    0 => State::Trailer,
                    size => State::Data(size),
                }
            }
            State::AfterData if line.is_empty() => State::Size,
            State::AfterData => return Err(malformed()),
            State::Trailer if line.is_empty() => State::End,
            State::Trailer => {
                self.trailers.add(line)?;
                State::Trailer
            }
            other => other,
        };
        Ok(())
    }

    /// A line without its end, when there is a whole one.
    fn line(&mut self) -> Result<Option<Bytes>, ApiError> {
        let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") else {
            return if self.buffer.len() > MAX_LINE { Err(malformed()) } else { Ok(None) };
        };
        let line = self.buffer.split_to(end).freeze();
        self.buffer.advance(2);
        Ok(Some(line))
    }

    /// Whether the input may end here; some clients leave the last empty line out.
    fn may_end(&self) -> bool {
        self.state == State::End || (self.state == State::Trailer && self.buffer.is_empty())
    }
}

fn malformed() -> ApiError {
    refusals::invalid_request("The body is not valid aws-chunked encoding")
}

/// A body, decoded.
#[derive(Debug)]
pub(super) struct Decoded<B> {
    inner: B,
    decoder: Decoder,
    failed: bool,
}

impl<B> Decoded<B> {
    pub(super) fn new(inner: B) -> (Self, Trailers) {
        let trailers = Trailers::default();
        let decoder = Decoder { buffer: BytesMut::new(), state: State::Size, trailers: trailers.clone() };
        (Self { inner, decoder, failed: false }, trailers)
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Decoded<B> {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.failed {
            return Poll::Ready(None);
        }
        loop {
            match self.decoder.next() {
                Ok(Some(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Ok(None) => {}
                Err(error) => {
                    self.failed = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
            match std::task::ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.decoder.buffer.extend_from_slice(&bytes);
                    }
                }
                Some(Err(_)) => {
                    self.failed = true;
                    return Poll::Ready(Some(Err(refusals::incomplete_body())));
                }
                None if self.decoder.may_end() => return Poll::Ready(None),
                None => {
                    self.failed = true;
                    return Poll::Ready(Some(Err(refusals::incomplete_body())));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, StreamBody};
    use proptest::prelude::*;

    async fn decode(pieces: Vec<Vec<u8>>) -> (Result<Bytes, ApiError>, Trailers) {
        let frames = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Frame::data(Bytes::from(piece))));
        let (body, trailers) = Decoded::new(StreamBody::new(futures::stream::iter(frames)));
        (body.collect().await.map(http_body_util::Collected::to_bytes), trailers)
    }

    #[tokio::test]
    async fn a_trailing_checksum_is_kept_and_the_chunks_joined() {
        let wire =
            b"5;chunk-signature=ab\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n".to_vec();
        let (content, trailers) = decode(vec![wire]).await;
        assert_eq!(content.expect("content").as_ref(), b"hello world");
        assert_eq!(trailers.get("x-amz-checksum-crc32").as_deref(), Some("DUoRhQ=="));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_or_is_no_chunks_is_refused() {
        for (wire, code) in [
            (&b"5\r\nhel"[..], "IncompleteBody"),
            (b"5\r\nhello\r\n", "IncompleteBody"),
            (b"hello\r\n", "InvalidRequest"),
            (b"5\r\nhelloXX\r\n0\r\n\r\n", "InvalidRequest"),
            (b"", "IncompleteBody"),
        ] {
            let (content, _) = decode(vec![wire.to_vec()]).await;
            assert_eq!(content.expect_err("no content").code, code);
        }
    }

    proptest! {
        #[test]
        fn however_the_wire_cuts_it_the_content_is_the_same(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..6),
            cut in 1_usize..9,
        ) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            let pieces = wire.chunks(cut).map(<[u8]>::to_vec).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let (content, _) = runtime.block_on(decode(pieces));
            prop_assert_eq!(content.expect("content").to_vec(), chunks.concat());
        }
    }
}
