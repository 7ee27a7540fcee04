//! S3: what tells whose a bucket is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::clients::Clients;
use super::error::{CallError, CallErrorKind};
use super::timestamps::timestamp;

/// A bucket of the account, as the list of all buckets shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedBucket {
    /// Its name.
    pub name: String,
    /// When it was made, to the second.
    pub created: Option<Timestamp>,
}

impl Clients {
    /// The tags of a bucket that must be this account's; none when there is no such bucket.
    ///
    /// # Errors
    /// When the call fails for another reason than absence of the bucket or of tags.
    pub async fn bucket_tags(&self, bucket: &str) -> Result<Option<BTreeMap<String, String>>, CallError> {
        let owner = self.own_account().await?;
        match self.inner.s3.get_bucket_tagging().bucket(bucket).expected_bucket_owner(owner).send().await {
            Ok(answer) => Ok(Some(answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())),
            Err(error) => {
                let error = self.error("s3:GetBucketTagging", error);
                if error.is("NoSuchTagSet") {
                    return Ok(Some(BTreeMap::new()));
                }
                if error.kind == CallErrorKind::NotFound { Ok(None) } else { Err(error) }
            }
        }
    }

    /// All buckets of the account, in every region. The call has no parameter for an expected owner: it names none but
    /// the caller's own.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn own_buckets(&self) -> Result<Vec<ListedBucket>, CallError> {
        let mut pages = self.inner.s3.list_buckets().into_paginator().send();
        let mut buckets = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.error("s3:ListAllMyBuckets", error))?;
            buckets.extend(page.buckets.unwrap_or_default().into_iter().filter_map(|bucket| {
                Some(ListedBucket { name: bucket.name?, created: bucket.creation_date.as_ref().and_then(timestamp) })
            }));
        }
        Ok(buckets)
    }
}
