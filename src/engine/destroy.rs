//! Destroying: what will go and what will stay, approval, buckets emptied, the stack deleted, its artifacts removed, and
//! proof.

use super::abort::Abort;
use super::artifact_names::folder;
use super::bucket_origin::{BucketOrigin, bucket_origin};
use super::causes::explain;
use super::claim::Claim;
use super::desired::BUCKET_PARAMETER;
use super::destroy_plan::{DestroyPlan, Disposition, Leftover, PlannedDeletion};
use super::effect::Effect;
use super::empty::empty;
use super::events::{EngineVerb, EventEmitter, EventKind};
use super::follow::wait_for;
use super::inventory::{artifacts_of, inventory, orphans};
use super::outcome::Outcome;
use super::reports::DestroyReport;
use super::run::{Approver, Proposal, Run};
use super::teardown::tear_down;
use crate::aws::{CallErrorKind, Identity, StackState, StackSummary};
use crate::finding::{Finding, code};

/// Takes a stack of a use case away with everything that belongs to it, and proves it.
///
/// A stack of another use case, of none, or of another owner than the caller is left alone.
pub async fn destroy(run: &Run<'_>, stack: &str, use_case: Option<&str>, approver: &dyn Approver) -> DestroyReport {
    let claim = Claim { use_case: use_case.map(str::to_owned), ..Claim::default() };
    destroy_claimed(run, stack, &claim, approver).await
}

/// The same with everything a run can say of the stack that it is about: one that does not fit is left alone.
pub async fn destroy_claimed(run: &Run<'_>, stack: &str, claim: &Claim, approver: &dyn Approver) -> DestroyReport {
    let emitter = EventEmitter::new(run.events);
    run.ledger().set_use_case(stack, claim.use_case.as_deref());
    let result = Destruction { run, emitter: &emitter, name: stack, claim, approver }.carry_out().await;
    run.finish(&emitter, stack, result)
}

struct Destruction<'a> {
    run: &'a Run<'a>,
    emitter: &'a EventEmitter<'a>,
    name: &'a str,
    claim: &'a Claim,
    approver: &'a dyn Approver,
}

impl Destruction<'_> {
    async fn carry_out(&self) -> Result<DestroyReport, Abort> {
        let identity = self.run.start(self.emitter, EngineVerb::Destroy, self.name).await?;
        let stack = self.find(&identity).await?;
        if let Some(stack) = &stack {
            self.refuse_in_use(stack).await?;
        }
        let Some(mut destroy_plan) = self.destroy_plan(&identity, stack.as_ref()).await? else {
            return Ok(self.absent(&identity));
        };
        self.emitter.emit(EventKind::DestroyPlanReady { destroy_plan: Box::new(destroy_plan.clone()) });
        let uncovered = self.approver.uncovered(&Proposal::Destroy(&destroy_plan));
        if !uncovered.is_empty() {
            let mut report = self.report(Outcome::Declined, &identity, Some(destroy_plan));
            report.findings = uncovered;
            return Ok(report);
        }
        if !self.run.unless_cancelled(self.approver.approve(Proposal::Destroy(&destroy_plan))).await? {
            return Ok(self.report(Outcome::Declined, &identity, Some(destroy_plan)));
        }
        let Some(stack) = stack else {
            return self.clean_up(&identity, None, destroy_plan).await;
        };
        match tear_down(self.run, self.emitter, &stack, &mut destroy_plan.resources).await {
            Ok(end) if StackState::from_status(&end.status) == StackState::Deleted => {
                self.clean_up(&identity, Some(&stack), destroy_plan).await
            }
            Ok(end) => {
                // Back in a good state: CloudFormation took the request and then would not do it.
                let good = StackState::from_status(&end.status) == StackState::Good;
                let outcome = if good { Outcome::Failed } else { Outcome::FailedState };
                let mut report = self.report(outcome, &identity, Some(destroy_plan));
                report.findings = explain(self.name, &end, &crate::finding::TemplatePlaces::default());
                report.results.stack_id = Some(stack.id);
                report.results.status = Some(end.status);
                Ok(report)
            }
            Err(Abort::Interrupted) => Ok(self.interrupted(&identity, destroy_plan)),
            Err(Abort::Failed(mut findings)) => {
                findings.extend(self.still_there());
                Err(Abort::Failed(findings))
            }
        }
    }

    /// The stack itself, when things of it are gone and its deletion was not begun.
    fn still_there(&self) -> Option<Finding> {
        let account = self.run.ledger().account(self.run.clients.region());
        if account.is_empty() || account.running().is_some() || account.stack_state_is_unknown() {
            return None;
        }
        let message = format!("the stack `{}` still exists, without what was deleted so far", self.name);
        Some(Finding::note(code::D097, message).help(self.again()))
    }

    /// What remains to do once the stack is gone: buckets it forgot, its artifacts, and the proof. What breaks off here has
    /// left the stack deleted, and perhaps something of it behind.
    async fn clean_up(
        &self,
        identity: &Identity,
        stack: Option<&StackSummary>,
        destroy_plan: DestroyPlan,
    ) -> Result<DestroyReport, Abort> {
        let rest = async {
            if let Some(stack) = stack {
                self.remove_orphans(identity, stack, &destroy_plan).await?;
            }
            self.remove_artifacts(identity).await?;
            self.run.unless_cancelled(self.proven(identity, stack, destroy_plan.clone())).await?
        };
        match rest.await {
            Err(Abort::Interrupted) => Ok(self.interrupted(identity, destroy_plan)),
            Err(Abort::Failed(findings)) if stack.is_some() => {
                let mut report = self.report(Outcome::Leftovers, identity, Some(destroy_plan));
                report.results.stack_id = stack.map(|stack| stack.id.clone());
                report.results.status = Some("DELETE_COMPLETE".to_owned());
                report.findings = findings;
                let message =
                    format!("`{}` is deleted; it could not be found out whether everything of it is", self.name);
                report.findings.push(Finding::error(code::D093, message).help(self.again()));
                Ok(report)
            }
            ended => ended,
        }
    }

    fn again(&self) -> String {
        format!("run `{}` again: it deletes the rest and proves it", self.run.ledger().command("destroy"))
    }

    /// The stack, at rest, and ours.
    async fn find(&self, identity: &Identity) -> Result<Option<StackSummary>, Abort> {
        loop {
            let Some(stack) = self.run.attempt(self.run.clients.stack(self.name)).await? else {
                return Ok(None);
            };
            if stack.state() == StackState::Review {
                self.claim.refuse_foreign_review(self.run, &stack, identity).await?;
            } else {
                self.claim.refuse_foreign(&stack)?;
                if let Some(other) = self.claim.other_owner(&stack, identity) {
                    return Err(other.refusal().into());
                }
            }
            if stack.termination_protection {
                return Err(protected(&stack).into());
            }
            match stack.state() {
                StackState::InProgress => wait_for(self.run, self.emitter, &stack).await?,
                StackState::Deleted => return Ok(None),
                _ => return Ok(Some(stack)),
            }
        }
    }

    /// CloudFormation refuses to delete what another stack imports, but only after the buckets are emptied: so first.
    async fn refuse_in_use(&self, stack: &StackSummary) -> Result<(), Abort> {
        for output in &stack.outputs {
            let Some(export) = &output.export else { continue };
            let importers = self.run.attempt(self.run.clients.importers(export)).await?;
            if !importers.is_empty() {
                let message =
                    format!("`{export}`, an export of `{}`, is in use by `{}`", stack.name, importers.join("`, `"));
                return Err(Finding::error(code::D029, message).help("destroy what uses it first").into());
            }
        }
        Ok(())
    }

    /// None when there is nothing at all to remove.
    async fn destroy_plan(
        &self,
        identity: &Identity,
        stack: Option<&StackSummary>,
    ) -> Result<Option<DestroyPlan>, Abort> {
        let (mut resources, mut stays) = match stack {
            Some(stack) => inventory(self.run, &stack.id).await?,
            None => Default::default(),
        };
        if let Some(stack) = stack {
            let (buckets, others) = orphans(self.run, &stack.id, &resources).await?;
            resources.extend(buckets);
            stays.extend(others);
        }
        let artifacts = artifacts_of(self.run, &identity.account, self.name).await?;
        if let Some(stack) = stack {
            stays.extend(self.left_artifacts(stack, artifacts.as_ref().map(|(name, _)| name.as_str())).await?);
        }
        let (artifact_bucket, artifacts) = artifacts.map_or((None, Default::default()), |(name, it)| (Some(name), it));
        if stack.is_none() && artifacts.count == 0 {
            return Ok(None);
        }
        Ok(Some(DestroyPlan {
            stack: self.name.to_owned(),
            account: identity.account.clone(),
            region: self.run.clients.region().to_owned(),
            status: stack.map_or_else(|| "DELETE_COMPLETE".to_owned(), |stack| stack.status.clone()),
            resources,
            artifacts,
            artifact_bucket,
            stays,
        }))
    }

    /// The folder of a stack's files in a bucket that is not, or no longer, this account's artifact bucket; the stack's own
    /// parameters say where they are.
    async fn left_artifacts(&self, stack: &StackSummary, own: Option<&str>) -> Result<Option<Leftover>, Abort> {
        let bucket = stack.parameters.get(BUCKET_PARAMETER).map(String::as_str);
        let Some(bucket) = bucket.filter(|bucket| own != Some(*bucket)) else { return Ok(None) };
        match self.run.unless_cancelled(self.run.clients.bucket_exists(bucket)).await? {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) if error.kind == CallErrorKind::Denied => {}
            Err(error) => return Err(error.into()),
        }
        let what = format!("{bucket}/{}", folder(&stack.name));
        let reason = "the bucket is not proven to be this account's artifact bucket, so it is left alone with whatever it \
                      holds of this stack";
        Ok(Some(leftover("AWS::S3::Object", None, &what, reason)))
    }

    /// Deletes the buckets that CloudFormation forgot, if they still are those that the stack made.
    async fn remove_orphans(
        &self,
        identity: &Identity,
        stack: &StackSummary,
        destroy_plan: &DestroyPlan,
    ) -> Result<(), Abort> {
        for bucket in destroy_plan.orphaned_buckets() {
            let origin = self.run.unless_cancelled(bucket_origin(self.run.clients, bucket, &stack.id)).await?;
            let deleted = match origin {
                Ok(BucketOrigin::Stack) => {
                    let effect = Effect::BucketDeletion { bucket: bucket.to_owned() };
                    let deleted = self.run.effect(effect, self.run.clients.delete_bucket(bucket, &identity.account));
                    self.run.until_answered(deleted).await?.map_err(|failed| failed.error)
                }
                Ok(BucketOrigin::Gone | BucketOrigin::Other(_)) => Ok(()),
                Err(error) => Err(error),
            };
            // What keeps one from going is told by the proof: it still answers.
            if let Err(error) = deleted {
                self.emitter.emit(EventKind::Warning { finding: error.finding() });
            }
        }
        Ok(())
    }

    /// Deletes the stack's files in the artifact bucket, unless there is a stack of that name once more, whose files they
    /// may be.
    async fn remove_artifacts(&self, identity: &Identity) -> Result<(), Abort> {
        let again = self.run.attempt(self.run.clients.stack(self.name)).await?;
        if again.is_some_and(|stack| stack.state() != StackState::Deleted) {
            let message = format!("there is a stack `{}` again, so its folder in the artifact bucket stays", self.name);
            self.emitter.emit(EventKind::Warning { finding: Finding::warning(code::D078, message) });
            return Ok(());
        }
        if let Some((bucket, _)) = artifacts_of(self.run, &identity.account, self.name).await? {
            empty(self.run, self.emitter, &bucket, Some(&folder(self.name))).await?;
        }
        Ok(())
    }

    /// Asks the services whether what should be gone is gone.
    async fn proven(
        &self,
        identity: &Identity,
        stack: Option<&StackSummary>,
        mut destroy_plan: DestroyPlan,
    ) -> Result<DestroyReport, Abort> {
        let clients = self.run.clients;
        let mut left = Vec::new();
        let again = clients.stack(self.name).await?.filter(|stack| stack.state() != StackState::Deleted);
        if let Some(still) = &again
            && stack.is_none_or(|stack| stack.id == still.id)
        {
            left.push(leftover("AWS::CloudFormation::Stack", None, &still.id, &format!("it is in `{}`", still.status)));
        }
        for resource in destroy_plan.resources.iter().filter(|resource| resource.disposition == Disposition::Deleted) {
            let Some(bucket) = resource.physical_id.as_deref().filter(|_| resource.is_bucket()) else { continue };
            let reason = match bucket_origin(clients, bucket, &resource.stack_id).await {
                // One of the same name that somebody has made since is nothing of this stack.
                Ok(BucketOrigin::Gone | BucketOrigin::Other(_)) => continue,
                Ok(BucketOrigin::Stack) => "it still answers".to_owned(),
                Err(error) => format!("it cannot be found out whether it is deleted: {}", error.finding().message),
            };
            left.push(leftover(&resource.resource_type, Some(&resource.logical_id), bucket, &reason));
        }
        if again.is_none()
            && let Some((bucket, artifacts)) = artifacts_of(self.run, &identity.account, self.name).await?
            && artifacts.count > 0
        {
            let what = format!("{bucket}/{}", folder(self.name));
            left.push(leftover("AWS::S3::Object", None, &what, "artifacts of this stack are still there"));
        }
        destroy_plan.stays = self.stays_at_the_end(&destroy_plan).await;
        let remains = !left.is_empty() || destroy_plan.stays.iter().any(|leftover| !leftover.intended);
        left.extend(destroy_plan.stays.iter().cloned());
        let outcome = if remains { Outcome::Leftovers } else { Outcome::Destroyed };
        let mut report = self.report(outcome, identity, Some(destroy_plan));
        report.results.stack_id = stack.map(|stack| stack.id.clone());
        report.results.status = Some("DELETE_COMPLETE".to_owned());
        let alone: Vec<String> =
            report.results.destroy_plan.iter().flat_map(DestroyPlan::left_alone).map(str::to_owned).collect();
        report.findings.extend(left.iter().filter(|leftover| !leftover.intended).map(|leftover| {
            let (kind, id, reason) = (&leftover.resource_type, &leftover.physical_id, &leftover.reason);
            if alone.contains(id) {
                return Finding::warning(code::D070, format!("`{id}` ({kind}) remains: {reason}"))
                    .help("check who owns it; if it is yours, delete it by hand");
            }
            Finding::error(code::D022, format!("`{id}` ({kind}) remains: {reason}"))
                .help("run `bedplate destroy` again; what it cannot delete has to be deleted by hand")
        }));
        report.results.left = left;
        Ok(report)
    }

    /// What stays, after all that was done: a bucket may have turned out not to be the stack's since the first look, and
    /// one that was left alone may be gone all the same.
    async fn stays_at_the_end(&self, destroy_plan: &DestroyPlan) -> Vec<Leftover> {
        let mut stays: Vec<Leftover> = destroy_plan.stays.clone();
        for resource in destroy_plan.resources.iter().filter(|resource| resource.disposition == Disposition::LeftAlone)
        {
            let of_resource = |leftover: &Leftover| {
                Some(&leftover.physical_id) == resource.physical_id.as_ref()
                    && leftover.logical_id.as_ref() == Some(&resource.logical_id)
            };
            stays.retain(|leftover| !of_resource(leftover));
            let Some(bucket) = resource.physical_id.as_deref() else { continue };
            if matches!(bucket_origin(self.run.clients, bucket, &resource.stack_id).await, Ok(BucketOrigin::Gone)) {
                let message = format!("`{bucket}`, which was to be left alone, no longer exists");
                let finding = Finding::warning(code::D070, message);
                self.emitter.emit(EventKind::Warning {
                    finding: finding
                        .help("this run did not delete it; see the stack's events and the account's CloudTrail"),
                });
                continue;
            }
            stays.extend(PlannedDeletion::leftover(resource));
        }
        stays
    }

    fn absent(&self, identity: &Identity) -> DestroyReport {
        let mut report = self.report(Outcome::Absent, identity, None);
        let (account, region) = (&identity.account, self.run.clients.region());
        let message = format!("there is no stack `{}` in account `{account}`, region `{region}`", self.name);
        report.findings.push(
            Finding::note(code::D023, message)
                .help("if there should be one, check `--profile`, `--region` and `--stage`"),
        );
        report
    }

    fn interrupted(&self, identity: &Identity, destroy_plan: DestroyPlan) -> DestroyReport {
        let mut report = self.report(Outcome::Interrupted, identity, Some(destroy_plan));
        let account = self.run.ledger().account(self.run.clients.region());
        // Nothing at all, or what CloudFormation goes on with, is said in the same words for every verb.
        if account.is_empty() || account.running().is_some() {
            report.findings.push(account.interrupted(self.name));
            return report;
        }
        let message = format!("interrupted while destroying `{}`: {}", self.name, account.aftermath());
        report.findings.push(Finding::note(code::D024, message).help(self.again()));
        report
    }

    fn report(&self, outcome: Outcome, identity: &Identity, destroy_plan: Option<DestroyPlan>) -> DestroyReport {
        let mut report = DestroyReport::new(outcome, self.run.clients.region(), self.name);
        report.account = Some(identity.account.clone());
        report.results.destroy_plan = destroy_plan;
        report
    }
}

fn leftover(resource_type: &str, logical_id: Option<&str>, physical_id: &str, reason: &str) -> Leftover {
    Leftover {
        resource_type: resource_type.to_owned(),
        logical_id: logical_id.map(str::to_owned),
        physical_id: physical_id.to_owned(),
        reason: reason.to_owned(),
        intended: false,
    }
}

fn protected(stack: &StackSummary) -> Finding {
    Finding::error(code::D025, format!("`{}` is protected against termination", stack.name)).help(format!(
        "lift it with `aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name {}`",
        stack.name
    ))
}
