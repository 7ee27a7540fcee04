//! Whether what came back is what is expected.

use std::time::Duration;

use super::{SmokeTest, What};
use crate::aws::Answered;

/// Characters of a body that a reason repeats.
const SHOWN: usize = 200;

impl SmokeTest {
    /// The first expectation that is not met, and in words how; none when all are.
    ///
    /// Without a status in the spec, any below 400 will do. A function that fails meets no expectation.
    pub(super) fn judge(&self, answer: &Answered, elapsed: Duration) -> Option<(&'static str, String)> {
        let Answered { status, body, function_error } = answer;
        let said = shown(body);
        if function_error.is_some() {
            return Some(("", format!("the function failed: {said}")));
        }
        if let What::Invoke { .. } = self.what
            && *status >= 300
        {
            return Some(("", format!("Lambda answered {status}: {said}")));
        }
        let status = match self.what {
            What::Call { .. } => *status,
            // A function behind an API gives the status in what it returns.
            What::Invoke { .. } => own_status(body).unwrap_or(*status),
        };
        match self.expect.status {
            Some(wanted) if wanted != status => {
                return Some(("status", format!("answered {status}, expected {wanted}: {said}")));
            }
            None if status >= 400 => return Some(("", format!("answered {status}: {said}"))),
            _ => {}
        }
        if let Some(expected) = &self.expect.body {
            if let Some(text) = expected.contains.as_ref().filter(|text| !body.contains(text.as_str())) {
                return Some(("contains", format!("`{}` is not in the answer: {said}", shown(text))));
            }
            if let Some(pattern) = &expected.matches {
                // Loading the spec has seen that it is a regular expression.
                let found = regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(body));
                if !found {
                    return Some(("matches", format!("the answer does not match `{}`: {said}", shown(pattern))));
                }
            }
        }
        let within = self.expect.within.filter(|within| elapsed > Duration::from_secs(within.0.into()));
        within.map(|within| ("within", format!("took {:.1} seconds, expected {within} at most", elapsed.as_secs_f64())))
    }
}

fn own_status(body: &str) -> Option<u16> {
    let answer: serde_json::Value = serde_json::from_str(body).ok()?;
    answer.get("statusCode")?.as_u64().and_then(|status| u16::try_from(status).ok())
}

/// The beginning of a text, on one line. The query of an address that is signed beforehand is a credential and is left out.
fn shown(text: &str) -> String {
    if text.trim().is_empty() {
        return "nothing".to_owned();
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut open = String::new();
    let mut rest = text.as_str();
    while let Some((before, query)) = rest.split_once('?') {
        let end = query.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '\\'));
        let (query, after) = query.split_at(end.unwrap_or(query.len()));
        open.push_str(before);
        open.push('?');
        let lower = query.to_ascii_lowercase();
        open.push_str(if lower.contains("signature=") || lower.contains("token=") { "…" } else { query });
        rest = after;
    }
    open.push_str(rest);
    if open.chars().count() > SHOWN {
        open = open.chars().take(SHOWN).chain(['…']).collect();
    }
    open
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::spec::{Expect, ExpectBody, Seconds};

    fn test(invoke: bool, expect: Expect) -> SmokeTest {
        let what = if invoke {
            What::Invoke { function: "F".into(), payload: Vec::new() }
        } else {
            let (output, method, target) = ("AUrl".into(), "GET".into(), "/".into());
            What::Call { output, method, target, body: None, signed: false }
        };
        SmokeTest { name: "t".into(), place: None, what, expect, places: BTreeMap::new() }
    }

    fn answer(status: u16, body: &str) -> Answered {
        Answered { status, body: body.into(), function_error: None }
    }

    #[test]
    fn each_expectation_is_told_by_name() {
        let body = Some(ExpectBody { matches: Some("^a+$".into()), contains: Some("a".into()) });
        let test = test(false, Expect { status: Some(200), body, within: Some(Seconds(2)) });
        let said = |status, body, millis| test.judge(&answer(status, body), Duration::from_millis(millis));
        assert_eq!(said(200, "aaa", 2_000), None);
        assert_eq!(said(404, "gone", 1).expect("a reason"), ("status", "answered 404, expected 200: gone".into()));
        assert_eq!(said(200, "b", 1).expect("a reason"), ("contains", "`a` is not in the answer: b".into()));
        assert_eq!(said(200, "ab", 1).expect("a reason").0, "matches");
        assert_eq!(
            said(200, "a", 2_100).expect("a reason"),
            ("within", "took 2.1 seconds, expected 2s at most".into())
        );
    }

    #[test]
    fn without_expectations_an_error_still_fails() {
        let call = test(false, Expect::default());
        assert_eq!(call.judge(&answer(302, ""), Duration::ZERO), None);
        assert_eq!(call.judge(&answer(500, ""), Duration::ZERO), Some(("", "answered 500: nothing".into())));
        let invoke = test(true, Expect::default());
        let failed = Answered { function_error: Some("Unhandled".into()), ..answer(200, "{\"errorMessage\":\"no\"}") };
        assert!(invoke.judge(&failed, Duration::ZERO).is_some_and(|(_, said)| said.contains("the function failed")));
        assert!(invoke.judge(&answer(200, "{\"statusCode\": 500}"), Duration::ZERO).is_some());
        assert_eq!(invoke.judge(&answer(200, "null"), Duration::ZERO), None);
    }

    #[test]
    fn a_reason_repeats_no_signature_and_no_novel() {
        let said = shown("\"https://b.s3/x.png?X-Amz-Signature=5ec4e7\" or\n https://a/?q=1");
        assert_eq!(said, "\"https://b.s3/x.png?…\" or https://a/?q=1");
        assert_eq!(shown(&"x".repeat(900)).chars().count(), SHOWN + 1);
    }
}
