//! Finishers with everything read that they need: what they would do, and doing it.

use std::collections::BTreeMap;

use super::finisher::Finisher;
use super::{documents, ingestion, rows};
use crate::artifacts::{self, Document};
use crate::aws::{CallErrorKind, Item};
use crate::engine::abort::Abort;
use crate::engine::bucket_origin::{BucketOrigin, bucket_origin};
use crate::engine::events::EventEmitter;
use crate::engine::run::Run;
use crate::finding::{Finding, Place, code};
use crate::plan::{Action, PlannedChange, PlannedContent};

/// A finisher with everything read that it needs.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Content {
    component: String,
    /// The logical id of what is filled.
    logical_id: String,
    place: Option<Place>,
    what: Payload,
}

#[derive(Debug, Clone)]
enum Payload {
    Documents { prefix: String, documents: Vec<Document> },
    Rows { key: Vec<String>, rows: Vec<Item> },
    Ingestion { bucket: String, filled_by: String, prefix: String },
}

/// Reads the folders; what is wrong with any is told together.
pub(in crate::engine) async fn read(run: &Run<'_>, finishers: &[Finisher]) -> Result<Vec<Content>, Abort> {
    let finishers = finishers.to_vec();
    let reading = tokio::task::spawn_blocking(move || {
        let mut contents = Vec::new();
        let mut findings = Vec::new();
        for finisher in finishers {
            match finisher {
                Finisher::Upload { component, bucket, folder, shown, prefix, place } => {
                    match artifacts::documents(&folder, &shown, place.as_ref()) {
                        Ok(documents) => {
                            let what = Payload::Documents { prefix, documents };
                            contents.push(Content { component, logical_id: bucket, place, what });
                        }
                        Err(wrong) => findings.extend(wrong),
                    }
                }
                Finisher::Seed { component, table, key, rows, place } => {
                    contents.push(Content { component, logical_id: table, place, what: Payload::Rows { key, rows } });
                }
                Finisher::Ingest { component, source, bucket, filled_by, prefix, place } => {
                    let what = Payload::Ingestion { bucket, filled_by, prefix };
                    contents.push(Content { component, logical_id: source, place, what });
                }
            }
        }
        if findings.is_empty() { Ok(contents) } else { Err(findings) }
    });
    match run.unless_cancelled(reading).await? {
        Ok(read) => Ok(read?),
        Err(error) => Err(Finding::error(code::D096, format!("reading documents broke off: {error}"))
            .help("this is a defect of Bedplate; repeat the command")
            .into()),
    }
}

/// Physical ids by logical id.
async fn physical_ids(run: &Run<'_>, stack_id: &str) -> Result<BTreeMap<String, String>, Abort> {
    let resources = run.attempt(run.clients.stack_resources(stack_id)).await?;
    Ok(resources.into_iter().filter_map(|resource| Some((resource.logical_id, resource.physical_id?))).collect())
}

/// Payload would be done, for the plan. `stack_id` is the stack there is now, `changes` what becomes of its resources.
pub(in crate::engine) async fn planned(
    run: &Run<'_>,
    contents: &[Content],
    stack_id: Option<&str>,
    changes: &[PlannedChange],
    account: &str,
) -> Result<Vec<PlannedContent>, Abort> {
    let there = match stack_id {
        Some(stack_id) if !contents.is_empty() => physical_ids(run, stack_id).await?,
        _ => BTreeMap::new(),
    };
    let made_anew = |id: &str| {
        let anew = [Action::Add, Action::Replace, Action::MaybeReplace];
        changes.iter().any(|change| change.logical_id == id && anew.contains(&change.action))
    };
    let mut planned = Vec::new();
    for content in contents {
        let name = there.get(&content.logical_id).filter(|_| !made_anew(&content.logical_id));
        let one = match &content.what {
            Payload::Ingestion { bucket, filled_by, prefix } => {
                let filled =
                    planned.iter().any(|one: &PlannedContent| one.component() == filled_by && one.has_changes());
                let read = match (name, there.get(bucket).filter(|_| !made_anew(bucket))) {
                    (Some(source), Some(bucket)) if !filled => {
                        let reads = ingestion::Reads { source, bucket, prefix };
                        run.attempt(ingestion::needed(run, reads, account)).await?
                    }
                    _ => true,
                };
                PlannedContent::Ingestion { component: content.component.clone(), read }
            }
            _ => content.planned(run, name.map(String::as_str), account).await?,
        };
        planned.push(one);
    }
    Ok(planned)
}

/// Does all of it; what fails keeps nothing else from being done.
pub(in crate::engine) async fn carry_out(
    run: &Run<'_>,
    emitter: &EventEmitter<'_>,
    contents: &[Content],
    stack_id: &str,
    account: &str,
) -> Result<(), Abort> {
    if contents.is_empty() {
        return Ok(());
    }
    let there = physical_ids(run, stack_id).await?;
    let mut findings = Vec::new();
    let mut changed: Vec<&str> = Vec::new();
    for content in contents {
        let done = match there.get(&content.logical_id) {
            Some(name) => match content.refuse_foreign(run, name, stack_id).await {
                Ok(()) => {
                    content.carry_out(run, emitter, name, &Done { there: &there, changed: &changed }, account).await
                }
                Err(stop) => Err(stop),
            },
            None => Err(Finding::error(code::D040, format!("`{}` is not in the stack", content.component)).into()),
        };
        match done {
            Ok(true) => changed.push(&content.component),
            Ok(false) => {}
            Err(Abort::Interrupted) => return Err(Abort::Interrupted),
            Err(Abort::Failed(causes)) => {
                findings.extend(causes.into_iter().map(|cause| content.placed(cause)));
                findings.push(content.unfinished());
            }
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(Abort::Failed(findings)) }
}

/// Payload a finisher may build on.
struct Done<'a> {
    /// Physical ids by logical id.
    there: &'a BTreeMap<String, String>,
    /// The components whose buckets the finishers before this one have changed.
    changed: &'a [&'a str],
}

impl Content {
    /// The component it is the content of.
    pub(in crate::engine) fn component(&self) -> &str {
        &self.component
    }

    /// Where the spec names it.
    pub(in crate::engine) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    async fn planned(&self, run: &Run<'_>, name: Option<&str>, account: &str) -> Result<PlannedContent, Abort> {
        let component = self.component.clone();
        Ok(match &self.what {
            Payload::Documents { prefix, documents } => {
                let difference = match name {
                    None => documents::Difference::upload_all(documents),
                    Some(bucket) => {
                        let found = documents::compare(run, bucket, prefix, documents, &component, account);
                        match run.unless_cancelled(found).await? {
                            // Taken away by hand: the deployment will say so where it matters.
                            Err(error) if error.kind == CallErrorKind::NotFound => {
                                documents::Difference::upload_all(documents)
                            }
                            found => found?,
                        }
                    }
                };
                PlannedContent::Documents {
                    component,
                    upload: difference.upload.len(),
                    bytes: difference.upload.iter().map(|document| document.size).sum(),
                    remove: difference.remove.len(),
                    overwrite: difference.overwrite,
                    unchanged: difference.unchanged,
                }
            }
            Payload::Rows { key, rows } => {
                let present = match name {
                    None => 0,
                    Some(table) => match run.unless_cancelled(rows::present(run, table, key, rows)).await? {
                        Err(error) if error.kind == CallErrorKind::NotFound => 0,
                        // The table that is there has other keys, and so will be another one.
                        Err(error) if rows::have_other_keys(&error) => 0,
                        present => present?,
                    },
                };
                PlannedContent::Rows { component, write: rows.len().saturating_sub(present), present }
            }
            // Payload is to be read depends on what is filled; see `planned` of all contents.
            Payload::Ingestion { .. } => PlannedContent::Ingestion { component, read: true },
        })
    }

    /// Refuses to write documents over those in a bucket that has the name of the stack's and is another.
    async fn refuse_foreign(&self, run: &Run<'_>, name: &str, stack_id: &str) -> Result<(), Abort> {
        if !matches!(self.what, Payload::Documents { .. }) {
            return Ok(());
        }
        match run.attempt(bucket_origin(run.clients, name, stack_id)).await? {
            // Of one that is gone the next request tells.
            BucketOrigin::Stack | BucketOrigin::Gone => Ok(()),
            BucketOrigin::Other(reason) => {
                let message = format!("`{name}` is not proven to be this stack's, so it is left alone: {reason}");
                Err(Finding::error(code::D070, message)
                    .help("give the bucket another name in the spec, or delete it by hand if it is not needed")
                    .into())
            }
        }
    }

    /// Tells whether it changed a bucket.
    async fn carry_out(
        &self,
        run: &Run<'_>,
        emitter: &EventEmitter<'_>,
        name: &str,
        done: &Done<'_>,
        account: &str,
    ) -> Result<bool, Abort> {
        match &self.what {
            Payload::Ingestion { bucket, filled_by, prefix } => match done.there.get(bucket) {
                Some(bucket) => {
                    let reads = ingestion::Reads { source: name, bucket, prefix };
                    let filled = done.changed.contains(&filled_by.as_str());
                    ingestion::read(run, emitter, &self.component, reads, filled, account).await?;
                    Ok(false)
                }
                None => {
                    Err(Finding::error(code::D040, format!("the bucket of `{}` is not in the stack", self.component))
                        .into())
                }
            },
            Payload::Documents { prefix, documents } => {
                documents::bring(run, emitter, name, prefix, documents, &self.component, account).await
            }
            Payload::Rows { key, rows } => {
                rows::write(run, emitter, name, key, rows, &self.component).await?;
                Ok(false)
            }
        }
    }

    fn placed(&self, finding: Finding) -> Finding {
        if finding.place.is_some() { finding } else { finding.at(self.place.clone()) }
    }

    fn unfinished(&self) -> Finding {
        let what = match &self.what {
            Payload::Documents { .. } => "documents",
            Payload::Rows { .. } => "rows",
            Payload::Ingestion { .. } => "documents",
        };
        Finding::error(
            code::D040,
            format!("the stack is deployed, but `{}` has not got all its {what}", self.component),
        )
        .at(self.place.clone())
        .help("correct the cause and deploy again: only what is missing is done")
    }
}
