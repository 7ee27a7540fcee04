//! Smoke tests, a line each, and how trying them ended.

use std::fmt::Write as _;

use super::conclusion::{Concluded, Words, passed};
use super::findings::{on_one_line, printable};
use super::style::{Styles, duration, paint};
use crate::engine::{Outcome, SmokeResult, SmokeResults};

/// Characters of a test's name in a line; a prompt may be a paragraph.
const NAME: usize = 100;

impl Concluded for SmokeResults {
    fn line(&self, outcome: Outcome, words: &Words<'_>) -> Option<String> {
        match outcome {
            Outcome::Tested => {
                Some(format!("{} {} in {}: {}", words.good("tried"), words.stack, words.took, passed(&self.smoke)))
            }
            Outcome::SmokeFailed => Some(words.not_passed(&self.smoke)),
            Outcome::Untested => Some(words.untested()),
            _ => None,
        }
    }
}

/// `ok` or `FAILED`, the test, and how long it took; under a failure why, and where the spec says so.
pub fn line(result: &SmokeResult, styles: &Styles) -> String {
    let word = if result.ok { paint(styles.good, "ok    ") } else { paint(styles.bad, "FAILED") };
    let mut name: String = result.name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.chars().count() > NAME {
        name = name.chars().take(NAME).chain(['…']).collect();
    }
    let mut line =
        format!("{word} {} {}", on_one_line(&name), paint(styles.dim, format!("in {}", duration(result.elapsed))));
    if let Some(reason) = &result.reason {
        let _ = write!(line, "\n{:10}{}", "", printable(reason));
    }
    if let Some(place) = result.place.as_ref().filter(|_| !result.ok) {
        let _ = write!(line, "\n{:10}{}", "", paint(styles.dim, format!("--> {}", on_one_line(&place.to_string()))));
    }
    line
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::finding::Place;

    fn result(ok: bool) -> SmokeResult {
        SmokeResult {
            name: "GET apis.a /x?prompt=the \"best\" <dog> & cat".into(),
            ok,
            reason: (!ok).then(|| "answered 500, expected 200: \u{1b}[2J".into()),
            elapsed: Duration::from_millis(1_250),
            place: Some(Place { file: "usecase.yaml".into(), line: 7, column: 5 }),
        }
    }

    #[test]
    fn a_failure_says_why_and_where() {
        let styles = Styles::new(false);
        assert_eq!(line(&result(true), &styles), "ok     GET apis.a /x?prompt=the \"best\" <dog> & cat in 1.2s");
        let failed = line(&result(false), &styles);
        assert!(
            failed.ends_with(
                "in 1.2s\n          answered 500, expected 200: \u{fffd}[2J\n          --> usecase.yaml:7:5"
            ),
            "{failed}"
        );
    }
}
