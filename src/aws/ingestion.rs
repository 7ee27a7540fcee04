//! Bedrock: reading the documents of a data source into its knowledge base.

use aws_sdk_bedrockagent::types::{
    IngestionJobFilter, IngestionJobFilterAttribute, IngestionJobFilterOperator, IngestionJobSortBy,
    IngestionJobSortByAttribute, IngestionJobStatistics, SortOrder,
};

use super::clients::Clients;
use super::error::CallError;

/// An ingestion job as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IngestionJob {
    /// Its id.
    pub id: String,
    /// Such as `IN_PROGRESS`.
    pub status: String,
    /// When it was started, in seconds since 1970.
    pub started: i64,
    /// Documents it looked at.
    pub scanned: u64,
    /// Documents that were new or changed and are in the knowledge base now.
    pub indexed: u64,
    /// Documents that are no longer in the source.
    pub deleted: u64,
    /// Documents that could not be read.
    pub failed: u64,
    /// Why, as far as it is told.
    pub reasons: Vec<String>,
}

impl IngestionJob {
    /// Whether nothing more comes of it.
    pub fn ended(&self) -> bool {
        ["COMPLETE", "FAILED", "STOPPED"].contains(&self.status.as_str())
    }

    fn counted(mut self, statistics: Option<&IngestionJobStatistics>) -> Self {
        let Some(counts) = statistics else { return self };
        let number = |count: i64| u64::try_from(count).unwrap_or(0);
        self.scanned = number(counts.number_of_documents_scanned);
        self.indexed = number(counts.number_of_new_documents_indexed)
            + number(counts.number_of_modified_documents_indexed)
            + number(counts.number_of_metadata_documents_modified);
        self.deleted = number(counts.number_of_documents_deleted);
        self.failed = number(counts.number_of_documents_failed);
        self
    }

    fn from_sdk(job: &aws_sdk_bedrockagent::types::IngestionJob) -> Self {
        Self {
            id: job.ingestion_job_id.clone(),
            status: job.status.as_str().to_owned(),
            started: job.started_at.secs(),
            reasons: job.failure_reasons.clone().unwrap_or_default(),
            ..Self::default()
        }
        .counted(job.statistics.as_ref())
    }
}

impl Clients {
    /// The last job of a data source that was completed.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn last_ingestion(&self, base: &str, source: &str) -> Result<Option<IngestionJob>, CallError> {
        const ACTION: &str = "bedrock:ListIngestionJobs";
        let wrong = |_| self.unreadable(ACTION, "the request is not well formed");
        let complete = IngestionJobFilter::builder()
            .attribute(IngestionJobFilterAttribute::Status)
            .operator(IngestionJobFilterOperator::Eq)
            .values("COMPLETE")
            .build()
            .map_err(wrong)?;
        let newest = IngestionJobSortBy::builder()
            .attribute(IngestionJobSortByAttribute::StartedAt)
            .order(SortOrder::Descending)
            .build()
            .map_err(wrong)?;
        let call = self.inner.bedrock_agent.list_ingestion_jobs().knowledge_base_id(base).data_source_id(source);
        let answer = call.filters(complete).sort_by(newest).max_results(1).send().await;
        let answer = answer.map_err(|error| self.error(ACTION, error))?;
        Ok(answer.ingestion_job_summaries.first().map(|job| {
            IngestionJob {
                id: job.ingestion_job_id.clone(),
                status: job.status.as_str().to_owned(),
                started: job.started_at.secs(),
                ..IngestionJob::default()
            }
            .counted(job.statistics.as_ref())
        }))
    }

    /// Starts a job. A request that is repeated with the same token starts no second one.
    ///
    /// # Errors
    /// When the call fails; a knowledge base has one job at a time.
    pub async fn start_ingestion(&self, base: &str, source: &str, token: &str) -> Result<IngestionJob, CallError> {
        const ACTION: &str = "bedrock:StartIngestionJob";
        let call = self.inner.bedrock_agent.start_ingestion_job().knowledge_base_id(base).data_source_id(source);
        let answer = call.client_token(token).send().await.map_err(|error| self.error(ACTION, error))?;
        let job = answer.ingestion_job.as_ref().map(IngestionJob::from_sdk);
        job.ok_or_else(|| self.unreadable(ACTION, "the answer has no job"))
    }

    /// How a job stands.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn ingestion(&self, base: &str, source: &str, id: &str) -> Result<IngestionJob, CallError> {
        const ACTION: &str = "bedrock:GetIngestionJob";
        let call = self.inner.bedrock_agent.get_ingestion_job().knowledge_base_id(base).data_source_id(source);
        let answer = call.ingestion_job_id(id).send().await.map_err(|error| self.error(ACTION, error))?;
        let job = answer.ingestion_job.as_ref().map(IngestionJob::from_sdk);
        job.ok_or_else(|| self.unreadable(ACTION, "the answer has no job"))
    }
}
