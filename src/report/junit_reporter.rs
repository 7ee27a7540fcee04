//! For a pipeline: the results of smoke tests as a file of JUnit XML, with a suite a stack.
//!
//! The XML is written here: the crate `quick-junit` (0.8) always writes a name for the whole and counts of errors and of disabled
//! tests, of which smoke tests have none, and brings a library of calendars along.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use quick_xml::escape::escape;

use super::reporter::Reporter;
use crate::engine::{Event, EventKind, SmokeResult};
use crate::finding::Finding;

/// Collects how smoke tests end, and writes the file when the verb is over, however it ended.
pub struct JunitReporter<W> {
    write: W,
    suites: Mutex<Suites>,
}

/// The results of a run, stack by stack.
#[derive(Debug, Default)]
struct Suites {
    done: Vec<(String, Vec<SmokeResult>)>,
    /// Of the stack that is worked on.
    current: Vec<SmokeResult>,
}

impl<W: Fn(&str) -> Result<(), Vec<Finding>>> JunitReporter<W> {
    /// Tells whoever reads the file that `write` writes.
    pub fn new(write: W) -> Self {
        Self { write, suites: Mutex::new(Suites::default()) }
    }
}

impl<W: Fn(&str) -> Result<(), Vec<Finding>> + Send + Sync> Reporter for JunitReporter<W> {
    fn event(&self, event: &Event) {
        let mut suites = self.suites.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.what {
            EventKind::SmokeTested { result } => suites.current.push(result.clone()),
            EventKind::Finished { stack, .. } => {
                let results = std::mem::take(&mut suites.current);
                if !results.is_empty() {
                    suites.done.push((stack.clone(), results));
                }
            }
            _ => {}
        }
    }

    fn complete(&self) -> Result<(), Vec<Finding>> {
        let suites = self.suites.lock().unwrap_or_else(PoisonError::into_inner);
        (self.write)(&xml(&suites.done))
    }
}

/// The results of each stack as JUnit XML, with a suite a stack.
fn xml(suites: &[(String, Vec<SmokeResult>)]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (stack, results) in suites {
        let failed = results.iter().filter(|result| !result.ok).count();
        let seconds: f64 = results.iter().map(|result| result.elapsed.as_secs_f64()).sum();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" time=\"{seconds:.3}\">",
            text(stack),
            results.len()
        );
        for result in results {
            let _ = write!(
                xml,
                "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
                text(stack),
                text(&result.name),
                result.elapsed.as_secs_f64()
            );
            if let Some(place) = &result.place {
                let _ = write!(xml, " file=\"{}\" line=\"{}\"", text(&place.file), place.line);
            }
            if result.ok {
                xml.push_str("/>\n");
            } else {
                let reason = text(result.reason.as_deref().unwrap_or("failed"));
                let _ = writeln!(xml, ">\n      <failure message=\"{reason}\"/>\n    </testcase>");
            }
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// A text as XML may hold it: escaped, and without characters that XML has no way to write.
fn text(text: &str) -> String {
    let allowed = |c: char| {
        if (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c }
    };
    // In an attribute a line break reads as a space unless it is written as a reference.
    escape(text.chars().map(allowed).collect::<String>()).replace('\n', "&#10;").replace('\t', "&#9;")
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
    fn junit_reads_back_whatever_the_test_is_called() {
        let xml = xml(&[("a-dev".into(), vec![result(true), result(false)])]);
        let mut reader = quick_xml::Reader::from_str(&xml);
        let mut names = Vec::new();
        loop {
            match reader.read_event().expect("XML") {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                    for attribute in tag.attributes() {
                        let attribute = attribute.expect("an attribute");
                        if tag.name().as_ref() == "testcase" && attribute.key.as_ref() == "name" {
                            let value = quick_xml::escape::unescape(&attribute.value);
                            names.push(value.expect("escapes").into_owned());
                        }
                    }
                }
                _ => {}
            }
        }
        assert_eq!(names, [result(true).name, result(true).name]);
        assert!(xml.contains("tests=\"2\" failures=\"1\"") && !xml.contains('\u{1b}'), "{xml}");
    }
}
