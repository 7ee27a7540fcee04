//! The operations that are simulated, one line each. What has no line is refused by `s3s`, by name; the upload by an HTML
//! form, which `s3s` would take for a put, has a line that refuses it.

use s3s::dto;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::operation::S3Api;
use super::{bucket_ops, list_ops, object_ops, read_ops, setting_ops, upload_ops};

/// The operations that are simulated.
pub(crate) fn operations() -> Vec<&'static str> {
    INPUTS.iter().filter_map(|input| input.strip_suffix("Input")).collect()
}

macro_rules! operations {
    ($($name:ident: $input:ident => $output:ident = $function:path;)*) => {
        #[async_trait::async_trait]
        impl S3 for S3Api {
            $(
                async fn $name(&self, request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                    Ok($function(self, request).await?)
                }
            )*

            // Refused, so none of the operations; left out, it would do what `PutObject` does.
            async fn post_object(
                &self,
                request: S3Request<dto::PostObjectInput>,
            ) -> S3Result<S3Response<dto::PostObjectOutput>> {
                Ok(object_ops::post(self, request).await?)
            }
        }

        /// The operations, by their input.
        const INPUTS: &[&str] = &[$(stringify!($input)),*];
    };
}

operations! {
    create_bucket: CreateBucketInput => CreateBucketOutput = bucket_ops::create;
    delete_bucket: DeleteBucketInput => DeleteBucketOutput = bucket_ops::delete;
    head_bucket: HeadBucketInput => HeadBucketOutput = bucket_ops::head;
    list_buckets: ListBucketsInput => ListBucketsOutput = bucket_ops::list;
    get_bucket_location: GetBucketLocationInput => GetBucketLocationOutput = bucket_ops::location;
    get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput = bucket_ops::get_versioning;
    put_bucket_versioning: PutBucketVersioningInput => PutBucketVersioningOutput = bucket_ops::put_versioning;

    get_bucket_tagging: GetBucketTaggingInput => GetBucketTaggingOutput = setting_ops::get_tagging;
    put_bucket_tagging: PutBucketTaggingInput => PutBucketTaggingOutput = setting_ops::put_tagging;
    delete_bucket_tagging: DeleteBucketTaggingInput => DeleteBucketTaggingOutput = setting_ops::delete_tagging;
    get_bucket_encryption: GetBucketEncryptionInput => GetBucketEncryptionOutput = setting_ops::get_encryption;
    put_bucket_encryption: PutBucketEncryptionInput => PutBucketEncryptionOutput = setting_ops::put_encryption;
    delete_bucket_encryption: DeleteBucketEncryptionInput => DeleteBucketEncryptionOutput = setting_ops::delete_encryption;
    get_public_access_block: GetPublicAccessBlockInput => GetPublicAccessBlockOutput = setting_ops::get_public_access;
    put_public_access_block: PutPublicAccessBlockInput => PutPublicAccessBlockOutput = setting_ops::put_public_access;
    delete_public_access_block: DeletePublicAccessBlockInput => DeletePublicAccessBlockOutput = setting_ops::delete_public_access;
    get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput => GetBucketLifecycleConfigurationOutput = setting_ops::get_lifecycle;
    put_bucket_lifecycle_configuration: PutBucketLifecycleConfigurationInput => PutBucketLifecycleConfigurationOutput = setting_ops::put_lifecycle;
    delete_bucket_lifecycle: DeleteBucketLifecycleInput => DeleteBucketLifecycleOutput = setting_ops::delete_lifecycle;
    get_bucket_policy: GetBucketPolicyInput => GetBucketPolicyOutput = setting_ops::get_policy;
    put_bucket_policy: PutBucketPolicyInput => PutBucketPolicyOutput = setting_ops::put_policy;
    delete_bucket_policy: DeleteBucketPolicyInput => DeleteBucketPolicyOutput = setting_ops::delete_policy;
    get_bucket_ownership_controls: GetBucketOwnershipControlsInput => GetBucketOwnershipControlsOutput = setting_ops::get_ownership;
    put_bucket_ownership_controls: PutBucketOwnershipControlsInput => PutBucketOwnershipControlsOutput = setting_ops::put_ownership;

    put_object: PutObjectInput => PutObjectOutput = object_ops::put;
    copy_object: CopyObjectInput => CopyObjectOutput = object_ops::copy;
    delete_object: DeleteObjectInput => DeleteObjectOutput = object_ops::delete;
    delete_objects: DeleteObjectsInput => DeleteObjectsOutput = object_ops::delete_many;
    get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput = object_ops::get_tagging;
    put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput = object_ops::put_tagging;
    delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput = object_ops::delete_tagging;

    get_object: GetObjectInput => GetObjectOutput = read_ops::get;
    head_object: HeadObjectInput => HeadObjectOutput = read_ops::head;
    get_object_attributes: GetObjectAttributesInput => GetObjectAttributesOutput = read_ops::attributes;

    list_objects: ListObjectsInput => ListObjectsOutput = list_ops::objects;
    list_objects_v2: ListObjectsV2Input => ListObjectsV2Output = list_ops::objects_v2;
    list_object_versions: ListObjectVersionsInput => ListObjectVersionsOutput = list_ops::versions;
    list_multipart_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput = list_ops::uploads;

    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput = upload_ops::create;
    upload_part: UploadPartInput => UploadPartOutput = upload_ops::part;
    upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput = upload_ops::part_copy;
    complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput = upload_ops::complete;
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput = upload_ops::abort;
    list_parts: ListPartsInput => ListPartsOutput = upload_ops::list;
}
