//! What an AWS credential looks like, so that none is repeated in a message, whatever file it was found in.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Prefixes of access key ids, long-lived and temporary.
const KEY_ID_PREFIXES: [&str; 2] = ["AKIA", "ASIA"];

/// A kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The name of a key; twenty characters.
    AccessKeyId,
    /// The key itself; forty characters.
    SecretAccessKey,
}

/// The words of a text that look like credentials.
pub fn credentials(text: &str) -> impl Iterator<Item = (&str, Credential)> {
    text.split(|c| !is_part(c)).filter_map(|word| {
        let kind = if is_key_id(word) {
            Credential::AccessKeyId
        } else if is_secret_key(word) {
            Credential::SecretAccessKey
        } else {
            return None;
        };
        Some((word, kind))
    })
}

/// A text with a `•` for every character of a word that looks like a credential: as long as before.
pub fn masked(text: &str) -> Cow<'_, str> {
    if credentials(text).next().is_none() {
        return Cow::Borrowed(text);
    }
    let mut made = String::with_capacity(text.len());
    for part in text.split_inclusive(|c| !is_part(c)) {
        let word = part.trim_end_matches(|c| !is_part(c));
        match credentials(word).next() {
            Some(_) => made.extend(std::iter::repeat_n('•', word.len())),
            None => made.push_str(word),
        }
        made.push_str(part.get(word.len()..).unwrap_or_default());
    }
    Cow::Owned(made)
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '/' | '+' | '=')
}

fn is_key_id(word: &str) -> bool {
    word.len() == 20
        && KEY_ID_PREFIXES.iter().any(|prefix| word.starts_with(prefix))
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Forty characters of base64 as mixed as chance makes them, which no hash in hexadecimal, path or word is.
fn is_secret_key(word: &str) -> bool {
    let count = |fits: fn(&u8) -> bool| word.bytes().filter(fits).count();
    word.len() == 40
        && count(u8::is_ascii_uppercase) >= 5
        && count(u8::is_ascii_lowercase) >= 5
        && count(u8::is_ascii_digit) >= 1
        && word.bytes().collect::<BTreeSet<u8>>().len() >= 18
}
