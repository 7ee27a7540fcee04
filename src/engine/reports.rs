//! What verbs give back once they are over: the same of each, and what only it has.

use std::time::Duration;

use serde::Serialize;

use super::destroy_plan::{DestroyPlan, Leftover};
use super::ledger::Account;
use super::outcome::Outcome;
use super::smoke::SmokeResult;
use crate::aws::Output;
use crate::finding::Finding;
use crate::plan::Plan;

/// What a verb gives back once it is over; everything before came as events.
#[derive(Debug, Clone, Serialize)]
pub struct Report<R> {
    /// How it ended.
    pub outcome: Outcome,
    /// The account.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// The stack's name.
    pub stack: String,
    /// What went wrong, the cause first, and warnings.
    pub findings: Vec<Finding>,
    /// What was changed by the end, and what may have been.
    #[serde(flatten)]
    pub account_of_changes: Account,
    /// What this verb has come to.
    #[serde(flatten)]
    pub results: R,
}

/// What deploying gives back.
pub type DeployReport = Report<DeployResults>;
/// What planning gives back.
pub type PlanReport = Report<PlanResults>;
/// What trying what is deployed gives back.
pub type SmokeReport = Report<SmokeResults>;
/// What destroying gives back.
pub type DestroyReport = Report<DestroyResults>;
/// What making the artifact bucket gives back.
pub type BootstrapReport = Report<BootstrapResults>;

/// What a verb comes to; nothing yet where it stopped early.
pub trait VerbResults: Default {
    /// What is still there of what was to go.
    fn left(&self) -> &[Leftover] {
        &[]
    }
}

impl<R: VerbResults> Report<R> {
    /// A report that is begun.
    pub(super) fn new(outcome: Outcome, region: &str, stack: &str) -> Self {
        Self {
            outcome,
            account: None,
            region: region.to_owned(),
            stack: stack.to_owned(),
            findings: Vec::new(),
            account_of_changes: Account::default(),
            results: R::default(),
        }
    }
}

/// What a deployment comes to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DeployResults {
    /// The stack's ARN, once there is one.
    pub stack_id: Option<String>,
    /// The stack's status at the end.
    pub status: Option<String>,
    /// What was planned.
    pub plan: Option<Plan>,
    /// The outputs.
    pub outputs: Vec<Output>,
    /// How each smoke test ended, in order; none were tried when it is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub smoke: Vec<SmokeResult>,
    /// From the stack's last event, by this machine's clock on seeing it, to the end of the verb; without what the stack is
    /// filled with then.
    #[serde(skip)]
    pub after_complete: Option<Duration>,
}

impl VerbResults for DeployResults {}

/// What planning comes to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PlanResults {
    /// What a deployment would do.
    pub plan: Option<Plan>,
}

impl VerbResults for PlanResults {}

/// What trying comes to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SmokeResults {
    /// How each smoke test ended, in order.
    pub smoke: Vec<SmokeResult>,
}

impl VerbResults for SmokeResults {}

/// What destroying comes to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DestroyResults {
    /// The stack's ARN, where there was one.
    pub stack_id: Option<String>,
    /// The stack's status at the end.
    pub status: Option<String>,
    /// What was to be removed.
    pub destroy_plan: Option<DestroyPlan>,
    /// What is still there.
    pub left: Vec<Leftover>,
}

impl VerbResults for DestroyResults {
    fn left(&self) -> &[Leftover] {
        &self.left
    }
}

/// What making the artifact bucket comes to: the outcome says it all.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct BootstrapResults {}

impl VerbResults for BootstrapResults {}
