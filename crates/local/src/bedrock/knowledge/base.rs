//! Knowledge bases and data sources, as stacks made them.

use std::sync::Arc;

use rusqlite::Connection;
use serde_json::Value;

use super::store::{StoreUse, VectorStore};
use crate::bedrock::Bedrock;
use crate::bedrock::answer::{invalid, missing};
use crate::bedrock::identify;
use crate::bedrock::service_role::{ServiceRole, of_model};
use crate::bedrock::vectors::dimension_of;
use crate::ground::ApiError;
use crate::ground::resource_table::{self, StoredResource};
use crate::identity::RequiredPermission;

/// The dimension of a managed knowledge base's own vectors.
const MANAGED_DIMENSION: usize = 1024;

/// A knowledge base.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::bedrock) struct Base {
    pub id: String,
    pub arn: String,
    pub region: String,
    pub role: String,
    /// Bedrock keeps the vectors itself.
    pub managed: bool,
    /// The embedding model's ARN; none for Bedrock's own.
    model: Option<String>,
    dimensions: Option<Value>,
    store: VectorStore,
}

/// The refusal when there is no such thing.
pub(super) fn none(what: &str, id: &str) -> ApiError {
    missing(format!("{what} with id {id} does not exist"))
}

/// The thing a knowledge base's id names.
pub(super) fn thing(db: &Connection, region: &str, id: &str) -> Result<StoredResource, ApiError> {
    let id = id.rsplit_once('/').map_or(id, |(_, id)| id);
    resource_table::find(db, "AWS::Bedrock::KnowledgeBase", region, id)?.ok_or_else(|| none("Knowledge base", id))
}

/// The thing the id of a data source names.
pub(super) fn source_thing(db: &Connection, region: &str, base: &str, id: &str) -> Result<StoredResource, ApiError> {
    thing(db, region, base)?;
    let made = resource_table::of_type(db, "AWS::Bedrock::DataSource", Some(region))?;
    let id_of = format!("{base}|{id}");
    made.into_iter().find(|thing| thing.id == id_of).ok_or_else(|| none("Data source", id))
}

impl Base {
    /// A knowledge base by id or ARN.
    ///
    /// # Errors
    ///
    /// When there is none, or it is of a kind that is not simulated.
    pub fn find(db: &Connection, region: &str, id: &str) -> Result<Self, ApiError> {
        let thing = thing(db, region, id)?;
        let configuration = thing.properties.get("KnowledgeBaseConfiguration").unwrap_or(&Value::Null);
        let kind = configuration.get("Type").and_then(Value::as_str).unwrap_or_default();
        let own = match kind {
            "VECTOR" => configuration.get("VectorKnowledgeBaseConfiguration"),
            "MANAGED" => configuration.get("ManagedKnowledgeBaseConfiguration"),
            _ => return Err(ApiError::not_implemented("bedrock-agent", &format!("knowledge bases of type {kind}"))),
        };
        let own = own.unwrap_or(&Value::Null);
        let dimensions = own.pointer("/EmbeddingModelConfiguration/BedrockEmbeddingModelConfiguration/Dimensions");
        Ok(Self {
            arn: thing.attributes.get("KnowledgeBaseArn").and_then(Value::as_str).unwrap_or_default().to_owned(),
            role: thing.properties.get("RoleArn").and_then(Value::as_str).unwrap_or_default().to_owned(),
            managed: kind == "MANAGED",
            model: own.get("EmbeddingModelArn").and_then(Value::as_str).map(str::to_owned),
            dimensions: dimensions.cloned(),
            store: VectorStore::of(thing.properties.get("StorageConfiguration").unwrap_or(&Value::Null)),
            region: thing.region,
            id: thing.id,
        })
    }

    /// For whom its role works.
    pub fn worker(&self) -> ServiceRole {
        ServiceRole {
            role: self.role.clone(),
            service: "bedrock.amazonaws.com",
            source: self.arn.clone(),
            region: self.region.clone(),
        }
    }

    /// What it needs of its store.
    pub(super) fn on_store(&self, how: StoreUse) -> Vec<RequiredPermission> {
        self.store.needs(how)
    }

    /// What embedding needs.
    pub async fn on_model(&self, bedrock: &Arc<Bedrock>) -> Result<Vec<RequiredPermission>, ApiError> {
        match &self.model {
            Some(model) => of_model(bedrock, &self.region, "bedrock:InvokeModel", model).await,
            None => Ok(Vec::new()),
        }
    }

    /// The embedding model to ask for, and the length of its vectors.
    ///
    /// # Errors
    ///
    /// When the model can't be called, or has no vectors of that length.
    pub fn embedding(&self, db: &Connection, now: jiff::Timestamp) -> Result<(String, usize), ApiError> {
        let Some(model) = &self.model else { return Ok(("managed".to_owned(), MANAGED_DIMENSION)) };
        let target = identify::target(db, &self.region, model, now)?;
        if target.model.output != "embedding" {
            return Err(invalid(format!("{model} is not an embedding model")));
        }
        let dimension = dimension_of(&target, self.dimensions.as_ref())?;
        Ok((target.id, dimension))
    }
}

/// Where a data source's documents are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DocumentLocation {
    pub bucket: String,
    /// What keys begin with; one empty prefix when none is said.
    pub prefixes: Vec<String>,
}

/// A data source.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BaseSource {
    pub id: String,
    pub place: DocumentLocation,
    /// `ChunkingConfiguration`; null when none is said.
    pub chunking: Value,
}

impl BaseSource {
    /// A data source that is a bucket.
    ///
    /// # Errors
    ///
    /// When there is none, or it is no bucket.
    pub fn find(db: &Connection, region: &str, base: &str, id: &str) -> Result<Self, ApiError> {
        let thing = source_thing(db, region, base, id)?;
        let configuration = thing.properties.get("DataSourceConfiguration").unwrap_or(&Value::Null);
        let kind = configuration.get("Type").and_then(Value::as_str).unwrap_or_default();
        let texts = |list: Option<&Value>| -> Vec<String> {
            let entries = list.and_then(Value::as_array).into_iter().flatten();
            entries.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (bucket, prefixes) = match kind {
            "S3" => {
                let own = configuration.get("S3Configuration").unwrap_or(&Value::Null);
                let arn = own.get("BucketArn").and_then(Value::as_str).unwrap_or_default();
                (arn.rsplit_once(":::").map_or(arn, |(_, name)| name).to_owned(), texts(own.get("InclusionPrefixes")))
            }
            "MANAGED_KNOWLEDGE_BASE_CONNECTOR" => {
                let pointer = "/ManagedKnowledgeBaseConnectorConfiguration/ConnectorParameters";
                let parameters = configuration.pointer(pointer).unwrap_or(&Value::Null);
                let read: Value;
                let parameters = match parameters {
                    Value::String(text) => {
                        read = serde_json::from_str(text).unwrap_or_default();
                        &read
                    }
                    other => other,
                };
                let connector = parameters.get("type").and_then(Value::as_str).unwrap_or_default();
                if connector != "S3" {
                    return Err(ApiError::not_implemented(
                        "bedrock-agent",
                        &format!("ingestion from a connector of type {connector}"),
                    ));
                }
                let bucket = parameters.pointer("/connectionConfiguration/bucketName").and_then(Value::as_str);
                let prefixes = parameters.pointer("/filterConfiguration/inclusionPrefixes");
                (bucket.unwrap_or_default().to_owned(), texts(prefixes))
            }
            _ => {
                return Err(ApiError::not_implemented(
                    "bedrock-agent",
                    &format!("ingestion from data sources of type {kind}"),
                ));
            }
        };
        let chunking = thing.properties.pointer("/VectorIngestionConfiguration/ChunkingConfiguration");
        let prefixes = if prefixes.is_empty() { vec![String::new()] } else { prefixes };
        Ok(Self {
            id: id.to_owned(),
            place: DocumentLocation { bucket, prefixes },
            chunking: chunking.cloned().unwrap_or_default(),
        })
    }
}
