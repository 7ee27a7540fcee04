//! Lambda functions and layers: runtimes that end, what a package needs, the environment.

use serde_json::Value;

use super::{at, entries, inside, literal, of_type};
use crate::cfn::{Resource, Template};
use crate::check::functions::runtime;
use crate::facts::{self, Day};
use crate::finding::{Finding, code};

pub(super) fn check(template: &Template, today: Day, findings: &mut Vec<Finding>) {
    for function in of_type(template, "AWS::Lambda::Function") {
        if let Some(id) = literal(inside(function, &["Runtime"])) {
            findings.extend(runtime(&id, today).map(|finding| finding.in_template(at(function, "Runtime"))));
        }
        findings.extend(package(function));
        environment(function, findings);
    }
    for layer in of_type(template, "AWS::Lambda::LayerVersion") {
        for (index, value) in entries(inside(layer, &["CompatibleRuntimes"])).iter().enumerate() {
            let id = literal(Some(value)).unwrap_or_default();
            let path = at(layer, &format!("CompatibleRuntimes/{index}"));
            // A layer may name runtimes that functions had before.
            let finding = runtime(&id, today).filter(|finding| finding.code == code::L111);
            findings.extend(finding.map(|finding| finding.in_template(path)));
        }
    }
}

/// A function that is no image needs a runtime and a handler. Source: the refusal of CreateFunction.
fn package(function: Resource<'_>) -> Option<Finding> {
    let properties = function.properties()?;
    let code_of = properties.get("Code")?.as_object()?;
    let packaged = ["S3Bucket", "ZipFile"].iter().any(|key| code_of.contains_key(*key));
    let zip = properties.get("PackageType").is_none_or(|kind| literal(Some(kind)).as_deref() == Some("Zip"));
    if !packaged || !zip || code_of.contains_key("ImageUri") {
        return None;
    }
    let missing: Vec<&str> = ["Runtime", "Handler"].into_iter().filter(|key| !properties.contains_key(*key)).collect();
    let message = match missing.as_slice() {
        [] => return None,
        [one] => format!("`{}` has no `{one}`, which a function needs that is no image", function.logical_id),
        _ => format!(
            "`{}` has no `Runtime` and no `Handler`, which a function needs that is no image",
            function.logical_id
        ),
    };
    Some(
        Finding::error(code::L112, message)
            .in_template(format!("Resources/{}/Properties", function.logical_id))
            .help("write `Runtime`, such as `python3.13`, and `Handler`, such as `index.handler`"),
    )
}

fn environment(function: Resource<'_>, findings: &mut Vec<Finding>) {
    let Some(variables) = inside(function, &["Environment", "Variables"]).and_then(Value::as_object) else { return };
    let limits = &facts::runtimes().environment;
    let mut bytes = 0;
    for (name, value) in variables {
        bytes += name.len() + literal(Some(value)).map_or(0, |text| text.len());
        if limits.reserved.contains(name) {
            findings.push(
                Finding::error(code::L113, format!("Lambda sets `{name}` itself and refuses it in an environment"))
                    .in_template(at(function, &format!("Environment/Variables/{name}")))
                    .help("take it out: Lambda sets it for the function"),
            );
        }
    }
    if bytes > limits.most_bytes {
        findings.push(
            Finding::error(
                code::L113,
                format!("the environment has {bytes} bytes and Lambda takes {}", limits.most_bytes),
            )
            .in_template(at(function, "Environment/Variables"))
            .help("put long values into a file of the code or into a bucket"),
        );
    }
}
