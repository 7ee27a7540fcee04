//! What there is after a run, asked for past the proxy, and whether what the run said of itself is true of it.

use std::collections::{BTreeMap, BTreeSet};

use bedplate::aws::{CallErrorKind, Clients, Target};
use bedplate::engine::{Account, Effect, Outcome, Report, artifact_bucket_name};

use crate::engine::deploys::World;

/// What there is in an account and region, as far as a run may change it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Stacks by name, with their status.
    pub stacks: BTreeMap<String, String>,
    /// Names of change sets that can still be executed, with their stack.
    pub change_sets: BTreeSet<(String, String)>,
    /// Objects in the artifact bucket.
    pub artifacts: BTreeSet<String>,
    /// Objects in the bucket of the use case.
    pub objects: BTreeSet<String>,
}

impl State {
    /// Asks the endpoint itself.
    pub async fn of(world: &World, bucket: Option<&str>) -> Self {
        const ACCOUNT: &str = "123456789012";
        let target = Target::local(world.running.url(), "us-west-2");
        let clients = Clients::connect(&target).await.expect("a region is set");
        let mut state = State::default();
        for stack in clients.stacks().await.expect("an answer") {
            for name in clients.change_set_names(&stack.id).await.expect("an answer") {
                // One that is deleted between two of these requests does not exist.
                let ids = clients.change_set_ids(&stack.name, &name).await.expect("an answer");
                let Some((id, _)) = ids else { continue };
                match clients.change_set(&id).await {
                    Ok(set) if set.execution_status == "AVAILABLE" => {
                        state.change_sets.insert((stack.name.clone(), name));
                    }
                    Ok(_) => {}
                    Err(error) => assert_eq!(error.kind, CallErrorKind::NotFound, "{error:?}"),
                }
            }
            state.stacks.insert(stack.name, stack.status);
        }
        let keys = async |bucket: &str| {
            let objects = clients.objects(bucket, "", ACCOUNT).await.unwrap_or_default();
            objects.into_iter().map(|object| object.key).collect()
        };
        state.artifacts = keys(&artifact_bucket_name(ACCOUNT, "us-west-2")).await;
        if let Some(bucket) = bucket {
            state.objects = keys(bucket).await;
        }
        state
    }
}

/// What is untrue in a report, given what there was before and what there is now; empty when all of it is true. `now` is asked for once
/// nothing goes on any more, except what the report itself says goes on.
pub fn untrue<R>(report: &Report<R>, before: &State, now: &State) -> Vec<String> {
    let changes = &report.account_of_changes;
    let mut wrong = Vec::new();
    if changes.is_empty() && before != now {
        wrong.push(format!("it says that nothing was changed: {before:?} is {now:?}"));
    }
    wrong.extend(changes.done.iter().filter_map(|told| untrue_effect(&told.effect, told.ended.as_deref(), now)));
    wrong.extend(left_untold(changes, before, now));
    let status = now.stacks.get(&report.stack).map(String::as_str);
    let good = status.is_some_and(|status| matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE"));
    match report.outcome {
        Outcome::Deployed | Outcome::Unfinished | Outcome::Untested if !good => {
            wrong.push(format!("it says the stack is deployed: {status:?}"));
        }
        Outcome::Destroyed | Outcome::Leftovers | Outcome::Absent if status.is_some() => {
            wrong.push(format!("it says the stack is gone: {status:?}"));
        }
        // What goes on without us may have ended by now; but it must have begun.
        Outcome::OutOfSight if before.stacks.get(&report.stack) == now.stacks.get(&report.stack) => {
            let begun = changes.done.iter().any(|told| matches!(told.effect, Effect::ArtifactBucket { .. }));
            if !begun {
                wrong.push(format!("it says that something goes on: {status:?}"));
            }
        }
        Outcome::Failed if !same_stack(report, before, now) => {
            wrong.push(format!("it failed without a word of the stack's change: {before:?} is {now:?}"));
        }
        _ => {}
    }
    let said = report.findings.iter().any(|finding| finding.code == "D028");
    if said {
        wrong.push("it says that somebody else changed the stack, and there is nobody else".to_owned());
    }
    wrong
}

/// Whether the stack is as it was, or the report says what became of it.
fn same_stack<R>(report: &Report<R>, before: &State, now: &State) -> bool {
    before.stacks.get(&report.stack) == now.stacks.get(&report.stack)
        || report.account_of_changes.done.iter().chain(&report.account_of_changes.unknown).any(|told| {
            matches!(told.effect, Effect::StackShell { .. } | Effect::Execution { .. } | Effect::StackDeletion { .. })
        })
}

fn untrue_effect(effect: &Effect, ended: Option<&str>, now: &State) -> Option<String> {
    let there = |stack: &String| now.stacks.get(stack);
    let wrong = match effect {
        Effect::StackShell { stack } => there(stack).is_none_or(|status| status != "REVIEW_IN_PROGRESS"),
        Effect::ChangeSet { stack, name } => !now.change_sets.contains(&(stack.clone(), name.clone())),
        Effect::Execution { stack, .. } => there(stack).is_none_or(|status| status == "REVIEW_IN_PROGRESS"),
        Effect::StackDeletion { stack, .. } => ended == Some("DELETE_COMPLETE") && there(stack).is_some(),
        Effect::ArtifactBucket { stack, .. } => there(stack).is_none(),
        Effect::ObjectsUploaded { bucket, count } if bucket.starts_with("bedplate-artifacts") => {
            (now.artifacts.len() as u64) < *count
        }
        _ => false,
    };
    wrong.then(|| format!("it says that it did {effect:?}: {now:?}"))
}

/// What is there now, was not before, and is not told of.
fn left_untold(changes: &Account, before: &State, now: &State) -> Vec<String> {
    let told: Vec<&Effect> = changes.done.iter().chain(&changes.unknown).map(|told| &told.effect).collect();
    let mut wrong = Vec::new();
    for (stack, status) in &now.stacks {
        let known = told.iter().any(|effect| {
            matches!(effect, Effect::StackShell { stack: of } | Effect::Execution { stack: of, .. }
                | Effect::ArtifactBucket { stack: of, .. } | Effect::ChangeSet { stack: of, .. } if of == stack)
        });
        if !before.stacks.contains_key(stack) && !known {
            wrong.push(format!("it says nothing of `{stack}`, which is in {status}"));
        }
    }
    for (stack, name) in now.change_sets.difference(&before.change_sets) {
        let known = told.iter().any(|effect| {
            matches!(effect, Effect::ChangeSet { name: of, .. } | Effect::Execution { name: of, .. } if of == name)
        });
        if !known {
            wrong.push(format!("it says nothing of the change set `{name}` of `{stack}`"));
        }
    }
    let uploaded = told.iter().any(|effect| matches!(effect, Effect::ObjectsUploaded { .. }));
    if now.artifacts.difference(&before.artifacts).next().is_some() && !uploaded {
        wrong.push("it says nothing of what it uploaded".to_owned());
    }
    let deleted = told.iter().any(|effect| matches!(effect, Effect::ObjectsDeleted { .. }));
    if before.objects.difference(&now.objects).next().is_some() && !deleted {
        wrong.push("it says nothing of the objects it deleted".to_owned());
    }
    wrong
}
