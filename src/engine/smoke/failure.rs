//! Why a test failed, and whether a moment may change that.

use crate::finding::{Code, code};

/// Why a test failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The code of its finding.
    pub(super) code: Code,
    /// What was not met, by its way from the test, such as `expect/body/contains`; empty for the test itself.
    pub(super) at: String,
    /// Why, in words.
    pub(super) reason: String,
    /// What came back may be right in a moment: see [`unsettled`].
    pub(super) unsettled: bool,
}

impl Failure {
    /// Something came back that is not as it is expected.
    pub(super) fn unmet(at: impl Into<String>, reason: String) -> Self {
        Self { code: code::D060, at: at.into(), reason, unsettled: false }
    }

    /// The same, and worth another try: what was asked for may not be found yet. Retrieve can lag behind the end of an
    /// ingestion job by a second or more. Source: github.com/strands-agents/harness-sdk issue 3954 (2026-08).
    #[must_use]
    pub(super) fn early(self) -> Self {
        Self { unsettled: true, ..self }
    }

    /// Nothing came back, or a service refused.
    pub(super) fn unanswered(reason: String) -> Self {
        let unsettled = unsettled(None, &reason);
        Self { code: code::D061, at: String::new(), reason, unsettled }
    }
}

/// Words of an answer that a moment may change, in lower case.
const UNSETTLED: [&str; 7] = [
    "accessdenied",
    "not authorized to perform",
    "could not be asked",
    "dependencyfailed",
    "serviceunavailable",
    "throttl",
    "toomanyrequests",
];

/// Whether what came back may be right in a moment: refused, throttled or broken.
pub(super) fn unsettled(status: Option<u16>, said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    status.is_some_and(|status| matches!(status, 403 | 429 | 500..)) || UNSETTLED.iter().any(|word| said.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_moment_may_change_is_tried_again() {
        assert!(unsettled(Some(403), "") && unsettled(Some(503), "") && unsettled(Some(429), ""));
        assert!(unsettled(None, "Bedrock answered 403 AccessDeniedException: no"));
        assert!(unsettled(None, "the function failed: ... is not authorized to perform: s3:PutObject"));
        assert!(unsettled(None, "Bedrock broke off with throttlingException: Slow down"));
        assert!(
            !unsettled(Some(200), "Pending") && !unsettled(Some(404), "gone") && !unsettled(None, "division by zero")
        );
    }
}
