//! The operations on guardrails.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::verdict::{Piece, judge};
use super::{GuardedText, Guardrail, find};
use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, api_names, invalid, page, without_nulls};
use crate::ground::resource_table::{self, StoredResource};

/// How many characters make a unit of text. Source: Bedrock quotas, guardrails.
const UNIT: usize = 1000;

/// `ApplyGuardrail`.
pub(in crate::bedrock) fn apply(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let guardrail = find(db, &call.region, call.label("guardrailIdentifier"), call.label("guardrailVersion"))?;
    let source = match call.text("source") {
        Some("INPUT") => GuardedText::Input,
        Some("OUTPUT") => GuardedText::Output,
        _ => return Err(invalid("`source` must be INPUT or OUTPUT")),
    };
    let content = call.body.get("content").and_then(Value::as_array).filter(|content| !content.is_empty());
    let content = content.ok_or_else(|| invalid("`content` must have at least one text"))?;
    let mut pieces = Vec::new();
    for block in content {
        let Some(text) = block.pointer("/text/text").and_then(Value::as_str) else {
            return Err(invalid("The local target's guardrails look at texts only"));
        };
        let qualifiers = block.pointer("/text/qualifiers").and_then(Value::as_array);
        let has = |name: &str| qualifiers.is_some_and(|list| list.iter().any(|one| one == name));
        let guarded = has("guard_content");
        let (grounds, query) = (has("grounding_source") && !guarded, has("query") && !guarded);
        pieces.push(Piece { text: text.to_owned(), grounds, query });
    }
    let verdict = judge(&guardrail, source, &pieces);
    let outputs: Vec<Value> = if verdict.blocked {
        vec![json!({"text": guardrail.message(source)})]
    } else if verdict.masked {
        verdict.texts.iter().map(|text| json!({ "text": text })).collect()
    } else {
        Vec::new()
    };
    let characters: usize = pieces.iter().map(|piece| piece.text.chars().count()).sum();
    let reason = if verdict.blocked {
        Some("Guardrail blocked.")
    } else if verdict.masked {
        Some("Guardrail masked.")
    } else {
        None
    };
    Ok(BedrockAnswer::Json(without_nulls(json!({
        "usage": usage(&guardrail, characters),
        "action": if verdict.intervened() { "GUARDRAIL_INTERVENED" } else { "NONE" },
        "actionReason": reason,
        "outputs": outputs,
        "assessments": [verdict.assessment],
        "guardrailCoverage": {"textCharacters": {"guarded": characters, "total": characters}},
    }))))
}

fn usage(guardrail: &Guardrail, characters: usize) -> Value {
    let units = |policy: &str| if guardrail.properties.get(policy).is_some() { characters.div_ceil(UNIT) } else { 0 };
    json!({
        "topicPolicyUnits": units("TopicPolicyConfig"),
        "contentPolicyUnits": units("ContentPolicyConfig"),
        "wordPolicyUnits": units("WordPolicyConfig"),
        "sensitiveInformationPolicyUnits": units("SensitiveInformationPolicyConfig"),
        "sensitiveInformationPolicyFreeUnits": 0,
        "contextualGroundingPolicyUnits": units("ContextualGroundingPolicyConfig"),
    })
}

/// `GetGuardrail`.
pub(in crate::bedrock) fn get(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let version = call.query.get("guardrailVersion").map_or("DRAFT", String::as_str);
    let guardrail = find(db, &call.region, call.label("guardrailIdentifier"), version)?;
    let thing = resource_table::find(db, "AWS::Bedrock::Guardrail", &call.region, &guardrail.arn)?;
    let mut told = described(&guardrail, thing.as_ref(), call);
    let policies = [
        ("TopicPolicyConfig", "topicPolicy"),
        ("ContentPolicyConfig", "contentPolicy"),
        ("WordPolicyConfig", "wordPolicy"),
        ("SensitiveInformationPolicyConfig", "sensitiveInformationPolicy"),
        ("ContextualGroundingPolicyConfig", "contextualGroundingPolicy"),
    ];
    if let Some(told) = told.as_object_mut() {
        for (property, name) in policies {
            let Some(Value::Object(policy)) = guardrail.properties.get(property).map(api_names) else { continue };
            // The API's lists have no `Config` at their end.
            let policy = policy.into_iter().map(|(name, value)| (name.trim_end_matches("Config").to_owned(), value));
            told.insert(name.to_owned(), Value::Object(policy.collect()));
        }
        told.insert("blockedInputMessaging".to_owned(), json!(guardrail.message(GuardedText::Input)));
        told.insert("blockedOutputsMessaging".to_owned(), json!(guardrail.message(GuardedText::Output)));
        if let Some(id) = told.remove("id") {
            told.insert("guardrailId".to_owned(), id);
        }
        if let Some(arn) = told.remove("arn") {
            told.insert("guardrailArn".to_owned(), arn);
        }
    }
    Ok(BedrockAnswer::Json(told))
}

fn described(guardrail: &Guardrail, thing: Option<&StoredResource>, call: &BedrockRequest) -> Value {
    let attribute =
        |name: &str| thing.and_then(|thing| thing.attributes.get(name)).cloned().unwrap_or_else(|| json!(call.stamp()));
    without_nulls(json!({
        "id": guardrail.id,
        "arn": guardrail.arn,
        "status": "READY",
        "name": guardrail.properties.get("Name"),
        "description": guardrail.properties.get("Description"),
        "version": guardrail.version,
        "createdAt": attribute("CreatedAt"),
        "updatedAt": attribute("UpdatedAt"),
    }))
}

/// `ListGuardrails`: the drafts, or all versions of one.
pub(in crate::bedrock) fn list(db: &Connection, call: &BedrockRequest) -> BedrockResult {
    let mut found = Vec::new();
    let wanted = call.query.get("guardrailIdentifier").map(|id| id.rsplit_once('/').map_or(id.as_str(), |(_, id)| id));
    for thing in resource_table::of_type(db, "AWS::Bedrock::Guardrail", Some(&call.region))? {
        let id = thing.id.rsplit_once('/').map_or(thing.id.as_str(), |(_, id)| id).to_owned();
        if wanted.is_some_and(|wanted| wanted != id) {
            continue;
        }
        let draft = Guardrail {
            id: id.clone(),
            arn: thing.id.clone(),
            version: "DRAFT".to_owned(),
            properties: thing.properties.clone(),
        };
        found.push(described(&draft, Some(&thing), call));
        if wanted.is_some() {
            for version in resource_table::of_type(db, "AWS::Bedrock::GuardrailVersion", Some(&call.region))? {
                let Some((of, number)) = version.id.split_once('|') else { continue };
                if of == id {
                    let published = Guardrail { version: number.to_owned(), ..draft.clone() };
                    found.push(described(&published, Some(&thing), call));
                }
            }
        }
    }
    page(call, "guardrails", found)
}
