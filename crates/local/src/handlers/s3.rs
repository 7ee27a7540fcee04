//! S3: buckets, which the S3 API then serves, and their policies.

use serde_json::{Value, json};

use crate::ground::ApiError;
use crate::ground::resource_table::{self, StoredResource};
use crate::ground::scalar::text;
use crate::resources::Formats;
use crate::resources::{Failure, Handler, Made, ResourceWork, generic};
use crate::s3::{Buckets, Namespace, set_policy};

fn refused(error: &ApiError) -> Failure {
    let code = match error.code.as_str() {
        "BucketAlreadyOwnedByYou" | "BucketAlreadyExists" => "AlreadyExists",
        "NoSuchBucket" => "NotFound",
        "AccessDenied" => "AccessDenied",
        _ => "InvalidRequest",
    };
    Failure::handler(
        code,
        format!("{} (Service: S3, Status Code: {}, Error Code: {})", error.message, error.status.as_u16(), error.code),
    )
}

/// The tags CloudFormation puts on a bucket it makes.
fn marks(work: &ResourceWork<'_>) -> Vec<(String, String)> {
    [
        ("aws:cloudformation:stack-name", &work.site.stack_name),
        ("aws:cloudformation:stack-id", &work.site.stack_id),
        ("aws:cloudformation:logical-id", &work.site.logical_id),
    ]
    .map(|(key, value)| (key.to_owned(), value.clone()))
    .to_vec()
}

/// Sets the bucket up as its properties say, with the tags that CloudFormation puts on it.
fn configure(
    work: &ResourceWork<'_>,
    bucket: &str,
    properties: &Value,
    marks: Vec<(String, String)>,
) -> Result<(), Failure> {
    let mut all = properties.as_object().cloned().unwrap_or_default();
    let mut tags: Vec<Value> = marks.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    tags.extend(all.get("Tags").and_then(Value::as_array).into_iter().flatten().cloned());
    all.insert("Tags".to_owned(), Value::Array(tags));
    Buckets::configure(work.db, bucket, &all).map_err(|error| refused(&error))
}

pub(super) struct BucketHandler;

impl BucketHandler {
    /// The name with `BucketNamePrefix` made whole, and where it is unique.
    fn named(work: &ResourceWork<'_>, properties: &Value) -> (Value, Namespace) {
        let mut properties = properties.clone();
        let regional = text(&properties, "BucketNamespace").as_deref() == Some("account-regional");
        if let Some(prefix) = text(&properties, "BucketNamePrefix")
            && text(&properties, "BucketName").is_none()
            && let Some(all) = properties.as_object_mut()
        {
            let name = format!("{prefix}-{}-{}-an", work.site.account, work.site.region);
            all.insert("BucketName".to_owned(), json!(name));
        }
        (properties, if regional { Namespace::AccountRegional } else { Namespace::Global })
    }
}

impl Handler for BucketHandler {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        let (named, namespace) = Self::named(work, properties);
        if let Some(name) = text(&named, "BucketName") {
            let exists = Buckets::exists(work.db, &name).map_err(|error| refused(&error))?;
            match resource_table::find(work.db, "AWS::S3::Bucket", "global", &name)? {
                Some(other) if exists => return Err(generic::taken(&name, &other)),
                // Deleted by other means than the stack that made it: the name is free.
                Some(other) => resource_table::remove(work.db, &other.resource_type, other.owner(), &other.id)?,
                None if exists => return Err(Failure::plain(format!("{name} already exists"))),
                None => {}
            }
        }
        let made = generic::create(work, &named)?;
        Buckets::create(work.db, &made.id, &work.site.region, namespace, work.now).map_err(|error| refused(&error))?;
        configure(work, &made.id, properties, marks(work))?;
        Ok(made)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, _old: &Value, new: &Value) -> Result<Made, Failure> {
        // A bucket that got the name by other means is not marked as this stack's by being changed.
        let marks = Buckets::system_tags(work.db, id).map_err(|error| refused(&error))?;
        configure(work, id, new, marks)?;
        generic::update(work, id, new)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, _properties: &Value) -> Result<(), Failure> {
        if Buckets::exists(work.db, id).map_err(|error| refused(&error))? {
            Buckets::delete(work.db, id).map_err(|error| refused(&error))?;
        }
        generic::delete(work, id)
    }
}

pub(super) struct BucketPolicy;

impl BucketPolicy {
    fn set(work: &ResourceWork<'_>, properties: &Value) -> Result<(), Failure> {
        let bucket = text(properties, "Bucket").unwrap_or_default();
        let document = match properties.get("PolicyDocument") {
            Some(Value::String(text)) => text.clone(),
            Some(document) => document.to_string(),
            None => String::new(),
        };
        super::policy::check(
            properties.get("PolicyDocument").unwrap_or(&Value::Null),
            super::policy::PolicyUse::Resource,
        )?;
        set_policy(work.db, &bucket, Some(&document)).map_err(|error| refused(&error))
    }
}

impl Handler for BucketPolicy {
    fn create(&self, work: &ResourceWork<'_>, properties: &Value) -> Result<Made, Failure> {
        Self::set(work, properties)?;
        let bucket = text(properties, "Bucket").unwrap_or_default();
        let formats = Formats::default();
        let scope = generic::scope(work.site, &formats, properties);
        if let Some(other) = resource_table::find(work.db, "AWS::S3::BucketPolicy", &scope, &bucket)? {
            return Err(already(&bucket, &other));
        }
        generic::create(work, properties)
    }

    fn update(&self, work: &ResourceWork<'_>, id: &str, _old: &Value, new: &Value) -> Result<Made, Failure> {
        Self::set(work, new)?;
        generic::update(work, id, new)
    }

    fn delete(&self, work: &ResourceWork<'_>, id: &str, _properties: &Value) -> Result<(), Failure> {
        if Buckets::exists(work.db, id).map_err(|error| refused(&error))? {
            set_policy(work.db, id, None).map_err(|error| refused(&error))?;
        }
        generic::delete(work, id)
    }
}

fn already(bucket: &str, other: &StoredResource) -> Failure {
    Failure::handler(
        "AlreadyExists",
        format!("The bucket policy already exists on bucket {bucket} (stack {}).", other.stack_id),
    )
}
