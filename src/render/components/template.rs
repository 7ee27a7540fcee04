//! A CloudFormation template made elsewhere, by the AWS CDK for example: its sections become part of the stack's.

use serde_json::{Map, Value};

use crate::finding::{Finding, Place, code};
use crate::render::assemble::Assembly;
use crate::render::made_elsewhere::{POINTER, template};
use crate::render::provenance::Elsewhere;
use crate::render::references::References;
use crate::spec::escape;

/// Sections that are the stack's own to say.
const OWN: [&str; 2] = ["AWSTemplateFormatVersion", "Description"];

/// The parameter and the rule by which a CDK app asks for a bootstrapped account.
const BOOTSTRAP_PARAMETER: &str = "BootstrapVersion";
const BOOTSTRAP_RULE: &str = "CheckBootstrapVersion";

/// How to synthesise without what only `cdk deploy` can give.
const WITHOUT_BOOTSTRAP: &str = "name the whole assembly, `template: { assembly: cdk.out }`, or synthesise with `new DefaultStackSynthesizer({ generateBootstrapVersionRule: false })`, \
                                 or `\"@aws-cdk/core:newStyleStackSynthesis\": false` in cdk.json";

/// What to do about code that `cdk deploy` would upload.
const WITHOUT_ASSETS: &str = "name the whole assembly, `template: { assembly: cdk.out }`, put the code inline (`Code.fromInline`, 4,096 characters at most), or take the function out \
                              of the app and write it under `functions`, where its code is packaged";

/// Adds the template's sections; `value` is the template as it is deployed.
pub(super) fn add(assembly: &mut Assembly<'_>, references: &References<'_>, value: Value) {
    let loaded = references.loaded;
    let Some(Some(template)) = assembly.keep(template(loaded)) else { return };
    let Ok(document) = &template.document else { return };
    let mut bad = false;
    let mut refuse = |assembly: &mut Assembly<'_>, message: String, pointer: &str, help: &str| {
        bad = true;
        let place = document.positions.key_at(pointer).or_else(|| document.positions.at(pointer));
        let place = place.map(|(line, column)| Place { file: template.file.clone(), line, column });
        assembly.report(Finding::error(code::R144, message).at(place.or_else(|| loaded.place(POINTER))).help(help));
    };
    if value.pointer(&format!("/Parameters/{BOOTSTRAP_PARAMETER}/Type")).and_then(Value::as_str)
        == Some("AWS::SSM::Parameter::Value<String>")
    {
        let message = "the template asks for an account that CDK has bootstrapped".to_owned();
        refuse(assembly, message, &format!("/Parameters/{BOOTSTRAP_PARAMETER}"), WITHOUT_BOOTSTRAP);
    } else if value.pointer(&format!("/Rules/{BOOTSTRAP_RULE}")).is_some() {
        let message = "the template asks for an account that CDK has bootstrapped".to_owned();
        refuse(assembly, message, &format!("/Rules/{BOOTSTRAP_RULE}"), WITHOUT_BOOTSTRAP);
    }
    let mut assets = Vec::new();
    find_assets(&value, "", &mut assets);
    for pointer in assets {
        let message = "this lies in the bucket of CDK's assets, which only `cdk deploy` fills".to_owned();
        refuse(assembly, message, &pointer, WITHOUT_ASSETS);
    }
    if bad {
        return;
    }
    let Value::Object(sections) = value else { return };
    let sections: Map<String, Value> = sections.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str())).collect();
    let elsewhere = Elsewhere { file: template.file.clone(), positions: document.positions.clone() };
    assembly.take_template(sections, POINTER, elsewhere);
}

/// The places of texts that name the bucket of a CDK bootstrap's assets, `cdk-QUALIFIER-assets-ACCOUNT-REGION`.
fn find_assets(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with("cdk-") && text.contains("-assets-") => found.push(pointer.to_owned()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_assets(item, &format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                find_assets(member, &format!("{pointer}/{}", escape(key)), found);
            }
        }
        _ => {}
    }
}
