//! Foundation models: nothing is made for one, but for an application inference profile.

use serde_json::json;

use crate::finding::Finding;
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::profile_id;
use crate::render::models;
use crate::render::references::{Ask, Kind, References};
use crate::spec::{Model, escape};

/// The longest name of an inference profile.
const NAME: usize = 64;

/// Models.
pub(super) const KIND: Kind = Kind {
    section: "models",
    add: |assembly, references| {
        for (name, model) in references.spec().models.iter().filter(|(_, model)| model.application_profile) {
            add_profile(assembly, references, name, model);
        }
    },
    attribute,
    grant,
};

/// An application inference profile: calls through it carry its tags in the bill.
fn add_profile(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, model: &Model) {
    let (spec, stage) = (references.spec(), references.options.stage);
    let id = profile_id(name);
    let data = PartialData::new(format!("/models/{}", escape(name)))
        .made("name", profile_name(&format!("{}-{stage}-{name}", spec.name)))
        .said("source", "id", models::source(model))
        .made("tags", json!([{ "Key": "bedplate:model", "Value": name }]))
        .made("output_id", format!("{id}Arn"))
        .made("id", id);
    assembly.add("model-profile", data);
}

/// A name that Bedrock takes: no two hyphens in a row, none at the end, not too long.
fn profile_name(text: &str) -> String {
    let words: Vec<&str> = text.split('-').filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-");
    name.truncate(NAME);
    name.trim_end_matches('-').to_owned()
}

fn attribute(references: &References<'_>, name: &str, attribute: &str) -> Option<Expression> {
    let model = references.spec().models.get(name)?;
    let inference = &model.inference;
    let number = |value: Option<String>| value.map(Expression::literal);
    match attribute {
        "" => Some(models::called(name, model)),
        "id" => Some(Expression::literal(&model.id)),
        "arn" => Some(models::called_arn(name, model)),
        "max-tokens" => number(inference.max_tokens.map(|it| it.to_string())),
        "temperature" => number(inference.temperature.map(|it| it.to_string())),
        "top-p" => number(inference.top_p.map(|it| it.to_string())),
        "top-k" => number(inference.top_k.map(|it| it.to_string())),
        "dimensions" => number(model.dimensions.map(|it| it.to_string())),
        _ => None,
    }
}

/// Calls through Converse are checked as `bedrock:InvokeModel` too; answers that come bit by bit have an action of
/// their own.
fn grant(references: &References<'_>, ask: &Ask<'_>) -> Result<Vec<Statement>, Finding> {
    let action = match ask.verb {
        "invoke" => "bedrock:InvokeModel",
        "stream" => "bedrock:InvokeModelWithResponseStream",
        _ => return Err(references.cannot(ask)),
    };
    Ok(models::statements(references, ask.name, &[action]))
}
