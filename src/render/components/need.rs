//! Outputs of other use cases: each that is taken comes in through a parameter, which a deploy fills.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::names::pascal;
use crate::render::references::{Kind, References, no_grant};
use crate::render::rendered::NeededOutput;
use crate::spec::{Piece, Reference, Text, escape};

/// Needs.
pub(super) const KIND: Kind = Kind {
    section: "needs",
    add: |_, _| {},
    attribute: |_, alias, output| (!output.is_empty()).then(|| Expression::reference(parameter(alias, output))),
    grant: no_grant,
};

/// The parameter that takes an output of another use case.
fn parameter(alias: &str, output: &str) -> String {
    format!("Needs{}{}", pascal(alias), pascal(output))
}

/// Declares the parameters of the outputs that the template takes, and says whose they are.
pub(super) fn add(assembly: &mut Assembly<'_>, references: &References<'_>) -> Vec<NeededOutput> {
    let spec = references.spec();
    let mut named = BTreeSet::new();
    if !spec.needs.is_empty() {
        collect(&references.loaded.document, &mut named);
    }
    let mut needed = Vec::new();
    for (alias, output) in named {
        let Some(need) = spec.needs.get(&alias) else { continue };
        let parameter = parameter(&alias, &output);
        // What stands in a text that is no reference after all, such as a description, takes nothing.
        if !assembly.mentions(&parameter) {
            continue;
        }
        let use_case = need.use_case.clone().unwrap_or_else(|| alias.clone());
        let stage = need.stage.clone().unwrap_or_else(|| references.options.stage.to_owned());
        let data = PartialData::new(format!("/needs/{}", escape(&alias)))
            .made("id", &parameter)
            .made("description", format!("Output {output} of the stack {use_case}-{stage}"));
        assembly.add("need", data);
        needed.push(NeededOutput { parameter, alias, use_case, stage, output });
    }
    needed
}

/// Every `${needs.ALIAS.OUTPUT}` of a document.
fn collect(value: &Value, named: &mut BTreeSet<(String, String)>) {
    match value {
        Value::String(text) => {
            for piece in Text::new(text).pieces().unwrap_or_default() {
                if let Piece::Reference(Reference::Component { section, name, attribute: Some(output) }) = piece
                    && section == "needs"
                {
                    named.insert((name, output));
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, named)),
        Value::Object(members) => members.values().for_each(|member| collect(member, named)),
        _ => {}
    }
}
