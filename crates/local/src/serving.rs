//! Where a local target is being served, told to other processes through a file beside its state.
//!
//! The file may be left over from a process that was killed, or its port be another program's by now: whoever reads it asks
//! the address before believing it.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::ground::store::private;

/// How long an address is given to say that it serves the folder.
const PATIENCE: Duration = Duration::from_millis(500);

/// The most that is read of its answer, in bytes.
const MAX_ANSWER: u64 = 64 << 10;

fn file(dir: &Path) -> PathBuf {
    dir.join("serving")
}

/// Tells other processes the address; the last one to tell counts.
///
/// # Errors
///
/// When the file can't be written.
pub fn announce(dir: &Path, url: &str) -> io::Result<()> {
    let mut file = private::writing().create(true).truncate(true).open(file(dir))?;
    file.write_all(url.as_bytes())
}

/// Takes the address back, if it is still the one told.
pub fn withdraw(dir: &Path, url: &str) {
    if std::fs::read_to_string(file(dir)).is_ok_and(|told| told == url) {
        // A file that can't be removed is one more that is asked and not believed.
        let _ = std::fs::remove_file(file(dir));
    }
}

/// The address at which a state folder is being served, for example `http://127.0.0.1:4599`, if it is.
pub async fn address(dir: &Path) -> Option<String> {
    let url = tokio::fs::read_to_string(file(dir)).await.ok()?;
    let address = url.strip_prefix("http://")?;
    // Nothing is ever served elsewhere.
    address.parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback())?;
    let served = tokio::time::timeout(PATIENCE, ask(address)).await.ok()?.ok()?;
    let (_, body) = served.split_once("\r\n\r\n")?;
    let health: Value = serde_json::from_str(body).ok()?;
    let same = |one: &Path, other: &Path| match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    same(Path::new(health.get("dir")?.as_str()?), dir).then_some(url)
}

async fn ask(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /_bedplate/health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LocalOptions, start};

    #[tokio::test]
    async fn an_address_is_believed_while_it_serves_the_folder() {
        let (dir, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let running = start(LocalOptions::new(dir.path())).await.expect("a local target");
        assert_eq!(address(dir.path()).await, None);
        announce(dir.path(), running.url()).expect("a file");
        announce(other.path(), running.url()).expect("a file");
        assert_eq!(address(dir.path()).await.as_deref(), Some(running.url()));
        assert_eq!(address(other.path()).await, None);
        withdraw(dir.path(), "http://127.0.0.1:1");
        assert!(address(dir.path()).await.is_some());
        withdraw(dir.path(), running.url());
        assert_eq!(address(dir.path()).await, None);
        announce(dir.path(), running.url()).expect("a file");
        running.shutdown().await;
        assert_eq!(address(dir.path()).await, None);
    }
}
