//! The account, the key and the region that stand where a request names none.

/// The account every local resource lives in. It is not a real account of anyone: AWS uses it in its own examples.
pub const ACCOUNT_ID: &str = "123456789012";

/// The access key, and the secret, that the local target signs and checks pre-signed URLs with.
pub const LOCAL_KEY: &str = "local";

/// The region of a request that names none.
pub const DEFAULT_REGION: &str = "us-east-1";
