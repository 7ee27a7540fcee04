//! Smoke tests.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::spec::text::Text;
use crate::spec::values::Seconds;

/// One thing to try on what is deployed: exactly one of `call`, `invoke`, `retrieve` and `chat`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = [
    { "required": ["call"] },
    { "required": ["invoke"] },
    { "required": ["retrieve", "query"] },
    { "required": ["chat"], "anyOf": [{ "required": ["turns"] }, { "required": ["expect"] }] },
]))]
pub struct SmokeTest {
    /// Asks an API: `METHOD apis.NAME /path?query`, the query as a person writes it. In a text in double quotes `\n` is a
    /// line break of the query.
    #[schemars(example = &"GET apis.posters /moviePosterDesign?prompt=a dog at sunset")]
    pub call: Option<String>,
    /// Invokes a function: `functions.NAME`, or `resources.LOGICALID` for one of `resources` or of the `template`.
    #[schemars(example = &"functions.design")]
    pub invoke: Option<String>,
    /// Searches a knowledge base: `knowledge-bases.NAME`.
    #[schemars(example = &"knowledge-bases.course")]
    pub retrieve: Option<String>,
    /// Talks to an agent, `agents.NAME`, or over a WebSocket API, `apis.NAME`. All turns are one session or connection, and
    /// every run begins a new one.
    #[schemars(example = &"agents.assistant")]
    pub chat: Option<String>,
    /// What a knowledge base is searched for (`retrieve`).
    #[schemars(length(min = 1, max = 20_000), example = &"How long is a certificate valid?")]
    pub query: Option<String>,
    /// What is said, in order (`chat`). None where a connection is expected to be refused.
    #[serde(default)]
    pub turns: Vec<SmokeTurn>,
    /// Headers sent with a `call`, or to open a WebSocket. `${secrets.NAME}` is the value of that secret, read when the test runs and never shown.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "authorization": "Bearer ${secrets.token}" }]))]
    pub headers: BTreeMap<String, Text>,
    /// The API key sent with a `call`: one of the `keys` of the API's usage plans, its value read when the test runs.
    #[schemars(example = &"first")]
    pub api_key: Option<String>,
    /// The body of a `call`, or the event of an `invoke`.
    #[schemars(extend("examples" = [{ "prompt": "a dog at sunset" }]))]
    pub payload: Option<Value>,
    /// The expected response; in a `chat` each turn has its own, and this is only the `status` that a connection to a WebSocket
    /// API must be refused with.
    #[serde(default)]
    pub expect: Expect,
}

/// What is said in a conversation, and what must be answered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SmokeTurn {
    /// What is said.
    #[schemars(length(min = 1, max = 25_000), example = &"7777")]
    pub say: String,
    /// What the answer must be.
    #[serde(default)]
    pub expect: ExpectTurn,
}

/// What must come back from a smoke test: all that is said must hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The HTTP status; of an `invoke`, the `statusCode` that the function gives; of a `chat` over a WebSocket API, what a
    /// connection must be refused with.
    #[schemars(range(min = 100, max = 599), example = 200)]
    pub status: Option<u16>,
    /// Headers of the answer: a text is the whole value, a mapping says what must be found in it (`call`).
    #[serde(default)]
    #[schemars(extend("examples" = [{ "content-type": { "contains": "application/json" } }]))]
    pub headers: BTreeMap<String, ExpectedValue>,
    /// What the body must look like as a text (`call`, `invoke`).
    pub body: Option<ExpectText>,
    /// JSONPath expressions (RFC 9535) into the body, each with the expected value, or a mapping that says what must be
    /// found in it. A path that names several places holds when one of them does (`call`, `invoke`).
    #[serde(default)]
    #[schemars(extend("examples" = [{ "$.blocked": true, "$.answer": { "contains": "60 days" } }]))]
    pub json: BTreeMap<String, ExpectedValue>,
    /// The body is such a picture, or it is, or holds as JSON, an address that gives one (`call`, `invoke`).
    pub image: Option<ImageFormat>,
    /// What the passages that were found must say, taken together (`retrieve`).
    pub text: Option<ExpectText>,
    /// Names of documents that passages must come from, each at least once (`retrieve`).
    #[serde(default)]
    #[schemars(extend("examples" = [["certificates.md"]]))]
    pub sources: Vec<String>,
    /// How many passages must be found at least; one where this is not said (`retrieve`).
    #[schemars(range(min = 1, max = 100), example = 3)]
    pub passages: Option<u32>,
    /// The longest it may take, such as `30s`.
    pub within: Option<Seconds>,
}

/// What must be answered in a conversation: all that is said must hold. Of a WebSocket API it is the next message.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExpectTurn {
    /// What the answer must say.
    pub text: Option<ExpectText>,
    /// JSONPath expressions (RFC 9535) into the message of a WebSocket API, each with the expected value or a mapping that says what
    /// must be found in it.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "$.echo": "Hi" }]))]
    pub json: BTreeMap<String, ExpectedValue>,
    /// Names of documents that an agent's answer must cite (engine `classic`; a harness cites nothing).
    #[serde(default)]
    #[schemars(extend("examples" = [["proof-of-address.md"]]))]
    pub sources: Vec<String>,
    /// Names of an agent's `tools` that it must have used for this answer.
    #[serde(default)]
    #[schemars(extend("examples" = [["account-status"]]))]
    pub tools: Vec<String>,
    /// The longest the answer may take, such as `30s`.
    pub within: Option<Seconds>,
}

/// What a text must look like: all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExpectText {
    /// A regular expression found in it, or a list of which each must be.
    #[serde(default)]
    #[schemars(extend("examples" = ["^\"?https://"]))]
    pub matches: Texts,
    /// Text found in it, or a list of which each must be.
    #[serde(default)]
    #[schemars(extend("examples" = ["TB-CL-7882"]))]
    pub contains: Texts,
    /// Text not found in it, or a list of which none may be.
    #[serde(default)]
    #[schemars(extend("examples" = ["jane.doe@example.com"]))]
    pub not_contains: Texts,
}

/// One text or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

/// The expected value of one place: a value, or what a text must look like.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpectedValue {
    /// This very value.
    Value(Value),
    /// Something that looks like this.
    Like(ExpectText),
}

/// A format of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImageFormat {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// GIF.
    Gif,
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(vec![text])),
            other => serde_json::from_value(other)
                .map(Self)
                .map_err(|_| D::Error::custom("expected a text or a list of texts")),
        }
    }
}

impl JsonSchema for Texts {
    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One text or a list of them.",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }],
            "examples": ["Pending", ["Pending", "InvalidAddressProof"]],
        })
    }
}

impl<'de> Deserialize<'de> for ExpectedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            like @ Value::Object(_) => serde_json::from_value(like).map(Self::Like).map_err(D::Error::custom),
            value => Ok(Self::Value(value)),
        }
    }
}

impl JsonSchema for ExpectedValue {
    fn schema_name() -> Cow<'static, str> {
        "ExpectedValue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let like = generator.subschema_for::<ExpectText>();
        json_schema!({
            "description": "A value, or a mapping that says what must be found in a text.",
            "anyOf": [
                { "type": "string" },
                { "type": "number" },
                { "type": "boolean" },
                { "type": "array" },
                like,
            ],
            "examples": [200, { "contains": "60 days" }],
        })
    }
}
