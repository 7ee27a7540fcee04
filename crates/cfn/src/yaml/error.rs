//! What can be wrong with a YAML file, each with its place.

use std::fmt;

use super::MAX_BYTES;
use crate::finding::{Code, Finding, Place, code};

/// A class of YAML problem; each has its own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YamlErrorKind {
    /// Not well-formed YAML.
    Syntax,
    /// The same key twice in one mapping.
    DuplicateKey,
    /// Larger than [`MAX_BYTES`].
    TooLarge,
    /// Not text: invalid UTF-8 or control characters.
    NotText,
    /// Nested too deep, or aliases that expand without bound.
    TooDeep,
    /// Well-formed YAML that has no place here: tags, merge keys, several documents, keys that are not text, NaN.
    Unsupported,
}

impl YamlErrorKind {
    /// The code under which `docs/findings.md` lists it.
    pub fn code(self) -> Code {
        match self {
            YamlErrorKind::Syntax => code::S001,
            YamlErrorKind::DuplicateKey => code::S002,
            YamlErrorKind::TooLarge => code::S003,
            YamlErrorKind::NotText => code::S004,
            YamlErrorKind::TooDeep => code::S005,
            YamlErrorKind::Unsupported => code::S006,
        }
    }
}

/// Why a text is not a document we take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// Its class.
    pub kind: YamlErrorKind,
    /// One sentence, no trailing full stop.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// The next step, where there is one.
    pub help: Option<String>,
}

impl YamlError {
    pub(super) fn new(kind: YamlErrorKind, (line, column): (usize, usize), message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), line, column, help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The problem as a finding in the file a user named.
    pub fn finding(&self, file: &str) -> Finding {
        let place = Place { file: file.to_owned(), line: self.line, column: self.column };
        let finding = Finding::error(self.kind.code(), self.message.clone()).at(Some(place));
        match &self.help {
            Some(help) => finding.help(help.clone()),
            None => finding,
        }
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {} column {}", self.message, self.line, self.column)
    }
}

impl std::error::Error for YamlError {}

/// Refuses what is larger than [`MAX_BYTES`].
pub(super) fn within_size(bytes: usize) -> Result<(), YamlError> {
    if bytes <= MAX_BYTES { Ok(()) } else { Err(too_large(bytes as u64)) }
}

/// The error for a file of so many bytes.
pub fn too_large(bytes: u64) -> YamlError {
    let message = format!("the file is {} and at most 1 MiB is read", size(bytes));
    YamlError::new(YamlErrorKind::TooLarge, (1, 1), message)
        .help("check that this is the file you meant; data belongs beside the spec, not in it")
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{bytes} bytes"),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

/// The error for bytes that stop being UTF-8 at an offset.
pub(super) fn not_utf8(bytes: &[u8], at: usize) -> YamlError {
    let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or_default());
    let message = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file is UTF-16, not UTF-8",
        _ => "the file is not UTF-8 text",
    };
    YamlError::new(YamlErrorKind::NotText, end_of(&before), message)
        .help("save it as UTF-8, or check that it is the file you meant")
}

/// Refuses control characters: the two YAML parsers disagree about them, and no author types them.
pub(super) fn only_printable(text: &str) -> Result<(), YamlError> {
    // U+0080 to U+009F begin with the byte c2.
    if !text.bytes().any(|byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r') || matches!(byte, 0x7f | 0xc2)) {
        return Ok(());
    }
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    let Some((at, c)) = text.char_indices().find(|(_, c)| control(*c)) else { return Ok(()) };
    let place = end_of(text.get(..at).unwrap_or_default());
    Err(YamlError::new(
        YamlErrorKind::NotText,
        place,
        format!("the file holds the control character U+{:04X}", c as u32),
    )
    .help(r#"write it as an escape in double quotes, such as "\u0007", or check that this is a text file"#))
}

/// The place just after a text.
fn end_of(text: &str) -> (usize, usize) {
    let line = text.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
