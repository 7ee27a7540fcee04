//! Knowledge bases and agents of Bedrock: what the service refuses when they are made.

use serde_json::Value;

use super::{at, entries, inside, literal, of_type, target};
use crate::cfn::template::canonical_text;
use crate::cfn::{Resource, Template, agent_api};
use crate::facts;
use crate::finding::{Finding, code};

pub(super) fn check(template: &Template, findings: &mut Vec<Finding>) {
    for base in of_type(template, "AWS::Bedrock::KnowledgeBase") {
        findings.extend(managed_model(base));
        findings.extend(role(template, base));
        findings.extend(vector_length(template, base));
    }
    for agent in of_type(template, "AWS::Bedrock::Agent") {
        schemas(agent, findings);
    }
}

/// Source: `embeddingModelType` of ManagedKnowledgeBaseConfiguration in botocore 1.43.106.
fn managed_model(base: Resource<'_>) -> Option<Finding> {
    const MANAGED: &str = "KnowledgeBaseConfiguration/ManagedKnowledgeBaseConfiguration";
    let configuration = inside(base, &["KnowledgeBaseConfiguration", "ManagedKnowledgeBaseConfiguration"])?;
    let kind = literal(configuration.get("EmbeddingModelType"))?;
    let model =
        ["EmbeddingModelArn", "EmbeddingModelConfiguration"].into_iter().find(|key| configuration.get(*key).is_some());
    let (message, key, help) = match (kind.as_str(), model) {
        ("MANAGED", Some("EmbeddingModelArn")) => (
            "a knowledge base with a managed embedding model names a model of its own",
            "EmbeddingModelArn",
            "take the ARN out, or write `EmbeddingModelType: CUSTOM`",
        ),
        ("CUSTOM", model) if model != Some("EmbeddingModelArn") => (
            "a knowledge base with an embedding model of its own does not name it",
            "EmbeddingModelType",
            "add `EmbeddingModelArn`, or write `EmbeddingModelType: MANAGED`",
        ),
        _ => return None,
    };
    Some(Finding::error(code::B029, message).in_template(at(base, &format!("{MANAGED}/{key}"))).help(help))
}

/// A role of the template must let Bedrock assume it. Words of the refusal in public reports, seen 2026-11: `Bedrock Knowledge
/// Base was unable to assume the given role`.
fn role(template: &Template, base: Resource<'_>) -> Option<Finding> {
    let id = inside(base, &["RoleArn"]).and_then(target)?;
    let role = template.resource(id).filter(|role| role.type_ == "AWS::IAM::Role")?;
    let trust = inside(role, &["AssumeRolePolicyDocument"])?;
    let text = canonical_text(trust);
    // Of what is computed nothing is known.
    let open = ["\"Fn::", "\"Ref\""].iter().any(|function| principals(trust).contains(function));
    if open || text.contains("bedrock.amazonaws.com") || text.contains("\"*\"") {
        return None;
    }
    Some(
        Finding::error(code::B030, format!("Bedrock cannot assume `{id}`, the role of this knowledge base"))
            .in_template(at(base, "RoleArn"))
            .help(format!("add a statement for the service `bedrock.amazonaws.com` to the trust policy of `{id}`")),
    )
}

/// Who a trust policy lets in, as written.
fn principals(trust: &Value) -> String {
    let statements = match trust.get("Statement") {
        Some(Value::Array(many)) => many.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => return "\"Fn::".to_owned(),
    };
    statements.iter().map(|statement| statement.get("Principal").map(canonical_text).unwrap_or_default()).collect()
}

/// An index of the template must be made for vectors as long as the model's.
fn vector_length(template: &Template, base: Resource<'_>) -> Option<Finding> {
    let configuration = inside(base, &["KnowledgeBaseConfiguration", "VectorKnowledgeBaseConfiguration"])?;
    let settings =
        configuration.get("EmbeddingModelConfiguration").and_then(|it| it.get("BedrockEmbeddingModelConfiguration"));
    let length: u32 = match settings.and_then(|settings| settings.get("Dimensions")) {
        Some(said) => literal(Some(said))?.parse().ok()?,
        None => {
            let arn = canonical_text(configuration.get("EmbeddingModelArn")?);
            let (_, model) = arn.split_once("foundation-model/")?;
            let model: String = model.chars().take_while(|c| c.is_ascii_alphanumeric() || ".-:".contains(*c)).collect();
            *facts::models().get(&model)?.dimensions.first()?
        }
    };
    let index = inside(base, &["StorageConfiguration", "S3VectorsConfiguration", "IndexArn"]).and_then(target)?;
    let made = template.resource(index).filter(|index| index.type_ == "AWS::S3Vectors::Index")?;
    let dimension: u32 = literal(inside(made, &["Dimension"]))?.parse().ok()?;
    (dimension != length).then(|| {
        Finding::error(
            code::B031,
            format!("`{index}` is made for vectors of {dimension} numbers, and the embedding model gives {length}"),
        )
        .in_template(at(made, "Dimension"))
        .help(format!("write `Dimension: {length}`, or choose the model's `Dimensions`"))
    })
}

/// The schemas of action groups that are in the template.
fn schemas(agent: Resource<'_>, findings: &mut Vec<Finding>) {
    for (index, group) in entries(inside(agent, &["ActionGroups"])).iter().enumerate() {
        let path = at(agent, &format!("ActionGroups/{index}/ApiSchema/Payload"));
        let Some(payload) = group.get("ApiSchema").and_then(|schema| schema.get("Payload")) else { continue };
        let Some(text) = literal(Some(payload)) else { continue };
        let faults = agent_api::faults(&text);
        if let Some(first) = faults.first() {
            let more = match faults.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            findings.push(
                Finding::error(code::B047, format!("Bedrock refuses the schema of this action group: {first}{more}"))
                    .in_template(path)
                    .help("write OpenAPI 3.0 with `paths`, and a `responses` for each operation"),
            );
            continue;
        }
        if let Some(first) = agent_api::advice(&text).first() {
            findings.push(
                Finding::warning(code::B048, format!("in the schema of this action group {first}"))
                    .in_template(path)
                    .help("the model chooses an operation by its `description` and calls it by its `operationId`"),
            );
        }
    }
}
