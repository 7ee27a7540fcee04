//! What authorizer functions said, kept for as long as their authorizers say.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

/// The most that is kept; beyond it everything is asked for again.
const MAX: usize = 10_000;

/// What a function said.
#[derive(Debug, Clone)]
pub(super) struct CachedAuthorization(pub Value);

/// Everything kept, with the second it ends.
#[derive(Debug, Default)]
pub(super) struct Authorizations(Mutex<HashMap<String, (CachedAuthorization, i64)>>);

impl Authorizations {
    /// What is known, if it still holds.
    pub fn get(&self, key: &str, now: Timestamp) -> Option<CachedAuthorization> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|(_, until)| now.as_second() < *until).map(|(kept, _)| kept.clone())
    }

    /// Keeps a word for so many seconds.
    pub fn keep(&self, key: String, word: CachedAuthorization, now: Timestamp, seconds: i64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX {
            kept.clear();
        }
        kept.insert(key, (word, now.as_second().saturating_add(seconds)));
    }
}
