//! Whose a stack is: what a run must show before it changes or deletes one.
//!
//! A stack carries the use case and the stage it was made from and its owner, as tags. All three must be the run's own.
//! A stack that was made before there was an owner's tag has none: its use case counts alone, and the next deployment
//! adds the tag.

use super::abort::Abort;
use super::desired::Desired;
use super::run::Run;
use super::status::USE_CASE_TAG;
use crate::aws::{Identity, StackState, StackSummary};
use crate::finding::{Finding, code};

/// The tag that says which stage a stack is.
pub const STAGE_TAG: &str = "bedplate:stage";
/// The tag that says who owns a stack.
pub const OWNER_TAG: &str = "bedplate:owner";
/// The longest value of a tag. Source: `Tag` in the CloudFormation API reference.
const LONGEST_TAG: usize = 256;
/// What the names of IAM roles begin with that IAM Identity Center makes; the session of such a role is named after the
/// person. Source: "Referencing permission sets" in the IAM Identity Center user guide, read 2026-11-29.
const SSO_ROLE: &str = "AWSReservedSSO_";

/// What a run says of the stack it is about.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    /// The use case it is of; without one, a stack of any will do.
    pub use_case: Option<String>,
    /// The stage it is of; without one, a stack of any will do.
    pub stage: Option<String>,
    /// The owner, as the project names it; without one, whoever runs it.
    pub owner: Option<String>,
    /// A stack of another owner will do: it is taken over.
    pub take_over: bool,
    /// Only a stack made by this very run will do.
    pub made_here: Option<MadeHere>,
}

/// The stack a run has made, if it has made one.
#[derive(Debug, Clone, Default)]
pub struct MadeHere {
    /// Its ARN.
    pub stack_id: Option<String>,
}

impl Claim {
    /// The claim of a deployment.
    pub(super) fn for_deployment(desired: &Desired, take_over: bool) -> Self {
        Self {
            use_case: desired.tags.get(USE_CASE_TAG).cloned(),
            stage: desired.tags.get(STAGE_TAG).cloned(),
            owner: desired.owner.clone(),
            take_over,
            made_here: None,
        }
    }

    /// The owner's name.
    pub(super) fn owner(&self, identity: &Identity) -> String {
        self.owner.clone().unwrap_or_else(|| owner_of(&identity.arn))
    }

    /// Refuses a stack that is not this use case's and stage's, or was not made by this run where it must be.
    pub(super) fn refuse_foreign(&self, stack: &StackSummary) -> Result<(), Finding> {
        let differs = |tag: &str, wanted: &Option<String>| wanted.is_some() && stack.tags.get(tag) != wanted.as_ref();
        if differs(USE_CASE_TAG, &self.use_case)
            || (stack.tags.contains_key(STAGE_TAG) && differs(STAGE_TAG, &self.stage))
        {
            return Err(foreign(stack));
        }
        match &self.made_here {
            Some(made) if made.stack_id.as_ref() != Some(&stack.id) => Err(made_elsewhere(stack)),
            _ => Ok(()),
        }
    }

    /// Refuses a stack that is not this use case's and stage's for a verb that only looks at it. One that was made to hold
    /// change sets has no tags of its own yet, and nothing in it to look at.
    pub(super) fn refuse_foreign_read(&self, stack: &StackSummary) -> Result<(), Finding> {
        if stack.state() == StackState::Review { Ok(()) } else { self.refuse_foreign(stack) }
    }

    /// What is to be said of a stack that belongs to another owner; none of one that may be changed.
    pub(super) fn other_owner(&self, stack: &StackSummary, identity: &Identity) -> Option<OtherOwner> {
        let owner = stack.tags.get(OWNER_TAG).filter(|owner| !self.take_over && **owner != self.owner(identity))?;
        Some(OtherOwner { stack: stack.name.clone(), owner: owner.clone(), caller: self.owner(identity) })
    }

    /// Refuses a stack that was only made to hold change sets, unless all of them are this run's use case's. A stack like
    /// that has no tags of its own; its change sets have those that it would get.
    pub(super) async fn refuse_foreign_review(
        &self,
        run: &Run<'_>,
        stack: &StackSummary,
        identity: &Identity,
    ) -> Result<(), Abort> {
        if stack.state() != StackState::Review || self.use_case.is_none() {
            return Ok(());
        }
        let names = run.attempt(run.clients.change_set_names(&stack.id)).await?;
        if names.is_empty() && !self.take_over {
            return Err(empty_review(stack).into());
        }
        for name in names {
            let tags = run.attempt(run.clients.change_set_tags(&stack.id, &name)).await?;
            let of_change_set = StackSummary { tags, ..stack.clone() };
            // Who has made a change set here has made the stack for it.
            let claim = Claim { made_here: None, ..self.clone() };
            if claim.refuse_foreign(&of_change_set).is_err() {
                return Err(foreign_review(stack, &name).into());
            }
            if let Some(other) = self.other_owner(&of_change_set, identity) {
                return Err(other.refusal().into());
            }
        }
        Ok(())
    }
}

/// A stack that belongs to another owner.
#[derive(Debug)]
pub(super) struct OtherOwner {
    stack: String,
    owner: String,
    caller: String,
}

impl OtherOwner {
    fn message(&self) -> String {
        format!("the stack `{}` belongs to `{}`, and this run is by `{}`", self.stack, self.owner, self.caller)
    }

    /// For a run that would change it.
    pub(super) fn refusal(&self) -> Finding {
        Finding::error(code::D071, self.message()).help(format!(
            "if both are one team, write `owner: {}` into bedplate.yaml; to make it yours, repeat the command with \
             `--take-over`",
            self.owner
        ))
    }

    /// For a run that only looks.
    pub(super) fn warning(&self) -> Finding {
        Finding::warning(code::D072, self.message()).help("a deploy is refused without `--take-over`")
    }
}

/// The owner that an identity stands for: the same in every run, so without the names of sessions. Those of IAM Identity
/// Center are the person's, and the same in every run.
pub fn owner_of(arn: &str) -> String {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    let mut parts = resource.split('/');
    let (kind, name) = (parts.next().unwrap_or_default(), parts.next_back());
    let first = resource.split('/').nth(1).unwrap_or_default();
    let owner = match (kind, name) {
        ("assumed-role", Some(session)) if first.starts_with(SSO_ROLE) => format!("sso/{session}"),
        ("assumed-role", Some(_)) => format!("role/{first}"),
        (kind, Some(name)) => format!("{kind}/{name}"),
        (kind, None) => kind.to_owned(),
    };
    let taken = |c: char| if c.is_alphanumeric() || "_.:/=+-@ ".contains(c) { c } else { '_' };
    owner.chars().map(taken).take(LONGEST_TAG).collect()
}

fn foreign(stack: &StackSummary) -> Finding {
    let whose = match (stack.tags.get(USE_CASE_TAG), stack.tags.get(STAGE_TAG)) {
        (Some(name), Some(stage)) => format!("belongs to the use case `{name}` at the stage `{stage}`"),
        (Some(name), None) => format!("belongs to the use case `{name}`"),
        (None, _) => "was not made by Bedplate".to_owned(),
    };
    Finding::error(code::D012, format!("the stack `{}` {whose}", stack.name))
        .help("it is left alone; choose another name for the use case or another `--stage`")
}

fn made_elsewhere(stack: &StackSummary) -> Finding {
    Finding::error(
        code::D077,
        format!("the stack `{}` was not made by this run, and `--rm` deletes no other", stack.name),
    )
    .help("if it is not needed, run `bedplate destroy`")
}

fn foreign_review(stack: &StackSummary, change_set: &str) -> Finding {
    let message = format!(
        "the stack `{}` is in `{}` and holds the change set `{change_set}`, which is not of this use case",
        stack.name, stack.status
    );
    Finding::error(code::D073, message)
        .help("it is left alone; choose another name for the use case or another `--stage`, or ask its owner")
}

fn empty_review(stack: &StackSummary) -> Finding {
    let message =
        format!("the stack `{}` is in `{}` without a change set, so its owner is not known", stack.name, stack.status);
    Finding::error(code::D073, message).help("it is left alone; if it is yours, repeat the command with `--take-over`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_the_same_in_every_run() {
        for (arn, owner) in [
            ("arn:aws:iam::123456789012:root", "root"),
            ("arn:aws:iam::123456789012:user/ann", "user/ann"),
            ("arn:aws:iam::123456789012:user/team/a/ann", "user/ann"),
            ("arn:aws:sts::123456789012:assumed-role/Deployer/botocore-session-1764000000", "role/Deployer"),
            ("arn:aws:sts::123456789012:assumed-role/Deployer/GitHubActions-17", "role/Deployer"),
            (
                "arn:aws-cn:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann@example.com",
                "sso/ann@example.com",
            ),
            ("arn:aws:sts::123456789012:federated-user/ann", "federated-user/ann"),
            ("nonsense,", "nonsense_"),
        ] {
            assert_eq!(owner_of(arn), owner, "{arn}");
        }
    }
}
