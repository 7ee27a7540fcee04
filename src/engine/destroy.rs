//! Destroying: what will go and what will stay, approval, buckets emptied, the stack deleted, its artifacts removed, and
//! proof.

use futures::stream::{self, StreamExt, TryStreamExt};

use super::artifact_bucket::artifact_bucket_name;
use super::causes::explain;
use super::deploy::is_foreign;
use super::empty::empty;
use super::events::{EventKind, Teller};
use super::follow::End;
use super::ledger::Effect;
use super::outcome::{Leftover, Outcome, Report};
use super::recover::{delete_and_follow, foreign, wait_for};
use super::removal::{Fate, Removal};
use super::run::{Approver, Proposal, Run, Stop};
use super::survey::{artifacts_of, orphans, survey};
use crate::aws::{Identity, StackState, StackSummary};
use crate::finding::Finding;

/// Buckets emptied at once; each has several batches in flight of its own.
const BUCKETS_AT_ONCE: usize = 4;

/// Takes a stack away with everything that belongs to it, and proves it.
///
/// `use_case` is the guard: a stack of another use case, or of none, is not touched.
pub async fn destroy(run: &Run<'_>, stack: &str, use_case: Option<&str>, approver: &dyn Approver) -> Report {
    let teller = Teller::new(run.events);
    run.ledger().about(stack, use_case);
    let result = Destruction { run, teller: &teller, name: stack, use_case, approver }.carry_out().await;
    run.finish(&teller, stack, result)
}

struct Destruction<'a> {
    run: &'a Run<'a>,
    teller: &'a Teller<'a>,
    name: &'a str,
    use_case: Option<&'a str>,
    approver: &'a dyn Approver,
}

impl Destruction<'_> {
    async fn carry_out(&self) -> Result<Report, Stop> {
        let identity = self.run.begin(self.teller, "destroy", self.name).await?;
        let stack = self.find().await?;
        if let Some(stack) = &stack {
            self.refuse_in_use(stack).await?;
        }
        let Some(removal) = self.removal(&identity, stack.as_ref()).await? else {
            return Ok(self.absent(&identity));
        };
        self.teller.tell(EventKind::RemovalReady { removal: Box::new(removal.clone()) });
        if !self.run.unless_cancelled(self.approver.approve(Proposal::Destroy(&removal))).await? {
            return Ok(self.report(Outcome::Declined, &identity, Some(removal)));
        }
        let Some(stack) = stack else {
            return self.clean_up(&identity, None, removal).await;
        };
        match self.delete(&stack, &removal).await {
            Ok(end) if StackState::of(&end.status) == StackState::Deleted => {
                self.clean_up(&identity, Some(&stack), removal).await
            }
            Ok(end) => {
                // Back in a good state: CloudFormation took the request and then would not do it.
                let good = StackState::of(&end.status) == StackState::Good;
                let outcome = if good { Outcome::Failed } else { Outcome::FailedState };
                let mut report = self.report(outcome, &identity, Some(removal));
                report.findings = explain(self.name, &end, &std::collections::BTreeMap::new());
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
            for bucket in removal.orphaned_buckets() {
                let effect = Effect::BucketDeletion { bucket: bucket.to_owned() };
                let deleted = self.run.effect(effect, self.run.clients.delete_bucket(bucket, &identity.account));
                // What keeps one from going is told by the proof: it still answers.
                if let Err(failed) = self.run.until_answered(deleted).await? {
                    self.teller.tell(EventKind::Warning { finding: failed.error.finding() });
                }
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
    async fn find(&self) -> Result<Option<StackSummary>, Stop> {
        loop {
            let Some(stack) = self.run.unless_cancelled(self.run.clients.stack(self.name)).await?? else {
                return Ok(None);
            };
            if stack.state() != StackState::Review && is_foreign(&stack, self.use_case) {
                return Err(foreign(&stack).into());
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
            stays,
        }))
    }

    /// Empties and deletes; once more when it fails, since a bucket may have been written to in between.
    async fn delete(&self, stack: &StackSummary, removal: &Removal) -> Result<End, Stop> {
        self.empty_buckets(removal).await?;
        let end = delete_and_follow(self.run, self.teller, &stack.id).await?;
        if StackState::of(&end.status) != StackState::FailedDelete {
            return Ok(end);
        }
        for finding in explain(self.name, &end, &std::collections::BTreeMap::new()) {
            self.teller.tell(EventKind::Warning { finding });
        }
        self.teller.note("deleting failed; emptying the buckets again and trying once more");
        self.empty_buckets(removal).await?;
        delete_and_follow(self.run, self.teller, &stack.id).await
    }

    async fn empty_buckets(&self, removal: &Removal) -> Result<(), Stop> {
        let buckets = stream::iter(removal.owned_buckets().map(|bucket| empty(self.run, self.teller, bucket, None)));
        buckets.buffer_unordered(BUCKETS_AT_ONCE).try_collect::<Vec<u64>>().await?;
        Ok(())
    }

    async fn remove_artifacts(&self, identity: &Identity) -> Result<(), Stop> {
        let bucket = artifact_bucket_name(&identity.account, self.run.clients.region());
        empty(self.run, self.teller, &bucket, Some(&format!("{}/", self.name))).await?;
        Ok(())
    }

    /// Asks the services whether what should be gone is gone.
    async fn proven(
        &self,
        identity: &Identity,
        stack: Option<&StackSummary>,
        removal: Removal,
    ) -> Result<Report, Stop> {
        let clients = self.run.clients;
        let mut left = Vec::new();
        if let Some(still) = clients.stack(self.name).await?
            && stack.is_none_or(|stack| stack.id == still.id)
            && still.state() != StackState::Deleted
        {
            left.push(leftover("AWS::CloudFormation::Stack", None, &still.id, &format!("it is in `{}`", still.status)));
        }
        for resource in removal.resources.iter().filter(|resource| resource.fate == Fate::Deleted) {
            let Some(bucket) = resource.physical_id.as_deref().filter(|_| resource.is_bucket()) else { continue };
            if clients.bucket_exists(bucket).await? {
                left.push(leftover(&resource.resource_type, Some(&resource.logical_id), bucket, "it still answers"));
            }
        }
        let artifacts = artifacts_of(self.run, &identity.account, self.name).await?;
        if artifacts.count > 0 {
            let bucket = artifact_bucket_name(&identity.account, clients.region());
            let what = format!("{bucket}/{}/", self.name);
            left.push(leftover("AWS::S3::Object", None, &what, "artifacts of this stack are still there"));
        }
        let remains = !left.is_empty() || removal.stays.iter().any(|leftover| !leftover.intended);
        left.extend(removal.stays.iter().cloned());
        let outcome = if remains { Outcome::Leftovers } else { Outcome::Destroyed };
        let mut report = self.report(outcome, identity, Some(removal));
        report.stack_id = stack.map(|stack| stack.id.clone());
        report.status = Some("DELETE_COMPLETE".to_owned());
        report.findings.extend(left.iter().filter(|leftover| !leftover.intended).map(|leftover| {
            let (kind, id, reason) = (&leftover.resource_type, &leftover.physical_id, &leftover.reason);
            Finding::error("D022", format!("`{id}` ({kind}) remains: {reason}"))
                .help("run `bedplate destroy` again; what it cannot take away has to go by hand")
        }));
        report.left = left;
        Ok(report)
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
