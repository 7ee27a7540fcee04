//! Which resources hold data that cannot be made again.

use super::types::{Action, DataLoss, PlannedChange};

/// Resource types whose deletion takes data along, each with what is lost. Kept in order of the name. Chosen by reading
/// through the types of CloudFormation's registry (`schemas/cloudformation`, which says when it was taken): those that hold
/// what applications or people put there, and keys without which such data cannot be read.
const HOLDERS: &[(&str, &str)] = &[
    ("AWS::ACMPCA::CertificateAuthority", "the certificate authority and its key"),
    ("AWS::APS::Workspace", "the metrics"),
    ("AWS::Backup::BackupVault", "the backups"),
    ("AWS::Bedrock::KnowledgeBase", "the knowledge base and what was ingested into it"),
    ("AWS::BedrockAgentCore::Memory", "everything the memory holds"),
    ("AWS::Cassandra::Keyspace", "the tables of the keyspace"),
    ("AWS::Cassandra::Table", "the rows of the table"),
    ("AWS::CloudFormation::Stack", "whatever the nested stack holds"),
    ("AWS::CloudTrail::EventDataStore", "the events"),
    ("AWS::CodeCommit::Repository", "the repository"),
    ("AWS::Cognito::IdentityPool", "the identities"),
    ("AWS::Cognito::UserPool", "the users and their passwords"),
    ("AWS::Cognito::UserPoolUser", "the user and their password"),
    ("AWS::DAX::Cluster", "what the cluster caches"),
    ("AWS::DSQL::Cluster", "the databases"),
    ("AWS::DocDB::DBCluster", "the databases"),
    ("AWS::DynamoDB::GlobalTable", "the items of the table"),
    ("AWS::DynamoDB::Table", "the items of the table"),
    ("AWS::EC2::Instance", "what is on its own disk"),
    ("AWS::EC2::Volume", "the volume"),
    ("AWS::ECR::PublicRepository", "the images"),
    ("AWS::ECR::Repository", "the images"),
    ("AWS::EFS::FileSystem", "the files"),
    ("AWS::ElastiCache::CacheCluster", "what the cluster holds"),
    ("AWS::ElastiCache::ReplicationGroup", "what the group holds"),
    ("AWS::ElastiCache::ServerlessCache", "what the cache holds"),
    ("AWS::Elasticsearch::Domain", "the indexes of the domain"),
    ("AWS::FSx::FileSystem", "the files"),
    ("AWS::KMS::Key", "whatever only this key can decrypt"),
    ("AWS::KMS::ReplicaKey", "whatever only this key can decrypt"),
    ("AWS::Kendra::Index", "the documents of the index"),
    ("AWS::Kinesis::Stream", "the records of the stream"),
    ("AWS::KinesisVideo::Stream", "the records of the stream"),
    ("AWS::Logs::LogGroup", "the log"),
    ("AWS::MSK::Cluster", "the topics"),
    ("AWS::MSK::ServerlessCluster", "the topics"),
    ("AWS::MemoryDB::Cluster", "what the cluster holds"),
    ("AWS::Neptune::DBCluster", "the graph"),
    ("AWS::NeptuneGraph::Graph", "the graph"),
    ("AWS::OpenSearchServerless::Collection", "the indexes of the collection"),
    ("AWS::OpenSearchServerless::Index", "the documents of the index"),
    ("AWS::OpenSearchService::Domain", "the indexes of the domain"),
    ("AWS::QBusiness::Application", "the conversations"),
    ("AWS::QBusiness::Index", "the documents of the index"),
    ("AWS::QLDB::Ledger", "the ledger"),
    ("AWS::RDS::DBCluster", "the databases"),
    ("AWS::RDS::DBInstance", "the databases"),
    ("AWS::RDS::GlobalCluster", "the databases"),
    ("AWS::Redshift::Cluster", "the databases"),
    ("AWS::RedshiftServerless::Namespace", "the databases"),
    ("AWS::Route53::HostedZone", "the records of the zone, and its name servers"),
    ("AWS::S3::Bucket", "the objects of the bucket"),
    ("AWS::S3Express::DirectoryBucket", "the objects of the bucket"),
    ("AWS::S3Tables::Table", "the rows of the table"),
    ("AWS::S3Tables::TableBucket", "the tables of the bucket"),
    ("AWS::S3Vectors::Index", "the vectors of the index"),
    ("AWS::S3Vectors::VectorBucket", "the indexes of the vector bucket"),
    ("AWS::SQS::Queue", "the messages of the queue"),
    ("AWS::SecretsManager::Secret", "the secret"),
    ("AWS::Timestream::Database", "the tables of the database"),
    ("AWS::Timestream::InfluxDBInstance", "the databases"),
    ("AWS::Timestream::Table", "the records of the table"),
];

/// What is lost when a resource of this type goes; none when it can be made again as it was.
pub fn holds_data(resource_type: &str) -> Option<&'static str> {
    let at = HOLDERS.binary_search_by_key(&resource_type, |(name, _)| name).ok()?;
    HOLDERS.get(at).map(|(_, what)| *what)
}

/// The data that goes with these changes: what is removed or (perhaps) replaced and not kept.
pub fn losses(changes: &[PlannedChange]) -> Vec<DataLoss> {
    let mut losses: Vec<DataLoss> = changes
        .iter()
        .filter(|change| matches!(change.action, Action::Remove | Action::Replace | Action::MaybeReplace))
        .filter(|change| change.kept.is_none())
        .filter_map(|change| {
            Some(DataLoss {
                logical_id: change.logical_id.clone(),
                resource_type: change.resource_type.clone(),
                physical_id: change.physical_id.clone(),
                action: change.action,
                what: holds_data(&change.resource_type)?.to_owned(),
            })
        })
        .collect();
    losses.sort();
    losses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cfn::Schemas;

    #[test]
    fn the_table_is_in_order_so_that_it_can_be_searched() {
        assert!(HOLDERS.is_sorted_by_key(|(name, _)| name));
        assert!(HOLDERS.iter().all(|(name, _)| holds_data(name).is_some()));
        assert_eq!(holds_data("AWS::Lambda::Function"), None);
        let unknown: Vec<&str> =
            HOLDERS.iter().map(|(name, _)| *name).filter(|name| Schemas::embedded().get(name).is_none()).collect();
        assert!(unknown.is_empty(), "not in the registry: {unknown:?}");
    }
}
