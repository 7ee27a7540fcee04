//! Knowledge bases.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::text::Text;

/// A Bedrock knowledge base: documents that a model can ask.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnowledgeBase {
    /// A name of your own; else it is made from the use case, the stage, the name here and what can only be changed by
    /// making the knowledge base anew.
    #[schemars(example = &"bank-knowledge")]
    pub name: Option<Text>,
    /// What is in it: agents decide by this when to ask it.
    #[schemars(length(min = 1, max = 200), example = &"What is needed to open an account")]
    pub description: Option<String>,
    /// Where its vectors are kept.
    #[serde(default)]
    pub store: Store,
    /// A name under `models`: the embedding model, by its own id. A managed knowledge base needs none.
    #[schemars(extend("x-names" = "models"), example = &"embedding")]
    pub embedding: Option<String>,
    /// Where its documents come from, by a name of your own.
    #[schemars(extend("minProperties" = 1, "propertyNames" = super::component_name(), "examples" = [{ "docs": { "bucket": "documents" } }]))]
    pub sources: BTreeMap<String, Source>,
    /// The Aurora cluster, where `store` is `aurora`.
    pub aurora: Option<AuroraStore>,
    /// The Pinecone index, where `store` is `pinecone`.
    pub pinecone: Option<PineconeStore>,
    /// The MongoDB Atlas cluster, where `store` is `mongodb-atlas`.
    pub mongodb_atlas: Option<MongoStore>,
    /// The graph, where `store` is `neptune-analytics`.
    pub neptune_analytics: Option<NeptuneStore>,
    /// The domain, where `store` is `opensearch-cluster`.
    pub opensearch_cluster: Option<OpenSearchClusterStore>,
    /// More of the collection, where `store` is `opensearch-serverless`.
    pub opensearch_serverless: Option<OpenSearchServerlessStore>,
}

/// Where vectors are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// S3 Vectors: nothing to pay while idle.
    #[default]
    S3Vectors,
    /// Bedrock keeps them and chooses the embedding model; answers with sources by Retrieve only.
    Managed,
    /// An OpenSearch Serverless collection, made with the use case; it costs by the hour.
    OpensearchServerless,
    /// An Aurora PostgreSQL cluster that exists already.
    Aurora,
    /// A Pinecone index that exists already.
    Pinecone,
    /// A MongoDB Atlas cluster that exists already.
    MongodbAtlas,
    /// A Neptune Analytics graph, made with the use case; it costs by the hour.
    NeptuneAnalytics,
    /// An OpenSearch Service domain that exists already.
    OpensearchCluster,
}

/// Where documents come from: exactly one of `bucket` and `web`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Source {
    /// A name under `buckets`.
    #[schemars(extend("x-names" = "buckets"), example = &"documents")]
    pub bucket: Option<String>,
    /// Only objects whose keys begin so.
    #[schemars(length(min = 1, max = 300), example = &"handbook/")]
    pub prefix: Option<String>,
    /// Pages of the web.
    pub web: Option<WebSource>,
    /// How documents are cut into pieces.
    pub chunking: Option<Chunking>,
    /// How documents are read.
    pub parsing: Option<Parsing>,
    /// What happens to its vectors when the source is deleted: they stay, unless said. Those of a managed knowledge base are
    /// always deleted.
    pub deletion: Option<SourceDeletion>,
}

/// What happens to a source's vectors when it is deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceDeletion {
    /// They stay and go with their store, so that taking the stack away cannot hang on them.
    #[default]
    Retain,
    /// Bedrock deletes them one by one.
    Delete,
}

/// Pages of the web.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebSource {
    /// Where to begin.
    #[schemars(length(min = 1, max = 100), extend("examples" = [["https://example.com/docs/"]]))]
    pub urls: Vec<String>,
    /// How far links are followed.
    #[serde(default)]
    pub scope: WebScope,
    /// Pages a minute and host, 1 to 300.
    #[schemars(range(min = 1, max = 300), example = 60)]
    pub rate: Option<u32>,
}

/// How far links are followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WebScope {
    /// Pages below the first one.
    #[default]
    Path,
    /// Pages of the same host.
    Host,
    /// Pages of the host and its subdomains.
    Subdomains,
}

/// How documents are cut into pieces.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Chunking {
    /// By what rule.
    pub by: ChunkingRule,
    /// Tokens of a piece at most; of a parent piece where there are two levels.
    #[schemars(range(min = 1, max = 8192), example = 300)]
    pub tokens: Option<u32>,
    /// The part of a piece that the next one repeats, in percent (fixed).
    #[schemars(range(min = 1, max = 99), example = 20)]
    pub overlap: Option<u32>,
    /// Tokens of a child piece (hierarchical).
    #[schemars(range(min = 1, max = 8192), example = 300)]
    pub child_tokens: Option<u32>,
    /// Tokens that the next piece repeats (hierarchical).
    #[schemars(range(min = 1), example = 60)]
    pub overlap_tokens: Option<u32>,
    /// How unlike sentences must be for a cut, as a percentile, 50 to 99 (semantic).
    #[schemars(range(min = 50, max = 99), example = 95)]
    pub breakpoint: Option<u32>,
    /// Sentences before and after that are looked at too, 0 or 1 (semantic).
    #[schemars(range(min = 0, max = 1), example = 1)]
    pub buffer: Option<u32>,
}

/// A rule by which documents are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChunkingRule {
    /// Not at all: a document is one piece.
    None,
    /// By a number of tokens.
    Fixed,
    /// In two levels: small pieces are found, large ones are given.
    Hierarchical,
    /// Where the meaning changes.
    Semantic,
}

/// How documents are read.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Parsing {
    /// By what.
    pub by: ParsingWay,
    /// A name under `models`: the model that reads.
    #[schemars(extend("x-names" = "models"), example = &"reader")]
    pub model: Option<String>,
    /// The prompt of the model.
    #[schemars(length(min = 1, max = 10000), example = &"Write down everything on the page, tables as Markdown.")]
    pub prompt: Option<String>,
}

/// What reads documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParsingWay {
    /// A foundation model.
    Model,
    /// Bedrock Data Automation.
    DataAutomation,
}

/// More of an OpenSearch Serverless collection.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OpenSearchServerlessStore {
    /// Keep a second copy of everything, at twice the price.
    #[serde(default)]
    pub standby: bool,
    /// Who may work with the collection's indexes beside the knowledge base and who deploys, which makes the index: roles by
    /// name, with their paths, or anyone by their ARN. A parameter holds an ARN.
    #[serde(default)]
    #[schemars(extend("examples" = [["team/analyst", "${parameters.analyst-arn}"]]))]
    pub readers: Vec<Text>,
}

/// An Aurora PostgreSQL cluster with its table.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuroraStore {
    /// The cluster's ARN.
    #[schemars(example = &"${parameters.cluster-arn}")]
    pub cluster: Text,
    /// The ARN of the secret with its credentials.
    #[schemars(example = &"${parameters.cluster-secret-arn}")]
    pub secret: Text,
    /// The database.
    #[schemars(length(min = 1, max = 63), example = &"postgres")]
    pub database: String,
    /// The table, made beforehand with columns id, embedding, chunks and metadata.
    #[schemars(length(min = 1, max = 63), example = &"bedrock.knowledge")]
    pub table: String,
}

/// A Pinecone index.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PineconeStore {
    /// The index's address.
    #[schemars(example = &"https://index.svc.region.pinecone.io")]
    pub url: Text,
    /// A name under `secrets`: an object with the key `apiKey`.
    #[schemars(extend("x-names" = "secrets"), example = &"pinecone")]
    pub secret: String,
    /// The namespace.
    #[schemars(length(min = 1), example = &"handbook")]
    pub namespace: Option<String>,
}

/// A MongoDB Atlas cluster with its collection.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MongoStore {
    /// The cluster's host name.
    #[schemars(example = &"cluster0.example.mongodb.net")]
    pub endpoint: Text,
    /// A name under `secrets`: an object with the keys `username` and `password`.
    #[schemars(extend("x-names" = "secrets"), example = &"atlas")]
    pub secret: String,
    /// The database.
    #[schemars(length(min = 1, max = 63), example = &"knowledge")]
    pub database: String,
    /// The collection.
    #[schemars(length(min = 1, max = 63), example = &"chunks")]
    pub collection: String,
    /// The vector index.
    #[schemars(length(min = 1), example = &"vectors")]
    pub index: String,
    /// The text index, for search by words as well.
    #[schemars(length(min = 1), example = &"words")]
    pub text_index: Option<String>,
}

/// A Neptune Analytics graph.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NeptuneStore {
    /// Its memory in m-NCUs; 16, the least, unless said.
    #[schemars(range(min = 16, max = 24576), example = 16)]
    pub memory: Option<u32>,
    /// A name under `models`: it finds the entities in documents, and so how they are connected.
    #[schemars(extend("x-names" = "models"), example = &"reader")]
    pub model: String,
}

/// An OpenSearch Service domain with its index.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OpenSearchClusterStore {
    /// The domain's ARN.
    #[schemars(example = &"${parameters.domain-arn}")]
    pub domain: Text,
    /// The domain's address.
    #[schemars(example = &"https://search-knowledge.us-west-2.es.amazonaws.com")]
    pub endpoint: Text,
    /// The vector index, made beforehand.
    #[schemars(length(min = 1), example = &"knowledge")]
    pub index: String,
}
