//! The exit codes of the command line: one table, from which the engine's outcomes, `--help`, the README and `docs/ci.md`
//! take theirs.

/// How the process ends: a stable contract for scripts and CI. A code never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitCode {
    /// Done, or nothing to do.
    Done,
    /// Refused, not finished or not known; the last lines say which.
    Failed,
    /// The command line could not be parsed.
    Usage,
    /// `plan --exit-code` found changes.
    ChangesPresent,
    /// Not approved by the user, or not covered by `--yes`.
    Declined,
    /// The deployment failed and CloudFormation rolled it back.
    RolledBack,
    /// The stack was left in a failed state that needs manual work.
    FailedState,
    /// Deployed, but a smoke test failed.
    SmokeFailed,
    /// Destroyed, but something of the stack still exists.
    LeftoversRemain,
    /// Interrupted by a signal.
    Interrupted,
}

/// A row of the table of exit codes.
struct Row {
    code: u8,
    /// The outcome in the last line of `--format json` when no stack has one.
    name: &'static str,
    /// The few words of `--help` and the README.
    summary: &'static str,
    /// The sentence of the documentation.
    meaning: &'static str,
}

impl ExitCode {
    /// All of them, in ascending order.
    pub const ALL: [ExitCode; 10] = [
        ExitCode::Done,
        ExitCode::Failed,
        ExitCode::Usage,
        ExitCode::ChangesPresent,
        ExitCode::Declined,
        ExitCode::RolledBack,
        ExitCode::FailedState,
        ExitCode::SmokeFailed,
        ExitCode::LeftoversRemain,
        ExitCode::Interrupted,
    ];

    const fn row(self) -> Row {
        let (code, name, summary, meaning) = match self {
            ExitCode::Done => (0, "done", "done, or nothing to do", "done, or nothing to do"),
            ExitCode::Failed => (
                1,
                "failed",
                "failed",
                "refused by the spec, a check or the service; or not finished, lost track of, or not known: `outcome` says \
                 which, `done` what had been changed by then",
            ),
            ExitCode::Usage => (2, "usage", "usage error", "the command line could not be parsed; nothing was done"),
            ExitCode::ChangesPresent => (
                3,
                "changes-present",
                "changes present",
                "`plan --exit-code` found that a deploy would change something",
            ),
            ExitCode::Declined => (
                4,
                "declined",
                "declined",
                "not approved, or not allowed: the last lines say which flag would allow it",
            ),
            ExitCode::RolledBack => (
                10,
                "rolled-back",
                "deploy failed and rolled back",
                "failed, and CloudFormation rolled it back; the cause is in the last lines",
            ),
            ExitCode::FailedState => (
                11,
                "failed-state",
                "stack left in a failed state",
                "failed, and the stack needs manual work; the last lines say what",
            ),
            ExitCode::SmokeFailed => (13, "smoke-failed", "smoke test failed", "deployed, and a smoke test failed"),
            ExitCode::LeftoversRemain => (
                14,
                "leftovers",
                "leftovers remain",
                "destroyed, and something of it still exists or could not be verified",
            ),
            ExitCode::Interrupted => {
                (130, "interrupted", "interrupted", "interrupted; the same command resumes the run")
            }
        };
        Row { code, name, summary, meaning }
    }

    /// The number the shell sees.
    pub const fn code(self) -> u8 {
        self.row().code
    }

    /// Its name in the last line of the JSON event stream, when no stack has an outcome of its own.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// What it means, in the few words of `--help`.
    pub const fn summary(self) -> &'static str {
        self.row().summary
    }

    /// What it means, in the sentence of the documentation.
    pub const fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// The one to report when several use cases ended differently: the highest number, which is also the most urgent.
    #[must_use]
    pub fn worse(self, other: ExitCode) -> ExitCode {
        self.max(other)
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(exit: ExitCode) -> Self {
        std::process::ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_variants_is_that_of_the_codes() {
        assert!(ExitCode::ALL.windows(2).all(|pair| pair[0] < pair[1] && pair[0].code() < pair[1].code()));
        assert_eq!(ExitCode::Done.worse(ExitCode::Declined), ExitCode::Declined);
    }
}
