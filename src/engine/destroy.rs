//! Destroying: what will go and what will stay, approval, buckets emptied, the stack deleted, its artifacts removed, and
//! proof.

use super::artifact_names::folder;
use super::bucket_origin::{BucketOrigin, bucket_origin};
use super::causes::explain;
use super::claim::Claim;
use super::effect::Effect;
use super::empty::empty;
use super::events::{EventKind, Teller};
use super::follow::wait_for;
use super::outcome::{Outcome, Report};
use super::removal::{Fate, Leftover, Removal, RemovedResource};
use super::run::{Approver, Proposal, Run};
use super::stop::Stop;
use super::survey::{artifacts_of, orphans, survey};
use super::teardown::tear_down;
use super::wanted::BUCKET_PARAMETER;
use crate::aws::{CallErrorKind, Identity, StackState, StackSummary};
use crate::finding::Finding;

/// Takes a stack of a use case away with everything that belongs to it, and proves it.
///
/// A stack of another use case, of none, or of another owner than the caller is left alone.
pub async fn destroy(run: &Run<'_>, stack: &str, use_case: Option<&str>, approver: &dyn Approver) -> Report {
    let claim = Claim { use_case: use_case.map(str::to_owned), ..Claim::default() };
    destroy_claimed(run, stack, &claim, approver).await
}

/// The same with everything a run can say of the stack that it is about: one that does not fit is left alone.
pub async fn destroy_claimed(run: &Run<'_>, stack: &str, claim: &Claim, approver: &dyn Approver) -> Report {
    let teller = Teller::new(run.events);
    run.ledger().about(stack, claim.use_case.as_deref());
    let result = Destruction { run, teller: &teller, name: stack, claim, approver }.carry_out().await;
    run.finish(&teller, stack, result)
}

struct Destruction<'a> {
    run: &'a Run<'a>,
    teller: &'a Teller<'a>,
    name: &'a str,
    claim: &'a Claim,
    approver: &'a dyn Approver,
}

impl Destruction<'_> {
    async fn carry_out(&self) -> Result<Report, Stop> {
        let identity = self.run.begin(self.teller, "destroy", self.name).await?;
        let stack = self.find(&identity).await?;
        if let Some(stack) = &stack {
            self.refuse_in_use(stack).await?;
        }
        let Some(mut removal) = self.removal(&identity, stack.as_ref()).await? else {
            return Ok(self.absent(&identity));
        };
        self.teller.tell(EventKind::RemovalReady { removal: Box::new(removal.clone()) });
        let uncovered = self.approver.uncovered(&Proposal::Destroy(&removal));
        if !uncovered.is_empty() {
            let mut report = self.report(Outcome::Declined, &identity, Some(removal));
            report.findings = uncovered;
            return Ok(report);
        }
        if !self.run.unless_cancelled(self.approver.approve(Proposal::Destroy(&removal))).await? {
            return Ok(self.report(Outcome::Declined, &identity, Some(removal)));
        }
        let Some(stack) = stack else {
            return self.clean_up(&identity, None, removal).await;
        };
        match tear_down(self.run, self.teller, &stack, &mut removal.resources).await {
            Ok(end) if StackState::of(&end.status) == StackState::Deleted => {
                self.clean_up(&identity, Some(&stack), removal).await
            }
            Ok(end) => {
                // Back in a good state: CloudFormation took the request and then would not do it.
                let good = StackState::of(&end.status) == StackState::Good;
                let outcome = if good { Outcome::Failed } else { Outcome::FailedState };
                let mut report = self.report(outcome, &identity, Some(removal));
                report.findings = explain(self.name, &end, &crate::finding::TemplatePlaces::default());
                report.stack_id = Some(stack.id);
                report.status = Some(end.status);
                Ok(report)
            }
            Err(Stop::Interrupted) => Ok(self.interrupted(&identity, removal)),
            Err(Stop::Failed(mut findings)) => {
                findings.extend(self.still_there());
                Err(Stop::Failed(findings))
            }
        }
    }

    /// The stack itself, when things of it are gone and its deletion was not begun.
    fn still_there(&self) -> Option<Finding> {
        let account = self.run.ledger().account(self.run.clients.region());
        if account.is_empty() || account.running().is_some() || account.doubts_the_stack() {
            return None;
        }
        let message = format!("the stack `{}` still exists, without what was deleted before", self.name);
        Some(Finding::note("D097", message).help(self.again()))
    }

    /// What remains to do once the stack is gone: buckets it forgot, its artifacts, and the proof. What breaks off here has
    /// left the stack deleted, and perhaps something of it behind.
    async fn clean_up(
        &self,
        identity: &Identity,
        stack: Option<&StackSummary>,
        removal: Removal,
    ) -> Result<Report, Stop> {
        let rest = async {
            if let Some(stack) = stack {
                self.remove_orphans(identity, stack, &removal).await?;
            }
            self.remove_artifacts(identity).await?;
            self.run.unless_cancelled(self.proven(identity, stack, removal.clone())).await?
        };
        match rest.await {
            Err(Stop::Interrupted) => Ok(self.interrupted(identity, removal)),
            Err(Stop::Failed(findings)) if stack.is_some() => {
                let mut report = self.report(Outcome::Leftovers, identity, Some(removal));
                report.stack_id = stack.map(|stack| stack.id.clone());
                report.status = Some("DELETE_COMPLETE".to_owned());
                report.findings = findings;
                let message = format!("`{}` is deleted; whether all of it is gone could not be found out", self.name);
                report.findings.push(Finding::error("D093", message).help(self.again()));
                Ok(report)
            }
            ended => ended,
        }
    }

    fn again(&self) -> String {
        format!("run `{}` again: it takes the rest away and proves it", self.run.ledger().command("destroy"))
    }

    /// The stack, at rest, and ours.
    async fn find(&self, identity: &Identity) -> Result<Option<StackSummary>, Stop> {
        loop {
            let Some(stack) = self.run.unless_cancelled(self.run.clients.stack(self.name)).await?? else {
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
                StackState::InProgress => wait_for(self.run, self.teller, &stack).await?,
                StackState::Deleted => return Ok(None),
                _ => return Ok(Some(stack)),
            }
        }
    }

    /// CloudFormation refuses to delete what another stack imports, but only after the buckets are emptied: so first.
    async fn refuse_in_use(&self, stack: &StackSummary) -> Result<(), Stop> {
        for output in &stack.outputs {
            let Some(export) = &output.export else { continue };
            let importers = self.run.unless_cancelled(self.run.clients.importers(export)).await??;
            if !importers.is_empty() {
                let message =
                    format!("`{export}`, an export of `{}`, is in use by `{}`", stack.name, importers.join("`, `"));
                return Err(Finding::error("D029", message).help("destroy what uses it first").into());
            }
        }
        Ok(())
    }

    /// None when there is nothing at all to remove.
    async fn removal(&self, identity: &Identity, stack: Option<&StackSummary>) -> Result<Option<Removal>, Stop> {
        let (mut resources, mut stays) = match stack {
            Some(stack) => survey(self.run, &stack.id).await?,
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
        Ok(Some(Removal {
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
    async fn left_artifacts(&self, stack: &StackSummary, own: Option<&str>) -> Result<Option<Leftover>, Stop> {
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
    async fn remove_orphans(&self, identity: &Identity, stack: &StackSummary, removal: &Removal) -> Result<(), Stop> {
        for bucket in removal.orphaned_buckets() {
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
                self.teller.tell(EventKind::Warning { finding: error.finding() });
            }
        }
        Ok(())
    }

    /// Deletes the stack's files in the artifact bucket, unless there is a stack of that name once more, whose files they
    /// may be.
    async fn remove_artifacts(&self, identity: &Identity) -> Result<(), Stop> {
        let again = self.run.unless_cancelled(self.run.clients.stack(self.name)).await??;
        if again.is_some_and(|stack| stack.state() != StackState::Deleted) {
            let message = format!("there is a stack `{}` again, so its folder in the artifact bucket stays", self.name);
            self.teller.tell(EventKind::Warning { finding: Finding::warning("D078", message) });
            return Ok(());
        }
        if let Some((bucket, _)) = artifacts_of(self.run, &identity.account, self.name).await? {
            empty(self.run, self.teller, &bucket, Some(&folder(self.name))).await?;
        }
        Ok(())
    }

    /// Asks the services whether what should be gone is gone.
    async fn proven(
        &self,
        identity: &Identity,
        stack: Option<&StackSummary>,
        mut removal: Removal,
    ) -> Result<Report, Stop> {
        let clients = self.run.clients;
        let mut left = Vec::new();
        let again = clients.stack(self.name).await?.filter(|stack| stack.state() != StackState::Deleted);
        if let Some(still) = &again
            && stack.is_none_or(|stack| stack.id == still.id)
        {
            left.push(leftover("AWS::CloudFormation::Stack", None, &still.id, &format!("it is in `{}`", still.status)));
        }
        for resource in removal.resources.iter().filter(|resource| resource.fate == Fate::Deleted) {
            let Some(bucket) = resource.physical_id.as_deref().filter(|_| resource.is_bucket()) else { continue };
            let reason = match bucket_origin(clients, bucket, &resource.stack_id).await {
                // One of the same name that somebody has made since is nothing of this stack.
                Ok(BucketOrigin::Gone | BucketOrigin::Other(_)) => continue,
                Ok(BucketOrigin::Stack) => "it still answers".to_owned(),
                Err(error) => format!("whether it is gone cannot be told: {}", error.finding().message),
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
        removal.stays = self.stays_at_the_end(&removal).await;
        let remains = !left.is_empty() || removal.stays.iter().any(|leftover| !leftover.intended);
        left.extend(removal.stays.iter().cloned());
        let outcome = if remains { Outcome::Leftovers } else { Outcome::Destroyed };
        let mut report = self.report(outcome, identity, Some(removal));
        report.stack_id = stack.map(|stack| stack.id.clone());
        report.status = Some("DELETE_COMPLETE".to_owned());
        let alone: Vec<String> = report.removal.iter().flat_map(Removal::left_alone).map(str::to_owned).collect();
        report.findings.extend(left.iter().filter(|leftover| !leftover.intended).map(|leftover| {
            let (kind, id, reason) = (&leftover.resource_type, &leftover.physical_id, &leftover.reason);
            if alone.contains(id) {
                return Finding::warning("D070", format!("`{id}` ({kind}) remains: {reason}"))
                    .help("look whose it is; if it is yours, delete it by hand");
            }
            Finding::error("D022", format!("`{id}` ({kind}) remains: {reason}"))
                .help("run `bedplate destroy` again; what it cannot take away has to go by hand")
        }));
        report.left = left;
        Ok(report)
    }

    /// What stays, after all that was done: a bucket may have turned out not to be the stack's since the first look, and
    /// one that was left alone may be gone all the same.
    async fn stays_at_the_end(&self, removal: &Removal) -> Vec<Leftover> {
        let mut stays: Vec<Leftover> = removal.stays.clone();
        for resource in removal.resources.iter().filter(|resource| resource.fate == Fate::LeftAlone) {
            let of_resource = |leftover: &Leftover| {
                Some(&leftover.physical_id) == resource.physical_id.as_ref()
                    && leftover.logical_id.as_ref() == Some(&resource.logical_id)
            };
            stays.retain(|leftover| !of_resource(leftover));
            let Some(bucket) = resource.physical_id.as_deref() else { continue };
            if matches!(bucket_origin(self.run.clients, bucket, &resource.stack_id).await, Ok(BucketOrigin::Gone)) {
                let message = format!("`{bucket}`, which was to be left alone, no longer exists");
                let finding = Finding::warning("D070", message);
                self.teller.tell(EventKind::Warning {
                    finding: finding
                        .help("this run did not delete it; see the stack's events and the account's CloudTrail"),
                });
                continue;
            }
            stays.extend(RemovedResource::leftover(resource));
        }
        stays
    }

    fn absent(&self, identity: &Identity) -> Report {
        let mut report = self.report(Outcome::Absent, identity, None);
        let (account, region) = (&identity.account, self.run.clients.region());
        let message = format!("there is no stack `{}` in account `{account}`, region `{region}`", self.name);
        report.findings.push(
            Finding::note("D023", message).help("if there should be one, check `--profile`, `--region` and `--stage`"),
        );
        report
    }

    fn interrupted(&self, identity: &Identity, removal: Removal) -> Report {
        let mut report = self.report(Outcome::Interrupted, identity, Some(removal));
        let account = self.run.ledger().account(self.run.clients.region());
        // Nothing at all, or what CloudFormation goes on with, is said in the same words for every verb.
        if account.is_empty() || account.running().is_some() {
            report.findings.push(account.interrupted(self.name));
            return report;
        }
        let message = format!("interrupted while destroying `{}`: {}", self.name, account.aftermath());
        report.findings.push(Finding::note("D024", message).help(self.again()));
        report
    }

    fn report(&self, outcome: Outcome, identity: &Identity, removal: Option<Removal>) -> Report {
        let mut report = Report::new(outcome, self.run.clients.region(), self.name);
        report.account = Some(identity.account.clone());
        report.removal = removal;
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
    Finding::error("D025", format!("`{}` is protected against termination", stack.name)).help(format!(
        "lift it with `aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name {}`",
        stack.name
    ))
}
