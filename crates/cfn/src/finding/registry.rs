//! The registry of findings: every code, what it means and what to do. It is `schemas/findings.json`, which the build turns
//! into a table; `docs/findings.md` and `bedplate explain` come from it.

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingKind {
    /// Its code, for example `S012`.
    pub code: &'static str,
    /// How much it weighs, such as `error`; with more than one, when it is which.
    pub severity: &'static str,
    /// What is wrong, as a sentence without a full stop.
    pub title: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// Whether a spec may accept it, with a reason.
    pub acceptable: bool,
    /// A short spec of which `bedplate check` says this, where there is one.
    pub example: Option<&'static str>,
}

/// The findings whose codes begin with the same letter: those of one part of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingGroup {
    /// The letter.
    pub letter: &'static str,
    /// The part of the program.
    pub title: &'static str,
    /// Its findings, ordered by code.
    pub kinds: &'static [FindingKind],
}

/// All findings there are.
pub static FINDINGS: &[FindingGroup] = include!(concat!(env!("OUT_DIR"), "/findings.rs"));

/// The kind of finding with a code, and the group it belongs to; the code may be in lower case.
pub fn finding_kind(code: &str) -> Option<(&'static FindingGroup, &'static FindingKind)> {
    let kinds = FINDINGS.iter().flat_map(|group| group.kinds.iter().map(move |kind| (group, kind)));
    kinds.into_iter().find(|(_, kind)| kind.code.eq_ignore_ascii_case(code))
}
