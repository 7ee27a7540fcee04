//! What a knowledge base's role must be allowed on the store its vectors are said to be in. The vectors themselves are kept
//! here, whatever the store.

use serde_json::Value;

use crate::identity::RequiredPermission;

/// What a knowledge base does with its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreUse {
    Search,
    Write,
    Delete,
}

/// A store, by the rights it asks for: actions with the ARN they are on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct VectorStore {
    search: Vec<(&'static str, String)>,
    write: Vec<(&'static str, String)>,
    delete: Vec<(&'static str, String)>,
}

impl VectorStore {
    /// The store that a `StorageConfiguration` names; one that asks for nothing when it names none.
    ///
    /// Of each store only those rights are asked for that its use cannot do without; sources: the user guide's service role
    /// for knowledge bases, and the service authorization reference.
    pub fn of(storage: &Value) -> Self {
        let text = |pointer: &str| storage.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let on = |arn: &str, actions: &[&'static str]| actions.iter().map(|action| (*action, arn.to_owned())).collect();
        match storage.get("Type").and_then(Value::as_str).unwrap_or_default() {
            "S3_VECTORS" => {
                let index = text("/S3VectorsConfiguration/IndexArn");
                Self {
                    search: on(&index, &["s3vectors:QueryVectors", "s3vectors:GetVectors"]),
                    write: on(&index, &["s3vectors:GetIndex", "s3vectors:PutVectors"]),
                    delete: on(&index, &["s3vectors:DeleteVectors"]),
                }
            }
            "OPENSEARCH_SERVERLESS" => {
                let collection = text("/OpensearchServerlessConfiguration/CollectionArn");
                Self::alike(on(&collection, &["aoss:APIAccessAll"]))
            }
            "RDS" => {
                let cluster = text("/RdsConfiguration/ResourceArn");
                let secret = text("/RdsConfiguration/CredentialsSecretArn");
                Self::alike(vec![("secretsmanager:GetSecretValue", secret), ("rds-data:ExecuteStatement", cluster)])
            }
            "PINECONE" => Self::by_secret(text("/PineconeConfiguration/CredentialsSecretArn")),
            "MONGO_DB_ATLAS" => Self::by_secret(text("/MongoDbAtlasConfiguration/CredentialsSecretArn")),
            "NEPTUNE_ANALYTICS" => {
                let graph = text("/NeptuneAnalyticsConfiguration/GraphArn");
                Self {
                    search: on(&graph, &["neptune-graph:ReadDataViaQuery"]),
                    write: on(&graph, &["neptune-graph:GetGraph", "neptune-graph:WriteDataViaQuery"]),
                    delete: on(&graph, &["neptune-graph:DeleteDataViaQuery"]),
                }
            }
            "OPENSEARCH_MANAGED_CLUSTER" => {
                let domain = text("/OpensearchManagedClusterConfiguration/DomainArn");
                let index = text("/OpensearchManagedClusterConfiguration/VectorIndexName");
                // The documents of the index, as the paths of its requests begin.
                let documents = format!("{domain}/{index}/_");
                Self {
                    search: on(&documents, &["es:ESHttpPost"]),
                    write: on(&documents, &["es:ESHttpPost"]),
                    delete: on(&documents, &["es:ESHttpDelete"]),
                }
            }
            _ => Self::default(),
        }
    }

    fn alike(rights: Vec<(&'static str, String)>) -> Self {
        Self { search: rights.clone(), write: rights.clone(), delete: rights }
    }

    fn by_secret(secret: String) -> Self {
        Self::alike(vec![("secretsmanager:GetSecretValue", secret)])
    }

    /// What a use of it needs.
    pub fn needs(&self, how: StoreUse) -> Vec<RequiredPermission> {
        let rights = match how {
            StoreUse::Search => &self.search,
            StoreUse::Write => &self.write,
            StoreUse::Delete => &self.delete,
        };
        rights.iter().map(|(action, arn)| RequiredPermission::new(*action, arn)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(storage: &Value, how: StoreUse) -> Vec<String> {
        VectorStore::of(storage)
            .needs(how)
            .into_iter()
            .map(|need| format!("{} {}", need.action, need.resource))
            .collect()
    }

    #[test]
    fn each_store_asks_for_its_own_rights() {
        let vectors = json!({ "Type": "S3_VECTORS", "S3VectorsConfiguration": { "IndexArn": "arn:i" } });
        assert_eq!(asked(&vectors, StoreUse::Delete), ["s3vectors:DeleteVectors arn:i"]);
        let aurora = json!({
            "Type": "RDS", "RdsConfiguration": { "ResourceArn": "arn:c", "CredentialsSecretArn": "arn:s" },
        });
        assert_eq!(
            asked(&aurora, StoreUse::Search),
            ["secretsmanager:GetSecretValue arn:s", "rds-data:ExecuteStatement arn:c"]
        );
        let cluster = json!({
            "Type": "OPENSEARCH_MANAGED_CLUSTER",
            "OpensearchManagedClusterConfiguration": { "DomainArn": "arn:d", "VectorIndexName": "i" },
        });
        assert_eq!(asked(&cluster, StoreUse::Write), ["es:ESHttpPost arn:d/i/_"]);
        assert_eq!(asked(&Value::Null, StoreUse::Write), [""; 0], "a managed knowledge base has no store of its own");
    }
}
