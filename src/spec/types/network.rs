//! The network of a use case.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::text::Tree;

/// A VPC with private subnets and no way to the internet; AWS is reached by interface endpoints, which cost by the hour.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    /// The addresses of the VPC.
    #[schemars(regex(pattern = r"^[0-9.]+/[0-9]+$"), example = &"10.0.0.0/16")]
    pub cidr: Option<String>,
    /// In how many availability zones it has a subnet; 2 unless said.
    #[schemars(range(min = 1, max = 3), example = 2)]
    pub zones: Option<u32>,
    /// AWS services reached from inside, such as `bedrock-runtime`, each with what may be done through its endpoint.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "bedrock-runtime": {} }]))]
    pub endpoints: BTreeMap<String, Endpoint>,
}

/// An interface endpoint; for `s3` and `dynamodb` a gateway endpoint, which costs nothing.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Endpoint {
    /// The statements of its policy; else what the account's own principals may do on the spec's models and components.
    #[schemars(extend("examples" = [[{ "Effect": "Allow", "Principal": "*", "Action": "bedrock:InvokeModel", "Resource": "*" }]]))]
    pub policy: Option<Vec<Tree>>,
}
