//! Smoke tests: a line each, and JUnit XML for a pipeline.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::findings::{on_one_line, printable};
use super::style::{Styles, duration, paint};
use crate::engine::SmokeResult;

/// Characters of a test's name in a line; a prompt may be a paragraph.
const NAME: usize = 100;

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

/// The results of each stack as JUnit XML, with a suite a stack.
pub fn junit(suites: &[(String, Vec<SmokeResult>)]) -> String {
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

    #[test]
    fn junit_reads_back_whatever_the_test_is_called() {
        let xml = junit(&[("a-dev".into(), vec![result(true), result(false)])]);
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
