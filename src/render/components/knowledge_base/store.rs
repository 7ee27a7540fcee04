//! What each store adds to a knowledge base.

use serde_json::{Map, Value, json};

use super::base::{Embedding, KnowledgeBaseContext, attribute, invoke};
use crate::finding::{Finding, code};
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::digest;
use crate::render::expression::Expression;
use crate::render::names::service_name;
use crate::render::rendered::DEPLOYER;
use crate::spec::{OpenSearchServerlessStore, Piece, Reference, Store, Text, escape};

/// What a store adds to its knowledge base.
pub(super) struct Stored {
    /// What the knowledge base's role may do with it.
    pub(super) statements: Vec<Statement>,
    /// Its name with underscores; empty for one that the knowledge base is told nothing of.
    pub(super) name: &'static str,
    /// What the knowledge base is told of it.
    pub(super) storage: Option<PartialData>,
    /// What can only be changed by making the store anew.
    pub(super) content: String,
    /// Logical ids of what must be there before the knowledge base, beside what it refers to.
    pub(super) first: Vec<String>,
}

/// The longest name OpenSearch Serverless takes for all of its things.
const LONGEST_COLLECTION_NAME: usize = 32;

/// Memory in m-NCUs of a graph that says none: the least there is.
const GRAPH_MEMORY: u32 = 16;

/// The stores that a knowledge base is told of.
pub(super) const STORES: [&str; 7] = [
    "s3_vectors",
    "opensearch_serverless",
    "aurora",
    "pinecone",
    "mongodb_atlas",
    "neptune_analytics",
    "opensearch_cluster",
];

/// The field of vectors, by the name Bedrock gives it where it makes an index itself.
const VECTOR_FIELD: &str = "bedrock-knowledge-base-default-vector";

impl KnowledgeBaseContext<'_> {
    /// Adds the resources of the store, where it has any, and says the rest.
    pub(super) fn store(&self, assembly: &mut Assembly<'_>, embedding: Option<&Embedding>) -> Result<Stored, Finding> {
        match (self.base.store, embedding) {
            (Store::Managed, _) => Ok(managed()),
            (_, None) => Err(self.missing("embedding")),
            (Store::S3Vectors, Some(embedding)) => Ok(self.s3_vectors(assembly, embedding)),
            (Store::OpensearchServerless, Some(embedding)) => self.opensearch_serverless(assembly, embedding),
            (Store::NeptuneAnalytics, Some(embedding)) => self.neptune_analytics(assembly, embedding),
            (Store::Aurora, _) => self.aurora(),
            (Store::Pinecone, _) => self.pinecone(),
            (Store::MongodbAtlas, _) => self.mongodb_atlas(),
            (Store::OpensearchCluster, _) => self.opensearch_cluster(),
        }
    }

    /// Where the spec says which store it is; what is said of the store stands below its own key.
    pub(super) fn store_pointer(&self) -> String {
        format!("{}/store", self.pointer)
    }

    /// What the knowledge base is told of a store that is described in the spec.
    fn described(&self, key: &str) -> PartialData {
        PartialData::new(format!("{}/{key}", self.pointer))
    }

    /// Where the length of the vectors stands, when the spec says it.
    pub(super) fn dimension_pointer(&self) -> String {
        let model = self.base.embedding.as_deref().unwrap_or_default();
        let said = self.references.spec().models.get(model).is_some_and(|model| model.dimensions.is_some());
        if said { format!("/models/{}/dimensions", escape(model)) } else { format!("{}/embedding", self.pointer) }
    }

    fn missing(&self, key: &str) -> Finding {
        Finding::error(code::R124, format!("the knowledge base `{}` needs `{key}`", self.name))
            .at(self.references.loaded.place(&self.pointer))
            .help(format!("add `{key}` to it"))
    }

    fn text(&self, text: &Text, key: &str) -> Result<Expression, Finding> {
        self.references.text(text, &format!("{}/{key}", self.pointer))
    }

    /// Somebody by their ARN, or a role by its name in this account. What a parameter holds is only known later: it is an
    /// ARN.
    fn reader(&self, reader: &Text, key: &str) -> Result<Expression, Finding> {
        let whole = self.text(reader, key)?;
        let pieces = self.references.pieces(reader, &format!("{}/{key}", self.pointer))?;
        let is_arn = match pieces.first() {
            Some(Piece::Literal(literal)) => literal.starts_with("arn:"),
            Some(Piece::Reference(Reference::Component { attribute, .. })) => attribute.as_deref() == Some("arn"),
            Some(Piece::Reference(Reference::Parameter(_))) => true,
            _ => false,
        };
        if is_arn {
            return Ok(whole);
        }
        let arn = Expression::literal("arn:").then(Expression::reference("AWS::Partition")).text(":iam::");
        Ok(arn.then(Expression::reference("AWS::AccountId")).text(":role/").then(whole))
    }

    fn secret(&self, secret: &str, key: &str) -> Result<Value, Finding> {
        attribute(self.references, "secrets", secret, "arn", &format!("{}/{key}/secret", self.pointer))
    }

    fn s3_vectors(&self, assembly: &mut Assembly<'_>, embedding: &Embedding) -> Stored {
        let index_id = self.id.clone() + "Index";
        let data = PartialData::new(&self.pointer)
            .made("bucket_id", self.id.clone() + "Vectors")
            .made("index_id", &index_id)
            .said("dimension", &self.dimension_pointer(), embedding.dimension);
        let resources = assembly.add_known("s3-vectors-store", data);
        let arn = Expression::attribute(index_id, "IndexArn").value();
        let actions = ["DeleteVectors", "GetIndex", "GetVectors", "PutVectors", "QueryVectors"];
        let actions = actions.map(|action| format!("s3vectors:{action}"));
        Stored {
            statements: vec![Statement::allow(actions.iter().map(String::as_str), [arn.clone()])],
            name: "s3_vectors",
            storage: Some(PartialData::new(self.store_pointer()).made("index_arn", arn)),
            content: Value::Object(resources).to_string(),
            first: Vec::new(),
        }
    }

    fn opensearch_serverless(&self, assembly: &mut Assembly<'_>, embedding: &Embedding) -> Result<Stored, Finding> {
        let none = OpenSearchServerlessStore::default();
        let described = self.base.opensearch_serverless.as_ref().unwrap_or(&none);
        let spec_name = self.references.spec().name.to_ascii_lowercase();
        let words =
            [&*spec_name, &*self.references.options.stage.to_ascii_lowercase(), &*self.name.to_ascii_lowercase()];
        // Replicas and tags, the stack's among them, can only be changed by making the collection anew, under another name.
        let tags = &self.references.spec().tags;
        let tags = if tags.is_empty() { String::new() } else { format!("{tags:?}") };
        let digest = digest::short(&format!("{words:?}{}{tags}", described.standby));
        let name = service_name(&words, LONGEST_COLLECTION_NAME - digest.len() - 1);
        let name = format!("{name}-{digest}");
        let index = format!("vectors-{}", embedding.dimension);
        // CloudFormation makes the index with the rights of who deploys.
        let mut readers = vec![Expression::attribute(self.role_id(), "Arn"), Expression::reference(DEPLOYER)];
        for (number, reader) in described.readers.iter().enumerate() {
            readers.push(self.reader(reader, &format!("opensearch-serverless/readers/{number}"))?);
        }
        let collection_id = self.id.clone() + "Collection";
        let access_id = self.id.clone() + "CollectionAccess";
        let index_id = self.id.clone() + "Index";
        let rules = json!([{ "ResourceType": "collection", "Resource": [format!("collection/{name}")] }]);
        let encryption = json!({ "Rules": rules, "AWSOwnedKey": true });
        // From anywhere, but only for who is named in the access policy and signs requests.
        let network = json!([{ "Rules": rules, "AllowFromPublic": true }]);
        let data = PartialData::new(&self.pointer)
            .made("collection_id", &collection_id)
            .made("encryption_id", self.id.clone() + "CollectionEncryption")
            .made("network_id", self.id.clone() + "CollectionNetwork")
            .made("access_id", &access_id)
            .made("index_id", &index_id)
            .made("policy_id", self.policy_id())
            .made("name", &name)
            .said("standby", "opensearch-serverless/standby", if described.standby { "ENABLED" } else { "DISABLED" })
            .made("encryption", encryption.to_string())
            .made("network", network.to_string())
            .said("access", "opensearch-serverless/readers", access(&name, readers).value())
            .made("index", &index)
            .said("dimension", &self.dimension_pointer(), embedding.dimension)
            .made("vector_field", VECTOR_FIELD);
        let resources = assembly.add_known("opensearch-serverless-store", data);
        let arn = Expression::attribute(&collection_id, "Arn").value();
        let content = [&collection_id, &index_id].map(|id| resources.get(id).map(Value::to_string).unwrap_or_default());
        Ok(Stored {
            statements: vec![Statement::allow(["aoss:APIAccessAll"], [arn.clone()])],
            name: "opensearch_serverless",
            storage: Some(
                PartialData::new(self.store_pointer())
                    .made("collection_arn", arn)
                    .made("index", index)
                    .made("vector", VECTOR_FIELD),
            ),
            content: content.concat(),
            first: vec![access_id, index_id],
        })
    }

    fn neptune_analytics(&self, assembly: &mut Assembly<'_>, embedding: &Embedding) -> Result<Stored, Finding> {
        let described = self.base.neptune_analytics.as_ref().ok_or_else(|| self.missing("neptune-analytics"))?;
        let graph_id = self.id.clone() + "Graph";
        let data = PartialData::new(&self.pointer)
            .made("id", &graph_id)
            .said("memory", "neptune-analytics/memory", described.memory.unwrap_or(GRAPH_MEMORY))
            .said("dimension", &self.dimension_pointer(), embedding.dimension);
        assembly.add("neptune-analytics-store", data);
        let arn = Expression::attribute(&graph_id, "GraphArn").value();
        let actions = ["DeleteDataViaQuery", "GetGraph", "ReadDataViaQuery", "WriteDataViaQuery"];
        let actions = actions.map(|action| format!("neptune-graph:{action}"));
        let mut statements = vec![Statement::allow(actions.iter().map(String::as_str), [arn.clone()])];
        let pointer = format!("{}/neptune-analytics/model", self.pointer);
        statements.extend(invoke(self.references, &described.model, &pointer)?);
        Ok(Stored {
            statements,
            name: "neptune_analytics",
            storage: Some(PartialData::new(self.store_pointer()).made("graph_arn", arn)),
            content: embedding.dimension.to_string(),
            first: Vec::new(),
        })
    }

    fn aurora(&self) -> Result<Stored, Finding> {
        let described = self.base.aurora.as_ref().ok_or_else(|| self.missing("aurora"))?;
        let cluster = self.text(&described.cluster, "aurora/cluster")?.value();
        let secret = self.text(&described.secret, "aurora/secret")?.value();
        Ok(Stored {
            statements: vec![
                Statement::allow(["rds:DescribeDBClusters"], [cluster.clone()]),
                Statement::allow(["rds-data:BatchExecuteStatement", "rds-data:ExecuteStatement"], [cluster.clone()]),
                Statement::allow(["secretsmanager:GetSecretValue"], [secret.clone()]),
            ],
            name: "aurora",
            storage: Some(
                self.described("aurora")
                    .said("cluster", "cluster", cluster)
                    .said("secret", "secret", secret)
                    .said("database", "database", &described.database)
                    .said("table", "table", &described.table),
            ),
            content: String::new(),
            first: Vec::new(),
        })
    }

    fn pinecone(&self) -> Result<Stored, Finding> {
        let described = self.base.pinecone.as_ref().ok_or_else(|| self.missing("pinecone"))?;
        let secret = self.secret(&described.secret, "pinecone")?;
        let url = self.text(&described.url, "pinecone/url")?.value();
        Ok(Stored {
            statements: vec![Statement::allow(["secretsmanager:GetSecretValue"], [secret.clone()])],
            name: "pinecone",
            storage: Some(self.described("pinecone").said("url", "url", url).said("secret", "secret", secret).said(
                "namespace",
                "namespace",
                &described.namespace,
            )),
            content: String::new(),
            first: Vec::new(),
        })
    }

    fn mongodb_atlas(&self) -> Result<Stored, Finding> {
        let described = self.base.mongodb_atlas.as_ref().ok_or_else(|| self.missing("mongodb-atlas"))?;
        let secret = self.secret(&described.secret, "mongodb-atlas")?;
        let endpoint = self.text(&described.endpoint, "mongodb-atlas/endpoint")?.value();
        Ok(Stored {
            statements: vec![Statement::allow(["secretsmanager:GetSecretValue"], [secret.clone()])],
            name: "mongodb_atlas",
            storage: Some(
                self.described("mongodb-atlas")
                    .said("endpoint", "endpoint", endpoint)
                    .said("secret", "secret", secret)
                    .said("database", "database", &described.database)
                    .said("collection", "collection", &described.collection)
                    .said("index", "index", &described.index)
                    .said("text_index", "text-index", &described.text_index),
            ),
            content: String::new(),
            first: Vec::new(),
        })
    }

    fn opensearch_cluster(&self) -> Result<Stored, Finding> {
        let described = self.base.opensearch_cluster.as_ref().ok_or_else(|| self.missing("opensearch-cluster"))?;
        let domain = self.text(&described.domain, "opensearch-cluster/domain")?;
        let endpoint = self.text(&described.endpoint, "opensearch-cluster/endpoint")?.value();
        let index = domain.clone().text(format!("/{}", described.index));
        let documents = index.clone().text("/*");
        let actions = ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut"];
        Ok(Stored {
            statements: vec![
                Statement::allow(["es:DescribeDomain"], [domain.value()]),
                Statement::allow(["es:ESHttpHead"], [index.value()]),
                Statement::allow(actions, [documents.value()]),
            ],
            name: "opensearch_cluster",
            storage: Some(
                self.described("opensearch-cluster")
                    .said("domain", "domain", domain.value())
                    .said("endpoint", "endpoint", endpoint)
                    .said("index", "index", &described.index)
                    .made("vector", VECTOR_FIELD),
            ),
            content: String::new(),
            first: Vec::new(),
        })
    }
}

/// What is said of one store, and that nothing is said of the others.
pub(super) fn storage(store: &str, said: Option<Value>) -> Value {
    let mut storage: Map<String, Value> = STORES.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    if let (Some(place), Some(said)) = (storage.get_mut(store), said) {
        *place = said;
    }
    Value::Object(storage)
}

/// Bedrock keeps the vectors itself and counts what it does in CloudWatch, which knows no resources to name.
fn managed() -> Stored {
    let metrics = Statement::allow(["cloudwatch:PutMetricData"], [json!("*")]).when(
        "StringEquals",
        "cloudwatch:namespace",
        json!("AWS/Bedrock/KnowledgeBases"),
    );
    Stored { statements: vec![metrics], name: "", storage: None, content: String::new(), first: Vec::new() }
}

/// Who may do what with the collection's indexes: OpenSearch Serverless looks here beside IAM.
fn access(collection: &str, readers: Vec<Expression>) -> Expression {
    let permissions = ["CreateIndex", "DeleteIndex", "UpdateIndex", "DescribeIndex", "ReadDocument", "WriteDocument"];
    let rules = json!([
        {
            "ResourceType": "index",
            "Resource": [format!("index/{collection}/*")],
            "Permission": permissions.map(|permission| format!("aoss:{permission}")),
        },
        {
            "ResourceType": "collection",
            "Resource": [format!("collection/{collection}")],
            "Permission": ["aoss:DescribeCollectionItems"],
        },
    ]);
    let mut policy = Expression::literal(format!("[{{\"Rules\":{rules},\"Principal\":["));
    for (number, reader) in readers.into_iter().enumerate() {
        policy = policy.text(if number == 0 { "\"" } else { ",\"" }).then(reader).text("\"");
    }
    policy.text("]}]")
}
