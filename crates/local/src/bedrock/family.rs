//! Families of models, each of which has a format of its own.

use serde_json::Value;

/// The formats there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Claude,
    Nova,
    Stability,
    TitanEmbed,
    TitanEmbedImage,
    CohereEmbed,
    NovaEmbed,
    Other,
}

impl Family {
    /// The family of a model, by its id.
    pub fn of(id: &str) -> Self {
        let begins = |prefix: &str| id.starts_with(prefix);
        if begins("anthropic.claude") {
            Self::Claude
        } else if begins("amazon.nova") && id.contains("embeddings") {
            Self::NovaEmbed
        } else if begins("amazon.nova") {
            Self::Nova
        } else if begins("stability.") {
            Self::Stability
        } else if begins("amazon.titan-embed-image") {
            Self::TitanEmbedImage
        } else if begins("amazon.titan-embed") {
            Self::TitanEmbed
        } else if begins("cohere.embed") {
            Self::CohereEmbed
        } else {
            Self::Other
        }
    }
}

/// An answer in the format of a family.
pub(super) struct NativeAnswer {
    pub body: Value,
    pub input_tokens: usize,
    pub output_tokens: usize,
}
