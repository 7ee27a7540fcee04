//! Smoke tests.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::values::Seconds;

/// One thing to try on what is deployed: exactly one of `call` and `invoke`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = [{ "required": ["call"] }, { "required": ["invoke"] }]))]
pub struct SmokeTest {
    /// `METHOD apis.NAME /path?query`, the query as a person writes it.
    #[schemars(example = &"GET apis.posters /moviePosterDesign?prompt=a dog at sunset")]
    pub call: Option<String>,
    /// `functions.NAME`.
    #[schemars(example = &"functions.design")]
    pub invoke: Option<String>,
    /// The body or event sent.
    #[schemars(extend("examples" = [{ "prompt": "a dog at sunset" }]))]
    pub payload: Option<serde_json::Value>,
    /// What must come back.
    #[serde(default)]
    pub expect: Expect,
}

/// What must come back from a smoke test.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The HTTP status.
    #[schemars(range(min = 100, max = 599), example = 200)]
    pub status: Option<u16>,
    /// What the body must look like.
    pub body: Option<ExpectBody>,
    /// The longest it may take, such as `30s`.
    pub within: Option<Seconds>,
}

/// What a body must look like: all that is said must hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExpectBody {
    /// A regular expression found in it.
    #[schemars(example = &"^\"?https://")]
    pub matches: Option<String>,
    /// Text found in it.
    #[schemars(example = &"TB-CL-7882")]
    pub contains: Option<String>,
}
