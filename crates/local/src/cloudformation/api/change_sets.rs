//! Change sets.

use rusqlite::Transaction;
use serde_json::{Value, json};

use super::manage::{cannot, nothing_new, on_failure};
use super::{CloudFormationCall, check_stack_name, page, shapes};
use crate::cloudformation::engine::OperationRequest;
use crate::cloudformation::error::{
    CloudFormationResult, already_exists, change_set_status, no_change_set, no_stack, no_stack_brackets, not_simulated,
};
use crate::cloudformation::journal::Journal;
use crate::cloudformation::model::{Change, ChangeSet, OnFailure, Stack, StackTarget, mask, mask_values};
use crate::cloudformation::prepare::{self, StackRequest, Way};
use crate::cloudformation::status::{ExecutionStatus, OperationType, Status};
use crate::cloudformation::{changes, custom, early, limits, stacks, tables};
use crate::ground::{ACCOUNT_ID, ApiError};

/// The reason of a change set that would change nothing; clients match on it.
const NO_CHANGES: &str =
    "The submitted information didn't contain changes. Submit different information to create a change set.";

/// The code of the refusal of a change set that does not exist.
const GONE: &str = "ChangeSetNotFound";

/// Changes in one answer.
const CHANGES: usize = 100;

/// What the caller says of a change set beside its target.
struct ChangeSetRequest {
    name: String,
    creates: bool,
    description: Option<String>,
    on_failure: Option<OnFailure>,
    include_nested: bool,
    deployment_mode: Option<String>,
    disable_rollback: Option<bool>,
    token: Option<String>,
    validate: bool,
    import_existing: bool,
}

impl CloudFormationCall<'_> {
    fn wanted(self) -> CloudFormationResult<ChangeSetRequest> {
        let name = self.required("ChangeSetName")?;
        let good = name.len() <= 128
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !good {
            return Err(ApiError::validation(format!(
                "1 validation error detected: Value '{name}' at 'changeSetName' failed to satisfy constraint: Member \
                 must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )));
        }
        let creates = match self.params.text("ChangeSetType") {
            None | Some("UPDATE") => false,
            Some("CREATE") => true,
            Some("IMPORT") => return Err(not_simulated("change sets of type IMPORT")),
            Some(other) => {
                return Err(ApiError::validation(format!(
                    "1 validation error detected: Value '{other}' at 'changeSetType' failed to satisfy constraint: \
                     Member must satisfy enum value set: [CREATE, UPDATE, IMPORT]"
                )));
            }
        };
        if self.params.has("ResourcesToImport") {
            return Err(not_simulated("the import of existing resources"));
        }
        if self.params.text("DeploymentMode").is_some() {
            return Err(not_simulated("drift-aware change sets (`DeploymentMode`)"));
        }
        self.refuse_unsimulated()?;
        let (deployment_mode, disable_rollback) = self.deployment_config();
        let behaviour = self.params.text("OnStackFailure");
        Ok(ChangeSetRequest {
            name,
            creates,
            description: self.text("Description"),
            on_failure: if behaviour.is_some() { Some(on_failure(behaviour, None)?) } else { None },
            include_nested: self.flag("IncludeNestedStacks")?,
            deployment_mode,
            disable_rollback,
            token: self.text("ClientToken"),
            validate: !self.flag("DisableValidation")?,
            import_existing: self.flag("ImportExistingResources")?,
        })
    }

    pub(super) async fn create_change_set(self) -> CloudFormationResult<Value> {
        let named = self.required("StackName")?;
        let wanted = self.wanted()?;
        if !named.starts_with("arn:") {
            check_stack_name(&named)?;
        }
        self.touch(&named).await?;
        let region = self.region();
        let (of, name) = (region.clone(), named.clone());
        let stack = self.read(move |tx| Ok(tables::stack(tx, &of, &name)?)).await?;
        let previous = stack.filter(|_| !wanted.creates).map(|stack| stack.target);
        let text = self.template_text(previous.as_ref()).await?;
        let given = self.given(text, previous.as_ref())?;
        self.write(move |journal| make(journal, &region, &named, wanted, given)).await
    }

    pub(super) async fn describe_change_set(self) -> CloudFormationResult<Value> {
        let (region, named, name) = (self.region(), self.text("StackName"), self.required("ChangeSetName")?);
        let (token, values) = (self.text("NextToken"), self.flag("IncludePropertyValues")?);
        self.read(move |tx| {
            let set = find(tx, &region, named.as_deref(), &name)?;
            let target = set.target.clone();
            let hidden = custom::hidden(tx, &set.stack_id)?;
            let (changes, next) = page(set.changes.clone(), token.as_deref(), CHANGES)?;
            let changes: Value = changes.iter().map(|change| shown(change, values, &target, &hidden)).collect();
            Ok(shapes::compact(json!({
                "ChangeSetName": set.name,
                "ChangeSetId": set.id,
                "StackId": set.stack_id,
                "StackName": set.stack_name,
                "Description": set.description,
                "Parameters": shapes::some(shapes::parameters(&set.target)),
                "CreationTime": set.created,
                "ExecutionStatus": set.execution.as_str(),
                "Status": if set.complete { "CREATE_COMPLETE" } else { "FAILED" },
                "StatusReason": set.reason.as_ref().or(set.warning.as_ref().filter(|_| values)),
                "NotificationARNs": set.target.notification_arns,
                "RollbackConfiguration": {},
                "Capabilities": set.target.capabilities,
                "Tags": shapes::some(shapes::tags(&set.target.tags)),
                "Changes": changes,
                "NextToken": next,
                "IncludeNestedStacks": set.include_nested,
                "OnStackFailure": set.on_failure.map(OnFailure::as_str),
                "DeploymentConfig": set.deployment_mode.as_ref().map(|mode| json!({"Mode": mode})),
            })))
        })
        .await
    }

    pub(super) async fn list_change_sets(self) -> CloudFormationResult<Value> {
        let (region, named, token) = (self.region(), self.required("StackName")?, self.text("NextToken"));
        self.read(move |tx| {
            let stack = tables::stack(tx, &region, &named)?
                .ok_or_else(|| ApiError::validation(format!("Stack [{named}] does not exist")))?;
            let (sets, next) = page(tables::active_change_sets(tx, &stack.id)?, token.as_deref(), CHANGES)?;
            let summaries: Value = sets
                .iter()
                .map(|set| {
                    shapes::compact(json!({
                        "StackId": set.stack_id,
                        "StackName": set.stack_name,
                        "ChangeSetId": set.id,
                        "ChangeSetName": set.name,
                        "ExecutionStatus": set.execution.as_str(),
                        "Status": if set.complete { "CREATE_COMPLETE" } else { "FAILED" },
                        "StatusReason": set.reason,
                        "CreationTime": set.created,
                        "Description": set.description,
                        "IncludeNestedStacks": set.include_nested,
                    }))
                })
                .collect();
            Ok(shapes::compact(json!({"Summaries": summaries, "NextToken": next})))
        })
        .await
    }

    pub(super) async fn delete_change_set(self) -> CloudFormationResult<Value> {
        let (region, named, name) = (self.region(), self.text("StackName"), self.required("ChangeSetName")?);
        self.write(move |journal| {
            // Deleting what does not exist is no error, as long as its stack does.
            if let Some(named) = &named {
                tables::stack(journal.db, &region, named)?.ok_or_else(|| no_stack_brackets(named))?;
            }
            let set = match find(journal.db, &region, named.as_deref(), &name) {
                Err(error) if error.code == GONE => return Ok(json!({})),
                set => set?,
            };
            if set.execution == ExecutionStatus::ExecuteInProgress {
                return Err(change_set_status(format!(
                    "ChangeSet [{}] cannot be deleted in its current execution status of [{}]",
                    set.id,
                    set.execution.as_str()
                )));
            }
            tables::remove_change_set(journal.db, &set.id)?;
            Ok(json!({}))
        })
        .await
    }

    pub(super) async fn execute_change_set(self) -> CloudFormationResult<Value> {
        let (region, named, name) = (self.region(), self.text("StackName"), self.required("ChangeSetName")?);
        if let Some(named) = &named {
            self.touch(named).await?;
        }
        let token = self.token();
        let disable = self.params.flag("DisableRollback")?;
        let retain = self.flag("RetainExceptOnCreate")?;
        let operation = self
            .write(move |journal| execute(journal, &region, named.as_deref(), &name, token, disable, retain))
            .await?;
        if let Some(id) = operation {
            self.engine.start(&id);
        }
        Ok(json!({}))
    }
}

/// The change set named.
fn find(tx: &Transaction<'_>, region: &str, named: Option<&str>, name: &str) -> CloudFormationResult<ChangeSet> {
    if name.starts_with("arn:") {
        return tables::change_set_by_id(tx, name)?.ok_or_else(|| no_change_set(name));
    }
    let named = named.ok_or_else(|| {
        ApiError::validation("StackName must be specified if ChangeSetName is not specified as an ARN.")
    })?;
    let stack = tables::stack(tx, region, named)?.ok_or_else(|| no_stack_brackets(named))?;
    tables::change_set_by_name(tx, &stack.id, name)?.ok_or_else(|| no_change_set(name))
}

/// A change as the API shows it; `hidden` are values of custom resources that are not to be shown.
fn shown(change: &Change, values: bool, target: &StackTarget, hidden: &[String]) -> Value {
    let mask = |text: &String| mask_values(mask(text.clone(), target), hidden);
    let mut resource = change.resource.clone();
    if values && let Some(all) = resource.as_object_mut() {
        for (name, context) in [("BeforeContext", &change.before), ("AfterContext", &change.after)] {
            if let Some(context) = context {
                all.insert(name.to_owned(), json!(mask(context)));
            }
        }
        let details = all.get_mut("Details").and_then(Value::as_array_mut);
        for (detail, (before, after)) in details.into_iter().flatten().zip(&change.values) {
            let Some(place) = detail.get_mut("Target").and_then(Value::as_object_mut) else { continue };
            for (name, value) in [("BeforeValue", before), ("AfterValue", after)] {
                if let Some(value) = value {
                    place.insert(name.to_owned(), json!(mask(value)));
                }
            }
        }
    }
    json!({"Type": "Resource", "ResourceChange": resource})
}

fn make(
    journal: &Journal<'_>,
    region: &str,
    named: &str,
    wanted: ChangeSetRequest,
    given: StackRequest,
) -> CloudFormationResult<Value> {
    // A deleted one is found by its ARN only, and as little to be created or updated as any other.
    let found = tables::stack(journal.db, region, named)?;
    let (mut stack, new) = match (found, wanted.creates) {
        (Some(stack), true) if stack.status != Status::ReviewInProgress => {
            let shown = if named.starts_with("arn:") { &stack.id } else { &stack.name };
            return Err(ApiError::validation(format!(
                "Stack [{shown}] already exists and cannot be created again with the changeSet [{}].",
                wanted.name
            )));
        }
        (Some(stack), false) if stack.status == Status::ReviewInProgress => {
            return Err(ApiError::validation(format!(
                "Stack [{}] is in REVIEW_IN_PROGRESS state and can only be changed by a change set of type CREATE.",
                stack.name
            )));
        }
        (Some(stack), _) => (stack, false),
        (None, true) if named.starts_with("arn:") => return Err(no_stack(named)),
        (None, true) => {
            limits::room_for_stack(journal.db, region)?;
            (stacks::fresh(journal, named, region), true)
        }
        (None, false) => {
            return Err(ApiError::validation(format!("Stack [{named}] does not exist")));
        }
    };
    if !wanted.creates && !stack.status.can_update() {
        return Err(cannot(&stack, "updated"));
    }
    if let Some(other) = tables::change_set_by_name(journal.db, &stack.id, &wanted.name)? {
        let same_call = wanted.token.is_some() && other.token == wanted.token;
        if same_call {
            return Ok(json!({"Id": other.id, "StackId": stack.id}));
        }
        if !other.execution.over() {
            return Err(already_exists(format!("ChangeSet {} already exists", wanted.name)));
        }
    }
    limits::room_for_change_set(tables::active_change_sets_of(journal.db, &stack.id)?)?;
    let previous = (!wanted.creates).then_some(&stack.target);
    let target = prepare::target(journal.db, given, previous, region, Way::ByChangeSet)?;
    if new {
        tables::save_stack(journal.db, &stack)?;
        let review = crate::cloudformation::model::StackOperation {
            id: journal.uuid(),
            stack_id: stack.id.clone(),
            kind: OperationType::CreateChangeset,
            phase: crate::cloudformation::model::Phase::Over,
            token: None,
            on_failure: OnFailure::Rollback,
            disable_rollback: false,
            previous: None,
            previous_outputs: Vec::new(),
            previous_status: None,
            change_set_id: None,
            skip: Vec::new(),
            policy: None,
            cancelled: false,
            started: journal.now(),
        };
        journal.stack(&mut stack, &review, Status::ReviewInProgress, Some("User Initiated".to_owned()))?;
    }
    let planned = changes::changes(journal.db, &stack, &target)?;
    if wanted.import_existing
        && let Some((logical_id, id)) = early::to_import(journal.db, &stack, &planned.changes)?
    {
        return Err(not_simulated(&format!(
            "the import of existing resources (`{logical_id}` would be `{id}`, which exists and no stack has made)"
        )));
    }
    let empty = !wanted.creates && nothing_new(journal.db, &stack, &target)?;
    let mut set = ChangeSet {
        id: format!(
            "arn:{}:cloudformation:{region}:{ACCOUNT_ID}:changeSet/{}/{}",
            stacks::partition(region),
            wanted.name,
            journal.uuid()
        ),
        name: wanted.name,
        stack_id: stack.id.clone(),
        stack_name: stack.name.clone(),
        creates: wanted.creates,
        complete: !empty,
        reason: empty.then(|| NO_CHANGES.to_owned()),
        execution: if empty { ExecutionStatus::Unavailable } else { ExecutionStatus::Available },
        target,
        changes: planned.changes,
        description: wanted.description,
        created: journal.now(),
        on_failure: wanted.on_failure,
        include_nested: wanted.include_nested,
        deployment_mode: wanted.deployment_mode,
        disable_rollback: wanted.disable_rollback,
        token: wanted.token,
        operation_id: journal.uuid(),
        warning: planned.warning,
    };
    if wanted.validate && !empty {
        let failed = early::validate(journal.db, &stack, &set.target, &set.changes)?;
        if let Some(reason) = early::record(journal, &stack, &set, &failed)? {
            set.complete = false;
            set.reason = Some(reason);
            set.execution = ExecutionStatus::Unavailable;
        }
    }
    tables::save_change_set(journal.db, &set)?;
    Ok(json!({"Id": set.id, "StackId": stack.id}))
}

fn execute(
    journal: &Journal<'_>,
    region: &str,
    named: Option<&str>,
    name: &str,
    token: Option<String>,
    disable: Option<bool>,
    retain: bool,
) -> CloudFormationResult<Option<String>> {
    let mut set = find(journal.db, region, named, name)?;
    let mut stack: Stack = tables::stack_by_id(journal.db, &set.stack_id)?.ok_or_else(|| no_change_set(name))?;
    let kind = if set.creates { OperationType::CreateStack } else { OperationType::UpdateStack };
    if journal.repeated(&stack, token.as_deref(), kind)? {
        return Ok(None);
    }
    if set.execution != ExecutionStatus::Available {
        let status = if set.complete { set.execution.as_str() } else { "FAILED" };
        return Err(change_set_status(format!(
            "ChangeSet [{}] cannot be executed in its current status of [{status}]",
            set.id
        )));
    }
    let ready = if set.creates { stack.status == Status::ReviewInProgress } else { stack.status.can_update() };
    if !ready {
        return Err(cannot(&stack, "updated"));
    }
    // Whatever its value. The words are those of AWS's answer as its Knowledge Center quotes them ("Validation errors in
    // CloudFormation", read 2026-11).
    if disable.is_some() && set.on_failure.is_some() {
        return Err(ApiError::validation(
            "Either DisableRollback or OnStackFailure can be specified, but not both. Validation error as OnStackFailure \
             parameter was specified during CreateChangeSet.",
        ));
    }
    let disable_rollback = disable.or(set.disable_rollback).unwrap_or(set.on_failure == Some(OnFailure::DoNothing));
    let on_failure = match (set.on_failure, disable_rollback) {
        (Some(on_failure), _) => on_failure,
        (None, true) => OnFailure::DoNothing,
        (None, false) => OnFailure::Rollback,
    };
    set.execution = ExecutionStatus::ExecuteInProgress;
    tables::save_change_set(journal.db, &set)?;
    for other in tables::active_change_sets(journal.db, &stack.id)?.iter().filter(|other| other.id != set.id) {
        tables::remove_change_set(journal.db, &other.id)?;
    }
    let mut target = set.target;
    target.retain_except_on_create = retain;
    let request = OperationRequest {
        token,
        on_failure,
        disable_rollback,
        change_set_id: Some(set.id),
        ..OperationRequest::default()
    };
    let operation = if set.creates {
        journal.begin_create(&mut stack, target, request)?
    } else {
        journal.begin_update(&mut stack, target, request)?
    };
    Ok(Some(operation.id))
}
