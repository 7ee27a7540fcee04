//! The provider schemas' findings, at the line of the spec they come from.

use crate::cfn::validate;
use crate::finding::Finding;
use crate::render::Rendered;
use crate::spec::LoadedSpec;

pub(super) fn check(loaded: &LoadedSpec, rendered: &Rendered, region: Option<&str>, findings: &mut Vec<Finding>) {
    for finding in validate(&rendered.template, region) {
        let place = finding.template_path.as_deref().and_then(|path| rendered.place(loaded, path));
        findings.push(finding.at_known(place));
    }
}
