//! How a verb ends, and what it returns.

use std::time::Duration;

use serde::Serialize;

use super::destroy_plan::{DestroyPlan, Leftover};
use super::exit_code::ExitCode;
use super::ledger::Account;
use super::smoke::SmokeResult;
use crate::aws::Output;
use crate::finding::Finding;
use crate::plan::Plan;

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

/// What a verb gives back once it is over; everything before came as events.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// The account.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// The stack's name.
    pub stack: String,
    /// The stack's ARN, once there is one.
    pub stack_id: Option<String>,
    /// The stack's status at the end.
    pub status: Option<String>,
    /// What was planned.
    pub plan: Option<Plan>,
    /// What was to be removed.
    pub destroy_plan: Option<DestroyPlan>,
    /// The outputs after a deployment.
    pub outputs: Vec<Output>,
    /// How each smoke test ended, in order; none were tried when it is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub smoke: Vec<SmokeResult>,
    /// What went wrong, the cause first, and warnings.
    pub findings: Vec<Finding>,
    /// What is still there after a destroy.
    pub left: Vec<Leftover>,
    /// What was changed by the end, and what may have been.
    #[serde(flatten)]
    pub account_of_changes: Account,
    /// From the stack's last event, by this machine's clock on seeing it, to the end of the verb; without what the stack is
    /// filled with then.
    #[serde(skip)]
    pub after_complete: Option<Duration>,
}

impl Report {
    pub(super) fn new(outcome: Outcome, region: &str, stack: &str) -> Self {
        Self {
            outcome,
            account: None,
            region: region.to_owned(),
            stack: stack.to_owned(),
            stack_id: None,
            status: None,
            plan: None,
            destroy_plan: None,
            outputs: Vec::new(),
            smoke: Vec::new(),
            findings: Vec::new(),
            left: Vec::new(),
            account_of_changes: Account::default(),
            after_complete: None,
        }
    }

    /// From seeing the stack's last event to the end of the work after it, filling it aside.
    pub fn stack_complete_to_end(&self) -> Option<Duration> {
        self.after_complete
    }
}
