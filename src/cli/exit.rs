//! Exit codes: a stable contract for scripts and CI.

use std::process::ExitCode;

/// How a verb ended. The numbers are documented in the README and never change meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// The spec, a check or AWS said no, or something is missing or not known; the last lines say which.
    Failed,
    /// The command line could not be understood.
    Usage,
    /// `plan --exit-code` found changes.
    ChangesPresent,
    /// The person, or a run without a terminal and without `--yes`, did not approve.
    Declined,
    /// The deploy failed and CloudFormation rolled it back.
    RolledBack,
    /// The stack was left in a failed state that needs a hand.
    FailedState,
    /// Something the target lacks was seen before anything was sent. Kept: nothing ends so today.
    PreflightRefused,
    /// Deployed, but a smoke test failed.
    SmokeFailed,
    /// Destroyed, but something stays.
    LeftoversRemain,
    /// Interrupted; the next run picks up.
    Interrupted,
}

impl Exit {
    /// The number the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::ChangesPresent => 3,
            Exit::Declined => 4,
            Exit::RolledBack => 10,
            Exit::FailedState => 11,
            Exit::PreflightRefused => 12,
            Exit::SmokeFailed => 13,
            Exit::LeftoversRemain => 14,
            Exit::Interrupted => 130,
        }
    }

    /// Its name in the last line of a stream of events, where no stack has an outcome of its own.
    pub fn name(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Failed => "failed",
            Exit::Usage => "usage",
            Exit::ChangesPresent => "changes-present",
            Exit::Declined => "declined",
            Exit::RolledBack => "rolled-back",
            Exit::FailedState => "failed-state",
            Exit::PreflightRefused => "preflight-refused",
            Exit::SmokeFailed => "smoke-failed",
            Exit::LeftoversRemain => "leftovers",
            Exit::Interrupted => "interrupted",
        }
    }

    /// The one to report when several use cases ended differently: the highest number, which is also the most urgent.
    #[must_use]
    pub fn worse(self, other: Exit) -> Exit {
        if other.code() > self.code() { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
