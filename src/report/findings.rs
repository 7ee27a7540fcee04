//! Findings for a person (with the line they are about), for a program (JSON) and for GitHub (annotations).

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::style::{Styles, count, paint};
use crate::credentials::masked;
use crate::finding::{Finding, Place, Severity};
use crate::terminal::drives_a_terminal;

/// Gives the text of a file a finding points into, when it can be had.
pub type Sources = fn(&str) -> Option<String>;

/// The longest stretch of a source line shown; a minified file must not flood the terminal.
const LINE_SHOWN: usize = 160;

/// The longest message or hint shown; a name can be as long as a file.
const TEXT_SHOWN: usize = 2_000;

/// How many findings of one run are shown to a person; the JSON format has them all.
const MOST_SHOWN: usize = 100;

/// Findings as a person reads them, each with its place, the line and a hint; of very many the first, and how many more there
/// are.
pub fn text(findings: &[Finding], styles: &Styles, sources: Sources) -> String {
    let mut out = String::new();
    let mut lines = SourceLines { sources, last: None };
    for finding in findings.iter().take(MOST_SHOWN) {
        write_finding(&mut out, finding, styles, &mut lines);
        out.push('\n');
    }
    if let Some(more) = more(findings) {
        let _ = writeln!(out, "{more}\n");
    }
    out
}

/// What is said of the findings that are not shown.
fn more(findings: &[Finding]) -> Option<String> {
    let more = findings.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0)?;
    Some(format!("and {more} more, which `--format json` has all of"))
}

/// The lines of the files that findings are about. Findings of one file come one after the other, and it is read once.
struct SourceLines {
    sources: Sources,
    last: Option<(String, Option<String>)>,
}

impl SourceLines {
    fn line(&mut self, place: &Place) -> Option<&str> {
        if self.last.as_ref().is_none_or(|(file, _)| *file != place.file) {
            self.last = Some((place.file.clone(), (self.sources)(&place.file)));
        }
        let text = self.last.as_ref().and_then(|(_, text)| text.as_deref())?;
        text.lines().nth(place.line.checked_sub(1)?)
    }
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
    let findings: Vec<Finding> = findings.iter().cloned().map(without_credentials).collect();
    json!({
        "errors": number(Severity::Error),
        "warnings": number(Severity::Warning),
        "notes": number(Severity::Note),
        "findings": findings,
    })
}

fn without_credentials(mut finding: Finding) -> Finding {
    for text in
        [Some(&mut finding.message), finding.help.as_mut(), finding.template_path.as_mut()].into_iter().flatten()
    {
        if let Cow::Owned(other) = masked(text) {
            *text = other;
        }
    }
    finding
}

/// Findings as GitHub Actions workflow commands, a line each.
///
/// Source of the escapes: GitHub's documentation of workflow commands (`%`, CR and LF in data; `:` and `,` too in
/// properties).
pub fn github(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings.iter().take(MOST_SHOWN) {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let place = match &finding.place {
            Some(Place { file, line, column }) => format!("file={},line={line},col={column},", property(file)),
            None => String::new(),
        };
        let mut message = shortened(&finding.message);
        for (label, extra) in [("in ", &finding.template_path), ("", &finding.help)] {
            if let Some(extra) = extra {
                let _ = write!(message, "\n{label}{}", shortened(extra));
            }
        }
        let _ = writeln!(out, "::{command} {place}title={}::{}", finding.code, data(&message));
    }
    if let Some(more) = more(findings) {
        let _ = writeln!(out, "::notice ::{more}");
    }
    out
}

/// A text in a workflow command: on one line, and with nothing that drives a terminal, which a log can be shown on.
fn data(text: &str) -> String {
    let text: String = text.chars().map(|c| if drives_a_terminal(c) && c != '\n' { '\u{fffd}' } else { c }).collect();
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn write_finding(out: &mut String, finding: &Finding, styles: &Styles, lines: &mut SourceLines) {
    let style = match finding.severity {
        Severity::Error => styles.bad,
        Severity::Warning => styles.warn,
        Severity::Note => styles.info,
    };
    let heading = format!("{}[{}]", finding.severity, finding.code);
    let _ = writeln!(out, "{}: {}", paint(style, heading), paint(styles.strong, said(&finding.message)));
    let mut gutter = 2;
    if let Some(place) = &finding.place {
        let line = lines.line(place);
        gutter = place.line.to_string().len() + 1;
        let pad = " ".repeat(gutter);
        let shown = on_one_line(&place.to_string());
        let _ = writeln!(out, "{}{} {shown}", " ".repeat(gutter - 1), paint(styles.info, "-->"));
        if let Some(line) = line {
            let (shown, column) = window(line, place.column);
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
        let _ = writeln!(out, "{pad}{equals} in the template: {}", said(path));
    }
    if let Some(help) = &finding.help {
        let _ = writeln!(out, "{pad}{equals} help: {}", said(help));
    }
}

/// The stretch of a line around a column (from 1), and where the column is in it (from 0). Credentials in it are masked.
fn window(line: &str, column: usize) -> (String, usize) {
    // No credential is longer: one that the stretch cuts is still known for one.
    const AROUND: usize = 64;
    let at = column.saturating_sub(1);
    let start = if at < LINE_SHOWN * 3 / 4 { 0 } else { at - LINE_SHOWN / 2 };
    let from = start.saturating_sub(AROUND);
    let stretch: String = line.chars().skip(from).take(start - from + LINE_SHOWN + AROUND).collect();
    let shown: String = masked(&stretch)
        .chars()
        .map(|c| if drives_a_terminal(c) { ' ' } else { c })
        .skip(start - from)
        .take(LINE_SHOWN)
        .collect();
    let length = shown.chars().count();
    (shown.trim_end().replace("##[", "## ["), (at - start).min(length))
}

/// Text from a file, a stack or a service: without the characters that could drive a terminal, and without a line that begins
/// like one of ours or like a command to whoever reads the log. A line of it that is not the first is marked.
pub fn printable(text: &str) -> String {
    harmless(text).replace('\n', "\n  | ")
}

/// The same on one line, whatever it holds: names, and values that have a line of their own. It can stand first in the line.
pub fn on_one_line(text: &str) -> String {
    let text = harmless(text).replace(['\n', '\t'], "\u{fffd}");
    // `::error …::` is a command, and `::1` an address.
    let is_command = text.trim_start().strip_prefix("::").is_some_and(|rest| rest.contains("::"));
    if is_command { text.replacen("::", ":\u{fffd}:", 1) } else { text }
}

/// Text without the characters that could drive a terminal, for where its lines are taken apart.
///
/// GitHub reads commands of two forms. The older one counts wherever it stands in a line.
/// Source: `src/Runner.Common/ActionCommand.cs` of github.com/actions/runner, `Prefix`.
pub fn harmless(text: &str) -> String {
    let text: String =
        text.chars().map(|c| if drives_a_terminal(c) && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect();
    text.replace("##[", "##\u{fffd}[")
}

/// A JSON value on one line, in which no text reads as a command of GitHub's.
pub fn json_line(value: &Value) -> String {
    // The mark can only stand in a text, where a character may be written as an escape.
    value.to_string().replace("##[", "#\\u0023[")
}

/// A message or a hint: no longer than anybody reads. A line of it that is not the first does not begin like a line of ours or
/// like a command to whoever reads the log (GitHub's begin with `::`).
fn said(text: &str) -> String {
    printable(&shortened(text))
}

/// A text no longer than anybody reads, and without credentials.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT_SHOWN) {
        Some((end, _)) => format!("{}…", masked(text.get(..end).unwrap_or_default())),
        None => masked(text).into_owned(),
    }
}

/// A line as it goes to a terminal: colours are left in it, and whatever else could drive the terminal is taken out. What is
/// shown is made harmless where it is put together; this holds where that was forgotten.
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| drives_a_terminal(c) && c != '\n' && c != '\t') {
        return Cow::Borrowed(text);
    }
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let colour = rest.strip_prefix("\u{1b}[").and_then(|after| {
            let end = after.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
            after.get(end..)?.starts_with('m').then_some(2 + end + 1)
        });
        let length = colour.unwrap_or(c.len_utf8());
        let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match colour.is_some() || !drives_a_terminal(c) || c == '\n' || c == '\t' {
            true => made.push_str(taken),
            false => made.push('\u{fffd}'),
        }
        rest = after;
    }
    Cow::Owned(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::code;

    fn finding() -> Finding {
        Finding::error(code::S012, "`buckets.poster` is not defined")
            .at(Some(Place { file: "a, b/usecase.yaml".into(), line: 2, column: 11 }))
            .help("did you mean `buckets.posters`?")
    }

    fn source(_: &str) -> Option<String> {
        Some("name: x\n  BUCKET: \"${buckets.poster}\"\n".to_owned())
    }

    #[test]
    fn a_finding_shows_its_line_and_its_hint() {
        let said = text(&[finding()], &Styles::new(false), source);
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
        let said = text(&[beyond], &Styles::new(false), source);
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
        let said = text(&[Finding::error(code::S001, "bad \u{1b}[31m key")], &Styles::new(false), source);
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
        assert_eq!(summary(&[finding(), finding(), Finding::warning(code::D030, "x")]), "2 errors, 1 warning");
    }
}
