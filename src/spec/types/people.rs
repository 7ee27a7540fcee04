//! Cognito user pools.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::text::Text;

/// A Cognito user pool: people sign in with their e-mail address.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UserPool {
    /// A name of your own; else `<use-case>-<stage>-<name>`.
    #[schemars(example = &"customers-${stage}")]
    pub name: Option<Text>,
    /// Whether people may sign up by themselves; else an administrator invites them.
    #[serde(default)]
    pub self_sign_up: bool,
    /// The shortest password, 8 to 99 characters; 12 unless said. It always holds small and capital letters, digits and
    /// symbols.
    #[schemars(range(min = 8, max = 99), example = 12)]
    pub password_length: Option<u32>,
    /// Whether people sign in with a second factor, a code of an authenticator app.
    #[serde(default)]
    pub mfa: Mfa,
    /// The first part of the address of the hosted sign-in pages, which must be unique in the region; needed for
    /// clients with `callback-urls`.
    #[schemars(example = &"bank-${stage}-${account}")]
    pub domain: Option<Text>,
    /// Apps that people sign in to.
    #[serde(default)]
    #[schemars(extend("propertyNames" = super::component_name()))]
    pub clients: BTreeMap<String, UserPoolClient>,
}

/// Whether people sign in with a second factor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mfa {
    /// No.
    #[default]
    Off,
    /// Users who choose to.
    Optional,
    /// All must.
    Required,
}

/// An app that people sign in to.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UserPoolClient {
    /// Where people come back to after signing in with the hosted pages, with a code that the app trades for tokens.
    #[serde(default)]
    #[schemars(extend("examples" = [["https://example.com/signed-in"]]))]
    pub callback_urls: Vec<String>,
    /// Whether it sends user names and passwords to Cognito itself. Without it, passwords never leave the person's machine
    /// (SRP).
    #[serde(default)]
    pub password_sign_in: bool,
}
