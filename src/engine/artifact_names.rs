//! What the artifact bucket, its stack and the folders in it are called.

/// The stack that holds the artifact bucket.
pub const ARTIFACT_STACK: &str = "bedplate-artifacts";

/// The artifact bucket's usual name: bucket names are global, so it carries account and region.
pub fn artifact_bucket_name(account: &str, region: &str) -> String {
    format!("{ARTIFACT_STACK}-{account}-{region}")
}

/// The folder of a stack in the artifact bucket. No name of a stack holds a slash, so no folder is in another's.
pub(super) fn folder(stack: &str) -> String {
    format!("{stack}/")
}
