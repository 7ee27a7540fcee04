//! Short digests: what names a thing after its content, so that a change of the content makes a new thing.

use sha2::{Digest, Sha256};

/// The first eight hexadecimal digits of a text's SHA-256.
pub(super) fn short(text: &str) -> String {
    let mut digest = hex::encode(Sha256::digest(text));
    digest.truncate(8);
    digest
}
