//! Bedrock: versions of guardrails, prompts and flows, which keep what they were made from; knowledge bases and data sources,
//! with which goes what was read into them.

use serde_json::Value;

use super::policy;
use crate::bedrock::{forget_base, forget_source};
use crate::ground::resource_table;
use crate::ground::scalar::text;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};
use crate::s3::object_blob;
use bedplate_cfn::agent_api;
use bedplate_facts::models;

fn missing(what: &str) -> Failure {
    Failure::handler("NotFound", format!("{what} (Service: Bedrock, Status Code: 404)"))
}

/// The properties of a thing of a stack, by its ARN or the id at the end of it.
fn properties_of(work: &ResourceWork<'_>, resource_type: &str, id: &str) -> Result<Option<Value>, Failure> {
    let made = resource_table::of_type(work.db, resource_type, Some(&work.site.region))?;
    let is = |known: &str| known == id || known.rsplit_once('/').is_some_and(|(_, tail)| tail == id);
    Ok(made.into_iter().find(|thing| is(&thing.id)).map(|thing| thing.properties))
}

pub(super) struct GuardrailVersion;

impl Handler for GuardrailVersion {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let id = text(properties, "GuardrailIdentifier").unwrap_or_default();
        let draft = properties_of(work, "AWS::Bedrock::Guardrail", &id)?;
        let draft = draft.ok_or_else(|| missing("The guardrail identifier provided in the request does not exist."))?;
        generic::create_with(work, properties, draft)
    }
}

pub(super) struct PromptVersion;

impl Handler for PromptVersion {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let arn = text(properties, "PromptArn").unwrap_or_default();
        let draft = properties_of(work, "AWS::Bedrock::Prompt", &arn)?;
        let draft = draft.ok_or_else(|| missing("The prompt identifier provided in the request does not exist."))?;
        generic::create_with(work, properties, draft)
    }
}

pub(super) struct FlowVersion;

impl Handler for FlowVersion {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let arn = text(properties, "FlowArn").unwrap_or_default();
        let draft = properties_of(work, "AWS::Bedrock::Flow", &arn)?;
        let draft = draft.ok_or_else(|| missing("The flow identifier provided in the request does not exist."))?;
        generic::create_with(work, properties, draft)
    }
}

pub(super) struct KnowledgeBase;

/// A refusal of a knowledge base or an agent.
fn refused(message: &str) -> Failure {
    Failure::handler("InvalidRequest", format!("{message} (Service: BedrockAgent, Status Code: 400)"))
}

impl KnowledgeBase {
    /// The S3 vector index must exist, for vectors of the model's length.
    fn check_index(work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        const INVALID: &str = "The knowledge base storage configuration provided is invalid...";
        let Some(store) = properties.pointer("/StorageConfiguration/S3VectorsConfiguration") else { return Ok(()) };
        let named = text(store, "VectorBucketArn").zip(text(store, "IndexName"));
        let arn = text(store, "IndexArn").or_else(|| named.map(|(bucket, index)| format!("{bucket}/index/{index}")));
        let Some(arn) = arn else { return Ok(()) };
        // An index of another account or region can't be looked at from here.
        let here = format!(":s3vectors:{}:{}:", work.site.region, work.site.account);
        if !arn.contains(&here) {
            return Ok(());
        }
        let Some(index) = resource_table::find_anywhere(work.db, "AWS::S3Vectors::Index", &arn)? else {
            return Err(refused(&format!("{INVALID} The specified index could not be found")));
        };
        let wanted = vector_length(properties);
        let made = text(&index.properties, "Dimension").and_then(|dimension| dimension.parse::<u32>().ok());
        match wanted.zip(made) {
            Some((wanted, made)) if wanted != made => Err(refused(&format!(
                "{INVALID} The index is made for vectors of {made} dimensions, and those of the embedding model have {wanted}"
            ))),
            _ => Ok(()),
        }
    }
}

/// How long the vectors of a knowledge base's embedding model are, where that is known.
fn vector_length(properties: &Value) -> Option<u32> {
    let own = properties.pointer("/KnowledgeBaseConfiguration/VectorKnowledgeBaseConfiguration")?;
    let said = own.pointer("/EmbeddingModelConfiguration/BedrockEmbeddingModelConfiguration");
    match said.and_then(|said| text(said, "Dimensions")) {
        Some(said) => said.parse().ok(),
        None => {
            let arn = text(own, "EmbeddingModelArn")?;
            let (_, model) = arn.split_once("foundation-model/")?;
            models().get(model)?.dimensions.first().copied()
        }
    }
}

/// An agent, whose schemas are read when it is made.
pub(super) struct AgentHandler;

impl Handler for AgentHandler {
    /// Words: public reports, seen 2026-11.
    fn check(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        for group in properties.get("ActionGroups").and_then(Value::as_array).into_iter().flatten() {
            let Some(schema) = group.get("ApiSchema") else { continue };
            let faults = match (text(schema, "Payload"), schema.get("S3")) {
                (Some(payload), _) => agent_api::faults(&payload),
                (None, Some(object)) => {
                    let (bucket, key) = (text(object, "S3BucketName"), text(object, "S3ObjectKey"));
                    let read = bucket.zip(key).map(|(bucket, key)| object_blob(work.db, &bucket, &key, None));
                    match read {
                        Some(Err(error)) => vec![error.message],
                        _ => Vec::new(),
                    }
                }
                (None, None) => Vec::new(),
            };
            if !faults.is_empty() {
                let name = text(group, "ActionGroupName").unwrap_or_default();
                return Err(refused(&format!(
                    "Failed to create OpenAPI 3 model from the JSON/YAML object that you provided for action: {name} {{APISchemaException=[{}]}}",
                    faults.join(", ")
                )));
            }
        }
        Ok(())
    }
}

impl Handler for KnowledgeBase {
    /// What the service looks at before it makes a knowledge base. Words of the role's and the index's refusal: public
    /// reports, seen 2026-11; of the others the service's words are not known.
    fn check(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        let role = text(properties, "RoleArn").unwrap_or_default();
        let name = role.rsplit('/').next().unwrap_or_default();
        let found = resource_table::find(work.db, "AWS::IAM::Role", "global", name)?;
        let trusted = found.is_some_and(|role| {
            policy::trusts(
                role.properties.get("AssumeRolePolicyDocument").unwrap_or(&Value::Null),
                "bedrock.amazonaws.com",
            )
        });
        if !trusted {
            return Err(refused(
                "Bedrock Knowledge Base was unable to assume the given role. Provide the proper permissions and retry the request.",
            ));
        }
        let own = properties.pointer("/KnowledgeBaseConfiguration/ManagedKnowledgeBaseConfiguration");
        if let Some(own) = own {
            let kind = text(own, "EmbeddingModelType");
            let model = text(own, "EmbeddingModelArn").is_some();
            if kind.as_deref() == Some("MANAGED") && model {
                return Err(refused("EmbeddingModelArn cannot be given when EmbeddingModelType is MANAGED"));
            }
            if kind.as_deref() == Some("CUSTOM") && !model {
                return Err(refused("EmbeddingModelArn is required when EmbeddingModelType is CUSTOM"));
            }
        }
        Self::check_index(work, properties)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, _: &Value) -> Result<(), Failure> {
        forget_base(work.db, id)?;
        generic::delete(work, id)
    }
}

pub(super) struct DataSource;

impl Handler for DataSource {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let base = text(properties, "KnowledgeBaseId").unwrap_or_default();
        if resource_table::find(work.db, "AWS::Bedrock::KnowledgeBase", &work.site.region, &base)?.is_none() {
            return Err(missing(&format!("Knowledge base with id {base} does not exist")));
        }
        generic::create(work, properties)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, properties: &Value) -> Result<(), Failure> {
        if let Some((base, source)) = id.split_once('|') {
            let all = text(properties, "DataDeletionPolicy").as_deref() != Some("RETAIN");
            forget_source(work.db, base, source, all)?;
        }
        generic::delete(work, id)
    }
}
