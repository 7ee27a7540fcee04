//! What a spec accepts: findings that are a matter of judgement.

use super::context::Rules;
use crate::finding::{FINDINGS, code, finding_kind};

pub(super) fn check(rules: &mut Rules<'_>) {
    for (index, acceptance) in rules.spec.accept.iter().enumerate() {
        if acceptance.reason.trim().is_empty() {
            let message = format!("{} is accepted without a reason", acceptance.finding);
            let help = "write why it is meant so, for whoever reads the check";
            rules.error(code::S290, &format!("/accept/{index}/reason"), message, help);
        }
        if finding_kind(&acceptance.finding).is_some_and(|(_, kind)| kind.acceptable) {
            continue;
        }
        let codes = FINDINGS.iter().flat_map(|group| group.kinds).filter(|kind| kind.acceptable).map(|kind| kind.code);
        let message = format!("the finding {} cannot be accepted", acceptance.finding);
        let help = format!("correct what it is about; those that can be are {}", codes.collect::<Vec<_>>().join(", "));
        rules.error(code::S290, &format!("/accept/{index}/finding"), message, &help);
    }
}
