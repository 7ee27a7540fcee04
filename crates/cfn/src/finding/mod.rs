//! What is wrong, where, and what to do about it: the one vocabulary every module reports problems in.

pub mod code;
mod places;
mod registry;

use std::fmt;

use serde::Serialize;

pub use code::Code;
pub use places::TemplatePlaces;
pub use registry::{FINDINGS, FindingGroup, FindingKind, finding_kind};

/// How much a finding weighs: an error stops the verb, a warning is shown and does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is sent while one of these stands.
    Error,
    /// Works, but probably not as meant.
    Warning,
    /// Worth knowing; needs no action.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        })
    }
}

/// A place in a file a person can open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file as the user named it, relative where they gave it relative.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One problem, with a stable code that documentation, suppressions and CI can rely on.
///
/// Codes are a letter for the module and three digits: `S` spec and YAML, `R` render, `T` template against the provider
/// schemas, `L` limits, `I` IAM, `B` Bedrock facts, `A` artifacts, `C` AWS calls and credentials, `D` deploying,
/// `P` project file and command line. [`FINDINGS`] lists them all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// For example `S012`.
    pub code: Code,
    /// How much it weighs.
    pub severity: Severity,
    /// One sentence, no trailing full stop, literals in backticks.
    pub message: String,
    /// Where in the spec, when it has a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Where in the rendered template, as a path such as `Resources/DesignFunction/Properties/Timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_path: Option<String>,
    /// The next step, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Finding {
    /// An error with no place yet; add them with [`Finding::at`] and [`Finding::help`].
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning with no place yet.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// A note with no place yet.
    pub fn note(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message)
    }

    fn new(code: Code, severity: Severity, message: impl Into<String>) -> Self {
        debug_assert!(
            finding_kind(code.as_str()).is_some_and(|(_, kind)| kind.severity.contains(&severity.to_string())),
            "{code} is not registered as {severity}"
        );
        Self { code, severity, message: message.into(), place: None, template_path: None, help: None }
    }

    /// The same finding where it need not stop the verb.
    #[must_use]
    pub fn as_warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// The same finding where the spec accepts it, with the reason.
    #[must_use]
    pub fn accepted(self, reason: &str) -> Self {
        let message = format!("{}; accepted: {}", self.message, reason.trim());
        Self { severity: Severity::Note, help: None, message, ..self }
    }

    /// The same finding at a place in the spec.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// The same finding at a place where one is known, else where it is.
    #[must_use]
    pub fn at_known(self, place: Option<Place>) -> Self {
        if place.is_some() { self.at(place) } else { self }
    }

    /// The same finding at a path in the template.
    #[must_use]
    pub fn in_template(mut self, path: impl Into<String>) -> Self {
        self.template_path = Some(path.into());
        self
    }

    /// The same finding with its next step.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity, self.code, self.message)
    }
}

impl std::error::Error for Finding {}

/// Whether any of these stops the verb.
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}
