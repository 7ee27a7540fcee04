//! Buckets, tables and secrets.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::text::Text;
use crate::spec::values::Days;

/// An S3 bucket: encrypted, closed to the public, TLS only.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bucket {
    /// A name prefix in the account's own namespace (`<prefix>-<account>-<region>-an`), so that it never collides with
    /// another account's; else CloudFormation names the bucket.
    #[schemars(example = &"posters-${stage}")]
    pub name: Option<Text>,
    /// Objects are deleted after this many days, such as `7d`.
    pub expire_after: Option<Days>,
    /// Keep the old versions of objects.
    #[serde(default)]
    pub versioning: bool,
    /// A folder beside the spec whose files a deploy puts into the bucket.
    #[schemars(extend("x-file" = "folder"), example = &"documents/")]
    pub documents: Option<String>,
    /// The ARN of a KMS key to encrypt with; else S3's own keys do.
    #[schemars(example = &"${parameters.key-arn}")]
    pub kms_key: Option<Text>,
}

/// A DynamoDB table, paid by request and encrypted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Table {
    /// A name of your own, 3 to 255 letters, digits, `.`, `-` and `_`; else CloudFormation names it.
    #[schemars(example = &"customerAccountStatus")]
    pub name: Option<Text>,
    /// The attribute that tells items apart.
    pub partition_key: KeyAttribute,
    /// The attribute that orders items of one partition.
    pub sort_key: Option<KeyAttribute>,
    /// Other ways to look items up, by the index's name; 20 at most.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 20, "examples" = [{ "by-status": { "partition-key": { "name": "AccountStatus" } } }]))]
    pub indexes: BTreeMap<String, TableIndex>,
    /// The attribute that holds the second an item may be deleted at.
    #[schemars(example = &"expiresAt")]
    pub ttl: Option<String>,
    /// Keep a continuous backup of the last 35 days.
    #[serde(default)]
    pub point_in_time_recovery: bool,
    /// A YAML, JSON or CSV file of rows beside the spec; a deploy writes those that are not there yet.
    #[schemars(extend("x-file" = "text"), example = &"data/accounts.yaml")]
    pub seed: Option<String>,
}

/// An attribute that is a key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeyAttribute {
    /// The attribute's name.
    #[schemars(length(min = 1, max = 255), example = &"AccountID")]
    pub name: String,
    /// What it holds.
    #[serde(default)]
    pub r#type: KeyType,
}

/// What a key attribute holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyType {
    /// Text.
    #[default]
    String,
    /// A number.
    Number,
    /// Bytes.
    Binary,
}

/// A global secondary index.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TableIndex {
    /// The attribute items are looked up by.
    pub partition_key: KeyAttribute,
    /// The attribute that orders them.
    pub sort_key: Option<KeyAttribute>,
    /// The attributes found with the keys: all of them unless some are named, none for `[]`.
    #[schemars(extend("examples" = [["AccountName"]]))]
    pub attributes: Option<Vec<String>>,
}

/// A secret in Secrets Manager. Its value is never in the spec: it is made at random, or comes from a parameter.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Secret {
    /// A name of your own; else CloudFormation names it.
    #[schemars(example = &"bank/${stage}/api-key")]
    pub name: Option<Text>,
    /// What it is for.
    #[schemars(length(min = 1, max = 2048), example = &"The key of the weather service")]
    pub description: Option<String>,
    /// Secrets Manager makes a random password of so many characters; 32 where neither this nor `value` is said.
    #[schemars(range(min = 8, max = 4096), example = 32)]
    pub generate: Option<u32>,
    /// The parameter with `secret: true` whose value it takes when it is made.
    #[schemars(extend("x-names" = "parameters"), example = &"api-key")]
    pub value: Option<String>,
    /// The key of a JSON object that the value is put under, such as `apiKey`; else the secret is the value alone.
    #[schemars(length(min = 1, max = 128), example = &"apiKey")]
    pub key: Option<String>,
    /// What else the JSON object holds and is no secret, such as a user's name.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "username": "reader" }]))]
    pub with: BTreeMap<String, Text>,
}
