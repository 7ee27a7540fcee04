//! Findings that the spec accepts: they are told as notes, each with its reason.

use crate::finding::{Finding, code};
use crate::spec::LoadedSpec;

/// Turns what is accepted into notes, and tells what is accepted and not there.
pub(super) fn apply(loaded: &LoadedSpec, findings: &mut Vec<Finding>) {
    let mut unused = Vec::new();
    for (index, acceptance) in loaded.spec.accept.iter().enumerate() {
        let resource = format!("Resources/{}/", acceptance.resource);
        let mut found = false;
        for finding in findings.iter_mut() {
            let there = finding.template_path.as_deref().is_some_and(|path| path.starts_with(&resource));
            if there && finding.code.as_str() == acceptance.finding {
                found = true;
                *finding = finding.clone().accepted(&acceptance.reason);
            }
        }
        if !found {
            let message = format!("there is no {} of `{}` to accept", acceptance.finding, acceptance.resource);
            let place = loaded.place(&format!("/accept/{index}/finding"));
            unused.push(Finding::warning(code::R190, message).at(place).help("take it out, or correct the logical id"));
        }
    }
    findings.append(&mut unused);
}
