//! Which resources hold data that cannot be made again.

use super::types::{Action, DataLoss, PlannedChange};

/// Resource types whose deletion takes data along, each with what is lost. Kept in order of the name.
const HOLDERS: &[(&str, &str)] = &[
    ("AWS::Bedrock::KnowledgeBase", "the knowledge base and what was ingested into it"),
    ("AWS::BedrockAgentCore::Memory", "everything the memory holds"),
    ("AWS::Cognito::UserPool", "the users and their passwords"),
    ("AWS::DocDB::DBCluster", "the databases"),
    ("AWS::DynamoDB::GlobalTable", "the items of the table"),
    ("AWS::DynamoDB::Table", "the items of the table"),
    ("AWS::EC2::Volume", "the volume"),
    ("AWS::ECR::Repository", "the images"),
    ("AWS::EFS::FileSystem", "the files"),
    ("AWS::KMS::Key", "whatever only this key can decrypt"),
    ("AWS::Kinesis::Stream", "the records of the stream"),
    ("AWS::Logs::LogGroup", "the log"),
    ("AWS::Neptune::DBCluster", "the graph"),
    ("AWS::NeptuneGraph::Graph", "the graph"),
    ("AWS::OpenSearchServerless::Collection", "the indexes of the collection"),
    ("AWS::OpenSearchServerless::Index", "the documents of the index"),
    ("AWS::OpenSearchService::Domain", "the indexes of the domain"),
    ("AWS::RDS::DBCluster", "the databases"),
    ("AWS::RDS::DBInstance", "the databases"),
    ("AWS::S3::Bucket", "the objects of the bucket"),
    ("AWS::S3Vectors::Index", "the vectors of the index"),
    ("AWS::S3Vectors::VectorBucket", "the indexes of the vector bucket"),
    ("AWS::SQS::Queue", "the messages of the queue"),
    ("AWS::SecretsManager::Secret", "the secret"),
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

    #[test]
    fn the_table_is_in_order_so_that_it_can_be_searched() {
        assert!(HOLDERS.is_sorted_by_key(|(name, _)| name));
        assert!(HOLDERS.iter().all(|(name, _)| holds_data(name).is_some()));
        assert_eq!(holds_data("AWS::Lambda::Function"), None);
    }
}
