//! How a verb ends.

use serde::Serialize;

use super::exit_code::ExitCode;

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The stack is deployed.
    Deployed,
    /// The stack is deployed, and something it was to be filled with is missing.
    Unfinished,
    /// The stack is deployed, and a smoke test of it failed.
    SmokeFailed,
    /// The smoke tests of what is deployed could not be completed, which says nothing of it.
    Untested,
    /// The smoke tests of what is deployed passed.
    Tested,
    /// There was nothing to do.
    NoChange,
    /// A plan was made.
    Planned,
    /// The stack is gone, with everything that belonged to it.
    Destroyed,
    /// There was no such stack.
    Absent,
    /// The artifact bucket is there.
    Ready,
    /// The service or a check said no; what was done by then is in the account of changes.
    Failed,
    /// Whether the stack is being changed is not known: the answer was lost, and nobody could be asked.
    Unknown,
    /// It was begun and could not be followed to its end; CloudFormation goes on.
    OutOfSight,
    /// The answer was no.
    Declined,
    /// It failed and the stack is back where it was, or gone.
    RolledBack,
    /// It failed and the stack stands in a failed state.
    FailedState,
    /// The stack is gone and something of it is still there.
    Leftovers,
    /// The user stopped it.
    Interrupted,
}

impl Outcome {
    /// The exit code of a verb that ended so.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Outcome::Deployed
            | Outcome::NoChange
            | Outcome::Tested
            | Outcome::Planned
            | Outcome::Destroyed
            | Outcome::Absent
            | Outcome::Ready => ExitCode::Done,
            Outcome::Failed | Outcome::Unknown | Outcome::OutOfSight | Outcome::Unfinished | Outcome::Untested => {
                ExitCode::Failed
            }
            Outcome::Declined => ExitCode::Declined,
            Outcome::RolledBack => ExitCode::RolledBack,
            Outcome::FailedState => ExitCode::FailedState,
            Outcome::SmokeFailed => ExitCode::SmokeFailed,
            Outcome::Leftovers => ExitCode::LeftoversRemain,
            Outcome::Interrupted => ExitCode::Interrupted,
        }
    }
}
