//! Foundation models.

use schemars::JsonSchema;
use serde::Deserialize;

/// A foundation model.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// The Bedrock model id or the id of a system inference profile, such as `us.amazon.nova-2-lite-v1:0`.
    #[schemars(example = &"stability.stable-image-core-v1:1")]
    pub id: String,
    /// What it gives back; checked against the facts about the model.
    pub output: Option<Modality>,
    /// Make an application inference profile of it: its tags show the costs, and programs get its ARN.
    #[serde(default)]
    pub application_profile: bool,
    /// How it answers, for prompts and agents that use it; refused where the model takes no such parameters.
    #[serde(default)]
    pub inference: Inference,
    /// Length of the vectors of an embedding model, where it offers more than one.
    #[schemars(range(min = 1, max = 4096), example = 1024)]
    pub dimensions: Option<u32>,
}

/// How a model answers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Inference {
    /// The most tokens of an answer; what is not used of it still counts against the quota while the answer is made.
    #[schemars(range(min = 1), example = 512)]
    pub max_tokens: Option<u32>,
    /// How freely it chooses among likely words, 0 to 1.
    #[schemars(range(min = 0, max = 1), example = 0.2)]
    pub temperature: Option<f64>,
    /// The share of likely words it chooses among, 0 to 1.
    #[schemars(range(min = 0, max = 1), example = 0.9)]
    pub top_p: Option<f64>,
    /// The number of likely words it chooses among.
    #[schemars(range(min = 0, max = 500), example = 50)]
    pub top_k: Option<u32>,
    /// Texts that end an answer.
    #[serde(default)]
    #[schemars(length(max = 4), extend("examples" = [["Human:"]]))]
    pub stop: Vec<String>,
}

/// What a model gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    /// Text.
    Text,
    /// An image.
    Image,
    /// A vector.
    Embedding,
}
