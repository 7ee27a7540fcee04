//! Why an operation failed: the first real failure among all that followed from it, at its place in the spec.

use std::collections::BTreeMap;

use super::operation_end::OperationEnd;
use crate::aws::{StackEvent, StackState};
use crate::finding::{Finding, Place, TemplatePlaces, code};

/// Reasons CloudFormation gives to resources that failed only because another one did.
const CONSEQUENCES: &[&str] = &[
    "resource creation cancelled",
    "resource creation canceled",
    "resource update cancelled",
    "resource update canceled",
    "resource deletion cancelled",
    "the following resource(s) failed",
    "embedded stack",
];

/// Whether an event tells of a failure of its own.
pub(super) fn is_cause(event: &StackEvent) -> bool {
    if !event.status.ends_with("_FAILED") || event.is_stack() {
        return false;
    }
    let reason = event.reason.as_deref().unwrap_or_default().to_ascii_lowercase();
    !CONSEQUENCES.iter().any(|words| reason.starts_with(words))
}

/// The failures of an operation as findings, the cause first, each at its place in the spec.
pub(super) fn explain(stack: &str, end: &OperationEnd, places: &TemplatePlaces) -> Vec<Finding> {
    let next = next_step(stack, end);
    let mut findings: Vec<Finding> = Vec::new();
    for event in &end.failures {
        let done = match event.status.as_str() {
            "CREATE_FAILED" => "created",
            "UPDATE_FAILED" => "updated",
            "DELETE_FAILED" => "deleted",
            "IMPORT_FAILED" => "imported",
            _ => "handled",
        };
        let reason = event.reason.as_deref().unwrap_or("CloudFormation gave no reason").trim_end_matches('.');
        let nested = if event.stack_name == stack { String::new() } else { format!(" in `{}`", event.stack_name) };
        let message = format!("`{}` ({}){nested} could not be {done}: {reason}", event.logical_id, event.resource_type);
        let finding = Finding::error(code::D006, message).at(place_of(event, places));
        findings.push(if findings.is_empty() { finding.help(next.clone()) } else { finding });
    }
    if findings.is_empty() {
        let reason = end.reason.as_deref().unwrap_or("CloudFormation gave no reason").trim_end_matches('.');
        findings.push(Finding::error(code::D007, format!("`{stack}` ended in `{}`: {reason}", end.status)).help(next));
    }
    findings
}

/// Where in the spec a failure comes from: of the property that its reason names, such as `#/Timeout`, or of the resource.
/// CloudFormation names one where a value does not fit the resource type's schema.
pub(super) fn place_of(event: &StackEvent, places: &TemplatePlaces) -> Option<Place> {
    let reason = event.reason.as_deref().unwrap_or_default();
    let named = reason.split_once("#/").map(|(_, named)| named);
    let end = |c: char| c.is_whitespace() || matches!(c, ':' | ',' | ']' | ')' | ';');
    let property = named.map(|named| named.split(end).next().unwrap_or_default().trim_end_matches('.'));
    let resource = format!("/Resources/{}", event.logical_id);
    match property.filter(|_| places.of(&event.logical_id).is_some()) {
        Some(property) => places.at(&format!("{resource}/Properties/{property}")).cloned(),
        None => places.of(&event.logical_id).cloned(),
    }
}

/// What an update that succeeded replaced or removed and then could not delete: it stays, and the stack has forgotten it.
pub(super) fn not_cleaned_up(end: &OperationEnd, places: &TemplatePlaces) -> Vec<Finding> {
    // CloudFormation tries three times; the last reason is as good as the first.
    let failed = end.failures.iter().filter(|event| event.status == "DELETE_FAILED");
    let things: BTreeMap<&str, &StackEvent> = failed.map(|event| (event.physical_id.as_str(), event)).collect();
    let finding = |(id, event): (&str, &StackEvent)| {
        let reason = event.reason.as_deref().unwrap_or("CloudFormation gave no reason").trim_end_matches('.');
        let message = format!(
            "`{id}` ({}) is no longer part of the stack but could not be deleted: {reason}",
            event.resource_type
        );
        let next = if event.resource_type == "AWS::S3::Bucket" {
            "`bedplate destroy` empties and deletes it with the stack; to have it gone earlier, save what you need of it \
             and delete it by hand"
        } else {
            "delete it by hand; nothing manages it any longer"
        };
        Finding::warning(code::D030, message).at(places.of(&event.logical_id).cloned()).help(next)
    };
    things.into_iter().map(finding).collect()
}

fn next_step(stack: &str, end: &OperationEnd) -> String {
    match StackState::from_status(&end.status) {
        StackState::RolledBackUpdate => "the stack is back as it was; correct the cause and deploy again".to_owned(),
        StackState::Deleted => "CloudFormation has deleted it again; correct the cause and deploy again".to_owned(),
        StackState::FailedCreate if end.status == "ROLLBACK_COMPLETE" => {
            "what was created is gone again; correct the cause and deploy again, which removes the failed stack first"
                .to_owned()
        }
        StackState::FailedCreate => {
            "correct the cause and deploy again, which removes what is left of the failed stack first".to_owned()
        }
        StackState::StuckRollback => continue_rollback(stack, &end.failures),
        StackState::FailedDelete => "correct the cause and destroy again".to_owned(),
        _ => format!(
            "see all events with `bedplate status` and the stack with `aws cloudformation describe-stacks --stack-name {stack}`"
        ),
    }
}

/// How to get a stack out of `UPDATE_ROLLBACK_FAILED` without losing it.
pub(super) fn continue_rollback(stack: &str, failures: &[StackEvent]) -> String {
    let mut ids: Vec<&str> = failures
        .iter()
        .filter(|event| event.stack_name == stack && event.status == "UPDATE_FAILED")
        .map(|event| event.logical_id.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let skip = if ids.is_empty() { String::new() } else { format!(" --resources-to-skip {}", ids.join(" ")) };
    format!(
        "correct the cause and run `aws cloudformation continue-update-rollback --stack-name {stack}`; add{} only for \
         resources that cannot be brought back",
        if skip.is_empty() { " `--resources-to-skip`".to_owned() } else { format!(" `{}`", skip.trim()) }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, status: &str, reason: &str) -> StackEvent {
        StackEvent {
            id: logical_id.to_owned(),
            stack_id: "arn:stack".to_owned(),
            stack_name: "poster-dev".to_owned(),
            logical_id: logical_id.to_owned(),
            physical_id: "p".to_owned(),
            resource_type: "AWS::S3::Bucket".to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            at: None,
            token: None,
        }
    }

    #[test]
    fn what_followed_from_a_failure_is_no_cause() {
        assert!(is_cause(&event("A", "CREATE_FAILED", "bucket name taken")));
        assert!(!is_cause(&event("B", "CREATE_FAILED", "Resource creation cancelled")));
        assert!(!is_cause(&event("C", "CREATE_FAILED", "Embedded stack arn:x was not successfully created")));
        assert!(!is_cause(&event("D", "CREATE_COMPLETE", "")));
    }

    #[test]
    fn a_failure_has_the_place_of_the_property_that_its_reason_names() {
        let place = |line| Place { file: "usecase.yaml".into(), line, column: 1 };
        let places: TemplatePlaces =
            [("/Resources/A".to_owned(), place(4)), ("/Resources/A/Properties/Timeout".to_owned(), place(9))]
                .into_iter()
                .collect();
        let line = |id: &str, reason: &str| place_of(&event(id, "CREATE_FAILED", reason), &places).map(|at| at.line);
        let named =
            "Properties validation failed for resource A with message: #/Timeout: 901 is not less or equal to 900";
        assert_eq!(line("A", named), Some(9));
        assert_eq!(line("A", "Model validation failed (#/Timeout: expected type: Integer)"), Some(9));
        assert_eq!(line("A", "Model validation failed (#/Other)"), Some(4));
        assert_eq!(line("A", "Access denied"), Some(4));
        assert_eq!(line("B", named), None);
    }

    #[test]
    fn a_stuck_rollback_is_continued_and_never_made_anew() {
        let advice = continue_rollback("poster-dev", &[event("Fn", "UPDATE_FAILED", "x")]);
        assert!(advice.contains("continue-update-rollback --stack-name poster-dev"), "{advice}");
        assert!(advice.contains("--resources-to-skip Fn"), "{advice}");
    }
}
