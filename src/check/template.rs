//! The provider schemas' findings, at the line of the spec they come from.

use crate::cfn::template::SERVERLESS;
use crate::cfn::validate;
use crate::finding::{Finding, code};
use crate::render::Rendered;
use crate::spec::LoadedSpec;

pub(super) fn check(loaded: &LoadedSpec, rendered: &Rendered, region: Option<&str>, findings: &mut Vec<Finding>) {
    if rendered.template.is_serverless() {
        let message = format!(
            "this is a template of the Serverless Application Model, which `{SERVERLESS}` turns into others when it is deployed"
        );
        findings.push(
            Finding::note(code::T290, message)
                .at(rendered.place(loaded, "Transform"))
                .in_template("Transform")
                .help("what its serverless resources become is not checked; CloudFormation is sent it as it is"),
        );
    }
    findings.extend(rendered.findings.iter().cloned());
    for nested in &rendered.nested {
        let found = validate(&nested.template, region).into_iter();
        findings.extend(found.map(|finding| {
            let place = finding.template_path.as_deref().and_then(|path| nested.place(path));
            finding.at_known(place)
        }));
    }
    for finding in validate(&rendered.template, region) {
        let place = finding.template_path.as_deref().and_then(|path| rendered.place(loaded, path));
        findings.push(finding.at_known(place));
    }
}
