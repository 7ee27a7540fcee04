//! Runtimes that end and functions that nobody waits for.

use std::collections::BTreeMap;

use crate::facts::{self, Day, Status};
use crate::finding::{Finding, code};
use crate::render::{HTTP_API_WAIT, REST_API_WAIT};
use crate::spec::{ApiKind, LoadedSpec, escape};

/// From so many days before no function can be created on a runtime it is worth a warning.
const END_IS_NEAR: i64 = 180;

pub(super) fn check(loaded: &LoadedSpec, today: Day, findings: &mut Vec<Finding>) {
    let spec = &loaded.spec;
    let waits = waits(loaded);
    for (name, function) in &spec.functions {
        let pointer = format!("/functions/{}", escape(name));
        let finding = runtime(&function.runtime, today);
        findings.extend(finding.map(|finding| finding.at(loaded.place(&format!("{pointer}/runtime")))));
        let Some(timeout) = function.timeout else { continue };
        if let Some(wait) = waits.get(name.as_str()).filter(|wait| timeout.0 > **wait) {
            findings.push(
                Finding::warning(
                    code::L101,
                    format!("`{name}` may take {} seconds, but an API answers for it and waits {wait}", timeout.0),
                )
                .at(loaded.place(&format!("{pointer}/timeout")))
                .help(format!(
                    "write `timeout: {wait}s`: later answers are lost, and the time is charged all the same"
                )),
            );
        }
    }
    for (name, layer) in &spec.layers {
        for (index, id) in layer.runtimes.iter().enumerate() {
            let pointer = format!("/layers/{}/runtimes/{index}", escape(name));
            findings.extend(runtime(id, today).map(|finding| finding.at(loaded.place(&pointer))));
        }
    }
}

/// Seconds that the most patient route waits for each function that answers an API.
fn waits(loaded: &LoadedSpec) -> BTreeMap<&str, u32> {
    let mut waits = BTreeMap::new();
    for api in loaded.spec.apis.values() {
        let most = if api.kind == ApiKind::Http { HTTP_API_WAIT } else { REST_API_WAIT };
        for body in api.routes.iter().flat_map(|route| route.0.values()) {
            let Some(function) = body.function.as_deref() else { continue };
            let wait = body.timeout.map_or(most, |timeout| timeout.0);
            waits.entry(function).and_modify(|longest: &mut u32| *longest = wait.max(*longest)).or_insert(wait);
        }
    }
    waits
}

/// What there is to say of a runtime's end.
pub(super) fn runtime(id: &str, today: Day) -> Option<Finding> {
    let fact = facts::runtimes().get(id)?;
    let help = fact.replacement.as_ref().map_or("choose another runtime".to_owned(), |it| format!("use `{it}`"));
    let over = fact.create_block.is_some_and(|day| day <= today);
    if fact.status == Status::Retired || over {
        return Some(Finding::error(code::L110, format!("Lambda creates no function on `{id}` any more")).help(help));
    }
    let day = fact.create_block.filter(|day| today.days_until(*day) <= END_IS_NEAR)?;
    Some(Finding::warning(code::L111, format!("from {day} on, Lambda creates no function on `{id}`")).help(help))
}
