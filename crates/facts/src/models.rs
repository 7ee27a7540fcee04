//! What is known about Bedrock models.

use std::sync::LazyLock;

use serde::Deserialize;

use super::dates::Day;
use bedplate_text::suggestion::nearest_within;

/// Where a model stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Offered to everyone.
    Active,
    /// Works for who already uses it; closed to new customers.
    Legacy,
    /// Gone.
    Retired,
}

/// How a model can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invoke {
    /// By its own id.
    OnDemand,
    /// Only through an inference profile, such as `us.` before its id.
    Profile,
}

/// One row of the table. What is absent is not known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// The base model's id.
    pub id: String,
    /// Who made it.
    pub provider: String,
    /// What it gives back: `text`, `image`, `embedding`, `speech` or `video`.
    pub output: String,
    /// Where it stands.
    pub status: Status,
    /// The day after which it answers nobody.
    pub end_of_life: Option<Day>,
    /// The id to use in its place.
    pub replacement: Option<String>,
    /// Regions it is offered in, when the table knows all of them.
    pub regions: Option<Vec<String>>,
    /// How it can be called.
    pub invoke: Option<Invoke>,
    /// Whether it takes temperature, top_p and top_k.
    pub sampling: Option<bool>,
    /// An embedding model's sizes, its default first.
    #[serde(default)]
    pub dimensions: Vec<u32>,
    /// Where this was read.
    pub source: String,
    /// When.
    pub as_of: Day,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Models {
    /// How to read it.
    pub about: String,
    /// The day the table was made.
    pub as_of: Day,
    /// What an inference profile's id starts with.
    pub profile_prefixes: Vec<String>,
    /// The rows, by id.
    pub models: Vec<Model>,
}

/// The table, read once.
pub fn models() -> &'static Models {
    static MODELS: LazyLock<Models> =
        LazyLock::new(|| super::embedded("models.json", include_str!("../../../schemas/models.json")));
    &MODELS
}

impl Models {
    /// The row of a base model's id, or of the model behind a profile's id.
    pub fn get(&self, id: &str) -> Option<&Model> {
        let base = self.profile_of(id).map_or(id, |(_, model)| model);
        self.models.iter().find(|model| model.id == base)
    }

    /// The prefix and the model of a system inference profile's id: `us.amazon.nova-2-lite-v1:0` is `us` and the rest.
    pub fn profile_of<'a>(&self, id: &'a str) -> Option<(&'a str, &'a str)> {
        let (prefix, model) = id.split_once('.')?;
        (model.contains('.') && self.profile_prefixes.iter().any(|known| known == prefix)).then_some((prefix, model))
    }

    /// The id nearest to one that is not in the table, with the same profile prefix, when it is near enough to be a slip.
    pub fn nearest(&self, id: &str) -> Option<String> {
        let (prefix, base) = self.profile_of(id).map_or((None, id), |(prefix, base)| (Some(prefix), base));
        let model = nearest_within(base, self.models.iter().map(|model| model.id.as_str()), 4)?;
        Some(match prefix {
            Some(prefix) => format!("{prefix}.{model}"),
            None => model.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let models: Models = serde_json::from_str(include_str!("../../../schemas/models.json")).expect("a table");
        assert!(models.models.is_sorted_by(|a, b| a.id < b.id), "sorted, no id twice");
        for model in &models.models {
            assert!(
                model.status == Status::Active
                    || model.replacement.is_some()
                    || !["text", "image"].contains(&model.output.as_str()),
                "{} is gone and names nothing in its place",
                model.id
            );
            if let Some(replacement) = &model.replacement {
                let found = models.get(replacement).unwrap_or_else(|| panic!("{replacement} is in no row"));
                assert_eq!(found.status, Status::Active, "{replacement} replaces {}", model.id);
                assert!(found.invoke != Some(Invoke::Profile) || models.profile_of(replacement).is_some());
            }
        }
    }

    #[test]
    fn profiles_are_told_from_models() {
        assert_eq!(models().profile_of("us.amazon.nova-2-lite-v1:0"), Some(("us", "amazon.nova-2-lite-v1:0")));
        assert_eq!(models().profile_of("amazon.nova-lite-v1:0"), None);
        assert_eq!(models().profile_of("us.nothing"), None);
        assert_eq!(models().get("us.amazon.nova-2-lite-v1:0").map(|model| model.output.as_str()), Some("text"));
    }

    #[test]
    fn a_slip_finds_the_nearest() {
        assert_eq!(
            models().nearest("stability.stable-image-cor-v1:1").as_deref(),
            Some("stability.stable-image-core-v1:1")
        );
        assert_eq!(models().nearest("us.amazon.nova2-lite-v1:0").as_deref(), Some("us.amazon.nova-2-lite-v1:0"));
        assert_eq!(models().nearest("mycompany.model"), None);
    }
}
