//! Findings for a person (with the line they are about), for a program (JSON) and for GitHub (annotations).

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::style::{Styles, count, paint};
use crate::finding::{Finding, Place, Severity};

/// Gives the text of a file a finding points into, when it can be had.
pub type Sources<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The longest stretch of a source line shown; a minified file must not flood the terminal.
const LINE_SHOWN: usize = 160;

/// Findings as a person reads them, each with its place, the line and a hint, and a closing count.
pub fn text(findings: &[Finding], styles: &Styles, sources: Sources<'_>) -> String {
    let mut out = String::new();
    for finding in findings {
        one(&mut out, finding, styles, sources);
        out.push('\n');
    }
    out
}

/// `2 errors, 1 warning`, or `no findings`.
pub fn summary(findings: &[Finding]) -> String {
    let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .filter_map(|severity| {
            let number = findings.iter().filter(|finding| finding.severity == severity).count();
            (number > 0).then(|| count(number, &severity.to_string()))
        })
        .collect();
    if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
}

/// Findings as one JSON value.
pub fn json(findings: &[Finding]) -> Value {
    let number = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    json!({
        "errors": number(Severity::Error),
        "warnings": number(Severity::Warning),
        "notes": number(Severity::Note),
        "findings": findings,
    })
}

/// Findings as GitHub Actions workflow commands, a line each.
///
/// Source of the escapes: GitHub's documentation of workflow commands (`%`, CR and LF in data; `:` and `,` too in
/// properties).
pub fn github(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let place = match &finding.place {
            Some(Place { file, line, column }) => format!("file={},line={line},col={column},", property(file)),
            None => String::new(),
        };
        let mut message = finding.message.clone();
        for (label, extra) in [("in ", &finding.template_path), ("", &finding.help)] {
            if let Some(extra) = extra {
                let _ = write!(message, "\n{label}{extra}");
            }
        }
        let _ = writeln!(out, "::{command} {place}title={}::{}", finding.code, data(&message));
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn one(out: &mut String, finding: &Finding, styles: &Styles, sources: Sources<'_>) {
    let style = match finding.severity {
        Severity::Error => styles.bad,
        Severity::Warning => styles.warn,
        Severity::Note => styles.info,
    };
    let heading = format!("{}[{}]", finding.severity, finding.code);
    let _ = writeln!(out, "{}: {}", paint(style, heading), paint(styles.strong, printable(&finding.message)));
    let mut gutter = 2;
    if let Some(place) = &finding.place {
        let line = sources(&place.file)
            .and_then(|text| place.line.checked_sub(1).and_then(|index| text.lines().nth(index).map(str::to_owned)));
        gutter = place.line.to_string().len() + 1;
        let pad = " ".repeat(gutter);
        let _ = writeln!(out, "{}{} {place}", " ".repeat(gutter - 1), paint(styles.info, "-->"));
        if let Some(line) = line {
            let (shown, column) = window(&line, place.column);
            let bar = paint(styles.info, "|");
            let number = paint(styles.info, place.line);
            let _ = writeln!(out, "{pad}{bar}");
            let _ = writeln!(out, "{number} {bar} {shown}");
            let _ = writeln!(out, "{pad}{bar} {}{}", " ".repeat(column), paint(style, "^"));
        }
    }
    let pad = " ".repeat(gutter);
    let equals = paint(styles.info, "=");
    if let Some(path) = &finding.template_path {
        let _ = writeln!(out, "{pad}{equals} in the template: {}", printable(path));
    }
    if let Some(help) = &finding.help {
        let _ = writeln!(out, "{pad}{equals} help: {}", printable(help));
    }
}

/// The stretch of a line around a column (from 1), and where the column is in it (from 0).
fn window(line: &str, column: usize) -> (String, usize) {
    let chars: Vec<char> = line.chars().map(|c| if c == '\t' || c.is_control() { ' ' } else { c }).collect();
    let at = column.saturating_sub(1).min(chars.len());
    let start = if at < LINE_SHOWN * 3 / 4 { 0 } else { at - LINE_SHOWN / 2 };
    let shown: String = chars.iter().skip(start).take(LINE_SHOWN).collect();
    (shown.trim_end().to_owned(), at - start)
}

/// Text from a file or a service, without the control characters that could drive a terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Finding {
        Finding::error("S012", "`buckets.poster` is not defined")
            .at(Some(Place { file: "a, b/usecase.yaml".into(), line: 2, column: 11 }))
            .help("did you mean `buckets.posters`?")
    }

    fn source(_: &str) -> Option<String> {
        Some("name: x\n  BUCKET: \"${buckets.poster}\"\n".to_owned())
    }

    #[test]
    fn a_finding_shows_its_line_and_its_hint() {
        let said = text(&[finding()], &Styles::new(false), &source);
        insta::assert_snapshot!(said, @r#"
        error[S012]: `buckets.poster` is not defined
         --> a, b/usecase.yaml:2:11
          |
        2 |   BUCKET: "${buckets.poster}"
          |           ^
          = help: did you mean `buckets.posters`?
        "#);
    }

    #[test]
    fn a_place_beyond_the_file_is_shown_without_a_line() {
        let mut beyond = finding();
        beyond.place = Some(Place { file: "x".into(), line: 99, column: 400 });
        let said = text(&[beyond], &Styles::new(false), &source);
        assert!(said.contains("--> x:99:400\n   = help"), "{said}");
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_place() {
        let line = "x".repeat(5_000) + "HERE" + &"y".repeat(5_000);
        let (shown, column) = window(&line, 5_001);
        assert!(shown.len() <= LINE_SHOWN && shown[column..].starts_with("HERE"), "{shown}");
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let said = text(&[Finding::error("S001", "bad \u{1b}[31m key")], &Styles::new(false), &source);
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }

    #[test]
    fn github_annotations_escape_what_would_end_them_early() {
        assert_eq!(
            github(&[finding()]),
            "::error file=a%2C b/usecase.yaml,line=2,col=11,title=S012::`buckets.poster` is not defined%0Adid you mean `buckets.posters`?\n"
        );
    }

    #[test]
    fn the_summary_counts_by_weight() {
        assert_eq!(summary(&[]), "no findings");
        assert_eq!(summary(&[finding(), finding(), Finding::warning("I001", "x")]), "2 errors, 1 warning");
    }
}
